-- Cases registered: one row per case.
WITH linked AS (
  SELECT
    case_id,
    -- rule: linked. Of the cases under the PTPA that agencies say are about the same trafficking event, the one registered
    -- first: the earliest day, then the time of the record, then its id. Links are taken as they are said, one by one.
    first_value(occurred_from ORDER BY occurred_from, recorded_at, other_case_id) FILTER (WHERE ptpa) AS first_from,
    first_value(recorded_at ORDER BY occurred_from, recorded_at, other_case_id) FILTER (WHERE ptpa) AS first_recorded_at,
    first_value(other_case_id ORDER BY occurred_from, recorded_at, other_case_id) FILTER (WHERE ptpa) AS first_id
  FROM (SELECT *, (coalesce(sections, 0) & {{codes section where act = PTPA}}) <> 0 AS ptpa FROM linked_cases)
  GROUP BY case_id
),
acts AS (
  SELECT
    case_id,
    -- rule: latest_stage. The stage is that which was reached last, by day, time, event id, whoever tells of it.
    {{at_last stage}} AS stage,
    bool_or(transferred) AS transferred
  FROM case_acts
  GROUP BY case_id
),
records AS (
  SELECT
    c.*,
    l.case_id IS NOT NULL AS linked,
    -- rule: first_registration. A trafficking event that two agencies registered is one case: of the linked cases under the
    -- PTPA that which was registered first counts, whatever the other acts name (domain.md 5, 7.1 C01).
    (coalesce(c.sections, 0) & {{codes section where act = PTPA}}) <> 0
      AND (l.first_id IS NULL OR c.occurred_from < l.first_from
        OR (c.occurred_from = l.first_from AND (c.recorded_at < l.first_recorded_at
          OR (c.recorded_at = l.first_recorded_at AND c.record_id < l.first_id)))) AS first_registration,
    a.stage,
    coalesce(a.transferred, false) AS transferred
  FROM case_records c
  LEFT JOIN linked l ON l.case_id = c.record_id
  LEFT JOIN acts a ON a.case_id = c.record_id
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
  -- rule: agency_group. The group of the agency that registered the case (domain.md 7.1 C01).
  rollup('agency', 'group', agency) AS agency_group,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known sections section}} AS section,
  {{known scope scope}} AS scope,
  {{known province province}} AS province,
  {{known lead_agency_group agency_group}} AS lead_agency_group,
  -- rule: stage. A case of which no stage was told is registered.
  coalesce(stage, {{code case_stage.registered}}) AS stage,
  {{yes_no transferred}} AS transferred,
  {{yes_no linked}} AS linked,
  {{yes_no first_registration}} AS first_registration
FROM records
