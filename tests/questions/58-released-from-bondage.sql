-- question: Persons released from bonded labour at inspections by fiscal year: brick kilns and agriculture, and how they add up over time.
-- asks: inspections; persons asked about: none (inspections of kind bonded in fiscal years 2016-17 to 2024-25)
-- source: seed (brick kilns, fiscal years); L03
-- expect: answered
SELECT fiscal_year, kilns, land,
       sum(kilns) OVER (ORDER BY fiscal_year) AS kilns_so_far,
       sum(land) OVER (ORDER BY fiscal_year) AS land_so_far
FROM (
  SELECT fiscal_year,
         sum(released) FILTER (WHERE sector = 'brick_kiln') AS kilns,
         sum(released) FILTER (WHERE sector = 'agriculture') AS land
  FROM inspections
  WHERE kind = 'bonded' AND fiscal_year BETWEEN '2016-17' AND '2024-25'
  GROUP BY fiscal_year
) AS t
ORDER BY fiscal_year;
