// One saved question: what it asks, its parameters, its answer, and how to have the same answer elsewhere. The values of the
// parameters are in the address, so that an answer can be shared.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { AnswerView, Refusal } from "../parts/answer";
import { Copy } from "../parts/copy";
import { Marks, parameterName, Said, useTexts } from "../parts/saved";
import { When } from "../parts/state";
import { asProblem, useGet, type Code, type Problem } from "../lib/api";
import type { Answer } from "../lib/ask";
import { lazy } from "../lib/lazy";
import { address, go, useRoute } from "../lib/route";
import { answerAt, answerUrl, asksRecords, sqlWith, turned, useOwn, valuesOf, type Parameter, type Saved, type Values } from "../lib/saved";
import { signInAddress, useSession, type Session } from "../lib/session";
import { useWords } from "../lib/words";

const Manage = lazy(() => import("../parts/save").then((m) => m.Manage));

export function Question({ id }: { id: string }) {
  const loaded = useOwn<Saved>(`/v1/questions/${id}`);
  if (loaded.state === "failed" && loaded.problem.status === 404) return <None name={id} />;
  return <When loaded={loaded} height={900}>{(saved) => <Whole saved={saved} />}</When>;
}

function None({ name }: { name: string }) {
  const { t } = useWords();
  const say = useTexts();
  const session = useSession();
  return (
    <div class="page lede">
      <h1>{say("one.missing.title", { name })}</h1>
      <p>{say("one.missing")}</p>
      <p class="row">
        {session && !session.name && <a class="action primary" href={signInAddress()}>{t("site.signin")}</a>}
        <a class="action" href={address("/questions")}>{say("one.all")}</a>
      </p>
    </div>
  );
}

function Whole({ saved }: { saved: Saved }) {
  const say = useTexts();
  const { query } = useRoute();
  // Who reads decides what is asked of the records; elsewhere the answer comes first.
  const session = useSession(!asksRecords(saved));
  const values = valuesOf(saved, query);
  const companions = query.get("companions") === "true";
  const url = answerUrl(saved, values, companions);
  const { outcome, put } = useAnswer(saved, url, session);
  const isOwn = saved.owner !== null && (session?.role === "steward" || (session?.role === "analyst" && session.name === saved.owner));
  const submit = (to: Values, more: boolean) => {
    go(turned(saved, to, more), true);
    put(answerUrl(saved, to, more));
  };
  return (
    <article class="page">
      <div class="lede">
        <p class="kicker"><a href={address("/questions")}>{say("one.kicker")}</a></p>
        <h1><Said text={saved.title} /></h1>
        {saved.description.en && <p><Said text={saved.description} /></p>}
      </div>
      <Marks saved={saved} />
      {isOwn && <Manage saved={saved} />}
      <Parameters saved={saved} values={values} companions={companions} busy={outcome.kind === "asking"} submit={submit} />
      <Outcome saved={saved} values={values} outcome={outcome} session={session} />
      <Access saved={saved} values={values} companions={companions} />
    </article>
  );
}

type Outcome =
  | { kind: "none" }
  | { kind: "asking" }
  /** It would be asked with the reader's account, and is not until the reader says so. */
  | { kind: "offered" }
  | { kind: "answer"; answer: Answer; companions: boolean }
  | { kind: "refused"; problem: Problem };

/** The answer of the address: by itself where nobody is charged for it, else when the reader says so. */
function useAnswer(saved: Saved, url: string, session: Session | null): { outcome: Outcome; put: (url: string) => void } {
  const [outcome, setOutcome] = useState<Outcome>({ kind: "none" });
  const stop = useRef<AbortController | null>(null);
  const pressed = useRef<string | null>(null);
  const records = asksRecords(saved);
  const ask = async (at: string, account: boolean) => {
    stop.current?.abort();
    const control = new AbortController();
    stop.current = control;
    setOutcome({ kind: "asking" });
    try {
      const answer = await answerAt(at, account, control.signal);
      setOutcome({ kind: "answer", answer, companions: at.includes("companions=true") });
    } catch (error) {
      if (!control.signal.aborted) setOutcome({ kind: "refused", problem: asProblem(error) });
    }
  };
  const who = session?.name ?? null;
  // What the records answered goes with the account that asked.
  const of = records ? `${session !== null} ${who}` : "";
  useEffect(() => {
    if (pressed.current === `${of} ${url}`) return;
    pressed.current = null;
    stop.current?.abort();
    if (!records) void ask(url, true);
    else if (who) setOutcome({ kind: "offered" });
    else if (session) void ask(url, false);
  }, [url, of]);
  useEffect(() => () => stop.current?.abort(), []);
  const put = (at: string) => {
    pressed.current = `${of} ${at}`;
    void ask(at, true);
  };
  return { outcome, put };
}

