-- question: Fines and compensation ordered by the courts each year since 2016: totals, and the mean for each person convicted.
-- asks: judgments; persons asked about: convicted 2016-2025
-- source: seed (fines, compensation); C10
-- expect: answered
with t as (
  select year,
         count(distinct person_id) as convicted,
         sum(fine_pkr) as fines,
         sum(compensation_pkr) as compensation
  from judgments
  where verdict in ('convicted', 'convicted_lesser') and year between 2016 and 2025
  group by year
)
select year, convicted,
       round(fines / 1000000.0, 1) as fines_million_pkr,
       round(compensation / 1000000.0, 1) as compensation_million_pkr,
       round(compensation * 1.0 / convicted, 0) as compensation_per_convicted,
       sum(compensation) over (order by year) as compensation_since_2016
from t
order by year;
