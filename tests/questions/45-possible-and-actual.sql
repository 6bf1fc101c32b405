-- question: How many possible victims remain undetermined, and what share of those decided was found not to be a victim, by year?
-- asks: victims; persons asked about: all identified 2016-2025
-- source: seed (status); V10 in part
-- expect: answered
with t as (
  select year,
         count(*) filter (where status = 'possible') as possible,
         count(*) filter (where status = 'actual') as actual,
         count(*) filter (where status = 'not_victim') as not_victim
  from victims
  where year between 2016 and 2025
  group by year
)
select year, possible, actual, not_victim,
       round(100.0 * possible / (possible + actual + not_victim), 1) as percent_undetermined,
       round(100.0 * not_victim / (actual + not_victim), 1) as percent_rejected
from t
order by year;
