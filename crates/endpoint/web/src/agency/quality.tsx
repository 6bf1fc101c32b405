// How good the feed is, by the report that the door was told last: what is beyond a limit, months, fields, expected reports.
import type { Loaded } from "../lib/api";
import type { Alert } from "../lib/feed";
import { Months, Reports, Types } from "../parts/feed";
import type { Feed, Report } from "./api";
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
            <Months months={report.months} say={say} />
            <Types types={report.types} say={say} />
          </>
        )}
      </Told>
    </section>
  );
}

export function Calendar({ feed }: { feed: Loaded<Feed> }) {
  const say = useSay();
  return (
    <section aria-labelledby="calendar">
      <h2 class="rule" id="calendar">{say("calendar")}</h2>
      <Told feed={feed}>
        {({ reports }) => (reports.length === 0 ? <p class="soft">{say("calendar.none")}</p> : <Reports reports={reports} say={say} />)}
      </Told>
    </section>
  );
}
