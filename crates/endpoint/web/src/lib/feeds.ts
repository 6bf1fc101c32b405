// Every agency's feed, as the steward may see it. The service is asked once for each page that is loaded: the menu and the page have one answer.
import { useEffect, useState } from "preact/hooks";
import { problemOf } from "./api";
import type { Alert, Contradiction, Expected, Month, OfType } from "./feed";
import { renewed } from "./session";

export type FeedState = "ok" | "attention" | "alert";

export interface Trend {
  month: string;
  arrived: number;
  facts: number;
}

export interface Summary {
  agency: string;
  en: string;
  ur: string;
  told_at: string;
  as_of: string;
  state: FeedState;
  alerts: (Alert & { state: FeedState })[];
  accepted: number;
  duplicates: number;
  conflicts: number;
  set_aside: number;
  gaps: number | null;
  days_to_arrive: number | null;
  days_to_record: number | null;
  known_percent: number | null;
  known_percent_before: number | null;
  reports_missing: number;
  reports_expected: number;
  trend: Trend[];
}

export interface Feeds {
  alerts: number;
  feeds: Summary[];
}

export interface Feed {
  summary: Summary;
  months: Month[];
  types: OfType[];
  reports: Expected[];
  contradictions: Contradiction[];
}

async function asked<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { accept: "application/json" }, cache: "no-store" });
  if (response.ok) return (await response.json()) as T;
  const problem = await problemOf(response);
  // The session is over: the page says who may see this.
  if (problem.code === "key_needed") void renewed();
  throw problem;
}

let kept: { of: string; answer: Promise<Feeds> } | null = null;

/** All feeds, as this account sees them. */
export function feeds(account: string): Promise<Feeds> {
  if (kept?.of === account) return kept.answer;
  const answer = asked<Feeds>("/v1/feeds");
  kept = { of: account, answer };
  // What failed is asked again.
  answer.catch(() => kept?.answer === answer && (kept = null));
  return answer;
}

/** The feed of one agency. */
export function feed(agency: string): Promise<Feed> {
  return asked<Feed>(`/v1/feeds/${encodeURIComponent(agency)}`);
}

/** How many feeds stand at an alert; null while that is not known. */
export function useAlerts(account: string): number | null {
  const [alerts, set] = useState<number | null>(null);
  useEffect(() => {
    let current = true;
    feeds(account).then(
      (all) => current && set(all.alerts),
      () => {},
    );
    return () => {
      current = false;
    };
  }, [account]);
  return alerts;
}
