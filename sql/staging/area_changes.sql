-- The steward's words on areas that went into others. A later word replaces an earlier one; nothing is corrected or retracted.
SELECT *
FROM staged_area_changes
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
