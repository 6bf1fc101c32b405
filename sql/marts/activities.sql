-- Training and awareness activities: one row per activity.
WITH records AS (
  SELECT
    record_id,
    -- rule: state. The value from the admissible event with the greatest (record_version, time, event id);
    -- a correction stands in its target's place; null means "not said", unknown is the code _X (domain.md 4).
    {{state agency}} AS agency,
    {{state occurred_from}} AS occurred_from,
    {{state occurred_precision}} AS occurred_precision,
    {{state kind}} AS kind,
    {{state audience}} AS audience,
    {{state place}} AS place,
    {{state participants}} AS participants
  FROM activity_events
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
  {{known kind activity_kind}} AS kind,
  {{known audience audience}} AS audience,
  -- rule: province. Of the place where it was held; online, or nowhere in particular, is _X.
  rollup('place', 'province', place) AS province,
  participants
FROM records
