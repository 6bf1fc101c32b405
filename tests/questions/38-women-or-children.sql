-- question: How many victims each year were women or children, the persons protected by section 3(2) of the act?
-- asks: victims; persons asked about: female or under 18, identified 2018-2025
-- source: seed (children, section 3(2))
-- expect: refused PRIV-1003
select year, count(*) as women_or_children
from victims
where (sex = 'F' or age_group = 'child')
  and year between 2018 and 2025
group by year
order by year;
-- rewrite:
with t as (
  select year,
         case when sex = 'F' then 'yes' else 'no' end as female,
         case when age_group = 'child' then 'yes' else 'no' end as child,
         count(*) as n
  from victims
  where year between 2018 and 2025
  group by 1, 2, 3
)
select year, sum(n) as women_or_children
from t
where female = 'yes' or child = 'yes'
group by year
order by year;
