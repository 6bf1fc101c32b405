// Justice: cases, arrests, prosecutions, convictions. Each year's acts, not one cohort.
import { ByCode, ByProvince, OverTime, Subject } from "../parts/published";
import { Figure } from "../parts/figure";
import { When } from "../parts/state";
import { TimeTable } from "../parts/tables";
import { useAll, type Data } from "../lib/api";
import { byPeriod, cells, isYear } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { address, dataUrl, go } from "../lib/route";
import { overTime } from "../lib/series";
import { measureName, useWords } from "../lib/words";

export function Justice() {
  const { t } = useWords();
  return (
    <Subject title={t("justice.title")} lede={t("justice.lede")}>
      <Pipeline />
      <OverTime id="C01" measures={["cases"]} title={t("justice.cases")} freq="q" />
      <OverTime id="C01" measures={["cases"]} by="agency_group" title={t("justice.cases.agency")} freq="q" />
      <ByProvince id="C04" measures={["persons_prosecuted"]} title="justice.prosecuted" choose={(code) => go(address("/indicators/C04", { province: code }))} />
      <ByCode id="C03" measures={["persons_arrested"]} by="role" title="justice.roles" />
      <ByCode id="C05" measures={["persons_convicted"]} by="section" title="justice.sections" wide />
    </Subject>
  );
}

/** Three indicators on one axis, year by year. */
function Pipeline() {
  const words = useWords();
  const { t } = words;
  const { asked } = useEdition();
  const parts: { id: string; measure: string; filters: Record<string, string> }[] = [
    { id: "C03", measure: "persons_arrested", filters: { sex: "_T", role: "_T" } },
    { id: "C04", measure: "persons_prosecuted", filters: { province: "_T" } },
    { id: "C05", measure: "persons_convicted", filters: { sex: "_T", citizenship: "_T", section: "_T" } },
  ];
  const urls = parts.map((p) => dataUrl(p.id, p.filters, asked));
  const sql = `select indicator, time_period, value, lo95, hi95, obs_status
from published.indicator_values
where edition = ${asked ?? "(select max(edition) from published.editions)"}
  and indicator in ('C03', 'C04', 'C05')
  and province in ('_T', '_Z') and sex in ('_T', '_Z') and role in ('_T', '_Z')
  and citizenship in ('_T', '_Z') and section in ('_T', '_Z')
order by indicator, time_period`;
  return (
    <div class="wide">
      <When loaded={useAll<[Data, Data, Data]>(urls)} height={430}>
        {(all) => {
          const series = all.map((data, n) => ({
            code: parts[n]?.id ?? "",
            name: measureName(parts[n]?.measure ?? "", words),
            points: cells(data).filter((p) => isYear(p.period)).sort((a, b) => byPeriod(a.period, b.period)),
          }));
          return (
            <Figure
              title={t("justice.pipeline")}
              url={urls[0] ?? ""}
              data={all[0]}
              more={[{ id: "C04", url: urls[1] ?? "" }, { id: "C05", url: urls[2] ?? "" }]}
              sql={sql}
              spec={overTime(series, t("unit.person"), words)}
              table={<TimeTable caption={t("justice.pipeline")} series={series} />}
              rows={series[0]?.points.length ?? 0}
            />
          );
        }}
      </When>
    </div>
  );
}
