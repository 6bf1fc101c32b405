// What readers do, each a story: a person, what she wants, what she must see. The numbers that must be seen are asked of the
// service itself.
import assert from "node:assert/strict";

const number = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 10 });

/** Rows of an address of the service as objects. */
async function rows(site, path) {
  const { columns, rows } = await (await fetch(site.base + path)).json();
  return rows.map((row) => Object.fromEntries(columns.map((c, n) => [c.name, row[n]])));
}

/** The last year of a national series. */
async function latest(site, path) {
  const years = (await rows(site, path)).filter((r) => /^\d{4}$/.test(r.time_period));
  return years.sort((a, b) => (a.time_period < b.time_period ? -1 : 1)).at(-1);
}

const NATIONAL = "/v1/indicators/V01/data?province=_T&sex=_T&age_group=_T";

/** The figure with a title that has this text. */
const figure = (page, title) => page.locator("figure", { has: page.getByRole("heading", { name: title }) }).first();

export const stories = [
  {
    name: "a minister sees the latest number of victims with its interval, and goes on to how it is counted",
    short: true,
    async run({ page, site, open, t }) {
      await open("/");
      const row = await latest(site, NATIONAL);
      const entry = page.locator(".entry").first();
      await entry.getByText(number(row.value), { exact: true }).waitFor();
      await entry.getByText(`${number(row.lo95)}–${number(row.hi95)}`).waitFor();
      await entry.getByRole("link").click();
      await page.waitForURL(/\/indicators\/V01/);
      await page.getByRole("heading", { name: t("indicator.definition") }).waitFor();
    },
  },
  {
    name: "an analyst reads behind a chart the same numbers that the API gives",
    short: true,
    async run({ page, site, open, t }) {
      await open("/indicators/V01");
      const first = page.locator(".series figure").first();
      await first.getByText(t("figure.table")).click();
      const row = await latest(site, NATIONAL);
      const line = first.locator("tbody tr", { has: page.locator("th", { hasText: row.time_period }) }).first();
      assert.match(await line.innerText(), new RegExp(`${number(row.value)}[\\s\\S]*${number(row.lo95)}–${number(row.hi95)}`));
      const all = (await rows(site, NATIONAL)).filter((r) => /^\d{4}$|^_X$/.test(r.time_period));
      assert.equal(await first.locator("tbody tr").count(), all.length);
    },
  },
  {
    name: "she breaks an indicator down, sends the address to a colleague, who sees the same",
    async run({ page, open, t, lang }) {
      await open("/indicators/V01");
      await page.getByLabel(t("indicator.by")).selectOption("province");
      await page.waitForURL(/by=province/);
      await page.getByLabel(t("indicator.freq"), { exact: true }).selectOption("q");
      await page.getByLabel(t("indicator.from"), { exact: true }).selectOption("2020");
      await page.waitForURL(/from=2020/);
      const read = () => page.locator(".series table").first().evaluate((table) => table.textContent);
      await page.waitForFunction(() => document.querySelectorAll(".series table tbody tr").length === 24);
      const [before, address] = [await read(), page.url()];
      assert.match(address, lang === "ur" ? /lang=ur/ : /by=province/);
      await page.goto("about:blank");
      await page.goto(address);
      await page.waitForFunction(() => document.querySelectorAll(".series table tbody tr").length === 24);
      assert.equal(await read(), before);
      assert.equal(await page.getByLabel(t("indicator.by")).inputValue(), "province");
    },
  },
  {
    name: "with the keyboard alone she goes over the provinces, hears each one's number, and opens one",
    short: true,
    async run({ page, site, open }) {
      await open("/indicators/V01");
      await page.locator('[data-code="PK-KP"]').focus();
      for (const [key, code] of [["ArrowDown", "PK-IS"], ["ArrowDown", "PK-PB"], ["ArrowLeft", "PK-BA"], ["ArrowRight", "PK-PB"], ["ArrowDown", "PK-SD"], ["ArrowUp", "PK-PB"]]) {
        await page.keyboard.press(key);
        assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-code")), code, key);
      }
      const punjab = await latest(site, "/v1/indicators/V01/data?province=PK-PB&sex=_T&age_group=_T");
      const said = await page.locator('[data-code="PK-PB"]').textContent();
      assert.ok(said.includes(number(punjab.value)) && said.includes(`${number(punjab.lo95)}–${number(punjab.hi95)}`), said);
      assert.equal(await page.locator(".tiles [tabindex='0']").count(), 1, "one stop for the whole grid");
      await page.keyboard.press("Enter");
      await page.waitForURL(/province=PK-PB/);
      await page.locator(".aside").getByText(number(punjab.value), { exact: true }).waitFor();
    },
  },
  {
    name: "he downloads what he sees, and the file has the same rows",
    async run({ page, site, open, t }) {
      await open("/indicators/C04");
      const first = page.locator(".series figure").first();
      await first.locator("svg").first().waitFor();
      const waiting = page.waitForEvent("download");
      await first.getByRole("link", { name: t("figure.download", { format: "CSV" }) }).click();
      const download = await waiting;
      const body = await (await download.createReadStream()).toArray();
      const lines = Buffer.concat(body).toString("utf8").trim().split("\n");
      const expected = await rows(site, "/v1/indicators/C04/data?province=_T");
      assert.equal(lines.length, expected.length + 1);
      assert.match(lines[0], /time_period,province,value,lo95,hi95,obs_status/);
    },
  },
  {
    name: "the SQL behind a figure, asked on the SQL page, gives the number of the figure",
    async run({ page, site, open, t }) {
      await open("/indicators/V01");
      await page.getByRole("link", { name: t("indicator.access.open") }).click();
      await page.waitForURL(/\/sql\?/);
      const row = await latest(site, NATIONAL);
      const line = page.locator(".outcome tbody tr", { has: page.locator("td", { hasText: new RegExp(`^${row.time_period}$`) }) });
      await line.waitFor();
      assert.deepEqual((await line.locator("td").allInnerTexts()).slice(0, 4), [row.time_period, number(row.value), number(row.lo95), number(row.hi95)]);
    },
  },
  {
    name: "a suppressed number is told from zero and from what nobody collects, and says why it is hidden",
    async run({ page, open, t }) {
      await open("/indicators/V02");
      const tile = page.locator('[data-code="PK-GB"]');
      assert.ok((await tile.textContent()).includes(t("status.L")), "outside the census: not collected");
      await open("/indicators/V01");
      await page.getByText(t("status.Q.why")).first().waitFor();
      await page.locator("#hidden ~ p, #hidden + p").getByRole("link").first().click();
      await page.getByRole("heading", { name: t("about.protect.title") }).waitFor();
      await open("/justice");
      const table = figure(page, t("justice.pipeline"));
      await table.getByText(t("figure.table")).click();
      await table.locator("td bdi", { hasText: /^0$/ }).first().waitFor();
    },
  },
  {
    name: "on the page of children the share stands with its bounds, and what is hidden is no gap without a word",
    async run({ page, site, open, t }) {
      await open("/children");
      const share = figure(page, t("children.share"));
      await share.locator("svg").first().waitFor();
      await share.getByText(t("figure.table")).click();
      const shown = (await rows(site, "/v1/indicators/V04/data?age_group=_T&measure=child_share")).filter((r) => r.value !== null);
      const hidden = (await rows(site, "/v1/indicators/V04/data?age_group=_T")).filter((r) => r.obs_status === "Q");
      for (const row of shown) await share.locator("tr", { hasText: row.time_period }).getByText(number(row.value), { exact: true }).first().waitFor();
      assert.equal(await share.locator("td .status-Q").count(), hidden.length);
    },
  },
  {
    name: "on the page of justice three indicators stand on one axis, each told apart without colour",
    async run({ page, open, t }) {
      await open("/justice");
      const pipeline = figure(page, t("justice.pipeline"));
      await pipeline.locator(".chart svg").waitFor();
      const dashes = await pipeline.locator(".key .sign path:first-child").evaluateAll((all) => all.map((p) => p.getAttribute("stroke-dasharray") ?? ""));
      assert.equal(new Set(dashes).size, 3);
      const label = await pipeline.locator(".chart").getAttribute("aria-label");
      assert.match(label, /2025/);
      assert.equal(await pipeline.getByRole("link", { name: /^C0[345]$/ }).count(), 3);
    },
  },
  {
    name: "who prints a page has every chart on paper, those she has not come to among them",
    async run({ page, open }) {
      await open("/justice");
      await page.locator(".chart[data-drawn]").first().waitFor();
      const charts = await page.locator(".chart").count();
      assert.ok((await page.locator(".chart[data-drawn]").count()) < charts, "all charts are drawn before anybody prints: this shows nothing");
      await page.pdf({ format: "A4" });
      assert.equal(await page.locator(".chart[data-drawn] svg").count(), charts);
    },
  },
  {
    name: "a chart that cannot be drawn says where its numbers are, and one that is printed too early is drawn later",
    async run({ fresh, lang, t }) {
      const library = /\/assets\/draw-/;
      const without = await fresh(lang);
      await without.page.route(library, (route) => route.abort());
      await without.open("/justice");
      await without.page.getByText(t("figure.undrawn")).first().waitFor();
      await without.page.getByText(t("figure.table")).first().click();
      await without.page.locator("figure td").first().waitFor();
      await without.context.close();

      const late = await fresh(lang);
      let come;
      const held = new Promise((done) => (come = done));
      await late.page.route(library, (route) => held.then(() => route.continue()));
      await late.open("/justice");
      await late.page.locator(".chart").first().waitFor();
      await late.page.pdf({ format: "A4" });
      assert.equal(await late.page.locator(".chart[data-drawn]").count(), 0);
      come();
      await late.page.locator(".chart[data-drawn] svg").first().waitFor();
      await late.context.close();
      assert.deepEqual(late.wrong, []);
    },
  },
  {
    name: "who begins to write before the editor is there goes on where she is",
    async run({ fresh, lang, t }) {
      const { context, page, open, wrong } = await fresh(lang);
      let come;
      const held = new Promise((done) => (come = done));
      await page.route(/\/assets\/editor-/, (route) => held.then(() => route.continue()));
      await open("/sql");
      const field = page.locator(".editor textarea");
      await field.fill("select code fr");
      come();
      await page.locator(".editor .cm-content").waitFor();
      await page.keyboard.type("om reference.sex");
      await page.locator(".editor .cm-content", { hasText: "select code from reference.sex" }).waitFor();
      await page.getByRole("button", { name: t("sql.run"), exact: true }).click();
      await page.locator(".outcome td").first().waitFor();
      await context.close();
      assert.deepEqual(wrong, []);
    },
  },
  {
    name: "an inspector finds her province's inspections of the last quarter, zeros included",
    async run({ page, site, open, t }) {
      await open("/labour");
      const grid = page.locator(".tiles").first();
      await grid.waitFor();
      const quarters = await rows(site, "/v1/indicators/L02/data?measure=inspections_finding");
      const last = quarters.filter((r) => r.time_period !== "_X").map((r) => r.time_period).sort().at(-1);
      for (const row of quarters.filter((r) => r.time_period === last && /^PK-/.test(r.province))) {
        assert.equal(await grid.locator(`[data-code="${row.province}"] .tile-value`).innerText(), number(row.value));
      }
      await figure(page, t("labour.sectors", { period: "" }).replace(/[\u2068\u2069، ,]+$/u, "")).waitFor();
    },
  },
  {
    name: "what may still change is marked in words: the services of the last year are provisional",
    async run({ page, site, open, t }) {
      await open("/support");
      const row = await latest(site, "/v1/indicators/S01/data?measure=persons_referred");
      const referred = figure(page, t("support.referred"));
      await referred.getByText(t("figure.table")).click();
      const line = await referred.locator("tbody tr").first().innerText();
      assert.ok(line.includes(number(row.value)) && (row.obs_status !== "P" || line.includes(t("status.P"))), line);
      await referred.getByText(t("legend.open")).waitFor();
      // A measure without a total is broken down at once, and is not said to be unpublished.
      await open("/indicators/R01");
      await page.getByLabel(t("indicator.measure")).selectOption("persons_assisted_outcome_12_months");
      await page.waitForURL(/by=outcome/);
      await page.locator(".series figure").waitFor();
    },
  },
  {
    name: "a statistician checks how much is suppressed and which edition she reads",
    async run({ page, site, open, t }) {
      await open("/quality");
      const table = page.locator("table.statuses");
      await table.waitFor();
      const { editions } = await (await fetch(`${site.base}/v1/editions`)).json();
      const year = editions.at(-1).as_of.slice(0, 4);
      const all = await rows(site, `/v1/indicators/V01/data?from=${year}`);
      const line = await table.locator("tr", { has: page.getByRole("link", { name: "V01", exact: true }) }).locator("td").allInnerTexts();
      assert.equal(line[0], number(all.length));
      assert.ok(line.includes(number(all.filter((r) => r.obs_status === "Q").length)), line.join(" | "));
      await page.getByRole("heading", { name: t("quality.editions") }).waitFor();
      assert.equal(await page.locator("table", { has: page.getByText(t("quality.asof")) }).locator("tbody tr").count(), editions.length);
    },
  },
  {
    name: "a question that is refused teaches: where, why, what to ask instead; and the instead is answered",
    short: true,
    async run({ page, site, open, t }) {
      await open(`/sql?q=${encodeURIComponent("select value from published.v01 where provinz = 1")}`);
      const refusal = page.locator(".refusal");
      await refusal.getByText("unknown_column").first().waitFor();
      assert.match(await refusal.locator(".place").innerText(), /provinz = 1\n {38}\^/);
      await refusal.locator(".hint", { hasText: "Did you mean province?" }).waitFor();
      if (!site.key) return;
      await open(`/sql?q=${encodeURIComponent("select * from victims where year = 2024")}`);
      await page.locator(".keyfield summary").click();
      await page.getByLabel(t("sql.key"), { exact: true }).fill(site.key);
      await page.getByRole("button", { name: t("sql.run"), exact: true }).click();
      await refusal.getByText("PRIV-1003").first().waitFor();
      await refusal.getByRole("button", { name: t("sql.refused.use") }).click();
      await page.getByRole("button", { name: t("sql.run"), exact: true }).click();
      await page.locator(".outcome tbody tr").first().waitFor();
      assert.ok(!page.url().includes(site.key), "the key is in no address");
      const kept = await page.evaluate(() => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie].join());
      assert.ok(!kept.includes(site.key), "the key is kept only where it was asked for");
      await page.getByLabel(t("sql.key.keep")).check();
      await page.waitForFunction(() => Object.values(sessionStorage).length > 0);
      await page.getByRole("button", { name: t("sql.key.forget") }).click();
      await page.waitForFunction(() => Object.values(sessionStorage).length === 0);
    },
  },
  {
    name: "an analyst completes a column, asks what a question would cost, sees the answer as a chart",
    async run({ page, site, open, t }) {
      await open("/sql");
      const editor = page.locator(".cm-content");
      await editor.waitFor();
      await page.locator(".schema summary").first().waitFor();
      await editor.click();
      await page.keyboard.press("Control+a");
      await page.keyboard.type("select * from published.v01 where published.v01.time_p");
      await page.locator(".cm-tooltip-autocomplete", { hasText: "time_period" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: t("sql.example.trend") }).click();
      await page.getByRole("button", { name: t("sql.run"), exact: true }).click();
      await page.getByRole("button", { name: t("sql.result.chart") }).click();
      await page.locator(".outcome .chart svg").waitFor();
      await page.locator(".outcome .key").getByText(t("legend.band")).waitFor();
      // Nothing is said to be exact because its interval was not asked for; and what is below zero is drawn below zero.
      const below = "select time_period, value - 300 as difference from published.v01 where province = '_T' and sex = '_T' and age_group = '_T' and length(time_period) = 4";
      await open(`/sql?q=${encodeURIComponent(below)}`);
      await page.getByRole("button", { name: t("sql.result.chart") }).click();
      await page.locator(".outcome .chart svg").waitFor();
      await page.locator(".outcome .key").getByText(t("legend.unknown")).waitFor();
      const [box, line] = [await page.locator(".outcome .chart").boundingBox(), await page.locator(".outcome .chart svg path").first().boundingBox()];
      assert.ok(line.y >= box.y && line.y + line.height <= box.y + box.height, "the line stays in its chart");
      if (!site.key) return;
      await page.locator(".keyfield summary").click();
      await page.getByLabel(t("sql.key"), { exact: true }).fill(site.key);
      await page.getByRole("button", { name: t("sql.example.records") }).click();
      await page.getByRole("button", { name: t("sql.explain") }).click();
      await page.getByText(t("sql.cost.title")).waitFor();
      await page.locator(".schema summary", { hasText: "victims" }).first().click();
      await page.getByText(t("sql.schema.insert", { name: "age_group" })).or(page.getByRole("button", { name: t("sql.schema.insert", { name: "age_group" }), exact: true })).first().waitFor();
    },
  },
  {
    name: "languages, looks and editions change without losing the view; what is not there says so",
    short: true,
    async run({ page, site, open, t, lang, settled }) {
      const answer = await page.goto(`${site.base}/nowhere${lang === "ur" ? "?lang=ur" : ""}`);
      assert.equal(answer.status(), 404);
      await page.getByRole("heading", { name: t("missing.title") }).waitFor();
      await open("/indicators/C01?by=agency_group");
      await page.locator("a.language").click();
      const other = lang === "ur" ? "en" : "ur";
      await page.waitForFunction((l) => document.documentElement.lang === l, other);
      assert.equal(await page.evaluate(() => document.documentElement.dir), other === "ur" ? "rtl" : "ltr");
      assert.match(page.url(), /by=agency_group/);
      await page.locator(".head select").selectOption("dark");
      assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "dark");
      // A newer edition is told of, and the numbers stay until it is asked for; then nothing that the browser has kept of the old one is shown.
      await page.addInitScript(() => {
        globalThis.EventSource = class extends EventTarget {
          constructor() {
            super();
            if (globalThis.told) return;
            globalThis.told = true;
            setTimeout(() => this.dispatchEvent(new MessageEvent("edition", { lastEventId: "99" })));
          }
          close() {}
        };
      });
      await open("/");
      await page.locator(".notice.new").waitFor();
      await settled(page);
      const asked = [];
      page.on("request", (request) => /\/v1\/(editions|indicators)/.test(request.url()) && asked.push(request));
      assert.equal(await page.locator(".notice.new").count(), 1);
      assert.equal(asked.length, 0, "nothing is loaded by itself");
      await page.locator(".notice.new button").click();
      await page.locator(".notice.new").waitFor({ state: "detached" });
      await settled(page);
      const kept = [];
      for (const request of asked) if (!/max-age=0|no-cache/.test((await request.allHeaders())["cache-control"] ?? "")) kept.push(request.url());
      assert.ok(asked.length > 5, "the new edition is loaded");
      assert.deepEqual(kept, [], "asked of the browser's cache");
      await page.waitForFunction(() => document.querySelectorAll(".entry").length > 0);
    },
  },
  {
    name: "an administrator takes the first link and invites an analyst, who asks what only she may, until she is taken out",
    short: true,
    async run({ page, site, open, t, lang, fresh, judge }) {
      if (!site.link) return;
      const says = (name) => page.getByRole("alert").filter({ hasText: t(name) }).waitFor();
      // What is behind # goes into one request and stays nowhere: not in the address, not in what the browser keeps.
      const sent = [];
      page.on("request", (request) => sent.push(`${request.method()} ${request.url()} ${request.postData() ?? ""}`));
      const choose = async (on, link, password) => {
        const token = new URL(link).hash.slice(1);
        assert.ok(token.length >= 40, "the link has a token behind #");
        await on.open(`/welcome#${token}`);
        assert.ok(!on.page.url().includes("#"), on.page.url());
        const [first, second] = [on.page.locator("#new-password"), on.page.locator("#again")];
        assert.deepEqual([await first.getAttribute("autocomplete"), await first.getAttribute("type")], ["new-password", "password"]);
        await on.page.getByText(t("welcome.rule.length")).waitFor();
        await first.fill("short");
        await second.fill("شارٹ");
        await on.page.locator("#again-wrong", { hasText: t("welcome.letters") }).waitFor();
        await on.page.getByRole("button", { name: t("welcome.submit") }).click();
        await on.page.locator("#new-password-wrong", { hasText: t("welcome.short", { n: 5 }) }).waitFor();
        await on.page.waitForFunction(() => document.activeElement?.id === "new-password");
        await judge(on.page);
        await first.fill(password);
        await second.fill(password);
        assert.equal(await on.page.locator(".checks .held").count(), 3);
        await on.page.getByRole("button", { name: t("welcome.submit") }).click();
        await on.page.getByRole("heading", { name: t("welcome.done") }).waitFor();
        const kept = await on.page.evaluate(() => [location.href, JSON.stringify(history.state), JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie].join());
        assert.ok(!kept.includes(token) && !kept.includes(password), "neither token nor password is kept");
        return on.page.locator(".account-name").innerText();
      };

      const own = "four words, one of them odd";
      const administrator = await choose({ page, open }, site.link, own);
      assert.equal(sent.filter((s) => s.includes(new URL(site.link).hash.slice(1))).length, 1, "the token is sent once");
      await page.getByRole("link", { name: t("welcome.done.people") }).click();
      await page.locator("table.people tbody tr", { has: page.getByText(administrator, { exact: true }) }).getByText(t("list.you")).waitFor();
      await judge(page);

      const invite = async (name, role) => {
        await page.getByLabel(t("people.name"), { exact: true }).fill(name);
        await page.getByLabel(t("list.role"), { exact: true }).selectOption(role);
        if (role === "analyst") await page.getByLabel(t("list.share"), { exact: true }).selectOption("ministry");
        await page.getByRole("button", { name: t("invite.submit") }).click();
        await page.getByRole("heading", { name: t("invite.done", { name }) }).waitFor();
        const link = await page.getByLabel(t("invite.link")).inputValue();
        assert.ok(link.startsWith(`${site.base}/welcome#`), "an address that can be given away");
        return link;
      };
      await page.getByLabel(t("people.name"), { exact: true }).fill("a person");
      await page.locator("#name-wrong", { hasText: t("invite.name.wrong") }).waitFor();
      // A name that is taken is refused, and it is said why.
      await page.getByLabel(t("people.name"), { exact: true }).fill(administrator);
      await page.getByRole("button", { name: t("invite.submit") }).click();
      await says("refused.not_changed");
      // Of its own, so that the story can be told again to the same service.
      const mark = Date.now().toString(36);
      const analyst = `analyst-${lang}-${mark}`;
      const link = await invite(analyst, "analyst");
      const row = page.locator("table.people tbody tr", { has: page.getByText(analyst, { exact: true }) });
      await row.getByText(t("by.invitation")).waitFor();
      await judge(page);

      // The analyst is somebody else, at another machine.
      const other = await fresh(lang);
      try {
        const at = other.page;
        await choose(other, link, "another one, hers alone");
        await at.locator(".account").getByRole("button", { name: t("site.signout") }).click();
        await at.locator(".account").getByRole("link", { name: t("site.signin") }).waitFor();
        await at.waitForFunction(() => document.activeElement?.closest(".account a"), null, { timeout: 5000 });
        // A question about the records that comes with an address leads to signing in, and back.
        const question = "select count(*) as victims from victims where status = 'actual' and year = 2024";
        await other.open(`/sql?q=${encodeURIComponent(question)}`);
        const refusal = at.locator(".refusal");
        await refusal.getByRole("link", { name: t("site.signin") }).click();
        await at.waitForURL(/\/login\?/);
        await at.waitForFunction(() => document.activeElement?.id === "username");
        await judge(at);
        await at.locator("#username").fill(analyst);
        await at.locator("#password").fill("not this one at all");
        await at.keyboard.press("Enter");
        await at.getByRole("alert").filter({ hasText: t("refused.not_proven") }).waitFor();
        await at.route("**/v1/session", (route) => route.fulfill({ status: 429, headers: { "retry-after": "120" }, contentType: "application/problem+json", body: '{"code":"locked_out"}' }), { times: 1 });
        await at.locator("#password").fill("nor this one");
        await at.keyboard.press("Enter");
        await at.getByRole("alert").filter({ hasText: t("refused.locked_out", { wait: t("wait.minutes", { n: 2 }) }) }).waitFor();
        await at.locator("#password").fill("another one, hers alone");
        await at.getByRole("button", { name: t("people.show.what", { label: t("people.password") }) }).click();
        assert.equal(await at.locator("#password").getAttribute("type"), "text");
        await at.keyboard.press("Tab");
        await at.locator("#password").press("Enter");
        await at.waitForURL(/\/sql\?/);
        assert.equal(new URL(at.url()).searchParams.get("q"), question);
        await at.getByText(t("sql.who", { name: analyst, role: t("role.analyst") })).waitFor();
        // By the address it was put by nobody; now she puts it.
        await refusal.getByRole("button", { name: t("sql.linked.ask") }).click();
        await at.locator(".outcome tbody td.num").first().waitFor();
        // An address cannot send her elsewhere.
        await other.open(`/login?to=${encodeURIComponent("//elsewhere.example/x")}`);
        assert.match(await at.getByRole("link", { name: t("login.goon", { name: analyst }) }).getAttribute("href"), /^\/sql/);
        await other.open("/people");
        await at.getByText(t("list.notyours.as", { name: analyst, role: t("role.analyst") })).waitFor();

        // Taken out, she is out at once.
        await row.getByRole("button", { name: t("remove.what", { name: analyst }) }).click();
        const dialog = page.getByRole("dialog");
        await judge(page);
        await dialog.getByRole("button", { name: t("remove.no"), exact: true }).click();
        await row.getByRole("button", { name: t("remove.what", { name: analyst }) }).click();
        await dialog.getByRole("button", { name: t("remove.yes"), exact: true }).click();
        await page.getByText(t("remove.done", { name: analyst })).waitFor();
        await row.waitFor({ state: "detached" });
        await other.open("/sql");
        await at.locator(".account").getByRole("link", { name: t("site.signin") }).waitFor();
        assert.deepEqual(other.wrong, []);
      } finally {
        await other.context.close();
      }

      // The link was the first and only one; whoever comes next is invited by this administrator.
      site.link = await invite(`operator-${lang}-${mark}`, "operator");
      await page.locator(".account").getByRole("button", { name: t("site.signout") }).click();
      await page.getByText(t("list.notyours")).waitFor();
      await open(`/welcome#${"0".repeat(64)}`);
      await page.locator("#new-password").fill(own);
      await page.locator("#again").fill(own);
      await page.getByRole("button", { name: t("welcome.submit") }).click();
      await says("welcome.refused");
    },
  },
  {
    name: "she opens a saved question, turns a parameter, shares it and fetches its answer; signed in, she saves one of her own",
    short: true,
    async run({ page, site, open, t, lang, fresh, judge }) {
      const saved = await (await fetch(`${site.base}/v1/questions`)).json();
      const said = (name) => {
        const { title } = saved.find((question) => question.name === name);
        return title[lang] || title.en;
      };
      await open("/");
      const menu = page.getByRole("navigation", { name: t("site.nav") });
      await menu.getByRole("link", { name: t("nav.questions"), exact: true }).click();
      await page.waitForURL(/\/questions/);
      await page.locator(".questions li").first().waitFor();
      assert.equal(await page.locator(".questions li").count(), saved.length);
      await page.getByLabel(t("questions.find")).fill("children-by-province");
      const bonded = page.locator(".questions li", { hasText: said("children-by-province") });
      await bonded.getByText(t("mark.records.signin")).waitFor();
      assert.equal(await page.locator(".questions li").count(), 1);
      await page.getByLabel(t("questions.find")).fill("");
      await page.getByRole("link", { name: said("victims-by-year") }).click();
      await page.getByRole("heading", { name: said("victims-by-year") }).waitFor();

      // What the page shows is what the address of the data answers, before a parameter is turned and after.
      const body = page.locator(".outcome tbody tr");
      const shows = async (path) => {
        const expected = await rows(site, path);
        await page.waitForFunction(([n, year]) => document.querySelectorAll(".outcome tbody tr").length === n && document.querySelector(".outcome td")?.textContent === year, [expected.length, String(expected[0].year)]);
        const cells = await body.first().locator("td").allInnerTexts();
        assert.deepEqual(cells, Object.entries(expected[0]).map(([name, v]) => (v === null ? "NULL" : name === "year" ? String(v) : number(v))));
      };
      const data = "/v1/questions/victims-by-year/data";
      await shows(data);
      await page.locator(".asks input[type=number]").fill("2021");
      await page.locator(".asks select").selectOption("child");
      await page.getByRole("button", { name: t("sql.run"), exact: true }).click();
      await page.waitForURL(/from_year=2021/);
      await shows(`${data}?from_year=2021&age_group=child`);
      await judge(page);
      await page.getByRole("button", { name: t("sql.result.chart") }).click();
      await page.locator(".outcome .chart svg").waitFor();
      const shared = page.url();
      await page.goto("about:blank");
      await page.goto(shared);
      await shows(`${data}?from_year=2021&age_group=child`);
      assert.equal(await page.locator(".asks select").inputValue(), "child");
      const address = await page.locator(".access pre").first().innerText();
      const csv = await (await fetch(address)).text();
      assert.match(csv, /^year,victims,/);
      assert.equal(csv.trim().split("\n").length, (await body.count()) + 1);
      const waiting = page.waitForEvent("download");
      await page.getByRole("link", { name: t("sql.result.csv") }).click();
      const download = await waiting;
      assert.equal(download.suggestedFilename(), "victims-by-year.csv");
      const file = Buffer.concat(await (await download.createReadStream()).toArray()).toString("utf8");
      assert.equal(file, `\uFEFF${csv}`, "for spreadsheets, with a mark of its encoding");
      for (const format of ["json", "parquet"]) assert.equal((await fetch(address.replace("format=csv", `format=${format}`))).status, 200, format);
      // Behind it is SQL with the values in their places.
      const first = await body.first().locator("td").allInnerTexts();
      await page.getByRole("link", { name: t("indicator.access.open") }).click();
      await page.waitForURL(/\/sql\?/);
      await page.locator(".outcome tbody tr").first().waitFor();
      assert.deepEqual(await page.locator(".outcome tbody tr").first().locator("td").allInnerTexts(), first);
      assert.equal(await page.getByRole("button", { name: t("sql.save") }).count(), 0, "nobody saves who is not signed in");
      // A value that is none is refused, and the refusal says where to look.
      await open("/questions/victims-by-year?age_group=grown");
      await page.locator(".refusal .hint", { hasText: "lists its parameters" }).waitFor();
      await judge(page);
      if (!site.link) return;

      // The records are asked by those who sign in, and only when they say so.
      await open("/questions/children-by-province?from_year=2011");
      const refusal = page.locator(".refusal");
      await refusal.getByText("key_needed").first().waitFor();
      await judge(page);
      const other = await fresh(lang);
      const mark = Date.now().toString(36);
      const analyst = `asker-${lang}-${mark}`;
      const choose = async (on, link, password) => {
        await on.open(`/welcome${new URL(link).hash}`);
        await on.page.locator("#new-password").fill(password);
        await on.page.locator("#again").fill(password);
        await on.page.getByRole("button", { name: t("welcome.submit") }).click();
        await on.page.getByRole("heading", { name: t("welcome.done") }).waitFor();
      };
      const invite = async (name, role) => {
        await other.page.getByLabel(t("people.name"), { exact: true }).fill(name);
        await other.page.getByLabel(t("list.role"), { exact: true }).selectOption(role);
        await other.page.getByRole("button", { name: t("invite.submit") }).click();
        await other.page.getByRole("heading", { name: t("invite.done", { name }) }).waitFor();
        return other.page.getByLabel(t("invite.link")).inputValue();
      };
      const inside = await fresh(lang);
      try {
        await choose(other, site.link, "one who lets others in");
        await other.open("/people");
        // The link was used up; whoever comes next is invited by this administrator.
        site.link = await invite(`operator-${lang}-${mark}`, "operator");
        await choose(inside, await invite(analyst, "analyst"), "one who asks and saves");
        await inside.page.locator(".account").getByRole("button", { name: t("site.signout") }).click();
        await inside.page.locator(".account").getByRole("link", { name: t("site.signin") }).waitFor();

        await refusal.getByRole("link", { name: t("site.signin") }).click();
        await page.locator("#username").fill(analyst);
        await page.locator("#password").fill("one who asks and saves");
        await page.keyboard.press("Enter");
        await page.waitForURL(/\/questions\/children-by-province\?.*from_year=2011/);
        await page.getByText(t("one.offer")).waitFor();
        await page.getByRole("button", { name: t("sql.run"), exact: true }).click();
        await page.locator(".outcome tbody td").first().waitFor();
        await judge(page);

        // One of her own: what would be refused is not saved, and a name that is there is not taken from another.
        await open("/sql");
        const write = async (text) => {
          await page.locator(".cm-content").click();
          await page.keyboard.press("Control+a");
          // As it is pasted: what is typed is completed on the way.
          await page.keyboard.insertText(text);
        };
        await write("select valeu from published.v01 where length(time_period) = 4");
        await page.getByRole("button", { name: t("sql.save") }).click();
        const form = page.locator(".saving form");
        await form.getByRole("button", { name: t("save.submit"), exact: true }).click();
        await form.locator("#save-title-wrong").waitFor();
        await page.waitForFunction(() => document.activeElement?.id === "save-title");
        await judge(page);
        await form.locator("#save-title").fill("Victims by year");
        assert.equal(await form.locator("#save-name").inputValue(), "victims-by-year");
        await form.getByRole("button", { name: t("save.submit"), exact: true }).click();
        await form.locator("#save-name-wrong", { hasText: t("save.name.taken") }).waitFor();
        const name = `own-${lang}-${mark}`;
        await form.locator("#save-name").fill(name);
        await form.locator("#save-description").fill("The whole country");
        await form.getByRole("button", { name: t("save.submit"), exact: true }).click();
        await form.getByRole("alert").getByText(/Did you mean/).waitFor();
        await write("select time_period as year, value from published.v01 where province = '_T' and sex = '_T' and age_group = '_T' and length(time_period) = 4 and time_period >= $1 order by 1");
        await form.getByLabel(t("save.parameter.name"), { exact: true }).fill("since");
        await form.getByLabel(t("save.parameter.default"), { exact: true }).fill("2022");
        await judge(page);
        await form.getByRole("button", { name: t("save.submit"), exact: true }).click();
        await page.waitForURL(new RegExp(`/questions/${name}`));
        await page.getByRole("heading", { name: "Victims by year" }).waitFor();
        await page.locator(".marks", { hasText: analyst }).waitFor();
        await page.locator(".outcome tbody tr").first().waitFor();
        await judge(page);
        // Changed, it is the same one, with what it was saved with.
        await page.getByRole("link", { name: t("one.edit") }).click();
        await form.locator("#save-description").waitFor();
        assert.equal(await form.locator("#save-description").inputValue(), "The whole country");
        await form.locator("#save-description").fill("The whole country, since a year");
        await form.getByRole("button", { name: t("save.submit"), exact: true }).click();
        await page.getByText("The whole country, since a year").waitFor();
        await page.locator(".outcome tbody tr").first().waitFor();
        // Others do not see it.
        assert.equal((await fetch(`${site.base}/v1/questions/${name}`)).status, 404);
        await inside.open(`/questions/${name}`);
        await inside.page.getByText(t("one.missing")).waitFor();
        await judge(inside.page);
        await page.getByRole("button", { name: t("one.delete") }).click();
        const dialog = page.getByRole("dialog");
        await judge(page);
        await dialog.getByRole("button", { name: t("one.delete.no"), exact: true }).click();
        await page.getByRole("button", { name: t("one.delete"), exact: true }).click();
        await dialog.getByRole("button", { name: t("one.delete.yes"), exact: true }).click();
        await page.waitForURL(/\/questions(\?|$)/);
        await page.locator(".questions li").first().waitFor();
        assert.equal(await page.locator(".questions li", { hasText: analyst }).count(), 0);
        assert.deepEqual([...other.wrong, ...inside.wrong], []);
      } finally {
        await other.context.close();
        await inside.context.close();
      }
    },
  },
];
