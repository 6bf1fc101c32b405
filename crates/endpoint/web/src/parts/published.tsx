// Figures of an indicator by a few words: which measure, broken down by what. The subject pages are made of these.
import type { ComponentChildren } from "preact";
import { useAll, type Data, type Definition, type Loaded } from "../lib/api";
import { byPeriod, cells, isFiscal, isQuarter, isYear, type Point } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { dataUrl } from "../lib/route";
import { byCategory, isHidden, overTime, seriesBy, type Series } from "../lib/series";
import { sqlOf } from "../lib/sql";
import { codeName, measureName, useWords, type Words } from "../lib/words";
import type { Key } from "../messages";
import { Figure } from "./figure";
import { Provinces } from "./provinces";
import { When } from "./state";
import { CategoryTable, TimeTable } from "./tables";

interface Cut {
  id: string;
  measures: string[];
  /** The dimension that is broken down; without it each measure is a series. */
  by?: string;
  /** Codes of the other dimensions where they are not totals. */
  only?: Record<string, string>;
  title: string;
  note?: ComponentChildren;
  wide?: boolean;
  /** Whether the total stands among the series of a breakdown. */
  total?: boolean;
  freq?: "y" | "q";
}

function filters(definition: Definition, { by, only = {}, measures }: Cut): Record<string, string | null> {
  const fixed = definition.dimensions.filter((d) => d.name !== by).map((d) => [d.name, only[d.name] ?? "_T"]);
  return { ...Object.fromEntries(fixed), measure: measures.join(",") };
}

/** An indicator's definition and the rows of a cut; the second is asked for once the first says which dimensions there are. */
function useCut(cut: Cut): Loaded<{ definition: Definition; data: Data; url: string }> {
  const { asked } = useEdition();
  const first = useAll<[Definition]>([`/v1/indicators/${cut.id}`]);
  const definition = first.state === "ready" ? first.value[0] : null;
  const url = definition ? dataUrl(definition.id, filters(definition, cut), asked) : `/v1/indicators/${cut.id}`;
  const second = useAll<[Data]>([url]);
  if (first.state === "failed") return first;
  if (!definition || second.state === "loading") return { state: "loading" };
  if (second.state === "failed") return second;
  const data = second.value[0];
  if (!("rows" in data)) return { state: "loading" };
  return { state: "ready", value: { definition, data, url } };
}

function codesOf(definition: Definition, by: string, words: Words): { code: string; name: string }[] {
  const own = definition.dimensions.find((d) => d.name === by)?.codes ?? [];
  return [{ code: "_T", name: codeName(definition, by, "_T", words.lang) }, ...own.map((c) => ({ code: c.code, name: words.of(c) }))];
}

/** The series of a cut over time. */
export function OverTime(cut: Cut) {
  const words = useWords();
  const { t, lang } = words;
  const { asked } = useEdition();
  return (
    <div class={cut.wide ? "wide" : ""}>
      <When loaded={useCut(cut)} height={430}>
        {({ definition, data, url }) => {
          const wanted = cut.freq === "q" ? isQuarter : cut.freq === "y" ? isYear : (p: string) => !isFiscal(p);
          const own = cells(data).filter((p) => p.period === "_X" || wanted(p.period));
          const by = cut.by;
          const all: Series[] = by
            ? seriesBy(own, (p) => p.codes[by] ?? "_T", codesOf(definition, by, words))
            : seriesBy(own, (p) => p.measure, cut.measures.map((m) => ({ code: m, name: measureName(m, words) })));
          const series = by && !cut.total ? all.filter((s) => s.code !== "_T") : all;
          const dark = series.filter(isHidden);
          return (
            <Figure
              title={cut.title}
              url={url}
              data={data}
              sql={sqlOf(cut.id, ["measure", "time_period", ...(by ? [by] : [])], filters(definition, cut), asked)}
              spec={overTime(series, t(`unit.${own[0]?.unit || definition.unit}` as Key), words)}
              table={<TimeTable caption={cut.title} series={series} />}
              rows={new Set(own.map((p) => p.period)).size}
              note={
                <>
                  {cut.note && <p>{cut.note}</p>}
                  {dark.length > 0 && <p>{t("suppressed.series", { names: dark.map((s) => s.name).join(lang === "ur" ? "، " : ", ") })}</p>}
                </>
              }
            />
          );
        }}
      </When>
    </div>
  );
}

/** The latest period that is published in this cut: a year if there are years. */
function latestOf(points: Point[]): string {
  const times = [...new Set(points.map((p) => p.period))].filter((p) => p !== "_X" && !isFiscal(p)).sort(byPeriod);
  return times.filter(isYear).at(-1) ?? times.at(-1) ?? "";
}

/** The codes of a dimension in the latest period, the largest first. `title` has a place for the period. */
export function ByCode(cut: Omit<Cut, "title"> & { by: string; title: Key }) {
  const words = useWords();
  const { t, lang, period } = words;
  const { asked } = useEdition();
  return (
    <div class={cut.wide ? "wide" : ""}>
      <When loaded={useCut({ ...cut, title: "" })} height={430}>
        {({ definition, data }) => {
          const all = cells(data);
          const now = latestOf(all);
          const points = all.filter((p) => p.period === now && p.codes[cut.by] !== "_T");
          const entries = points
            .map((point) => ({ name: codeName(definition, cut.by, point.codes[cut.by] ?? "", lang), point }))
            .sort((a, b) => (b.point.value ?? -1) - (a.point.value ?? -1));
          const title = t(cut.title, { period: period(now) });
          const source = { ...filters(definition, { ...cut, title }), time_period: now };
          const drawn = entries.filter((e, n) => n < 14 || (e.point.value ?? 0) > 0).slice(0, 22);
          return (
            <Figure
              title={title}
              url={dataUrl(cut.id, source, asked)}
              data={data}
              sql={sqlOf(cut.id, ["time_period", cut.by], source, asked)}
              spec={byCategory(drawn, t(`unit.${points[0]?.unit ?? definition.unit}` as Key), words)}
              table={<CategoryTable caption={title} head={codeHead(definition, cut.by, words)} entries={entries} />}
              rows={entries.length}
              note={cut.note && <p>{cut.note}</p>}
            />
          );
        }}
      </When>
    </div>
  );
}

function codeHead(definition: Definition, by: string, words: Words): string {
  const dimension = definition.dimensions.find((d) => d.name === by);
  return dimension ? words.of(dimension.title) : by;
}

/** The provinces in the latest period, as tiles that lead to the series. */
export function ByProvince(cut: Omit<Cut, "title" | "by"> & { title: Key; choose: (code: string) => void }) {
  const words = useWords();
  const { t, period } = words;
  return (
    <When loaded={useCut({ ...cut, by: "province", title: "" })} height={430}>
      {({ definition, data }) => {
        const all = cells(data);
        const now = latestOf(all);
        return (
          <Provinces
            definition={definition}
            title={t(cut.title, { period: period(now) })}
            data={data}
            points={all.filter((p) => p.period === now)}
            filters={{ ...filters(definition, { ...cut, by: "province", title: "" }), time_period: now }}
            choose={cut.choose}
          />
        );
      }}
    </When>
  );
}

/** A subject: its name, what must be known before its numbers are read, and its figures. */
export function Subject({ title, lede, children }: { title: string; lede: string; children: ComponentChildren }) {
  return (
    <article class="page">
      <div class="lede">
        <h1>{title}</h1>
        <p>{lede}</p>
      </div>
      <div class="figures">{children}</div>
    </article>
  );
}
