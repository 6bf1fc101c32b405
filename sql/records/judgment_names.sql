-- By which events a judgment is known: who orders compensation names one of them.
SELECT
  record_id,
  person_id,
  place_event_id AS event_id
FROM judgment_events
WHERE fact = {{event judgment.delivered}}
GROUP BY record_id, person_id, place_version, place_recorded_at, place_event_id
