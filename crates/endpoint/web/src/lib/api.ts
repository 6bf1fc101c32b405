// What the service answers, and how it is asked: `/v1/…` of the same origin and nothing else.
import { useEffect, useState } from "preact/hooks";

/** A text in the two languages of the service. */
export interface Text {
  en: string;
  ur: string;
}

export interface Code extends Text {
  code: string;
}

export interface Dimension {
  name: string;
  title: Text;
  code_list: string | null;
  codes: Code[];
}

/** An indicator as the list has it. */
export interface Brief {
  id: string;
  title: Text;
  description: Text;
  unit: string;
  dimensions: string[];
}

export interface Indicators {
  edition: number | null;
  synthetic: boolean | null;
  indicators: Brief[];
}

interface Legend {
  note: Text;
  obs_status: ({ code: string } & Text)[];
  conf_status: ({ code: string } & Text)[];
  common_codes: ({ code: string } & Text)[];
}

/** The definition of an indicator. */
export interface Definition {
  id: string;
  title: Text;
  description: Text;
  unit: string;
  counting_rule: Text;
  time_basis: Text;
  agencies: string[];
  standard: string[];
  sensitivity: string;
  since: string;
  dimensions: Dimension[];
  measures: string[];
  periods: string[];
  row_count: number;
  edition: number | null;
  synthetic: boolean | null;
  legend: Legend;
}

export type Cell = string | number | boolean | null;

/** A table as the service writes it: rows are arrays in the order of the columns. */
export interface Grid {
  columns: { name: string; type: string }[];
  row_count: number;
  rows: Cell[][];
  edition: number | null;
}

/** Rows of an indicator. */
export interface Data extends Grid {
  indicator: string;
  title: Text;
  unit: string;
  edition: number;
  as_of: string;
  published_at: string;
  synthetic: boolean;
}

export interface Edition {
  edition: number;
  as_of: string;
  published_at: string;
  synthetic: boolean;
  methodology: string | null;
  policy_hash: string | null;
  sql_hash: string | null;
}

export interface Editions {
  latest: number | null;
  editions: Edition[];
}

/** A refusal (RFC 9457) with what to do about it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly hint: string,
    readonly code: string,
    readonly place: { line: number; column: number } | null = null,
    readonly instead: string | null = null,
    /** After how many seconds it is worth trying again, where the service says so. */
    readonly wait: number | null = null,
  ) {
    super(detail || title);
  }
}

/** The problem that an answer states, or one made of its status where it states none. */
export async function problemOf(response: Response): Promise<Problem> {
  const said = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (name: string) => (typeof said[name] === "string" ? (said[name] as string) : "");
  const place = said.place as { line: number; column: number } | undefined;
  const rewrite = (said.rewrite ?? said.instead) as string | undefined;
  const title = text("title") || `HTTP ${response.status}`;
  return new Problem(
    response.status,
    title,
    text("detail"),
    text("hint"),
    text("code"),
    place ?? null,
    typeof rewrite === "string" ? rewrite : null,
    Number(response.headers.get("retry-after")) || null,
  );
}

const asked = new Map<string, Promise<unknown>>();
/** What the browser has kept of an edition is good until the reader asks for the next. */
let cache: RequestCache = "default";

/** The JSON at an address, asked for once in the life of the page. A failure is forgotten, so that it can be tried again. */
export function get<T>(url: string): Promise<T> {
  const known = asked.get(url);
  if (known) return known as Promise<T>;
  const answer = fetch(url, { headers: { accept: "application/json" }, cache }).then(async (response) => {
    if (!response.ok) throw await problemOf(response);
    return (await response.json()) as T;
  });
  answer.catch(() => asked.delete(url));
  asked.set(url, answer);
  return answer;
}

/** Forgets what was read, after the reader has asked for the new edition. */
export function forget(): void {
  asked.clear();
  cache = "no-cache";
}

export type Loaded<T> = { state: "loading" } | { state: "failed"; problem: Problem } | { state: "ready"; value: T };

/** A failure of any kind as a problem: a connection that breaks has no document of its own. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, "", String(error), "", "");
}

/** What several addresses answer, loaded together. */
export function useAll<T extends unknown[]>(urls: string[]): Loaded<T> {
  const key = urls.join(" ");
  const [{ loaded, of }, keep] = useState<{ loaded: Loaded<T>; of: string }>({ loaded: { state: "loading" }, of: key });
  useEffect(() => {
    let current = true;
    const set = (answer: Loaded<T>) => keep({ loaded: answer, of: key });
    Promise.all(urls.map((url) => get(url))).then(
      (value) => current && set({ state: "ready", value: value as T }),
      (error) => current && set({ state: "failed", problem: asProblem(error) }),
    );
    return () => {
      current = false;
    };
    // The addresses are the key.
  }, [key]);
  return of === key ? loaded : { state: "loading" };
}

/** What one address answers. */
export function useGet<T>(url: string): Loaded<T> {
  const all = useAll<[T]>([url]);
  return all.state === "ready" ? { state: "ready", value: all.value[0] } : all;
}
