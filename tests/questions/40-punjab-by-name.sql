-- question: Victims identified in Punjab by quarter of 2025, women and men.
-- asks: victims; persons asked about: identified in Punjab in 2025
-- source: seed (provinces, quarters)
-- expect: refused PRIV-1004
select quarter, sex, count(*) as victims
from victims
where province = 'Punjab' and year = 2025
group by quarter, sex
order by quarter, sex;
-- rewrite:
select quarter, sex, count(*) as victims
from victims
where province = 'PK-PB' and year = 2025
group by quarter, sex
order by quarter, sex;
