-- Compensation ordered and paid: one row per order and one per payment.
SELECT
  record_id,
  person_id,
  place_recorded_at AS recorded_at,
  place_event_id AS event_id,
  -- rule: acts. Each act is folded by itself: its event and the corrections of it, in the order of state.
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  {{state case_id}} AS case_id,
  {{state province}} AS province,
  {{state amount_pkr}} AS amount_pkr,
  {{state judgment_id}} AS judgment_id,
  bool_or(fact = {{event compensation.paid}}) AS paid
FROM compensation_events
GROUP BY record_id, person_id, place_version, place_recorded_at, place_event_id
