-- Administrative areas, each with the days on which it is as it says: one row per area and first day.
WITH said AS (
  SELECT
    area,
    valid_from,
    -- rule: last_record. Where several records speak of the same, the word with the greatest (record_version, time, event id)
    -- stands; never the order of arrival (domain.md 4).
    last_value(level ORDER BY record_version, recorded_at, event_id) AS level,
    last_value(parent ORDER BY record_version, recorded_at, event_id) AS parent,
    last_value(valid_to ORDER BY record_version, recorded_at, event_id) AS valid_to,
    last_value(name_en ORDER BY record_version, recorded_at, event_id) AS name_en,
    last_value(name_ur ORDER BY record_version, recorded_at, event_id) AS name_ur,
    last_value(published_in ORDER BY record_version, recorded_at, event_id) AS published_in,
    last_value(withdrawn ORDER BY record_version, recorded_at, event_id) AS withdrawn
  FROM area_records
  GROUP BY area, valid_from
)
SELECT
  area AS unit,
  level,
  parent,
  valid_from,
  valid_to,
  name_en,
  name_ur,
  published_in
FROM said
WHERE true
  -- rule: withdrawn. What was taken back was never so.
  AND coalesce(withdrawn, {{code yes_no.no}}) <> {{code yes_no.yes}}
  -- rule: in_order. What ends before it begins is never so.
  AND (valid_to IS NULL OR valid_to >= valid_from)
