-- title: Children identified as victims, by province
-- title.ur: متاثرین کے طور پر شناخت ہونے والے بچے، صوبے کے لحاظ سے
-- description: Children identified as victims since a year. It is asked about the records themselves: a key or login is needed, and numbers are protected; small ones are hidden.
-- description.ur: کسی سال سے اب تک متاثرین کے طور پر شناخت ہونے والے بچے۔ یہ سوال خود ریکارڈ کے بارے میں ہے: کلید یا لاگ اِن درکار ہے، اور اعداد محفوظ کردہ ہیں؛ چھوٹے اعداد پوشیدہ ہیں۔
-- parameter: from_year integer = 2016; The first year of identification
-- schedule: asked
-- audience: public

with t as (
  select province, count(*) as children
  from victims
  where status = 'actual' and age_group = 'child' and year >= $1
  group by province
)
select t.province, p.en as province_label, p.ur as province_label_ur, t.children
from t
join reference.province p on p.code = t.province
order by t.children desc nulls last, t.province
