// Coming in by name and password.
import { useEffect, useRef, useState } from "preact/hooks";
import { Field, Password, Refused, toFirstWrong, useTexts } from "../parts/entry";
import { asProblem, type Problem } from "../lib/api";
import { address, go, useRoute } from "../lib/route";
import { changedSession, send, useSession } from "../lib/session";
import { useWords } from "../lib/words";

/** Where one goes from here: a page of this service, and nothing else that an address may have been made to say. */
function destination(said: string | null): string {
  // A path alone: `//host` and `/\\host` are addresses elsewhere.
  const own = said && /^\/(?![/\\])/.test(said) && URL.canParse(said, location.origin) ? new URL(said, location.origin) : null;
  if (!own || own.origin !== location.origin || ["/login", "/welcome"].includes(own.pathname)) return address("/sql");
  const query = Object.fromEntries(own.searchParams);
  // The language is that of the reader now.
  delete query.lang;
  return address(own.pathname, query);
}

export function Login() {
  const { t } = useWords();
  const say = useTexts();
  const { query } = useRoute();
  const session = useSession();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [missing, setMissing] = useState<{ name: boolean; password: boolean }>({ name: false, password: false });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [unkept, setUnkept] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const to = destination(query.get("to"));
  useEffect(() => form.current?.querySelector("input")?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    const empty = { name: !name.trim(), password: !password };
    setMissing(empty);
    if (empty.name || empty.password) return form.current && toFirstWrong(form.current);
    setBusy(true);
    setProblem(null);
    setUnkept(false);
    try {
      await send("POST", "/v1/session", { name: name.trim(), password });
      // What the browser keeps, and not what was answered, is what the next page will have.
      if ((await changedSession()).name === null) return setUnkept(true);
      go(to, true);
      document.getElementById("content")?.focus();
    } catch (error) {
      setProblem(asProblem(error));
      setPassword("");
      form.current?.querySelector<HTMLInputElement>("#password")?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <article class="page entrance">
      <div class="lede">
        <h1>{t("site.signin")}</h1>
        <p>{say("login.lede")}</p>
      </div>
      {session?.name && !busy && (
        <p class="note">
          {say("login.already", { name: session.name })} <a href={to}>{say("login.goon", { name: session.name })}</a>
        </p>
      )}
      {session?.sign_in && (
        <p class="row">
          <a class="action" href={`${session.sign_in.at}?to=${encodeURIComponent(to)}`}>{say("login.provider", { name: session.sign_in.name })}</a>
        </p>
      )}
      <form class="form" ref={form} method="post" noValidate onSubmit={(event) => void submit(event)} aria-busy={busy}>
        <Field id="username" label={say("people.name")} wrong={missing.name && !name.trim() ? say("people.missing") : null}>
          {(told) => (
            <input {...told} name="username" type="text" dir="ltr" autocomplete="username" autocapitalize="none" spellcheck={false} required value={name} onInput={(event) => setName(event.currentTarget.value)} />
          )}
        </Field>
        <Password id="password" label={say("people.password")} value={password} set={setPassword} autocomplete="current-password" wrong={missing.password && !password ? say("people.missing") : null} />
        <div class="row">
          <button type="submit" class="action primary">{say(busy ? "login.busy" : "login.submit")}</button>
        </div>
        {problem && <Refused problem={problem} />}
        {unkept && <p class="trouble" role="alert">{say("login.unkept")}</p>}
      </form>
      <p class="soft small">{say("login.none")}</p>
    </article>
  );
}
