-- question: Did prosecutions under the trafficking act rise after the amendment of 2022: yearly mean of 2019-2021 against that of 2023-2025?
-- asks: charges; persons asked about: first charged under any PTPA section 2019-2025, charge not withdrawn
-- source: domain.md 8, second question; C04
-- expect: answered
WITH yearly AS (
  SELECT year, count(DISTINCT person_id) AS prosecuted
  FROM charges
  WHERE section IN ('PTPA-3-1', 'PTPA-3-2', 'PTPA-4')
    AND withdrawn = 'no'
    AND first_charge = 'yes'
    AND year BETWEEN 2019 AND 2025
  GROUP BY year
)
SELECT avg(prosecuted) FILTER (WHERE year <= 2021) AS mean_before,
       avg(prosecuted) FILTER (WHERE year >= 2023) AS mean_after,
       round(100.0 * avg(prosecuted) FILTER (WHERE year >= 2023)
             / nullif(avg(prosecuted) FILTER (WHERE year <= 2021), 0) - 100, 1) AS change_percent
FROM yearly;
