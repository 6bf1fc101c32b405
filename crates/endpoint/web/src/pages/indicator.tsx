// One indicator: its series, its breakdowns, the country, how it is counted, what is hidden, what was revised, and how to
// have the same numbers elsewhere.
import { Controls } from "../parts/controls";
import { About } from "../parts/definition";
import { Figure } from "../parts/figure";
import { Provinces } from "../parts/provinces";
import { When } from "../parts/state";
import { CategoryTable, TimeTable } from "../parts/tables";
import { BigNumber } from "../parts/value";
import { useAll, useGet, type Data, type Definition } from "../lib/api";
import { byPeriod, cells, isFiscal, isYear, type Point } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { Later } from "../lib/later";
import { changed, dataUrl, go, useRoute } from "../lib/route";
import { byCategory, isHidden, overTime, seriesBy } from "../lib/series";
import { sqlOf } from "../lib/sql";
import { codeName, measureName, useWords } from "../lib/words";
import type { Key } from "../messages";
import { Missing } from "./missing";
import { filtersOf, inFrequency, lastYear, viewOf, type View } from "./view";

export function Indicator({ id }: { id: string }) {
  const loaded = useGet<Definition>(`/v1/indicators/${id}`);
  if (loaded.state === "failed" && loaded.problem.status === 404) return <Missing id={id} />;
  return <When loaded={loaded} height={900}>{(definition) => <Whole definition={definition} />}</When>;
}

function Whole({ definition }: { definition: Definition }) {
  const words = useWords();
  const route = useRoute();
  const { asked } = useEdition();
  const view = viewOf(route, definition);
  const filters = filtersOf(view, definition);
  const url = dataUrl(definition.id, filters, asked);
  const loaded = useAll<[Data, Data]>([url, dataUrl(definition.id, { from: lastYear(definition) }, asked)]);
  return (
    <article class="page">
      <div class="lede">
        <p class="kicker"><bdi><code>{definition.id}</code></bdi> <bdi>{definition.standard.join(" · ")}</bdi></p>
        <h1>{words.of(definition.title)}</h1>
        <p>{words.of(definition.description)}</p>
      </div>
      <When loaded={loaded} height={900}>
        {([data, year]) => (
          <>
            <Controls definition={definition} view={view} year={year} />
            <Series definition={definition} view={view} data={data} url={url} filters={filters} />
            <Later><Latest definition={definition} view={view} year={year} /></Later>
            <Later><About definition={definition} year={year} url={url} sql={sqlOf(definition.id, columns(definition, view), filters, asked)} /></Later>
          </>
        )}
      </When>
    </article>
  );
}

function columns(definition: Definition, view: View): string[] {
  return [...(definition.measures.length > 1 ? ["measure"] : []), "time_period", ...(view.by ? [view.by] : [])];
}

interface Shown {
  definition: Definition;
  view: View;
  data: Data;
  url: string;
  filters: Record<string, string | null>;
}

/** The series of the view, and its last number in large. */
function Series({ definition, view, data, url, filters }: Shown) {
  const words = useWords();
  const { t, lang } = words;
  const { asked } = useEdition();
  const own = cells(data).filter((p) => p.measure === view.measure && inFrequency(view)(p));
  if (!own.length) {
    return (
      <div class="nochart">
        <p>{t("indicator.none")}</p>
        <p><a class="action" href={location.pathname}>{t("indicator.reset")}</a></p>
      </div>
    );
  }
  const dimension = definition.dimensions.find((d) => d.name === view.by);
  const codes = [{ code: "_T", name: codeName(definition, view.by, "_T", lang) }];
  for (const c of dimension?.codes ?? []) codes.push({ code: c.code, name: words.of(c) });
  const series = seriesBy(own, (p) => (view.by ? (p.codes[view.by] ?? "_T") : "_T"), codes);
  const total = series.find((s) => s.code === "_T") ?? series[0];
  if (!view.by && total) total.name = onlyName(definition, view, words.lang) || t("tiles.national");
  const dark = series.filter((s) => s.code !== "_T" && isHidden(s));
  const unitOf = (p: Point | undefined) => t(`unit.${p?.unit || definition.unit}` as Key);
  const last = total?.points.filter((p) => p.period !== "_X").at(-1);
  const measure = measureName(view.measure, words);
  const by = dimension ? t("indicator.byname", { name: words.of(dimension.title) }) : onlyName(definition, view, lang);
  const title = by ? t("indicator.series", { measure, by }) : measure;
  return (
    <section class="series">
      {last && !view.by && (
        <div class="aside">
          <p class="entry-when">{words.period(last.period)}</p>
          <BigNumber point={last} unit={unitOf(last)} />
        </div>
      )}
      <Figure
        title={title}
        url={url}
        data={data}
        sql={sqlOf(definition.id, columns(definition, view), filters, asked)}
        spec={overTime(series, unitOf(own[0]), words)}
        table={<TimeTable caption={title} series={series} />}
        rows={new Set(own.map((p) => p.period)).size}
        note={dark.length > 0 && <p>{t("suppressed.series", { names: dark.map((s) => s.name).join(lang === "ur" ? "، " : ", ") })}</p>}
      />
    </section>
  );
}

