-- Compensation of victims: one row per order and one per payment.
SELECT
  a.person AS unit,
  -- rule: case. She is of the case of her identification; that of the court, or the record, stands in where none is known (privacy.md 6.6, rule 2).
  coalesce(v.case_ref, a.case_id, a.record_id) AS case_ref,
  a.agency,
  a.event_id,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  a.occurred_from,
  {{year a.occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter a.occurred_from a.occurred_precision}} AS quarter,
  {{month a.occurred_from a.occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  -- rule: person. Who she is says her identification; nothing where nobody identified her.
  {{known v.sex sex}} AS sex,
  {{known v.age_band age_band}} AS age_band,
  {{known v.citizenship citizenship}} AS citizenship,
  {{known a.province province}} AS province,
  -- rule: paid. A payment is counted when it is made, whatever order it answers; an order when it is made (domain.md 7 C10).
  {{yes_no a.paid}} AS paid,
  a.amount_pkr
FROM compensation_accounts a
LEFT JOIN victims v ON v.unit = a.person
