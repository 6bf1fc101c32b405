// How good each agency's feed is, for the steward: all agencies in one table, and one in full.
import { useEffect, useState } from "preact/hooks";
import { Spark } from "../charts/Spark";
import type { Mark } from "../charts/spec";
import { asProblem, type Loaded } from "../lib/api";
import { feed, feeds, type Feed, type Feeds as All, type Summary } from "../lib/feeds";
import { address, changed, go, useRoute } from "../lib/route";
import { filled, useWords } from "../lib/words";
import { texts, type FeedsKey } from "../messages-feeds";
import { Months, Reports, Types } from "../parts/feed";
import { Trouble } from "../parts/state";
import { ForSteward } from "../parts/steward";
import { Scroll } from "../parts/tables";
import "../style/feeds.css";

type Say = (key: FeedsKey, values?: Record<string, string | number>) => string;

function useSay(): Say {
  const { lang } = useWords();
  return (key, values) => filled(texts[key], lang, values);
}

/** What is loaded when it is asked for; asked again when `of` changes. */
function useAsked<T>(ask: () => Promise<T>, of: string): Loaded<T> {
  const [loaded, set] = useState<Loaded<T>>({ state: "loading" });
  useEffect(() => {
    let current = true;
    set({ state: "loading" });
    ask().then(
      (value) => current && set({ state: "ready", value }),
      (error: unknown) => current && set({ state: "failed", problem: asProblem(error) }),
    );
    return () => {
      current = false;
    };
  }, [of]);
  return loaded;
}

/** All feeds, or the one of an agency. */
export function Feeds({ id }: { id: string }) {
  const say = useSay();
  return (
    <ForSteward title={id || say("feeds.heading")} lede={id ? <a href={address("/feeds", SORTING)}>{say("one.all")}</a> : say("feeds.lede")}>
      {(session) => (id ? <One agency={id} key={id} /> : <Every account={session.name ?? ""} key={session.name} />)}
    </ForSteward>
  );
}

/** The order of the table goes with the address, so that it can be shared, and back again. */
const SORTING = { sort: null, order: null };

interface Column {
  key: string;
  name: FeedsKey;
  /** By what it is sorted; what is not known comes last. */
  by: (feed: Summary) => number | string | null;
  /** Whether the greatest comes first where nobody has said. */
  down: boolean;
}

const STATES = ["ok", "attention", "alert"];
const COLUMNS: Column[] = [
  { key: "agency", name: "feeds.agency", by: (feed) => feed.agency, down: false },
  { key: "state", name: "feeds.state", by: (feed) => STATES.indexOf(feed.state), down: true },
  { key: "accepted", name: "feeds.accepted", by: (feed) => feed.accepted, down: true },
  { key: "known", name: "feeds.known", by: (feed) => feed.known_percent, down: false },
  { key: "record", name: "feeds.record", by: (feed) => feed.days_to_record, down: true },
  { key: "arrive", name: "feeds.arrive", by: (feed) => feed.days_to_arrive, down: true },
  { key: "duplicates", name: "feeds.duplicates", by: (feed) => feed.duplicates, down: true },
  { key: "conflicts", name: "feeds.conflicts", by: (feed) => feed.conflicts, down: true },
  { key: "aside", name: "feeds.aside", by: (feed) => feed.set_aside, down: true },
  { key: "gaps", name: "feeds.gaps", by: (feed) => feed.gaps, down: true },
  { key: "missing", name: "feeds.missing", by: (feed) => feed.reports_missing, down: true },
];

function sorted(all: Summary[], column: Column, down: boolean): Summary[] {
  const compare = (a: Summary, b: Summary) => {
    const [one, other] = [column.by(a), column.by(b)];
    if (one === other || (one === null && other === null)) return a.agency < b.agency ? -1 : 1;
    if (one === null || other === null) return one === null ? 1 : -1;
    return (one < other ? -1 : 1) * (down ? -1 : 1);
  };
  return [...all].sort(compare);
}

