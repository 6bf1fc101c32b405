-- question: Persons prosecuted under the trafficking act per million inhabitants by province, all years since the act together, and each as a multiple of the country.
-- asks: charges, reference.population; persons asked about: first charged under any PTPA section 2018-2025, charge not withdrawn
-- source: seed (comparison with population); C04
-- expect: answered
with prosecuted as (
  select province, count(distinct person_id) as persons
  from charges
  where section in ('PTPA-3-1', 'PTPA-3-2', 'PTPA-4') and withdrawn = 'no' and first_charge = 'yes'
    and year between 2018 and 2025
  group by province
), people as (
  select province, population
  from reference.population
  where year = 2023 and sex = '_T' and age_group = '_T'
), rates as (
  select c.province, c.persons, p.population, c.persons * 1e6 / p.population as per_million
  from prosecuted c
  join people p on p.province = c.province
)
select r.province, r.persons, round(r.per_million, 2) as per_million,
       round(r.per_million / (sum(r.persons) over () * 1e6 / sum(r.population) over ()), 2) as multiple_of_the_five
from rates r
order by per_million desc nulls last;
