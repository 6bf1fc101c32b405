-- question: How many inspections for child or bonded labour find it, by province and year since 2021?
-- asks: inspections; persons asked about: none (inspections of kind child or bonded conducted 2021-2025)
-- source: L01, L02
-- expect: answered
select year, province,
       count(*) as inspections,
       count(*) filter (where outcome in ('child_labour_found', 'bonded_labour_found')) as found,
       round(100.0 * count(*) filter (where outcome in ('child_labour_found', 'bonded_labour_found'))
             / nullif(count(*), 0), 1) as percent
from inspections
where kind in ('child', 'bonded')
  and year between 2021 and 2025
group by year, province
order by province, year;
