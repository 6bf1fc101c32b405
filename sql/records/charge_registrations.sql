-- When the case of each charge was registered.
SELECT
  a.case_id,
  a.record_id,
  a.person_id,
  c.occurred_from AS registered_from,
  c.occurred_precision AS registered_precision
FROM charge_records a
-- rule: case. The case is the one that the charge names, under the id of the agency that registered it.
JOIN case_records c ON c.record_id = a.case_id
