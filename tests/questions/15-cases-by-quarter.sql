-- question: Cases registered under the trafficking act in 2024 and 2025 by quarter and province, those of the Federal Investigation Agency beside those of the police.
-- asks: cases; persons asked about: none (cases with any PTPA section registered 2024-Q1 to 2025-Q4)
-- source: C01
-- expect: answered
SELECT quarter, province,
       count(*) FILTER (WHERE agency_group = 'FIA') AS fia,
       count(*) FILTER (WHERE agency_group = 'POL') AS police,
       count(*) AS all_cases
FROM cases
WHERE section IN ('PTPA-3-1', 'PTPA-3-2', 'PTPA-4')
  AND quarter BETWEEN '2024-Q1' AND '2025-Q4'
GROUP BY quarter, province
ORDER BY quarter, province;
