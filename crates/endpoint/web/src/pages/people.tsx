// Who may come in: the list, inviting, taking out. For operators.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Copy } from "../parts/copy";
import { Field, named, Refused, toFirstWrong, useTexts } from "../parts/entry";
import { Trouble } from "../parts/state";
import { Scroll } from "../parts/tables";
import { asProblem, problemOf, type Loaded, type Problem } from "../lib/api";
import { renewed, send, signInAddress, useSession } from "../lib/session";
import { useWords } from "../lib/words";
import type { Key } from "../messages";

/** Somebody who may come in, or was invited. */
interface Person {
  name: string;
  role: string;
  share: string;
  purpose: string;
  comes_by: string;
  expires: string | null;
}

const ROLES = ["analyst", "steward", "agency", "auditor", "operator"] as const;
const SHARES = ["ministry", "agencies", "partners"] as const;
/** Roles that ask about the records, so that it matters whose share pays. */
const ASKS: readonly string[] = ["analyst", "steward"];

export function People() {
  const { t } = useWords();
  const say = useTexts();
  const session = useSession();
  return (
    <article class="page">
      <div class="lede">
        <h1>{t("nav.people")}</h1>
        <p>{say("list.lede")}</p>
      </div>
      {session === null && <p class="loading" role="status">{t("word.loading")}</p>}
      {session && session.role !== "operator" && (
        <>
          <p class="note">
            {say("list.notyours")}
            {session.name && <> {say("list.notyours.as", { name: session.name, role: t(`role.${session.role}` as Key) })}</>}
          </p>
          <p><a class="action primary" href={signInAddress()}>{session.name ? say("list.notyours.other") : t("site.signin")}</a></p>
        </>
      )}
      {session?.role === "operator" && <Everybody self={session.name ?? ""} key={session.name} />}
    </article>
  );
}

async function everybody(): Promise<Person[]> {
  const response = await fetch("/v1/people", { headers: { accept: "application/json" }, cache: "no-store" });
  if (response.ok) return (await response.json()) as Person[];
  const problem = await problemOf(response);
  // The session is over: the page says who may see this.
  if (problem.code === "key_needed") void renewed();
  throw problem;
}

function Everybody({ self }: { self: string }) {
  const { t } = useWords();
  const say = useTexts();
  const [people, setPeople] = useState<Loaded<Person[]>>({ state: "loading" });
  const [leaving, setLeaving] = useState<Person | null>(null);
  const [removed, setRemoved] = useState<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const read = () =>
    everybody().then(
      (value) => setPeople({ state: "ready", value }),
      (error) => setPeople({ state: "failed", problem: asProblem(error) }),
    );
  useEffect(() => void read(), []);
  return (
    <>
      <h2 class="rule" tabIndex={-1} ref={heading}>{say("list.heading")}</h2>
      <p role="status" class="removed">{removed ? say("remove.done", { name: removed }) : ""}</p>
      {people.state === "loading" && <p class="loading" role="status">{t("word.loading")}</p>}
      {people.state === "failed" && <Trouble problem={people.problem} />}
      {people.state === "ready" && <Table people={people.value} self={self} remove={setLeaving} />}
      <Invite invited={() => void read()} />
      {leaving && (
        <Removal
          person={leaving}
          kept={() => setLeaving(null)}
          gone={() => {
            setRemoved(leaving.name);
            setLeaving(null);
            void read();
            heading.current?.focus();
          }}
        />
      )}
    </>
  );
}

