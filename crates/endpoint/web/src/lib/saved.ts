// Saved questions: what each asks, the values of its parameters as an address has them, and where its answer is.
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, problemOf, type Loaded, type Text } from "./api";
import type { Answer } from "./ask";
import { own } from "./early";
import { changed } from "./route";
import { renewed, useSession } from "./session";
import { quoted } from "./sql";

export const KINDS = ["text", "integer", "number", "boolean"] as const;

export interface Parameter {
  name: string;
  type: (typeof KINDS)[number];
  code_list?: string;
  /** Its value where none is given. */
  default: string;
  description: string;
}

export interface Saved {
  name: string;
  title: Text;
  description: Text;
  /** `$1`, `$2`, … in order. */
  parameters: Parameter[];
  schedule: "edition" | "asked";
  audience: "public" | "readers";
  /** The account that saved it; null where the service brings it along. */
  owner: string | null;
  /** Whether it asks protected tables; null where it is refused as it stands. */
  about_records: boolean | null;
  sql: string;
}

/** Values by the name of their parameter. */
export type Values = Record<string, string>;

/** What the address says of each parameter, or its default. */
export function valuesOf(saved: Saved, query: URLSearchParams): Values {
  return Object.fromEntries(saved.parameters.map((p) => [p.name, query.get(p.name) ?? p.default]));
}

/** Of the values those that the address must say; the others are taken away by their null. */
export function unusual(saved: Saved, values: Values): Record<string, string | null> {
  return Object.fromEntries(saved.parameters.map((p) => [p.name, values[p.name] === p.default ? null : (values[p.name] ?? null)]));
}

/** The address of the answer. */
export function answerUrl(saved: Saved, values: Values, companions: boolean, more: Record<string, string> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(unusual(saved, values))) if (value !== null) parameters.set(name, value);
  if (companions) parameters.set("companions", "true");
  for (const [name, value] of Object.entries(more)) parameters.set(name, value);
  const text = parameters.toString();
  return `/v1/questions/${saved.name}/data${text ? `?${text}` : ""}`;
}

/** Asks for the answer at an address. A refusal is thrown as the problem that it is. */
export async function answerAt(url: string, account: boolean, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { headers: { accept: "application/json" }, credentials: account ? "same-origin" : "omit", cache: "no-cache", signal });
  if (response.ok) return (await response.json()) as Answer;
  const problem = await problemOf(response);
  if (account && problem.code === "key_needed") await renewed();
  throw problem;
}

const ASIDE = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"/.source;

/** How many parameters a question has: the highest of its `$1`, `$2`, …. */
export function holes(sql: string): number {
  const found = [...sql.matchAll(new RegExp(`${ASIDE}|\\$(\\d{1,2})`, "g"))];
  return Math.max(0, ...found.map((match) => Number(match[1] ?? 0)));
}

/** The question with its values in the places of `$1`, `$2`, …. */
export function sqlWith(saved: Saved, values: Values): string {
  return saved.sql.replace(new RegExp(`${ASIDE}|\\$(\\d{1,2})`, "g"), (whole, at?: string) => {
    const parameter = at === undefined ? undefined : saved.parameters[Number(at) - 1];
    if (!parameter) return whole;
    const value = values[parameter.name] ?? parameter.default;
    if (parameter.type === "text") return quoted(value);
    // Two signs beside each other would begin a comment.
    return value.startsWith("-") ? `(${value})` : value;
  });
}

/** The values of `$1`, `$2`, … as a question in SQL is sent with them. */
export function paramsOf(parameters: Parameter[]): (string | number | boolean)[] {
  return parameters.map((p) => (p.type === "text" ? p.default : p.type === "boolean" ? p.default === "true" : Number(p.default)));
}

/** Whether it asks the records, so that the account that asks is charged; where the service cannot say, it might. */
export function asksRecords(saved: Saved): boolean {
  return saved.about_records !== false;
}

/** What an address answers this account; asked again when another one signs in or out, for it may answer that one otherwise. */
export function useOwn<T>(url: string): Loaded<T> {
  const session = useSession(true);
  const [loaded, set] = useState<Loaded<T>>({ state: "loading" });
  const [turn, next] = useState(0);
  const account = useRef<string | null | undefined>(undefined);
  useEffect(() => {
    if (!session) return;
    if (account.current !== undefined && account.current !== session.name) next((n) => n + 1);
    account.current = session.name;
  }, [session]);
  useEffect(() => {
    const control = new AbortController();
    own(url, control.signal)
      .then(async (response) => {
        if (!response.ok) throw await problemOf(response);
        return (await response.json()) as T;
      })
      .then(
        (value) => !control.signal.aborted && set({ state: "ready", value }),
        (error) => !control.signal.aborted && set({ state: "failed", problem: asProblem(error) }),
      );
    return () => control.abort();
  }, [url, turn]);
  return loaded;
}

/** The page of a question with these values. */
export function turned(saved: Saved, values: Values, companions: boolean): string {
  return changed({ ...unusual(saved, values), companions: companions ? "true" : null });
}
