// What waits for the steward: events with several contents, persons who may be one, and her word on each.
import { useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "../parts/entry";
import { Trouble } from "../parts/state";
import { ForSteward } from "../parts/steward";
import { Scroll } from "../parts/tables";
import { asProblem, problemOf, type Loaded, type Problem } from "../lib/api";
import { useAlerts } from "../lib/feeds";
import { address } from "../lib/route";
import { renewed, send } from "../lib/session";
import { filled, useWords } from "../lib/words";
import { texts, type QueueKey } from "../messages-queue";
import "../style/queue.css";

interface Conflict {
  agency: string;
  event_id: string;
  contents: { row: string; type: string; read_at: string; counts: boolean }[];
  differs: { field: string; said: (string | null)[] | null }[];
  because: "least" | "decided_for_absent";
}

interface Pair {
  person: string;
  other: string;
  confidence_per_mille: number;
  because: string;
}

interface Said {
  person: string;
  other: string;
  are_one: boolean;
}

interface Waiting {
  conflicts: Conflict[];
  conflicts_in_all: number;
  links: Pair[];
  links_in_all: number;
  links_as_of: string | null;
  links_problem: "words_contradict" | "failed" | null;
  is_comparing: boolean;
  said: Said[];
}

type Word = "yes" | "no" | "withdraw";
/** What was said on this page, by what it is about. */
type Words = Record<string, string>;

/** How long until it is looked again whether a word was read, or a comparison is done; and how often at most. */
const AGAIN_MS = 3000;
const TRIES = 40;

function useSay() {
  const { lang } = useWords();
  return (key: QueueKey, values?: Record<string, string | number>) => filled(texts[key], lang, values);
}

/** The beginning of an id: enough to tell those on one page apart. */
const short = (id: string) => `${id.slice(0, 8)}…`;
const keyOf = (pair: { person: string; other: string }) => [pair.person, pair.other].sort().join(" ");
/** A place in the log without the id of the log. */
const placeOf = (row: string) => row.slice(row.indexOf("/") + 1);
/** A time to the minute, UTC. */
const minute = (time: string) => `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;

export function Queue() {
  const { t } = useWords();
  const say = useSay();
  return (
    <ForSteward title={t("nav.queue")} lede={say("queue.lede")}>
      {(session) => (
        <>
          <ToFeeds account={session.name ?? ""} />
          <Everything key={session.name} />
        </>
      )}
    </ForSteward>
  );
}

/** The other page of the steward, and how many feeds need her there. */
function ToFeeds({ account }: { account: string }) {
  const { t } = useWords();
  const say = useSay();
  const alerts = useAlerts(account);
  return (
    <p>
      <a href={address("/feeds")}>{say("queue.feeds")}</a>
      {alerts !== null && alerts > 0 && <> ({t("nav.feeds.alerts", { n: alerts })})</>}
    </p>
  );
}

async function waiting(): Promise<Waiting> {
  const response = await fetch("/v1/queue", { headers: { accept: "application/json" }, cache: "no-store" });
  if (response.ok) return (await response.json()) as Waiting;
  const problem = await problemOf(response);
  // The session is over: the page says who may see this.
  if (problem.code === "key_needed") void renewed();
  throw problem;
}

function Everything() {
  const { t } = useWords();
  const say = useSay();
  const [queue, setQueue] = useState<Loaded<Waiting>>({ state: "loading" });
  const [words, setWords] = useState<Words>({});
  const [last, setLast] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const tries = useRef(0);
  const read = () =>
    waiting().then(
      (value) => setQueue({ state: "ready", value }),
      // What is shown stays while one look fails.
      (error) => setQueue((before) => (before.state === "ready" ? before : { state: "failed", problem: asProblem(error) })),
    );
  useEffect(() => void read(), []);
  useEffect(() => {
    if (queue.state !== "ready" || tries.current >= TRIES) return;
    const isUnread = queue.value.conflicts.some((conflict) => conflict.event_id in words);
    if (!queue.value.is_comparing && !isUnread) return;
    const timer = setTimeout(() => {
      tries.current += 1;
      void read();
    }, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [queue, words]);

  const decide = async (path: string, body: unknown, about: string, told: string) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    setLast("");
    try {
      await send("POST", path, body);
      tries.current = 0;
      setWords({ ...words, [about]: told });
      setLast(told);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const counts = (conflict: Conflict, at: number) => {
    const { agency, event_id, contents } = conflict;
    void decide("/v1/queue/conflicts", { agency, event_id, row: contents[at]?.row }, event_id, say("conflicts.said", { n: at + 1 }));
  };
  const persons = (pair: { person: string; other: string }, are_one: Word) => {
    const { person, other } = pair;
    void decide("/v1/queue/links", { person, other, are_one }, keyOf(pair), say("links.said", { person: short(person), other: short(other) }));
  };
  return (
    <>
      <p class="soft small">{say("queue.nobody")}</p>
      <p role="status" class="queue-said">{last}</p>
      {problem && <Refused problem={problem} />}
      {queue.state === "loading" && <p class="loading" role="status">{t("word.loading")}</p>}
      {queue.state === "failed" && <Trouble problem={queue.problem} />}
      {queue.state === "ready" && (
        <>
          <Conflicts queue={queue.value} words={words} busy={busy} counts={counts} />
          <Links queue={queue.value} words={words} busy={busy} persons={persons} />
          <Decided queue={queue.value} words={words} busy={busy} persons={persons} />
        </>
      )}
    </>
  );
}

function More({ shown, all }: { shown: number; all: number }) {
  const say = useSay();
  return all > shown ? <p class="soft small">{say("queue.more", { shown, all })}</p> : null;
}

interface ConflictsProps {
  queue: Waiting;
  words: Words;
  busy: boolean;
  counts: (conflict: Conflict, at: number) => void;
}

function Conflicts({ queue, words, busy, counts }: ConflictsProps) {
  const say = useSay();
  return (
    <section>
      <h2 class="rule">{say("conflicts.title")}</h2>
      <p>{say("conflicts.lede")}</p>
      {queue.conflicts.length === 0 && <p>{say("conflicts.none")}</p>}
      {queue.conflicts.map((conflict) => (
        <One conflict={conflict} said={words[conflict.event_id]} busy={busy} counts={counts} key={`${conflict.agency} ${conflict.event_id}`} />
      ))}
      <More shown={queue.conflicts.length} all={queue.conflicts_in_all} />
    </section>
  );
}

/** An event with its contents side by side. */
function One({ conflict, said, busy, counts }: { conflict: Conflict; said: string | undefined; busy: boolean; counts: ConflictsProps["counts"] }) {
  const say = useSay();
  const { agency, event_id, contents, differs, because } = conflict;
  const title = say("conflicts.of", { agency, id: event_id });
  return (
    <section class="conflict">
      <h3><bdi dir="ltr">{agency}</bdi> <code dir="ltr">{event_id}</code></h3>
      <p class="soft small">{say(`conflicts.because.${because}`)}</p>
      <Scroll label={title}>
        <table>
          <caption class="unseen">{title}</caption>
          <thead>
            <tr>
              <th scope="col">{say("conflicts.field")}</th>
              {contents.map((content, at) => <th scope="col" key={content.row}>{say("conflicts.content", { n: at + 1 })}</th>)}
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">{say("conflicts.now")}</th>
              {contents.map((content) => <td key={content.row}>{content.counts ? <strong>{say("conflicts.yes")}</strong> : say("conflicts.no")}</td>)}
            </tr>
            <tr>
              <th scope="row">{say("conflicts.type")}</th>
              {contents.map((content) => <td key={content.row}><code dir="ltr">{content.type}</code></td>)}
            </tr>
            <tr>
              <th scope="row">{say("conflicts.read")}</th>
              {contents.map((content) => <td key={content.row}><bdi dir="ltr">{minute(content.read_at)}</bdi></td>)}
            </tr>
            {differs.filter((it) => it.field !== "type").map((it) => (
              <tr key={it.field}>
                <th scope="row"><code dir="ltr">{it.field}</code></th>
                {it.said === null ? (
                  <td colSpan={contents.length} class="soft">{say("conflicts.differs")}</td>
                ) : (
                  it.said.map((text, at) => <td key={at}>{text === null ? <span class="soft">{say("conflicts.unsaid")}</span> : <code dir="ltr">{text}</code>}</td>)
                )}
              </tr>
            ))}
            <tr>
              <th scope="row">{say("conflicts.row")}</th>
              {contents.map((content) => <td key={content.row}><code dir="ltr" class="place" title={content.row}>{placeOf(content.row)}</code></td>)}
            </tr>
            <tr>
              <th scope="row">{say("conflicts.decision")}</th>
              {contents.map((content, at) => (
                <td key={content.row}>
                  <button
                    type="button"
                    class="action"
                    disabled={busy}
                    aria-label={say("conflicts.counts.what", { n: at + 1, id: short(event_id), agency })}
                    onClick={() => counts(conflict, at)}
                  >
                    {say("conflicts.counts")}
                  </button>
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </Scroll>
      {said && <p class="note">{said}</p>}
    </section>
  );
}

interface PairsProps {
  queue: Waiting;
  words: Words;
  busy: boolean;
  persons: (pair: { person: string; other: string }, word: Word) => void;
}

function Links({ queue, words, busy, persons }: PairsProps) {
  const say = useSay();
  const { links, links_as_of, links_in_all, links_problem, is_comparing } = queue;
  return (
    <section>
      <h2 class="rule">{say("links.title")}</h2>
      <p>{say("links.lede")}</p>
      <p role="status" class="soft small">
        {links_as_of ? say("links.as_of", { time: minute(links_as_of) }) : !is_comparing && say("links.never")} {is_comparing && say("links.comparing")}
      </p>
      {links_problem && <p class="note" role="alert">{say(`links.problem.${links_problem}`)}</p>}
      {links_as_of && !links_problem && links.length === 0 && <p>{say("links.none")}</p>}
      {links.length > 0 && (
        <Scroll label={say("links.title")}>
          <table class="people" role="table">
            <caption class="unseen">{say("links.title")}</caption>
            <thead role="rowgroup">
              <tr role="row">
                {(["links.person", "links.other", "links.likely", "links.why"] as const).map((key) => <th scope="col" role="columnheader" key={key}>{say(key)}</th>)}
                <th scope="col" role="columnheader" class="acts"><span class="unseen">{say("links.decision")}</span></th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {links.map((pair) => (
                <tr role="row" key={keyOf(pair)}>
                  <th scope="row" role="rowheader"><Person id={pair.person} /></th>
                  <td role="cell" data-name={say("links.other")}><Person id={pair.other} /></td>
                  <td role="cell" data-name={say("links.likely")}><bdi dir="ltr" class="n">{pair.confidence_per_mille}</bdi></td>
                  <td role="cell" data-name={say("links.why")}>{`because.${pair.because}` in texts ? say(`because.${pair.because}` as QueueKey) : pair.because}</td>
                  <td role="cell" class="acts">
                    {keyOf(pair) in words && <span class="soft small">{say("links.onlog")} </span>}
                    <Say pair={pair} word="yes" busy={busy} persons={persons} /> <Say pair={pair} word="no" busy={busy} persons={persons} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <More shown={links.length} all={links_in_all} />
    </section>
  );
}

function Decided({ queue, words, busy, persons }: PairsProps) {
  const say = useSay();
  return (
    <section>
      <h2 class="rule">{say("said.title")}</h2>
      {queue.said.length === 0 ? (
        <p>{say("said.none")}</p>
      ) : (
        <Scroll label={say("said.title")}>
          <table class="people" role="table">
            <caption class="unseen">{say("said.title")}</caption>
            <thead role="rowgroup">
              <tr role="row">
                {(["links.person", "links.other", "said.word"] as const).map((key) => <th scope="col" role="columnheader" key={key}>{say(key)}</th>)}
                <th scope="col" role="columnheader" class="acts"><span class="unseen">{say("links.decision")}</span></th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {queue.said.map((pair) => (
                <tr role="row" key={keyOf(pair)}>
                  <th scope="row" role="rowheader"><Person id={pair.person} /></th>
                  <td role="cell" data-name={say("links.other")}><Person id={pair.other} /></td>
                  <td role="cell" data-name={say("said.word")}>{say(pair.are_one ? "links.one" : "links.two")}</td>
                  <td role="cell" class="acts">
                    {keyOf(pair) in words && <span class="soft small">{say("links.onlog")} </span>}
                    <Say pair={pair} word="withdraw" busy={busy} persons={persons} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

const WORDS = { yes: "links.one", no: "links.two", withdraw: "links.withdraw" } as const;

/** A button that says a word on a pair. */
function Say({ pair, word, busy, persons }: { pair: { person: string; other: string }; word: Word; busy: boolean; persons: PairsProps["persons"] }) {
  const say = useSay();
  const whom = { person: short(pair.person), other: short(pair.other) };
  return (
    <button type="button" class="action" disabled={busy} aria-label={say(`${WORDS[word]}.what`, whom)} onClick={() => persons(pair, word)}>
      {say(WORDS[word])}
    </button>
  );
}

function Person({ id }: { id: string }) {
  return <code dir="ltr" title={id}>{short(id)}</code>;
}
