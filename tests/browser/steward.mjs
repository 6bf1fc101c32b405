// What the steward does: she decides what is doubtful, and looks how good agencies' feeds are. What she decides is looked up by the program.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { text } from "./words.mjs";

const PASSWORD = "one who answers for it";

/** The program on the data directory that is served. */
const amanat = (site, ...args) => execFileSync(site.amanat, [...args, "--data", site.data], { encoding: "utf8" });

/** Comes in as the steward: by the invitation at the first time, by the password later. */
async function comeIn({ page, open, site, t }) {
  if (!site.stewardIsIn) {
    await open(`/welcome${new URL(site.stewardLink).hash}`);
    await page.locator("#new-password").fill(PASSWORD);
    await page.locator("#again").fill(PASSWORD);
    await page.getByRole("button", { name: t("welcome.submit") }).click();
    await page.getByRole("heading", { name: t("welcome.done") }).waitFor();
    site.stewardIsIn = true;
    return;
  }
  await open("/login");
  await page.locator("#username").fill("steward");
  await page.locator("#password").fill(PASSWORD);
  await page.locator("#password").press("Enter");
  await page.locator(".account").getByRole("button", { name: t("site.signout") }).waitFor();
}

/** What the service says to the session of the page, until it is as wanted. */
async function until(page, path, wanted, what) {
  const end = Date.now() + 120_000;
  for (;;) {
    const said = await page.evaluate(async (at) => (await fetch(at)).json(), path);
    if (wanted(said)) return said;
    assert.ok(Date.now() < end, `${what}: ${JSON.stringify(said).slice(0, 300)}`);
    await page.waitForTimeout(200);
  }
}

