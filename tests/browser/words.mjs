// The texts of the pages, read from their source: a story looks for what a reader is told, in her language.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const pair = /"([\w.]+)": \[\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*"),?\s*\]/g;
const read = (...names) => {
  const source = names.map((name) => readFileSync(join(import.meta.dirname, "../../crates/endpoint/web/src", name), "utf8")).join("\n");
  return new Map([...source.matchAll(pair)].map(([, key, en, ur]) => [key, { en: JSON.parse(en), ur: JSON.parse(ur) }]));
};
/** The dashboard's, those of the steward's pages, and those of the page of an agency. */
const texts = {
  pages: read("messages.ts", "messages-people.ts", "messages-questions.ts"),
  steward: read("messages-queue.ts", "messages-feed.ts", "messages-feeds.ts"),
  agency: read("messages-feed.ts", "agency/texts.ts"),
};

/** The text of a key in a language; what is filled in stands between isolates in Urdu, as on the pages. */
export function text(lang, key, values = {}, of = "pages") {
  const found = texts[of].get(key);
  if (!found) throw new Error(`no text ${key}`);
  const [open, close] = lang === "ur" ? ["\u2068", "\u2069"] : ["", ""];
  return found[lang].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? `${open}${values[name]}${close}` : whole));
}
