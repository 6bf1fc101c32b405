// A reader's way through Superset, each step compared with what the HTTP door says of the same.
//
//   node main.mjs --superset URL --amanat URL --postgres PORT --key-file F --statements F [--pictures DIR]
//
// The password of Superset's user `admin` is in BI_PASSWORD. Prints a line for each step, then `N of N`.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.BROWSER_MODULES ?? process.cwd(), "x.js"));
const { chromium } = require("playwright-core");

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? null : (process.argv[at + 1] ?? "");
};
const superset = option("superset");
const amanat = option("amanat");
const key = readFileSync(option("key-file"), "utf8").trim();
const pictures = option("pictures");
if (pictures) mkdirSync(pictures, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(30_000);
// Superset counts its visits elsewhere and loads fonts from there; nothing of that is let out.
await context.route("**/*", (route) => (route.request().url().startsWith(superset) ? route.continue() : route.abort()));

let [held, all] = [0, 0];

/** One line for each step. One that needs what an earlier one made fails with it. */
async function step(what, run) {
  all += 1;
  const began = performance.now();
  try {
    const said = await run();
    held += 1;
    console.log(`ok   ${what}${said ? `: ${said}` : ""} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    const said = String(error?.message ?? error).replace(/\u001b\[\d+m/g, "").replace(/<!doctype html>[^]*/i, "(a page)").trim();
    console.log(`FAIL ${what}: ${said.split("\n").slice(0, 12).join("\n     ")}`);
  }
}

function need(condition, what) {
  if (!condition) throw new Error(what);
}

function same(got, expected, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  need(a === b, `${what}\ngot      ${a.slice(0, 600)}\nexpected ${b.slice(0, 600)}`);
}

const shot = async (name) => pictures && page.screenshot({ path: join(pictures, `${name}.png`) });

let csrf = "";

/** A question to Superset's API, as the user who is signed in. */
async function api(method, path, data) {
  const answer = await page.request.fetch(superset + path, { method, data, headers: { "X-CSRFToken": csrf, Referer: superset }, timeout: 120_000 });
  const text = await answer.text();
  need(answer.ok(), `${method} ${path.split("?")[0]}: ${answer.status()} ${text.slice(0, 600)}`);
  return JSON.parse(text);
}

/** What an indicator's data are by the HTTP door: rows of CSV without quotes, as objects. */
async function data(indicator, query) {
  const answer = await fetch(`${amanat}/v1/indicators/${indicator}/data?${query}&format=csv`);
  need(answer.ok, `the HTTP door says ${answer.status}`);
  const [head, ...rows] = (await answer.text()).trim().split(/\r?\n/).map((line) => line.split(","));
  return rows.map((row) => Object.fromEntries(row.map((cell, at) => [head[at], cell])));
}

/** Rows that the HTTP door gives to a question in SQL. */
async function asked(sql) {
  const answer = await fetch(`${amanat}/v1/sql`, { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: JSON.stringify({ sql }) });
  need(answer.ok, `the HTTP door says ${answer.status}`);
  return (await answer.json()).rows;
}

const number = (text) => (text === "" ? null : Number(text));
const sorted = (rows) => rows.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
const TOTALS = "province=_T&sex=_T&age_group=_T";
const years = (await data("V01", TOTALS)).filter((row) => row.time_period.length === 4).map((row) => [row.time_period, number(row.value), number(row.lo95), number(row.hi95)]);
const latest = years.at(-1)[0];
const provinces = (await data("V01", `time_period=${latest}&sex=_T&age_group=_T`)).filter((row) => row.province !== "_T").map((row) => [row.province, number(row.value)]);
const RECORDS = "select province, count(*) as victims from protected.victims where year >= 2016 group by province";
const records = await asked(RECORDS);
need(years.length >= 10 && provinces.length >= 8 && records.length >= 8, "the synthetic country has too little in it to be compared");

await step("a person signs in", async () => {
  await page.goto(`${superset}/login/`);
  await page.locator("[data-test=username-input]").fill("admin");
  await page.locator("[data-test=password-input]").fill(process.env.BI_PASSWORD);
  await page.locator("[data-test=login-button]").click();
  await page.waitForURL(/welcome/);
  csrf = (await api("GET", "/api/v1/security/csrf_token/")).result;
  const version = JSON.parse(await page.locator("#app").getAttribute("data-bootstrap")).common.menu_data?.navbar_right?.version_string;
  return version ? `Superset ${version}` : "";
});

/** The connections, by who reads over them. */
const connections = {};
for (const [who, password, options] of [["public", "", ""], ["analyst", `:${key}`, ""], ["analyst with intervals", `:${key}`, "?options=-c%20amanat.companions%3Don"]]) {
  await step(`connects as ${who}`, async () => {
    const made = {
      database_name: `Amanat, ${who}`,
      sqlalchemy_uri: `postgresql://${who.split(" ")[0]}${password}@127.0.0.1:${option("postgres")}/amanat${options}`,
    };
    await api("POST", "/api/v1/database/test_connection/", made);
    connections[who] = (await api("POST", "/api/v1/database/", { ...made, expose_in_sqllab: true })).id;
  });
}

