-- Services that ended: one row per end.
SELECT
  record_id,
  person_id,
  place_recorded_at AS recorded_at,
  place_event_id AS event_id,
  -- rule: acts. Each act is folded by itself: its event and the corrections of it, in the order of state.
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  {{state referral_id}} AS referral_id,
  {{state service}} AS service,
  {{state exit_reason}} AS exit_reason
FROM service_events
WHERE fact = {{event service.ended}}
GROUP BY record_id, person_id, place_version, place_recorded_at, place_event_id
