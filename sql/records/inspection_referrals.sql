-- Referrals of what inspections found, each with the record of its inspection.
SELECT
  n.event_id AS inspection_id,
  n.record_id,
  o.to_body,
  o.acted_on
FROM inspection_names n
JOIN finding_outcomes o ON o.inspection_id = n.event_id
