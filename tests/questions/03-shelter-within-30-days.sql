-- question: Of the victims whose first referral was to a shelter, how many were taken in within 30 days, year by year?
-- asks: services; persons asked about: first referral, service = shelter, referred 2016-2025
-- source: domain.md 8, third question (without "identified by labour inspection", see missing.md); S01
-- expect: answered
select year,
       count(distinct person_id) as referred,
       count(distinct person_id) filter (where started_within_30_days = 'yes') as in_shelter,
       round(100.0 * count(distinct person_id) filter (where started_within_30_days = 'yes')
             / count(distinct person_id), 0) as percent
from services
where service = 'shelter'
  and first_referral = 'yes'
  and year between 2016 and 2025
group by year
order by year;
