-- What the steward last said of an area that went into another in each of her records.
SELECT
  record_id,
  last_value(record_version ORDER BY {{order}}) AS record_version,
  last_value(recorded_at ORDER BY {{order}}) AS recorded_at,
  last_value(event_id ORDER BY {{order}}) AS event_id,
  -- rule: last_word. Of what a record said the last stands, whole: what it leaves out is not so any more (domain.md 4).
  last_value(area ORDER BY {{order}}) AS area,
  last_value(into_area ORDER BY {{order}}) AS into_area,
  last_value(changed_on ORDER BY {{order}}) AS changed_on,
  last_value(share_per_mille ORDER BY {{order}}) AS share_per_mille,
  last_value(published_in ORDER BY {{order}}) AS published_in,
  last_value(withdrawn ORDER BY {{order}}) AS withdrawn
FROM area_change_events
GROUP BY record_id
