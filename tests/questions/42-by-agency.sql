-- question: Which agencies identify most victims?
-- asks: victims; persons asked about: all identified 2023-2025
-- source: seed (agencies)
-- expect: refused PRIV-1002
select agency, count(*) as victims
from victims
where year between 2023 and 2025
group by agency
order by victims desc
limit 10;
-- rewrite:
select referral_source, count(*) as victims, count(distinct agency) as agencies
from victims
where year between 2023 and 2025
group by referral_source
order by victims desc nulls last
limit 10;