/** The codes that the view is confined to, in words. */
function onlyName(definition: Definition, view: View, lang: "en" | "ur"): string {
  return Object.entries(view.only).map(([name, code]) => codeName(definition, name, code, lang)).join(", ");
}

/** The latest period by each dimension: provinces as tiles, others as a chart of categories. */
function Latest({ definition, view, year }: { definition: Definition; view: View; year: Data }) {
  const words = useWords();
  const { t, lang } = words;
  const { asked } = useEdition();
  const all = cells(year).filter((p) => p.measure === view.measure && !isFiscal(p.period));
  const years = all.filter((p) => isYear(p.period));
  const usable = years.length ? years : all;
  const period = usable.map((p) => p.period).filter((p) => p !== "_X").sort(byPeriod).at(-1);
  if (!period) return null;
  const now = usable.filter((p) => p.period === period);
  const measure = measureName(view.measure, words);
  const breakdowns = definition.dimensions.flatMap((d) => {
    const others = definition.dimensions.filter((o) => o.name !== d.name).map((o) => o.name);
    const points = now.filter((p) => p.codes[d.name] !== "_T" && others.every((o) => p.codes[o] === "_T"));
    return points.length > 1 ? [{ dimension: d, points }] : [];
  });
  return (
    <section class="breakdowns" aria-label={words.period(period)}>
      {breakdowns.map(({ dimension, points }) => {
        const title = t("indicator.latest", { measure, period: words.period(period), name: words.of(dimension.title) });
        const at = new Map(points.map((p) => [p.codes[dimension.name] ?? "", p]));
        const filters = Object.fromEntries(definition.dimensions.filter((d) => d.name !== dimension.name).map((d) => [d.name, "_T"]));
        const source = { ...filters, measure: definition.measures.length > 1 ? view.measure : null, time_period: period };
        const order = [...dimension.codes.map((c) => c.code), ...at.keys()].filter((c, n, list) => at.has(c) && list.indexOf(c) === n);
        const entries = order.flatMap((code) => {
          const point = at.get(code);
          return point ? [{ code, name: codeName(definition, dimension.name, code, lang), point }] : [];
        });
        const unit = t(`unit.${points[0]?.unit ?? definition.unit}` as Key);
        if (dimension.name === "province") {
          return (
            <Provinces
              key={dimension.name}
              definition={definition}
              title={title}
              data={year}
              points={now.filter((p) => definition.dimensions.every((d) => d.name === "province" || p.codes[d.name] === "_T"))}
              filters={source}
              selected={view.only.province ?? null}
              choose={(code) => go(changed({ by: null, province: view.only.province === code ? null : code }))}
            />
          );
        }
        // What has a number comes first, largest first; of long lists the rest is in the table alone.
        const drawn = [...entries].sort((a, b) => (b.point.value ?? -1) - (a.point.value ?? -1)).filter((e, n) => n < 16 || (e.point.value ?? 0) > 0).slice(0, 24);
        return (
          <Figure
            key={dimension.name}
            title={title}
            url={dataUrl(definition.id, source, asked)}
            data={year}
            sql={sqlOf(definition.id, [dimension.name], source, asked)}
            spec={byCategory(drawn, unit, words)}
            table={<CategoryTable caption={title} head={words.of(dimension.title)} entries={entries} />}
            rows={entries.length}
          />
        );
      })}
    </section>
  );
}
