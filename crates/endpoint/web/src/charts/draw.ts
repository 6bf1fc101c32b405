// The charts, by Observable Plot. Each is a function from what to draw and a width to a picture; all of Plot that the pages
// use is named here.
import {
  areaY,
  axisX,
  axisY,
  barX,
  dot,
  gridX,
  gridY,
  lineY,
  plot,
  pointer,
  pointerX,
  ruleX,
  ruleY,
  text,
  tip,
  type Markish,
} from "@observablehq/plot";
import { number } from "../lib/cells";
import { COLOURS, DASHES, SIGNS, runs, timespan, values, type Mark, type Spec } from "./spec";

type Picture = SVGElement | HTMLElement;

/**
 * Plot adds a style sheet to each picture, which the policy of the pages refuses (`charts.css` says the same), and names to its
 * groups that have no role to bear one (WAI-ARIA 1.2, 5.2.8.6).
 */
function unstyled(picture: Picture): Picture {
  picture.querySelectorAll("style").forEach((sheet) => sheet.remove());
  picture.querySelectorAll("[aria-label], [aria-description]").forEach((group) => {
    group.removeAttribute("aria-label");
    group.removeAttribute("aria-description");
  });
  return picture;
}

const shown = (marks: Mark[]) => marks.filter((m) => m.value !== null);
const hidden = (marks: Mark[]) => marks.filter((m) => m.look === "hidden");
const place = (spec: Spec, series: string) => Math.max(0, spec.series.indexOf(series)) % COLOURS.length;
const colour = (spec: Spec) => (m: Mark) => COLOURS[place(spec, m.series)];

/** What the pointer reads: the series, the period, the value with its interval, the status. */
function reading(spec: Spec) {
  return (m: Mark) => {
    const width = m.lo !== null && m.hi !== null && m.lo !== m.hi ? ` (${number(m.lo)}–${number(m.hi)})` : "";
    const value = m.value === null ? m.said : `${number(m.value)}${width}`;
    const series = spec.series.length > 1 ? `${m.series}\n` : "";
    return `${series}${m.label}: ${value}${m.value !== null && m.said ? `\n${m.said}` : ""}`;
  };
}

/** Years that label the axis of time: as many as have room. */
function years(marks: Mark[], width: number): number[] {
  const all = marks.map((m) => Math.floor(Number(m.x)));
  const [first, last] = [Math.min(...all), Math.max(...all)];
  const step = [1, 2, 5, 10].find((s) => ((last - first) / s + 1) * 42 <= width) ?? 10;
  const ticks: number[] = [];
  for (let year = last; year >= first; year -= step) ticks.unshift(year);
  return ticks;
}

/** Lines over time, each with its interval as a band; signs and dashes tell the series apart without colour. */
export function lines(spec: Spec, width: number, height = width < 480 ? 240 : 320): Picture {
  const drawn = runs(spec.marks).filter((m) => m.value !== null);
  const stroke = colour(spec);
  const few = drawn.length / Math.max(1, spec.series.length) <= 24;
  const each: Markish[] = spec.series.flatMap((series, n) => {
    const own = drawn.filter((m) => m.series === series);
    const common = { x: "x", z: "run" } as const;
    return [
      areaY(own, { ...common, y1: "lo", y2: "hi", fill: COLOURS[n % COLOURS.length], fillOpacity: 0.16 }),
      lineY(own, { ...common, y: "value", stroke: COLOURS[n % COLOURS.length], strokeWidth: 2, strokeDasharray: DASHES[n % DASHES.length] }),
    ];
  });
  const dots = (few ? drawn : drawn.filter((m) => m.look === "hollow")).map((m) => m as Mark);
  return unstyled(
    plot({
      width,
      height,
      marginLeft: 44,
      marginRight: 16,
      marginTop: 14,
      marginBottom: 28,
      x: { domain: timespan(spec.marks), label: null },
      y: { domain: values(spec), label: null, nice: !spec.percent },
      marks: [
        gridY({ stroke: "var(--rule)", strokeOpacity: 1, ticks: 5 }),
        axisY({ ticks: 5, tickSize: 0, tickFormat: (v: number) => number(v), fill: "var(--muted)" }),
        axisX({ ticks: years(spec.marks, width - 60), tickFormat: String, tickSize: 4, stroke: "var(--muted)", fill: "var(--muted)" }),
        ruleY([0], { stroke: "var(--ink)", strokeWidth: 1 }),
        ruleX(spec.marks.filter((m) => m.broken), { x: "x", stroke: "var(--muted)", strokeDasharray: "2 2" }),
        ...each,
        ruleX(drawn.filter((m, n) => m.lo !== m.hi && drawn[n - 1]?.run !== m.run && drawn[n + 1]?.run !== m.run), { x: "x", y1: "lo", y2: "hi", stroke, strokeWidth: 5, strokeOpacity: 0.24 }),
        dot(dots, {
          x: "x",
          y: "value",
          r: 3.6,
          symbol: (m: Mark) => SIGNS[place(spec, m.series)],
          stroke,
          strokeWidth: 1.7,
          fill: (m: Mark) => (m.look === "hollow" ? "var(--paper)" : stroke(m)),
        }),
        dot(hidden(spec.marks), { x: "x", y: 0, symbol: "times", r: 3.2, stroke, strokeWidth: 1.8, dy: -1 }),
        tip(drawn.length ? spec.marks.map((m) => ({ ...m, at: m.value ?? 0 })) : [], pointerX({
          x: "x", y: "at", title: reading(spec) as never, fill: "var(--paper)", stroke: "var(--muted)", textPadding: 8,
        })),
      ],
      symbol: { type: "identity" as never },
    }),
  );
}

