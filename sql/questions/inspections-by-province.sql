-- title: Labour inspections by province, and how many find child or bonded labour
-- title.ur: صوبے کے لحاظ سے لیبر معائنے، اور کتنوں میں بچوں یا جبری مشقت کا پتا چلا
-- description: Inspections conducted in a year, those that found child or bonded labour, and their share, per cent.
-- description.ur: ایک سال میں کیے گئے معائنے، جن میں بچوں کی یا جبری مشقت پائی گئی، اور ان کا فیصد۔
-- parameter: year integer = 2025; The year of inspection
-- schedule: edition
-- audience: public

with conducted as (
  select province, sum(value) as n from published.l01
  where sector = '_T' and length(time_period) = 7 and try_cast(substr(time_period, 1, 4) as int) = $1 group by province
), finding as (
  select province, sum(value) as n from published.l02
  where measure = 'inspections_finding' and length(time_period) = 7 and try_cast(substr(time_period, 1, 4) as int) = $1 group by province
)
select c.province, p.en as province_label, p.ur as province_label_ur, c.n as inspections, f.n as finding,
       round(100.0 * f.n / nullif(c.n, 0), 1) as percent
from conducted c
join reference.province p on p.code = c.province
left join finding f on f.province = c.province
order by c.n desc, c.province
