// A small line without axes, beside a number that is written out: too little to load a library for.
import { runs, timespan, values, type Mark, type Spec } from "./spec";

/** The box that it is drawn in; it is stretched to the width that it has, its strokes are not. */
const [WIDTH, HEIGHT, EDGE] = [240, 46, 4];

export function Spark({ spec, label }: { spec: Pick<Spec, "marks" | "percent">; label: string }) {
  const [from, to] = timespan(spec.marks);
  const [least, most] = values(spec);
  const x = (m: Mark) => round(EDGE + ((Number(m.x) - from) / (to - from)) * (WIDTH - 2 * EDGE));
  const y = (value: number) => round(HEIGHT - EDGE - ((value - least) / (most - least)) * (HEIGHT - 2 * EDGE));
  const at = (m: Mark, value: number | null) => `${x(m)},${y(value ?? m.value ?? 0)}`;
  const through = (points: string[]) => `M${points.join("L")}`;
  const path = (of: string, parts: string[]) => parts.length > 0 && <path class={`spark-${of}`} d={parts.join("")} />;

  const drawn = runs(spec.marks).filter((m) => m.value !== null);
  const lines = [...new Set(drawn.map((m) => m.run))].map((run) => drawn.filter((m) => m.run === run));
  const alone = lines.flatMap((run) => (run.length === 1 ? run : []));
  const last = drawn.at(-1);
  const end = last ? [`M${at(last, last.value)}h0`] : [];
  const ground = y(0);
  return (
    <svg class="spark" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
      {path("ground", [`M${EDGE},${ground}H${WIDTH - EDGE}`])}
      {path("break", spec.marks.filter((m) => m.broken).map((m) => `M${x(m)},${EDGE}V${HEIGHT - EDGE}`))}
      {path("band", lines.map((run) => `${through([...run.map((m) => at(m, m.hi)), ...[...run].reverse().map((m) => at(m, m.lo))])}Z`))}
      {path("alone", alone.map((m) => `M${at(m, m.lo)}L${at(m, m.hi)}`))}
      {path("line", lines.map((run) => `${through(run.map((m) => at(m, m.value)))}h0`))}
      {path("end", end)}
      {last?.look === "hollow" && path("hollow", end)}
      {path("hidden", spec.marks.filter((m) => m.look === "hidden").map((m) => `M${x(m) - 2},${ground - 3}l4,4m0,-4l-4,4`))}
    </svg>
  );
}

const round = (n: number) => Math.round(n * 10) / 10;
