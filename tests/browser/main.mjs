// Runs the stories in English and Urdu, asks axe about every page, weighs them, and times them on a slow machine.
//
//   node main.mjs --base URL [--key KEY] [--link INVITATION] [--door URL --agency-key KEY] [--steward-link INVITATION --amanat PROGRAM
//     --data FOLDER] [--short] [--only stories|axe|speed] [--shots FOLDER]
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { agencyStories } from "./agency.mjs";
import { stewardStories } from "./steward.mjs";
import { stories } from "./stories.mjs";
import { text } from "./words.mjs";

const require = createRequire(join(process.env.BROWSER_MODULES ?? process.cwd(), "x.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? null : (process.argv[at + 1] ?? "");
};
const site = { base: (option("base") ?? "http://127.0.0.1:8080").replace(/\/$/, ""), key: option("key"), link: option("link"), door: option("door"), agencyKey: option("agency-key"), stewardLink: option("steward-link"), amanat: option("amanat"), data: option("data"), shots: option("shots") };
const short = process.argv.includes("--short");
const only = option("only");
const shots = option("shots");
if (shots) mkdirSync(shots, { recursive: true });

/** What a page may weigh as it comes over the wire, bytes, and when it must answer a reader on a machine four times slower, ms. */
const [HEAVIEST, SLOWEST] = [400_000, 1000];
const PAGES = ["/", "/indicators", "/indicators/V01", "/indicators/V03?by=exploitation", "/children", "/justice", "/labour", "/support", "/quality", "/questions", "/questions/victims-by-year?from_year=2019", "/sql", "/about", "/login", "/welcome", "/people", "/queue", "/feeds", "/nowhere"];
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: quiet });
let [held, all] = [0, 0];

/** One line for each thing that must hold. */
async function must(what, check) {
  all += 1;
  try {
    const said = await check();
    held += 1;
    console.log(`ok    ${what}${said ? `: ${said}` : ""}`);
  } catch (error) {
    console.log(`FAILS ${what}: ${String(error?.message ?? error).split("\n").slice(0, 8).join("\n      ")}`);
  }
}

/** Addresses that a service may not have yet; that they are missing breaks nothing. */
const OPTIONAL = /\/v1\/(events|calendar|editions\/\d+\/archive\.zip|indicators\/\w+\/revisions)|bom=true/;

/** A page of its own with what must not happen on it: errors, breaches of the policy, requests to elsewhere. */
async function fresh(lang, options = {}, base = site.base) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const from = message.location().url;
    // A document that is honestly not there, and refusals that a story asks for, are told by the browser, too.
    if (/Failed to load resource/.test(message.text()) && (OPTIONAL.test(from) || /\/nowhere|\/v1\/(sql|session|welcome|people|queue|feeds|questions|agency)/.test(from))) return;
    wrong.push(`${message.text()} ${from}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !/^(blob|data|about):/.test(request.url())) wrong.push(`asks elsewhere: ${request.url()}`);
  });
  const open = async (path) => {
    const address = new URL(path, site.base);
    if (lang === "ur") address.searchParams.set("lang", "ur");
    await page.goto(address.href);
    await page.locator("main h1").waitFor();
  };
  return { context, page, wrong, open };
}

/** Until nothing is loading and every chart that is seen is drawn. */
async function settled(page) {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(() => !document.querySelector("main .loading") && [...document.querySelectorAll(".chart")].every((c) => c.dataset.drawn || c.getBoundingClientRect().top > innerHeight));
  await page.evaluate(() => document.fonts.ready);
}

/** And the charts further down, each of which is drawn when its reader comes near. */
async function read(page) {
  await settled(page);
  for (const chart of await page.locator(".chart").all()) {
    await chart.scrollIntoViewIfNeeded();
    await chart.and(page.locator("[data-drawn]")).waitFor();
  }
  await page.evaluate(() => scrollTo(0, 0));
}

const does = (part) => only === null || only === part;
for (const story of [...stories, ...stewardStories].filter((s) => does("stories") && (!short || s.short))) {
  for (const lang of ["en", "ur"]) {
    await must(`${lang} ${story.name}`, async () => {
      const { context, page, wrong, open } = await fresh(lang);
      try {
        await story.run({ page, site, open, lang, t: (key, values) => text(lang, key, values), fresh, judge, settled });
        if (wrong.length) throw new Error(wrong.join("\n"));
      } finally {
        await context.close();
      }
    });
  }
}

if (does("stories") && site.door) await agencyStories({ must, fresh, judge, site, short });

/** Serious and critical findings of axe on a page as it stands. */
async function judge(page) {
  // In the page's own world, past its policy, which lets no script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const bad = violations.filter((v) => ["serious", "critical"].includes(v.impact));
  if (bad.length) throw new Error(bad.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(", ")}`).join("\n"));
}

