-- question: Is recruitment by online contact rising against recruitment by family, by fiscal year?
-- asks: victims; persons asked about: all identified in fiscal years 2017-18 to 2024-25
-- source: seed (trends)
-- expect: answered
select fiscal_year,
       count(*) as victims,
       count(*) filter (where recruiter_relation = 'online_contact') as online,
       count(*) filter (where recruiter_relation = 'family') as by_family,
       round(count(*) filter (where recruiter_relation = 'online_contact') * 100.0 / count(*), 1) as percent_online
from victims
where fiscal_year between '2017-18' and '2024-25'
group by fiscal_year
order by fiscal_year;
