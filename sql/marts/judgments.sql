-- Judgments: one row per judgment on a person, with what an appeal made of it.
WITH acts AS (
  SELECT
    *,
    -- rule: overturned. A judgment that an appeal overturned convicts nobody.
    coalesce(appeal_outcome, {{code appeal_outcome._X}}) = {{code appeal_outcome.overturned}} AS overturned,
    convicts AS counted
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
  {{known n.verdict verdict}} AS verdict,
  {{known n.court_level court_level}} AS court_level,
  {{yes_no n.overturned}} AS overturned,
  n.imprisonment_months,
  n.fine_pkr,
  -- rule: said_once. What an order of compensation tells of is counted there, and not by the judgment that it names (domain.md 7 C10).
  CASE WHEN NOT n.ordered_apart THEN n.compensation_pkr END AS compensation_pkr,
  {{yes_no n.counted AND n.counted_so_far = 1}} AS first_conviction,
  -- rule: person. Whether an official says who arrested the person, or knew of the person; nothing where nobody did.
  {{known o.official yes_no}} AS official,
  -- rule: sentence. Imprisonment and fine as imposed, of any length and amount; who is not convicted has none, and of a
  -- conviction of which nothing is said it is not known (domain.md 7 C08).
  CASE
    WHEN n.imprisonment_months > 0 AND n.fine_pkr > 0 THEN {{code sentence_kind.imprisonment_and_fine}}
    WHEN n.imprisonment_months > 0 THEN {{code sentence_kind.imprisonment}}
    WHEN n.fine_pkr > 0 THEN {{code sentence_kind.fine}}
    WHEN coalesce(n.imprisonment_months, n.fine_pkr, n.compensation_pkr) IS NOT NULL THEN {{code sentence_kind.none}}
    WHEN n.verdict IN ({{code verdict.convicted}}, {{code verdict.convicted_lesser}}, {{code verdict._X}}) THEN {{code sentence_kind._X}}
    ELSE {{code sentence_kind.none}}
  END AS sentence,
  -- rule: days_to_judgment. From the registration of the case to the judgment, where both are known to the day and come in that order.
  CASE WHEN n.occurred_from >= n.registered_from AND {{to_the_day n.occurred_precision}} AND {{to_the_day n.registered_precision}} THEN {{days n.registered_from n.occurred_from}} END AS days_to_judgment
FROM numbered n
LEFT JOIN officials o ON o.person = n.person
