// The frame of the page: the key, whose page it is, its parts.
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "../lib/api";
import type { Lang } from "../lib/route";
import { Arrived, SetAside } from "./arrived";
import { ask, json, show, useDoor, type Feed, type Own } from "./api";
import { Check, Templates } from "./check";
import { Attention, Calendar, Quality } from "./quality";
import { Spoken, useSay, type TextKey } from "./texts";

function chosen(): Lang {
  const said = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("amanat:lang");
  return said === "ur" ? "ur" : "en";
}

export function Door() {
  const [lang, setLang] = useState(chosen);
  useEffect(() => {
    document.documentElement.lang = lang;
    document.documentElement.dir = lang === "ur" ? "rtl" : "ltr";
  }, [lang]);
  return (
    <Spoken.Provider value={lang}>
      <Page
        turn={() => {
          const other = lang === "ur" ? "en" : "ur";
          localStorage.setItem("amanat:lang", other);
          setLang(other);
        }}
        lang={lang}
      />
    </Spoken.Provider>
  );
}

function Page({ turn, lang }: { turn: () => void; lang: Lang }) {
  const say = useSay();
  const [own, setOwn] = useState<Own | null>(null);
  const other = lang === "ur" ? "en" : "ur";
  useEffect(() => {
    document.title = `${own ? `${own.agency} · ` : ""}${say("title")}`;
  }, [own, lang]);
  // Where the connection has shown a certificate, no key is needed.
  useEffect(() => void json<Own>("/v1/agency").then(setOwn, () => {}), []);
  return (
    <>
      <header class="head">
        <a class="skip" href="#content">{say("skip")}</a>
        <div class="head-line">
          <span class="brand">
            <span class="brand-name">{lang === "ur" ? "امانت" : "Amanat"}</span>
            <span class="brand-sub">{say("title")}</span>
          </span>
          <div class="head-tools">
            <button type="button" class="tool language" lang={other} onClick={turn}>{say("language")}</button>
            {own && (
              <button
                type="button"
                class="tool"
                onClick={() => {
                  show("");
                  setOwn(null);
                }}
              >
                {say("key.leave")}
              </button>
            )}
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <article class="page">{own ? <Agency own={own} lang={lang} renew={() => void json<Own>("/v1/agency").then(setOwn, () => {})} /> : <Key enter={setOwn} />}</article>
      </main>
    </>
  );
}

/** Asks for the key. */
function Key({ enter }: { enter: (own: Own) => void }) {
  const say = useSay();
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    setProblem(null);
    setWrong(key.trim() ? null : say("key.missing"));
    if (!key.trim()) return field.current?.focus();
    setBusy(true);
    try {
      show(key);
      enter((await (await ask("/v1/agency")).json()) as Own);
    } catch (error) {
      show("");
      const said = asProblem(error);
      if (said.status === 401) setWrong(say("key.wrong"));
      else setProblem(said);
      field.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <div class="lede">
        <h1>{say("title")}</h1>
        <p>{say("key.lede")}</p>
      </div>
      <form class="form" method="post" noValidate onSubmit={(event) => void submit(event)} aria-busy={busy}>
        <div class="field">
          <label for="key">{say("key.label")}</label>
          <div class="field-rule" id="key-rule">{say("key.rule")}</div>
          <input
            id="key"
            ref={field}
            type="password"
            dir="ltr"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            required
            aria-describedby={wrong ? "key-rule key-wrong" : "key-rule"}
            aria-invalid={wrong ? true : undefined}
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
          {wrong && <p class="field-wrong" id="key-wrong" role="alert">{wrong}</p>}
        </div>
        <div class="row"><button type="submit" class="action primary" disabled={busy}>{say("key.enter")}</button></div>
        {problem && <Failed problem={problem} />}
      </form>
    </>
  );
}

const PARTS: [string, TextKey][] = [
  ["attention", "attention"],
  ["arrived", "arrived"],
  ["aside", "aside"],
  ["check", "check"],
  ["templates", "templates"],
  ["quality", "quality"],
  ["calendar", "calendar"],
];

function Agency({ own, lang, renew }: { own: Own; lang: Lang; renew: () => void }) {
  const say = useSay();
  const [again, setAgain] = useState(0);
  const feed = useDoor<Feed>("/v1/feed", again);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <div class="lede">
        <h1 tabIndex={-1} ref={heading}>{own[lang]}</h1>
        <p><bdi dir="ltr" class="account-name">{own.agency}</bdi></p>
      </div>
      <nav class="parts" aria-label={say("nav")}>
        <ul>
          {PARTS.map(([id, name]) => <li key={id}><a href={`#${id}`}>{say(name)}</a></li>)}
          <li><button type="button" class="action" onClick={() => setAgain(again + 1)}>{say("again")}</button></li>
        </ul>
      </nav>
      <Attention feed={feed} />
      <Arrived again={again} />
      <SetAside again={again} />
      <Check own={own} sent={() => setAgain(again + 1)} />
      <Templates own={own} placed={renew} />
      <Quality feed={feed} />
      <Calendar feed={feed} />
    </>
  );
}

/** A refusal in the door's own words. */
export function Failed({ problem }: { problem: Problem }) {
  const say = useSay();
  return (
    <div class="trouble" role="alert">
      <p><strong>{say("failed")}</strong></p>
      <p class="small" lang="en" dir="ltr">{[problem.detail || problem.title, problem.hint].filter(Boolean).join(" ")}</p>
    </div>
  );
}
