-- question: Do helpline contacts rise in the quarter after training and awareness activities? Both by quarter since 2023.
-- asks: contacts, activities; persons asked about: none (helpline contacts received and activities held 2023-Q1 to 2025-Q4)
-- source: P01, P02
-- expect: answered
with calls as (
  select quarter, count(*) as contacts from contacts
  where quarter between '2023-Q1' and '2025-Q4' group by quarter
), held as (
  select quarter, count(*) as activities from activities
  where quarter between '2023-Q1' and '2025-Q4' group by quarter
)
select coalesce(c.quarter, h.quarter) as quarter,
       c.contacts,
       h.activities,
       lag(h.activities) over (order by coalesce(c.quarter, h.quarter)) as activities_quarter_before
from calls c
full join held h on h.quarter = c.quarter
order by 1;