/** The connection of a reader. */
function over(who) {
  need(connections[who], `${who} has not connected`);
  return connections[who];
}

await step("lists schemas", async () => {
  const { result } = await api("GET", `/api/v1/database/${over("public")}/schemas/?q=(force:!t)`);
  same(result.toSorted(), ["information_schema", "protected", "published", "reference"], "other schemas");
  return result.toSorted().join(", ");
});

const tables = async (schema) => (await api("GET", `/api/v1/database/${over("public")}/tables/?q=(force:!t,schema_name:${schema})`)).result.map((t) => t.value);
await step("lists tables", async () => {
  const indicators = (await (await fetch(`${amanat}/v1/indicators`)).json()).indicators.map((i) => i.id.toLowerCase());
  const [published, reference, kept] = [await tables("published"), await tables("reference"), await tables("protected")];
  same(published.toSorted(), [...indicators, "editions", "indicator_values"].toSorted(), "other tables than the indicators");
  for (const table of ["province", "sex", "age_group", "exploitation"]) need(reference.includes(table), `no reference.${table}`);
  for (const table of ["victims", "cases"]) need(kept.includes(table), `no protected.${table}`);
  return `published ${published.length}, reference ${reference.length}, protected ${kept.length}`;
});

await step("lists columns with types and what they say", async () => {
  const silent = [];
  let count = 0;
  for (const [schema, table] of [...(await tables("published")).map((t) => ["published", t]), ["reference", "province"], ["protected", "victims"]]) {
    const { columns } = await api("GET", `/api/v1/database/${over("public")}/table_metadata/?name=${table}&schema=${schema}`);
    need(columns.length > 0 && columns.every((c) => c.type), `a column of ${schema}.${table} has no type: ${JSON.stringify(columns)}`);
    count += columns.length;
    silent.push(...columns.filter((c) => !c.comment).map((c) => `${schema}.${table}.${c.name}`));
    if (table !== "v01") continue;
    const types = Object.fromEntries(columns.map((c) => [c.name, c.type]));
    same([types.edition, types.time_period, types.value, types.as_of], ["BIGINT", "TEXT", "NUMERIC", "DATE"], "other types");
    need(/codes in reference\.province/.test(columns.find((c) => c.name === "province").comment), "the column province does not say where its codes are");
  }
  need(silent.length === 0, `columns without a comment: ${silent.join(", ")}`);
  return `${count} columns, each with a comment`;
});

/** Asks in SQL Lab, as a person does, and gives the cells that the table of results shows, row by row. */
async function lab(who, schema, sql) {
  await page.goto(`${superset}/sqllab/?dbid=${over(who)}&schema=${schema}&name=${encodeURIComponent(who)}&sql=${encodeURIComponent(sql)}`);
  const run = page.locator("[data-test=run-query-action]:visible");
  await run.waitFor();
  await page.waitForFunction(() => document.querySelector(".ace_content")?.textContent.includes("select"));
  const answer = page.waitForResponse((r) => r.url().includes("/api/v1/sqllab/execute/"));
  await run.click();
  return (await answer).json();
}

