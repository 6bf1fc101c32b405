-- question: From which ten countries do most victims return, and what share of them was forced to, 2016 to 2025?
-- asks: returns; persons asked about: first return 2016-2025
-- source: seed (returned victims); R01
-- expect: answered
with t as (
  select from_country,
         count(distinct person_id) as returned,
         count(distinct person_id) filter (where kind = 'forced') as forced,
         count(distinct person_id) filter (where assisted = 'yes') as assisted
  from returns
  where first_return = 'yes' and year between 2016 and 2025
  group by from_country
  having count(distinct person_id) >= 20
)
select c.en as country, r.en as region, t.returned,
       round(100.0 * t.forced / t.returned, 0) as percent_forced,
       round(100.0 * t.assisted / t.returned, 0) as percent_assisted
from t
join reference.citizenship c on c.code = t.from_country
join reference.citizenship_region r on r.code = c.citizenship_region
order by t.returned desc
limit 10;
