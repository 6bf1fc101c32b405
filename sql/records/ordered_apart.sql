-- Judgments whose compensation an order tells of: one row per event by which an order names the judgment.
SELECT
  n.event_id,
  n.record_id,
  n.person_id
FROM judgment_names n
JOIN (
  SELECT judgment_id
  FROM compensation_acts
  WHERE judgment_id IS NOT NULL AND NOT paid
  GROUP BY judgment_id
) o ON o.judgment_id = n.event_id
