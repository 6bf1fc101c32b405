-- question: In which roles are women arrested: persons arrested 2021 to 2025 by role and sex, and the female share of each role?
-- asks: accused; persons asked about: first arrest 2021-2025
-- source: C03
-- expect: answered
with t as (
  select role, sex, count(*) as arrested
  from accused
  where first_arrest = 'yes' and year between 2021 and 2025 and sex in ('F', 'M')
  group by role, sex
)
select r.en as role,
       max(t.arrested) filter (where t.sex = 'F') as women,
       max(t.arrested) filter (where t.sex = 'M') as men,
       round(100.0 * max(t.arrested) filter (where t.sex = 'F')
             / (max(t.arrested) filter (where t.sex = 'F') + max(t.arrested) filter (where t.sex = 'M')), 0) as percent_women
from t
join reference.role r on r.code = t.role
group by r.en
order by percent_women desc nulls last;
