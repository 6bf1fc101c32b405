-- Returns of victims: one row per return, with the assistance that names it and its outcomes.
SELECT
  person_id AS unit,
  record_id AS case_ref,
  agency,
  {{year occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter occurred_from occurred_precision}} AS quarter,
  {{month occurred_from occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known from_country citizenship}} AS from_country,
  {{known return_kind return_kind}} AS kind,
  {{known outcome_6 reintegration_outcome}} AS outcome_6,
  {{known outcome_12 reintegration_outcome}} AS outcome_12,
  {{yes_no assisted}} AS assisted,
  {{known_set assistance service}} AS assistance,
  -- rule: first. Of a person's returns the first: the earliest day, then the time of recording, then the event id.
  {{yes_no row_number() OVER (PARTITION BY person_id ORDER BY occurred_from, recorded_at, event_id) = 1}} AS first_return
FROM return_outcomes
