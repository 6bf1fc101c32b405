-- question: The three sectors with most victims in each province, 2021 to 2025.
-- asks: victims; persons asked about: all identified 2021-2025
-- source: seed (provinces, top-n)
-- expect: answered
with t as (
  select province, sector, count(*) as n
  from victims
  where year between 2021 and 2025
  group by province, sector
), ranked as (
  select province, sector, n, row_number() over (partition by province order by n desc, sector) as place
  from t
  where sector <> '_X' and province <> '_X' and n is not null
)
select p.en as province, r.place, s.en as sector, r.n as victims
from ranked r
join reference.province p on p.code = r.province
join reference.sector s on s.code = r.sector
where r.place <= 3
order by p.en, r.place;
