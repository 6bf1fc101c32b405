-- The steward's last word on each pair of persons; linkage obeys it.
SELECT
  record_id,
  -- rule: last_word. Of what the steward said of a pair the last stands; a pair has one record.
  {{state said_person_id}} AS person_id,
  {{state other_id}} AS other_id,
  {{state one}} AS one
FROM decision_events
GROUP BY record_id
