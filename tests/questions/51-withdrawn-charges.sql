-- question: In which provinces are charges most often withdrawn, 2019 to 2025: charges and persons?
-- asks: charges; persons asked about: charged 2019-2025
-- source: seed (charges, provinces)
-- expect: answered
with t as (
  select province, withdrawn, count(*) as charges, count(distinct person_id) as persons
  from charges
  where year between 2019 and 2025 and withdrawn in ('yes', 'no')
  group by province, withdrawn
)
select y.province,
       n.persons as upheld_persons,
       y.persons as withdrawn_persons,
       y.charges as withdrawn_charges,
       round(100.0 * y.charges / (y.charges + n.charges), 0) as percent_of_charges_withdrawn
from t y
join t n on n.province = y.province and n.withdrawn = 'no'
where y.withdrawn = 'yes'
order by percent_of_charges_withdrawn desc nulls last;
