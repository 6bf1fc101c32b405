-- What the facts of one type come to: for each agency, month of the record and days from what happened to its record, how many there are
-- and of how many each field is known. It is run once for each type of `fields.yml`; in angle brackets stands what differs between them.
SELECT
  agency,
  CAST((date_part('year', recorded) - 1900) * 12 + date_part('month', recorded) - 1 AS INT) AS month,
  -- rule: to_the_day. How soon a fact was recorded is known where its day is. A year is the longest that is told apart.
  CASE WHEN {{to_the_day occurred_precision}} THEN CAST(least(greatest({{days occurred_to recorded}}, 0), 366) AS INT) END AS days,
  count(*) AS facts,
  <counts>
FROM (
  -- rule: corrected. A fact is what its corrections have made of it (domain.md 4).
  SELECT
    min(agency) AS agency,
    CAST(CAST({{recorded_day min(recorded_at) FILTER (WHERE NOT is_correction)}} AS INT) AS DATE) AS recorded,
    {{state occurred_to}} AS occurred_to,
    {{state occurred_precision}} AS occurred_precision,
    <states>
  FROM <table>
  WHERE fact = <fact>
  GROUP BY <place>
  HAVING min(recorded_at) FILTER (WHERE NOT is_correction) >= <since>
) facts
GROUP BY 1, 2, 3