interface Asking {
  saved: Saved;
  values: Values;
  companions: boolean;
  busy: boolean;
  submit: (values: Values, companions: boolean) => void;
}

/** The parameters, as the address has them until they are sent. */
function Parameters({ saved, values, companions, busy, submit }: Asking) {
  const { t, lang } = useWords();
  const say = useTexts();
  const [now, setNow] = useState(values);
  const [more, setMore] = useState(companions);
  useEffect(() => {
    setNow(values);
    setMore(companions);
  }, [answerUrl(saved, values, companions)]);
  const records = asksRecords(saved);
  const moved = companions || saved.parameters.some((p) => values[p.name] !== p.default);
  if (!saved.parameters.length && !records) return null;
  return (
    <form
      class="controls asks"
      aria-label={say("one.parameters")}
      onSubmit={(event) => {
        event.preventDefault();
        submit(now, more);
      }}
    >
      {saved.parameters.map((p) => <Choice key={p.name} parameter={p} value={now[p.name] ?? ""} set={(value) => setNow({ ...now, [p.name]: value })} />)}
      {records && (
        <label class="check"><input type="checkbox" checked={more} onChange={(event) => setMore(event.currentTarget.checked)} /> {t("sql.companions")}</label>
      )}
      <button type="submit" class="action primary" disabled={busy}>{busy ? t("sql.running") : t("sql.run")}</button>
      {moved && <a class="action" href={location.pathname + (lang === "ur" ? "?lang=ur" : "")}>{t("indicator.reset")}</a>}
    </form>
  );
}

interface Chosen {
  parameter: Parameter;
  value: string;
  set: (value: string) => void;
}

function Choice({ parameter, value, set }: Chosen) {
  const words = useWords();
  const say = useTexts();
  const id = useId();
  const name = parameterName(parameter, say, words);
  const foreign = words.lang === "ur" && name === parameter.description;
  return (
    <div class="choice">
      <label for={id}>{foreign ? <bdi lang="en">{name}</bdi> : name}</label>
      <Entry id={id} parameter={parameter} value={value} set={set} />
    </div>
  );
}

function Entry({ id, parameter, value, set }: Chosen & { id: string }) {
  const say = useTexts();
  const { type, code_list: list } = parameter;
  if (list) return <Listed id={id} list={list} parameter={parameter} value={value} set={set} />;
  if (type === "boolean") {
    return (
      <select id={id} value={value} onChange={(event) => set(event.currentTarget.value)}>
        {(["true", "false"] as const).map((one) => <option key={one} value={one}>{say(`one.${one}`)}</option>)}
      </select>
    );
  }
  if (type === "text") return <input id={id} type="text" dir="auto" maxLength={200} required value={value} onInput={(event) => set(event.currentTarget.value)} />;
  return <input id={id} type="number" dir="ltr" step={type === "integer" ? 1 : "any"} required value={value} onInput={(event) => set(event.currentTarget.value)} />;
}

/** The codes of a list by their names, and what is not in it: the total where it is the default, and what the address says. */
function Listed({ id, list, parameter, value, set }: Chosen & { id: string; list: string }) {
  const words = useWords();
  const found = useGet<{ codes: Code[] }>(`/v1/code-lists/${encodeURIComponent(list)}`);
  const codes = found.state === "ready" ? found.value.codes.map((code) => ({ code: code.code, name: words.of(code) })) : [];
  const others = [...new Set([parameter.default, value])].filter((code) => code !== "" && !codes.some((c) => c.code === code));
  const name = (code: string) => (code === "_T" ? words.t("word.all") : code);
  return (
    <select id={id} value={value} onChange={(event) => set(event.currentTarget.value)}>
      {[...others.map((code) => ({ code, name: name(code) })), ...codes].map((c) => <option key={c.code} value={c.code}>{c.name}</option>)}
    </select>
  );
}

