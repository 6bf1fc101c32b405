-- title: The share of children among victims, with its bounds
-- title.ur: متاثرین میں بچوں کا حصہ، اپنی حدود کے ساتھ
-- description: Children among victims whose age is known, per cent, and what the share would be if everybody of unknown age were an adult, or a child.
-- description.ur: جن متاثرین کی عمر معلوم ہے ان میں بچوں کا فیصد، اور یہ کہ اگر نامعلوم عمر والے سب بالغ، یا سب بچے ہوتے تو حصہ کیا ہوتا۔
-- parameter: from_year integer = 2011; The first year
-- schedule: edition
-- audience: public

select cast(s.time_period as int) as year, s.value as child_share, s.lo95, s.hi95,
       l.value as if_unknown_were_adults, u.value as if_unknown_were_children
from published.v04 s
left join published.v04 l on l.time_period = s.time_period and l.measure = 'child_share_lower_bound'
left join published.v04 u on u.time_period = s.time_period and u.measure = 'child_share_upper_bound'
where s.measure = 'child_share' and length(s.time_period) = 4 and cast(substr(s.time_period, 1, 4) as int) >= $1
order by year
