-- question: The justice pipeline by year since 2019: victims identified, cases registered, persons charged, persons convicted, all under the trafficking act from registration on.
-- asks: victims, cases, charges, judgments; persons asked about: actual victims identified 2019-2025; persons first charged and first convicted under PTPA 2019-2025
-- source: domain.md 8, dashboards (justice pipeline)
-- expect: answered
with identified as (
  select year, count(*) as n from victims
  where status = 'actual' and year between 2019 and 2025 group by year
), registered as (
  select year, count(*) as n from cases
  where section in ('PTPA-3-1', 'PTPA-3-2', 'PTPA-4') and year between 2019 and 2025 group by year
), charged as (
  select year, count(distinct person_id) as n from charges
  where section in ('PTPA-3-1', 'PTPA-3-2', 'PTPA-4') and withdrawn = 'no' and first_charge = 'yes'
    and year between 2019 and 2025
  group by year
), convicted as (
  select year, count(distinct person_id) as n from judgments
  where first_conviction = 'yes' and overturned = 'no' and year between 2019 and 2025
  group by year
)
select identified.year,
       identified.n as victims_identified,
       registered.n as cases_registered,
       charged.n as persons_charged,
       convicted.n as persons_convicted,
       round(convicted.n * 100.0 / nullif(charged.n, 0), 0) as convicted_per_100_charged
from identified
left join registered on registered.year = identified.year
left join charged on charged.year = identified.year
left join convicted on convicted.year = identified.year
order by identified.year;
