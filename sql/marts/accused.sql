-- Persons arrested: one row each, as first arrested.
WITH persons AS (
  SELECT
    person,
    -- rule: first_arrest. A person is counted when first arrested: the earliest day, then the time of the record, then
    -- its event id; what is said of the person is what that record says (domain.md 7.1 C03).
    {{at_first record_id}} AS record_id,
    {{at_first case_id}} AS case_id,
    {{at_first agency}} AS agency,
    {{at_first occurred_from}} AS occurred_from,
    {{at_first occurred_precision}} AS occurred_precision,
    {{at_first sex}} AS sex,
    {{at_first age_band}} AS age_band,
    {{at_first citizenship}} AS citizenship,
    {{at_first role}} AS role,
    {{at_first official}} AS official,
    {{at_first province}} AS province
  FROM accused_accounts
  GROUP BY person
)
SELECT
  person AS unit,
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
  {{known official yes_no}} AS official,
  {{known province province}} AS province,
  {{yes_no true}} AS first_arrest
FROM persons
