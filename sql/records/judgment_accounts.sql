-- Judgments, by whom the person judged is counted as.
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
  r.sections,
  r.province,
  r.verdict,
  r.imprisonment_months,
  r.fine_pkr,
  r.compensation_pkr,
  r.court_level,
  r.appeal_outcome
FROM judgment_records r
LEFT JOIN people p ON p.person_id = r.person_id
