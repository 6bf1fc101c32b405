-- Persons accused: one row each, as first arrested, or as first known where nobody arrested the person.
WITH persons AS (
  SELECT
    person,
    -- rule: first_arrest. A person is counted when first arrested, or when first known where there was no arrest: the earliest
    -- day, then the time of the record, then its event id; what is said of the person is what that record says (domain.md 7.1 C03),
    -- and what an arrest leaves unsaid, what was said when the person was first known.
    coalesce({{at_first record_id where arrested}}, {{at_first record_id where NOT arrested}}) AS record_id,
    coalesce({{at_first case_id where arrested}}, {{at_first case_id where NOT arrested}}) AS case_id,
    coalesce({{at_first agency where arrested}}, {{at_first agency where NOT arrested}}) AS agency,
    coalesce({{at_first occurred_from where arrested}}, {{at_first occurred_from where NOT arrested}}) AS occurred_from,
    coalesce({{at_first occurred_precision where arrested}}, {{at_first occurred_precision where NOT arrested}}) AS occurred_precision,
    coalesce({{at_first sex where arrested}}, {{at_first sex where NOT arrested}}) AS sex,
    coalesce({{at_first age_band where arrested}}, {{at_first age_band where NOT arrested}}) AS age_band,
    coalesce({{at_first citizenship where arrested}}, {{at_first citizenship where NOT arrested}}) AS citizenship,
    coalesce({{at_first role where arrested}}, {{at_first role where NOT arrested}}) AS role,
    coalesce({{at_first province where arrested}}, {{at_first province where NOT arrested}}) AS province,
    bool_or(arrested) AS arrested
  FROM accused_accounts
  GROUP BY person
)
SELECT
  a.person AS unit,
  coalesce(case_id, record_id) AS case_ref,
  agency,
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
  {{known role role}} AS role,
  {{known o.official yes_no}} AS official,
  {{known province province}} AS province,
  {{yes_no arrested}} AS first_arrest
FROM persons a
LEFT JOIN officials o ON o.person = a.person
