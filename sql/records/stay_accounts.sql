-- Stays in shelters, by whom the person is counted as.
SELECT
  -- rule: one_person. A person is the cluster that linkage found, whatever each agency calls her (domain.md 5).
  coalesce(p.into_id, r.person_id) AS person,
  r.*
FROM stay_records r
LEFT JOIN people p ON p.person_id = r.person_id
