// What the pages of people share: fields with their labels, rules and errors; what a refusal says.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../lib/api";
import { filled, useWords } from "../lib/words";
import { texts, type PeopleKey } from "../messages-people";
import "../style/people.css";

type Say = (key: PeopleKey, values?: Record<string, string | number>) => string;

/** The messages of these pages in the reader's language. */
export function useTexts(): Say {
  const { lang } = useWords();
  return (key, values) => filled(texts[key], lang, values);
}

/** A text of these pages by a name that is made of a code, or the code itself where there is none. */
export function named(say: Say, kind: string, code: string): string {
  const key = `${kind}.${code}`;
  return key in texts ? say(key as PeopleKey) : code;
}

/** What a field tells a screen reader: which texts are about it, and that it is wrong. */
export interface Told {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface FieldProps {
  id: string;
  label: string;
  /** What is asked for, before anything is typed. */
  rule?: ComponentChildren;
  wrong?: string | null;
  children: (told: Told) => ComponentChildren;
}

/** A field with its label, its rule, and what is wrong with it. */
export function Field({ id, label, rule, wrong, children }: FieldProps) {
  const about = [rule ? `${id}-rule` : "", wrong ? `${id}-wrong` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rule && <div class="field-rule" id={`${id}-rule`}>{rule}</div>}
      {children({ id, "aria-describedby": about || undefined, "aria-invalid": wrong ? true : undefined })}
      {wrong && <p class="field-wrong" id={`${id}-wrong`}>{wrong}</p>}
    </div>
  );
}

interface PasswordProps {
  id: string;
  label: string;
  value: string;
  set: (value: string) => void;
  autocomplete: "current-password" | "new-password";
  wrong?: string | null;
  /** Texts elsewhere on the page that are about the field. */
  about?: string;
  left?: () => void;
}

/** A password, hidden until it is asked to be seen. */
export function Password({ id, label, value, set, autocomplete, wrong, about, left }: PasswordProps) {
  const say = useTexts();
  const [shown, show] = useState(false);
  return (
    <Field id={id} label={label} wrong={wrong}>
      {(told) => (
        <div class="field-secret">
          <input
            {...told}
            aria-describedby={[about, told["aria-describedby"]].filter(Boolean).join(" ") || undefined}
            dir="ltr"
            name={id}
            type={(shown ? "text" : "password") as "password"}
            autocomplete={autocomplete}
            autocapitalize="none"
            spellcheck={false}
            required
            value={value}
            onInput={(event) => set(event.currentTarget.value)}
            onBlur={left}
          />
          <button type="button" class="action" aria-label={say(shown ? "people.hide.what" : "people.show.what", { label })} onClick={() => show(!shown)}>
            {say(shown ? "people.hide" : "people.show")}
          </button>
        </div>
      )}
    </Field>
  );
}

/** A time to wait, in words. */
function waitText(say: Say, seconds: number): string {
  if (seconds > 90) return say("wait.minutes", { n: Math.ceil(seconds / 60) });
  return seconds === 1 ? say("wait.second") : say("wait.seconds", { n: seconds });
}

/** What a refusal says: in the reader's language by its code, then in the service's own words. */
export function Refused({ problem, instead }: { problem: Problem; instead?: Partial<Record<string, PeopleKey>> }) {
  const say = useTexts();
  const [over, setOver] = useState(false);
  useEffect(() => {
    setOver(false);
    if (!problem.wait || problem.code !== "locked_out") return;
    const timer = setTimeout(() => setOver(true), problem.wait * 1000);
    return () => clearTimeout(timer);
  }, [problem]);
  const known = instead?.[problem.code] ?? (`refused.${problem.status === 0 ? "network" : problem.code}` as PeopleKey);
  const text = problem.code === "locked_out" && over ? say("refused.locked_out.over") : say(known in texts ? known : "refused.other", { wait: waitText(say, problem.wait ?? 60) });
  // What stands in the reader's language says it all of these; of others the service knows more.
  const own = ["not_proven", "locked_out", "plain_connection", "other_origin"].includes(problem.code) || problem.status === 0;
  return (
    <div class="trouble" role="alert">
      <p><strong>{text}</strong></p>
      {!own && (problem.detail || problem.title) && (
        <p class="small">
          {say("people.said")} <span lang="en" dir="ltr">{[problem.detail || problem.title, problem.hint].filter(Boolean).join(" ")}</span>
        </p>
      )}
    </div>
  );
}

/** Puts the reader at the first field of a form that is wrong. */
export function toFirstWrong(form: HTMLFormElement): void {
  // The page must have said first which that is.
  setTimeout(() => form.querySelector<HTMLElement>("[aria-invalid]")?.focus());
}
