-- Labour inspections: one row per inspection, those that find nothing included.
WITH referred AS (
  SELECT
    record_id,
    -- rule: law_enforcement. Referred is what was referred to the police or the Federal Investigation Agency (domain.md 7 L04).
    bool_or(to_body IN ({{code agency_group.POL}}, {{code agency_group.FIA}})) AS referred,
    -- rule: acted_on. It is acted on where any of these referrals was.
    bool_or(to_body IN ({{code agency_group.POL}}, {{code agency_group.FIA}}) AND acted_on) AS acted_on
  FROM inspection_referrals
  GROUP BY record_id
)
SELECT
  i.record_id AS unit,
  i.record_id AS case_ref,
  i.agency,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  i.occurred_from,
  {{year i.occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter i.occurred_from i.occurred_precision}} AS quarter,
  {{month i.occurred_from i.occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known i.place place}} AS place,
  {{known i.sector sector}} AS sector,
  {{known i.kind inspection_kind}} AS kind,
  {{known i.outcome inspection_outcome}} AS outcome,
  i.workers,
  i.children,
  i.released,
  {{yes_no r.referred}} AS referred,
  {{yes_no r.acted_on}} AS acted_on
FROM inspection_records i
LEFT JOIN referred r ON r.record_id = i.record_id
