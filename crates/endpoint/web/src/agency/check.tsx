// A file is checked before it is sent; what is wrong comes back as a workbook to put right. And the templates from which such files are made.
import { useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "../lib/api";
import { Scroll } from "../parts/tables";
import { ask, download, type Own, type RefusedLine } from "./api";
import { Failed } from "./door";
import { useSay } from "./texts";

interface Verdict {
  events: number;
  valid: number;
  results: RefusedLine[];
}

interface Sent {
  receipt: string;
  accepted: number;
  refused: number;
}

/** Lines that are shown; a workbook has all of them. */
const SHOWN = 50;

export function Check({ own, sent }: { own: Own; sent: () => void }) {
  const say = useSay();
  const [file, setFile] = useState<File | null>(null);
  const [mapping, setMapping] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [answer, setAnswer] = useState<Sent | null>(null);
  // A file that is sent twice by a double click is one request.
  const once = useRef("");
  const rows = file !== null && !/\.(nd)?jsonl?$/i.test(file.name);
  const by = mapping || own.mappings[0] || "";
  const request = (path: string, more: Record<string, string> = {}) =>
    ask(rows ? `${path}?mapping=${encodeURIComponent(by)}` : path, { method: "POST", headers: { "content-type": rows ? "text/csv" : "application/x-ndjson", ...more }, body: file });
  const work = async (step: () => Promise<void>) => {
    if (busy || !file) return;
    setBusy(true);
    setProblem(null);
    try {
      await step();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const check = () =>
    work(async () => {
      setAnswer(null);
      once.current = crypto.randomUUID();
      setVerdict((await (await request("/v1/validate")).json()) as Verdict);
    });
  const send = () =>
    work(async () => {
      setAnswer((await (await request("/v1/events", { "idempotency-key": once.current })).json()) as Sent);
      setVerdict(null);
      sent();
    });
  const corrections = () =>
    work(async () => {
      const response = await request("/v1/corrections");
      if (response.status === 200) download("corrections.xlsx", await response.blob());
    });
  return (
    <section aria-labelledby="check">
      <h2 class="rule" id="check">{say("check")}</h2>
      <p>{say("check.lede")}</p>
      <div class="form" aria-busy={busy}>
        <div class="field">
          <label for="file">{say("check.file")}</label>
          <input
            id="file"
            type="file"
            accept=".csv,.ndjson,.jsonl,.json"
            onChange={(event) => {
              setFile(event.currentTarget.files?.[0] ?? null);
              setVerdict(null);
              setAnswer(null);
              setProblem(null);
            }}
          />
        </div>
        {rows && own.mappings.length > 0 && (
          <div class="field">
            <label for="mapping">{say("check.mapping")}</label>
            <select id="mapping" dir="ltr" value={by} onChange={(event) => setMapping(event.currentTarget.value)}>
              {own.mappings.map((name) => <option value={name} key={name}>{name}</option>)}
            </select>
          </div>
        )}
        {rows && own.mappings.length === 0 && <p class="note">{say("check.nomapping")}</p>}
        <div class="row">
          <button type="button" class="action primary" disabled={busy || !file || (rows && !by)} onClick={() => void check()}>{say("check.do")}</button>
          {verdict !== null && verdict.valid > 0 && <button type="button" class="action" disabled={busy} onClick={() => void send()}>{say("check.send", { n: verdict.valid })}</button>}
        </div>
        <p role="status">
          {busy && say("check.busy")}
          {!busy && verdict && say("check.found", { valid: verdict.valid, events: verdict.events })}
          {!busy && answer && say("check.sent", { accepted: answer.accepted, refused: answer.refused, receipt: answer.receipt.slice(0, 8) })}
        </p>
      </div>
      {problem && <Failed problem={problem} />}
      {verdict && verdict.results.length > 0 && (
        <>
          <Wrong lines={verdict.results} />
          {rows && <p><button type="button" class="action" disabled={busy} onClick={() => void corrections()}>{say("check.corrections")}</button></p>}
        </>
      )}
    </section>
  );
}

function Wrong({ lines }: { lines: RefusedLine[] }) {
  const say = useSay();
  return (
    <Scroll label={say("why")}>
      <table class="numbers lines">
        <caption class="unseen">{say("why")}</caption>
        <thead>
          <tr>
            <th scope="col">{say("line")}</th>
            <th scope="col">{say("why")}</th>
          </tr>
        </thead>
        <tbody>
          {lines.slice(0, SHOWN).map(({ line, problem }) => (
            <tr key={line}>
              <th scope="row">{line}</th>
              <td lang="en" dir="ltr" class="words">
                {problem.mistakes.length === 0 ? problem.title : problem.mistakes.map((m) => <div key={m.place + m.expected}><code>{m.place}</code>: {m.expected}</div>)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {lines.length > SHOWN && <p class="soft">{say("check.more", { n: lines.length - SHOWN })}</p>}
    </Scroll>
  );
}

export function Templates({ own, placed }: { own: Own; placed: () => void }) {
  const say = useSay();
  const [kind, setKind] = useState(own.templates[0] ?? "");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [done, setDone] = useState("");
  if (own.templates.length === 0) return <section aria-labelledby="templates"><h2 class="rule" id="templates">{say("templates")}</h2><p class="soft">{say("nothing")}</p></section>;
  const fetched = async (file: string) => (await ask(`/v1/templates/${kind}/${file}`)).blob();
  const attempt = async (step: () => Promise<void>) => {
    setProblem(null);
    setDone("");
    try {
      await step();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const get = (file: string, name: string) => attempt(async () => download(name, await fetched(file)));
  const use = () =>
    attempt(async () => {
      const body = await (await fetched("rows.mapping.toml")).text();
      await ask(`/v1/mappings/${kind}`, { method: "PUT", headers: { "content-type": "application/toml" }, body });
      setDone(kind);
      placed();
    });
  return (
    <section aria-labelledby="templates">
      <h2 class="rule" id="templates">{say("templates")}</h2>
      <p>{say("templates.lede")}</p>
      <div class="form">
        <div class="field">
          <label for="kind">{say("templates.kind")}</label>
          <select id="kind" dir="ltr" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            {own.templates.map((name) => <option value={name} key={name}>{name}</option>)}
          </select>
        </div>
        <div class="row">
          <button type="button" class="action primary" onClick={() => void get("rows.xlsx", `${kind}.xlsx`)}>{say("templates.xlsx")}</button>
          <button type="button" class="action" onClick={() => void get("rows.columns.toml", `${kind}.columns.toml`)}>{say("templates.columns")}</button>
          <button type="button" class="action" onClick={() => void use()}>{say("templates.use")}</button>
        </div>
        <p role="status">{done && say("templates.used", { name: done })}</p>
        {problem && <Failed problem={problem} />}
      </div>
    </section>
  );
}
