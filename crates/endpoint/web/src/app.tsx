// The frame around every page: where the reader is, in which language, of which edition.
import { lazy, type Lazy } from "./lib/lazy";
import { useEffect, useMemo, useState } from "preact/hooks";
import { forget, useGet, type Edition, type Editions } from "./lib/api";
import { Published, watch } from "./lib/edition";
import { Here, address, changed, go, here, listen, type Lang, type Route } from "./lib/route";
import { Language, words } from "./lib/words";
import type { Key } from "./messages";
import { Overview } from "./pages/overview";
import { Footer, Header, Notices } from "./parts/frame";

interface Page {
  path: string;
  name: Key;
  /** Pages of one indicator or one question have its name in the path. */
  pattern: RegExp;
  page: Lazy<{ id: string }>;
}

const page = (path: string, name: Key, body: Lazy<{ id: string }>, pattern?: RegExp): Page => ({
  path,
  name,
  page: body,
  pattern: pattern ?? new RegExp(`^${path}$`),
});

/** The pages in the order of the navigation. Each but the first is loaded when it is gone to. */
const PAGES: Page[] = [
  page("/", "nav.overview", Overview),
  page("/indicators", "nav.indicators", lazy(() => import("./pages/indicators").then((m) => m.Indicators))),
  page("/children", "nav.children", lazy(() => import("./pages/children").then((m) => m.Children))),
  page("/justice", "nav.justice", lazy(() => import("./pages/justice").then((m) => m.Justice))),
  page("/labour", "nav.labour", lazy(() => import("./pages/labour").then((m) => m.Labour))),
  page("/support", "nav.support", lazy(() => import("./pages/support").then((m) => m.Support))),
  page("/quality", "nav.quality", lazy(() => import("./pages/quality").then((m) => m.Quality))),
  page("/questions", "nav.questions", lazy(() => import("./pages/questions").then((m) => m.Questions))),
  page("/sql", "nav.sql", lazy(() => import("./pages/sql").then((m) => m.Sql))),
  page("/about", "nav.about", lazy(() => import("./pages/about").then((m) => m.About))),
];
const INDICATOR = page(
  "/indicators",
  "nav.indicators",
  lazy(() => import("./pages/indicator").then((m) => m.Indicator)),
  /^\/indicators\/([A-Za-z0-9_-]+)$/,
);
const QUESTION = page(
  "/questions",
  "nav.questions",
  lazy(() => import("./pages/question").then((m) => m.Question)),
  /^\/questions\/([a-z0-9-]+)$/,
);
/** Pages of those who sign in; the frame leads to them. */
const APART: Page[] = [
  page("/login", "site.signin", lazy(() => import("./pages/login").then((m) => m.Login))),
  page("/welcome", "nav.welcome", lazy(() => import("./pages/welcome").then((m) => m.Welcome))),
  page("/people", "nav.people", lazy(() => import("./pages/people").then((m) => m.People))),
  page("/queue", "nav.queue", lazy(() => import("./pages/queue").then((m) => m.Queue))),
  page("/feeds", "nav.feeds", lazy(() => import("./pages/feeds").then((m) => m.Feeds)), /^\/feeds(?:\/([A-Za-z0-9-]+))?$/),
];
const ALL = [...PAGES, INDICATOR, QUESTION, ...APART];
const MISSING = lazy(() => import("./pages/missing").then((m) => m.Missing));

function found(path: string): { body: Lazy<{ id: string }>; name: Key; id: string } {
  for (const entry of ALL) {
    const match = entry.pattern.exec(path);
    const id = match?.[1] ?? "";
    if (match) return { body: entry.page, name: entry.name, id: entry === INDICATOR ? id.toUpperCase() : id };
  }
  return { body: MISSING, name: "missing.title", id: "" };
}

/** Begins to load the page of the present address. */
export function beginPage(): void {
  found(here().path).body.begin?.();
}

/** True of an address that is one of the pages; others (data, the documentation at /docs) are left to the browser. */
const isPage = (path: string) => ALL.some((entry) => entry.pattern.test(path));

/** The language: the address says it; what the reader chose before holds where it does not. */
function language(route: Route): Lang {
  const said = route.query.get("lang");
  if (said === "ur" || said === "en") return said;
  return localStorage.getItem("amanat:lang") === "ur" ? "ur" : "en";
}

export function App() {
  const [route, setRoute] = useState(here);
  const [refreshed, setRefreshed] = useState(0);
  useEffect(() => listen(() => setRoute(here()), isPage), []);

  const lang = language(route);
  useEffect(() => {
    if (lang === "ur" && route.query.get("lang") !== "ur") go(changed({ lang: "ur" }), true);
    document.documentElement.lang = lang;
    document.documentElement.dir = lang === "ur" ? "rtl" : "ltr";
  }, [lang, route]);

  const w = useMemo(() => words(lang), [lang]);
  const editions = useGet<Editions>(`/v1/editions${refreshed ? `#${refreshed}` : ""}`);
  const asked = route.query.get("edition");
  const latest = editions.state === "ready" ? editions.value.editions.find((e) => e.edition === editions.value.latest) : undefined;
  const chosen: Edition | undefined =
    editions.state === "ready" && asked ? editions.value.editions.find((e) => String(e.edition) === asked) : undefined;

  const [newer, setNewer] = useState<number | null>(null);
  useEffect(() => watch(latest?.edition ?? null, setNewer), [latest?.edition]);
  const load = () => {
    forget();
    setNewer(null);
    setRefreshed(refreshed + 1);
    go(changed({ edition: null }), true);
  };

  const { body: Body, name, id } = found(route.path);
  useEffect(() => {
    document.title = `${id || w.t(name)} · ${w.t("site.name")}`;
  }, [id, name, w]);

  const pages = PAGES.map((p) => ({ href: address(p.path), name: p.name, current: p.path === route.path || (id !== "" && route.path.startsWith(`${p.path}/`)) }));
  return (
    <Here.Provider value={route}>
      <Language.Provider value={w}>
        <Published.Provider value={{ latest, chosen: chosen ?? latest, asked: chosen && chosen !== latest ? asked : null }}>
          <Header pages={pages} />
          <Notices editions={editions} newer={newer} load={load} />
          <main id="content" tabIndex={-1}>
            <Body id={id} key={`${route.path}${refreshed}`} />
          </main>
          <Footer />
        </Published.Provider>
      </Language.Provider>
    </Here.Provider>
  );
}
