-- question: A table of the victims of 2025 by province and sex with subtotals and each province's share of the country.
-- asks: victims; persons asked about: all identified in 2025
-- source: seed (share tables)
-- expect: answered
WITH t AS (
  SELECT province, sex, count(*) AS n, grouping(province) AS gp, grouping(sex) AS gs
  FROM victims
  WHERE year = 2025
  GROUP BY ROLLUP (province, sex)
)
SELECT CASE WHEN t.gp = 1 THEN 'Pakistan' ELSE t.province END AS territory,
       CASE WHEN t.gs = 1 THEN 'all' ELSE t.sex END AS sex_or_all,
       t.n AS victims,
       round(100.0 * t.n / total.n, 1) AS percent_of_country
FROM t
CROSS JOIN (SELECT n FROM t WHERE gp = 1 AND gs = 1) total
ORDER BY t.gp, t.province, t.gs, t.sex;
