// Questions in SQL. The question is in the address, so that it can be shared; who asks never is.
import { useEffect, useRef, useState } from "preact/hooks";
import { AnswerView, Cost, Refusal } from "../parts/answer";
import type { Editor } from "../parts/editor";
import { Copy } from "../parts/copy";
import { SchemaBrowser } from "../parts/schema";
import { asProblem, Problem } from "../lib/api";
import { ask, schema as readSchema, type Answer, type Schema } from "../lib/ask";
import { task } from "../lib/later";
import { lazy } from "../lib/lazy";
import { changed, go, useRoute } from "../lib/route";
import { holes, paramsOf, type Parameter, type Saved } from "../lib/saved";
import { signInAddress, useSession, type Session } from "../lib/session";
import { useWords } from "../lib/words";
import type { Key } from "../messages";

const SaveForm = lazy(() => import("../parts/save").then((m) => m.SaveForm));

const KEPT = "amanat:key";
/** Roles that save questions. */
const SAVES: readonly string[] = ["analyst", "steward"];
/** A parameter that nothing is known of. */
const UNKNOWN: Parameter = { name: "", type: "text", default: "", description: "" };
/** What is asked about while nobody has said what there is. */
const NO_TABLES: Schema = new Map();

const EXAMPLES: { name: Key; sql: string }[] = [
  {
    name: "sql.example.trend",
    sql: "select time_period, value, lo95, hi95, obs_status\nfrom published.v01\nwhere province = '_T' and sex = '_T' and age_group = '_T'\n  and length(time_period) = 4\norder by time_period",
  },
  {
    name: "sql.example.provinces",
    sql: "select p.en as province, sum(c.value) as cases\nfrom published.c01 as c join reference.province as p on p.code = c.province\nwhere c.agency_group = '_T' and c.time_period like '2025-Q%'\ngroup by p.en\norder by cases desc",
  },
  { name: "sql.example.codes", sql: "select code, en, ur from reference.exploitation" },
  {
    name: "sql.example.records",
    sql: "select province, count(*) as victims,\n       count(*) filter (where age_group = 'child') as children\nfrom victims\nwhere status = 'actual' and year >= 2016\ngroup by province",
  },
  { name: "sql.example.refused", sql: "select * from victims where year = 2024 limit 10" },
];

/** Who puts a question. */
interface Asker {
  key: string | null;
  account: boolean;
}

const NOBODY: Asker = { key: null, account: false };

type Params = (string | number | boolean)[];

type Outcome =
  | { kind: "none" }
  | { kind: "asking" }
  | { kind: "answer" | "cost"; answer: Answer; sql: string; params: Params; companions: boolean; as: Asker }
  | { kind: "refused"; problem: Problem; sql: string; as: Asker; name: string | null };

