-- question: In which branches of the economy (ISIC sections) are children over-represented against adults, 2021 to 2025?
-- asks: victims; persons asked about: child or adult, identified 2021-2025
-- source: seed (children)
-- expect: answered
with t as (
  select isic, age_group, count(*) as n
  from victims
  where age_group in ('child', 'adult') and year between 2021 and 2025
  group by isic, age_group
), totals as (
  select age_group, count(*) as n
  from victims
  where age_group in ('child', 'adult') and year between 2021 and 2025
  group by age_group
), shares as (
  select t.isic, t.age_group, t.n * 100.0 / totals.n as percent
  from t join totals on totals.age_group = t.age_group
)
select i.en as branch,
       round(c.percent, 1) as percent_of_children,
       round(a.percent, 1) as percent_of_adults,
       round(c.percent / nullif(a.percent, 0), 2) as ratio
from shares c
join shares a on a.isic = c.isic and a.age_group = 'adult'
join reference.isic i on i.code = c.isic
where c.age_group = 'child' and c.percent is not null and a.percent is not null
order by ratio desc;
