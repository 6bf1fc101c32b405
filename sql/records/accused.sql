-- What each record says of the person it accuses, arrested or only known: one row per (record, person).
SELECT
  record_id,
  person_id,
  -- rule: first_told. A record's own time is that of its first fact; later versions do not make it younger.
  first_value(place_recorded_at ORDER BY {{order}}) AS recorded_at,
  first_value(place_event_id ORDER BY {{order}}) AS event_id,
  -- rule: state. The value from the admissible event with the greatest (record_version, time, event id);
  -- a correction stands in its target's place; null means "not said", unknown is the code _X (domain.md 4).
  {{state agency}} AS agency,
  -- rule: arrest. Of who was arrested the day is that of the arrest, not of becoming known.
  coalesce({{state occurred_from where fact = {{event accused.arrested}}}}, {{state occurred_from}}) AS occurred_from,
  coalesce({{state occurred_precision where fact = {{event accused.arrested}}}}, {{state occurred_precision}}) AS occurred_precision,
  bool_or(fact = {{event accused.arrested}}) AS arrested,
  {{state case_id}} AS case_id,
  {{state sex}} AS sex,
  {{state age_band}} AS age_band,
  {{state citizenship}} AS citizenship,
  {{state role}} AS role,
  {{state official}} AS official,
  {{state province}} AS province
FROM accused_events
GROUP BY record_id, person_id
