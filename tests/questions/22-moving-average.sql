-- question: The quarterly series of victims identified since 2018, smoothed over four quarters.
-- asks: victims; persons asked about: all identified 2018-Q1 to 2025-Q4
-- source: seed (trends, quarters)
-- expect: answered
with q as (
  select quarter, count(*) as victims
  from victims
  where quarter between '2018-Q1' and '2025-Q4'
  group by quarter
)
select quarter, victims,
       round(avg(victims) over (order by quarter rows between 3 preceding and current row), 0) as four_quarters
from q
where quarter <> '_X'
order by quarter;
