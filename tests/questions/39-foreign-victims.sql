-- question: Victims who are not citizens of Pakistan, by year since 2018: women and men.
-- asks: victims; persons asked about: identified 2018-2025, any citizenship but PK
-- source: seed (citizenship, trends); V08
-- expect: answered
select year, sex, count(*) as victims
from victims
where citizenship <> 'PK' and sex in ('F', 'M') and year between 2018 and 2025
group by year, sex
order by year, sex;