interface Answered {
  saved: Saved;
  values: Values;
  outcome: Outcome;
  session: Session | null;
}

function Outcome({ saved, values, outcome, session }: Answered) {
  const words = useWords();
  const { t } = words;
  const say = useTexts();
  const busy = outcome.kind === "asking";
  // What is there stays while the next is on its way, so that nothing jumps.
  const before = useRef<Outcome & { kind: "answer" } | null>(null);
  if (outcome.kind === "answer") before.current = outcome;
  else if (!busy) before.current = null;
  const shown = before.current;
  return (
    <section class="outcome" aria-labelledby="outcome" aria-live="polite" aria-busy={busy}>
      <h2 id="outcome" class="rule">{t("sql.result")}</h2>
      {saved.parameters.length > 0 && (
        <p class="printed">{saved.parameters.map((p) => `${parameterName(p, say, words)}: ${values[p.name] === "_T" ? t("word.all") : values[p.name]}`).join(" · ")}</p>
      )}
      {busy && !shown && <p class="loading">{t("sql.running")}</p>}
      {shown && (
        <>
          <AnswerView answer={shown.answer} />
          <Downloads saved={saved} values={values} companions={shown.companions} />
        </>
      )}
      {outcome.kind === "offered" && <p class="note">{say("one.offer")}</p>}
      {outcome.kind === "refused" && (
        <Refusal problem={outcome.problem} sql={saved.sql} use={(sql) => go(address("/sql", { q: sql }))}>
          {["key_needed", "not_allowed"].includes(outcome.problem.code) && (
            <p>{t("sql.signin")} <a class="action primary" href={signInAddress()}>{t("site.signin")}</a></p>
          )}
          {outcome.problem.status === 0 && <p>{t("error.network")}</p>}
        </Refusal>
      )}
      {session === null && outcome.kind === "none" && <p class="loading">{t("word.loading")}</p>}
    </section>
  );
}

/** The whole answer as files. */
function Downloads({ saved, values, companions }: { saved: Saved; values: Values; companions: boolean }) {
  const { t } = useWords();
  const say = useTexts();
  const at = (more: Record<string, string>) => answerUrl(saved, values, companions, more);
  return (
    <p class="row acts">
      <a class="action" href={at({ format: "csv", bom: "true" })} download={`${saved.name}.csv`}>{t("sql.result.csv")}</a>
      <a class="action" href={at({ format: "json" })} download={`${saved.name}.json`}>{t("sql.result.json")}</a>
      <a class="action" href={at({ format: "parquet" })} download={`${saved.name}.parquet`}>{say("one.parquet")}</a>
      <Copy text={location.href} label={say("one.share")} />
    </p>
  );
}

/** How to have the same answer elsewhere: by the address of its data, and as a question in SQL. */
function Access({ saved, values, companions }: { saved: Saved; values: Values; companions: boolean }) {
  const { t } = useWords();
  const say = useTexts();
  const url = location.origin + answerUrl(saved, values, companions, { format: "csv" });
  const sql = sqlWith(saved, values);
  return (
    <section class="access beneath" aria-labelledby="access">
      <h2 id="access" class="rule">{say("one.access")}</h2>
      <h3>{t("indicator.access.url")}</h3>
      <pre dir="ltr" tabIndex={0}><code>{url}</code></pre>
      <p class="soft small">
        {say("one.url.edition")}
        {(asksRecords(saved) || saved.audience === "readers") && <> {say("one.url.key")}</>}
      </p>
      <p><Copy text={url} label={t("figure.url")} /></p>
      <h3>{t("indicator.access.sql")}</h3>
      <pre dir="ltr" tabIndex={0}><code>{sql}</code></pre>
      <p class="row">
        <Copy text={sql} label={t("figure.sql")} />
        <a class="action" href={address("/sql", { q: sql, companions: companions ? "true" : null })}>{t("indicator.access.open")}</a>
      </p>
    </section>
  );
}
