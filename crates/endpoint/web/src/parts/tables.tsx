// The tables behind the charts: real tables, with a caption, and a head to each row and column.
import type { ComponentChildren } from "preact";
import { byPeriod, type Point } from "../lib/cells";
import type { Series } from "../lib/series";
import { useWords } from "../lib/words";
import { CellText } from "./value";

/** A table that scrolls by itself where the page is narrow; by keyboard, too. */
export function Scroll({ children, label }: { children: ComponentChildren; label: string }) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}

/** Periods down, series across; the latest first. */
export function TimeTable({ caption, series }: { caption: string; series: Series[] }) {
  const { t, period } = useWords();
  const all = [...new Set(series.flatMap((s) => s.points.map((p) => p.period)))].sort(byPeriod).reverse();
  // What has no time stands behind what has one.
  const periods = [...all.filter((p) => p !== "_X"), ...all.filter((p) => p === "_X")];
  const at = series.map((s) => new Map(s.points.map((p) => [p.period, p])));
  return (
    <Scroll label={caption}>
      <table class="numbers">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{t("word.period")}</th>
            {series.map((s) => <th scope="col" key={s.code}>{s.name}</th>)}
          </tr>
        </thead>
        <tbody>
          {periods.map((p) => (
            <tr key={p}>
              <th scope="row">{period(p)}</th>
              {at.map((points, n) => <td key={n}><CellText point={points.get(p)} /></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** One row for each category. */
export function CategoryTable({ caption, head, entries }: { caption: string; head: string; entries: { name: string; point: Point }[] }) {
  const { t } = useWords();
  return (
    <Scroll label={caption}>
      <table class="numbers">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{head}</th>
            <th scope="col">{t("word.value")}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ name, point }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td><CellText point={point} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