/** The rows in the table of results, which must be seen and be those that came. */
async function seen(body) {
  need(body.status === "success", JSON.stringify(body).slice(0, 600));
  const columns = body.columns.map((c) => c.column_name);
  const rows = body.data.map((row) => columns.map((name) => row[name]));
  const cells = page.locator(".ag-center-cols-container:visible .ag-row [role=gridcell]");
  await cells.first().waitFor();
  const first = await page.locator(".ag-center-cols-container:visible .ag-row[row-index='0'] [role=gridcell]").allTextContents();
  // Columns past the edge are drawn when one moves there.
  need(first.length > 1, "the table has one column");
  same(first.map((c) => c.replace(/,/g, "")), rows[0].slice(0, first.length).map((c) => String(c ?? "")), "the first row of the table is another");
  return rows;
}

await step("asks in SQL Lab for a published indicator", async () => {
  const body = await lab("public", "published", "select time_period, value, lo95, hi95\nfrom published.v01\nwhere province = '_T' and sex = '_T' and age_group = '_T'\n  and length(time_period) = 4\norder by time_period");
  same(await seen(body), years, "other numbers than the HTTP door's");
  return `${years.length} years, ${latest}: ${years.at(-1)[1]}`;
});

await step("SQL Lab shows the schemas, the tables and the columns beside the question", async () => {
  const tree = page.locator("[data-test=sql-editor-left-bar]");
  await tree.getByText("published", { exact: true }).last().click();
  await tree.getByText("v01", { exact: true }).waitFor();
  await tree.getByText("v01", { exact: true }).click();
  await tree.getByText("time_period", { exact: true }).waitFor();
  await page.mouse.move(900, 300);
  await page.waitForTimeout(600);
  await shot("sqllab");
});

await step("asks in SQL Lab for numbers of the records", async () => {
  const rows = await seen(await lab("analyst", "protected", RECORDS));
  same(sorted(rows), sorted(records), "other numbers than the HTTP door's");
  return `${rows.length} provinces, ${rows[0][0]}: ${rows[0][1]}`;
});

await step("asks for intervals beside the numbers of the records", async () => {
  const body = await lab("analyst with intervals", "protected", RECORDS);
  const rows = await seen(body);
  const names = body.columns.map((c) => c.column_name);
  for (const name of ["victims_lo95", "victims_hi95", "victims_status", "victims_bias"]) need(names.includes(name), `no column ${name}: ${names}`);
  same(sorted(rows.map((row) => row.slice(0, 2))), sorted(records), "other numbers than without intervals");
  return names.join(", ");
});

await step("a refusal says what to ask instead", async () => {
  const body = await lab("analyst", "protected", "select *\nfrom protected.victims");
  const said = body.errors?.[0]?.message ?? JSON.stringify(body);
  need(/PRIV-1003/.test(said) && /HINT:.*count\(\*\)/s.test(said), said);
  await page.getByText("PRIV-1003").first().waitFor();
  await page.mouse.move(900, 300);
  await page.waitForTimeout(600);
  await shot("refusal");
});

await step("records need a key", async () => {
  const body = await lab("public", "published", RECORDS);
  const said = body.errors?.[0]?.message ?? JSON.stringify(body);
  need(/need a key/.test(said), said);
});

/** Data sets, by their table. */
const sets = {};
for (const [who, schema, table, time] of [["public", "published", "v01", "as_of"], ["analyst", "protected", "victims", "month"]]) {
  await step(`makes a data set of ${schema}.${table}`, async () => {
    const { id } = await api("POST", "/api/v1/dataset/", { database: over(who), schema, table_name: table });
    const { columns } = (await api("GET", `/api/v1/dataset/${id}`)).result;
    same(columns.filter((c) => c.is_dttm).map((c) => c.column_name), [time], "other columns are of time");
    need(columns.every((c) => c.description), "a column has no description");
    const { result } = await api("GET", `/api/v1/datasource/table/${id}/column/province/values/`);
    for (const province of provinces) need(result.includes(province[0]), `a filter does not offer ${province[0]}: ${result}`);
    sets[table] = id;
    return `${columns.length} columns, ${result.length} provinces to choose from`;
  });
}

