-- question: Which means of control are used on children more than on adults, 2021 to 2025?
-- asks: victims; persons asked about: child or adult, identified 2021-2025
-- source: seed (children, means of control)
-- expect: answered
WITH m AS (
  SELECT means, age_group, count(*) AS n
  FROM victims
  WHERE age_group IN ('child', 'adult') AND year BETWEEN 2021 AND 2025
  GROUP BY means, age_group
), base AS (
  SELECT count(*) FILTER (WHERE age_group = 'child') AS children,
         count(*) FILTER (WHERE age_group = 'adult') AS adults
  FROM victims
  WHERE age_group IN ('child', 'adult') AND year BETWEEN 2021 AND 2025
)
SELECT l.en AS means,
       round(100.0 * c.n / base.children, 0) AS percent_of_children,
       round(100.0 * a.n / base.adults, 0) AS percent_of_adults
FROM m c
JOIN m a ON a.means = c.means AND a.age_group = 'adult'
JOIN reference.means l ON l.code = c.means
CROSS JOIN base
WHERE c.age_group = 'child' AND 1.0 * c.n / base.children > 1.0 * a.n / base.adults
ORDER BY 1.0 * c.n / base.children - 1.0 * a.n / base.adults DESC;
