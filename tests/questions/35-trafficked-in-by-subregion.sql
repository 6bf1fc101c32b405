-- question: From which subregions of the world are people trafficked into the country, 2011 to 2025?
-- asks: victims; persons asked about: scope = transnational_in, identified 2011-2025
-- source: seed (citizenship); V08
-- expect: answered
with t as (
  select c.citizenship_subregion, count(*) as victims
  from victims v
  join reference.citizenship c on v.citizenship = c.code
  where v.scope = 'transnational_in' and v.year between 2011 and 2025
  group by c.citizenship_subregion
)
select s.en as subregion, t.victims
from t
join reference.citizenship_subregion s on s.code = t.citizenship_subregion
where t.victims is not null
order by t.victims desc;
