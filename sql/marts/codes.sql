-- Codes of lists, each with the days on which it is as it says: one row per list, code and first day.
WITH said AS (
  SELECT
    of_list,
    of_code,
    valid_from,
    -- rule: last_record. Where several records speak of the same, the word with the greatest (record_version, time, event id)
    -- stands; never the order of arrival (domain.md 4).
    last_value(valid_to ORDER BY record_version, recorded_at, event_id) AS valid_to,
    last_value(replaced_by ORDER BY record_version, recorded_at, event_id) AS replaced_by,
    last_value(name_en ORDER BY record_version, recorded_at, event_id) AS name_en,
    last_value(name_ur ORDER BY record_version, recorded_at, event_id) AS name_ur,
    last_value(published_in ORDER BY record_version, recorded_at, event_id) AS published_in,
    last_value(withdrawn ORDER BY record_version, recorded_at, event_id) AS withdrawn
  FROM code_records
  GROUP BY of_list, of_code, valid_from
)
SELECT
  of_list AS unit,
  of_code,
  valid_from,
  valid_to,
  replaced_by,
  name_en,
  name_ur,
  published_in
FROM said
WHERE true
  -- rule: withdrawn. What was taken back was never so.
  AND coalesce(withdrawn, {{code yes_no.no}}) <> {{code yes_no.yes}}
  -- rule: in_order. What ends before it begins is never so.
  AND (valid_to IS NULL OR valid_to >= valid_from)
