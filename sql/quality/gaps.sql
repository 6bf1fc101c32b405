-- Of the versions of an agency's records that came: how many there are, by month of the record, and before how many the one before never
-- came. In angle brackets stand all staged rows of a bucket of records, of whatever family, and the first moment that is looked at.
SELECT
  agency,
  CAST((date_part('year', recorded) - 1900) * 12 + date_part('month', recorded) - 1 AS INT) AS month,
  count(*) AS came,
  -- rule: gap. A record's counter begins with one and rises by one (domain.md 2). Where several in a row are missing, that is one gap: how
  -- many they were, only the agency knows.
  count(*) FILTER (WHERE record_version > 1 AND before IS DISTINCT FROM record_version - 1) AS gaps
FROM (
  SELECT
    agency,
    recorded_at,
    CAST(CAST({{recorded_day recorded_at}} AS INT) AS DATE) AS recorded,
    record_version,
    lag(record_version) OVER (PARTITION BY agency, record_id ORDER BY record_version) AS before
  FROM (
    -- rule: once. Facts, corrections and retractions share the counter; a version is there however often it came.
    SELECT agency, record_id, record_version, min(recorded_at) AS recorded_at
    FROM (<rows>) came
    GROUP BY agency, record_id, record_version
  ) versions
) followed
WHERE recorded_at >= <since>
GROUP BY 1, 2
