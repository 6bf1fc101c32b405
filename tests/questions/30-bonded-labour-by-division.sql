-- question: In which divisions of Punjab and Sindh is bonded labour found, 2021 to 2025? Divisions with at least 20 victims.
-- asks: victims; persons asked about: exploitation = bonded_labour, exploited in Punjab or Sindh, identified 2021-2025
-- source: seed (provinces, top-n with HAVING)
-- expect: answered
with t as (
  select place_exploited, count(*) as victims
  from victims
  where exploitation = 'bonded_labour'
    and place_exploited_province in ('PK-PB', 'PK-SD')
    and year between 2021 and 2025
  group by place_exploited
  having count(*) >= 20
)
select pl.province, pl.en as division, t.victims
from t
join reference.place pl on pl.code = t.place_exploited
where pl.level = 'division'
order by t.victims desc;
