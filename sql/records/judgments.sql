-- What each record says of one judgment on one person, and of its appeal: one row per (record, person).
SELECT
  record_id,
  person_id,
  -- rule: first_told. A record's own time is that of its first fact; later versions do not make it younger.
  first_value(place_recorded_at ORDER BY {{order}}) AS recorded_at,
  first_value(place_event_id ORDER BY {{order}}) AS event_id,
  -- rule: state. The value from the admissible event with the greatest (record_version, time, event id);
  -- a correction stands in its target's place; null means "not said", unknown is the code _X (domain.md 4).
  {{state agency where fact = {{event judgment.delivered}}}} AS agency,
  {{state occurred_from where fact = {{event judgment.delivered}}}} AS occurred_from,
  {{state occurred_precision where fact = {{event judgment.delivered}}}} AS occurred_precision,
  {{state case_id}} AS case_id,
  {{state sex}} AS sex,
  {{state age_band}} AS age_band,
  {{state citizenship}} AS citizenship,
  {{state sections}} AS sections,
  {{state province}} AS province,
  {{state verdict}} AS verdict,
  {{state imprisonment_months}} AS imprisonment_months,
  {{state fine_pkr}} AS fine_pkr,
  {{state compensation_pkr}} AS compensation_pkr,
  {{state court_level}} AS court_level,
  -- rule: appeal. Of several decisions on appeal the last stands.
  {{state appeal_outcome}} AS appeal_outcome
FROM judgment_events
GROUP BY record_id, person_id
-- rule: delivered. A decision on appeal alone is no judgment.
HAVING bool_or(fact = {{event judgment.delivered}})
