-- question: How long are the sentences: quartiles and mean of imprisonment in months by section of law, 2019 to 2025?
-- asks: judgments; persons asked about: convicted 2019-2025, not overturned
-- source: seed (medians of imprisonment); C08
-- expect: answered
select section,
       count(distinct person_id) as convicted,
       percentile_cont(0.25) within group (order by imprisonment_months) as lower_quartile,
       median(imprisonment_months) as median_months,
       percentile_cont(0.75) within group (order by imprisonment_months) as upper_quartile,
       avg(imprisonment_months) as mean_months
from judgments
where verdict in ('convicted', 'convicted_lesser')
  and overturned = 'no'
  and year between 2019 and 2025
group by section
having count(distinct person_id) >= 50
order by median_months desc nulls last;
