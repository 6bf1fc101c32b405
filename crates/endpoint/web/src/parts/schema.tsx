// What can be asked about: schemas, tables, columns with what they mean, found by name.
import { useState } from "preact/hooks";
import type { Schema } from "../lib/ask";
import { useWords } from "../lib/words";
import type { Key } from "../messages";

const ORDER = ["published", "protected", "reference", "information_schema"];

export function SchemaBrowser({ schema, insert }: { schema: Schema; insert: (text: string) => void }) {
  const { t } = useWords();
  const [wanted, setWanted] = useState("");
  const needle = wanted.trim().toLowerCase();
  return (
    <section class="schema" aria-labelledby="schema">
      <h2 id="schema">{t("sql.schema")}</h2>
      <input type="search" aria-label={t("sql.schema.find")} placeholder={t("sql.schema.find")} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
      <div class="schema-list">
        {ORDER.filter((name) => schema.has(name)).map((name) => {
          const tables = [...(schema.get(name) ?? [])].filter(
            ([table, columns]) => !needle || table.includes(needle) || columns.some((c) => c.name.includes(needle)),
          );
          if (!tables.length) return null;
          return (
            <details key={`${name}${needle ? "!" : ""}`} open={Boolean(needle) || name === "published" || name === "protected"}>
              <summary>{t(`sql.schema.${name}` as Key)} <span class="soft">({tables.length})</span></summary>
              <ul class="plain">
                {tables.map(([table, columns]) => <Table key={table} schema={name} table={table} columns={columns} insert={insert} />)}
              </ul>
            </details>
          );
        })}
      </div>
    </section>
  );
}

interface Given {
  schema: string;
  table: string;
  columns: { name: string; type: string; description: string; list: string }[];
  insert: (text: string) => void;
}

function Table({ schema, table, columns, insert }: Given) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const name = schema === "protected" ? table : `${schema}.${table}`;
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary><code>{table}</code></summary>
        {open && (
          <ul class="columns">
            <li><button type="button" class="action" dir="ltr" aria-label={t("sql.schema.insert", { name })} onClick={() => insert(name)}><code>{name}</code></button></li>
            {columns.map((c) => (
              <li key={c.name} dir="ltr">
                <button type="button" class="column" aria-label={t("sql.schema.insert", { name: c.name })} onClick={() => insert(c.name)}><code>{c.name}</code></button>{" "}
                <span class="soft">{c.type}</span>
                {c.list && <> <button type="button" class="column" aria-label={t("sql.schema.insert", { name: c.list })} onClick={() => insert(c.list)}><code>{c.list}</code></button></>}
                {c.description && <span class="about" lang="en">{c.description}</span>}
              </li>
            ))}
          </ul>
        )}
      </details>
    </li>
  );
}
