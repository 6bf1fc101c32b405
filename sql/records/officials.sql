-- Whether accused persons are officials: one row per person.
SELECT
  person,
  -- rule: official. A person is an official if any agency that arrested or knew of the person says so, and none if those that say
  -- anything say so (domain.md 7 C09).
  CASE
    WHEN bool_or(official = {{code yes_no.yes}}) THEN {{code yes_no.yes}}
    WHEN bool_or(official = {{code yes_no.no}}) THEN {{code yes_no.no}}
    ELSE {{code yes_no._X}}
  END AS official
FROM accused_accounts
GROUP BY person
