// What an indicator's page shows, as its address says it.
import type { Data, Definition } from "../lib/api";
import { cells, isFiscal, isQuarter, isYear, type Point } from "../lib/cells";
import { mainMeasure } from "../lib/headline";
import type { Route } from "../lib/route";

/** Years, quarters or fiscal years. */
export type Freq = "y" | "q" | "f";

/** Which frequencies an indicator is published by. */
export function frequencies(definition: Definition): Freq[] {
  const tests: [Freq, (period: string) => boolean][] = [["y", isYear], ["q", isQuarter], ["f", isFiscal]];
  return tests.filter(([, test]) => definition.periods.some(test)).map(([freq]) => freq);
}

/** A view of an indicator. Everything in it is in the address. */
export interface View {
  measure: string;
  /** The dimension that is broken down; empty for the total. */
  by: string;
  freq: Freq;
  from: string;
  to: string;
  /** Chosen codes of the other dimensions. */
  only: Record<string, string>;
}

/** The view of an address, completed by what the indicator has. */
export function viewOf(route: Route, definition: Definition): View {
  const asked = route.query;
  const names = definition.dimensions.map((d) => d.name);
  const by = asked.get("by") ?? "";
  const known = frequencies(definition);
  const freq = known.find((f) => f === asked.get("freq")) ?? known[0] ?? "y";
  const only: Record<string, string> = {};
  for (const name of names) {
    const code = asked.get(name);
    if (code && code !== "_T" && name !== by) only[name] = code;
  }
  const measure = asked.get("measure") ?? "";
  return {
    measure: definition.measures.includes(measure) ? measure : mainMeasure(definition.id, definition.measures),
    by: names.includes(by) ? by : "",
    freq,
    from: asked.get("from") ?? "",
    to: asked.get("to") ?? "",
    only,
  };
}

/** The filters of the data behind a view. */
export function filtersOf(view: View, definition: Definition): Record<string, string | null> {
  const filters: Record<string, string | null> = {};
  for (const { name } of definition.dimensions) filters[name] = name === view.by ? null : (view.only[name] ?? "_T");
  return { ...filters, measure: definition.measures.length > 1 ? view.measure : null, from: view.from || null, to: view.to || null };
}

/** True of a cell whose period is of the frequency of the view, or has no time at all. */
export function inFrequency(view: View): (p: Point) => boolean {
  const test = { y: isYear, q: isQuarter, f: isFiscal }[view.freq];
  return (p) => p.period === "_X" || test(p.period);
}

/** Which dimensions are published together, learnt from a year of the data: sets of the dimensions that are not totals. */
export function grids(year: Data, measure: string): Set<string>[] {
  const found = new Map<string, Set<string>>();
  for (const point of cells(year)) {
    if (point.measure !== measure) continue;
    const names = Object.keys(point.codes).filter((name) => point.codes[name] !== "_T");
    found.set(names.join(" "), new Set(names));
  }
  return [...found.values()];
}

/** True where all these dimensions stand in one published grid. */
export function together(all: Set<string>[], names: string[]): boolean {
  return all.some((grid) => names.every((name) => grid.has(name)));
}

/** The last year of an indicator's periods. */
export function lastYear(definition: Definition): string {
  return definition.periods.filter((p) => p !== "_X" && !isFiscal(p)).map((p) => p.slice(0, 4)).sort().at(-1) ?? "";
}