const is = (subject, comparator) => ({ clause: "WHERE", expressionType: "SIMPLE", subject, operator: "==", operatorId: "EQUALS", comparator });
const where = (sqlExpression) => ({ clause: "WHERE", expressionType: "SQL", sqlExpression });
const metric = (column, label) => ({ expressionType: "SIMPLE", column: { column_name: column }, aggregate: "MAX", label, hasCustomLabel: true });
const everyYear = [is("province", "_T"), is("sex", "_T"), is("age_group", "_T"), where("length(time_period) = 4")];
const plain = { xAxisForceCategorical: true, row_limit: 1000, truncate_metric: true, show_empty_columns: true, y_axis_format: "SMART_NUMBER", x_axis_sort_asc: true, rich_tooltip: true };
const bars = { ...plain, viz_type: "echarts_timeseries_bar", show_value: true, show_legend: false };

/** What is drawn: of which set, how, and the rows that its data must be. */
const charts = [
  {
    name: "by-year", title: "V01 Victims identified, by year", set: "v01", expected: years.map((r) => r.slice(0, 2)), columns: ["time_period", "victims"],
    form: { ...bars, x_axis: "time_period", metrics: [metric("value", "victims")], adhoc_filters: everyYear },
  },
  {
    name: "interval", title: "V01 with its interval of 95 %", set: "v01", expected: years, columns: ["time_period", "victims", "low", "high"],
    form: { ...plain, viz_type: "echarts_timeseries_line", show_legend: true, markerEnabled: true, truncateYAxis: true, y_axis_bounds: [null, null], x_axis: "time_period", metrics: [metric("value", "victims"), metric("lo95", "low"), metric("hi95", "high")], adhoc_filters: everyYear },
  },
  {
    name: "by-province", title: `V01 Victims identified, by province, ${latest}`, set: "v01", expected: provinces, columns: ["province", "victims"],
    form: { ...bars, x_axis: "province", metrics: [metric("value", "victims")], adhoc_filters: [is("time_period", latest), is("sex", "_T"), is("age_group", "_T"), { ...is("province", "_T"), operator: "!=", operatorId: "NOT_EQUALS" }] },
  },
  {
    name: "records", title: "Records: victims since 2016, by province", set: "victims", expected: records, columns: ["province", "count"],
    form: { ...bars, x_axis: "province", metrics: ["count"], adhoc_filters: [{ ...is("year", 2016), operator: ">=", operatorId: "GREATER_THAN_OR_EQUAL" }] },
  },
];

/** Charts are there and each is painted: more than its axes. Gives the share of the least painted. */
async function painted(count) {
  const least = () => page.evaluate(() => {
    const shares = [...document.querySelectorAll("canvas")].map((canvas) => {
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      let coloured = 0;
      for (let at = 0; at < pixels.length; at += 4) {
        const [r, g, b, a] = pixels.subarray(at, at + 4);
        if (a > 0 && Math.max(r, g, b) - Math.min(r, g, b) > 40) coloured += 1;
      }
      return coloured / (canvas.width * canvas.height);
    });
    return { count: shares.length, least: Math.min(...shares) };
  });
  // Bars and lines grow for a moment: what is looked at has stopped.
  let [before, found] = [null, await least()];
  for (let tries = 0; tries < 60 && !(found.count === count && found.least > 0.01 && found.least === before?.least); tries += 1) {
    await page.waitForTimeout(400);
    [before, found] = [found, await least()];
  }
  need(found.count === count, `${found.count} charts, not ${count}`);
  need(found.least > 0.01, `a chart is empty: ${found.least} of it is coloured`);
  return found.least;
}

