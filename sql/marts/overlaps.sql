-- Persons identified as victims, if everybody were linked of whom it is plausible: one row each, as first identified.
WITH persons AS (
  SELECT
    -- rule: all_plausible_linked. A bound: persons are counted as if all that is plausible were linked (domain.md 5).
    plausible,
    {{at_first record_id where is_identification}} AS record_id,
    {{at_first case_id where is_identification}} AS case_id,
    {{at_first agency where is_identification}} AS agency,
    {{at_first occurred_from where is_identification}} AS occurred_from,
    {{at_first occurred_precision where is_identification}} AS occurred_precision,
    {{at_first place_identified where is_identification}} AS place_identified,
    -- rule: several_groups. Agencies of two groups or more identified her.
    min(agency_group) FILTER (WHERE is_identification) <> max(agency_group) FILTER (WHERE is_identification) AS several
  FROM (SELECT *, rollup('agency', 'group', agency) AS agency_group FROM victim_accounts)
  GROUP BY plausible
  -- rule: identified. A determination alone identifies nobody.
  HAVING bool_or(is_identification)
)
SELECT
  plausible AS unit,
  coalesce(case_id, record_id) AS case_ref,
  agency,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  occurred_from,
  {{year occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter occurred_from occurred_precision}} AS quarter,
  {{month occurred_from occurred_precision}} AS month,
  rollup('place', 'province', CAST(place_identified AS SMALLINT UNSIGNED)) AS province,
  {{yes_no several}} AS known_to_several_groups
FROM persons
