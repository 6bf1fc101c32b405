-- The steward's words on agencies, what each is called and when its mandate runs. A later word replaces an earlier one; nothing is corrected or retracted.
SELECT *
FROM staged_agencies
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