/** The same line once for each series, side by side on one scale: for more series than one picture can hold apart. */
export function multiples(spec: Spec, width: number): Picture {
  const columns = Math.max(1, Math.min(4, spec.series.length, Math.floor(width / 200)));
  const lines = Math.ceil(spec.series.length / columns);
  const at = new Map(spec.series.map((s, n) => [s, n]));
  const cell = (series: string) => ({ fx: (at.get(series) ?? 0) % columns, fy: Math.floor((at.get(series) ?? 0) / columns) });
  const all = runs(spec.marks).map((m) => ({ ...m, ...cell(m.series), at: m.value ?? 0 }));
  const drawn = all.filter((m) => m.value !== null);
  const facet = { fx: "fx", fy: "fy" } as const;
  const titles = spec.series.map((series) => ({ series, ...cell(series) }));
  const ends = titles.flatMap((t) => {
    const own = all.filter((m) => m.series === t.series);
    const [first, last] = [own[0], own[own.length - 1]];
    return first && last ? [{ first, last }] : [];
  });
  const year = (m: Mark) => String(Math.floor(Number(m.x)));
  const ground = { y: () => 0, dy: 11, fill: "var(--muted)", fontSize: 10.5 };
  return unstyled(
    plot({
      width,
      height: lines * 140 + 36,
      marginLeft: 40,
      marginRight: 10,
      marginTop: 18,
      marginBottom: 22,
      x: { domain: timespan(spec.marks), axis: null },
      y: { domain: values(spec), nice: true, label: null },
      fx: { axis: null, padding: 0.1, domain: Array.from({ length: columns }, (_, n) => n) },
      fy: { axis: null, padding: 0.34, domain: Array.from({ length: lines }, (_, n) => n) },
      marks: [
        gridY({ ticks: 3, stroke: "var(--rule)", strokeOpacity: 1 }),
        axisY({ anchor: "left", ticks: 3, tickSize: 0, label: null, fill: "var(--muted)", tickFormat: (v: number) => number(v) }),
        ruleY(titles, { ...facet, y: () => 0, stroke: "var(--muted)" }),
        areaY(drawn, { ...facet, x: "x", y1: "lo", y2: "hi", z: "run", fill: "var(--s1)", fillOpacity: 0.2 }),
        lineY(drawn, { ...facet, x: "x", y: "value", z: "run", stroke: "var(--s1)", strokeWidth: 1.8 }),
        dot(drawn.filter((m) => m.look === "hollow" && spec.marks.length < 200), {
          ...facet, x: "x", y: "value", r: 2.6, stroke: "var(--s1)", fill: "var(--paper)", strokeWidth: 1.4,
        }),
        dot(hidden(all) as never, { ...facet, x: "x", y: 0, symbol: "times", r: 2.2, stroke: "var(--s1)", strokeWidth: 1.3, dy: -1 }),
        text(titles, { ...facet, text: "series", frameAnchor: "top-left", dy: -10, fontWeight: 600, fill: "var(--ink)", fontSize: 12, lineWidth: width / columns / 13, lineAnchor: "bottom" }),
        text(ends.map((e) => e.first), { ...facet, ...ground, x: "x", text: year, textAnchor: "start" }),
        text(ends.map((e) => e.last), { ...facet, ...ground, x: "x", text: year, textAnchor: "end" }),
        tip(all, pointerX({ ...facet, x: "x", y: "at", title: reading({ ...spec, series: [""] }) as never, fill: "var(--paper)", stroke: "var(--muted)", textPadding: 8 })),
      ],
    }),
  );
}

