-- When an agency's facts of one family may have happened, each span once: a report is missing where it has none.
SELECT agency, occurred_from, occurred_to
FROM <table>
WHERE occurred_from IS NOT NULL AND occurred_to >= CAST(<since> AS DATE)
GROUP BY 1, 2, 3
