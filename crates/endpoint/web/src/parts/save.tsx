// Saving a question, and what its owner does with a saved one. Loaded for those who may.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Field, Refused, toFirstWrong } from "./entry";
import { useTexts } from "./saved";
import { asProblem, useGet, type Problem } from "../lib/api";
import { address, go } from "../lib/route";
import { KINDS, type Parameter, type Saved } from "../lib/saved";
import { send, type Session } from "../lib/session";
import { useWords } from "../lib/words";

const isName = (name: string) => /^[a-z0-9][a-z0-9-]{0,59}$/.test(name);
/** What addresses of answers and of pages say beside parameters. */
const RESERVED = ["format", "bom", "companions", "lang", "edition"];
const isParameter = (name: string) => /^[a-z0-9_]{1,60}$/.test(name) && !RESERVED.includes(name);

/** A name that a title suggests. */
function suggested(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 60).replace(/^-+|-+$/g, "");
}

/** The names of the code lists. */
interface Lists {
  code_lists: { name: string }[];
}

interface Saving {
  /** The question as it is now. */
  sql: string;
  parameters: Parameter[];
  setParameters: (parameters: Parameter[]) => void;
  /** The saved question that is changed; null for a new one. */
  saved: Saved | null;
  session: Session;
  close: () => void;
}

export function SaveForm({ sql, parameters, setParameters, saved, session, close }: Saving) {
  const say = useTexts();
  const [title, setTitle] = useState(saved?.title.en ?? "");
  const [titleUr, setTitleUr] = useState(saved?.title.ur ?? "");
  const [description, setDescription] = useState(saved?.description.en ?? "");
  const [descriptionUr, setDescriptionUr] = useState(saved?.description.ur ?? "");
  const [own, setOwn] = useState<string | null>(saved?.name ?? null);
  const [audience, setAudience] = useState(saved?.audience ?? "readers");
  const [schedule, setSchedule] = useState(saved?.schedule ?? "asked");
  const [taken, setTaken] = useState<string | null>(null);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const name = own ?? suggested(title);
  const missing = (text: string) => (tried && !text.trim() ? say("save.missing") : null);
  // What can still become right as it is typed is not wrong yet.
  const wrongName = name === taken ? say("save.name.taken") : !isName(name) && (tried || name !== "") ? say(name ? "save.name.wrong" : "save.missing") : null;
  const twice = (at: number) => parameters.some((p, n) => n < at && p.name === parameters[at]?.name);
  const wrongParameter = (p: Parameter, at: number) => (tried && (!isParameter(p.name) || twice(at)) ? say(p.name ? "save.parameter.name.wrong" : "save.missing") : null);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setTried(true);
    const isWrong = !title.trim() || !isName(name) || parameters.some((p, n) => !isParameter(p.name) || twice(n) || (p.type !== "text" && !p.default.trim()));
    if (isWrong) return form.current && toFirstWrong(form.current);
    setBusy(true);
    setProblem(null);
    try {
      // A new question takes no other's place, not even one of the same account.
      if (!saved && (await isTaken(name))) {
        setTaken(name);
        return form.current && toFirstWrong(form.current);
      }
      const texts = { title, title_ur: titleUr, description, description_ur: descriptionUr };
      await send("PUT", `/v1/questions/${name}`, { ...texts, parameters, schedule, ...(session.role === "steward" ? { audience } : {}), sql });
      go(address(`/questions/${name}`));
      document.getElementById("content")?.focus();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="saving" aria-labelledby="saving">
      <h2 id="saving" class="rule" tabIndex={-1} ref={heading}>{say(saved ? "save.title.edit" : "save.title")}</h2>
      <p>{say("save.lede")}</p>
      <form class="form" ref={form} method="post" noValidate onSubmit={(event) => void submit(event)} aria-busy={busy}>
        <Field id="save-title" label={say("save.heading")} rule={say("save.heading.rule")} wrong={missing(title)}>
          {(told) => <input {...told} type="text" dir="auto" autocomplete="off" required maxLength={300} value={title} onInput={(event) => setTitle(event.currentTarget.value)} />}
        </Field>
        <Field id="save-title-ur" label={say("save.heading.ur")} rule={say("save.optional")}>
          {(told) => <input {...told} type="text" dir="rtl" lang="ur" autocomplete="off" maxLength={300} value={titleUr} onInput={(event) => setTitleUr(event.currentTarget.value)} />}
        </Field>
        <Field id="save-name" label={say("save.name")} rule={say("save.name.rule")} wrong={wrongName}>
          {(told) => <input {...told} type="text" dir="ltr" autocomplete="off" autocapitalize="none" spellcheck={false} required readOnly={saved !== null} value={name} onInput={(event) => setOwn(event.currentTarget.value)} />}
        </Field>
        <Field id="save-description" label={say("save.description")} rule={<>{say("save.description.rule")} ({say("save.optional")})</>}>
          {(told) => <textarea {...told} rows={3} dir="auto" maxLength={2000} value={description} onInput={(event) => setDescription(event.currentTarget.value)} />}
        </Field>
        <Field id="save-description-ur" label={say("save.description.ur")} rule={say("save.optional")}>
          {(told) => <textarea {...told} rows={3} dir="rtl" lang="ur" maxLength={2000} value={descriptionUr} onInput={(event) => setDescriptionUr(event.currentTarget.value)} />}
        </Field>
        {parameters.map((p, n) => (
          <Hole
            key={n}
            sign={`$${n + 1}`}
            parameter={p}
            wrong={wrongParameter(p, n)}
            missing={p.type === "text" ? null : missing(p.default)}
            set={(to) => setParameters(parameters.map((other, m) => (m === n ? to : other)))}
          />
        ))}
        {session.role === "steward" && (
          <Field id="save-audience" label={say("save.audience")}>
            {(told) => (
              <select {...told} value={audience} onChange={(event) => setAudience(event.currentTarget.value as typeof audience)}>
                {(["readers", "public"] as const).map((one) => <option value={one} key={one}>{say(`save.audience.${one}`)}</option>)}
              </select>
            )}
          </Field>
        )}
        <label class="check"><input type="checkbox" checked={schedule === "edition"} onChange={(event) => setSchedule(event.currentTarget.checked ? "edition" : "asked")} /> {say("save.schedule")}</label>
        <div class="row">
          <button type="submit" class="action primary" disabled={busy}>{say(busy ? "save.busy" : "save.submit")}</button>
          <button type="button" class="action" onClick={close}>{say("save.cancel")}</button>
        </div>
        {problem && <Refused problem={problem} />}
      </form>
    </section>
  );
}