/** Categories below each other, each a value on its interval: what is uncertain looks so. */
export function intervals(spec: Spec, width: number): Picture {
  const order = spec.marks.map((m) => String(m.x));
  const left = Math.min(Math.round(width * 0.42), Math.max(...order.map((o) => o.length)) * 7 + 14);
  const exact = spec.kind === "bars";
  const domain = values(spec, 1.12);
  const drawn = shown(spec.marks);
  return unstyled(
    plot({
      width,
      height: order.length * 30 + 44,
      marginLeft: left,
      marginRight: exact || width < 480 ? 64 : 110,
      marginTop: 26,
      marginBottom: 10,
      x: { domain, label: null, nice: !spec.percent },
      y: { domain: order, label: null, padding: exact ? 0.34 : 0.4 },
      marks: [
        gridX({ stroke: "var(--rule)", strokeOpacity: 1, ticks: width < 480 ? 3 : 6 }),
        axisX({ anchor: "top", ticks: width < 480 ? 3 : 6, tickSize: 0, tickFormat: (v: number) => number(v), fill: "var(--muted)", label: null }),
        axisY({ tickSize: 0, tickFormat: String, fill: "var(--ink)", fontSize: 12.5, lineWidth: left / 13, label: null }),
        exact
          ? barX(drawn, { y: "x", x: "value", fill: "var(--s1)" })
          : ruleY(drawn, { y: "x", x1: "lo", x2: "hi", stroke: "var(--s1)", strokeWidth: 7, strokeOpacity: 0.34 }),
        exact ? null : dot(drawn, { y: "x", x: "value", r: 5, stroke: "var(--s1)", strokeWidth: 2, fill: (m: Mark) => (m.look === "hollow" ? "var(--paper)" : "var(--s1)") }),
        ruleX([0], { stroke: "var(--ink)" }),
        text(drawn, { y: "x", x: (m: Mark) => m.hi ?? m.value, text: (m: Mark) => beside(m, width), textAnchor: "start", dx: 8, fill: "var(--ink)", fontSize: 12.5, fontVariant: "tabular-nums" }),
        dot(hidden(spec.marks), { y: "x", x: 0, dx: 8, symbol: "times", r: 3.6, stroke: "var(--muted)", strokeWidth: 1.8 }),
        text(spec.marks.filter((m) => m.value === null), { y: "x", x: 0, dx: 18, text: "said", textAnchor: "start", fill: "var(--muted)", fontSize: 12 }),
        tip(drawn, pointer({ y: "x", x: "value", title: reading({ ...spec, series: [""] }) as never, fill: "var(--paper)", stroke: "var(--muted)", textPadding: 8 })),
      ],
    }),
  );
}

/** The value beside its sign, with its interval where there is room. */
function beside(m: Mark, width: number): string {
  const value = number(m.value ?? 0);
  return m.lo === m.hi || m.lo === null || m.hi === null || width < 480 ? value : `${value} (${number(m.lo)}–${number(m.hi)})`;
}

const POINTS = [{ x: 0, y: 0, said: "–" }, { x: 1, y: 1, said: "–" }];
const AT = { x: "x", y: "y" } as const;
const whole = { domain: [0, 1] };

/** Pictures of nothing: most of what the first one costs is the library's own beginning, which can be tasks of its own. */
export const beginnings = [
  () => plot({}),
  () => plot({ x: whole, y: whole, marks: [axisY(), axisX()] }),
  () => plot({ x: whole, y: whole, marks: [lineY(POINTS, AT), dot(POINTS, { ...AT, symbol: "times" })] }),
  () => plot({ x: whole, y: whole, marks: [gridY(), areaY(POINTS, { x: "x", y1: "y", y2: "y" }), ruleY([0]), tip(POINTS, pointerX({ ...AT, title: "said" }))] }),
  () => plot({ x: whole, y: whole, fx: { axis: null }, fy: { axis: null }, marks: [text(POINTS, { ...AT, fx: "x", fy: "y", text: "said", lineWidth: 3 })] }),
];

/** Draws what is asked for. */
export function draw(spec: Spec, width: number): Picture {
  switch (spec.kind) {
    case "multiples":
      return multiples(spec, width);
    case "intervals":
    case "bars":
      return intervals(spec, width);
    default:
      return lines(spec, width);
  }
}
