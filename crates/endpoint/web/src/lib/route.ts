// Where the reader is: a path and a query string, nothing hidden. A view that can be shared is a view that can be restored.
import { createContext } from "preact";
import { useContext } from "preact/hooks";

export interface Route {
  path: string;
  query: URLSearchParams;
}

export type Lang = "en" | "ur";

/** Parameters that go with the reader from page to page. */
const KEPT = ["lang", "edition"];

export function here(): Route {
  return { path: location.pathname.replace(/(.)\/+$/, "$1"), query: new URLSearchParams(location.search) };
}

/** An address within the pages: the path with its own parameters, and the language and edition of the reader. */
export function address(path: string, query: Record<string, string | null> = {}): string {
  const parameters = new URLSearchParams();
  for (const name of KEPT) {
    const value = new URLSearchParams(location.search).get(name);
    if (value) parameters.set(name, value);
  }
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === "") parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** The present page with some parameters changed. */
export function changed(query: Record<string, string | null>): string {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === "") parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  return text ? `${location.pathname}?${text}` : location.pathname;
}

const MOVED = "amanat:moved";

/** Goes to an address; `replace` leaves no step to go back to, for filters that are turned one after another. */
export function go(to: string, replace = false): void {
  const page = location.pathname;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  dispatchEvent(new Event(MOVED));
  if (location.pathname !== page) scrollTo(0, 0);
}

/** Calls back whenever the address changes, and takes over plain clicks on links to the pages. */
export function listen(moved: () => void, isPage: (path: string) => boolean): () => void {
  const click = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname) return;
    if (!isPage(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  };
  addEventListener("popstate", moved);
  addEventListener(MOVED, moved);
  document.addEventListener("click", click);
  return () => {
    removeEventListener("popstate", moved);
    removeEventListener(MOVED, moved);
    document.removeEventListener("click", click);
  };
}

export const Here = createContext<Route>({ path: "/", query: new URLSearchParams() });

export function useRoute(): Route {
  return useContext(Here);
}

/** The address of data: the path with its filters, and the edition that the reader has chosen. */
export function dataUrl(id: string, filters: Record<string, string | null>, edition: string | null): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) parameters.set(name, value);
  if (edition) parameters.set("edition", edition);
  const text = parameters.toString().replaceAll("%2C", ",");
  return `/v1/indicators/${id}/data${text ? `?${text}` : ""}`;
}
