// The SQL that gives the numbers of a view: what a reader copies must answer with the same rows.

/** A text as SQL writes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What begins in a year or later. Fiscal years have letters before their year, and an unknown time has none. */
function since(year: string): string {
  return `(time_period between ${quoted(year)} and '9999-Q4' or time_period between ${quoted(`FY${year}`)} and 'FY9999')`;
}

/** What ends with a year or before. The fiscal year that begins in it ends in the next one. */
function until(year: string): string {
  return `(time_period <= ${quoted(`${year}-Q4`)} or time_period between 'FY' and ${quoted(`FY${year}`)})`;
}

/** The question behind an address of data. An older edition is read from the table of all editions. */
export function sqlOf(id: string, columns: string[], filters: Record<string, string | null>, edition: string | null): string {
  const conditions: string[] = [];
  if (edition) conditions.push(`edition = ${Number(edition)}`, `indicator = ${quoted(id)}`);
  for (const [name, value] of Object.entries(filters)) {
    if (!value) continue;
    if (name === "from") conditions.push(since(value));
    else if (name === "to") conditions.push(until(value));
    else if (value.includes(",")) conditions.push(`${name} in (${value.split(",").map(quoted).join(", ")})`);
    else conditions.push(`${name} = ${quoted(value)}`);
  }
  const from = edition ? "published.indicator_values" : `published.${id.toLowerCase()}`;
  const where = conditions.length ? `\nwhere ${conditions.join("\n  and ")}` : "";
  const order = columns.filter((c) => c !== "measure").join(", ");
  return `select ${columns.join(", ")}, value, lo95, hi95, obs_status\nfrom ${from}${where}\norder by ${order || "time_period"}`;
}
