// Beneath an indicator's numbers: what is hidden and why, how it is counted, what was revised, how to have it elsewhere.
import { useEffect, useState } from "preact/hooks";
import { get, useGet, type Data, type Definition, type Editions, type Grid } from "../lib/api";
import { cells, number, STATUSES, tally } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { mainMeasure } from "../lib/headline";
import { address, changed } from "../lib/route";
import { useWords } from "../lib/words";
import type { Key } from "../messages";
import { Copy } from "./copy";
import { with_ } from "./figure";
import { Scroll } from "./tables";
import { StatusMark } from "./value";

export function About({ definition, year, url, sql }: { definition: Definition; year: Data; url: string; sql: string }) {
  const { t } = useWords();
  return (
    <div class="beneath">
      <section aria-labelledby="hidden">
        <h2 id="hidden" class="rule">{t("indicator.hidden")}</h2>
        <Hidden definition={definition} year={year} />
      </section>
      <section aria-labelledby="definition">
        <h2 id="definition" class="rule">{t("indicator.definition")}</h2>
        <Rules definition={definition} />
      </section>
      <section aria-labelledby="revisions">
        <h2 id="revisions" class="rule">{t("indicator.revisions")}</h2>
        <Revisions definition={definition} />
      </section>
      <section aria-labelledby="access">
        <h2 id="access" class="rule">{t("indicator.access")}</h2>
        <Access definition={definition} url={url} sql={sql} />
      </section>
    </div>
  );
}

function Hidden({ definition, year }: { definition: Definition; year: Data }) {
  const words = useWords();
  const { t } = words;
  const all = cells(year);
  const counts = tally(all);
  const hidden = counts.get("Q") ?? 0;
  return (
    <>
      <p>
        {hidden ? t("suppressed.many", { n: number(hidden), all: number(all.length) }) : t("suppressed.none")}{" "}
        {hidden > 0 && <>{t("status.Q.why")} </>}
        <a href={address("/about")}>{t("suppressed.link")}</a>
      </p>
      <Scroll label={t("indicator.hidden.table")}>
        <table class="numbers narrow">
          <caption>{t("indicator.hidden.table")}</caption>
          <thead>
            <tr><th scope="col">{t("word.status")}</th><th scope="col">{t("quality.numbers")}</th><th scope="col"><span class="unseen">{t("legend.title")}</span></th></tr>
          </thead>
          <tbody>
            {STATUSES.filter((s) => counts.has(s)).map((s) => (
              <tr key={s}>
                <th scope="row">{s === "A" ? t("status.A") : <StatusMark status={s} />}</th>
                <td><bdi dir="ltr" class="n">{number(counts.get(s) ?? 0)}</bdi></td>
                <td class="why">{s === "A" || s === "K" || s === "W" ? "" : t(`status.${s}.why` as Key)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="soft small">{words.of(definition.legend.note)}</p>
    </>
  );
}

function Rules({ definition }: { definition: Definition }) {
  const words = useWords();
  const { t } = words;
  return (
    <dl class="rules">
      <div><dt>{t("indicator.counted")}</dt><dd>{words.of(definition.counting_rule)}</dd></div>
      <div><dt>{t("indicator.time")}</dt><dd>{words.of(definition.time_basis)}</dd></div>
      <div><dt>{t("indicator.unit")}</dt><dd>{t(`unit.${definition.unit}` as Key)}</dd></div>
      <div><dt>{t("indicator.agencies")}</dt><dd><bdi dir="ltr">{definition.agencies.join(", ")}</bdi></dd></div>
      <div><dt>{t("indicator.standard")}</dt><dd><bdi dir="ltr">{definition.standard.join(", ")}</bdi></dd></div>
      <div><dt>{t("indicator.sensitivity")}</dt><dd>{t(`indicator.sensitivity.${definition.sensitivity}` as Key)}</dd></div>
      <div><dt>{t("indicator.since")}</dt><dd>{definition.since}</dd></div>
    </dl>
  );
}

/** What earlier editions said: by the service's own list where it has one. */
function Revisions({ definition }: { definition: Definition }) {
  const words = useWords();
  const { t, period } = words;
  const { latest } = useEdition();
  const editions = useGet<Editions>("/v1/editions");
  const [listed, setListed] = useState<Grid | null>(null);
  const several = (latest?.edition ?? 0) > 1;
  useEffect(() => {
    if (!several) return;
    const filters = new URLSearchParams(definition.dimensions.map((d) => [d.name, "_T"]));
    get<Grid>(`/v1/indicators/${definition.id}/revisions?${filters}`).then(setListed, () => setListed(null));
  }, [definition, several]);
  if (!several) return <p>{t("indicator.revisions.first")}</p>;
  if (!listed) {
    return (
      <>
        <p>{t("indicator.revisions.off")}</p>
        <ul class="plain">
          {editions.state === "ready" && editions.value.editions.map((e) => (
            <li key={e.edition}><a href={changed({ edition: String(e.edition) })}>{t("site.edition", { edition: e.edition, date: e.as_of })}</a></li>
          ))}
        </ul>
      </>
    );
  }
  const at = (name: string) => listed.columns.findIndex((c) => c.name === name);
  const main = mainMeasure(definition.id, definition.measures);
  const rows = listed.rows.filter((r) => at("measure") < 0 || r[at("measure")] === main);
  const periods = [...new Set(rows.map((r) => String(r[at("time_period")])))].filter((p) => p !== "_X").sort().slice(-8).reverse();
  const numbers = [...new Set(rows.map((r) => Number(r[at("edition")])))].sort((a, b) => a - b);
  const value = (p: string, e: number) => {
    const row = rows.find((r) => r[at("time_period")] === p && Number(r[at("edition")]) === e);
    if (!row) return "·";
    const found = row[at("value")];
    return found === null || found === undefined ? t(`status.${String(row[at("obs_status")] ?? "Q")}` as Key) : number(Number(found));
  };
  return (
    <>
      <p>{t("indicator.revisions.note")}</p>
      <Scroll label={t("indicator.revisions")}>
        <table class="numbers">
          <caption class="unseen">{t("indicator.revisions")}</caption>
          <thead><tr><th scope="col">{t("word.period")}</th>{numbers.map((e) => <th scope="col" key={e}>{t("quality.edition")} {e}</th>)}</tr></thead>
          <tbody>{periods.map((p) => <tr key={p}><th scope="row">{period(p)}</th>{numbers.map((e) => <td key={e}>{value(p, e)}</td>)}</tr>)}</tbody>
        </table>
      </Scroll>
    </>
  );
}

function Access({ definition, url, sql }: { definition: Definition; url: string; sql: string }) {
  const { t } = useWords();
  const whole = `/v1/indicators/${definition.id}/data`;
  const full = location.origin + url;
  return (
    <div class="access">
      <h3>{t("indicator.access.url")}</h3>
      <pre dir="ltr" tabIndex={0}><code>{with_(full, "format=csv")}</code></pre>
      <p><Copy text={full} label={t("figure.url")} /></p>
      <h3>{t("indicator.access.sql")}</h3>
      <pre dir="ltr" tabIndex={0}><code>{sql}</code></pre>
      <p class="row">
        <Copy text={sql} label={t("figure.sql")} />
        <a class="action" href={address("/sql", { q: sql })}>{t("indicator.access.open")}</a>
      </p>
      <p>
        {t("indicator.access.all")}: <a href={`${whole}?format=csv`} download>{t("figure.csv")}</a>, <a href={whole} target="_blank" rel="noopener">{t("figure.json")}</a>
      </p>
    </div>
  );
}
