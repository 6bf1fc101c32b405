-- Judgments: one row per judgment on a person, with what an appeal made of it.
WITH acts AS (
  SELECT
    *,
    -- rule: overturned. A judgment that an appeal overturned convicts nobody.
    coalesce(appeal_outcome, {{code appeal_outcome._X}}) = {{code appeal_outcome.overturned}} AS overturned,
    -- rule: convicted. Under any section of the PTPA, verdict convicted or convicted of a lesser offence, not
    -- overturned (domain.md 7.1 C05).
    (coalesce(sections, 0) & {{codes section where act = PTPA}}) <> 0
      AND verdict IN ({{code verdict.convicted}}, {{code verdict.convicted_lesser}})
      AND coalesce(appeal_outcome, {{code appeal_outcome._X}}) <> {{code appeal_outcome.overturned}} AS counted
  FROM judgment_accounts
),
numbered AS (
  SELECT
    *,
    -- rule: first. Of a person's counted acts the first: the earliest day, then the time of the record, then its event id.
    sum(CASE WHEN counted THEN 1 ELSE 0 END)
      OVER (PARTITION BY person ORDER BY occurred_from, recorded_at, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS counted_so_far
  FROM acts
)
SELECT
  person AS unit,
  coalesce(case_id, record_id) AS case_ref,
  agency,
  event_id,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  occurred_from,
  {{year occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter occurred_from occurred_precision}} AS quarter,
  {{month occurred_from occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known sex sex}} AS sex,
  {{known age_band age_band}} AS age_band,
  {{known citizenship citizenship}} AS citizenship,
  {{known sections section}} AS section,
  {{known province province}} AS province,
  {{known verdict verdict}} AS verdict,
  {{known court_level court_level}} AS court_level,
  {{yes_no overturned}} AS overturned,
  imprisonment_months,
  fine_pkr,
  compensation_pkr,
  {{yes_no counted AND counted_so_far = 1}} AS first_conviction
FROM numbered
