-- question: Who brings victims to notice: the share of each referral source by year since 2018?
-- asks: victims; persons asked about: actual victims identified 2018-2025
-- source: V11
-- expect: answered
with t as (
  select year, referral_source, count(*) as n, grouping(referral_source) as total
  from victims
  where status = 'actual' and year between 2018 and 2025
  group by grouping sets ((year, referral_source), (year))
)
select a.year, r.en as source, a.n as victims, round(a.n * 100.0 / b.n, 0) as percent
from t a
join t b on b.year = a.year
join reference.referral_source r on r.code = a.referral_source
where a.total = 0 and b.total = 1
order by a.year, victims desc nulls last;
