// Taking an invitation: what it is, a password, and one is in.
import { useEffect, useRef, useState } from "preact/hooks";
import { Password, Refused, toFirstWrong, useTexts } from "../parts/entry";
import { asProblem, type Problem } from "../lib/api";
import { invitation, onInvitation, usedInvitation } from "../lib/invitation";
import { address } from "../lib/route";
import { changedSession, send, useSession, type Session } from "../lib/session";
import { useWords } from "../lib/words";
import type { PeopleKey } from "../messages-people";

/** The bounds of a password (crates/policy/src/readers.rs). */
const [SHORTEST, LONGEST] = [12, 128];
const isLatin = (text: string) => /^[ -~]*$/.test(text);

export function Welcome() {
  const say = useTexts();
  const [token, setToken] = useState(invitation);
  const [came, setCame] = useState<Session | null>(null);
  useEffect(
    () =>
      onInvitation(() => {
        setCame(null);
        setToken(invitation());
      }),
    [],
  );
  if (came) return <Done session={came} />;
  if (token) return <Choose token={token} key={token} done={setCame} />;
  return (
    <article class="page entrance">
      <div class="lede">
        <h1>{say("welcome.none.title")}</h1>
        <p>{say("welcome.none")}</p>
      </div>
      <p><a href={address("/login")}>{say("welcome.none.login")}</a></p>
    </article>
  );
}

function Choose({ token, done }: { token: string; done: (session: Session) => void }) {
  const say = useTexts();
  const session = useSession();
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  // What is not finished yet is not wrong yet: it is said when the reader has left the field, or wants to come in.
  const [left, setLeft] = useState({ password: false, again: false });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [unkept, setUnkept] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);

  const count = [...password].length;
  const latin = isLatin(password) && isLatin(again);
  const rules: { key: PeopleKey; held: boolean }[] = [
    { key: count ? "welcome.rule.length.now" : "welcome.rule.length", held: count >= SHORTEST && count <= LONGEST },
    { key: "welcome.rule.latin", held: count > 0 && latin },
    { key: "welcome.rule.same", held: count > 0 && password === again },
  ];
  const wrong = !isLatin(password)
    ? say("welcome.letters")
    : count > LONGEST
      ? say("welcome.long", { n: count })
      : left.password && count < SHORTEST
        ? say("welcome.short", { n: count })
        : null;
  const differ = password !== again && (left.again || !password.startsWith(again)) ? say(isLatin(again) ? "welcome.differ" : "welcome.letters") : null;

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setLeft({ password: true, again: true });
    if (!rules.every((rule) => rule.held)) return form.current && toFirstWrong(form.current);
    setBusy(true);
    setProblem(null);
    try {
      const answer = (await (await send("POST", "/v1/welcome", { token, password })).json()) as Session;
      usedInvitation();
      if ((await changedSession()).name === null) setUnkept(true);
      else done(answer);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <article class="page entrance">
      <div class="lede">
        <h1>{say("welcome.title")}</h1>
        <p>{say("welcome.lede")}</p>
      </div>
      <p>{say("welcome.once")}</p>
      {session?.name && !busy && <p class="note">{say("welcome.already", { name: session.name })}</p>}
      <form class="form" ref={form} method="post" noValidate onSubmit={(event) => void submit(event)} aria-busy={busy}>
        <div id="rules">
          <p class="form-rules">{say("welcome.rules")}</p>
          <ul class="checks">
            {rules.map((rule) => (
              <li key={rule.key} class={rule.held ? "held" : ""}>
                {say(rule.key, { n: count })} <span class="unseen">({say(rule.held ? "welcome.rule.held" : "welcome.rule.open")})</span>
              </li>
            ))}
          </ul>
        </div>
        <p class="soft small">{say("welcome.advice")}</p>
        <Password id="new-password" label={say("welcome.password")} value={password} set={setPassword} autocomplete="new-password" wrong={wrong} about="rules" left={() => setLeft((now) => ({ ...now, password: now.password || password !== "" }))} />
        <Password id="again" label={say("welcome.again")} value={again} set={setAgain} autocomplete="new-password" wrong={differ} left={() => setLeft((now) => ({ ...now, again: now.again || again !== "" }))} />
        <p class="unseen" role="status">{wrong ?? differ ?? ""}</p>
        <div class="row">
          <button type="submit" class="action primary">{say(busy ? "welcome.busy" : "welcome.submit")}</button>
        </div>
        {problem && <Refused problem={problem} instead={{ not_changed: "welcome.refused" }} />}
        {unkept && <p class="trouble" role="alert">{say("login.unkept")}</p>}
      </form>
    </article>
  );
}

/** Who has come in learns the name of the account, by which to come in from now on. */
function Done({ session }: { session: Session }) {
  const say = useTexts();
  const { t } = useWords();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  const operates = session.role === "operator";
  return (
    <article class="page entrance">
      <h1 tabIndex={-1} ref={title}>{say("welcome.done")}</h1>
      <p>
        {say("welcome.done.name")} <bdi dir="ltr" class="account-name">{session.name}</bdi> ({t(`role.${session.role}` as "role.analyst")}).
      </p>
      <p>{say("welcome.done.keep")}</p>
      <p class="row">
        {operates && <a class="action primary" href={address("/people")}>{say("welcome.done.people")}</a>}
        <a class={operates ? "action" : "action primary"} href={address("/sql")}>{say("welcome.done.sql")}</a>
      </p>
    </article>
  );
}
