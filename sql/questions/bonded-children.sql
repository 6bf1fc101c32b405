-- title: Children found in bonded labour, by year
-- title.ur: جبری مشقت میں پائے گئے بچے، سال کے لحاظ سے
-- description: Children identified as victims of bonded labour since a year. It is asked about the records themselves: a key or login is needed, and numbers are protected.
-- description.ur: کسی سال سے اب تک جبری مشقت کے متاثر شناخت ہونے والے بچے۔ یہ سوال خود ریکارڈ کے بارے میں ہے: کلید یا لاگ اِن درکار ہے، اور اعداد محفوظ کردہ ہیں۔
-- parameter: from_year integer = 2021; The first year of identification
-- schedule: asked
-- audience: public

select year, count(*) as children
from victims
where status = 'actual' and age_group = 'child' and exploitation = 'bonded_labour' and year >= $1
group by year
order by year