async function isTaken(name: string): Promise<boolean> {
  const response = await fetch("/v1/questions", { headers: { accept: "application/json" } });
  return response.ok && ((await response.json()) as Saved[]).some((other) => other.name === name);
}

interface Describing {
  sign: string;
  parameter: Parameter;
  wrong: string | null;
  missing: string | null;
  set: (parameter: Parameter) => void;
}

/** What stands for one of `$1`, `$2`, …. */
function Hole({ sign, parameter, wrong, missing, set }: Describing) {
  const say = useTexts();
  const id = useId();
  const lists = useGet<Lists>("/v1/code-lists");
  const names = lists.state === "ready" ? lists.value.code_lists.map((l) => l.name) : [];
  const text = (label: string, part: "name" | "default" | "description", wrongly: string | null, more: { dir: "ltr" | "auto" }): ComponentChildren => (
    <Field id={`${id}-${part}`} label={label} wrong={wrongly}>
      {(told) => <input {...told} {...more} type="text" autocomplete="off" autocapitalize="none" spellcheck={false} maxLength={200} value={parameter[part]} onInput={(event) => set({ ...parameter, [part]: event.currentTarget.value })} />}
    </Field>
  );
  return (
    <fieldset class="hole">
      <legend>{say("save.parameter", { sign })}</legend>
      {text(say("save.parameter.name"), "name", wrong, { dir: "ltr" })}
      <Field id={`${id}-type`} label={say("save.parameter.type")}>
        {(told) => (
          <select {...told} value={parameter.type} onChange={(event) => set({ ...parameter, type: event.currentTarget.value as Parameter["type"], code_list: undefined })}>
            {KINDS.map((kind) => <option value={kind} key={kind}>{say(`kind.${kind}`)}</option>)}
          </select>
        )}
      </Field>
      {parameter.type === "text" && (
        <Field id={`${id}-list`} label={say("save.parameter.list")}>
          {(told) => (
            <select {...told} value={parameter.code_list ?? ""} onChange={(event) => set({ ...parameter, code_list: event.currentTarget.value || undefined })}>
              <option value="">{say("save.parameter.list.none")}</option>
              {[...new Set([...names, ...(parameter.code_list ? [parameter.code_list] : [])])].map((name) => <option value={name} key={name}>{name}</option>)}
            </select>
          )}
        </Field>
      )}
      {text(say("save.parameter.default"), "default", missing, { dir: "auto" })}
      {text(say("save.parameter.description"), "description", null, { dir: "auto" })}
    </fieldset>
  );
}

/** What its owner, or a steward, does with a saved question. */
export function Manage({ saved }: { saved: Saved }) {
  const say = useTexts();
  const [leaving, setLeaving] = useState(false);
  return (
    <div class="row acts">
      <a class="action" href={address("/sql", { question: saved.name })}>{say("one.edit")}</a>
      <button type="button" class="action" onClick={() => setLeaving(true)}>{say("one.delete")}</button>
      {leaving && <Removal saved={saved} kept={() => setLeaving(false)} />}
    </div>
  );
}

/** Asks before a question is deleted, and says why not where it is refused. */
function Removal({ saved, kept }: { saved: Saved; kept: () => void }) {
  const { of } = useWords();
  const say = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const remove = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await send("DELETE", `/v1/questions/${saved.name}`);
      go(address("/questions"), true);
      document.getElementById("content")?.focus();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  // Closed by Escape or by the button alike, it gives the focus back to the button that opened it.
  return (
    <dialog class="ask" ref={dialog} aria-labelledby={title} onClose={kept}>
      <h2 id={title}>{say("one.delete.title", { name: of(saved.title) })}</h2>
      <p>{say("one.delete.text")}</p>
      {problem && <Refused problem={problem} />}
      <p class="row">
        <button type="button" class="action" onClick={() => dialog.current?.close()}>{say("one.delete.no")}</button>
        <button type="button" class="action danger" disabled={busy} onClick={() => void remove()}>{say("one.delete.yes")}</button>
      </p>
    </dialog>
  );
}