function Every({ account }: { account: string }) {
  const { t } = useWords();
  const say = useSay();
  const loaded = useAsked(() => feeds(account), account);
  return (
    <>
      <p class="soft small">{say("feeds.nobody")}</p>
      {loaded.state === "loading" && <p class="loading" role="status">{t("word.loading")}</p>}
      {loaded.state === "failed" && <Trouble problem={loaded.problem} />}
      {loaded.state === "ready" && (loaded.value.feeds.length === 0 ? <p class="note">{say("feeds.none")}</p> : <Table all={loaded.value} />)}
    </>
  );
}

function Table({ all }: { all: All }) {
  const say = useSay();
  const { query } = useRoute();
  const column = COLUMNS.find((one) => one.key === query.get("sort")) ?? COLUMNS[1]!;
  const down = query.has("order") ? query.get("order") === "down" : column.down;
  const sort = (one: Column) => {
    const turned = one.key === column.key ? !down : one.down;
    go(changed({ sort: one.key, order: turned ? "down" : "up" }), true);
  };
  return (
    <section>
      <h2 class="rule">{say("feeds.title")}</h2>
      <p>{all.alerts > 0 ? say("feeds.alerts", { n: all.alerts, all: all.feeds.length }) : say("feeds.noalerts")}</p>
      <p class="soft small">{say("feeds.window")}</p>
      <label class="sorting">
        {say("feeds.sort")}{" "}
        <select value={column.key} onChange={(event) => go(changed({ sort: event.currentTarget.value, order: null }), true)}>
          {COLUMNS.map((one) => <option value={one.key} key={one.key}>{say(one.name)}</option>)}
        </select>
      </label>
      <Scroll label={say("feeds.title")}>
        <table class="people feeds" role="table">
          <caption class="unseen">{say("feeds.title")}</caption>
          <thead role="rowgroup">
            <tr role="row">
              {COLUMNS.map((one) => (
                <th scope="col" role="columnheader" key={one.key} aria-sort={one.key === column.key ? (down ? "descending" : "ascending") : undefined}>
                  <button type="button" onClick={() => sort(one)}>
                    {say(one.name)} <span aria-hidden="true">{one.key === column.key ? (down ? "▼" : "▲") : ""}</span>
                  </button>
                </th>
              ))}
              <th scope="col" role="columnheader">{say("feeds.trend")}</th>
            </tr>
          </thead>
          <tbody role="rowgroup">{sorted(all.feeds, column, down).map((one) => <Row feed={one} key={one.agency} />)}</tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** How many crossed limits stand in the table; all of them stand on the page of the agency. */
const SHOWN = 2;

function Row({ feed }: { feed: Summary }) {
  const say = useSay();
  const { lang } = useWords();
  const { agency, alerts, known_percent, days_to_record, days_to_arrive, reports_missing, reports_expected } = feed;
  const number = (name: FeedsKey, value: number | string | null) => (
    <td role="cell" class="n" data-name={say(name)}><bdi>{value ?? "–"}</bdi></td>
  );
  return (
    <tr role="row">
      <th scope="row" role="rowheader">
        <a href={address(`/feeds/${agency}`, SORTING)}>{feed[lang]}</a> <code dir="ltr">{agency}</code>
      </th>
      <td role="cell" data-name={say("feeds.state")}>
        <State state={feed.state} />
        {alerts.length > 0 && (
          <ul class="crossed">
            {worst(alerts).slice(0, SHOWN).map((alert) => <li key={alert.what + alert.of}>{crossed(say, alert)}</li>)}
            {alerts.length > SHOWN && <li>{say("feeds.more", { n: alerts.length - SHOWN })}</li>}
          </ul>
        )}
      </td>
      {number("feeds.accepted", feed.accepted)}
      {number("feeds.known", known_percent === null ? null : `${known_percent} %`)}
      {number("feeds.record", days_to_record)}
      {number("feeds.arrive", days_to_arrive)}
      {number("feeds.duplicates", feed.duplicates)}
      {number("feeds.conflicts", feed.conflicts)}
      {number("feeds.aside", feed.set_aside)}
      {number("feeds.gaps", feed.gaps)}
      {number("feeds.missing", reports_expected === 0 ? null : say("feeds.missing.of", { missing: reports_missing, expected: reports_expected }))}
      <td role="cell" data-name={say("feeds.trend")}><Trend feed={feed} /></td>
    </tr>
  );
}

/** A sign of its own beside the word: colour adds nothing. */
const SIGN = { ok: "✓", attention: "○", alert: "!" };

function State({ state }: { state: Summary["state"] }) {
  const say = useSay();
  return (
    <span class={`stands stands-${state}`}>
      <span aria-hidden="true">{SIGN[state]}</span> {say(`stands.${state}`)}
    </span>
  );
}

/** What takes facts from the count comes first. */
function worst(alerts: Summary["alerts"]): Summary["alerts"] {
  return [...alerts].sort((a, b) => STATES.indexOf(b.state) - STATES.indexOf(a.state));
}

function crossed(say: Say, alert: Summary["alerts"][number]): string {
  const key = `crossed.${alert.what}`;
  return key in texts ? say(key as FeedsKey, { of: alert.of, found: alert.found, limit: alert.limit }) : alert.what;
}

/** The number of a month, counted from the year 0. */
const monthNumber = (month: string) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1;

/** Facts by month, months without any among them; the last one is not over. */
function Trend({ feed }: { feed: Summary }) {
  const say = useSay();
  const { trend, as_of } = feed;
  const [first, last] = [trend[0], trend.at(-1)];
  if (!first || !last) return <>–</>;
  const facts = new Map(trend.map((one) => [monthNumber(one.month), one.facts]));
  const end = Math.max(monthNumber(last.month), monthNumber(as_of));
  const marks: Mark[] = [];
  for (let x = monthNumber(first.month); x <= end; x += 1) {
    const value = facts.get(x) ?? 0;
    marks.push({ series: "", x, label: "", value, lo: value, hi: value, look: x === monthNumber(as_of) ? "hollow" : "solid", broken: false, said: "" });
  }
  const label = say("feeds.trend.of", { from: first.month, to: as_of.slice(0, 7), first: first.facts, last: facts.get(end) ?? 0 });
  return <Spark spec={{ marks, percent: false }} label={label} />;
}

function One({ agency }: { agency: string }) {
  const { t } = useWords();
  const say = useSay();
  const loaded = useAsked(() => feed(agency), agency);
  if (loaded.state === "loading") return <p class="loading" role="status">{t("word.loading")}</p>;
  if (loaded.state === "ready") return <Full feed={loaded.value} />;
  return loaded.problem.status === 404 ? <p class="note">{say("one.missing")}</p> : <Trouble problem={loaded.problem} />;
}

/** A time to the minute, UTC. */
const minute = (time: string) => `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;

function Full({ feed }: { feed: Feed }) {
  const say = useSay();
  const { lang } = useWords();
  const { summary, months, types, reports, contradictions } = feed;
  return (
    <>
      <p><strong>{summary[lang]}</strong> <State state={summary.state} /></p>
      <p class="soft small">{say("one.asof", { date: summary.as_of, told: minute(summary.told_at) })}</p>
      <section>
        <h2 class="rule">{say("one.crossed")}</h2>
        {summary.alerts.length === 0 ? (
          <p class="well">{say("one.none")}</p>
        ) : (
          <ul class="alerts">{worst(summary.alerts).map((alert) => <li key={alert.what + alert.of}><State state={alert.state} /> · {crossed(say, alert)}</li>)}</ul>
        )}
      </section>
      <section>
        <h2 class="rule">{say("quality.months")}</h2>
        <div class="trend"><Trend feed={summary} /></div>
        <Months months={months} say={say} />
      </section>
      <section>
        <h2 class="rule">{say("one.quality")}</h2>
        <p>{say("one.quality.lede", { now: summary.known_percent ?? "–", before: summary.known_percent_before ?? "–" })}</p>
        <Types types={types} say={say} />
      </section>
      <section>
        <h2 class="rule">{say("one.contradictions")}</h2>
        <p>{say("one.contradictions.lede")}</p>
        {contradictions.length === 0 && <p class="soft">{say("one.contradictions.none")}</p>}
        {contradictions.map((one) => <p key={one.field}>{say("one.contradiction", { field: one.field, from: one.percent_from, to: one.percent_to })}</p>)}
      </section>
      <section>
        <h2 class="rule">{say("calendar")}</h2>
        {reports.length === 0 ? <p class="soft">{say("one.calendar.none")}</p> : <Reports reports={reports} say={say} />}
      </section>
    </>
  );
}
