-- What became of cases: one row per stage reached and per transfer, by whichever agency told of it.
SELECT
  record_id,
  place_recorded_at AS recorded_at,
  place_event_id AS event_id,
  -- rule: acts. Each act is folded by itself: its event and the corrections of it, in the order of state.
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  {{state case_id}} AS case_id,
  {{state stage}} AS stage,
  bool_or(fact = {{event case.transferred}}) AS transferred
FROM case_act_events
WHERE fact IN ({{event case.stage_changed}}, {{event case.transferred}})
GROUP BY record_id, place_version, place_recorded_at, place_event_id
