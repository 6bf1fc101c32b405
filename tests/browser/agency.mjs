// The page of an agency at its own door: the key, what arrived, a file that is checked, put right and sent, how good the feed is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { text } from "./words.mjs";

/** A message of the page of an agency. */
const words = (lang, key, values) => text(lang, key, values, "agency");

const MAPPING = `title = "cases"
event = "case.registered"
key = "nr"
synthetic = true
agency = { constant = "POL-PB" }
time = { column = "recorded", form = "date" }
[fields]
occurred_on = { column = "day" }
province = { constant = "PK-PB" }
sections = { column = "section", list = true, values = { "section 3" = "PTPA-3-1" } }
`;
/** The second row has a section that the mapping does not know. */
const rows = (nr) => `nr,recorded,day,section\n${nr}-1,2026-03-10,2026-03-09,section 3\n${nr}-2,2026-03-10,2026-03-09,section 99\n`;

export async function agencyStories({ must, fresh, judge, site, short }) {
  for (const lang of ["en", "ur"]) {
    const t = (key, values) => words(lang, key, values);
    const enter = async (page, key = site.agencyKey) => {
      await page.goto(`${site.door}/agency?lang=${lang}`);
      await page.locator("#key").fill(key);
      await page.getByRole("button", { name: t("key.enter") }).click();
    };

    await must(`${lang} an agency shows its key, and nothing of another's or of a wrong one is seen`, async () => {
      const { context, page, wrong } = await fresh(lang, {}, site.door);
      try {
        await enter(page, "");
        await page.locator("#key-wrong", { hasText: t("key.missing") }).waitFor();
        await page.locator("#key").fill("amanat_wrong");
        await page.getByRole("button", { name: t("key.enter") }).click();
        await page.locator("#key-wrong", { hasText: t("key.wrong") }).waitFor();
        await judge(page);
        await enter(page);
        await page.locator("h1", { hasText: lang === "ur" ? "پولیس، پنجاب" : "Police, Punjab" }).waitFor();
        const kept = await page.evaluate(() => [location.href, JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie].join());
        assert.ok(!kept.includes(site.agencyKey), "the key is kept nowhere");
        await page.getByRole("button", { name: t("key.leave") }).click();
        await page.locator("#key").waitFor();
        if (wrong.length) throw new Error(wrong.join("\n"));
      } finally {
        await context.close();
      }
    });

    await must(`${lang} a file is checked, its wrong rows come back as a workbook, the others are sent and followed`, async () => {
      const { context, page, wrong } = await fresh(lang, {}, site.door);
      try {
        const put = await fetch(`${site.door}/v1/mappings/cases`, { method: "PUT", headers: { authorization: `Bearer ${site.agencyKey}` }, body: MAPPING });
        assert.equal(put.status, 204);
        await enter(page);
        const file = rows(`${lang}-${Date.now()}`);
        await page.locator("#file").setInputFiles({ name: "cases.csv", mimeType: "text/csv", buffer: Buffer.from(file) });
        await page.locator("#mapping").selectOption("cases");
        await page.getByRole("button", { name: t("check.do"), exact: true }).click();
        await page.getByText(t("check.found", { valid: 1, events: 2 })).waitFor();
        await page.locator("table.lines", { hasText: "data.sections" }).waitFor();
        const [book] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: t("check.corrections") }).click()]);
        const bytes = readFileSync(await book.path());
        assert.ok(bytes.subarray(0, 2).toString() === "PK" && bytes.includes("section 99"), "the row is in the workbook");
        await page.getByRole("button", { name: t("check.send", { n: 1 }) }).click();
        await page.getByRole("status").filter({ hasText: t("check.sent").split("{")[0].trim() }).waitFor();
        await page.getByRole("button", { name: t("receipt.open") }).first().click();
        await page.locator("table.lines", { hasText: t("status.refused") }).waitFor();
        if (wrong.length) throw new Error(wrong.join("\n"));
      } finally {
        await context.close();
      }
    });

    await must(`${lang} an agency sees how good its feed is and which reports are expected, and axe finds nothing serious`, async () => {
      for (const colorScheme of short ? ["light"] : ["light", "dark"]) {
        const { context, page, wrong } = await fresh(lang, { colorScheme, viewport: { width: colorScheme === "dark" ? 320 : 1280, height: 900 } }, site.door);
        try {
          await enter(page);
          await page.locator("section", { has: page.locator("#quality") }).locator("table tbody tr").first().waitFor();
          await page.locator("section", { has: page.locator("#calendar") }).locator("table tbody tr").first().waitFor();
          await page.locator("details.behind summary").first().click();
          await page.locator("table.fields:visible").first().waitFor();
          await page.waitForFunction(() => !document.querySelector("main .loading"));
          await judge(page);
          const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(width <= 0, `${width} pixels too wide`);
          if (site.shots) await page.screenshot({ path: `${site.shots}/agency-${lang}-${colorScheme}.png`, fullPage: true });
          const [sheet] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: t("templates.xlsx"), exact: true }).click()]);
          assert.match(sheet.suggestedFilename(), /\.xlsx$/);
          if (wrong.length) throw new Error(wrong.join("\n"));
        } finally {
          await context.close();
        }
      }
    });
  }
}
