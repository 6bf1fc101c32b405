-- question: Which published numbers of victims identified changed most between the last two editions, and by how much?
-- asks: published.indicator_values, published.editions (no protected data); persons asked about: none directly, the published values of V01
-- source: domain.md 8, sixth question; Q04
-- expect: answered
with last_two as (
  select edition, row_number() over (order by edition desc) as back
  from published.editions
),
new as (
  select v.* from published.indicator_values v join last_two e on e.edition = v.edition
  where e.back = 1 and v.indicator = 'V01'
),
old as (
  select v.* from published.indicator_values v join last_two e on e.edition = v.edition
  where e.back = 2 and v.indicator = 'V01'
)
select new.time_period, new.province, new.sex, new.age_group,
       old.value as before, new.value as after,
       new.value - old.value as change,
       old.conf_status as conf_before, new.conf_status as conf_after
from new
join old on old.measure = new.measure
        and old.time_period = new.time_period
        and (old.province is not distinct from new.province)
        and (old.sex is not distinct from new.sex)
        and (old.age_group is not distinct from new.age_group)
where new.value is distinct from old.value
order by abs(new.value - old.value) desc nulls last
limit 25;
