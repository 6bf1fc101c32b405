-- What the steward last said of the people of an area on a day in each of her records.
SELECT
  record_id,
  last_value(record_version ORDER BY {{order}}) AS record_version,
  last_value(recorded_at ORDER BY {{order}}) AS recorded_at,
  last_value(event_id ORDER BY {{order}}) AS event_id,
  -- rule: last_word. Of what a record said the last stands, whole: what it leaves out is not so any more (domain.md 4).
  last_value(area ORDER BY {{order}}) AS area,
  last_value(counted_on ORDER BY {{order}}) AS counted_on,
  last_value(of_sex ORDER BY {{order}}) AS of_sex,
  last_value(of_age_group ORDER BY {{order}}) AS of_age_group,
  last_value(persons ORDER BY {{order}}) AS persons,
  last_value(method ORDER BY {{order}}) AS method,
  last_value(published_in ORDER BY {{order}}) AS published_in,
  last_value(withdrawn ORDER BY {{order}}) AS withdrawn
FROM population_events
GROUP BY record_id
