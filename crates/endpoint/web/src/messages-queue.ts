// What the steward's page says, in English and Urdu side by side, as in messages.ts.
import type { Pair } from "./messages";

export const texts = {
  "queue.lede": [
    "What a rule cannot decide: events that came with two contents, and persons who may be one. Each of your words is an event on the log, and a later one replaces it.",
    "جس کا فیصلہ کوئی قاعدہ نہیں کر سکتا: وہ واقعات جو دو مختلف مضامین کے ساتھ آئے، اور وہ افراد جو شاید ایک ہوں۔ آپ کا ہر فیصلہ لاگ پر ایک واقعہ ہے، اور بعد کا فیصلہ پہلے کی جگہ لے لیتا ہے۔",
  ],
  "queue.nobody": [
    "Nobody is named here. Persons bear the ids of the warehouse; tokens, ids of records and amounts are not shown: that they differ is.",
    "یہاں کسی کا نام نہیں۔ افراد گودام کے شناختی نمبر سے ہیں؛ ٹوکن، ریکارڈ کے نمبر اور رقمیں نہیں دکھائی جاتیں: صرف یہ کہ وہ مختلف ہیں۔",
  ],
  "queue.feeds": ["How good each agency's feed is", "ہر ادارے کی اطلاعات کتنی اچھی ہیں"],
  "queue.more": ["{shown} of {all} are shown: decide these, and the next ones come.", "{all} میں سے {shown} دکھائے گئے ہیں: ان کا فیصلہ کریں تو اگلے آئیں گے۔"],

  // Conflicts
  "conflicts.title": ["Events with several contents", "کئی مضامین والے واقعات"],
  "conflicts.lede": [
    "An agency has used one event id twice. Until you decide, the content counts that is the least by its sealed form, whichever came first. What is wrong in a fact only the agency can correct: tell it.",
    "ادارے نے ایک ہی واقعہ نمبر دو بار استعمال کیا۔ آپ کے فیصلے تک وہ مضمون شمار ہوتا ہے جو اپنی مہر بند شکل میں سب سے چھوٹا ہو، چاہے کوئی بھی پہلے آیا ہو۔ حقیقت کی غلطی صرف ادارہ درست کر سکتا ہے: اسے بتائیں۔",
  ],
  "conflicts.none": ["No event waits for you.", "کوئی واقعہ آپ کا منتظر نہیں۔"],
  "conflicts.of": ["{agency}, event {id}", "{agency}، واقعہ {id}"],
  "conflicts.field": ["Field", "خانہ"],
  "conflicts.content": ["Content {n}", "مضمون {n}"],
  "conflicts.type": ["type", "قسم"],
  "conflicts.read": ["read", "پڑھا گیا"],
  "conflicts.row": ["place in the log", "لاگ میں جگہ"],
  "conflicts.now": ["counts now", "ابھی شمار ہوتا ہے"],
  "conflicts.yes": ["yes", "ہاں"],
  "conflicts.no": ["no", "نہیں"],
  "conflicts.differs": ["differs (not shown)", "مختلف ہے (دکھایا نہیں جاتا)"],
  "conflicts.unsaid": ["not said", "درج نہیں"],
  "conflicts.decision": ["Your word", "آپ کا فیصلہ"],
  "conflicts.counts": ["This one counts", "یہ شمار ہو"],
  "conflicts.counts.what": ["This one counts: content {n} of event {id} of {agency}", "یہ شمار ہو: {agency} کے واقعہ {id} کا مضمون {n}"],
  "conflicts.because.least": ["Nothing was decided: the least content counts.", "کوئی فیصلہ نہیں ہوا: سب سے چھوٹا مضمون شمار ہوتا ہے۔"],
  "conflicts.because.decided_for_absent": [
    "What was decided is not here (any more): the least content counts.",
    "جس کا فیصلہ ہوا تھا وہ یہاں نہیں (یا اب نہیں رہا): سب سے چھوٹا مضمون شمار ہوتا ہے۔",
  ],
  "conflicts.said": [
    "Content {n} counts: it is on the log. The next fold obeys it, and the event leaves this list as soon as it has been read.",
    "مضمون {n} شمار ہوگا: لاگ پر درج ہو گیا۔ اگلی تہہ بندی اس پر عمل کرے گی، اور پڑھے جاتے ہی واقعہ اس فہرست سے نکل جائے گا۔",
  ],

  // Pairs
  "links.title": ["Persons who may be one", "افراد جو شاید ایک ہوں"],
  "links.lede": [
    "Linkage holds each pair for likely enough to be asked about, and not for sure enough to count the two as one. Look into it with the agencies that know them.",
    "ربط کے حساب میں ہر جوڑا پوچھنے کے لائق ہے، مگر اتنا یقینی نہیں کہ دونوں کو ایک شمار کیا جائے۔ جو ادارے انہیں جانتے ہیں ان سے مل کر دیکھیں۔",
  ],
  "links.as_of": ["As everybody was compared last: {time}.", "آخری موازنے کے مطابق: {time}۔"],
  "links.comparing": ["Everybody is being compared; the list comes by itself.", "سب کا موازنہ ہو رہا ہے؛ فہرست خود آ جائے گی۔"],
  "links.never": ["Nobody was compared yet.", "ابھی تک کوئی موازنہ نہیں ہوا۔"],
  "links.problem.words_contradict": [
    "Your words on pairs contradict each other: one says that two are one, others that they are not. Nobody can be compared until one is taken back, below.",
    "جوڑوں پر آپ کے فیصلے ایک دوسرے کی نفی کرتے ہیں: ایک کے مطابق دو افراد ایک ہیں، دوسروں کے مطابق نہیں۔ جب تک نیچے کوئی فیصلہ واپس نہ لیا جائے، موازنہ ممکن نہیں۔",
  ],
  "links.problem.failed": [
    "Persons could not be compared. It is tried again; if it stays, tell who runs this service.",
    "افراد کا موازنہ نہ ہو سکا۔ دوبارہ کوشش ہوگی؛ اگر یہی رہے تو سروس چلانے والے کو بتائیں۔",
  ],
  "links.none": ["No pair waits for you.", "کوئی جوڑا آپ کا منتظر نہیں۔"],
  "links.person": ["Person", "فرد"],
  "links.other": ["Other person", "دوسرا فرد"],
  "links.likely": ["Of 1,000 such pairs one person", "ایسے 1,000 جوڑوں میں ایک ہی فرد"],
  "links.why": ["Why not counted as one", "ایک کیوں شمار نہیں"],
  "links.decision": ["Your word", "آپ کا فیصلہ"],
  "links.one": ["One person", "ایک فرد"],
  "links.two": ["Two persons", "دو افراد"],
  "links.one.what": ["One person: {person} and {other}", "ایک فرد: {person} اور {other}"],
  "links.two.what": ["Two persons: {person} and {other}", "دو افراد: {person} اور {other}"],
  "links.withdraw": ["Take it back", "واپس لیں"],
  "links.withdraw.what": ["Take it back: the word on {person} and {other}", "واپس لیں: {person} اور {other} پر فیصلہ"],
  "links.said": [
    "Your word on {person} and {other} is on the log; linkage obeys it from its next run on.",
    "{person} اور {other} پر آپ کا فیصلہ لاگ پر درج ہے؛ ربط اگلی بار سے اس پر عمل کرے گا۔",
  ],
  "links.onlog": ["on the log", "لاگ پر"],
  "because.weak": ["The evidence is not enough.", "شہادت کافی نہیں۔"],
  "because.contradicts": ["What is known of the two contradicts.", "دونوں کے بارے میں معلومات ایک دوسرے کی نفی کرتی ہیں۔"],
  "because.others_contradict": [
    "Somebody linked with one of them contradicts the other.",
    "ان میں سے ایک سے جڑا کوئی فرد دوسرے کی نفی کرتا ہے۔",
  ],
  "because.agency_keeps_apart": ["One agency knows them as two.", "ایک ادارہ انہیں دو الگ افراد جانتا ہے۔"],
  "because.too_many": ["Together they would be too many.", "مل کر وہ بہت زیادہ ہو جائیں گے۔"],

  // What was decided of pairs
  "said.title": ["Decided pairs", "جن جوڑوں کا فیصلہ ہو چکا"],
  "said.none": ["No word of yours on a pair stands.", "کسی جوڑے پر آپ کا کوئی فیصلہ قائم نہیں۔"],
  "said.word": ["Decided", "فیصلہ"],
} as const satisfies Record<string, Pair>;

export type QueueKey = keyof typeof texts;
