// What the pages of saved questions share: their texts, a question's texts, who saved it and what should be known before it is asked.
import type { Text } from "../lib/api";
import type { Parameter, Saved } from "../lib/saved";
import { useSession } from "../lib/session";
import { filled, useWords, type Words } from "../lib/words";
import { texts, type QuestionKey } from "../messages-questions";
import "../style/questions.css";

export type Say = (key: QuestionKey, values?: Record<string, string | number>) => string;

/** The messages of these pages in the reader's language. */
export function useTexts(): Say {
  const { lang } = useWords();
  return (key, values) => filled(texts[key], lang, values);
}

/** A text that may be there in English alone. */
export function Said({ text }: { text: Text }) {
  const { lang } = useWords();
  return text[lang] ? <>{text[lang]}</> : <bdi lang="en">{text.en}</bdi>;
}

/** What a parameter is called. What it means is said in English alone; those of the service's own questions have names here. */
export function parameterName(parameter: Parameter, say: Say, { lang }: Words): string {
  const key = `parameter.${parameter.name}`;
  if (lang === "ur" && key in texts) return say(key as QuestionKey);
  return parameter.description || (key in texts ? say(key as QuestionKey) : parameter.name.replaceAll("_", " "));
}

/** Who saved it, and what is needed to ask it. */
export function Marks({ saved }: { saved: Saved }) {
  const say = useTexts();
  const session = useSession(true);
  return (
    <p class="marks">
      <span>{saved.owner === null ? say("by.service") : say("by.account", { name: saved.owner })}</span>
      {saved.about_records && <span class="mark">{say(session?.name ? "mark.records" : "mark.records.signin")}</span>}
      {saved.audience === "readers" && <span class="mark">{say("mark.readers")}</span>}
    </p>
  );
}
