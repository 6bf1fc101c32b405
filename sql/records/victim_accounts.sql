-- What each agency says of a person, by whom she is counted as.
SELECT
  -- rule: one_person. A person is the cluster that linkage found, whatever each agency calls her (domain.md 5).
  coalesce(p.into_id, r.person_id) AS person,
  r.record_id,
  r.person_id,
  r.is_identification,
  r.recorded_at,
  r.event_id,
  r.agency,
  r.occurred_from,
  r.occurred_precision,
  r.case_id,
  r.sex,
  r.age_band,
  r.citizenship,
  r.status,
  r.exploitation,
  r.means,
  r.act,
  r.recruiter_relation,
  r.sector,
  r.scope,
  r.place_recruited,
  r.place_transit,
  r.place_exploited,
  r.place_identified,
  r.referral_source
FROM victim_records r
LEFT JOIN people p ON p.person_id = r.person_id