for (const path of does("axe") ? (short ? PAGES.slice(0, 3) : PAGES) : []) {
  for (const [lang, scheme] of short ? [["en", "light"], ["ur", "dark"]] : [["en", "light"], ["en", "dark"], ["ur", "light"], ["ur", "dark"]]) {
    const name = `${path === "/" ? "overview" : path.slice(1).replace(/\W+/g, "-")}-${lang}-${scheme}`;
    await must(`axe finds nothing serious on ${path} (${lang}, ${scheme})`, async () => {
      const { context, page, wrong, open } = await fresh(lang, { colorScheme: scheme });
      try {
        await open(path);
        await read(page);
        if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
        await judge(page);
        if (wrong.length) throw new Error(wrong.join("\n"));
      } finally {
        await context.close();
      }
    });
  }
  await must(`${path} fits a screen of 320 pixels in both languages`, async () => {
    for (const lang of ["en", "ur"]) {
      const { context, page, open } = await fresh(lang, { viewport: { width: 320, height: 640 } });
      await open(path);
      await read(page);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (shots) await page.screenshot({ path: join(shots, `${path === "/" ? "overview" : path.slice(1).replace(/\W+/g, "-")}-${lang}-320.png`), fullPage: true });
      await context.close();
      if (width > 320) throw new Error(`${lang}: ${width} pixels wide`);
    }
  });
}

if (shots) {
  for (const path of PAGES) {
    const { context, page, open } = await fresh("en");
    await open(path);
    await settled(page);
    await page.pdf({ path: join(shots, `${path === "/" ? "overview" : path.slice(1).replace(/\W+/g, "-")}-print.pdf`), format: "A4" });
    await context.close();
  }
}

/** Bytes over the wire until a page is settled, nothing cached. */
async function weigh(path, lang) {
  const { context, page, open } = await fresh(lang);
  const session = await context.newCDPSession(page);
  let bytes = 0;
  await session.send("Network.enable");
  session.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
  await open(path);
  await settled(page);
  await context.close();
  return bytes;
}

/** When a page answers on a machine four times slower, ms: its content is there and the last long task before it is over. */
async function interactive(path, lang) {
  const { context, page } = await fresh(lang);
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.addInitScript(() => {
    globalThis.tasks = [];
    new PerformanceObserver((list) => list.getEntries().forEach((e) => globalThis.tasks.push([e.startTime, e.duration]))).observe({ type: "longtask", buffered: true });
    const watch = new MutationObserver(() => {
      if (globalThis.contentAt || !document.querySelector("main h1") || !document.querySelector("main :is(.entry .big-value, .aside .big-value, figure table td, .catalogue td bdi, .statuses td, .editor textarea, .prose h2, .form input, .entrance p, .page > .note, .questions li, .outcome td)")) return;
      globalThis.contentAt = performance.now();
    });
    watch.observe(document, { childList: true, subtree: true });
  });
  await page.goto(site.base + path + (lang === "ur" ? `${path.includes("?") ? "&" : "?"}lang=ur` : ""));
  await settled(page);
  const said = await page.evaluate(() => ({ content: globalThis.contentAt, tasks: globalThis.tasks, painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0 }));
  // What the page's own thread worked, whoever else had the processor meanwhile.
  const { metrics } = await session.send("Performance.getMetrics");
  const worked = (metrics.find((m) => m.name === "TaskDuration")?.value ?? 0) * 1000;
  await context.close();
  // As web.dev/tti: the end of the last task of over 50 ms; nothing else follows, for the page is settled.
  const last = Math.max(0, ...said.tasks.map(([start, took]) => start + took));
  return { content: Math.round(said.content ?? Infinity), last: Math.round(Math.max(said.content ?? Infinity, last)), worked: Math.round(worked) };
}

// Weight is the same on every day; the clock is for a quiet machine, and no test in CI.
for (const path of does("speed") ? (short ? ["/", "/indicators/V01"] : PAGES.slice(0, -1)) : []) {
  await must(`${path} weighs at most ${HEAVIEST / 1000} kB`, async () => {
    const said = [];
    for (const lang of ["en", "ur"]) {
      const bytes = await weigh(path, lang);
      said.push(`${lang} ${Math.round(bytes / 1000)} kB`);
      if (bytes > HEAVIEST) throw new Error(said.join("; "));
    }
    return said.join("; ");
  });
  if (short) continue;
  await must(`${path} is interactive within ${SLOWEST} ms on a slow machine`, async () => {
    const said = [];
    for (const lang of ["en", "ur"]) {
      const times = [];
      // The best of a few: what else the machine does only adds.
      for (let n = 0; n < 5; n += 1) times.push(await interactive(path, lang));
      const best = (of) => Math.min(...times.map(of));
      const [content, last, worked] = [best((x) => x.content), best((x) => x.last), best((x) => x.worked)];
      said.push(`${lang} content ${content} ms, quiet ${last} ms, ${worked} ms of work`);
      if (last > SLOWEST) throw new Error(said.join("; "));
    }
    return said.join("; ");
  });
}

await browser.close();
console.log(`${held} of ${all}`);
process.exit(held === all ? 0 : 1);