export function Sql() {
  const { t } = useWords();
  const { query } = useRoute();
  const [sql, setSql] = useState(query.get("q") ?? EXAMPLES[0]?.sql ?? "");
  const [companions, setCompanions] = useState(query.get("companions") === "true");
  const [keep, setKeep] = useState(() => sessionStorage.getItem(KEPT) !== null);
  const [key, setKey] = useState(() => sessionStorage.getItem(KEPT) ?? "");
  const [outcome, setOutcome] = useState<Outcome>({ kind: "none" });
  const [schema, setSchema] = useState<Schema | null>(null);
  const session = useSession();
  const [saving, setSaving] = useState(false);
  const { saved, parameters, setParameters } = useEdited(query.get("question"), sql, (text) => {
    if (!query.get("q")) use(text);
    setSaving(true);
  });
  const saveButton = useRef<HTMLButtonElement>(null);
  const stop = useRef<AbortController | null>(null);
  const editor = useRef<Editor | null>(null);

  useEffect(() => {
    const control = new AbortController();
    readSchema(control.signal).then(setSchema, () => setSchema(NO_TABLES));
    return () => control.abort();
  }, []);
  useEffect(() => {
    if (keep && key) sessionStorage.setItem(KEPT, key);
    else sessionStorage.removeItem(KEPT);
  }, [keep, key]);

  // What an account was answered goes with it, and what it is about to be answered.
  const account = useRef<string | null>(null);
  useEffect(() => {
    const gone = account.current && account.current !== session?.name;
    if (gone) setOutcome((now) => ((now.kind === "answer" || now.kind === "cost") && now.as.account ? { kind: "none" } : now));
    account.current = session?.name ?? null;
  }, [session?.name]);

  const put = async (text: string, as: "answer" | "cost", asker: Asker) => {
    stop.current?.abort();
    const control = new AbortController();
    stop.current = control;
    const name = account.current;
    setOutcome({ kind: "asking" });
    try {
      const question = as === "cost" && !/^\s*explain\b/i.test(text) ? `explain ${text}` : text;
      const params = saving ? paramsOf(parameters.slice(0, holes(text))) : [];
      const response = await ask({ sql: question, params, companions: companions && as === "answer", ...asker }, "application/json", control.signal);
      const answer = (await response.json()) as Answer;
      if (asker.account && name && account.current !== name) setOutcome({ kind: "none" });
      else setOutcome({ kind: as, answer, sql: text, params, companions, as: asker });
    } catch (error) {
      if (control.signal.aborted) setOutcome({ kind: "none" });
      else setOutcome({ kind: "refused", problem: asProblem(error), sql: text, as: asker, name });
    }
  };
  const run = (as: "answer" | "cost") => {
    const text = editor.current?.text() ?? sql;
    go(changed({ q: text, companions: companions ? "true" : null }), true);
    void put(text, as, { key: key || null, account: true });
  };
  // A question that came by an address is put without key and account: nobody's share is spent by following a link.
  useEffect(() => {
    if (query.get("q") && !query.get("question")) void put(query.get("q") ?? "", "answer", NOBODY);
    return () => stop.current?.abort();
  }, []);

  const use = (text: string) => {
    setSql(text);
    editor.current?.set(text);
  };
  const insert = (text: string) => {
    if (editor.current) editor.current.insert(text);
    else setSql(`${sql} ${text}`);
  };
  const busy = outcome.kind === "asking";
  const maySave = session !== null && SAVES.includes(session.role);
  return (
    <article class="page">
      <div class="lede">
        <h1>{t("sql.title")}</h1>
        <p>{t("sql.lede")}</p>
      </div>
      <div class="workbench">
        <div class="bench">
          <div class="row examples">
            <span class="soft">{t("sql.examples")}:</span>
            {EXAMPLES.map((e) => <button type="button" class="action" key={e.name} onClick={() => use(e.sql)}>{t(e.name)}</button>)}
          </div>
          <QuestionEditor schema={schema} text={sql} changed={setSql} run={() => run("answer")} editor={editor} />
          <p class="soft small">{t("sql.editor.help")}</p>
          <div class="row">
            <button type="button" class="action primary" disabled={busy} onClick={() => run("answer")}>{busy ? t("sql.running") : t("sql.run")}</button>
            <button type="button" class="action" disabled={busy} onClick={() => run("cost")}>{t("sql.explain")}</button>
            {busy && <button type="button" class="action" onClick={() => stop.current?.abort()}>{t("sql.stop")}</button>}
            {maySave && <button type="button" class="action" ref={saveButton} aria-expanded={saving} onClick={() => setSaving(!saving)}>{t("sql.save")}</button>}
            <label class="check"><input type="checkbox" checked={companions} onChange={(event) => setCompanions(event.currentTarget.checked)} /> {t("sql.companions")}</label>
          </div>
          {session?.name && (
            <p class="soft small asker">{key ? t("sql.who.key") : t("sql.who", { name: session.name, role: t(`role.${session.role}` as Key) })}</p>
          )}
          <KeyField value={key} set={setKey} keep={keep} setKeep={setKeep} unset={session?.name ? "sql.key.account" : "sql.key.unset"} />
          {saving && maySave && (
            <SaveForm
              key={saved?.name ?? ""}
              sql={sql}
              parameters={parameters}
              setParameters={setParameters}
              saved={saved}
              session={session}
              close={() => {
                setSaving(false);
                saveButton.current?.focus();
              }}
            />
          )}
          <section class="outcome" aria-labelledby="outcome" aria-live="polite" aria-busy={busy}>
            <h2 id="outcome" class="rule">{t("sql.result")}</h2>
            {outcome.kind === "answer" && (
              <>
                <AnswerView answer={outcome.answer} key={outcome.sql} />
                <Downloads sql={outcome.sql} params={outcome.params} companions={outcome.companions} as={outcome.as} />
              </>
            )}
            {outcome.kind === "cost" && <Cost answer={outcome.answer} />}
            {outcome.kind === "refused" && (
              <Refusal problem={outcome.problem} sql={outcome.sql} use={use}>
                <Permission problem={outcome.problem} as={outcome.as} was={outcome.name} session={session} key_={key} again={() => run("answer")} />
              </Refusal>
            )}
          </section>
        </div>
        {schema ? <SchemaBrowser schema={schema} insert={insert} /> : <p class="loading">{t("word.loading")}</p>}
      </div>
    </article>
  );
}

