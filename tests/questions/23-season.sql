-- question: In which calendar months are most victims identified, over ten years?
-- asks: victims; persons asked about: all identified 2016-2025
-- source: seed (trends)
-- expect: refused PRIV-1007
select extract(month from month) as calendar_month, count(*) as victims
from victims
where year between 2016 and 2025
group by extract(month from month)
order by 2 desc;
-- rewrite:
with t as (
  select month, count(*) as victims
  from victims
  where year between 2016 and 2025
  group by month
)
select extract(month from month) as calendar_month,
       sum(victims) as victims
from t
where month is not null
group by extract(month from month)
order by 2 desc;
