// Head and foot of every page, and what must be said above the numbers.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Editions, Loaded } from "../lib/api";
import { useEdition } from "../lib/edition";
import { useAlerts } from "../lib/feeds";
import { address, changed, go, useRoute } from "../lib/route";
import { signInAddress, signOut, useSession } from "../lib/session";
import { useWords } from "../lib/words";
import type { Key } from "../messages";

interface Link {
  href: string;
  name: Key;
  current: boolean;
}

const THEMES = ["auto", "light", "dark"] as const;

function theme(): (typeof THEMES)[number] {
  const kept = localStorage.getItem("amanat:theme");
  return kept === "light" || kept === "dark" ? kept : "auto";
}

function wear(chosen: string): void {
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
wear(theme());

export function Header({ pages }: { pages: Link[] }) {
  const { t, lang } = useWords();
  const route = useRoute();
  const [open, setOpen] = useState(false);
  const [chosen, choose] = useState(theme);
  useEffect(() => setOpen(false), [route.path]);
  const other = lang === "ur" ? "en" : "ur";
  return (
    <header class="head">
      <a class="skip" href="#content">{t("site.skip")}</a>
      <div class="head-line">
        <a class="brand" href={address("/")}>
          <span class="brand-name">{t("site.name")}</span>
          <span class="brand-other" lang={other} aria-hidden="true">{lang === "ur" ? "Amanat" : "امانت"}</span>
          <span class="brand-sub">{t("site.subtitle")}</span>
        </a>
        <div class="head-tools">
          <label class="tool">
            <span class="unseen">{t("site.theme")}</span>
            <select
              value={chosen}
              onChange={(event) => {
                const value = event.currentTarget.value as (typeof THEMES)[number];
                localStorage.setItem("amanat:theme", value);
                wear(value);
                choose(value);
              }}
            >
              {THEMES.map((name) => <option value={name} key={name}>{t(`site.theme.${name}`)}</option>)}
            </select>
          </label>
          <a
            class="tool language"
            lang={other}
            hreflang={other}
            href={changed({ lang: other })}
            onClick={(event) => {
              event.preventDefault();
              localStorage.setItem("amanat:lang", other);
              go(changed({ lang: other }));
            }}
          >
            {t("site.language")}
          </a>
          <button type="button" class="tool menu" aria-expanded={open} aria-controls="nav" onClick={() => setOpen(!open)}>
            {t("site.menu")}
          </button>
        </div>
      </div>
      <nav id="nav" class={open ? "nav open" : "nav"} aria-label={t("site.nav")}>
        <ul>
          {pages.map((page) => (
            <li key={page.name}>
              <a href={page.href} aria-current={page.current ? "page" : undefined}>{t(page.name)}</a>
            </li>
          ))}
          <Account />
        </ul>
      </nav>
    </header>
  );
}

/** Who reads: a link to sign in, or the name of the account with a way out. It is asked when the page has nothing else to do. */
function Account() {
  const { t } = useWords();
  const { path } = useRoute();
  const session = useSession(true);
  const [left, setLeft] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  // The button that was pressed is gone: its place is taken by the link.
  useEffect(() => {
    if (left && !session?.name) link.current?.focus();
    if (session?.name) setLeft(false);
  }, [left, session?.name]);
  if (!session?.name) {
    return (
      <li class="account">
        <a ref={link} href={signInAddress()} aria-current={path === "/login" ? "page" : undefined}>{t("site.signin")}</a>
        <span class="unseen" role="status">{left ? t("site.signedout") : ""}</span>
      </li>
    );
  }
  return (
    <>
      {session.role === "steward" && <li><a href={address("/queue")} aria-current={path === "/queue" ? "page" : undefined}>{t("nav.queue")}</a></li>}
      {session.role === "steward" && <ToFeeds account={session.name} current={path.startsWith("/feeds")} />}
      {session.role === "operator" && <li><a href={address("/people")} aria-current={path === "/people" ? "page" : undefined}>{t("nav.people")}</a></li>}
      <li class="account">
        <span class="who" title={t("site.signed", { name: session.name })}>
          <span class="unseen">{t("site.signed", { name: session.name })}</span>
          <bdi dir="ltr" aria-hidden="true">{session.name}</bdi>
        </span>
        <button type="button" class="action" onClick={() => void signOut().then(() => setLeft(true), () => {})}>{t("site.signout")}</button>
      </li>
    </>
  );
}

/** The steward's way to agencies' feeds, with how many of them stand at an alert. */
function ToFeeds({ account, current }: { account: string; current: boolean }) {
  const { t } = useWords();
  const alerts = useAlerts(account);
  return (
    <li>
      <a href={address("/feeds")} aria-current={current ? "page" : undefined}>
        {t("nav.feeds")}
        {alerts !== null && alerts > 0 && (
          <>
            {" "}<span class="count" aria-hidden="true">{alerts}</span>
            <span class="unseen">({t("nav.feeds.alerts", { n: alerts })})</span>
          </>
        )}
      </a>
    </li>
  );
}

/** Synthetic data, an older edition, a newer edition, no edition. */
export function Notices({ editions, newer, load }: { editions: Loaded<Editions>; newer: number | null; load: () => void }) {
  const { t } = useWords();
  const { latest, chosen, asked } = useEdition();
  return (
    <>
      {latest?.synthetic && <p class="notice synthetic"><strong>{t("site.synthetic")}</strong></p>}
      {editions.state === "ready" && !latest && <p class="notice">{t("site.none")}</p>}
      {asked && chosen && latest && (
        <p class="notice">
          {t("site.old", { edition: chosen.edition, date: chosen.as_of, latest: latest.edition })}{" "}
          <a href={changed({ edition: null })}>{t("site.old.latest")}</a>
        </p>
      )}
      <div role="status">
        {newer !== null && (
          <p class="notice new">
            {t("site.new", { edition: newer })} <button type="button" class="action" onClick={load}>{t("site.new.load")}</button>
          </p>
        )}
      </div>
    </>
  );
}

export function Footer() {
  const { t } = useWords();
  const { chosen } = useEdition();
  return (
    <footer class="foot">
      <p>{t("site.footer")} <a href={address("/about")}>{t("suppressed.link")}</a></p>
      <p class="foot-line">
        {chosen && <span>{t("site.edition", { edition: chosen.edition, date: chosen.as_of })}</span>}
        <a href="/docs">{t("site.docs")}</a>
        <a href="/openapi.json">{t("site.api")}</a>
        <a href="/licences.txt">{t("site.licences")}</a>
      </p>
    </footer>
  );
}
