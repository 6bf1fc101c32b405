// Support and return: referral, service, assistance, and what became of it.
import { ByCode, OverTime, Subject } from "../parts/published";
import { useWords } from "../lib/words";

export function Support() {
  const { t } = useWords();
  return (
    <Subject title={t("support.title")} lede={t("support.lede")}>
      <OverTime id="S01" measures={["persons_referred", "persons_receiving_within_30_days"]} title={t("support.referred")} freq="y" />
      <OverTime id="S01" measures={["share_receiving_within_30_days"]} title={t("support.share")} freq="y" />
      <ByCode id="V11" measures={["victims"]} by="referral_source" title="support.source" />
      <ByCode id="R01" measures={["persons_assisted_outcome_12_months"]} by="outcome" title="support.outcome" />
      <OverTime id="R01" measures={["persons_returned", "persons_assisted"]} title={t("support.returned")} freq="y" wide />
    </Subject>
  );
}