/** The saved question that the address names, to be changed, and what stands for the `$1`, `$2`, … of the question as it is. */
function useEdited(name: string | null, sql: string, came: (sql: string) => void) {
  const [saved, setSaved] = useState<Saved | null>(null);
  const [known, setParameters] = useState<Parameter[]>([]);
  useEffect(() => {
    if (!name) return;
    const control = new AbortController();
    fetch(`/v1/questions/${encodeURIComponent(name)}`, { headers: { accept: "application/json" }, signal: control.signal })
      .then(async (response) => {
        if (!response.ok) return;
        const found = (await response.json()) as Saved;
        setSaved(found);
        setParameters(found.parameters);
        came(found.sql);
      })
      .catch(() => {});
    return () => control.abort();
  }, [name]);
  const parameters = Array.from({ length: Math.min(holes(sql), 12) }, (_, n) => known[n] ?? UNKNOWN);
  return { saved, parameters, setParameters };
}

interface Permitting {
  problem: Problem;
  /** Who asked, and the account that was signed in then. */
  as: Asker;
  was: string | null;
  session: Session | null;
  key_: string;
  again: () => void;
}

/** What a reader can do about a refusal that is about who asks. */
function Permission({ problem, as, was, session, key_, again }: Permitting) {
  const { t } = useWords();
  if (problem.code !== "key_needed" && problem.code !== "not_allowed") return null;
  const linked = !as.account && (session?.name || key_);
  if (linked) return <p>{t("sql.linked")} <button type="button" class="action primary" onClick={again}>{t("sql.linked.ask")}</button></p>;
  const over = was !== null && !session?.name;
  return <p>{t(over ? "sql.signin.over" : "sql.signin")} <a class="action primary" href={signInAddress()}>{t("site.signin")}</a></p>;
}

interface Writing {
  schema: Schema | null;
  text: string;
  changed: (text: string) => void;
  run: () => void;
  editor: { current: Editor | null };
}

/** A plain field at once, and the editor in its place when it is loaded. */
function QuestionEditor({ schema, text, changed, run, editor }: Writing) {
  const { t } = useWords();
  const host = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const [rich, setRich] = useState(false);
  const latest = useRef({ text, changed, run });
  latest.current = { text, changed, run };
  const label = t("sql.editor");
  useEffect(() => {
    let current = true;
    void import("../parts/editor").then(async (module) => {
      await task();
      if (!current || !host.current) return;
      editor.current = module.open({
        host: host.current,
        text: latest.current.text,
        // Who has begun to write goes on where she is.
        at: field.current && field.current === document.activeElement ? [field.current.selectionStart, field.current.selectionEnd] : null,
        label,
        changed: (to) => latest.current.changed(to),
        run: () => latest.current.run(),
      });
      setRich(true);
    });
    return () => {
      current = false;
      editor.current?.close();
      editor.current = null;
      setRich(false);
    };
  }, [label]);
  useEffect(() => {
    if (rich) editor.current?.complete(schema ?? NO_TABLES);
  }, [rich, schema]);
  return (
    <div class="editor" dir="ltr">
      {!rich && (
        <textarea
          ref={field}
          aria-label={label}
          rows={8}
          spellcheck={false}
          lang="en"
          value={text}
          onInput={(event) => changed(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
          }}
        />
      )}
      <div ref={host} />
    </div>
  );
}

interface Keeping {
  value: string;
  set: (key: string) => void;
  keep: boolean;
  setKeep: (keep: boolean) => void;
  unset: Key;
}

function KeyField({ value, set, keep, setKeep, unset }: Keeping) {
  const { t } = useWords();
  return (
    <details class="keyfield" open={Boolean(value)}>
      <summary>{t("sql.key")}: <span class="soft">{t(value ? "sql.key.set" : unset)}</span></summary>
      <div class="row">
        <input type="password" aria-label={t("sql.key")} autocomplete="off" value={value} onInput={(event) => set(event.currentTarget.value.trim())} />
        <label class="check"><input type="checkbox" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} /> {t("sql.key.keep")}</label>
        {value && <button type="button" class="action" onClick={() => { set(""); setKeep(false); }}>{t("sql.key.forget")}</button>}
      </div>
      <p class="soft small">{t("sql.key.note")}</p>
    </details>
  );
}

/** The whole answer as a file, asked for again in that form: the same question has the same answer, at no charge. */
function Downloads({ sql, params, companions, as }: { sql: string; params: Params; companions: boolean; as: Asker }) {
  const { t } = useWords();
  const save = async (accept: string, name: string, mark: string) => {
    const response = await ask({ sql, params, companions, ...as }, accept, new AbortController().signal);
    const url = URL.createObjectURL(new Blob([mark, await response.blob()], { type: accept }));
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <p class="row">
      <button type="button" class="action" onClick={() => void save("text/csv", "answer.csv", "\uFEFF")}>{t("sql.result.csv")}</button>
      <button type="button" class="action" onClick={() => void save("application/json", "answer.json", "")}>{t("sql.result.json")}</button>
      <Copy text={location.href} label={t("sql.result.share")} />
    </p>
  );
}
