-- Each link of a case to one that was registered, with that registration.
SELECT
  l.case_id,
  l.other_case_id,
  o.occurred_from,
  o.recorded_at,
  o.sections
FROM case_links l
JOIN case_records o ON o.record_id = l.other_case_id
-- rule: itself. A case that is linked to itself is linked to none.
WHERE l.case_id <> l.other_case_id
