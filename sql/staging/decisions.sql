-- The steward's words on pairs of persons. A later word replaces an earlier one; nothing is corrected or taken back.
SELECT *
FROM staged_decisions
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
