-- title: Victims identified in a year, with intervals
-- title.ur: ایک سال میں شناخت ہونے والے متاثرین، وقفوں کے ساتھ
-- description: Persons identified as victims, actual ones, in the whole country: the total, women and girls, men and boys. An empty value is hidden: few people, or nobody.
-- description.ur: پورے ملک میں شناخت ہونے والے حقیقی متاثرین: کل، خواتین اور لڑکیاں، مرد اور لڑکے۔ خالی خانہ پوشیدہ ہے: کم لوگ، یا کوئی نہیں۔
-- parameter: from_year integer = 2016; The first year
-- parameter: age_group text of age_group = _T; Children, adults, or all (_T)
-- schedule: edition
-- audience: public

select cast(time_period as int) as year,
       max(value) filter (where sex = '_T') as victims,
       max(lo95) filter (where sex = '_T') as victims_lo95,
       max(hi95) filter (where sex = '_T') as victims_hi95,
       max(value) filter (where sex = 'F') as women_and_girls,
       max(value) filter (where sex = 'M') as men_and_boys
from published.v01
where province = '_T' and age_group = $2 and length(time_period) = 4 and cast(substr(time_period, 1, 4) as int) >= $1
group by time_period
order by year
