-- What linkage says of who is one with whom. A later word replaces an earlier one; nothing is corrected or taken back.
SELECT *
FROM staged_links
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
