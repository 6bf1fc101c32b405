-- Charges, by whom the charged person is counted as.
SELECT
  -- rule: one_person. A person is the cluster that linkage found, whatever each agency calls her (domain.md 5).
  coalesce(p.into_id, r.person_id) AS person,
  r.*,
  g.registered_from,
  g.registered_precision
FROM charge_records r
LEFT JOIN people p ON p.person_id = r.person_id
LEFT JOIN charge_registrations g ON g.person_id = r.person_id AND g.record_id = r.record_id
