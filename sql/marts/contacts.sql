-- Contacts of helplines: one row per contact, those that led to nothing included.
WITH records AS (
  SELECT
    record_id,
    -- rule: state. The value from the admissible event with the greatest (record_version, time, event id);
    -- a correction stands in its target's place; null means "not said", unknown is the code _X (domain.md 4).
    {{state agency}} AS agency,
    {{state occurred_from}} AS occurred_from,
    {{state occurred_precision}} AS occurred_precision,
    {{state kind}} AS kind,
    {{state place}} AS place,
    {{state referral_made}} AS referral_made
  FROM contact_events
  GROUP BY record_id
)
SELECT
  record_id AS unit,
  record_id AS case_ref,
  agency,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  occurred_from,
  {{year occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter occurred_from occurred_precision}} AS quarter,
  {{month occurred_from occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known kind contact_kind}} AS kind,
  -- rule: province. Where a caller was is told by province and no finer: few call from a division.
  rollup('place', 'province', place) AS province,
  {{known referral_made yes_no}} AS referral_made
FROM records
