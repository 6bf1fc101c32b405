// Who reads. The session itself is a cookie that no script sees; here is its account, its role, and what a change must show beside
// it. The service is asked once for each page that is loaded, and again where a session may have begun or ended.
import { useEffect, useState } from "preact/hooks";
import { problemOf } from "./api";
import { address } from "./route";

export interface Session {
  /** Name of the account; null for the public. */
  name: string | null;
  role: string;
  /** Goes into the header `amanat-csrf` of what changes something. */
  csrf?: string;
  /** The OpenID provider by which one can sign in, where there is one. */
  sign_in?: { name: string; at: string };
}

const NOBODY: Session = { name: null, role: "public" };
let asked: Promise<Session> | null = null;
let known: Session | null = null;
const listeners = new Set<(session: Session) => void>();
// What one tab does, the others must know: who signs out means all of them.
let tabs: BroadcastChannel | null = null;

function hear(): void {
  if (tabs || !("BroadcastChannel" in globalThis)) return;
  tabs = new BroadcastChannel("amanat:session");
  tabs.onmessage = () => void renewed();
}

/** Asks the service who reads, whatever it said before. */
export function renewed(): Promise<Session> {
  const answer: Promise<Session> = fetch("/v1/session", { headers: { accept: "application/json" }, cache: "no-store" }).then(
    async (response) => (response.ok ? ((await response.json()) as Session) : NOBODY),
    () => {
      // Nobody, until it is asked again.
      if (asked === answer) asked = null;
      return NOBODY;
    },
  );
  asked = answer;
  void answer.then((session) => {
    if (asked !== answer && asked !== null) return;
    known = session;
    listeners.forEach((tell) => tell(session));
  });
  return answer;
}

/** Who reads. */
export function session(): Promise<Session> {
  hear();
  return asked ?? renewed();
}

/** Who reads, or null while that is not known; `late` where the content of the page comes first. */
export function useSession(late = false): Session | null {
  const [now, set] = useState(known);
  useEffect(() => {
    let current = true;
    const begin = () => current && void session();
    listeners.add(set);
    set(known);
    if (!late) begin();
    else whenIdle(begin);
    return () => {
      current = false;
      listeners.delete(set);
    };
  }, []);
  return now;
}

/** When the content of the page is there and the page has nothing else to do; after a few seconds in any case. */
function whenIdle(work: () => void, tries = 25): void {
  const busy = document.readyState !== "complete" || document.querySelector("main .loading");
  if (busy && tries > 0) setTimeout(() => whenIdle(work, tries - 1), 200);
  else if ("requestIdleCallback" in globalThis) requestIdleCallback(work, { timeout: 1000 });
  else setTimeout(work, 200);
}

/** Sends what changes something. A refusal is thrown as the problem that it is. */
export async function send(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<Response> {
  const { csrf } = await session();
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (csrf) headers["amanat-csrf"] = csrf;
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
  if (response.ok) return response;
  const problem = await problemOf(response);
  // It was not this session that the service saw: another tab has changed it, or it is over.
  if (problem.code === "other_origin" || problem.code === "key_needed") void renewed();
  throw problem;
}

/** After a session has begun or ended: who reads now, as the service sees it, and a word to the other tabs. */
export function changedSession(): Promise<Session> {
  hear();
  tabs?.postMessage("changed");
  return renewed();
}

export async function signOut(): Promise<void> {
  await send("DELETE", "/v1/session");
  await changedSession();
}

/** The address of signing in, which comes back to where the reader is. */
export function signInAddress(): string {
  const inside = ["/login", "/welcome"].includes(location.pathname);
  return address("/login", { to: inside ? null : location.pathname + location.search });
}
