// What a chart is asked to draw. The functions that draw it are in `draw.ts`, which is loaded apart: the library is the
// heaviest part of a page and no number waits for it.

/** One number of a chart, its interval, and how it must be marked. */
export interface Mark {
  /** Name of the series in the reader's language. */
  series: string;
  /** Place on the axis of time, or name of the category. */
  x: number | string;
  /** The period or category as it is read. */
  label: string;
  value: number | null;
  lo: number | null;
  hi: number | null;
  /** Solid, hollow (provisional or of low reliability), or hidden. */
  look: "solid" | "hollow" | "hidden";
  /** Whether the series breaks before it. */
  broken: boolean;
  /** What is said of it beside the value: its status in words. */
  said: string;
}

export type Kind = "lines" | "multiples" | "intervals" | "bars";

export interface Spec {
  kind: Kind;
  marks: Mark[];
  /** Name of the axis of values. */
  unit: string;
  /** Names of the series in order; their place is their sign and colour. */
  series: string[];
  /** Whether the values are shares in per cent, whose axis ends at 100 at most. */
  percent: boolean;
}

/** Colours of the series, by place; each also has a sign and a dash of its own. */
export const COLOURS = ["var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)", "var(--s5)", "var(--s6)"];
export const SIGNS = ["circle", "square2", "triangle", "diamond2", "star", "wye"] as const;
export const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 4", "1 4"];

/** Values with zero among them; a share never beyond 100. */
export function values(spec: Pick<Spec, "marks" | "percent">, headroom = 1.06): [number, number] {
  const most = Math.max(0, ...spec.marks.map((m) => m.hi ?? m.value ?? 0));
  const least = Math.min(0, ...spec.marks.map((m) => m.lo ?? m.value ?? 0));
  return [least * headroom, spec.percent ? Math.min(100, most * headroom || 1) : most * headroom || 1];
}

/** Runs of a series between gaps: a line never bridges what is not shown, nor a break. */
export function runs(marks: Mark[]): (Mark & { run: string })[] {
  let run = 0;
  let before: Mark | undefined;
  return marks.map((m) => {
    if (before && (before.series !== m.series || before.value === null || m.value === null || m.broken)) run += 1;
    before = m;
    return { ...m, run: `${m.series} ${run}` };
  });
}

/** The time that the marks cover, with a little room at both ends. */
export function timespan(marks: Mark[]): [number, number] {
  const all = marks.map((m) => Number(m.x));
  const [first, last] = [Math.min(...all), Math.max(...all)];
  const edge = Math.max(0.3, (last - first) * 0.02);
  return [first - edge, last + edge];
}
