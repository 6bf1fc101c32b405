-- question: Children in forced begging, boys and girls, in three periods of five years.
-- asks: victims; persons asked about: child, exploitation = forced_begging, identified 2011-2025
-- source: seed (children)
-- expect: answered
select case when year in (2011, 2012, 2013, 2014, 2015) then '2011-2015'
            when year in (2016, 2017, 2018, 2019, 2020) then '2016-2020'
            else '2021-2025' end as period,
       sex,
       count(*) as children
from victims
where age_group = 'child'
  and exploitation = 'forced_begging'
  and year between 2011 and 2025
group by 1, 2
order by 1, 2;
