-- Persons identified as victims: one row each, as first identified, with the status last determined.
WITH firsts AS (
  SELECT person, min(occurred_from) FILTER (WHERE is_identification) AS first_from
  FROM victim_accounts
  GROUP BY person
),
accounts AS (
  SELECT
    a.*,
    CASE
      WHEN a.agency_group = {{code agency_group.CPB}} THEN 1
      WHEN a.agency_group IN ({{code agency_group.POL}}, {{code agency_group.FIA}}) THEN 2
      ELSE 3
    END AS age_rank,
    f.first_from
  FROM firsts f
  JOIN (SELECT *, rollup('agency', 'group', agency) AS agency_group FROM victim_accounts) a ON a.person = f.person
),
persons AS (
  SELECT
    person,
    -- rule: first_identification. A person is counted when first identified: the earliest day said of her, then the
    -- time of the record, then its event id; what is said of her is what that record says (domain.md 5, 7.1).
    {{at_first record_id where is_identification}} AS record_id,
    {{at_first case_id where is_identification}} AS case_id,
    {{at_first agency where is_identification}} AS agency,
    {{at_first occurred_from where is_identification}} AS occurred_from,
    {{at_first occurred_precision where is_identification}} AS occurred_precision,
    {{at_first sex where is_identification}} AS sex,
    -- rule: age_precedence. Of what agencies say of her age that of a child-protection body stands, then that of police or
    -- FIA, then any other's; one that does not know it says nothing (domain.md 4).
    coalesce({{said_first age_band age_band where is_identification AND age_rank = 1}}, {{said_first age_band age_band where is_identification AND age_rank = 2}}, {{said_first age_band age_band where is_identification AND age_rank = 3}}) AS age_band,
    {{at_first citizenship where is_identification}} AS citizenship,
    {{at_first exploitation where is_identification}} AS exploitation,
    {{at_first means where is_identification}} AS means,
    {{at_first act where is_identification}} AS act,
    {{at_first recruiter_relation where is_identification}} AS recruiter_relation,
    {{at_first sector where is_identification}} AS sector,
    {{at_first scope where is_identification}} AS scope,
    {{at_first place_recruited where is_identification}} AS place_recruited,
    {{at_first place_transit where is_identification}} AS place_transit,
    {{at_first place_exploited where is_identification}} AS place_exploited,
    {{at_first place_identified where is_identification}} AS place_identified,
    {{at_first referral_source where is_identification}} AS referral_source,
    -- rule: latest_status. Status is that of the latest identification or determination, by day, time, event id.
    {{at_last status}} AS status,
    {{at_first status where is_identification}} AS identified_as,
    {{at_first recorded_at where is_identification}} AS recorded_at,
    -- rule: determined. A determination that she is a victim, or is none, settles her status; one that she may be does not.
    min(occurred_from) FILTER (WHERE NOT is_identification AND status IN ({{code trafficking_status.actual}}, {{code trafficking_status.not_victim}})) AS determined_on,
    -- rule: identified_again. Identified again is who is identified by another record more than 90 days after the first, for
    -- until then the same story is told, and within 24 months; a record that finds her no victim does not (domain.md 7 V12).
    bool_or(is_identification AND occurred_from > first_from + INTERVAL '90 days' AND occurred_from <= first_from + INTERVAL '24 months'
      AND coalesce(status, {{code trafficking_status._X}}) <> {{code trafficking_status.not_victim}}) AS identified_again,
    -- rule: several_groups. Agencies of two groups or more identified her.
    min(agency_group) FILTER (WHERE is_identification) <> max(agency_group) FILTER (WHERE is_identification) AS several_groups
  FROM accounts
  GROUP BY person
  -- rule: identified. A determination alone identifies nobody.
  HAVING bool_or(is_identification)
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
  {{known status trafficking_status}} AS status,
  {{known exploitation exploitation}} AS exploitation,
  {{known means means}} AS means,
  {{known act act}} AS act,
  {{known recruiter_relation recruiter_relation}} AS recruiter_relation,
  {{known sector sector}} AS sector,
  {{known scope scope}} AS scope,
  {{known place_recruited place}} AS place_recruited,
  {{known place_transit place}} AS place_transit,
  {{known place_exploited place}} AS place_exploited,
  {{known place_identified place}} AS place_identified,
  {{known referral_source referral_source}} AS referral_source,
  -- rule: agency_group. The group of the agency that identified her first.
  rollup('agency', 'group', agency) AS agency_group,
  {{known identified_as trafficking_status}} AS identified_as,
  -- rule: within_90_days. A determination on or before the 90th day after the first identification (domain.md 7 V10).
  {{yes_no determined_on <= occurred_from + INTERVAL '90 days'}} AS determined_within_90_days,
  {{yes_no identified_again}} AS identified_again_within_24_months,
  {{yes_no several_groups}} AS known_to_several_groups,
  -- rule: days_to_report. From the day of the first identification, where it is known to the day, to the day in Karachi (UTC+5) on
  -- which the agency first recorded it (domain.md 7 Q03).
  CASE WHEN {{to_the_day occurred_precision}} THEN {{recorded_day recorded_at}} - CAST(occurred_from AS INT) END AS days_to_report
FROM persons
