-- Contacts of helplines: one row per contact, those that led to nothing included.
WITH identified AS (
  SELECT
    contact_id
  FROM victim_records
  -- rule: led_to. A contact led to an identification where a record of a possible or actual victim names it (domain.md 7 P01).
  WHERE is_identification AND coalesce(status, {{code trafficking_status._X}}) <> {{code trafficking_status.not_victim}}
  GROUP BY contact_id
)
SELECT
  c.record_id AS unit,
  c.record_id AS case_ref,
  c.agency,
  -- rule: as_of. An edition speaks of what began on or before its date; the vault sees periods only (domain.md 5).
  c.occurred_from,
  {{year c.occurred_from}} AS year,
  -- rule: coarse_time. What is known only by year has the quarter and month _X (domain.md 7.1).
  {{quarter c.occurred_from c.occurred_precision}} AS quarter,
  {{month c.occurred_from c.occurred_precision}} AS month,
  -- rule: unknown. What was never said is the code _X, a group like any other (domain.md 3).
  {{known c.kind contact_kind}} AS kind,
  -- rule: province. Where a caller was is told by province and no finer: few call from a division.
  rollup('place', 'province', c.place) AS province,
  {{known c.referral_made yes_no}} AS referral_made,
  {{yes_no v.contact_id IS NOT NULL}} AS led_to_identification
FROM contact_records c
LEFT JOIN identified v ON v.contact_id = c.record_id
