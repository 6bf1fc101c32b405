// What the pages of people say (signing in, invitations, who may come in), in English and Urdu side by side, as in messages.ts.
import type { Pair } from "./messages";

export const texts = {
  // Fields and refusals of all three
  "people.name": ["Account name", "اکاؤنٹ کا نام"],
  "people.password": ["Password", "پاس ورڈ"],
  "people.show": ["Show", "دکھائیں"],
  "people.hide": ["Hide", "چھپائیں"],
  "people.show.what": ["Show what is typed: {label}", "لکھا ہوا دکھائیں: {label}"],
  "people.hide.what": ["Hide what is typed: {label}", "لکھا ہوا چھپائیں: {label}"],
  "people.missing": ["This must be filled in.", "یہ خانہ پُر کرنا ضروری ہے۔"],
  "people.said": ["The service says:", "سروس کا جواب:"],
  "refused.not_proven": ["Name and password do not belong together.", "نام اور پاس ورڈ آپس میں نہیں ملتے۔"],
  "refused.locked_out": [
    "Too many passwords were tried. The next one is taken in {wait}.",
    "بہت زیادہ پاس ورڈ آزمائے گئے۔ اگلا {wait} بعد قبول ہوگا۔",
  ],
  "refused.locked_out.over": ["You can try again now.", "اب آپ دوبارہ کوشش کر سکتے ہیں۔"],
  "wait.second": ["1 second", "1 سیکنڈ"],
  "wait.seconds": ["{n} seconds", "{n} سیکنڈ"],
  "wait.minutes": ["{n} minutes", "{n} منٹ"],
  "refused.plain_connection": [
    "This connection is not encrypted, so no password is taken over it. Open the service at its https:// address.",
    "یہ رابطہ خفیہ نہیں، اس لیے اس پر کوئی پاس ورڈ قبول نہیں ہوتا۔ سروس کو اس کے https:// پتے پر کھولیں۔",
  ],
  "refused.other_origin": [
    "The session has changed meanwhile, perhaps in another tab. Try again.",
    "اس دوران سیشن بدل گیا ہے، شاید کسی دوسرے ٹیب میں۔ دوبارہ کوشش کریں۔",
  ],
  "refused.not_changed": ["Nothing was changed.", "کچھ تبدیل نہیں ہوا۔"],
  "refused.not_kept": [
    "It could not be recorded, so it has no effect. Tell who runs this service.",
    "اسے محفوظ نہ کیا جا سکا، اس لیے اس کا کوئی اثر نہیں۔ سروس چلانے والے کو بتائیں۔",
  ],
  "refused.malformed_body": ["What was filled in cannot be taken.", "جو لکھا گیا وہ قبول نہیں ہو سکتا۔"],
  "refused.key_needed": ["Your session is over. Sign in again.", "آپ کا سیشن ختم ہو چکا ہے۔ دوبارہ سائن اِن کریں۔"],
  "refused.address_not_allowed": ["Your role may not do this.", "آپ کے کردار کو اس کی اجازت نہیں۔"],
  "refused.network": ["The service did not answer. Try again.", "سروس نے جواب نہیں دیا۔ دوبارہ کوشش کریں۔"],
  "refused.other": ["That did not work.", "یہ نہ ہو سکا۔"],

  // Signing in
  "login.lede": [
    "For those whose work needs questions about the records, or who run this service. Published numbers need no account.",
    "ان کے لیے جنہیں کام کے لیے ریکارڈ کے بارے میں پوچھنا ہو، یا جو یہ سروس چلاتے ہیں۔ شائع شدہ اعداد کے لیے اکاؤنٹ کی ضرورت نہیں۔",
  ],
  "login.submit": ["Sign in", "سائن اِن کریں"],
  "login.busy": ["Signing in …", "سائن اِن ہو رہا ہے …"],
  "login.provider": ["Sign in by {name}", "{name} کے ذریعے سائن اِن کریں"],
  "login.unkept": [
    "Name and password are right, but this browser keeps no cookie of this service, so that it forgets you at once. Permit the cookie, and open the service at its own address.",
    "نام اور پاس ورڈ درست ہیں، لیکن یہ براؤزر اس سروس کی کوکی نہیں رکھتا، اس لیے آپ کو فوراً بھول جاتا ہے۔ کوکی کی اجازت دیں، اور سروس کو اس کے اپنے پتے پر کھولیں۔",
  ],
  "login.already": [
    "You are signed in as {name}. Who signs in here takes that place.",
    "آپ {name} کے نام سے سائن اِن ہیں۔ یہاں جو سائن اِن کرے گا وہ اس کی جگہ لے گا۔",
  ],
  "login.goon": ["Go on as {name}", "{name} کے طور پر جاری رکھیں"],
  "login.none": [
    "Nobody registers here: who runs this service invites by a link. A forgotten password is replaced in the same way.",
    "یہاں خود اکاؤنٹ نہیں بنایا جا سکتا: سروس چلانے والا لنک کے ذریعے دعوت دیتا ہے۔ بھولا ہوا پاس ورڈ بھی اسی طرح بدلا جاتا ہے۔",
  ],

  // Taking an invitation
  "welcome.title": ["You are invited", "آپ کو دعوت دی گئی ہے"],
  "welcome.lede": [
    "The link you opened makes you an account of this service. Choose its password: nobody else knows it, and who invited you does not see it.",
    "آپ نے جو لنک کھولا ہے وہ اس سروس میں آپ کا اکاؤنٹ بناتا ہے۔ اس کا پاس ورڈ منتخب کریں: اسے کوئی اور نہیں جانتا، اور دعوت دینے والے کو بھی نظر نہیں آتا۔",
  ],
  "welcome.once": [
    "The link opens once. It has been taken out of the address bar; if you leave this page before you are done, open the link again.",
    "لنک ایک ہی بار کھلتا ہے۔ اسے پتے کی پٹی سے ہٹا دیا گیا ہے؛ مکمل کرنے سے پہلے صفحہ چھوڑیں تو لنک دوبارہ کھولیں۔",
  ],
  "welcome.already": [
    "You are signed in as {name}. Taking the invitation ends that.",
    "آپ {name} کے نام سے سائن اِن ہیں۔ دعوت قبول کرنے پر وہ ختم ہو جائے گا۔",
  ],
  "welcome.none.title": ["No invitation", "کوئی دعوت نہیں"],
  "welcome.none": [
    "This page opens by the link of an invitation, and here is none. Open the link again, whole, from # to its end; it holds for seven days and opens once.",
    "یہ صفحہ دعوت کے لنک سے کھلتا ہے، اور یہاں کوئی لنک نہیں۔ لنک دوبارہ کھولیں، پورا، # سے آخر تک؛ وہ سات دن تک ہے اور ایک ہی بار کھلتا ہے۔",
  ],
  "welcome.none.login": ["I have an account: sign in", "میرا اکاؤنٹ ہے: سائن اِن"],
  "welcome.rules": ["A password of this service", "اس سروس کا پاس ورڈ"],
  "welcome.rule.length": ["has 12 to 128 characters", "12 سے 128 حروف کا ہو"],
  "welcome.rule.length.now": ["has 12 to 128 characters; now {n}", "12 سے 128 حروف کا ہو؛ ابھی {n}"],
  "welcome.rule.latin": [
    "is of Latin letters, digits, spaces and signs as on an English keyboard",
    "لاطینی حروف، ہندسوں، خالی جگہ اور انگریزی کی بورڈ کی علامتوں پر مشتمل ہو",
  ],
  "welcome.rule.same": ["is typed twice, the same", "دونوں بار ایک ہی لکھا گیا ہو"],
  "welcome.rule.held": ["fulfilled", "پورا"],
  "welcome.rule.open": ["not yet", "ابھی نہیں"],
  "welcome.advice": [
    "Four or five words that you would not say together are easy to keep and hard to guess. A password manager may make one.",
    "چار پانچ ایسے الفاظ جو آپ ایک ساتھ نہ کہیں، یاد رکھنے میں آسان اور بوجھنے میں مشکل ہوتے ہیں۔ پاس ورڈ مینیجر سے بھی بنوایا جا سکتا ہے۔",
  ],
  "welcome.password": ["New password", "نیا پاس ورڈ"],
  "welcome.again": ["The same once more", "وہی دوبارہ"],
  "welcome.short": ["Too short: {n} of at least 12 characters.", "بہت چھوٹا: کم از کم 12 میں سے {n} حروف۔"],
  "welcome.long": ["Too long: {n} of at most 128 characters.", "بہت لمبا: زیادہ سے زیادہ 128 کے بجائے {n} حروف۔"],
  "welcome.letters": [
    "There is a character in it that is not on an English keyboard. Change the keyboard to English.",
    "اس میں ایسا حرف ہے جو انگریزی کی بورڈ پر نہیں۔ کی بورڈ انگریزی پر کریں۔",
  ],
  "welcome.differ": ["The two are not the same.", "دونوں ایک جیسے نہیں۔"],
  "welcome.submit": ["Choose the password and come in", "پاس ورڈ منتخب کریں اور داخل ہوں"],
  "welcome.busy": ["A moment …", "ایک لمحہ …"],
  "welcome.refused": [
    "The invitation was not taken. It may have been used, or its seven days are over: ask who invited you for a new one.",
    "دعوت قبول نہیں ہوئی۔ شاید استعمال ہو چکی ہے، یا اس کے سات دن پورے ہو گئے: دعوت دینے والے سے نئی دعوت مانگیں۔",
  ],
  "welcome.done": ["You are signed in", "آپ سائن اِن ہو گئے ہیں"],
  "welcome.done.name": ["The name of your account is", "آپ کے اکاؤنٹ کا نام ہے"],
  "welcome.done.keep": [
    "You sign in by this name and your password. The link of the invitation is used up.",
    "آپ اسی نام اور اپنے پاس ورڈ سے سائن اِن کریں گے۔ دعوت کا لنک استعمال ہو چکا ہے۔",
  ],
  "welcome.done.sql": ["Ask in SQL", "SQL میں پوچھیں"],
  "welcome.done.people": ["Let others in", "دوسروں کو دعوت دیں"],

  // Who may come in
  "list.lede": [
    "Who may come in, and as what. Here stand names of accounts, not of persons: they appear in the log of what was asked.",
    "کون داخل ہو سکتا ہے، اور کس حیثیت سے۔ یہاں اکاؤنٹ کے نام ہیں، افراد کے نہیں: یہ نام سوالات کے ریکارڈ میں آتے ہیں۔",
  ],
  "steward.notyours": ["This page is for the data steward.", "یہ صفحہ نگرانِ ڈیٹا کے لیے ہے۔"],
  "steward.notyours.as": ["You are signed in as {name} ({role}).", "آپ {name} ({role}) کے نام سے سائن اِن ہیں۔"],
  "steward.notyours.other": ["Sign in as the steward", "نگرانِ ڈیٹا کے طور پر سائن اِن کریں"],
  "list.notyours": [
    "This page is for operators: those who run the service and let others in.",
    "یہ صفحہ منتظمین کے لیے ہے: جو سروس چلاتے ہیں اور دوسروں کو دعوت دیتے ہیں۔",
  ],
  "list.notyours.as": ["You are signed in as {name} ({role}).", "آپ {name} ({role}) کے نام سے سائن اِن ہیں۔"],
  "list.notyours.other": ["Sign in as an operator", "منتظم کے طور پر سائن اِن کریں"],
  "list.heading": ["Who may come in", "کون داخل ہو سکتا ہے"],
  "list.role": ["Role", "کردار"],
  "list.share": ["Share", "حصہ"],
  "list.purpose": ["Purpose", "مقصد"],
  "list.by": ["Comes in by", "کس ذریعے سے"],
  "list.until": ["Ends on", "اختتام"],
  "list.actions": ["Change", "تبدیلی"],
  "list.never": ["no end", "کوئی حد نہیں"],
  "list.over": ["over", "ختم"],
  "list.none": ["–", "–"],
  "list.you": ["this is you", "یہ آپ ہیں"],
  "by.key": ["key", "کلید"],
  "by.password": ["password", "پاس ورڈ"],
  "by.invitation": ["invited, not yet taken", "دعوت، ابھی قبول نہیں ہوئی"],
  "share.ministry": ["ministry (60%)", "وزارت (60%)"],
  "share.agencies": ["agencies (20%)", "ادارے (20%)"],
  "share.partners": ["partners (20%)", "شراکت دار (20%)"],
  "purpose.unstated": ["not stated", "درج نہیں"],

  // Inviting
  "invite.title": ["Invite somebody", "کسی کو دعوت دیں"],
  "invite.lede": [
    "You get a link and give it to the person by a way that others do not read. She chooses a password; you never know it.",
    "آپ کو ایک لنک ملے گا جسے متعلقہ شخص تک ایسے راستے سے پہنچائیں جسے دوسرے نہ پڑھیں۔ پاس ورڈ وہ خود منتخب کرے گا؛ آپ کو کبھی معلوم نہیں ہوگا۔",
  ],
  "invite.name.rule": [
    "Names the account, not the person: it stands in the log of what was asked. Latin letters, digits, - . and _, at most 60, such as analyst-7.",
    "اکاؤنٹ کا نام، فرد کا نہیں: یہ سوالات کے ریکارڈ میں آتا ہے۔ لاطینی حروف، ہندسے، - . اور _، زیادہ سے زیادہ 60، مثلاً analyst-7۔",
  ],
  "invite.name.wrong": [
    "A name is of Latin letters, digits, - . and _, at most 60, and is not “public”.",
    "نام لاطینی حروف، ہندسوں، - . اور _ پر مشتمل ہو، زیادہ سے زیادہ 60، اور ”public“ نہ ہو۔",
  ],
  "invite.role.analyst": [
    "Asks about the records, and gets numbers that disclose no one.",
    "ریکارڈ کے بارے میں پوچھتا ہے، اور وہ اعداد پاتا ہے جو کسی کو ظاہر نہ کریں۔",
  ],
  "invite.role.steward": ["An analyst who answers for the data.", "تجزیہ کار جو ڈیٹا کا ذمہ دار ہے۔"],
  "invite.role.agency": ["A body that reports. Reads what is published.", "رپورٹ کرنے والا ادارہ۔ شائع شدہ معلومات پڑھتا ہے۔"],
  "invite.role.auditor": [
    "Looks into what was asked and decided, and asks nothing of the records.",
    "دیکھتا ہے کہ کیا پوچھا گیا اور کیا فیصلہ ہوا، اور ریکارڈ سے کچھ نہیں پوچھتا۔",
  ],
  "invite.role.operator": [
    "Runs the service and lets people in, and asks nothing of the records.",
    "سروس چلاتا اور لوگوں کو دعوت دیتا ہے، اور ریکارڈ سے کچھ نہیں پوچھتا۔",
  ],
  "invite.share.rule": [
    "Whose part of what may be asked pays for new questions.",
    "نئے سوالات کس کے حصے سے پوچھے جائیں گے۔",
  ],
  "invite.purpose.rule": [
    "A code, such as annual_report: small Latin letters, digits and _, at most 40. May be left empty.",
    "ایک کوڈ، مثلاً annual_report: چھوٹے لاطینی حروف، ہندسے اور _، زیادہ سے زیادہ 40۔ خالی بھی چھوڑا جا سکتا ہے۔",
  ],
  "invite.purpose.wrong": [
    "A purpose is a code of small Latin letters, digits and _, at most 40.",
    "مقصد چھوٹے لاطینی حروف، ہندسوں اور _ کا کوڈ ہے، زیادہ سے زیادہ 40۔",
  ],
  "invite.again": [
    "Inviting the same name again makes a new link and ends the old one.",
    "اسی نام کو دوبارہ دعوت دینے سے نیا لنک بنتا ہے اور پرانا ختم ہو جاتا ہے۔",
  ],
  "invite.submit": ["Make the link", "لنک بنائیں"],
  "invite.done": ["The link for {name}", "{name} کے لیے لنک"],
  "invite.done.note": [
    "It is shown this once. It opens once, within seven days, for whoever has it: give it by a way that others do not read.",
    "یہ صرف اسی بار دکھایا جا رہا ہے۔ یہ سات دن کے اندر ایک بار کھلتا ہے، جس کے پاس بھی ہو: ایسے راستے سے دیں جسے دوسرے نہ پڑھیں۔",
  ],
  "invite.link": ["Link of the invitation", "دعوت کا لنک"],
  "invite.copy": ["Copy the link", "لنک نقل کریں"],
  "invite.hide": ["I have it: hide it", "لے لیا: چھپا دیں"],

  // Taking out
  "remove.button": ["Remove", "ہٹائیں"],
  "remove.what": ["Remove {name}", "{name} کو ہٹائیں"],
  "remove.title": ["Remove {name}?", "{name} کو ہٹا دیں؟"],
  "remove.text": [
    "Key, password and invitation of this name hold no more, and its sessions end at once. What was asked under it stays in the log. It cannot be undone; the name can be invited anew.",
    "اس نام کی کلید، پاس ورڈ اور دعوت ختم ہو جائیں گے، اور اس کے سیشن فوراً بند ہوں گے۔ اس نام سے پوچھے گئے سوالات ریکارڈ میں رہیں گے۔ یہ واپس نہیں ہو سکتا؛ اس نام کو نئی دعوت دی جا سکتی ہے۔",
  ],
  "remove.yes": ["Remove", "ہٹا دیں"],
  "remove.no": ["Keep", "رہنے دیں"],
  "remove.done": ["{name} was removed.", "{name} کو ہٹا دیا گیا۔"],
} satisfies Record<string, Pair>;

/** Names of these messages. */
export type PeopleKey = keyof typeof texts;
