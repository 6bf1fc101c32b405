-- question: How many accused persons are there to a victim in the same case, by year?
-- asks: victims, accused; persons asked about: all identified 2021-2025 and the persons arrested in their cases
-- source: seed (victims and accused of a case)
-- expect: refused PRIV-1005
select v.year,
       count(distinct a.person_id) * 1.0 / count(distinct v.person_id) as accused_per_victim
from victims v
join accused a on a.case_id = v.case_id
where v.year between 2021 and 2025
group by v.year
order by v.year;
-- rewrite:
with v as (
  select year, count(*) as victims from victims where year between 2021 and 2025 group by year
), a as (
  select year, count(*) as arrested from accused
  where first_arrest = 'yes' and year between 2021 and 2025 group by year
)
select v.year, v.victims, a.arrested, round(a.arrested * 1.0 / v.victims, 2) as arrested_per_victim
from v join a on a.year = v.year
order by v.year;
