-- question: Which foreign citizens are most often identified as victims, 2016 to 2025? Only citizenships with 20 or more.
-- asks: victims; persons asked about: all identified 2016-2025 (foreign citizens picked from the answer)
-- source: seed (citizenship, top-n with HAVING); V08
-- expect: answered
with t as (
  select citizenship, count(*) as victims
  from victims
  where year between 2016 and 2025
  group by citizenship
  having count(*) >= 20
)
select c.en as citizenship, t.victims,
       round(100.0 * t.victims / (select count(*) from victims where year between 2016 and 2025), 1) as percent_of_all
from t
join reference.citizenship c on c.code = t.citizenship
where t.citizenship not in ('PK', '_X')
order by t.victims desc
limit 10;
