-- When the case of each judgment was registered.
SELECT
  a.case_id,
  a.record_id,
  a.person_id,
  c.occurred_from AS registered_from,
  c.occurred_precision AS registered_precision
FROM judgment_records a
-- rule: case. The case is the one that the judgment names, under the id of the agency that registered it.
JOIN case_records c ON c.record_id = a.case_id
