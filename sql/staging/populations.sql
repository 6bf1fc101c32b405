-- The steward's words on how many people an area had on a day. A later word replaces an earlier one; nothing is corrected or retracted.
SELECT *
FROM staged_populations
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
