-- The steward's words on codes of lists, when each is valid and what it is called. A later word replaces an earlier one; nothing is corrected or retracted.
SELECT *
FROM staged_codes
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
