-- What each record says of workers who were released: one row per release.
SELECT
  record_id,
  -- rule: first_told. A record's own time is that of its first fact; later versions do not make it younger.
  first_value(place_recorded_at ORDER BY {{order}}) AS recorded_at,
  first_value(place_event_id ORDER BY {{order}}) AS event_id,
  -- rule: state. The value from the admissible event with the greatest (record_version, time, event id);
  -- a correction stands in its target's place; null means "not said", unknown is the code _X (domain.md 4).
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  {{state case_id}} AS case_id,
  {{state place}} AS place,
  {{state sector}} AS sector,
  {{state workers}} AS workers,
  {{state children}} AS children,
  {{state inspection_id}} AS inspection_id
FROM release_events
GROUP BY record_id