export const stewardStories = [
  {
    name: "the steward reads two contents of an event side by side and decides; it leaves her list, and the decision stands",
    short: true,
    async run({ page, open, site, t, lang, judge }) {
      if (!site.stewardLink) return;
      const say = (key, values) => text(lang, key, values, "steward");
      await comeIn({ page, open, site, t });
      await open("/queue");
      const conflict = page.locator("section.conflict").first();
      await conflict.waitFor();
      const id = await conflict.locator("h3 code").innerText();
      const agency = await conflict.locator("h3 bdi").innerText();
      // Both contents have a column, one of them counts now, and in at least one row they differ.
      assert.equal(await conflict.locator("thead th").count(), 3);
      assert.equal(await conflict.locator("td strong").count(), 1);
      const row = (name) => conflict.locator("tr", { has: page.locator("th", { hasText: name }) }).locator("td");
      const counts = await row(say("conflicts.now")).allInnerTexts();
      assert.ok((await conflict.locator("tbody th code").count()) > 0, "what differs is shown");
      await judge(page);
      // The one that does not count now.
      const other = counts[0] === say("conflicts.yes") ? 2 : 1;
      await conflict.getByRole("button", { name: say("conflicts.counts.what", { n: other, id: `${id.slice(0, 8)}…`, agency }) }).click();
      await page.locator(".queue-said", { hasText: say("conflicts.said", { n: other }).slice(0, 20) }).waitFor();
      // The page looks again by itself until the word was read.
      await page.locator("section.conflict", { has: page.getByText(id, { exact: true }) }).waitFor({ state: "detached", timeout: 120_000 });
      const decided = JSON.parse(amanat(site, "conflict", "list", "--agency", agency, "--decided", "--most", "1000", "--json"));
      const it = decided.find((one) => one.event_id === id);
      assert.deepEqual([it?.because, it?.counts], ["decided", other], JSON.stringify(it));
      assert.match(amanat(site, "audit", "decisions", "--json", "--last", "9"), /conflict_decided/);
    },
  },
  {
    name: "the steward says of a doubtful pair that they are two, and takes it back",
    short: true,
    async run({ page, open, site, t, lang, judge }) {
      if (!site.stewardLink) return;
      const say = (key, values) => text(lang, key, values, "steward");
      await comeIn({ page, open, site, t });
      await open("/queue");
      const waiting = await until(page, "/v1/queue", (queue) => queue.links_as_of && !queue.is_comparing && queue.links.length > 0, "everybody is compared");
      await open("/queue");
      const { person, other } = waiting.links[0];
      const whom = { person: `${person.slice(0, 8)}…`, other: `${other.slice(0, 8)}…` };
      const section = (title) => page.locator("section", { has: page.getByRole("heading", { name: say(title) }) });
      const pair = section("links.title").locator("tbody tr").first();
      await pair.getByText(whom.person).waitFor();
      await judge(page);
      await pair.getByRole("button", { name: say("links.two.what", whom) }).click();
      await page.locator(".queue-said", { hasText: whom.person }).waitFor();
      const of = (queue) => queue.said.some((said) => [said.person, said.other].includes(person) && [said.person, said.other].includes(other));
      await until(page, "/v1/queue", (queue) => of(queue) && !queue.is_comparing, "the word is obeyed");
      await open("/queue");
      const said = section("said.title").locator("tbody tr", { hasText: whom.person }).filter({ hasText: whom.other });
      await said.getByText(say("links.two")).waitFor();
      assert.equal(await section("links.title").locator("tbody tr", { hasText: whom.person }).filter({ hasText: whom.other }).count(), 0, "it waits no more");
      await said.getByRole("button").click();
      await page.locator(".queue-said", { hasText: whom.person }).waitFor();
      await until(page, "/v1/queue", (queue) => !of(queue), "it is taken back");
    },
  },
  {
    name: "the steward sees which agency's feed needs her, sorts the table, opens the feed and reads on in the other language",
    short: true,
    async run({ page, open, site, t, lang, fresh, judge }) {
      if (!site.stewardLink) return;
      const say = (key, values) => text(lang, key, values, "steward");
      // Nobody but the steward: not the page, and not what is behind it.
      const visitor = await fresh(lang);
      try {
        for (const path of ["/feeds", "/feeds/POL-PB"]) {
          await visitor.open(path);
          await visitor.page.locator(".note", { hasText: t("steward.notyours") }).waitFor();
          assert.equal(await visitor.page.locator("table").count(), 0);
        }
        for (const path of ["/v1/feeds", "/v1/feeds/POL-PB"]) assert.equal((await fetch(site.base + path)).status, 401);
        if (site.key) assert.equal((await fetch(`${site.base}/v1/feeds`, { headers: { authorization: `Bearer ${site.key}` } })).status, 403);
        await judge(visitor.page);
        assert.deepEqual(visitor.wrong, []);
      } finally {
        await visitor.context.close();
      }

      await comeIn({ page, open, site, t });
      await open("/queue");
      const { alerts, feeds } = await until(page, "/v1/feeds", (all) => all.feeds.length > 0, "feeds are looked at");
      const needy = feeds.filter((feed) => feed.state === "alert");
      assert.ok(needy.length > 0 && needy.length === alerts, "the synthetic country has trouble");
      const menu = page.getByRole("navigation", { name: t("site.nav") }).getByRole("link", { name: t("nav.feeds") });
      await menu.locator(".count", { hasText: String(alerts) }).waitFor();
      await page.getByRole("link", { name: say("queue.feeds") }).click();
      await page.waitForURL(/\/feeds/);
      const rows = page.locator("table.feeds tbody tr");
      await rows.first().waitFor();
      assert.equal(await rows.count(), feeds.length);
      // Worst first; by another column when it is asked for, with the keyboard.
      await rows.first().locator(".stands-alert").waitFor();
      await rows.first().locator(".crossed li").first().waitFor();
      const head = page.locator("table.feeds thead th", { has: page.getByRole("button", { name: say("feeds.accepted") }) });
      await head.getByRole("button").focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(/sort=accepted/);
      assert.equal(await head.getAttribute("aria-sort"), "descending");
      const most = feeds.reduce((a, b) => (b.accepted > a.accepted ? b : a));
      await rows.first().locator("code", { hasText: most.agency }).waitFor();
      await judge(page);

      const { agency } = needy[0];
      await rows.filter({ has: page.locator("code", { hasText: new RegExp(`^${agency}$`) }) }).getByRole("link").click();
      await page.waitForURL(new RegExp(`/feeds/${agency}`));
      await page.locator(".alerts li .stands-alert").first().waitFor();
      await page.getByRole("heading", { name: say("calendar") }).waitFor();
      await page.getByRole("heading", { name: say("one.contradictions") }).waitFor();
      await page.locator("details.behind summary").first().click();
      await page.locator("table.fields:visible").first().waitFor();
      await judge(page);
      // The other language, the same feed.
      const other = lang === "ur" ? "en" : "ur";
      await page.locator("a.language").click();
      await page.waitForFunction((l) => document.documentElement.lang === l, other);
      await page.getByRole("heading", { name: text(other, "one.contradictions", {}, "steward") }).waitFor();
      assert.match(page.url(), new RegExp(`/feeds/${agency}`));
      await judge(page);
      await page.setViewportSize({ width: 360, height: 740 });
      for (const path of [`/feeds/${agency}`, "/feeds"]) {
        await open(path);
        await page.locator("table").first().waitFor();
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= 360, `${path}: ${width} pixels wide`);
        await judge(page);
        if (site.shots) await page.screenshot({ path: `${site.shots}/steward${path.replace(/\W+/g, "-")}-${lang}-360.png`, fullPage: true });
      }
    },
  },
];
