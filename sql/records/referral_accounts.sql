-- Referrals and what came of them, by whom the person is counted as.
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
  r.to_body,
  r.to_country,
  r.service,
  r.started_within_30_days,
  r.served_by,
  r.exit_reason
FROM referral_outcomes r
LEFT JOIN people p ON p.person_id = r.person_id