function Table({ people, self, remove }: { people: Person[]; self: string; remove: (person: Person) => void }) {
  const { t } = useWords();
  const say = useTexts();
  const today = new Date().toISOString().slice(0, 10);
  return (
    <Scroll label={say("list.heading")}>
      {/* A narrow screen lays the cells out one below the other; the roles keep it a table. */}
      <table class="people" role="table">
        <caption class="unseen">{say("list.heading")}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {(["people.name", "list.role", "list.share", "list.purpose", "list.by", "list.until"] as const).map((key) => <th scope="col" role="columnheader" key={key}>{say(key)}</th>)}
            <th scope="col" role="columnheader" class="acts"><span class="unseen">{say("list.actions")}</span></th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {people.map((person) => (
            <tr role="row" key={person.name}>
              <th scope="row" role="rowheader"><bdi dir="ltr" class="account-name">{person.name}</bdi></th>
              <td role="cell" data-name={say("list.role")}>{t(`role.${person.role}` as Key)}</td>
              <td role="cell" data-name={say("list.share")}>{ASKS.includes(person.role) ? named(say, "share", person.share) : say("list.none")}</td>
              <td role="cell" data-name={say("list.purpose")}>{person.purpose === "unstated" ? <span class="soft">{say("purpose.unstated")}</span> : <code dir="ltr">{person.purpose}</code>}</td>
              <td role="cell" data-name={say("list.by")}>{named(say, "by", person.comes_by)}</td>
              <td role="cell" data-name={say("list.until")}>
                {person.expires === null ? <span class="soft">{say("list.never")}</span> : <bdi dir="ltr" class="n">{person.expires}</bdi>}
                {person.expires !== null && person.expires <= today && <> <strong>{say("list.over")}</strong></>}
              </td>
              <td role="cell" class="acts">
                {person.name === self && person.comes_by === "password" ? (
                  <span class="soft small">{say("list.you")}</span>
                ) : (
                  <button type="button" class="action" aria-label={say("remove.what", { name: person.name })} onClick={() => remove(person)}>{say("remove.button")}</button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Asks before somebody is taken out, and says why not where it is refused. */
function Removal({ person, kept, gone }: { person: Person; kept: () => void; gone: () => void }) {
  const say = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const done = useRef(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const remove = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await send("DELETE", `/v1/people/${encodeURIComponent(person.name)}`);
      done.current = true;
      dialog.current?.close();
      gone();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  // Closed by Escape or by the button alike, it gives the focus back to the button that opened it.
  return (
    <dialog class="ask" ref={dialog} aria-labelledby={title} onClose={() => !done.current && kept()}>
      <h2 id={title}>{say("remove.title", { name: person.name })}</h2>
      <p>{say("remove.text")}</p>
      {problem && <Refused problem={problem} />}
      <p class="row">
        <button type="button" class="action" onClick={() => dialog.current?.close()}>{say("remove.no")}</button>
        <button type="button" class="action danger" disabled={busy} onClick={() => void remove()}>{say("remove.yes")}</button>
      </p>
    </dialog>
  );
}

const isName = (name: string) => /^[A-Za-z0-9._-]{1,60}$/.test(name) && name.toLowerCase() !== "public";
const isPurpose = (purpose: string) => /^[a-z0-9_]{0,40}$/.test(purpose);

function Invite({ invited }: { invited: () => void }) {
  const { t } = useWords();
  const say = useTexts();
  const [name, setName] = useState("");
  const [role, setRole] = useState<(typeof ROLES)[number]>("analyst");
  const [share, setShare] = useState<(typeof SHARES)[number]>("partners");
  const [purpose, setPurpose] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [made, setMade] = useState<{ name: string; link: string } | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const asks = ASKS.includes(role);
  // What can still become right as it is typed is not wrong yet.
  const wrongName = !isName(name) && (tried || !/^[A-Za-z0-9._-]{0,60}$/.test(name)) ? say(name ? "invite.name.wrong" : "people.missing") : null;
  const wrongPurpose = isPurpose(purpose) ? null : say("invite.purpose.wrong");

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setTried(true);
    if (!isName(name) || !isPurpose(purpose)) return form.current && toFirstWrong(form.current);
    setBusy(true);
    setProblem(null);
    setMade(null);
    try {
      const body = { name, role, ...(asks ? { share } : {}), ...(purpose ? { purpose } : {}) };
      const answer = (await (await send("POST", "/v1/people", body)).json()) as { name: string; link: string };
      // A service that does not know its public address says the path alone.
      setMade({ name: answer.name, link: new URL(answer.link, location.origin).href });
      setName("");
      setPurpose("");
      setTried(false);
      invited();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="invite" aria-labelledby="invite">
      <h2 class="rule" id="invite">{say("invite.title")}</h2>
      <p>{say("invite.lede")}</p>
      <form class="form" ref={form} method="post" noValidate onSubmit={(event) => void submit(event)} aria-busy={busy}>
        <Field id="name" label={say("people.name")} rule={say("invite.name.rule")} wrong={wrongName}>
          {(told) => <input {...told} type="text" dir="ltr" autocomplete="off" autocapitalize="none" spellcheck={false} required value={name} onInput={(event) => setName(event.currentTarget.value)} />}
        </Field>
        <Field id="role" label={say("list.role")} rule={say(`invite.role.${role}`)}>
          {(told) => (
            <select {...told} value={role} onChange={(event) => setRole(event.currentTarget.value as typeof role)}>
              {ROLES.map((one) => <option value={one} key={one}>{t(`role.${one}`)}</option>)}
            </select>
          )}
        </Field>
        {asks && (
          <Field id="share" label={say("list.share")} rule={say("invite.share.rule")}>
            {(told) => (
              <select {...told} value={share} onChange={(event) => setShare(event.currentTarget.value as typeof share)}>
                {SHARES.map((one) => <option value={one} key={one}>{say(`share.${one}`)}</option>)}
              </select>
            )}
          </Field>
        )}
        <Field id="purpose" label={say("list.purpose")} rule={say("invite.purpose.rule")} wrong={wrongPurpose}>
          {(told) => <input {...told} type="text" dir="ltr" autocomplete="off" autocapitalize="none" spellcheck={false} value={purpose} onInput={(event) => setPurpose(event.currentTarget.value)} />}
        </Field>
        <p class="soft small">{say("invite.again")}</p>
        <div class="row"><button type="submit" class="action primary">{say("invite.submit")}</button></div>
        {problem && <Refused problem={problem} />}
      </form>
      {made && <Link name={made.name} link={made.link} hide={() => setMade(null)} />}
    </section>
  );
}

/** The link, this once. */
function Link({ name, link, hide }: { name: string; link: string; hide: () => void }) {
  const say = useTexts();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [link]);
  return (
    <div class="made">
      <h3 tabIndex={-1} ref={title}>{say("invite.done", { name })}</h3>
      <p>{say("invite.done.note")}</p>
      <input type="text" dir="ltr" readOnly aria-label={say("invite.link")} value={link} onFocus={(event) => event.currentTarget.select()} />
      <p class="row">
        <Copy text={link} label={say("invite.copy")} />
        <button type="button" class="action" onClick={hide}>{say("invite.hide")}</button>
      </p>
    </div>
  );
}
