-- question: Victims identified in Punjab by quarter of 2025, women and men.
-- asks: victims; persons asked about: identified in Punjab in 2025
-- source: seed (provinces, quarters)
-- expect: answered
select quarter, sex, count(*) as victims
from victims
where province = 'Punjab' and year = 2025
group by quarter, sex
order by quarter, sex;
