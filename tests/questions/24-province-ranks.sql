-- question: How did the rank of the provinces by number of victims change from 2020 to 2025?
-- asks: victims; persons asked about: all identified in 2020 or 2025
-- source: seed (rank of provinces)
-- expect: answered
with t as (
  select year, province, count(*) as n
  from victims
  where year in (2020, 2025)
  group by year, province
), ranked as (
  select year, province, n, rank() over (partition by year order by n desc) as place
  from t
  where province <> '_X' and n is not null
)
select p.en as province,
       a.n as victims_2020, a.place as rank_2020,
       b.n as victims_2025, b.place as rank_2025,
       a.place - b.place as climbed
from reference.province p
left join ranked a on a.province = p.code and a.year = 2020
left join ranked b on b.province = p.code and b.year = 2025
where p.code <> '_X'
order by b.place;
