-- question: What share of the victims of 2021 to 2025 was held by each means of control? A victim counts under each of hers.
-- asks: victims; persons asked about: actual victims identified 2021-2025
-- source: V05
-- expect: answered
select means,
       count(*) as victims,
       round(count(*) * 100.0
             / (select count(*) from victims where status = 'actual' and year between 2021 and 2025), 0) as percent
from victims
where status = 'actual' and year between 2021 and 2025
group by means
having means not in ('other', '_X')
order by victims desc nulls last;
