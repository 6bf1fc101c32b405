-- question: How many victims assisted after their first return were trafficked again within twelve months, by kind of return and in all?
-- asks: returns; persons asked about: first return, assisted, returned 2014-2024
-- source: domain.md 8, seventh question (identified again as an outcome, see missing.md); R01
-- expect: answered
select case when grouping(kind) = 1 then 'all' else kind end as kind_of_return,
       count(distinct person_id) as assisted,
       count(distinct person_id) filter (where outcome_12 = 'trafficked_again') as trafficked_again,
       count(distinct person_id) filter (where outcome_12 = 'reintegrated') as reintegrated,
       count(distinct person_id) filter (where outcome_12 = 'lost_contact') as lost_contact
from returns
where first_return = 'yes'
  and assisted = 'yes'
  and year between 2014 and 2024
group by rollup (kind);
