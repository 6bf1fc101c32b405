-- Which cases agencies say are about the same trafficking event: two rows per word, one from each of the two.
SELECT
  record_id,
  place_event_id AS event_id,
  -- rule: acts. Each act is folded by itself: its event and the corrections of it, in the order of state.
  {{state agency}} AS agency,
  {{state case_id}} AS case_id,
  {{state other_case_id}} AS other_case_id
FROM case_act_events
WHERE fact = {{event case.linked}}
GROUP BY record_id, place_version, place_recorded_at, place_event_id

UNION ALL

SELECT
  record_id,
  place_event_id AS event_id,
  {{state agency}} AS agency,
  -- rule: both_ways. Who says that one case is another's says that the other is this one's.
  {{state other_case_id}} AS case_id,
  {{state case_id}} AS other_case_id
FROM case_act_events
WHERE fact = {{event case.linked}}
GROUP BY record_id, place_version, place_recorded_at, place_event_id
