// What the steward's page on feeds says, in English and Urdu side by side, as in messages.ts.
import type { Pair } from "./messages";
import { feedTexts } from "./messages-feed";

export const texts = {
  ...feedTexts,
  "feeds.heading": ["Agencies' feeds", "اداروں کی اطلاعات"],
  "feeds.lede": [
    "How good each agency's feed is: what arrived, how complete and how soon it is, what is missing, what is beyond a limit. Each agency sees the same of its own.",
    "ہر ادارے کی اطلاعات کتنی اچھی ہیں: کیا پہنچا، کتنا مکمل ہے اور کتنی جلد، کیا باقی ہے، کیا حد سے باہر ہے۔ ہر ادارہ اپنے بارے میں یہی دیکھتا ہے۔",
  ],
  "feeds.nobody": [
    "These numbers are of messages and facts, not of persons. An agency hears its own; tell nobody else what another agency sends.",
    "یہ اعداد پیغامات اور حقائق کے ہیں، افراد کے نہیں۔ ہر ادارہ صرف اپنے اعداد سنتا ہے؛ ایک ادارے کے اعداد دوسرے کو نہ بتائیں۔",
  ],
  "feeds.none": [
    "Nobody has looked at a feed yet. That is done once a day, or by amanat feeds --send.",
    "ابھی کسی کی اطلاعات کا جائزہ نہیں لیا گیا۔ یہ دن میں ایک بار ہوتا ہے، یا amanat feeds --send سے۔",
  ],
  "feeds.title": ["All agencies", "تمام ادارے"],
  "feeds.window": [
    "Messages are those of the month of the last look and the one before, by which the limits judge. Fields and days are of the last twelve months.",
    "پیغامات آخری جائزے کے مہینے اور اس سے پہلے مہینے کے ہیں، جن پر حدود لاگو ہوتی ہیں۔ خانے اور دن گزشتہ بارہ مہینوں کے ہیں۔",
  ],
  "feeds.alerts": ["{n} of {all} feeds need you: facts are missing from the count.", "{all} میں سے {n} اداروں کی اطلاعات پر انتباہ ہے: کچھ حقائق شمار میں نہیں۔"],
  "feeds.noalerts": ["No feed stands at an alert.", "کسی ادارے کی اطلاعات پر انتباہ نہیں۔"],
  "feeds.sort": ["Sort by", "ترتیب"],
  "feeds.agency": ["Agency", "ادارہ"],
  "feeds.state": ["State", "حالت"],
  "feeds.accepted": ["Events", "واقعات"],
  "feeds.known": ["Fields known", "معلوم خانے"],
  "feeds.record": ["Days to record", "درج ہونے تک دن"],
  "feeds.arrive": ["Days to arrive", "پہنچنے تک دن"],
  "feeds.duplicates": ["Duplicates", "مکرر"],
  "feeds.conflicts": ["Conflicts", "متضاد"],
  "feeds.aside": ["Set aside", "الگ رکھے گئے"],
  "feeds.gaps": ["Gaps in versions", "ورژن میں خلا"],
  "feeds.missing": ["Reports missing", "باقی رپورٹیں"],
  "feeds.missing.of": ["{missing} of {expected}", "{expected} میں سے {missing}"],
  "feeds.trend": ["Facts by month", "ماہانہ حقائق"],
  "feeds.trend.of": ["Facts by month, {from} to {to}: from {first} to {last}", "ماہانہ حقائق، {from} سے {to}: {first} سے {last} تک"],
  "feeds.more": ["and {n} more", "اور {n} مزید"],
  "stands.ok": ["within all limits", "تمام حدود کے اندر"],
  "stands.attention": ["needs attention", "توجہ طلب"],
  "stands.alert": ["alert", "انتباہ"],

  // What crossed which limit, in few words
  "crossed.missing_report": ["{of}: missing for {found} days (limit {limit})", "{of}: {found} دن سے باقی (حد {limit})"],
  "crossed.silent": ["silent for {found} days (limit {limit})", "{found} دن سے خاموش (حد {limit})"],
  "crossed.set_aside": ["set aside {found} % (limit {limit} %)", "الگ رکھے گئے {found} ٪ (حد {limit} ٪)"],
  "crossed.conflicts": ["conflicts {found} % (limit {limit} %)", "متضاد {found} ٪ (حد {limit} ٪)"],
  "crossed.duplicates": ["duplicates {found} % (limit {limit} %)", "مکرر {found} ٪ (حد {limit} ٪)"],
  "crossed.incomplete": ["{of}: known of {found} % (limit {limit} %)", "{of}: {found} ٪ میں معلوم (حد {limit} ٪)"],
  "crossed.falling": ["{of}: {found} points less known than a year ago (limit {limit})", "{of}: ایک سال پہلے سے {found} درجے کم معلوم (حد {limit})"],
  "crossed.recorded_late": ["{of}: recorded after {found} days (limit {limit})", "{of}: {found} دن بعد درج (حد {limit})"],
  "crossed.gaps": ["versions without the one before {found} % (limit {limit} %)", "پہلے کے بغیر آنے والے ورژن {found} ٪ (حد {limit} ٪)"],
  "crossed.arrives_late": ["arrives after {found} days (limit {limit})", "{found} دن بعد پہنچتا ہے (حد {limit})"],

  // One agency
  "one.all": ["All agencies' feeds", "تمام اداروں کی اطلاعات"],
  "one.missing": [
    "There is no report on the feed of such an agency. Each feed is looked at once a day.",
    "ایسے کسی ادارے کی اطلاعات پر کوئی جائزہ نہیں۔ ہر ادارے کا جائزہ دن میں ایک بار ہوتا ہے۔",
  ],
  "one.asof": ["Up to {date}, told {told}.", "{date} تک، بتایا گیا {told}۔"],
  "one.crossed": ["What is beyond a limit", "کیا حد سے باہر ہے"],
  "one.none": ["Nothing. The feed is within all limits.", "کچھ نہیں۔ اطلاعات تمام حدود کے اندر ہیں۔"],
  "one.quality": ["Completeness by field", "خانوں کی تکمیل"],
  "one.quality.lede": [
    "Of the agency's own facts, corrected as they stand: {now} % of all fields are known, of the twelve months before {before} %.",
    "ادارے کے اپنے حقائق، اصلاحات سمیت: تمام خانوں میں سے {now} ٪ معلوم ہیں، اس سے پہلے کے بارہ مہینوں میں {before} ٪۔",
  ],
  "one.contradictions": ["Contradictions with other agencies", "دوسرے اداروں سے تضاد"],
  "one.contradictions.lede": [
    "Of persons whom this agency and others know, in steps of ten percent and once a quarter: neither persons nor their number nor the other agency can be told by it.",
    "ان افراد میں جنہیں یہ ادارہ اور دوسرے ادارے جانتے ہیں، دس فیصد کے درجوں میں اور سہ ماہی میں ایک بار: اس سے نہ افراد معلوم ہو سکتے ہیں، نہ ان کی تعداد، نہ دوسرا ادارہ۔",
  ],
  "one.contradiction": ["{field}: about {from} to {to} % contradict.", "{field}: تقریباً {from} سے {to} ٪ متضاد۔"],
  "one.contradictions.none": ["Too few persons are known to several agencies to say it.", "کئی اداروں کو معلوم افراد اتنے کم ہیں کہ یہ نہیں بتایا جا سکتا۔"],
  "one.calendar.none": ["No reports are expected of this agency.", "اس ادارے سے کوئی رپورٹ متوقع نہیں۔"],
} as const satisfies Record<string, Pair>;

export type FeedsKey = keyof typeof texts;
