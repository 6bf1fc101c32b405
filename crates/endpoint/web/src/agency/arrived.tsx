// What arrived of the agency, day by day and request by request, and what of it was set aside.
import { useEffect, useState } from "preact/hooks";
import { asProblem, type Loaded, type Problem } from "../lib/api";
import { Scroll } from "../parts/tables";
import { csv, download, json, useDoor, type Aside, type Counts, type Day, type Followed, type Listed } from "./api";
import { Failed } from "./door";
import { named, useSay, type TextKey } from "./texts";

/** A moment as the door writes it, to the minute, in Pakistan. */
export function moment(text: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Karachi", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(new Date(text));
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${of("year")}-${of("month")}-${of("day")} ${of("hour")}:${of("minute")}`;
}

interface Listing<T> {
  entries: T[];
  next: string | null;
  problem: Problem | null;
  busy: boolean;
}

/** A list of which the newest part is read first, and older parts when they are asked for. */
function useListing<T>(path: string, of: string, again: number): [Listing<T>, () => void] {
  const [listing, set] = useState<Listing<T>>({ entries: [], next: null, problem: null, busy: true });
  const read = (from: string, before: T[]) => {
    set((now) => ({ ...now, busy: true }));
    json<Record<string, unknown>>(from).then(
      (page) => set({ entries: [...before, ...(page[of] as T[])], next: (page.next as string | undefined) ?? null, problem: null, busy: false }),
      (error: unknown) => set({ entries: before, next: null, problem: asProblem(error), busy: false }),
    );
  };
  useEffect(() => read(path, []), [path, again]);
  return [listing, () => listing.next && read(listing.next, listing.entries)];
}

function More({ listing, more }: { listing: Listing<unknown>; more: () => void }) {
  const say = useSay();
  return (
    <>
      {listing.busy && <p class="loading" role="status">{say("loading")}</p>}
      {listing.problem && <Failed problem={listing.problem} />}
      {!listing.busy && !listing.problem && listing.entries.length === 0 && <p class="soft">{say("nothing")}</p>}
      {listing.next && !listing.busy && <p><button type="button" class="action" onClick={more}>{say("older")}</button></p>}
    </>
  );
}

export function Arrived({ again }: { again: number }) {
  const say = useSay();
  const days = useDoor<{ days: Day[] }>("/v1/feed/days", again);
  const [receipts, more] = useListing<Listed>("/v1/receipts", "receipts", again);
  return (
    <section aria-labelledby="arrived">
      <h2 class="rule" id="arrived">{say("arrived")}</h2>
      <p>{say("arrived.lede")}</p>
      <h3>{say("arrived.days")}</h3>
      <Days days={days} />
      <h3>{say("arrived.receipts")}</h3>
      {receipts.entries.length > 0 && (
        <Scroll label={say("arrived.receipts")}>
          <table class="numbers">
            <caption class="unseen">{say("arrived.receipts")}</caption>
            <thead>
              <tr>
                <th scope="col">{say("received")}</th>
                <th scope="col">{say("receipt")}</th>
                {COUNTED.map((status) => <th scope="col" key={status}>{say(`status.${status}`)}</th>)}
                <th scope="col">{say("status.refused")}</th>
                <th scope="col"><span class="unseen">{say("receipt.open")}</span></th>
              </tr>
            </thead>
            <tbody>{receipts.entries.map((receipt) => <Receipt receipt={receipt} key={receipt.receipt} />)}</tbody>
          </table>
        </Scroll>
      )}
      <More listing={receipts} more={more} />
    </section>
  );
}

const COUNTED = ["durable", "accepted", "duplicate", "conflict", "set_aside"] as const satisfies readonly (keyof Counts)[];

function Days({ days }: { days: Loaded<{ days: Day[] }> }) {
  const say = useSay();
  if (days.state === "loading") return <p class="loading" role="status">{say("loading")}</p>;
  if (days.state === "failed") return <Failed problem={days.problem} />;
  const all = days.value.days;
  if (all.length === 0) return <p class="soft">{say("nothing")}</p>;
  const most = Math.max(...all.map((day) => day.accepted + day.duplicates + day.conflicts + day.set_aside));
  const heads: [keyof Omit<Day, "date">, TextKey][] = [["accepted", "status.accepted"], ["duplicates", "status.duplicate"], ["conflicts", "status.conflict"], ["set_aside", "status.set_aside"]];
  return (
    <Scroll label={say("arrived.days")}>
      <table class="numbers days">
        <caption class="unseen">{say("arrived.days")}</caption>
        <thead>
          <tr>
            <th scope="col">{say("day")}</th>
            {heads.map(([, name]) => <th scope="col" key={name}>{say(name)}</th>)}
            <td />
          </tr>
        </thead>
        <tbody>
          {all.map((day) => (
            <tr key={day.date}>
              <th scope="row"><bdi dir="ltr">{day.date}</bdi></th>
              {heads.map(([of]) => <td key={of}>{day[of]}</td>)}
              <td class="bar" aria-hidden="true">
                <span class="good" style={{ inlineSize: `${(day.accepted / most) * 100}%` }} />
                <span class="again" style={{ inlineSize: `${(day.duplicates / most) * 100}%` }} />
                <span class="bad" style={{ inlineSize: `${((day.conflicts + day.set_aside) / most) * 100}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Receipt({ receipt }: { receipt: Listed }) {
  const say = useSay();
  const [open, setOpen] = useState(false);
  return (
    <>
      <tr>
        <th scope="row"><bdi dir="ltr">{moment(receipt.made)}</bdi></th>
        <td><code dir="ltr" title={receipt.receipt}>{receipt.receipt.slice(0, 8)}</code></td>
        {COUNTED.map((status) => <td key={status}>{receipt.counts[status]}</td>)}
        <td>{receipt.refused}</td>
        <td><button type="button" class="action" aria-expanded={open} onClick={() => setOpen(!open)}>{say(open ? "receipt.close" : "receipt.open")}</button></td>
      </tr>
      {open && <tr><td colSpan={4 + COUNTED.length}><Lines receipt={receipt} /></td></tr>}
    </>
  );
}

/** The lines of a receipt that were not accepted. */
function Lines({ receipt }: { receipt: Listed }) {
  const say = useSay();
  const followed = useDoor<Followed>(receipt.url);
  if (followed.state === "loading") return <p class="loading" role="status">{say("loading")}</p>;
  if (followed.state === "failed") return <Failed problem={followed.problem} />;
  const { events, refused } = followed.value;
  const not = [
    ...refused.map(({ line, problem }) => ({ line, status: "refused", why: problem.mistakes.map((m) => `${m.place}: ${m.expected}`).join(" · ") || problem.title })),
    ...events.filter((event) => !["accepted", "durable"].includes(event.status)).map((event) => ({ line: event.line, status: event.status as string, why: event.detail ?? event.reason ?? "" })),
  ].sort((a, b) => a.line - b.line);
  if (not.length === 0) return <p class="soft">{say("receipt.well")}</p>;
  return (
    <table class="numbers lines">
      <caption>{say("receipt.lines", { id: receipt.receipt.slice(0, 8) })}</caption>
      <thead>
        <tr>
          <th scope="col">{say("line")}</th>
          <th scope="col">{say("what")}</th>
          <th scope="col">{say("why")}</th>
        </tr>
      </thead>
      <tbody>
        {not.map((line) => (
          <tr key={`${line.line}${line.status}`}>
            <th scope="row">{line.line}</th>
            <td>{named(say, "status", line.status)}</td>
            <td lang="en" dir="ltr" class="words">{line.why}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function SetAside({ again }: { again: number }) {
  const say = useSay();
  const [listing, more] = useListing<Aside>("/v1/set-aside", "messages", again);
  const where = (one: Aside) => (one.receipt ? say("aside.line", { receipt: one.receipt.slice(0, 8), line: one.line ?? "" }) : say("aside.offset", { partition: one.partition, offset: one.offset }));
  const save = () => {
    const head = ["told", "status", "reason", "detail", "receipt", "line", "stream", "partition", "offset"] as const;
    download("set-aside.csv", csv([[...head], ...listing.entries.map((one) => head.map((name) => one[name]))]));
  };
  return (
    <section aria-labelledby="aside">
      <h2 class="rule" id="aside">{say("aside")}</h2>
      <p>{say("aside.lede")}</p>
      {listing.entries.length > 0 && (
        <>
          <Scroll label={say("aside")}>
            <table class="numbers">
              <caption class="unseen">{say("aside")}</caption>
              <thead>
                <tr>
                  <th scope="col">{say("aside.when")}</th>
                  <th scope="col">{say("aside.where")}</th>
                  <th scope="col">{say("what")}</th>
                  <th scope="col">{say("why")}</th>
                </tr>
              </thead>
              <tbody>
                {listing.entries.map((one) => (
                  <tr key={`${one.partition}/${one.offset}`}>
                    <th scope="row"><bdi dir="ltr">{moment(one.told)}</bdi></th>
                    <td>{where(one)}</td>
                    <td>{named(say, "status", one.status)}</td>
                    <td lang="en" dir="ltr" class="words">{one.detail ?? one.reason}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
          <p><button type="button" class="action" onClick={save}>{say("download")}</button></p>
        </>
      )}
      <More listing={listing} more={more} />
    </section>
  );
}
