-- Inspections whose releases are told of by themselves: one row per event by which a release names the inspection.
SELECT
  n.event_id,
  n.record_id
FROM inspection_names n
JOIN (
  SELECT inspection_id
  FROM release_records
  GROUP BY inspection_id
) r ON r.inspection_id = n.event_id
