// What an agency and the steward see alike of a feed: its months, the fields of its facts, the reports that are expected of it.
import { percent, yearBefore, type Completeness, type Expected, type Month, type OfType } from "../lib/feed";
import { feedNamed, type SayFeed } from "../messages-feed";
import { Scroll } from "./tables";
import "../style/feed.css";

const sum = (of: Record<string, number>) => Object.values(of).reduce((all, one) => all + one, 0);

/** Months, the newest first, each with the facts of the same month a year before. */
export function Months({ months, say }: { months: Month[]; say: SayFeed }) {
  if (months.length === 0) return <p class="soft">{say("nothing")}</p>;
  const facts = new Map(months.map((month) => [month.month, month.facts]));
  return (
    <Scroll label={say("quality.months")}>
      <table class="numbers">
        <caption class="unseen">{say("quality.months")}</caption>
        <thead>
          <tr>
            {(["month", "status.accepted", "status.duplicate", "status.conflict", "status.set_aside", "days.arrive", "facts", "facts.before", "days.record", "versions.gaps"] as const).map((key) => <th scope="col" key={key}>{say(key)}</th>)}
          </tr>
        </thead>
        <tbody>
          {[...months].reverse().map((month) => (
            <tr key={month.month}>
              <th scope="row"><bdi dir="ltr">{month.month}</bdi></th>
              <td>{month.accepted}</td>
              <td>{month.duplicates}</td>
              <td>{month.conflicts}</td>
              <td>{sum(month.set_aside)}</td>
              <td>{month.days_to_arrive ?? "–"}</td>
              <td>{month.facts}</td>
              <td>{facts.get(yearBefore(month.month)) ?? "–"}</td>
              <td>{month.days_to_record ?? "–"}</td>
              <td>{month.versions?.gaps ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Each type of event of which there are facts, folded. */
export function Types({ types, say }: { types: OfType[]; say: SayFeed }) {
  const some = types.filter((type) => type.now.facts + type.before.facts > 0);
  return <>{some.map((type) => <Fields type={type.event_type.replace(/^pk\.tip\./, "")} now={type.now} before={type.before} say={say} key={type.event_type} />)}</>;
}

function Fields({ type, now, before, say }: { type: string; now: Completeness; before: Completeness; say: SayFeed }) {
  const fields = [...new Set([...Object.keys(now.known), ...Object.keys(before.known)])].sort((a, b) => (percent(now, a) ?? 101) - (percent(now, b) ?? 101));
  const title = say("quality.fields", { type, facts: now.facts });
  return (
    <details class="behind">
      <summary>{title}</summary>
      <Scroll label={title}>
        <table class="numbers fields">
          <caption class="unseen">{title}</caption>
          <thead>
            <tr>
              <th scope="col">{say("field")}</th>
              <th scope="col">{say("now")}</th>
              <td />
              <th scope="col">{say("before")}</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field) => {
              const known = percent(now, field);
              const earlier = percent(before, field);
              return (
                <tr key={field}>
                  <th scope="row"><code dir="ltr">{field}</code></th>
                  <td>{known === null ? "–" : `${known} %`}</td>
                  <td class="bar" aria-hidden="true"><span class={known !== null && known < 80 ? "bad" : "good"} style={{ inlineSize: `${known ?? 0}%` }} /></td>
                  <td>{earlier === null ? "–" : `${earlier} %`}</td>
                </tr>
              );
            })}
            <tr>
              <th scope="row">{say("days.record")}</th>
              <td>{now.days_to_record ?? "–"}</td>
              <td />
              <td>{before.days_to_record ?? "–"}</td>
            </tr>
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}

/** Reports that stand open; earlier ones are folded away. */
const OPEN = 12;

/** The reports that are expected, the latest first. */
export function Reports({ reports, say }: { reports: Expected[]; say: SayFeed }) {
  const earlier = say("calendar.earlier", { n: reports.length - OPEN });
  return (
    <>
      <Listed reports={reports.slice(0, OPEN)} label={say("calendar")} say={say} />
      {reports.length > OPEN && (
        <details class="behind">
          <summary>{earlier}</summary>
          <Listed reports={reports.slice(OPEN)} label={earlier} say={say} />
        </details>
      )}
    </>
  );
}

function Listed({ reports, label, say }: { reports: Expected[]; label: string; say: SayFeed }) {
  return (
    <Scroll label={label}>
      <table class="numbers">
        <caption class="unseen">{label}</caption>
        <thead>
          <tr>
            <th scope="col">{say("calendar.period")}</th>
            <th scope="col">{say("calendar.kind")}</th>
            <th scope="col">{say("calendar.state")}</th>
          </tr>
        </thead>
        <tbody>
          {reports.map((one) => (
            <tr key={one.kind + one.from + one.to}>
              <th scope="row"><bdi dir="ltr">{one.from} – {one.to}</bdi></th>
              <td>{feedNamed(say, "kind", one.kind)}</td>
              <td class={`report-${one.state}`}>{feedNamed(say, "state", one.state)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
