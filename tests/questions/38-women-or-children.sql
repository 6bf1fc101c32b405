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
  select year, sex, age_group, count(*) as n
  from victims
  where sex in ('F', 'M') and age_group in ('child', 'adult') and year between 2018 and 2025
  group by year, sex, age_group
)
select year, sum(n) as women_or_children
from t
where sex = 'F' or age_group = 'child'
group by year
order by year;
