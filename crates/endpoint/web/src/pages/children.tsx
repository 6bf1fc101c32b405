// Children among the victims: how many, which share with its bounds, what they were exploited for.
import { ByCode, OverTime, Subject } from "../parts/published";
import { Figure } from "../parts/figure";
import { When } from "../parts/state";
import { TimeTable } from "../parts/tables";
import { useAll, type Data } from "../lib/api";
import { byPeriod, cells, type Point } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { dataUrl } from "../lib/route";
import { overTime, seriesBy } from "../lib/series";
import { sqlOf } from "../lib/sql";
import { measureName, useWords } from "../lib/words";

export function Children() {
  const { t } = useWords();
  return (
    <Subject title={t("children.title")} lede={t("children.lede")}>
      <Share />
      <OverTime id="V01" measures={["victims"]} by="age_group" title={t("children.count")} freq="y" />
      <OverTime id="V01" measures={["victims"]} by="sex" only={{ age_group: "child" }} title={t("children.sex")} freq="y" />
      <ByCode id="V03" measures={["victims"]} by="exploitation" only={{ age_group: "child" }} title="children.forms" note={t("children.forms.note")} wide />
    </Subject>
  );
}

/** The share among those of known age, shaded from the bound in which all others are adults to that in which all are children. */
function Share() {
  const words = useWords();
  const { t } = words;
  const { asked } = useEdition();
  const url = dataUrl("V04", { age_group: "_T" }, asked);
  return (
    <div class="wide">
      <When loaded={useAll<[Data]>([url])} height={430}>
        {([data]) => {
          const measures = ["child_share", "child_share_lower_bound", "child_share_upper_bound"];
          const series = seriesBy(cells(data), (p) => p.measure, measures.map((m) => ({ code: m, name: measureName(m, words) })));
          const at = (n: number) => new Map(series[n]?.points.map((p) => [p.period, p.value]));
          const [low, high] = [at(1), at(2)];
          const points: Point[] = (series[0]?.points ?? [])
            .map((p) => ({ ...p, lo: low.get(p.period) ?? p.lo, hi: high.get(p.period) ?? p.hi }))
            .sort((a, b) => byPeriod(a.period, b.period));
          const shown = [{ code: "child_share", name: series[0]?.name ?? "", points }];
          return (
            <Figure
              title={t("children.share")}
              url={url}
              data={data}
              sql={sqlOf("V04", ["measure", "time_period"], { age_group: "_T" }, asked)}
              spec={overTime(shown, t("unit.percent"), words)}
              table={<TimeTable caption={t("children.share")} series={series} />}
              rows={points.length}
              bounds
            />
          );
        }}
      </When>
    </div>
  );
}
