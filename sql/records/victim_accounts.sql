-- What each agency says of a person, by whom she is counted as.
SELECT
  -- rule: one_person. A person is the cluster that linkage found, whatever each agency calls her (domain.md 5).
  coalesce(p.into_id, r.person_id) AS person,
  -- rule: all_plausible_linked. Whom she would be counted as if all that is plausible were linked: as she is where nothing is doubtful.
  coalesce(p.plausible_id, p.into_id, r.person_id) AS plausible,
  r.*
FROM victim_records r
LEFT JOIN people p ON p.person_id = r.person_id
