-- question: Which provinces identify children in bonded labour but prosecute nobody under the trafficking act, 2019 to 2025?
-- asks: victims, charges; persons asked about: actual victims under 18 with exploitation = bonded_labour identified 2019-2025; persons first charged under any PTPA section 2019-2025, charge not withdrawn
-- source: domain.md 8, first question
-- expect: answered
with bonded as (
  select province, count(*) as children
  from victims
  where age_group = 'child'
    and exploitation = 'bonded_labour'
    and status = 'actual'
    and year between 2019 and 2025
  group by province
),
prosecuted as (
  select province, count(distinct person_id) as persons
  from charges
  where section in ('PTPA-3-1', 'PTPA-3-2', 'PTPA-4')
    and withdrawn = 'no'
    and first_charge = 'yes'
    and year between 2019 and 2025
  group by province
)
select p.en as province,
       b.children,
       c.persons as prosecuted,
       case when c.persons = 0 then 'nobody prosecuted' else '' end as remark
from bonded b
join reference.province p on p.code = b.province
left join prosecuted c on c.province = b.province
where b.children > 0
order by c.persons, b.children desc;
