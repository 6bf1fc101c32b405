-- Residents of areas by counts, estimates and projections: one row per area, day, sex and age group.
WITH said AS (
  SELECT
    area,
    counted_on,
    of_sex,
    of_age_group,
    -- rule: last_record. Where several records speak of the same, the word with the greatest (record_version, time, event id)
    -- stands; never the order of arrival (domain.md 4).
    last_value(persons ORDER BY record_version, recorded_at, event_id) AS persons,
    last_value(method ORDER BY record_version, recorded_at, event_id) AS method,
    last_value(published_in ORDER BY record_version, recorded_at, event_id) AS published_in,
    last_value(withdrawn ORDER BY record_version, recorded_at, event_id) AS withdrawn
  FROM population_records
  GROUP BY area, counted_on, of_sex, of_age_group
)
SELECT
  area AS unit,
  counted_on,
  of_sex,
  of_age_group,
  persons,
  method,
  published_in
FROM said
WHERE true
  -- rule: withdrawn. What was taken back was never so.
  AND coalesce(withdrawn, {{code yes_no.no}}) <> {{code yes_no.yes}}
