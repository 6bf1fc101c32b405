-- question: How many victims were identified each year since 2016, by sex and child or adult, with the interval of each number?
-- asks: victims; persons asked about: actual victims identified 2016-2025
-- source: V01
-- expect: answered
with t as (
  select year, sex, age_group, count(*) as victims
  from victims
  where status = 'actual' and year between 2016 and 2025
  group by year, sex, age_group
)
select t.year, s.en as sex_label, a.en as age_label,
       t.victims,
       priv_lo(t.victims) as lo95,
       priv_hi(t.victims) as hi95,
       priv_flag(t.victims) as status
from t
join reference.sex s on s.code = t.sex
join reference.age_group a on a.code = t.age_group
order by t.year, t.sex, t.age_group;
