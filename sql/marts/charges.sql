-- Charges: one row per charge against a person, withdrawn ones included and marked.
WITH acts AS (
  SELECT
    *,
    -- rule: prosecuted. A charge under any section of the PTPA, whatever else it names, that was not withdrawn
    -- (domain.md 7.1 C04).
    (coalesce(sections, 0) & {{codes section where act = PTPA}}) <> 0 AND NOT withdrawn AS counted
  FROM charge_accounts
),
numbered AS (
  SELECT
    *,
    -- rule: first. Of a person's counted acts the first: the earliest day, then the time of the record, then its event id.
    sum(CASE WHEN counted THEN 1 ELSE 0 END)
      OVER (PARTITION BY person ORDER BY occurred_from, recorded_at, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS counted_so_far
  FROM acts
),
convictions AS (
  SELECT
    person,
    max(occurred_from) FILTER (WHERE convicts) AS convicted_on
  FROM judgment_accounts
  GROUP BY person
)
SELECT
  n.person AS unit,
  coalesce(n.case_id, n.record_id) AS case_ref,
  n.agency,
  n.event_id,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  n.occurred_from,
  {{year n.occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter n.occurred_from n.occurred_precision}} AS quarter,
  {{month n.occurred_from n.occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known n.sex sex}} AS sex,
  {{known n.age_band age_band}} AS age_band,
  {{known n.citizenship citizenship}} AS citizenship,
  {{known n.sections section}} AS section,
  {{known n.province province}} AS province,
  {{yes_no n.withdrawn}} AS withdrawn,
  {{yes_no n.counted AND n.counted_so_far = 1}} AS first_charge,
  -- rule: person. Whether an official says who arrested the person, or knew of the person; nothing where nobody did.
  {{known o.official yes_no}} AS official,
  -- rule: cohort. Of who is charged, whether a conviction under the PTPA that stands came on the day of the charge or later,
  -- whenever that was (domain.md 5, 7 C06).
  {{yes_no c.convicted_on >= n.occurred_from}} AS convicted,
  -- rule: days_to_charge. From the registration of the case to the charge, where both are known to the day and come in that order.
  CASE WHEN n.occurred_from >= n.registered_from AND {{to_the_day n.occurred_precision}} AND {{to_the_day n.registered_precision}} THEN {{days n.registered_from n.occurred_from}} END AS days_to_charge
FROM numbered n
LEFT JOIN officials o ON o.person = n.person
LEFT JOIN convictions c ON c.person = n.person
