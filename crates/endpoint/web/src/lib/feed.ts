// How good an agency's feed is, as the agencies' door and the steward's page are told.

export interface Month {
  month: string;
  accepted: number;
  duplicates: number;
  conflicts: number;
  set_aside: Record<string, number>;
  days_to_arrive: number | null;
  facts: number;
  days_to_record: number | null;
  /** Versions of records; absent or null where nobody has counted them. */
  versions?: { came: number; gaps: number } | null;
}

export interface Completeness {
  facts: number;
  known: Record<string, number>;
  days_to_record: number | null;
}

export interface OfType {
  event_type: string;
  now: Completeness;
  before: Completeness;
}

export interface Alert {
  what: string;
  of: string;
  found: number;
  limit: number;
}

export interface Expected {
  kind: string;
  from: string;
  to: string;
  state: "ahead" | "received" | "nothing" | "missing";
}

export interface Contradiction {
  field: string;
  percent_from: number;
  percent_to: number;
}

/** Of a hundred facts, of how many a field is known. */
export function percent(of: Completeness, field: string): number | null {
  return of.facts === 0 ? null : Math.floor(((of.known[field] ?? 0) * 100) / of.facts);
}

/** The same month a year before, YYYY-MM. */
export function yearBefore(month: string): string {
  return `${Number(month.slice(0, 4)) - 1}${month.slice(4)}`;
}
