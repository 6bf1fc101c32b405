-- What bodies did about referrals: one row per action, or decision that there is none.
SELECT
  record_id,
  place_recorded_at AS recorded_at,
  place_event_id AS event_id,
  -- rule: acts. Each act is folded by itself: its event and the corrections of it, in the order of state.
  {{state agency}} AS agency,
  {{state occurred_from}} AS occurred_from,
  {{state occurred_precision}} AS occurred_precision,
  {{state referral_id}} AS referral_id,
  {{state action}} AS action
FROM follow_up_events
WHERE fact = {{event referral.acted_on}}
GROUP BY record_id, place_version, place_recorded_at, place_event_id
