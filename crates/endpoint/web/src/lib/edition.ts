// Which edition is read, and whether there is a newer one. Numbers on the page never change by themselves.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Edition } from "./api";

export interface Reading {
  latest: Edition | undefined;
  /** The edition that is read: the latest, or the one in the address. */
  chosen: Edition | undefined;
  /** Number of the edition for the addresses of data; null for the latest. */
  asked: string | null;
}

export const Published = createContext<Reading>({ latest: undefined, chosen: undefined, asked: null });

export function useEdition(): Reading {
  return useContext(Published);
}

/** How often the service is asked where it does not announce editions itself, milliseconds. */
const EVERY = 5 * 60_000;

/** Tells of an edition after this one: as the service announces it, else by asking now and then. */
export function watch(now: number | null, tell: (edition: number) => void): () => void {
  if (now === null) return () => {};
  const said = (edition: number) => edition > now && tell(edition);
  let timer: ReturnType<typeof setInterval> | undefined;
  const ask = () =>
    void fetch("/v1/editions", { headers: { accept: "application/json" } })
      .then((response) => response.json())
      .then((list: { latest: number | null }) => said(list.latest ?? 0))
      .catch(() => {});
  const source = new EventSource("/v1/events");
  source.addEventListener("edition", (event) => {
    const number = Number(event.lastEventId || (JSON.parse(event.data || "{}") as { edition?: number }).edition);
    if (number) said(number);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) timer ??= setInterval(ask, EVERY);
  });
  return () => {
    source.close();
    clearInterval(timer);
  };
}
