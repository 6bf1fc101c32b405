// The SQL that gives the numbers of a view: what a reader copies must answer with the same rows.

/** A text as SQL writes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The question behind an address of data. An older edition is read from the table of all editions. */
export function sqlOf(id: string, columns: string[], filters: Record<string, string | null>, edition: string | null): string {
  const conditions: string[] = [];
  if (edition) conditions.push(`edition = ${Number(edition)}`, `indicator = ${quoted(id)}`);
  for (const [name, value] of Object.entries(filters)) {
    if (!value) continue;
    if (name === "from") conditions.push(`time_period >= ${quoted(value)}`, "time_period <> '_X'");
    else if (name === "to") conditions.push(`time_period <= ${quoted(`${value}-Q4`)}`);
    else if (value.includes(",")) conditions.push(`${name} in (${value.split(",").map(quoted).join(", ")})`);
    else conditions.push(`${name} = ${quoted(value)}`);
  }
  const from = edition ? "published.indicator_values" : `published.${id.toLowerCase()}`;
  const where = conditions.length ? `\nwhere ${conditions.join("\n  and ")}` : "";
  const order = columns.filter((c) => c !== "measure").join(", ");
  return `select ${columns.join(", ")}, value, lo95, hi95, obs_status\nfrom ${from}${where}\norder by ${order || "time_period"}`;
}
