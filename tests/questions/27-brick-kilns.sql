-- question: Victims found in brick kilns since 2016: Punjab, Sindh and the rest of the country side by side.
-- asks: victims; persons asked about: sector = brick_kiln, identified 2016-2025
-- source: seed (brick kilns, provinces)
-- expect: answered
select year,
       count(*) as all_provinces,
       sum(case when province = 'PK-PB' then 1 else 0 end) as punjab,
       sum(case when province = 'PK-SD' then 1 else 0 end) as sindh,
       count(*) - sum(case when province = 'PK-PB' then 1 else 0 end)
                - sum(case when province = 'PK-SD' then 1 else 0 end) as elsewhere
from victims
where sector = 'brick_kiln' and year between 2016 and 2025
group by year
order by year;
