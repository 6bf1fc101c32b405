-- Tokens that agencies made anew: who the token of before names, and the new one.
SELECT *
FROM staged_rotations
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
