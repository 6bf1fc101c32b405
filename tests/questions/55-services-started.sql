-- question: For which services do victims wait longest: persons referred to each service 2021 to 2025 and the share served within 30 days?
-- asks: services; persons asked about: referred 2021-2025
-- source: seed (referral within 30 days); S01, S02
-- expect: answered
with t as (
  select service, started_within_30_days, count(distinct person_id) as n
  from services
  where started_within_30_days in ('yes', 'no') and year between 2021 and 2025
  group by service, started_within_30_days
)
select s.en as service,
       y.n + n.n as referred,
       y.n as served_in_time,
       round(100.0 * y.n / (y.n + n.n), 0) as percent,
       dense_rank() over (order by 1.0 * y.n / (y.n + n.n)) as slowest
from t y
join t n on n.service = y.service and n.started_within_30_days = 'no'
join reference.service s on s.code = y.service
where y.started_within_30_days = 'yes' and y.n is not null and n.n is not null
order by slowest;
