-- question: Victims identified by fiscal year for ten years, with the change against the year before in percent.
-- asks: victims; persons asked about: actual victims identified in fiscal years 2015-16 to 2024-25
-- source: seed (fiscal years, year-on-year change)
-- expect: answered
with t as (
  select fiscal_year, count(*) as victims
  from victims
  where status = 'actual' and fiscal_year >= '2015-16' and fiscal_year <= '2024-25'
  group by fiscal_year
)
select fiscal_year, victims,
       victims - lag(victims) over w as change,
       round(100.0 * (victims - lag(victims) over w) / lag(victims) over w, 1) as percent
from t
window w as (order by fiscal_year)
order by fiscal_year;
