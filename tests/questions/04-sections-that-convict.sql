-- question: Which sections of law convict: persons judged and convicted under each section since 2020, and the share convicted?
-- asks: judgments; persons asked about: judged 2020-2025, judgment not overturned
-- source: domain.md 8, fourth question; C05
-- expect: answered
with by_section as (
  select section,
         count(distinct person_id) as judged,
         count(distinct person_id) filter (where verdict in ('convicted', 'convicted_lesser')) as convicted
  from judgments
  where overturned = 'no'
    and year between 2020 and 2025
  group by section
)
select s.code, s.en as section_of_law, j.judged, j.convicted,
       round(100.0 * j.convicted / nullif(j.judged, 0), 0) as percent_convicted
from by_section j
join reference.section s on s.code = j.section
where s.act <> 'PSMA'
order by percent_convicted desc nulls last, j.judged desc nulls last;
