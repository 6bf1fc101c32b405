// What the agencies' door answers. The key is in the memory of this page alone: it goes when the page is closed.
import { problemOf, type Loaded, asProblem } from "../lib/api";
import type { Alert, Contradiction, Expected, Month, OfType } from "../lib/feed";
import { useEffect, useState } from "preact/hooks";

export interface Own {
  agency: string;
  en: string;
  ur: string;
  emits: string[];
  templates: string[];
  mappings: string[];
  events_in_a_request: number;
  body_bytes: number;
}

export interface Counts {
  durable: number;
  accepted: number;
  set_aside: number;
  duplicate: number;
  conflict: number;
  passed_over: number;
}

export interface Listed {
  receipt: string;
  url: string;
  made: string;
  refused: number;
  counts: Counts;
}

export interface Mistake {
  place: string;
  expected: string;
}

/** A line that the door refused. */
export interface RefusedLine {
  line: number;
  status: number;
  problem: { title: string; code: string; mistakes: Mistake[] };
}

export interface Followed {
  receipt: string;
  made: string;
  counts: Counts;
  events: { line: number; id: string; status: keyof Counts; counted_in?: number; reason?: string; detail?: string }[];
  refused: RefusedLine[];
}

export interface Aside {
  told: string;
  status: "set_aside" | "conflict";
  reason?: string;
  detail?: string;
  stream: string;
  partition: number;
  offset: number;
  receipt?: string;
  line?: number;
}

export interface Day {
  date: string;
  accepted: number;
  duplicates: number;
  conflicts: number;
  set_aside: number;
}

export interface Report {
  agency: string;
  as_of: string;
  months: Month[];
  types: OfType[];
  reports: Expected[];
  contradictions: Contradiction[];
  alerts: Alert[];
}

export interface Feed {
  told: string;
  report: Report;
}

let key = "";

/** From now on this key is shown; none where the connection has a certificate. */
export function show(shown: string): void {
  key = shown.trim();
}

/** Asks the door. A refusal is thrown as the problem that it is. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (key) headers.set("authorization", `Bearer ${key}`);
  const response = await fetch(path, { ...init, headers, cache: "no-store", credentials: "same-origin" });
  if (response.ok) return response;
  throw await problemOf(response);
}

export async function json<T>(path: string): Promise<T> {
  return (await (await ask(path)).json()) as T;
}

/** The answer at an address; asked again when `again` changes. */
export function useDoor<T>(path: string, again = 0): Loaded<T> {
  const [loaded, set] = useState<Loaded<T>>({ state: "loading" });
  useEffect(() => {
    let current = true;
    json<T>(path).then(
      (value) => current && set({ state: "ready", value }),
      (error: unknown) => current && set({ state: "failed", problem: asProblem(error) }),
    );
    return () => {
      current = false;
    };
  }, [path, again]);
  return loaded;
}

/** Gives a file to the reader. */
export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A table as CSV for spreadsheets: with a mark that it is UTF-8, and no cell that begins a formula. */
export function csv(rows: (string | number | undefined)[][]): Blob {
  const cell = (value: string | number | undefined) => {
    const text = String(value ?? "");
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return new Blob(["\ufeff", rows.map((row) => row.map(cell).join(",")).join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" });
}
