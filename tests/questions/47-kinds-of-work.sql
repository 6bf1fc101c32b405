-- question: Victims by broad kind of work since 2018: kilns, mines and carpets; land and water; households; street and begging; the rest.
-- asks: victims; persons asked about: actual victims identified 2018-2025
-- source: seed (brick kilns, CASE labels, trends)
-- expect: answered
select year,
       case when sector in ('brick_kiln', 'mining', 'carpet') then 'kilns, mines, carpets'
            when sector in ('agriculture', 'fisheries', 'A') then 'land and water'
            when sector in ('domestic_work', 'T') then 'households'
            when sector in ('begging', 'street') then 'street and begging'
            when sector = '_X' then 'unknown'
            else 'other work' end as kind_of_work,
       count(*) as victims
from victims
where status = 'actual' and year between 2018 and 2025
group by 1, 2
order by 1, 3 desc nulls last;
