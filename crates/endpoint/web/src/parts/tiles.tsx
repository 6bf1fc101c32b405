// The country as seven tiles (users.md 5.1): boundaries are not ours to draw. Each tile says name, value, interval, status.
import { useRef } from "preact/hooks";
import { interval, isExact, number, type Point } from "../lib/cells";
import { useWords } from "../lib/words";
import { StatusMark } from "./value";

/** Where each tile stands: row and column of a grid of four by three. */
const GRID: { code: string; row: number; column: number }[] = [
  { code: "PK-KP", row: 1, column: 2 },
  { code: "PK-GB", row: 1, column: 3 },
  { code: "PK-IS", row: 2, column: 2 },
  { code: "PK-JK", row: 2, column: 3 },
  { code: "PK-BA", row: 3, column: 1 },
  { code: "PK-PB", row: 3, column: 2 },
  { code: "PK-SD", row: 4, column: 2 },
];

/** Three bounds of classes, each a third of the next, at round numbers; the largest values are in the fourth. */
export function bounds(points: Point[]): number[] {
  const most = Math.max(0, ...points.map((p) => p.value ?? 0));
  const round = (x: number) => {
    const magnitude = 10 ** Math.floor(Math.log10(x));
    const head = [1, 2, 3, 5, 10].reduce((best, n) => (Math.abs(n - x / magnitude) < Math.abs(best - x / magnitude) ? n : best));
    return Number((head * magnitude).toPrecision(2));
  };
  if (most <= 0) return [];
  // Of counts there is nothing between none and one.
  const least = points.every((p) => p.value === null || Number.isInteger(p.value)) ? 1 : 0;
  return [...new Set([most / 18, most / 6, most / 2].map(round))].filter((b) => b > 0 && b >= least);
}

function classOf(value: number, limits: number[]): number {
  return limits.filter((limit) => value >= limit).length + 1;
}

/** As many bars as the class has: the sign that the shade repeats. */
function Bars({ level }: { level: number }) {
  return (
    <svg class="bars" viewBox="0 0 20 12" width="20" height="12" aria-hidden="true">
      {[1, 2, 3, 4].map((n) => (
        <rect key={n} x={(n - 1) * 5} y={12 - n * 3} width="3.6" height={n * 3} class={n <= level ? "on" : "off"} />
      ))}
    </svg>
  );
}

interface Props {
  title: string;
  points: Map<string, Point>;
  names: Map<string, string>;
  selected: string | null;
  choose: (code: string) => void;
}

export function Tiles({ title, points, names, selected, choose }: Props) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const limits = bounds(GRID.map((g) => points.get(g.code)).filter((p) => p !== undefined));
  const name = (code: string) => names.get(code) ?? code;
  const move = (event: KeyboardEvent, at: (typeof GRID)[number]) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const target = nearest(at, by[0] ?? 0, by[1] ?? 0);
    if (!target) return;
    box.current?.querySelectorAll<HTMLElement>("[data-code]").forEach((tile) => {
      tile.tabIndex = tile.dataset.code === target.code ? 0 : -1;
      if (tile.dataset.code === target.code) tile.focus();
    });
  };
  const entry = GRID.some((g) => g.code === selected) ? selected : "PK-KP";
  return (
    <div class="tilemap">
      <div class="tiles" role="group" aria-label={title} dir="ltr" ref={box}>
        {GRID.map((g) => {
          const point = points.get(g.code);
          const level = point?.value == null ? 0 : classOf(point.value, limits);
          const look = !point ? "none" : point.value === null ? (point.status === "Q" ? "hidden" : "none") : `${level + 3 - limits.length}`;
          return (
            <button
              type="button"
              key={g.code}
              class={`tile tile-r${g.row} tile-c${g.column} level-${look}`}
              data-code={g.code}
              tabIndex={g.code === entry ? 0 : -1}
              aria-pressed={selected === g.code}
              title={t("tiles.show", { name: name(g.code) })}
              onClick={() => choose(g.code)}
              onKeyDown={(event) => move(event, g)}
            >
              <span class="tile-name" dir="auto">{name(g.code)}</span>
              <span class="tile-value">
                {point?.value != null ? <bdi dir="ltr">{number(point.value)}</bdi> : point ? <StatusMark status={point.status} /> : t("status.none")}
              </span>
              {point?.value != null && (
                <span class="tile-more">
                  <span class="unseen">{isExact(point) ? t("word.exact") : t("word.interval")} </span>
                  <bdi dir="ltr">{interval(point)}</bdi> <StatusMark status={point.status} short />
                  <Bars level={level + 3 - limits.length} />
                </span>
              )}
            </button>
          );
        })}
      </div>
      <ul class="key">
        {limits.length > 0 && <li class="key-head">{t("tiles.legend")}</li>}
        {limits[0] !== undefined && (
          <li>
            <span class={`swatch level-${4 - limits.length}`}><Bars level={4 - limits.length} /></span> {t("tiles.class", { from: 0, to: number(limits[0]) })}
          </li>
        )}
        {limits.map((limit, n) => (
          <li key={limit}>
            <span class={`swatch level-${n + 4 - limits.length + 1}`}><Bars level={n + 4 - limits.length + 1} /></span>{" "}
            {n + 1 < limits.length ? t("tiles.class", { from: number(limit), to: number(limits[n + 1] ?? 0) }) : t("tiles.class.top", { from: number(limit) })}
          </li>
        ))}
        <li><span class="swatch level-hidden" /> {t("status.Q")}</li>
        <li><span class="swatch level-none" /> {t("status.L")}</li>
      </ul>
      <p class="soft small">{t("tiles.note")} {t("tiles.keys")}</p>
    </div>
  );
}

/** The next tile in a direction: straight on if there is one, else the nearest that lies that way. */
function nearest(at: (typeof GRID)[number], down: number, right: number) {
  const ahead = GRID.filter((g) => (g.row - at.row) * down + (g.column - at.column) * right > 0);
  const far = (g: (typeof GRID)[number]) => {
    const along = Math.abs((g.row - at.row) * down + (g.column - at.column) * right);
    const aside = Math.abs((g.row - at.row) * right) + Math.abs((g.column - at.column) * down);
    return along + aside * 3;
  };
  return ahead.sort((a, b) => far(a) - far(b))[0];
}
