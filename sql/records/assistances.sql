-- Assistance to returned victims: one row per assistance.
SELECT
  record_id,
  person_id,
  place_recorded_at AS recorded_at,
  place_event_id AS event_id,
  -- rule: acts. Each act is folded by itself: its event and the corrections of it, in the order of state.
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  {{state return_id}} AS return_id,
  {{state service}} AS service,
  {{state months}} AS months,
  {{state outcome_6}} AS outcome_6,
  {{state outcome_12}} AS outcome_12
FROM return_events
WHERE fact = {{event reintegration.assisted}}
GROUP BY record_id, person_id, place_version, place_recorded_at, place_event_id
