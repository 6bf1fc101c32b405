-- Returns and what came of them, by whom the person is counted as.
SELECT
  -- rule: one_person. A person is the cluster that linkage found, whatever each agency calls her (domain.md 5).
  coalesce(p.into_id, r.person_id) AS person,
  r.record_id,
  r.person_id,
  r.recorded_at,
  r.event_id,
  r.agency,
  r.occurred_from,
  r.occurred_precision,
  r.from_country,
  r.return_kind,
  r.assisted,
  r.assisted_by,
  r.assistance,
  r.outcome_6,
  r.outcome_12
FROM return_outcomes r
LEFT JOIN people p ON p.person_id = r.person_id
