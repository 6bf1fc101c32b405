// Every text of the page of an agency, in English and Urdu side by side.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { filled } from "../lib/words";
import type { Pair } from "../messages";
import { feedTexts } from "../messages-feed";
import type { Lang } from "../lib/route";

export const texts = {
  ...feedTexts,
  "title": ["The agencies' door", "اداروں کا دروازہ"],
  "language": ["اردو", "English"],
  "skip": ["Skip to the content", "براہِ راست متن پر جائیں"],
  "loading": ["Loading …", "لوڈ ہو رہا ہے …"],
  "older": ["Show older ones", "پرانے دکھائیں"],
  "again": ["Look again", "دوبارہ دیکھیں"],
  "download": ["Download as CSV", "CSV کے طور پر حاصل کریں"],

  "key.lede": [
    "For agencies that report here: what has arrived of yours, what was set aside and why, and how good your feed is.",
    "یہاں رپورٹ کرنے والے اداروں کے لیے: آپ کا کیا پہنچا، کیا الگ رکھا گیا اور کیوں، اور آپ کی اطلاعات کتنی اچھی ہیں۔",
  ],
  "key.label": ["Key of your agency", "آپ کے ادارے کی کلید"],
  "key.rule": [
    "Begins with amanat_. It stays in this page and goes when you close it.",
    "amanat_ سے شروع ہوتی ہے۔ یہ صرف اسی صفحے میں رہتی ہے اور صفحہ بند کرنے پر ختم ہو جاتی ہے۔",
  ],
  "key.missing": ["Type the key first.", "پہلے کلید لکھیں۔"],
  "key.enter": ["Show my agency", "میرا ادارہ دکھائیں"],
  "key.wrong": [
    "No agency has this key today. A lost or expired key is replaced by who runs the service.",
    "آج یہ کلید کسی ادارے کی نہیں۔ گم شدہ یا ختم شدہ کلید سروس چلانے والے سے بدلوائی جاتی ہے۔",
  ],
  "key.leave": ["Forget the key", "کلید بھلا دیں"],
  "failed": ["The door did not answer as it should.", "دروازے نے ٹھیک جواب نہیں دیا۔"],

  "nav": ["Parts of this page", "اس صفحے کے حصے"],
  "attention": ["What needs you", "جہاں آپ کی ضرورت ہے"],
  "attention.none": ["Nothing. Your feed is within all limits.", "کچھ نہیں۔ آپ کی اطلاعات تمام حدود کے اندر ہیں۔"],
  "attention.unknown": [
    "Nobody has looked at your feed yet; that is done once a day.",
    "ابھی آپ کی اطلاعات کا جائزہ نہیں لیا گیا؛ یہ دن میں ایک بار ہوتا ہے۔",
  ],
  "attention.asof": ["As of {date}.", "{date} تک۔"],
  "alert.missing_report": [
    "Report missing: {of}. Its period ended {found} days ago. Send what there is, or say that there was nothing (report.nil).",
    "رپورٹ موصول نہیں ہوئی: {of}۔ اس کی مدت {found} دن پہلے ختم ہوئی۔ جو ہے بھیجیں، یا بتائیں کہ کچھ نہیں تھا (report.nil)۔",
  ],
  "alert.silent": [
    "Nothing has arrived for {found} days (limit {limit}). Look whether your sender runs.",
    "{found} دن سے کچھ نہیں پہنچا (حد {limit})۔ دیکھیں کہ بھیجنے والا نظام چل رہا ہے یا نہیں۔",
  ],
  "alert.set_aside": [
    "{found} % of what arrived in this month and the last was set aside (limit {limit} %). Mend the lines below and send them again.",
    "اس اور پچھلے مہینے پہنچنے والے پیغامات کا {found} ٪ الگ رکھا گیا (حد {limit} ٪)۔ نیچے دی گئی سطریں درست کر کے دوبارہ بھیجیں۔",
  ],
  "alert.conflicts": [
    "{found} % had the id of another event (limit {limit} %). Give each event an id of its own; say changes by record.corrected.",
    "{found} ٪ کا شناختی نمبر کسی اور واقعے کا تھا (حد {limit} ٪)۔ ہر واقعے کو اپنا نمبر دیں؛ تبدیلی record.corrected سے بتائیں۔",
  ],
  "alert.duplicates": [
    "{found} % had arrived before (limit {limit} %). It counts once; look why your sender repeats itself.",
    "{found} ٪ پہلے ہی پہنچ چکا تھا (حد {limit} ٪)۔ یہ ایک ہی بار شمار ہوتا ہے؛ دیکھیں کہ نظام کیوں دہراتا ہے۔",
  ],
  "alert.incomplete": ["{of}: known of {found} % only (limit {limit} %).", "{of}: صرف {found} ٪ میں معلوم (حد {limit} ٪)۔"],
  "alert.falling": [
    "{of}: known of {found} points less than a year ago (limit {limit}).",
    "{of}: ایک سال پہلے سے {found} درجے کم معلوم (حد {limit})۔",
  ],
  "alert.gaps": [
    "Before {found} % of what you recorded in this month and the last, the earlier version of the record never came (limit {limit} %). Look which events of those records were not sent or were set aside, and send them.",
    "اس اور پچھلے مہینے آپ کے درج کردہ {found} ٪ سے پہلے ریکارڈ کا پچھلا ورژن کبھی نہیں پہنچا (حد {limit} ٪)۔ دیکھیں کہ ان ریکارڈوں کے کون سے واقعات نہیں بھیجے گئے یا الگ رکھے گئے، اور انہیں بھیجیں۔",
  ],
  "alert.recorded_late": [
    "{of}: recorded {found} days after it happened, in the median (limit {limit}).",
    "{of}: واقعے کے {found} دن بعد درج ہوا، وسطانیہ میں (حد {limit})۔",
  ],
  "alert.arrives_late": [
    "What you record arrives {found} days later, in the median (limit {limit}).",
    "جو آپ درج کرتے ہیں وہ {found} دن بعد پہنچتا ہے، وسطانیہ میں (حد {limit})۔",
  ],

  "arrived": ["What arrived", "کیا پہنچا"],
  "arrived.lede": [
    "By whatever way you send. It counts when it is accepted, once by its id.",
    "آپ جس راستے سے بھی بھیجیں۔ قبول ہونے پر شمار ہوتا ہے، اپنے شناختی نمبر سے ایک ہی بار۔",
  ],
  "arrived.days": ["The last 31 days", "گزشتہ 31 دن"],
  "arrived.receipts": ["Requests at this door", "اس دروازے پر درخواستیں"],
  "day": ["Day", "دن"],
  "status.durable": ["received, not read yet", "موصول، ابھی پڑھا نہیں گیا"],
  "status.passed_over": ["passed over", "چھوڑ دیا گیا"],
  "status.refused": ["refused", "رد"],
  "receipt": ["Receipt", "رسید"],
  "received": ["Received", "موصول"],
  "receipt.open": ["Show its lines", "اس کی سطریں دکھائیں"],
  "receipt.close": ["Hide its lines", "سطریں چھپائیں"],
  "receipt.lines": ["Lines of receipt {id}", "رسید {id} کی سطریں"],
  "receipt.well": ["Every line is accepted or on its way.", "ہر سطر قبول ہو چکی یا راستے میں ہے۔"],
  "line": ["Line", "سطر"],
  "what": ["What became of it", "اس کا کیا ہوا"],
  "why": ["Why, and what to do", "کیوں، اور کیا کریں"],

  "aside": ["What was set aside", "کیا الگ رکھا گیا"],
  "aside.lede": [
    "These are kept, encrypted, and do not count. Mend the cause and send the event again.",
    "یہ خفیہ حالت میں محفوظ ہیں اور شمار نہیں ہوتے۔ وجہ درست کر کے واقعہ دوبارہ بھیجیں۔",
  ],
  "aside.where": ["Where", "کہاں"],
  "aside.line": ["receipt {receipt}, line {line}", "رسید {receipt}، سطر {line}"],
  "aside.offset": ["partition {partition}, offset {offset}", "حصہ {partition}، مقام {offset}"],
  "aside.when": ["When", "کب"],

  "check": ["Check and send a file", "فائل جانچیں اور بھیجیں"],
  "check.lede": [
    "CSV by one of your mappings, or events as JSON, one a line. Nobody's name belongs in it: seal the file first with amanat tokenize.",
    "اپنی کسی میپنگ سے CSV، یا JSON میں واقعات، ہر سطر میں ایک۔ اس میں کسی کا نام نہیں ہونا چاہیے: پہلے فائل کو amanat tokenize سے مہر بند کریں۔",
  ],
  "check.file": ["File", "فائل"],
  "check.mapping": ["Mapping", "میپنگ"],
  "check.nomapping": [
    "You have no mapping yet: take a template below, which brings one.",
    "ابھی آپ کی کوئی میپنگ نہیں: نیچے سے سانچہ لیں، اس کے ساتھ میپنگ آتی ہے۔",
  ],
  "check.do": ["Check", "جانچیں"],
  "check.send": ["Send {n} rows", "{n} سطریں بھیجیں"],
  "check.busy": ["At work …", "کام ہو رہا ہے …"],
  "check.found": ["{valid} of {events} would be accepted.", "{events} میں سے {valid} قبول ہوں گی۔"],
  "check.corrections": ["Download the others to put them right (xlsx)", "باقی کو درست کرنے کے لیے حاصل کریں (xlsx)"],
  "check.sent": ["Sent: {accepted} received, {refused} refused. Receipt {receipt}.", "بھیج دیا گیا: {accepted} موصول، {refused} رد۔ رسید {receipt}۔"],
  "check.more": ["… and {n} more", "… اور {n} مزید"],

  "templates": ["Spreadsheet templates", "اسپریڈشیٹ کے سانچے"],
  "templates.lede": [
    "A workbook with drop-downs for each kind of report, and the mapping by which its rows become events. Of a kind that names a person also the columns file, by which amanat tokenize seals the rows on your machine.",
    "ہر قسم کی رپورٹ کے لیے فہرستوں والی ورک بک، اور وہ میپنگ جس سے اس کی سطریں واقعات بنتی ہیں۔ جس قسم میں کسی فرد کا ذکر ہو اس کے ساتھ کالموں کی فائل بھی، جس سے amanat tokenize آپ ہی کی مشین پر سطروں کو مہر بند کرتا ہے۔",
  ],
  "templates.kind": ["Kind of report", "رپورٹ کی قسم"],
  "templates.xlsx": ["Workbook", "ورک بک"],
  "templates.columns": ["Columns file", "کالموں کی فائل"],
  "templates.use": ["Put its mapping in place", "اس کی میپنگ لگائیں"],
  "templates.used": ["The mapping {name} is in place.", "میپنگ {name} لگا دی گئی۔"],

  "quality": ["How good your feed is", "آپ کی اطلاعات کتنی اچھی ہیں"],
  "quality.lede": [
    "Of your own facts, corrected as they stand. The last twelve months beside the twelve before.",
    "آپ کے اپنے حقائق، اصلاحات سمیت۔ گزشتہ بارہ مہینے اور ان سے پہلے کے بارہ۔",
  ],
  "contradictions": [
    "Of the persons whom you and others know, {field} contradicts another agency of about {from} to {to} %.",
    "جن افراد کو آپ اور دوسرے ادارے جانتے ہیں، ان میں تقریباً {from} سے {to} ٪ کا {field} کسی دوسرے ادارے سے متضاد ہے۔",
  ],

  "calendar.none": ["No reports are expected of you.", "آپ سے کوئی رپورٹ متوقع نہیں۔"],
} as const satisfies Record<string, Pair>;

export type TextKey = keyof typeof texts;
export type Say = (key: TextKey, values?: Record<string, string | number>) => string;

export const Spoken = createContext<Lang>("en");

/** The messages of this page in the reader's language. */
export function useSay(): Say {
  const lang = useContext(Spoken);
  return (key, values) => filled(texts[key], lang, values);
}

/** A text by a name that is made of a code, or the code itself where there is none. */
export function named(say: Say, kind: string, code: string, values?: Record<string, string | number>): string {
  const key = `${kind}.${code}`;
  return key in texts ? say(key as TextKey, values) : code;
}
