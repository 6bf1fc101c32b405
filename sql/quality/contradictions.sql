-- Of the persons whom an agency and at least one other have identified: how many there are, and of how many the agencies say different
-- things. What is unknown contradicts nothing, and neither does the age: it was another when she was identified again.
WITH said AS (
  SELECT
    -- rule: one_person. A person is the cluster that linkage found, whatever each agency calls her (domain.md 5).
    coalesce(p.into_id, r.person_id) AS person,
    r.agency,
    max(CASE WHEN r.sex <> {{code sex._X}} THEN r.sex END) AS sex,
    max(CASE WHEN r.citizenship <> {{code citizenship._X}} THEN r.citizenship END) AS citizenship
  FROM victim_records r
  LEFT JOIN people p ON p.person_id = r.person_id
  -- rule: settled. What was recorded before this quarter: so nobody sees what a single further record does to it.
  WHERE r.is_identification AND r.recorded_at < <until>
  GROUP BY 1, 2
),
together AS (
  SELECT person, count(DISTINCT sex) > 1 AS sex, count(DISTINCT citizenship) > 1 AS citizenship
  FROM said
  GROUP BY person
  HAVING count(*) > 1
)
SELECT
  s.agency,
  count(*) AS persons,
  count(*) FILTER (WHERE t.sex) AS sex,
  count(*) FILTER (WHERE t.citizenship) AS citizenship
FROM said s
JOIN together t ON t.person = s.person
GROUP BY s.agency
