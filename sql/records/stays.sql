-- Stays in shelters: one row per record and person.
SELECT
  s.record_id,
  s.person_id,
  s.recorded_at,
  s.event_id,
  s.agency,
  s.occurred_from,
  s.occurred_precision,
  e.ended_from,
  e.ended_precision,
  e.exit_reason
FROM (
  SELECT
    record_id,
    person_id,
    -- rule: one_stay. What one record tells of a person's shelter is one stay: from its first beginning to its last end,
    -- whatever breaks lie between (domain.md 7 S03).
    {{at_first recorded_at}} AS recorded_at,
    {{at_first event_id}} AS event_id,
    {{at_first agency}} AS agency,
    {{at_first occurred_from}} AS occurred_from,
    {{at_first occurred_precision}} AS occurred_precision
  FROM service_starts
  -- rule: shelter. Other services are no stays.
  WHERE service = {{code service.shelter}}
  GROUP BY record_id, person_id
) s
LEFT JOIN (
  SELECT
    record_id,
    person_id,
    {{at_last occurred_from}} AS ended_from,
    {{at_last occurred_precision}} AS ended_precision,
    -- rule: latest_exit. Of several ends the latest says why the person left.
    {{at_last exit_reason}} AS exit_reason
  FROM service_ends
  -- rule: shelter_left. Other services are no stays.
  WHERE service = {{code service.shelter}}
  GROUP BY record_id, person_id
) e ON e.record_id = s.record_id AND e.person_id = s.person_id
