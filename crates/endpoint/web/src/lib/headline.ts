// The one number that stands for an indicator: its latest national total.
import type { Brief, Edition } from "./api";
import { byPeriod, isFiscal, isYear, type Point } from "./cells";
import { dataUrl } from "./route";

/** Indicators whose latest number stands at the top of the first page. */
export const TOP = ["V01", "V04", "C04", "L02", "S01", "R01"];

/** Where an indicator has several measures, the one that answers its title best. */
const PREFERRED: Record<string, string> = {
  V04: "child_share",
  L02: "share_finding",
  S01: "share_receiving_within_30_days",
  R01: "share_assisted",
  C08: "median_months_of_imprisonment",
};

/** Address of the national series of an indicator: every dimension at its total. */
export function nationalUrl(brief: Pick<Brief, "id" | "dimensions">, edition: string | null): string {
  return dataUrl(brief.id, Object.fromEntries(brief.dimensions.map((d) => [d, "_T"])), edition);
}

/** Address of all cells of an indicator in the year to which an edition reaches. */
export function yearUrl(id: string, chosen: Edition, edition: string | null): string {
  return dataUrl(id, { from: chosen.as_of.slice(0, 4) }, edition);
}

/** The measure that stands for an indicator. */
export function mainMeasure(id: string, measures: string[]): string {
  const preferred = PREFERRED[id];
  return preferred && measures.includes(preferred) ? preferred : (measures[0] ?? "");
}

/** The national series of the main measure: by years, or by quarters where there are no years. */
export function national(id: string, points: Point[]): Point[] {
  const measure = mainMeasure(id, [...new Set(points.map((p) => p.measure))]);
  const own = points.filter((p) => p.measure === measure && p.period !== "_X" && !isFiscal(p.period));
  const years = own.filter((p) => isYear(p.period));
  return (years.length ? years : own).sort((a, b) => byPeriod(a.period, b.period));
}
