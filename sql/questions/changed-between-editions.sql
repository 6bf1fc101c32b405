-- title: What changed between the last two editions
-- title.ur: آخری دو اشاعتوں کے درمیان کیا بدلا
-- description: The values of an indicator that differ most between the newest edition and the one before it. No rows where there is one edition only, or nothing changed.
-- description.ur: کسی اشاریے کی وہ قدریں جو تازہ ترین اشاعت اور اس سے پہلی میں سب سے زیادہ مختلف ہیں۔ جہاں ایک ہی اشاعت ہو، یا کچھ نہ بدلا ہو، وہاں کوئی سطر نہیں۔
-- parameter: indicator text = V01; Id of the indicator
-- schedule: edition
-- audience: public

with last_two as (
  select edition, row_number() over (order by edition desc) as back from published.editions
), new as (
  select v.* from published.indicator_values v join last_two e on e.edition = v.edition where e.back = 1 and v.indicator = upper($1)
), old as (
  select v.* from published.indicator_values v join last_two e on e.edition = v.edition where e.back = 2 and v.indicator = upper($1)
)
select new.measure, new.time_period,
       new.province, new.sex, new.age_group, new.exploitation, new.referral_source, new.agency_group,
       new.role, new.citizenship, new.section, new.sector, new.outcome,
       old.value as before, new.value as after, new.value - old.value as change,
       old.obs_status as status_before, new.obs_status as status_after
from new
join old on old.measure = new.measure and old.time_period = new.time_period
        and (old.province is not distinct from new.province)
        and (old.sex is not distinct from new.sex)
        and (old.age_group is not distinct from new.age_group)
        and (old.exploitation is not distinct from new.exploitation)
        and (old.referral_source is not distinct from new.referral_source)
        and (old.agency_group is not distinct from new.agency_group)
        and (old.role is not distinct from new.role)
        and (old.citizenship is not distinct from new.citizenship)
        and (old.section is not distinct from new.section)
        and (old.sector is not distinct from new.sector)
        and (old.outcome is not distinct from new.outcome)
where new.value is distinct from old.value
order by abs(new.value - old.value) desc nulls last, new.measure, new.time_period, new.province
limit 50
