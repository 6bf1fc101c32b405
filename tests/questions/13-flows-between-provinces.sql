-- question: Which are the ten largest flows of domestic trafficking from the province of recruitment to another province of exploitation, 2021 to 2025?
-- asks: victims; persons asked about: scope = domestic, identified 2021-2025
-- source: V09
-- expect: answered
with flows as (
  select place_recruited_province as origin, place_exploited_province as destination, count(*) as victims
  from victims
  where scope = 'domestic' and year between 2021 and 2025
  group by 1, 2
)
select o.en as recruited_in, d.en as exploited_in, f.victims
from flows f
join reference.province o on o.code = f.origin
join reference.province d on d.code = f.destination
where f.origin <> f.destination
  and f.origin <> '_X'
  and f.destination <> '_X'
  and f.victims is not null
order by f.victims desc
limit 10;
