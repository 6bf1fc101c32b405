-- Each return, whether it was assisted, and what is known of the person after 6 and 12 months.
SELECT
  r.record_id,
  r.person_id,
  r.recorded_at,
  r.event_id,
  r.agency,
  r.occurred_from,
  r.occurred_precision,
  r.from_country,
  r.return_kind,
  -- rule: assisted. Assistance that names the return (domain.md 7.1 R01).
  a.return_id IS NOT NULL AS assisted,
  a.assisted_by,
  a.assistance,
  a.outcome_6,
  a.outcome_12
FROM return_acts r
LEFT JOIN (
  SELECT
    return_id,
    -- rule: assisted_by. Of several assistances the first says in whose caseload the person is (privacy.md 6.6, rule 3).
    first_value(agency ORDER BY occurred_from, recorded_at, event_id, agency) AS assisted_by,
    bit_or(CAST(1 AS BIGINT) << CAST(service AS BIGINT)) AS assistance,
    -- rule: latest_outcome. Of several reports of an outcome the one of the latest assistance stands.
    {{at_last outcome_6}} AS outcome_6,
    {{at_last outcome_12}} AS outcome_12
  FROM assistances
  WHERE return_id IS NOT NULL
  GROUP BY return_id
) a ON a.return_id = r.event_id
