// What is said of a feed to its agency and to the steward alike, in English and Urdu side by side, as in messages.ts.
import type { Pair } from "./messages";

export const feedTexts = {
  "nothing": ["Nothing yet.", "ابھی کچھ نہیں۔"],
  "status.accepted": ["accepted", "قبول"],
  "status.duplicate": ["was there already", "پہلے سے موجود"],
  "status.conflict": ["id of another event", "کسی اور واقعے کا نمبر"],
  "status.set_aside": ["set aside", "الگ رکھا گیا"],
  "quality.months": ["Month by month", "ماہ بہ ماہ"],
  "month": ["Month", "مہینہ"],
  "facts": ["Facts recorded", "درج حقائق"],
  "facts.before": ["A year before", "ایک سال پہلے"],
  "days.record": ["Days until recorded (median)", "درج ہونے تک دن (وسطانیہ)"],
  "days.arrive": ["Days until arrived (median)", "پہنچنے تک دن (وسطانیہ)"],
  "versions.gaps": ["Versions without the one before", "وہ ورژن جن سے پہلا نہیں آیا"],
  "quality.fields": ["Fields of {type}: known of {facts} facts", "{type} کے خانے: {facts} حقائق میں معلوم"],
  "field": ["Field", "خانہ"],
  "now": ["Last 12 months", "گزشتہ 12 مہینے"],
  "before": ["The 12 before", "اس سے پہلے کے 12"],

  "calendar": ["Expected reports", "متوقع رپورٹیں"],
  "calendar.earlier": ["{n} earlier ones", "{n} پہلے کی"],
  "calendar.kind": ["Report", "رپورٹ"],
  "calendar.period": ["Period", "مدت"],
  "calendar.state": ["State", "حالت"],
  "state.ahead": ["not due yet", "ابھی وقت نہیں ہوا"],
  "state.received": ["received", "موصول"],
  "state.nothing": ["nothing to report", "رپورٹ کے لیے کچھ نہیں"],
  "state.missing": ["missing", "موصول نہیں ہوئی"],
  "kind.cases": ["Cases", "مقدمات"],
  "kind.victims": ["Victims", "متاثرہ افراد"],
  "kind.accused": ["Accused", "ملزمان"],
  "kind.charges": ["Charges", "فرد جرم"],
  "kind.judgments": ["Judgments", "فیصلے"],
  "kind.inspections": ["Inspections", "معائنے"],
  "kind.services": ["Services", "خدمات"],
  "kind.returns": ["Returns", "واپسی"],
} as const satisfies Record<string, Pair>;

export type FeedTextKey = keyof typeof feedTexts;
/** Says one of these texts in the reader's language. */
export type SayFeed = (key: FeedTextKey, values?: Record<string, string | number>) => string;

/** A text by a name that is made of a code, or the code itself where there is none. */
export function feedNamed(say: SayFeed, kind: string, code: string): string {
  const key = `${kind}.${code}`;
  return key in feedTexts ? say(key as FeedTextKey) : code;
}
