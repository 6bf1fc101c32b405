// What a question got: an answer as table and chart, what it would cost, or a refusal that says what to ask instead.
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Chart, Key } from "../charts/Chart";
import type { Mark, Spec } from "../charts/spec";
import { useGet, type Cell, type Problem } from "../lib/api";
import type { Answer } from "../lib/ask";
import { isFiscal, isQuarter, isYear, moment, number } from "../lib/cells";
import { useWords, type Words } from "../lib/words";
import { Scroll } from "./tables";

/** Rows that a table shows; a download has all. */
const SHOWN = 500;

export function AnswerView({ answer }: { answer: Answer }) {
  const words = useWords();
  const { t } = words;
  const [asChart, setAsChart] = useState(false);
  const spec = useMemo(() => (asChart ? chartOf(answer, words) : null), [asChart, answer, words]);
  const rows = answer.rows.slice(0, SHOWN);
  return (
    <div>
      <div class="row tabs" role="group" aria-label={t("sql.result")}>
        <button type="button" class="action" aria-pressed={!asChart} onClick={() => setAsChart(false)}>{t("sql.result.table")}</button>
        <button type="button" class="action" aria-pressed={asChart} onClick={() => setAsChart(true)}>{t("sql.result.chart")}</button>
        <span class="soft">{t("sql.result.rows", { n: number(answer.row_count), edition: answer.edition ?? "–" })}</span>
      </div>
      {answer.notes?.map((note, n) => <p class="note" key={n} lang="en" dir="ltr">{[note.code, note.detail ?? note.message, note.hint].filter(Boolean).join(" ")}</p>)}
      {asChart && (spec ? <><p class="figure-unit" dir="ltr"><code>{spec.unit}</code></p><Chart spec={spec} label={t("sql.result.chart")} /><Key spec={spec} /></> : <p class="nochart">{t("sql.result.nochart")}</p>)}
      {!asChart && (
        <>
          {answer.row_count > SHOWN && <p>{t("sql.result.shown", { n: SHOWN, all: number(answer.row_count) })}</p>}
          <Scroll label={t("sql.result")}>
            <table class="numbers" dir="ltr">
              <caption class="unseen">{t("sql.result")}</caption>
              <thead>
                <tr>{answer.columns.map((c, m) => <th scope="col" key={c.name} class={rows.some((row) => typeof row[m] === "number") ? "num" : ""}>{c.name}<span class="type">{c.type}</span></th>)}</tr>
              </thead>
              <tbody>
                {rows.map((row, n) => <tr key={n}>{row.map((cell, m) => <td key={m} class={typeof cell === "number" ? "n num" : ""}>{text(cell, answer.columns[m]?.name ?? "")}</td>)}</tr>)}
              </tbody>
            </table>
          </Scroll>
          {rows.some((row) => row.includes(null)) && <p class="soft small"><span class="null">NULL</span> {t("sql.result.null")}</p>}
        </>
      )}
    </div>
  );
}

/** Numbers that name something and count nothing: they are written as they are. */
const NAMES = /(^|_)(year|edition)$/;

function text(cell: Cell, column: string) {
  if (cell === null) return <span class="null">NULL</span>;
  return typeof cell === "number" && !NAMES.test(column) ? number(cell) : String(cell);
}

/** A chart of an answer: a column of periods makes lines, one of texts makes categories; companions make the intervals. */
function chartOf(answer: Answer, words: Words): Spec | null {
  const values = answer.columns.map((c, n) => ({ ...c, n, of: answer.rows.map((r) => r[n] ?? null) }));
  const companion = /(_lo95|_hi95|_bias|_status)$|^(lo95|hi95|obs_status|conf_status|as_of|edition)$/;
  const numeric = values.filter((c) => c.of.some((v) => typeof v === "number") && !companion.test(c.name) && !/^(year|month)$/.test(c.name));
  const value = numeric.find((c) => c.name === "value") ?? numeric[0];
  const isTime = (v: Cell) => v === null || isYear(String(v)) || isQuarter(String(v)) || isFiscal(String(v));
  const texts = values.filter((c) => c !== value && !companion.test(c.name) && (c.of.some((v) => typeof v === "string") || c.name === "year"));
  const time = texts.find((c) => c.of.every(isTime));
  const x = time ?? texts[0];
  if (!value || !x || x.of.every((v) => v === null)) return null;
  const series = time ? texts.find((c) => c !== time && new Set(c.of).size <= 24) : undefined;
  const column = (name: string) => values.find((c) => c.name === `${value.name}_${name}` || (value.name === "value" && c.name === name));
  const [lo, hi] = [column("lo95"), column("hi95")];
  // A total over all periods has no place in time.
  const placed = time ? answer.rows.filter((row) => row[time.n] !== null) : answer.rows;
  const marks: Mark[] = placed.slice(0, time ? 2000 : 40).map((row) => {
    const at = (c: { n: number } | undefined) => (c && typeof row[c.n] === "number" ? (row[c.n] as number) : null);
    const label = String(row[x.n] ?? "NULL");
    const shown = at(value);
    return {
      series: series ? String(row[series.n]) : value.name,
      x: time ? moment(label) : label,
      label,
      value: shown,
      lo: at(lo),
      hi: at(hi),
      look: shown === null ? "hidden" : "solid",
      broken: false,
      said: shown === null ? words.t("status.Q") : "",
    };
  });
  if (time) marks.sort((a, b) => (a.series < b.series ? -1 : a.series > b.series ? 1 : Number(a.x) - Number(b.x)));
  const names = [...new Set(marks.map((m) => m.series))];
  const kind = !time ? (lo ? "intervals" : "bars") : names.length > 4 ? "multiples" : "lines";
  return { kind, marks, unit: value.name, series: names, percent: false };
}

