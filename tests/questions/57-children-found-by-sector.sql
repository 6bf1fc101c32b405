-- question: Where do inspections find working children: children found per 100 inspections by sector, 2023 to 2025?
-- asks: inspections; persons asked about: none (inspections of kind child conducted 2023-2025)
-- source: seed (inspections that find, brick kilns)
-- expect: answered
select sector,
       count(*) as inspections,
       sum(children) as children_found,
       round(100.0 * sum(children) / count(*), 0) as per_100_inspections,
       round(100.0 * sum(children) / nullif(sum(workers), 0), 1) as percent_of_workers
from inspections
where kind = 'child' and year between 2023 and 2025
group by sector
having count(*) >= 50
order by per_100_inspections desc nulls last;
