-- question: Victims of anything but sexual exploitation, by year since 2018.
-- asks: victims; persons asked about: identified 2018-2025 with a form of exploitation other than sexual
-- source: seed (forms of exploitation, trends)
-- expect: refused PRIV-1015
select year, count(*) as victims
from victims
where exploitation <> 'sexual' and year between 2018 and 2025
group by year
order by year;
-- rewrite:
select year, count(*) as victims
from victims
where exploitation_form in ('forced_labour_slavery', 'organ_removal', 'other')
  and year between 2018 and 2025
group by year
order by year;