interface Measured {
  measure: string;
  grid: string;
  floor: number;
  half_width_95: number;
  free: boolean;
}

interface Quote {
  questions?: { dataset: string; by: { level: string }[]; cells: number; measures: Measured[] }[];
}

/** What a question would ask of the records, as EXPLAIN says it. */
export function Cost({ answer }: { answer: Answer }) {
  const { t } = useWords();
  let quote: Quote = {};
  try {
    quote = JSON.parse(String(answer.rows[0]?.[0] ?? "{}")) as Quote;
  } catch {
    return <AnswerView answer={answer} />;
  }
  const asked = (quote.questions ?? []).flatMap((q) => q.measures.map((m) => ({ ...q, m })));
  if (!asked.length) return <p>{t("sql.cost.none")}</p>;
  return (
    <Scroll label={t("sql.cost.title")}>
      <table class="numbers">
        <caption>{t("sql.cost.title")}</caption>
        <thead>
          <tr>
            {(["sql.cost.dataset", "sql.cost.by", "sql.cost.cells", "sql.cost.floor", "sql.cost.width", "sql.cost.price"] as const).map((key) => <th scope="col" key={key}>{t(key)}</th>)}
          </tr>
        </thead>
        <tbody>
          {asked.map((q, n) => (
            <tr key={n}>
              <th scope="row"><code>{q.dataset}</code> {q.m.measure !== "units" && <code>{q.m.measure}</code>}</th>
              <td><code>{q.by.map((b) => b.level).join(", ") || "–"}</code></td>
              <td class="n">{q.cells}</td>
              <td class="n">{q.m.floor}</td>
              <td class="n">{q.m.half_width_95}</td>
              <td>{q.m.free ? t("sql.cost.free") : t("sql.cost.charge")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

interface Meaning {
  meaning?: string;
  advice?: string;
  rewrites?: { refused: string; instead: string }[];
}

/** A refusal: where, why, what to ask instead, and an example that can be taken over. */
interface Refused {
  problem: Problem;
  sql: string;
  use: (sql: string) => void;
  /** What can be done about it beside asking otherwise. */
  children?: ComponentChildren;
}

export function Refusal({ problem, sql, use, children }: Refused) {
  const { t } = useWords();
  const line = problem.place ? sql.split("\n")[problem.place.line - 1] : undefined;
  return (
    <div class="refusal" role="alert">
      <p class="refusal-head"><strong>{t("sql.refused")}</strong> {problem.code && <code>{problem.code}</code>} <span lang="en" dir="ltr">{problem.title}</span></p>
      <p lang="en" dir="ltr">{problem.detail}</p>
      {children}
      {problem.place && line !== undefined && (
        <>
          <p class="soft small">{t("sql.refused.at", problem.place)}</p>
          <pre dir="ltr" class="place">{line}{"\n"}{" ".repeat(Math.max(0, problem.place.column - 1))}^</pre>
        </>
      )}
      {problem.hint && (
        <>
          <h3>{t("sql.refused.hint")}</h3>
          <p lang="en" dir="ltr" class="hint">{problem.hint}</p>
        </>
      )}
      {problem.code && <Lesson code={problem.code} use={use} />}
    </div>
  );
}

function Lesson({ code, use }: { code: string; use: (sql: string) => void }) {
  const { t } = useWords();
  const meaning = useGet<Meaning>(`/problems/${code}`);
  if (meaning.state !== "ready") return null;
  const example = meaning.value.rewrites?.[0];
  return (
    <details class="lesson" open={Boolean(example)}>
      <summary>{t("sql.refused.more", { code })}</summary>
      <p lang="en" dir="ltr">{meaning.value.meaning} {meaning.value.advice}</p>
      {example && (
        <div class="rewrites">
          <div><p class="small"><strong>{t("sql.refused.was")}</strong></p><pre dir="ltr" tabIndex={0}>{example.refused}</pre></div>
          <div>
            <p class="small"><strong>{t("sql.refused.instead")}</strong></p>
            <pre dir="ltr" tabIndex={0}>{example.instead}</pre>
            <button type="button" class="action" onClick={() => use(example.instead)}>{t("sql.refused.use")}</button>
          </div>
        </div>
      )}
    </details>
  );
}
