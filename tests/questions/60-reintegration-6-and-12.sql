-- question: What became of returned victims who were assisted: outcomes after six months beside those after twelve, returns of 2016 to 2024?
-- asks: returns; persons asked about: first return, assisted, returned 2016-2024
-- source: seed (returned victims); R01
-- expect: answered
with six as (
  select outcome_6 as outcome, count(distinct person_id) as n
  from returns
  where first_return = 'yes' and assisted = 'yes' and year between 2016 and 2024
  group by outcome_6
), twelve as (
  select outcome_12 as outcome, count(distinct person_id) as n
  from returns
  where first_return = 'yes' and assisted = 'yes' and year between 2016 and 2024
  group by outcome_12
), everybody as (
  select count(distinct person_id) as n
  from returns
  where first_return = 'yes' and assisted = 'yes' and year between 2016 and 2024
)
select o.en as outcome,
       six.n as after_6_months, round(100.0 * six.n / everybody.n, 0) as percent_6,
       twelve.n as after_12_months, round(100.0 * twelve.n / everybody.n, 0) as percent_12
from reference.reintegration_outcome o
left join six on six.outcome = o.code
left join twelve on twelve.outcome = o.code
cross join everybody
order by after_6_months desc nulls last;