/** Rows of the answer that a chart is drawn from. Nothing in it may be hidden as zero. */
function drawn(body, chart) {
  const { data: rows, status, error } = body.result?.[0] ?? {};
  need(status === "success", `${error ?? JSON.stringify(body).slice(0, 600)}`);
  const got = rows.map((row) => chart.columns.map((name) => row[name]));
  same(sorted(got), sorted(chart.expected), "other numbers than the HTTP door's");
}

const isData = (response) => response.url().includes("/api/v1/chart/data") && response.request().method() === "POST";
for (const chart of charts) {
  await step(`makes a chart: ${chart.title}`, async () => {
    const datasource = sets[chart.set];
    need(datasource, `no data set of ${chart.set}`);
    const params = { ...chart.form, datasource: `${datasource}__table` };
    chart.id = (await api("POST", "/api/v1/chart/", { slice_name: chart.title, viz_type: chart.form.viz_type, datasource_id: datasource, datasource_type: "table", params: JSON.stringify(params) })).id;
    const answer = page.waitForResponse(isData);
    await page.goto(`${superset}/explore/?slice_id=${chart.id}`);
    drawn(await (await answer).json(), chart);
    const share = await painted(1);
    await shot(`chart-${chart.name}`);
    return `${chart.expected.length} values, ${(100 * share).toFixed(1)} % of the picture coloured`;
  });
}

await step("a dashboard shows the charts together", async () => {
  const { id } = await api("POST", "/api/v1/dashboard/", { dashboard_title: "Trafficking in persons (synthetic)", published: true });
  const rows = [charts.slice(0, 2), charts.slice(2)];
  const layout = { DASHBOARD_VERSION_KEY: "v2", ROOT_ID: { type: "ROOT", id: "ROOT_ID", children: ["GRID_ID"] }, GRID_ID: { type: "GRID", id: "GRID_ID", children: rows.map((_, at) => `ROW-${at}`), parents: ["ROOT_ID"] } };
  for (const [at, row] of rows.entries()) {
    layout[`ROW-${at}`] = { type: "ROW", id: `ROW-${at}`, children: row.map((c) => `CHART-${c.id}`), parents: ["ROOT_ID", "GRID_ID"], meta: { background: "BACKGROUND_TRANSPARENT" } };
    for (const chart of row) layout[`CHART-${chart.id}`] = { type: "CHART", id: `CHART-${chart.id}`, children: [], parents: ["ROOT_ID", "GRID_ID", `ROW-${at}`], meta: { chartId: chart.id, width: 6, height: 46, sliceName: chart.title } };
  }
  for (const chart of charts) await api("PUT", `/api/v1/chart/${chart.id}`, { dashboards: [id] });
  await api("PUT", `/api/v1/dashboard/${id}`, { json_metadata: JSON.stringify({ positions: layout }), position_json: JSON.stringify(layout) });
  const answers = [];
  page.on("response", (response) => isData(response) && answers.push(response.json()));
  await page.goto(`${superset}/superset/dashboard/${id}/`);
  await painted(charts.length);
  const bodies = await Promise.all(answers);
  for (const chart of charts) {
    const body = bodies.find((b) => chart.columns.every((name) => b.result?.[0]?.colnames?.includes(name)) && b.result[0].colnames.length === chart.columns.length && b.result[0].rowcount === chart.expected.length);
    need(body, `no answer for ${chart.title}`);
    drawn(body, chart);
  }
  await shot("dashboard");
  return `${charts.length} charts`;
});

await step("nothing that it asked of the catalogue was refused", async () => {
  const lines = readFileSync(option("statements"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const refusals = lines.filter((line) => line.refused);
  need(refusals.length === 0, refusals.map((line) => `${line.refused}\n${line.statement}`).join("\n"));
  const different = new Set(lines.map((line) => line.asked));
  need(different.size >= 10, `only ${different.size} statements were written down`);
  return `${lines.length} statements, ${different.size} different`;
});

await browser.close();
console.log(`${held} of ${all}`);
process.exit(held === all ? 0 : 1);
