-- question: What is the trend of the child share of victims over fifteen years, with its bounds for unknown age and its interval?
-- asks: published.v04 (no protected data); persons asked about: none directly, the published shares
-- source: domain.md 8, fifth question; V04
-- expect: answered
SELECT s.time_period AS year,
       s.value AS child_share,
       s.lo95,
       s.hi95,
       l.value AS if_unknown_were_adults,
       u.value AS if_unknown_were_children,
       s.value - lag(s.value, 5) OVER (ORDER BY s.time_period) AS change_in_five_years
FROM published.v04 s
LEFT JOIN published.v04 l ON l.time_period = s.time_period AND l.measure = 'child_share_lower_bound'
LEFT JOIN published.v04 u ON u.time_period = s.time_period AND u.measure = 'child_share_upper_bound'
WHERE s.measure = 'child_share'
ORDER BY s.time_period;
