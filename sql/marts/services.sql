-- Referrals of victims to services: one row per referral, with whether a service came of it in time.
SELECT
  person_id AS unit,
  record_id AS case_ref,
  agency,
  {{year occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter occurred_from occurred_precision}} AS quarter,
  {{month occurred_from occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known to_body agency_group}} AS to_body,
  {{known to_country citizenship}} AS to_country,
  {{known service service}} AS service,
  {{yes_no started_within_30_days}} AS started_within_30_days,
  -- rule: first. Of a person's referrals the first: the earliest day, then the time of recording, then the event id.
  {{yes_no row_number() OVER (PARTITION BY person_id ORDER BY occurred_from, recorded_at, event_id) = 1}} AS first_referral
FROM referral_outcomes
