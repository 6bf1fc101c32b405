-- Judgments, by whom the person judged is counted as.
SELECT
  -- rule: one_person. A person is the cluster that linkage found, whatever each agency calls her (domain.md 5).
  coalesce(p.into_id, r.person_id) AS person,
  r.*,
  -- rule: convicted. Under any section of the PTPA, verdict convicted or convicted of a lesser offence, not
  -- overturned (domain.md 7.1 C05).
  (coalesce(r.sections, 0) & {{codes section where act = PTPA}}) <> 0
    AND r.verdict IN ({{code verdict.convicted}}, {{code verdict.convicted_lesser}})
    AND coalesce(r.appeal_outcome, {{code appeal_outcome._X}}) <> {{code appeal_outcome.overturned}} AS convicts,
  g.registered_from,
  g.registered_precision,
  o.record_id IS NOT NULL AS ordered_apart
FROM judgment_records r
LEFT JOIN people p ON p.person_id = r.person_id
LEFT JOIN judgment_registrations g ON g.person_id = r.person_id AND g.record_id = r.record_id
LEFT JOIN (SELECT person_id, record_id FROM ordered_apart GROUP BY person_id, record_id) o ON o.person_id = r.person_id AND o.record_id = r.record_id
