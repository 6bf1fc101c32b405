// Published cells: rows of the service as objects, their statuses, their texts.
import type { Data, Grid } from "./api";

/** Statuses of the service (SDMX CL_OBS_STATUS), in the order in which a legend names them. */
export const STATUSES = ["A", "P", "U", "B", "Q", "L", "M", "K", "W"] as const;
export type Status = (typeof STATUSES)[number];

/** One published cell. `value` is null where there is none; `status` says why. */
export interface Point {
  measure: string;
  period: string;
  /** Codes by dimension; what a cell does not have is its total. */
  codes: Record<string, string>;
  value: number | null;
  lo: number | null;
  hi: number | null;
  status: Status;
  confidential: boolean;
  /** What one of the value is: `person`, `case`, `percent`, `rate`. */
  unit: string;
}

const NOT_DIMENSIONS = new Set([
  ...["edition", "indicator", "measure", "time_period", "value", "lo95", "hi95"],
  ...["obs_status", "conf_status", "unit", "as_of", "published_at"],
]);

/** The rows of an answer as cells. */
export function cells(data: Data | Grid): Point[] {
  const at = new Map(data.columns.map((column, n) => [column.name, n]));
  const dimensions = data.columns.map((c) => c.name).filter((name) => !NOT_DIMENSIONS.has(name));
  return data.rows.map((row) => {
    const cell = (name: string) => row[at.get(name) ?? -1] ?? null;
    const number = (name: string) => {
      const value = cell(name);
      return value === null ? null : Number(value);
    };
    return {
      measure: String(cell("measure")),
      period: String(cell("time_period")),
      codes: Object.fromEntries(dimensions.map((name) => [name, String(cell(name))])),
      value: number("value"),
      lo: number("lo95"),
      hi: number("hi95"),
      status: String(cell("obs_status")) as Status,
      confidential: cell("conf_status") === "C",
      unit: String(cell("unit") ?? ""),
    };
  });
}

/** True where the interval has no width: an act of the state, counted exactly. */
export function isExact(point: Point): boolean {
  return point.value !== null && point.lo === point.value && point.hi === point.value;
}

/** A number as it is published: no digit more, thousands apart, ASCII digits in every language. */
export function number(value: number): string {
  // By hand, for a page writes hundreds and the formatter of the browser takes a hundred times as long.
  const [whole, part] = String(value).split(".");
  const grouped = (whole ?? "").replace(/\B(?=(\d{3})+$)/g, ",");
  return part ? `${grouped}.${part}` : grouped;
}

/** The interval of a cell, or nothing where it is exact or there is no value. */
export function interval(point: Point): string {
  if (point.value === null || isExact(point) || point.lo === null || point.hi === null) return "";
  return `${number(point.lo)}–${number(point.hi)}`;
}

/** True of a year, false of a quarter. */
export function isYear(period: string): boolean {
  return /^\d{4}$/.test(period);
}

/** True of a quarter. */
export function isQuarter(period: string): boolean {
  return /^\d{4}-Q[1-4]$/.test(period);
}

/** True of a fiscal year: `FY2024-25`, July 2024 to June 2025. */
export function isFiscal(period: string): boolean {
  return /^FY\d{4}-\d{2}$/.test(period);
}

/** A period as a moment on the axis of years: the middle of what it covers; a year stands at its number. */
export function moment(period: string): number {
  if (isFiscal(period)) return Number(period.slice(2, 6)) + 0.5;
  const year = Number(period.slice(0, 4));
  return isQuarter(period) ? year + (Number(period.slice(6)) - 0.5) / 4 : year;
}

/** Periods in their order; what has no time stands behind. */
export function byPeriod(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many cells have each status. */
export function tally(points: Point[]): Map<Status, number> {
  const counts = new Map<Status, number>();
  for (const point of points) counts.set(point.status, (counts.get(point.status) ?? 0) + 1);
  return counts;
}
