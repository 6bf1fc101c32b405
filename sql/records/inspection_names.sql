-- By which events an inspection is known: who refers what it found, or releases workers, names one of them.
SELECT
  record_id,
  place_event_id AS event_id
FROM inspection_events
GROUP BY record_id, place_version, place_recorded_at, place_event_id
