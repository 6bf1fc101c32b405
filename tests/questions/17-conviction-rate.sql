-- question: The conviction rate of each year under the trafficking act: persons convicted among persons judged in the year, and the change in points.
-- asks: judgments; persons asked about: judged under any PTPA section 2019-2025
-- source: C06 (period ratio)
-- expect: answered
with t as (
  select year,
         count(distinct person_id) as judged,
         count(distinct person_id) filter (where verdict in ('convicted', 'convicted_lesser')) as convicted,
         count(distinct person_id) filter (where verdict = 'acquitted') as acquitted
  from judgments
  where section in ('PTPA-3-1', 'PTPA-3-2', 'PTPA-4')
    and year between 2019 and 2025
  group by year
), rates as (
  select year, judged, convicted, acquitted, 100.0 * convicted / judged as rate from t
)
select year, judged, convicted, acquitted,
       round(rate, 0) as percent_convicted,
       round(rate - lag(rate) over (order by year), 0) as change_in_points
from rates
order by year;
