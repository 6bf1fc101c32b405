-- The last word of linkage on each person, and each token that was made anew.
SELECT
  record_id,
  person_id,
  true AS by_linkage,
  max(record_version) AS version,
  last_value(recorded_at ORDER BY {{order}}) AS recorded_at,
  last_value(event_id ORDER BY {{order}}) AS event_id,
  -- rule: last_word. Of what linkage said of a person the last stands (domain.md 4).
  {{state into_id}} AS into_id,
  {{state plausible_id}} AS plausible_id
FROM link_events
GROUP BY record_id, person_id

UNION ALL

SELECT
  record_id,
  -- rule: rotated. Who is named by a token that was made anew is whom the token of before names (privacy.md 8.3).
  new_person_id AS person_id,
  false AS by_linkage,
  record_version AS version,
  recorded_at,
  event_id,
  person_id AS into_id,
  NULL AS plausible_id
FROM rotation_events
WHERE new_person_id IS NOT NULL
