-- What the steward last said of a code in each of her records.
SELECT
  record_id,
  last_value(record_version ORDER BY {{order}}) AS record_version,
  last_value(recorded_at ORDER BY {{order}}) AS recorded_at,
  last_value(event_id ORDER BY {{order}}) AS event_id,
  -- rule: last_word. Of what a record said the last stands, whole: what it leaves out is not so any more (domain.md 4).
  last_value(of_list ORDER BY {{order}}) AS of_list,
  last_value(of_code ORDER BY {{order}}) AS of_code,
  last_value(valid_from ORDER BY {{order}}) AS valid_from,
  last_value(valid_to ORDER BY {{order}}) AS valid_to,
  last_value(replaced_by ORDER BY {{order}}) AS replaced_by,
  last_value(name_en ORDER BY {{order}}) AS name_en,
  last_value(name_ur ORDER BY {{order}}) AS name_ur,
  last_value(published_in ORDER BY {{order}}) AS published_in,
  last_value(withdrawn ORDER BY {{order}}) AS withdrawn
FROM code_events
GROUP BY record_id
