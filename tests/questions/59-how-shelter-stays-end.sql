-- question: How do stays in shelters end: reasons of exit of women and men, 2016 to 2025, in percent of all with a known reason?
-- asks: services; persons asked about: female or male, referred to a shelter 2016-2025
-- source: seed (shelters); S03
-- expect: answered
with t as (
  select exit_reason, sex, count(distinct person_id) as n
  from services
  where service = 'shelter' and sex in ('F', 'M') and year between 2016 and 2025
  group by exit_reason, sex
), known as (
  select * from t where exit_reason <> '_X' and n is not null
)
select e.en as reason, k.sex, k.n as persons,
       round(k.n * 100.0 / sum(k.n) over (partition by k.sex), 0) as percent
from known k
join reference.exit_reason e on e.code = k.exit_reason
order by k.sex, k.n desc;
