// What a minister sees in a minute, and where an analyst begins.
import { useRef } from "preact/hooks";
import { Spark } from "../charts/Spark";
import { Figure } from "../parts/figure";
import { Provinces } from "../parts/provinces";
import { CellText, BigNumber } from "../parts/value";
import { TimeTable } from "../parts/tables";
import { Trouble, When } from "../parts/state";
import { useAll, useGet, type Brief, type Data, type Definition, type Indicators, type Loaded } from "../lib/api";
import { cells, isYear, number, type Point } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { TOP, national, nationalUrl } from "../lib/headline";
import { Later } from "../lib/later";
import { address, dataUrl, go } from "../lib/route";
import { overTime, seriesBy, sparkOf } from "../lib/series";
import { sqlOf } from "../lib/sql";
import { measureName, useWords } from "../lib/words";
import type { Key } from "../messages";

export function Overview() {
  const { t } = useWords();
  const list = useGet<Indicators>("/v1/indicators");
  return (
    <div class="page">
      <div class="lede">
        <h1>{t("overview.title")}</h1>
        <p>{t("overview.lede")}</p>
      </div>
      <When loaded={list} height={900}>{(value) => <Country indicators={value.indicators} />}</When>
    </div>
  );
}

function Country({ indicators }: { indicators: Brief[] }) {
  const { t } = useWords();
  const { asked } = useEdition();
  const top = TOP.flatMap((id) => indicators.find((i) => i.id === id) ?? []);
  const first = useAll<Data[]>(top.map((i) => nationalUrl(i, asked)));
  // Once there, what follows stays while another edition is on its way.
  const there = useRef(false);
  there.current ||= first.state !== "loading";
  return (
    <>
      <section aria-labelledby="now">
        <h2 id="now" class="rule">{t("overview.now")}</h2>
        <When loaded={first} height={420}>
          {(all) => (
            <ul class="ledger">
              {top.map((brief, n) => all[n] && <Entry key={brief.id} brief={brief} points={national(brief.id, cells(all[n]))} />)}
            </ul>
          )}
        </When>
      </section>
      {there.current && <Later><Victims /></Later>}
      <section aria-labelledby="themes">
        <h2 id="themes" class="rule">{t("overview.themes")}</h2>
        <ul class="themes">
          {(["children", "justice", "labour", "support"] as const).map((name) => (
            <li key={name}><a href={address(`/${name}`)}>{t(`overview.${name}`)}</a></li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="all">
        <h2 id="all" class="rule">{t("overview.all")}</h2>
        <p class="soft">{t("overview.all.note")}</p>
        {there.current && <Later><All indicators={indicators} /></Later>}
      </section>
    </>
  );
}

/** One line of the ledger: what, how many, since when it goes up or down. */
function Entry({ brief, points }: { brief: Brief; points: Point[] }) {
  const words = useWords();
  const last = points[points.length - 1];
  if (!last) return null;
  const shown = [...points].reverse().find((p) => p.value !== null);
  const unit = words.t(`unit.${last.unit}` as Key);
  const spark = sparkOf(points, unit, words);
  return (
    <li class="entry">
      <p class="entry-name"><a href={address(`/indicators/${brief.id}`)}>{measureName(last.measure, words)}</a></p>
      <p class="entry-when">{words.period(last.period)}</p>
      <BigNumber point={last} unit={unit} />
      {last.value === null && shown && (
        <p class="entry-before">{words.t("overview.before", { period: words.period(shown.period), value: `${number(shown.value ?? 0)} ${unit}` })}</p>
      )}
      {spark.marks.some((m) => m.value !== null) && (
        <Spark spec={spark} label={`${words.of(brief.title)}: ${spark.marks.slice(-6).map((m) => `${m.label} ${m.value === null ? m.said : number(m.value)}`).join(", ")}`} />
      )}
    </li>
  );
}

/** Victims by year, and by province in the latest year. */
function Victims() {
  const words = useWords();
  const { t, period } = words;
  const { asked } = useEdition();
  const filters = { sex: "_T", age_group: "_T" };
  const url = dataUrl("V01", filters, asked);
  const loaded = useAll<[Data, Definition]>([url, "/v1/indicators/V01"]);
  return (
    <When loaded={loaded} height={520}>
      {([data, definition]) => {
        const years = cells(data).filter((p) => isYear(p.period));
        const total = seriesBy(years.filter((p) => p.codes.province === "_T"), () => "_T", [{ code: "_T", name: t("tiles.national") }]);
        const latest = years.map((p) => p.period).sort().at(-1) ?? "";
        return (
          <section class="pair">
            <Figure
              title={t("overview.trend")}
              url={dataUrl("V01", { province: "_T", ...filters }, asked)}
              data={data}
              sql={sqlOf("V01", ["time_period"], { province: "_T", ...filters }, asked)}
              spec={overTime(total, t("unit.person"), words)}
              table={<TimeTable caption={t("overview.trend")} series={total} />}
              rows={total[0]?.points.length ?? 0}
            />
            <Later>
              <Provinces
                definition={definition}
                title={t("tiles.title", { period: period(latest) })}
                data={data}
                points={years.filter((p) => p.period === latest)}
                filters={{ ...filters, time_period: latest }}
                choose={(code) => go(address("/indicators/V01", { province: code }))}
              />
            </Later>
          </section>
        );
      }}
    </When>
  );
}

/** All indicators: asked for once what stands above is there, so that it does not wait for them. */
function All({ indicators }: { indicators: Brief[] }) {
  const { asked } = useEdition();
  return <IndicatorTable indicators={indicators} series={useAll<Data[]>(indicators.map((i) => nationalUrl(i, asked)))} />;
}

/** All indicators with their latest national number. */
export function IndicatorTable({ indicators, series, shown = indicators }: { indicators: Brief[]; series: Loaded<Data[]>; shown?: Brief[] }) {
  const words = useWords();
  const { t } = words;
  const latest = (id: string) => {
    const data = series.state === "ready" ? series.value[indicators.findIndex((i) => i.id === id)] : undefined;
    return data ? national(id, cells(data)).at(-1) : undefined;
  };
  if (series.state === "failed") return <Trouble problem={series.problem} />;
  return (
    <div class="scroll" role="region" aria-label={t("overview.all")} tabIndex={0}>
      <table class="catalogue">
        <caption class="unseen">{t("overview.all")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("indicators.id")}</th>
            <th scope="col">{t("indicators.name")}</th>
            <th scope="col">{t("indicators.latest")}</th>
            <th scope="col">{t("word.period")}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((i) => {
            const point = latest(i.id);
            return (
              <tr key={i.id}>
                <td><code>{i.id}</code></td>
                <th scope="row">
                  <a href={address(`/indicators/${i.id}`)}>{words.of(i.title)}</a>
                </th>
                <td class="cell-latest">
                  {point ? <><CellText point={point} /> {point.value !== null && <span class="soft">{t(`unit.${point.unit}` as Key)}</span>}</> : "…"}
                </td>
                <td>{point && words.period(point.period)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
