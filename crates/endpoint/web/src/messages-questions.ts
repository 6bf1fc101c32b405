// What the pages of saved questions say, in English and Urdu side by side, as in messages.ts.
import type { Pair } from "./messages";

export const texts = {
  // The list
  "questions.title": ["Saved questions", "محفوظ سوالات"],
  "questions.lede": [
    "Questions that somebody has put well, each with its answer at an address of its own: read it here, change its parameters, or let a spreadsheet or dashboard fetch it.",
    "وہ سوالات جو کسی نے سوچ سمجھ کر بنائے ہیں، ہر ایک کا جواب اپنے پتے پر: یہاں پڑھیں، شرائط بدلیں، یا اسپریڈشیٹ اور ڈیش بورڈ سے حاصل کریں۔",
  ],
  "questions.find": ["Find a question", "سوال تلاش کریں"],
  "questions.count": ["{n} of {all} questions", "{all} میں سے {n} سوالات"],
  "questions.none": ["No question has these words.", "ان الفاظ کا کوئی سوال نہیں۔"],
  "questions.own": ["You have put one well yourself? Save it", "آپ نے کوئی اچھا سوال بنایا ہے؟ محفوظ کریں"],
  "questions.own.sql": ["on the page of SQL", "SQL کے صفحے پر"],
  "by.service": ["Comes with the service", "سروس کے ساتھ آتا ہے"],
  "by.account": ["Saved by {name}", "{name} نے محفوظ کیا"],
  "mark.records": ["asks the records", "ریکارڈ سے پوچھتا ہے"],
  "mark.records.signin": ["asks the records: sign in", "ریکارڈ سے پوچھتا ہے: سائن اِن کریں"],
  "mark.readers": ["seen by those who sign in", "صرف سائن اِن کرنے والوں کو نظر آتا ہے"],

  // One question
  "one.kicker": ["Saved question", "محفوظ سوال"],
  "one.missing.title": ["There is no question “{name}”", "”{name}“ نام کا کوئی سوال نہیں"],
  "one.missing": [
    "It was taken away, never was, or is seen by those who sign in.",
    "اسے ہٹا دیا گیا، کبھی تھا ہی نہیں، یا صرف سائن اِن کرنے والوں کو نظر آتا ہے۔",
  ],
  "one.all": ["All saved questions", "تمام محفوظ سوالات"],
  "one.parameters": ["Parameters of the question", "سوال کی شرائط"],
  "one.true": ["yes", "ہاں"],
  "one.false": ["no", "نہیں"],
  "one.offer": [
    "This question asks the records. It is asked with your account when you press “Ask”, and not before: nobody's share is spent by following a link.",
    "یہ سوال ریکارڈ سے پوچھتا ہے۔ آپ کے اکاؤنٹ سے اسی وقت پوچھا جاتا ہے جب آپ ”پوچھیں“ دبائیں، اس سے پہلے نہیں: کسی لنک پر جانے سے کسی کا حصہ خرچ نہیں ہوتا۔",
  ],
  "one.parquet": ["Download Parquet", "Parquet حاصل کریں"],
  "one.share": ["Copy the URL of this page", "اس صفحے کا پتہ نقل کریں"],
  "one.access": ["The same answer with your own tools", "یہی جواب اپنے اوزاروں سے"],
  "one.url.edition": [
    "The address always gives the latest edition; with CSV in spreadsheets, with format=json in dashboards. It changes only with the edition (ETag).",
    "یہ پتہ ہمیشہ تازہ ترین اشاعت دیتا ہے؛ اسپریڈشیٹ میں CSV، ڈیش بورڈ میں format=json کے ساتھ۔ جواب صرف نئی اشاعت سے بدلتا ہے (ETag)۔",
  ],
  "one.url.key": [
    "Without the login of this browser a key is sent with it: Authorization: Bearer …",
    "اس براؤزر کے لاگ اِن کے بغیر اس کے ساتھ کلید بھیجی جاتی ہے: Authorization: Bearer …",
  ],
  "one.edit": ["Change it on the page of SQL", "SQL کے صفحے پر تبدیل کریں"],
  "one.delete": ["Delete", "حذف کریں"],
  "one.delete.title": ["Delete “{name}”?", "”{name}“ کو حذف کر دیں؟"],
  "one.delete.text": [
    "The question and the address of its answer are gone at once, for everybody who uses them. It cannot be undone.",
    "سوال اور اس کے جواب کا پتہ فوراً ختم ہو جائیں گے، سب استعمال کرنے والوں کے لیے۔ یہ واپس نہیں ہو سکتا۔",
  ],
  "one.delete.yes": ["Delete", "حذف کر دیں"],
  "one.delete.no": ["Keep", "رہنے دیں"],

  // Parameters that the service's own questions have; of others it says in one language what they mean
  "parameter.from_year": ["From the year", "سال سے"],
  "parameter.year": ["Year", "سال"],
  "parameter.indicator": ["Indicator (id)", "اشاریہ (نشان)"],
  "parameter.age_group": ["Age group", "عمر کا گروہ"],
  "parameter.sex": ["Sex", "جنس"],
  "parameter.province": ["Province", "صوبہ"],

  // Saving one
  "save.title": ["Save this question", "یہ سوال محفوظ کریں"],
  "save.title.edit": ["Change the saved question", "محفوظ سوال تبدیل کریں"],
  "save.lede": [
    "It gets a page and an address that gives its answer, for whoever may ask its tables.",
    "اسے ایک صفحہ اور جواب دینے والا پتہ ملتا ہے، ہر اس شخص کے لیے جسے اس کے جدولوں سے پوچھنے کی اجازت ہو۔",
  ],
  "save.heading": ["Title", "عنوان"],
  "save.heading.rule": ["What it asks, in a line of English.", "سوال کیا پوچھتا ہے، انگریزی کی ایک سطر میں۔"],
  "save.heading.ur": ["Title in Urdu", "اردو میں عنوان"],
  "save.description": ["Description", "وضاحت"],
  "save.description.rule": ["What should be known of it: whom it counts, and whom not.", "کیا جاننا ضروری ہے: کس کو شمار کرتا ہے، کس کو نہیں۔"],
  "save.description.ur": ["Description in Urdu", "اردو میں وضاحت"],
  "save.optional": ["may be left empty", "خالی چھوڑا جا سکتا ہے"],
  "save.name": ["Name in addresses", "پتوں میں نام"],
  "save.name.rule": ["Small Latin letters, digits and hyphens, at most 60.", "چھوٹے لاطینی حروف، ہندسے اور -، زیادہ سے زیادہ 60۔"],
  "save.name.wrong": [
    "A name is of small Latin letters, digits and hyphens, at most 60, and does not begin with a hyphen.",
    "نام چھوٹے لاطینی حروف، ہندسوں اور - پر مشتمل ہو، زیادہ سے زیادہ 60، اور - سے شروع نہ ہو۔",
  ],
  "save.name.taken": ["There is a question of that name. Choose another.", "اس نام کا سوال موجود ہے۔ کوئی اور نام منتخب کریں۔"],
  "save.parameter": ["Parameter {sign}", "شرط {sign}"],
  "save.parameter.name": ["Its name in addresses", "پتوں میں اس کا نام"],
  "save.parameter.name.wrong": [
    "Small Latin letters, digits and underlines, each name once; not format, bom, companions, lang, edition.",
    "چھوٹے لاطینی حروف، ہندسے اور _، ہر نام ایک بار؛ format، bom، companions، lang اور edition نہیں۔",
  ],
  "save.parameter.type": ["Type", "قسم"],
  "save.parameter.list": ["Code list", "کوڈ کی فہرست"],
  "save.parameter.list.none": ["none", "کوئی نہیں"],
  "save.parameter.default": ["Value where none is given", "قدر جب کوئی نہ دی جائے"],
  "save.parameter.description": ["What it means", "اس کا مطلب"],
  "kind.text": ["text", "متن"],
  "kind.integer": ["whole number", "پورا عدد"],
  "kind.number": ["number", "عدد"],
  "kind.boolean": ["yes or no", "ہاں یا نہیں"],
  "save.audience": ["Who sees it", "کون دیکھے"],
  "save.audience.readers": ["those who sign in", "سائن اِن کرنے والے"],
  "save.audience.public": ["everybody", "ہر کوئی"],
  "save.schedule": [
    "Make the answer with each edition, so that nobody waits (published tables only)",
    "ہر اشاعت کے ساتھ جواب تیار رکھیں تاکہ کوئی انتظار نہ کرے (صرف شائع شدہ جدول)",
  ],
  "save.submit": ["Save", "محفوظ کریں"],
  "save.busy": ["Saving …", "محفوظ ہو رہا ہے …"],
  "save.cancel": ["Not now", "ابھی نہیں"],
  "save.missing": ["This must be filled in.", "یہ خانہ پُر کرنا ضروری ہے۔"],
} satisfies Record<string, Pair>;

/** Names of these messages. */
export type QuestionKey = keyof typeof texts;
