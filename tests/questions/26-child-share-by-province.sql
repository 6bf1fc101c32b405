-- question: In which provinces is the share of children among victims of known age above that of the country, 2023 to 2025?
-- asks: victims; persons asked about: actual victims identified 2023-2025 whose age is known
-- source: seed (children, provinces)
-- expect: answered
with by_province as (
  select province,
         count(*) filter (where age_group = 'child') as children,
         count(*) as victims
  from victims
  where status = 'actual' and age_group in ('child', 'adult') and year between 2023 and 2025
  group by province
  having count(*) >= 100
), country as (
  select count(*) filter (where age_group = 'child') * 100.0 / count(*) as share
  from victims
  where status = 'actual' and age_group in ('child', 'adult') and year between 2023 and 2025
)
select b.province, b.children, b.victims,
       round(b.children * 100.0 / b.victims, 0) as percent,
       round(c.share, 0) as percent_country
from by_province b cross join country c
where b.children * 100.0 / b.victims > c.share
order by percent desc;
