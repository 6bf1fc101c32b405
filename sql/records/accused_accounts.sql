-- Arrests, by whom the arrested person is counted as.
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
  r.case_id,
  r.sex,
  r.age_band,
  r.citizenship,
  r.role,
  r.official,
  r.province
FROM accused_records r
LEFT JOIN people p ON p.person_id = r.person_id
