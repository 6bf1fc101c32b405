-- Persons who are counted as somebody else, or might be: one row each.
SELECT
  person_id,
  -- rule: linkage_decides. What linkage says of a person stands; where it has said nothing, what an agency said of her token.
  last_value(into_id ORDER BY by_linkage, recorded_at, event_id) FILTER (WHERE into_id IS NOT NULL) AS into_id,
  last_value(plausible_id ORDER BY by_linkage, recorded_at, event_id) FILTER (WHERE plausible_id IS NOT NULL) AS plausible_id,
  max(CASE WHEN by_linkage THEN version END) AS version
FROM links
GROUP BY person_id
