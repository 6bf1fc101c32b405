-- question: The age groups of victims in the provinces with more than 500 victims in 2025.
-- asks: victims; persons asked about: all identified in 2025 in the provinces with more than 500
-- source: seed (provinces)
-- expect: refused PRIV-1006
select province, age_group, count(*) as victims
from victims
where year = 2025
  and province in (select province from victims where year = 2025 group by province having count(*) > 500)
group by province, age_group
order by province, age_group;
-- rewrite:
with t as (
  select province, age_group, count(*) as victims
  from victims
  where year = 2025
  group by province, age_group
)
select t.province, t.age_group, t.victims
from t
where t.province in (select province from victims where year = 2025 group by province having count(*) > 500)
order by t.province, t.age_group;
