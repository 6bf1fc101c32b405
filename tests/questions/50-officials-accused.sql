-- question: How many officials were arrested as accused of trafficking, by fiscal year, and what share of all arrests is that?
-- asks: accused; persons asked about: first arrest in fiscal years 2016-17 to 2024-25
-- source: seed (officials, fiscal years); C09
-- expect: answered
select fiscal_year,
       count(*) as arrested,
       count(*) filter (where official = 'yes') as officials,
       count(*) filter (where official = 'yes') * 100.0 / count(*) as percent
from accused
where first_arrest = 'yes'
  and fiscal_year >= '2016-17' and fiscal_year <= '2024-25'
group by fiscal_year
order by fiscal_year;
