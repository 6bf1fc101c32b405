-- Each referral of what an inspection found, and whether anybody acted on it.
SELECT
  r.event_id,
  r.agency,
  r.inspection_id,
  r.to_body,
  coalesce(a.acted_on, false) AS acted_on
FROM finding_referrals r
LEFT JOIN (
  SELECT
    referral_id,
    -- rule: acted_on. A case registered, an investigation opened or a service provided is an action; to decide that there
    -- is none, or to send the referral back, is not (domain.md 7 L04).
    bool_or(action IN ({{code referral_action.case_registered}}, {{code referral_action.investigation_opened}}, {{code referral_action.service_provided}})) AS acted_on
  FROM referral_actions
  GROUP BY referral_id
) a ON a.referral_id = r.event_id
