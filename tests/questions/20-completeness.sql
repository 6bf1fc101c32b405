-- question: How complete are the core fields of the victims' records, in percent known, by year?
-- asks: victims; persons asked about: all identified 2016-2025
-- source: Q02 (by year; agency group is not a column, see missing.md)
-- expect: answered
SELECT year,
       count(*) AS victims,
       round(100 - 100.0 * count(*) FILTER (WHERE age_group = '_X') / count(*), 0) AS age,
       round(100 - 100.0 * count(*) FILTER (WHERE citizenship = '_X') / count(*), 0) AS citizenship,
       round(100 - 100.0 * count(*) FILTER (WHERE sector = '_X') / count(*), 0) AS sector,
       round(100 - 100.0 * count(*) FILTER (WHERE recruiter_relation = '_X') / count(*), 0) AS recruiter_relation,
       round(100 - 100.0 * count(*) FILTER (WHERE place_recruited_province = '_X') / count(*), 0) AS place_recruited
FROM victims
WHERE year BETWEEN 2016 AND 2025
GROUP BY year
ORDER BY year;
