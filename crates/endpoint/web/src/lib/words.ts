// The language of the reader: messages with places to fill, texts of the service, names of codes.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Definition, Text } from "./api";
import { isFiscal, isQuarter } from "./cells";
import { messages, type Key, type Pair } from "../messages";
import type { Lang } from "./route";

export interface Words {
  lang: Lang;
  /** A message of the interface. `{name}` is filled with the value of that name. */
  t: (key: Key, values?: Record<string, string | number>) => string;
  /** A text of the service in the reader's language. */
  of: (text: Text) => string;
  /** A period: the year, the quarter with its year, the fiscal year, or that the time is unknown. */
  period: (period: string) => string;
}

/** A text in a language, with its places filled. */
export function filled(pair: Pair, lang: Lang, values: Record<string, string | number> = {}): string {
  // In a line from right to left, what is filled in keeps its own direction: a date or an interval must not be turned round.
  const [open, close] = lang === "ur" ? ["\u2068", "\u2069"] : ["", ""];
  return pair[lang === "ur" ? 1 : 0].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? `${open}${values[name]}${close}` : whole));
}

export function words(lang: Lang): Words {
  const t: Words["t"] = (key, values) => filled(messages[key], lang, values);
  return {
    lang,
    t,
    of: (text) => text[lang] || text.en,
    period: (period) => {
      if (period === "_X") return t("period.unknown");
      if (isFiscal(period)) return t("period.fiscal", { years: period.slice(2) });
      return isQuarter(period) ? t("period.quarter", { quarter: period.slice(6), year: period.slice(0, 4) }) : period;
    },
  };
}

export const Language = createContext<Words>(words("en"));

export function useWords(): Words {
  return useContext(Language);
}

/** The name of a code of a dimension, or the code itself where the service has no name for it. */
export function codeName(definition: Definition, dimension: string, code: string, lang: Lang): string {
  const found = definition.dimensions.find((d) => d.name === dimension)?.codes.find((c) => c.code === code);
  if (found) return found[lang] || found.en;
  const common = definition.legend.common_codes.find((c) => c.code === code);
  return common ? common[lang] || common.en : code;
}

/** The name of a measure: a message where there is one, else the name in the data with its underlines opened. */
export function measureName(measure: string, words: Words): string {
  const key = `measure.${measure}`;
  return key in messages ? words.t(key as Key) : measure.replaceAll("_", " ");
}
