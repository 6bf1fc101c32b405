-- Referrals of victims to services: one row per referral, with whether a service came of it in time.
WITH firsts AS (
  -- rule: first. Of a person's referrals the first: the earliest day, then the time of recording, then the event id.
  SELECT
    person,
    first_value(agency ORDER BY occurred_from, recorded_at, event_id) AS agency,
    first_value(event_id ORDER BY occurred_from, recorded_at, event_id) AS event_id
  FROM referral_accounts
  GROUP BY person
)
SELECT
  a.person AS unit,
  -- rule: case. She is of the case of her identification; the record stands in where none is known (privacy.md 6.6, rule 2).
  coalesce(v.case_ref, a.record_id) AS case_ref,
  a.agency,
  -- rule: caseload. She is in the caseload of the agency that served her too, in that of its own where none did.
  coalesce(a.served_by, a.agency) AS served_by,
  a.event_id,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  a.occurred_from,
  {{year a.occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter a.occurred_from a.occurred_precision}} AS quarter,
  {{month a.occurred_from a.occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  -- rule: person. Who she is says her identification; nothing where nobody identified her.
  {{known v.sex sex}} AS sex,
  {{known v.age_band age_band}} AS age_band,
  {{known v.citizenship citizenship}} AS citizenship,
  -- rule: province. A referral names no place: the province is that of her identification.
  rollup('place', 'province', CAST(v.place_identified AS SMALLINT UNSIGNED)) AS province,
  {{known v.referral_source referral_source}} AS referral_source,
  {{known a.to_body agency_group}} AS to_body,
  {{known a.to_country citizenship}} AS to_country,
  {{known a.service service}} AS service,
  {{yes_no a.started_within_30_days}} AS started_within_30_days,
  {{known a.exit_reason exit_reason}} AS exit_reason,
  {{yes_no f.person IS NOT NULL}} AS first_referral
FROM referral_accounts a
LEFT JOIN firsts f ON f.person = a.person AND f.agency = a.agency AND f.event_id = a.event_id
LEFT JOIN victims v ON v.unit = a.person
