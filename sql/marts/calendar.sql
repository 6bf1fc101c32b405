-- The reporting calendar: one row per report expected, and one per report that there was nothing to report.
SELECT
  record_id AS unit,
  place_event_id AS event_id,
  {{state reporting_agency}} AS agency,
  {{state occurred_from}} AS period_from,
  {{state occurred_to}} AS period_to,
  {{state kind}} AS kind,
  bool_or(fact = {{event report.nil}}) AS nil
FROM calendar_events
GROUP BY record_id, place_version, place_recorded_at, place_event_id
