-- What inspections found and inspectors referred to a body: one row per referral.
SELECT
  record_id,
  place_recorded_at AS recorded_at,
  place_event_id AS event_id,
  -- rule: acts. Each act is folded by itself: its event and the corrections of it, in the order of state.
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  {{state inspection_id}} AS inspection_id,
  {{state to_body}} AS to_body,
  {{state findings}} AS findings
FROM follow_up_events
WHERE fact = {{event inspection.referred}}
GROUP BY record_id, place_version, place_recorded_at, place_event_id
