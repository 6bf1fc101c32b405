-- question: Are women who stand trial convicted less often than men, 2018 to 2025?
-- asks: judgments; persons asked about: female or male, judged 2018-2025
-- source: seed (conviction rate)
-- expect: answered
with t as (
  select sex, verdict, count(distinct person_id) as n, grouping(verdict) as total
  from judgments
  where sex in ('F', 'M') and year between 2018 and 2025
  group by grouping sets ((sex, verdict), (sex))
)
select v.en as verdict,
       f.n as women, round(100.0 * f.n / tf.n, 0) as percent_of_women,
       m.n as men, round(100.0 * m.n / tm.n, 0) as percent_of_men
from reference.verdict v
left join t f on f.verdict = v.code and f.sex = 'F' and f.total = 0
left join t m on m.verdict = v.code and m.sex = 'M' and m.total = 0
cross join (select n from t where sex = 'F' and total = 1) tf
cross join (select n from t where sex = 'M' and total = 1) tm
order by men desc nulls last;
