-- question: Victims identified per 100,000 inhabitants by province in 2023, and the country as a whole.
-- asks: victims, reference.population; persons asked about: actual victims identified in 2023
-- source: V02 (SDG 16.2.2)
-- expect: answered
WITH v AS (
  SELECT CASE WHEN grouping(province) = 1 THEN '_T' ELSE province END AS province,
         count(*) AS victims
  FROM victims
  WHERE status = 'actual' AND year = 2023
  GROUP BY ROLLUP (province)
)
SELECT coalesce(p.en, 'Pakistan') AS territory,
       v.victims,
       r.population,
       round(v.victims * 1e5 / r.population, 2) AS per_100000
FROM v
LEFT JOIN reference.province p ON p.code = v.province
LEFT JOIN reference.population r
       ON r.province = v.province AND r.year = 2023 AND r.sex = '_T' AND r.age_group = '_T'
WHERE v.province <> '_X'
ORDER BY per_100000 DESC NULLS LAST;
