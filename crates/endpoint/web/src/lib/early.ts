// What the first page reads for its reader alone, asked for before the page is loaded. Taken once: it may be answered otherwise later.
const begun = new Map<string, Promise<Response>>();

const ask = (url: string, signal?: AbortSignal) => fetch(url, { headers: { accept: "application/json" }, signal });

/** Begins to ask. A failure is left to the page, which meets it again. */
export function beginOwn(url: string): void {
  const answer = ask(url);
  answer.catch(() => begun.delete(url));
  begun.set(url, answer);
}

/** The answer that was begun, or a new one. */
export function own(url: string, signal: AbortSignal): Promise<Response> {
  const early = begun.get(url);
  begun.clear();
  return early ?? ask(url, signal);
}
