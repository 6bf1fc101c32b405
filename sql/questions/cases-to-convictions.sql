-- title: From cases to convictions under the trafficking act
-- title.ur: انسدادِ سمگلنگ ایکٹ کے تحت مقدمات سے سزاؤں تک
-- description: Cases registered, persons prosecuted and persons convicted in the same year, in the whole country. The persons convicted in a year are not those of its cases: a case takes years.
-- description.ur: پورے ملک میں ایک ہی سال میں درج مقدمات، جن پر مقدمہ چلا اور جنہیں سزا ہوئی۔ کسی سال سزا پانے والے اسی سال کے مقدمات کے نہیں: ایک مقدمہ برسوں لیتا ہے۔
-- parameter: from_year integer = 2018; The first year
-- schedule: edition
-- audience: public

with cases as (
  select cast(substr(time_period, 1, 4) as int) as year, sum(value) as n
  from published.c01 where province = '_T' and agency_group = '_T' and length(time_period) = 7 group by 1
), prosecuted as (
  select cast(time_period as int) as year, value as n
  from published.c04 where province = '_T' and length(time_period) = 4
), convicted as (
  select cast(time_period as int) as year, value as n
  from published.c05 where sex = '_T' and citizenship = '_T' and section = '_T' and length(time_period) = 4
)
select cases.year, cases.n as cases_registered, prosecuted.n as persons_prosecuted, convicted.n as persons_convicted
from cases
left join prosecuted on prosecuted.year = cases.year
left join convicted on convicted.year = cases.year
where cases.year >= $1
order by cases.year
