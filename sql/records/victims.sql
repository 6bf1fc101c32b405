-- What each record says of the person it identified, and each later determination of her status.
-- One row per (record, person) for the identification, one per determination.
SELECT
  record_id,
  person_id,
  true AS is_identification,
  -- rule: first_told. A record's own time is that of its first fact; later versions do not make it younger.
  first_value(place_recorded_at ORDER BY {{order}}) AS recorded_at,
  first_value(place_event_id ORDER BY {{order}}) AS event_id,
  -- rule: state. The value from the admissible event with the greatest (record_version, time, event id);
  -- a correction stands in its target's place; null means "not said", unknown is the code _X (domain.md 4).
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  {{state case_id}} AS case_id,
  {{state contact_id}} AS contact_id,
  {{state sex}} AS sex,
  {{state age_band}} AS age_band,
  {{state citizenship}} AS citizenship,
  {{state status}} AS status,
  {{state exploitation}} AS exploitation,
  {{state means}} AS means,
  {{state act}} AS act,
  {{state recruiter_relation}} AS recruiter_relation,
  {{state sector}} AS sector,
  {{state scope}} AS scope,
  {{state place_recruited}} AS place_recruited,
  {{state place_transit}} AS place_transit,
  {{state place_exploited}} AS place_exploited,
  {{state place_identified}} AS place_identified,
  {{state referral_source}} AS referral_source
FROM victim_events
WHERE fact = {{event victim.identified}}
GROUP BY record_id, person_id

UNION ALL

SELECT
  record_id,
  person_id,
  false AS is_identification,
  place_recorded_at AS recorded_at,
  place_event_id AS event_id,
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  NULL AS case_id,
  NULL AS contact_id,
  NULL AS sex,
  NULL AS age_band,
  NULL AS citizenship,
  {{state status}} AS status,
  NULL AS exploitation,
  NULL AS means,
  NULL AS act,
  NULL AS recruiter_relation,
  NULL AS sector,
  NULL AS scope,
  NULL AS place_recruited,
  NULL AS place_transit,
  NULL AS place_exploited,
  NULL AS place_identified,
  NULL AS referral_source
FROM victim_events
WHERE fact = {{event victim.status_determined}}
-- rule: acts. Each determination is an act of its own: its event and the corrections of it.
GROUP BY record_id, person_id, place_version, place_recorded_at, place_event_id
