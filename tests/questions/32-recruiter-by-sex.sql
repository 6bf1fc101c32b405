-- question: Who recruits women and who recruits men: the share of each relation to the recruiter within each sex, 2021 to 2025?
-- asks: victims; persons asked about: female or male, identified 2021-2025
-- source: seed (recruiters); V06
-- expect: answered
with t as (
  select sex, recruiter_relation, count(*) as n
  from victims
  where sex in ('F', 'M') and year between 2021 and 2025
  group by sex, recruiter_relation
)
select sex, recruiter_relation, n as victims,
       round(n * 100.0 / sum(n) over (partition by sex), 1) as percent
from t
order by sex, n desc nulls last;
