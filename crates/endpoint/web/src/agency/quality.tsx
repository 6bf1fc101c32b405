// How good the feed is, by the report that the door was told last: what is beyond a limit, months, fields, expected reports.
import type { Loaded } from "../lib/api";
import { Scroll } from "../parts/tables";
import type { Alert, Completeness, Feed, Report } from "./api";
import { Failed } from "./door";
import { named, useSay, type Say } from "./texts";
import type { ComponentChildren } from "preact";

/** The report, or what stands in its place. */
function Told({ feed, children }: { feed: Loaded<Feed>; children: (report: Report) => ComponentChildren }) {
  const say = useSay();
  if (feed.state === "loading") return <p class="loading" role="status">{say("loading")}</p>;
  if (feed.state === "ready") return <>{children(feed.value.report)}</>;
  if (feed.problem.status === 404) return <p class="soft">{say("attention.unknown")}</p>;
  return <Failed problem={feed.problem} />;
}

function sentence(say: Say, alert: Alert): string {
  return named(say, "alert", alert.what, { of: alert.of, found: alert.found, limit: alert.limit });
}

export function Attention({ feed }: { feed: Loaded<Feed> }) {
  const say = useSay();
  return (
    <section aria-labelledby="attention">
      <h2 class="rule" id="attention">{say("attention")}</h2>
      <Told feed={feed}>
        {(report) => (
          <>
            {report.alerts.length === 0 ? (
              <p class="well">{say("attention.none")}</p>
            ) : (
              <ul class="alerts">{report.alerts.map((alert) => <li key={alert.what + alert.of}>{sentence(say, alert)}</li>)}</ul>
            )}
            <p class="soft small">{say("attention.asof", { date: report.as_of })}</p>
          </>
        )}
      </Told>
    </section>
  );
}

export function Quality({ feed }: { feed: Loaded<Feed> }) {
  const say = useSay();
  return (
    <section aria-labelledby="quality">
      <h2 class="rule" id="quality">{say("quality")}</h2>
      <p>{say("quality.lede")}</p>
      <Told feed={feed}>
        {(report) => (
          <>
            {report.contradictions.map((one) => <p key={one.field}>{say("contradictions", { field: one.field, from: one.percent_from, to: one.percent_to })}</p>)}
            <h3>{say("quality.months")}</h3>
            <Months report={report} />
            {report.types.filter((type) => type.now.facts + type.before.facts > 0).map((type) => <Fields type={type.event_type.replace(/^pk\.tip\./, "")} now={type.now} before={type.before} key={type.event_type} />)}
          </>
        )}
      </Told>
    </section>
  );
}

function Months({ report }: { report: Report }) {
  const say = useSay();
  if (report.months.length === 0) return <p class="soft">{say("nothing")}</p>;
  const aside = (of: Record<string, number>) => Object.values(of).reduce((sum, one) => sum + one, 0);
  return (
    <Scroll label={say("quality.months")}>
      <table class="numbers">
        <caption class="unseen">{say("quality.months")}</caption>
        <thead>
          <tr>
            {(["month", "status.accepted", "status.duplicate", "status.conflict", "status.set_aside", "days.arrive", "facts", "days.record"] as const).map((key) => <th scope="col" key={key}>{say(key)}</th>)}
          </tr>
        </thead>
        <tbody>
          {[...report.months].reverse().map((month) => (
            <tr key={month.month}>
              <th scope="row"><bdi dir="ltr">{month.month}</bdi></th>
              <td>{month.accepted}</td>
              <td>{month.duplicates}</td>
              <td>{month.conflicts}</td>
              <td>{aside(month.set_aside)}</td>
              <td>{month.days_to_arrive ?? "–"}</td>
              <td>{month.facts}</td>
              <td>{month.days_to_record ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Of a hundred facts, of how many a field is known. */
function percent(of: Completeness, field: string): number | null {
  return of.facts === 0 ? null : Math.floor(((of.known[field] ?? 0) * 100) / of.facts);
}

function Fields({ type, now, before }: { type: string; now: Completeness; before: Completeness }) {
  const say = useSay();
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

export function Calendar({ feed }: { feed: Loaded<Feed> }) {
  const say = useSay();
  return (
    <section aria-labelledby="calendar">
      <h2 class="rule" id="calendar">{say("calendar")}</h2>
      <Told feed={feed}>
        {({ reports }) => (
          <>
            {reports.length === 0 ? <p class="soft">{say("calendar.none")}</p> : <Expected reports={reports.slice(0, OPEN)} label={say("calendar")} />}
            {reports.length > OPEN && (
              <details class="behind">
                <summary>{say("calendar.earlier", { n: reports.length - OPEN })}</summary>
                <Expected reports={reports.slice(OPEN)} label={say("calendar.earlier", { n: reports.length - OPEN })} />
              </details>
            )}
          </>
        )}
      </Told>
    </section>
  );
}

function Expected({ reports, label }: { reports: Report["reports"]; label: string }) {
  const say = useSay();
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
              <td>{named(say, "kind", one.kind)}</td>
              <td class={`report-${one.state}`}>{named(say, "state", one.state)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
