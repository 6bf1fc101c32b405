-- title: From which province to which victims of domestic trafficking were moved
-- title.ur: اندرونِ ملک سمگلنگ کے متاثرین کس صوبے سے کس صوبے لے جائے گئے
-- description: Where victims were recruited and where they were exploited. It is asked about the records themselves: a key or login is needed, and numbers are protected; small flows are hidden.
-- description.ur: متاثرین کہاں سے بھرتی کیے گئے اور کہاں ان کا استحصال ہوا۔ یہ سوال خود ریکارڈ کے بارے میں ہے: کلید یا لاگ اِن درکار ہے، اور اعداد محفوظ کردہ ہیں؛ چھوٹے بہاؤ پوشیدہ ہیں۔
-- parameter: from_year integer = 2016; The first year of identification
-- schedule: asked
-- audience: public

with flows as (
  select place_recruited_province as origin, place_exploited_province as destination, count(*) as victims
  from victims
  where scope = 'domestic' and year >= $1
  group by place_recruited_province, place_exploited_province
)
select f.origin, o.en as origin_label, f.destination, d.en as destination_label, f.victims
from flows f
join reference.province o on o.code = f.origin
join reference.province d on d.code = f.destination
where f.origin <> f.destination and f.origin <> '_X' and f.destination <> '_X' and f.victims is not null
order by f.victims desc, f.origin, f.destination
