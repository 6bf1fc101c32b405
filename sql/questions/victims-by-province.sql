-- title: Victims identified by province, and per 100,000 residents
-- title.ur: صوبے کے لحاظ سے شناخت ہونے والے متاثرین، اور فی ایک لاکھ آبادی
-- description: Where victims were identified in a year, and how many for each 100,000 residents. Provinces where numbers are hidden are listed without one.
-- description.ur: ایک سال میں متاثرین کہاں شناخت ہوئے، اور فی ایک لاکھ آبادی کتنے۔ جن صوبوں کے اعداد پوشیدہ ہیں وہ بغیر عدد کے درج ہیں۔
-- parameter: year text = 2025; The year of identification
-- schedule: edition
-- audience: public

select v.province, p.en as province_label, p.ur as province_label_ur,
       v.value as victims, v.lo95, v.hi95, r.value as victims_per_100000, v.obs_status
from published.v01 v
join reference.province p on p.code = v.province
left join published.v02 r on r.province = v.province and r.time_period = v.time_period
where v.time_period = $1 and v.sex = '_T' and v.age_group = '_T'
order by v.value desc nulls last, v.province
