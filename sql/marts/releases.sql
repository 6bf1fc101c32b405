-- Releases of workers from bonded labour: one row per release, told by itself or by an inspection.
WITH told AS (
  SELECT
    record_id,
    case_id,
    agency,
    occurred_from,
    occurred_precision,
    place,
    sector,
    workers AS released,
    children
  FROM release_records

  UNION ALL

  SELECT
    record_id,
    NULL AS case_id,
    agency,
    occurred_from,
    occurred_precision,
    place,
    sector,
    released,
    NULL AS children
  FROM inspection_records i
  -- rule: released. An inspection for bonded labour, or one that found it, which released somebody is a release (domain.md 7 L03).
  WHERE released > 0 AND (kind = {{code inspection_kind.bonded}} OR (coalesce(outcome, 0) & {{codes inspection_outcome in bonded_labour_found}}) <> 0)
    -- rule: told_once. Where a release names the inspection, or is told by its record, the release stands and the inspection's own number does not.
    AND NOT EXISTS (SELECT 1 FROM released_apart r WHERE r.record_id = i.record_id)
    AND NOT EXISTS (SELECT 1 FROM release_records r WHERE r.record_id = i.record_id)
)
SELECT
  record_id AS unit,
  coalesce(case_id, record_id) AS case_ref,
  agency,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  occurred_from,
  {{year occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter occurred_from occurred_precision}} AS quarter,
  {{month occurred_from occurred_precision}} AS month,
  -- rule: agency_group. The group of the agency that tells of it.
  rollup('agency', 'group', agency) AS agency_group,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known place place}} AS place,
  {{known sector sector}} AS sector,
  released,
  children
FROM told
