// Labour inspections: how many, where, in which sectors, and how many found what they were for.
import { ByCode, ByProvince, OverTime, Subject } from "../parts/published";
import { address, go } from "../lib/route";
import { useWords } from "../lib/words";

export function Labour() {
  const { t } = useWords();
  return (
    <Subject title={t("labour.title")} lede={t("labour.lede")}>
      <OverTime id="L01" measures={["inspections"]} title={t("labour.inspections")} freq="q" />
      <OverTime id="L02" measures={["share_finding"]} title={t("labour.share")} freq="q" />
      <ByProvince id="L02" measures={["inspections_finding"]} title="labour.finding.provinces" choose={(code) => go(address("/indicators/L02", { measure: "inspections_finding", province: code }))} />
      <ByCode id="L01" measures={["inspections"]} by="sector" title="labour.sectors" />
      <OverTime id="L01" measures={["inspections"]} by="province" title={t("labour.provinces")} freq="q" wide />
    </Subject>
  );
}
