-- Each referral, whether the service sought came of it in time, and how it ended.
SELECT
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
  s.referral_id IS NOT NULL AS started_within_30_days,
  -- rule: ended_by. Where none began in time, who ended a service for her has her in its caseload too.
  coalesce(s.served_by, e.ended_by) AS served_by,
  e.exit_reason
FROM referrals r
LEFT JOIN (
  SELECT
    s.referral_id,
    -- rule: served_by. Of several such services the first says in whose caseload the person is (privacy.md 6.6, rule 3).
    first_value(s.agency ORDER BY s.occurred_from, s.recorded_at, s.event_id, s.agency) AS served_by
  FROM service_starts s
  JOIN referrals r ON s.referral_id = r.event_id
  -- rule: within_30_days. A service that names the referral and starts 0 to 30 days after it (domain.md 7.1 S01).
  WHERE s.occurred_from BETWEEN r.occurred_from AND r.occurred_from + INTERVAL '30 days'
  GROUP BY s.referral_id
) s ON s.referral_id = r.event_id
LEFT JOIN (
  SELECT
    referral_id,
    first_value(agency ORDER BY occurred_from, recorded_at, event_id, agency) AS ended_by,
    -- rule: latest_exit. Of several ends that name the referral the latest says why the person left.
    last_value(exit_reason ORDER BY occurred_from, recorded_at, event_id, agency) FILTER (WHERE exit_reason IS NOT NULL) AS exit_reason
  FROM service_ends
  WHERE referral_id IS NOT NULL
  GROUP BY referral_id
) e ON e.referral_id = r.event_id
