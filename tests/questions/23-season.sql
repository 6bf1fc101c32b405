-- question: In which calendar months are most victims identified, over ten years?
-- asks: victims; persons asked about: all identified 2016-2025
-- source: seed (trends)
-- expect: answered
select extract(month from month) as calendar_month, count(*) as victims
from victims
where year between 2016 and 2025
group by extract(month from month)
order by 2 desc;
