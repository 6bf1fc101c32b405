-- The steward's words on administrative areas and when each is one. A later word replaces an earlier one; nothing is corrected or retracted.
SELECT *
FROM staged_areas
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
