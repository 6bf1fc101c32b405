-- Areas, or parts of them, that went into others: one row per area, other area and day.
WITH said AS (
  SELECT
    area,
    into_area,
    changed_on,
    -- rule: last_record. Where several records speak of the same, the word with the greatest (record_version, time, event id)
    -- stands; never the order of arrival (domain.md 4).
    last_value(share_per_mille ORDER BY record_version, recorded_at, event_id) AS share_per_mille,
    last_value(published_in ORDER BY record_version, recorded_at, event_id) AS published_in,
    last_value(withdrawn ORDER BY record_version, recorded_at, event_id) AS withdrawn
  FROM area_change_records
  GROUP BY area, into_area, changed_on
)
SELECT
  area AS unit,
  into_area,
  changed_on,
  share_per_mille,
  published_in
FROM said
WHERE true
  -- rule: withdrawn. What was taken back was never so.
  AND coalesce(withdrawn, {{code yes_no.no}}) <> {{code yes_no.yes}}
