-- question: Victims of 2025 by division, age band and sex.
-- asks: victims; persons asked about: all identified in 2025
-- source: seed (crossings)
-- expect: refused PRIV-1009
select place_identified, age_band, sex, count(*) as victims
from victims
where year = 2025
group by place_identified, age_band, sex
order by 1, 2, 3;
-- rewrite:
select province, age_group, sex, count(*) as victims
from victims
where year = 2025
group by province, age_group, sex
order by 1, 2, 3;
