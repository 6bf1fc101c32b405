-- title: Who refers victims
-- title.ur: متاثرین کو کون بھیجتا ہے
-- description: Through whom victims identified since a year were found. It is asked about the records themselves: a key or login is needed, and numbers are protected; small ones are hidden.
-- description.ur: کسی سال سے اب تک شناخت ہونے والے متاثرین کس کے ذریعے سامنے آئے۔ یہ سوال خود ریکارڈ کے بارے میں ہے: کلید یا لاگ اِن درکار ہے، اور اعداد محفوظ کردہ ہیں؛ چھوٹے اعداد پوشیدہ ہیں۔
-- parameter: from_year integer = 2016; The first year of identification
-- schedule: asked
-- audience: public

with t as (
  select referral_source, count(*) as victims
  from victims
  where status = 'actual' and year >= $1
  group by referral_source
)
select t.referral_source, r.en as label, r.ur as label_ur, t.victims
from t
join reference.referral_source r on r.code = t.referral_source
order by t.victims desc nulls last, t.referral_source
