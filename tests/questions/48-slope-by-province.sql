-- question: Where does the number of victims grow fastest: the yearly slope by province over ten years, against the mean?
-- asks: victims; persons asked about: all identified 2016-2025
-- source: seed (trends, provinces)
-- expect: answered
with t as (
  select year, province, count(*) as n
  from victims
  where year between 2016 and 2025
  group by year, province
)
select province,
       round(avg(n), 0) as mean_per_year,
       round(regr_slope(n, year), 1) as more_each_year,
       round(100 * regr_slope(n, year) / avg(n), 1) as percent_of_mean,
       min(n) as lowest, max(n) as highest
from t
where province <> '_X'
group by province
order by percent_of_mean desc nulls last;
