-- Returns of victims: one row per return, with the assistance that names it and its outcomes.
WITH firsts AS (
  -- rule: first. Of a person's returns the first: the earliest day, then the time of recording, then the event id.
  SELECT
    person,
    first_value(agency ORDER BY occurred_from, recorded_at, event_id) AS agency,
    first_value(event_id ORDER BY occurred_from, recorded_at, event_id) AS event_id
  FROM return_accounts
  GROUP BY person
)
SELECT
  a.person AS unit,
  -- rule: case. She is of the case of her identification; the record stands in where none is known (privacy.md 6.6, rule 2).
  coalesce(v.case_ref, a.record_id) AS case_ref,
  a.agency,
  -- rule: caseload. She is in the caseload of the agency that assisted her too, in that of its own where none did.
  coalesce(a.assisted_by, a.agency) AS served_by,
  a.event_id,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  a.occurred_from,
  {{year a.occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter a.occurred_from a.occurred_precision}} AS quarter,
  {{month a.occurred_from a.occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  -- rule: person. Who she is says her identification; nothing where nobody identified her.
  {{known v.sex sex}} AS sex,
  {{known v.age_band age_band}} AS age_band,
  {{known v.citizenship citizenship}} AS citizenship,
  -- rule: province. A return names no place in the country: the province is that of her identification.
  rollup('place', 'province', CAST(v.place_identified AS SMALLINT UNSIGNED)) AS province,
  {{known a.from_country citizenship}} AS from_country,
  {{known a.return_kind return_kind}} AS kind,
  {{known a.outcome_6 reintegration_outcome}} AS outcome_6,
  {{known a.outcome_12 reintegration_outcome}} AS outcome_12,
  {{yes_no a.assisted}} AS assisted,
  {{known_set a.assistance service}} AS assistance,
  {{yes_no f.person IS NOT NULL}} AS first_return,
  -- rule: identified_again. Identified again is whom any record identifies after the day of the return, unless as no victim.
  {{yes_no i.last_identified > a.occurred_from}} AS identified_again
FROM return_accounts a
LEFT JOIN firsts f ON f.person = a.person AND f.agency = a.agency AND f.event_id = a.event_id
LEFT JOIN victims v ON v.unit = a.person
LEFT JOIN (
  SELECT
    person,
    max(occurred_from) FILTER (WHERE is_identification AND coalesce(status, {{code trafficking_status._X}}) <> {{code trafficking_status.not_victim}}) AS last_identified
  FROM victim_accounts
  GROUP BY person
) i ON i.person = a.person
