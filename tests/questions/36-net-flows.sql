-- question: Which provinces send more victims of domestic trafficking to other provinces than they receive, 2021 to 2025?
-- asks: victims; persons asked about: scope = domestic, identified 2021-2025
-- source: seed (flows between provinces)
-- expect: answered
with flows as (
  select place_recruited_province as origin, place_exploited_province as destination, count(*) as n
  from victims
  where scope = 'domestic' and year between 2021 and 2025
  group by place_recruited_province, place_exploited_province
), sent as (
  select origin as province, sum_visible(n) as n from flows
  where origin <> destination and destination <> '_X' group by origin
), received as (
  select destination as province, sum_visible(n) as n from flows
  where origin <> destination and origin <> '_X' group by destination
)
select p.en as province, s.n as sent, r.n as received, s.n - r.n as net
from reference.province p
left join sent s on s.province = p.code
left join received r on r.province = p.code
where p.code <> '_X'
order by net desc nulls last;
