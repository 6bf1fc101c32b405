// From published cells to what a chart draws and a table lists: the same cells for both.
import type { Kind, Mark, Spec } from "../charts/spec";
import { byPeriod, isExact, moment, type Point } from "./cells";
import type { Words } from "./words";
import type { Key } from "../messages";

/** Cells with the name of their series, in the order of the series. */
export interface Series {
  name: string;
  code: string;
  points: Point[];
}

function mark(point: Point, series: string, x: number | string, label: string, words: Words): Mark {
  const hollow = point.status === "P" || point.status === "U";
  return {
    series,
    x,
    label,
    value: point.value,
    lo: point.lo,
    hi: point.hi,
    look: point.value === null ? (point.status === "Q" ? "hidden" : "solid") : hollow ? "hollow" : "solid",
    broken: point.status === "B",
    said: point.status === "A" ? "" : words.t(`status.${point.status}` as Key),
  };
}

/** Groups cells into series by a code of theirs, in the order of `codes`; periods without a time are left to the table. */
export function seriesBy(points: Point[], key: (p: Point) => string, codes: { code: string; name: string }[]): Series[] {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const code = key(point);
    const group = groups.get(code);
    if (group) group.push(point);
    else groups.set(code, [point]);
  }
  const known = codes.filter((c) => groups.has(c.code));
  const others = [...groups.keys()].filter((code) => !codes.some((c) => c.code === code));
  return [...known, ...others.map((code) => ({ code, name: code }))].map(({ code, name }) => ({
    code,
    name,
    points: (groups.get(code) ?? []).sort((a, b) => byPeriod(a.period, b.period)),
  }));
}

/** True where a series has no number at all. */
export function isHidden(series: Series): boolean {
  return series.points.every((p) => p.value === null);
}

/** A chart of series over time. More than four series get a picture each. */
export function overTime(series: Series[], unit: string, w: Words): Spec {
  const visible = series.filter((s) => !isHidden(s));
  const kind: Kind = visible.length > 4 ? "multiples" : "lines";
  // On one scale with all of them, the parts would lie flat; the total is in the table.
  const drawn = kind === "multiples" ? visible.filter((s) => s.code !== "_T") : visible;
  const marks = drawn.flatMap((s) =>
    s.points.filter((p) => p.period !== "_X").map((p) => mark(p, s.name, moment(p.period), w.period(p.period), w)),
  );
  return { kind, marks, unit, series: drawn.map((s) => s.name), percent: unit === w.t("unit.percent") };
}

/** A chart of one cell for each category. Exact counts are bars from zero, protected numbers stand on their interval. */
export function byCategory(entries: { name: string; point: Point }[], unit: string, w: Words): Spec {
  const marks = entries.map(({ name, point }) => mark(point, name, name, name, w));
  const exact = entries.every(({ point }) => point.value === null || isExact(point));
  return { kind: exact ? "bars" : "intervals", marks, unit, series: [unit], percent: unit === w.t("unit.percent") };
}

/** A line without axes. */
export function sparkOf(points: Point[], unit: string, words: Words): Spec {
  return overTime([{ name: "", code: "", points }], unit, words);
}
