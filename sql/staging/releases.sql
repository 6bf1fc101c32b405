-- Releases of workers, and their corrections.
-- What stage linked is kept apart as flags; here stands which of them counts, one rule a line.
SELECT *
FROM staged_releases
WHERE true
  -- rule: deduplication. One event counts once, however often it was sent (ingestion.md 3.7.5).
  AND NOT is_copy
  -- rule: retractions. A retraction removes its target (domain.md 4).
  AND NOT retracted
  -- rule: retracted_targets. It removes every correction of its target too (domain.md 4).
  AND NOT target_retracted
  -- rule: unknown_targets. A correction waits until its target arrives (domain.md 4).
  AND NOT target_unknown
  -- rule: flagged. A correction of a correction, or one that misnames its target's type, has no effect.
  AND NOT flagged
  -- rule: corrections. Corrections are read beside facts; each stands in its target's place (domain.md 4).
  AND is_correction IN (true, false)
