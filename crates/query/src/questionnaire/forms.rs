//! The forms: what each table asks for, and where its numbers stand among the indicators.
//!
//! Sources: the outline of the questionnaire for UNODC's Global Report (offences; persons in formal contact, prosecuted, convicted
//! by sex and citizenship; detected victims by age, sex, form of exploitation, citizenship; domain.md 1); the metadata of SDG 16.2.2 and the
//! series of the UN Statistics Division; what the TIP report says of a country under prosecution, protection and prevention
//! (domain.md 8). Forms change from round to round and were not all at hand: tables here have letters of their own, and each
//! form's note says so.

/// What stands along a side of a table.
#[derive(Debug, Clone, Copy)]
pub enum Axis {
    /// One place: the total.
    Total,
    /// These measures, each with its label in English and Urdu.
    Measures(&'static [(&'static str, &'static str, &'static str)]),
    /// These codes of a dimension, in this order.
    Codes(&'static str, &'static [&'static str]),
    /// Every code of a dimension, then the total.
    List(&'static str),
    /// Of a dimension with hundreds of codes those that are shown, then all others as hidden, then the total.
    Shown(&'static str),
}

/// A table of a form.
#[derive(Debug)]
pub struct Table {
    /// Letter by which it is known here.
    pub id: &'static str,
    /// What it asks for, in English and Urdu.
    pub title: (&'static str, &'static str),
    /// Id of the indicator that has its numbers.
    pub indicator: &'static str,
    /// Its measure, where no axis names one.
    pub measure: &'static str,
    /// Codes of dimensions that no axis has.
    pub only: &'static [(&'static str, &'static str)],
    /// Its rows.
    pub rows: Axis,
    /// Its columns.
    pub columns: Axis,
}

/// A form.
#[derive(Debug)]
pub struct Form {
    /// Its name in addresses.
    pub id: &'static str,
    /// Its title, in English and Urdu.
    pub title: (&'static str, &'static str),
    /// What whoever fills it in must know.
    pub note: &'static str,
    /// Its tables.
    pub tables: &'static [Table],
}

const SEXES: Axis = Axis::Codes("sex", &["F", "M", "_T"]);
const AGES: Axis = Axis::Codes("age_group", &["child", "adult", "_X", "_T"]);

/// A table without fixed codes.
const fn table(
    id: &'static str,
    title: (&'static str, &'static str),
    (indicator, measure): (&'static str, &'static str),
    rows: Axis,
    columns: Axis,
) -> Table {
    Table { id, title, indicator, measure, only: &[], rows, columns }
}

/// All forms.
pub static FORMS: [Form; 3] = [GLOTIP, SDG, TIP_REPORT];

const GLOTIP: Form = Form {
    id: "glotip",
    title: (
        "Tables for the questionnaire of UNODC's Global Report on Trafficking in Persons",
        "اقوام متحدہ کے دفتر یو این او ڈی سی کی عالمی رپورٹ برائے انسانی سمگلنگ کے سوالنامے کی جدولیں",
    ),
    note: "The tables follow the outline of the questionnaire (offences, suspects, prosecutions, convictions, victims); their letters \
        are ours, for its numbering changes from round to round: copy each table into the question that asks for it. Victims are persons \
        whose latest status is actual, at first identification. Smuggling of migrants is in none of the tables.",
    tables: &[
        table(
            "A",
            (
                "Offences of trafficking recorded (cases under the PTPA)",
                "انسانی سمگلنگ کے درج جرائم (پی ٹی پی اے کے مقدمات)",
            ),
            ("C01", "cases"),
            Axis::Total,
            Axis::Total,
        ),
        table(
            "B",
            ("Persons in formal contact (first arrest), by sex", "گرفتار افراد (پہلی گرفتاری)، جنس کے لحاظ سے"),
            ("C03", "persons_arrested"),
            SEXES,
            Axis::Total,
        ),
        table(
            "C",
            ("Persons in formal contact, by citizenship", "گرفتار افراد، شہریت کے لحاظ سے"),
            ("C03", "persons_arrested"),
            Axis::Shown("citizenship"),
            Axis::Total,
        ),
        table(
            "D",
            ("Persons prosecuted, by sex", "مقدمہ چلائے گئے افراد، جنس کے لحاظ سے"),
            ("C04", "persons_prosecuted"),
            SEXES,
            Axis::Total,
        ),
        table(
            "E",
            ("Persons prosecuted, by citizenship", "مقدمہ چلائے گئے افراد، شہریت کے لحاظ سے"),
            ("C04", "persons_prosecuted"),
            Axis::Shown("citizenship"),
            Axis::Total,
        ),
        table(
            "F",
            ("Persons convicted, by sex", "سزا یافتہ افراد، جنس کے لحاظ سے"),
            ("C05", "persons_convicted"),
            SEXES,
            Axis::Total,
        ),
        table(
            "G",
            ("Persons convicted, by citizenship", "سزا یافتہ افراد، شہریت کے لحاظ سے"),
            ("C05", "persons_convicted"),
            Axis::Shown("citizenship"),
            Axis::Total,
        ),
        table(
            "H",
            ("Detected victims, by age and sex", "شناخت شدہ متاثرین، عمر اور جنس کے لحاظ سے"),
            ("V01", "victims"),
            AGES,
            SEXES,
        ),
        table(
            "I",
            (
                "Detected victims, by form of exploitation and sex (a person under each of her forms)",
                "شناخت شدہ متاثرین، استحصال کی قسم اور جنس کے لحاظ سے (ہر فرد اپنی ہر قسم میں)",
            ),
            ("V03", "victims"),
            Axis::List("exploitation"),
            SEXES,
        ),
        table(
            "J",
            (
                "Detected victims, by form of exploitation and age",
                "شناخت شدہ متاثرین، استحصال کی قسم اور عمر کے لحاظ سے",
            ),
            ("V03", "victims"),
            Axis::List("exploitation"),
            AGES,
        ),
        table(
            "J2",
            (
                "Detected victims, by the four forms of the questionnaire (a person once in each)",
                "شناخت شدہ متاثرین، سوالنامے کی چار بڑی اقسام کے لحاظ سے (ہر قسم میں ہر فرد ایک بار)",
            ),
            ("V03", "victims"),
            Axis::List("exploitation_form"),
            Axis::Total,
        ),
        table(
            "K",
            ("Detected victims, by citizenship", "شناخت شدہ متاثرین، شہریت کے لحاظ سے"),
            ("V08", "victims"),
            Axis::Shown("citizenship"),
            Axis::Total,
        ),
        table(
            "L",
            (
                "Detected victims, by domestic or transnational scope",
                "شناخت شدہ متاثرین، ملکی یا بین الاقوامی دائرے کے لحاظ سے",
            ),
            ("V08", "victims"),
            Axis::List("scope"),
            Axis::Total,
        ),
        table(
            "M",
            ("Persons returned from another country, by country", "دوسرے ملک سے واپس آنے والے افراد، ملک کے لحاظ سے"),
            ("R02", "persons_returned"),
            Axis::Shown("country"),
            Axis::Total,
        ),
    ],
};

const SDG: Form = Form {
    id: "sdg",
    title: ("Series of SDG indicator 16.2.2", "پائیدار ترقی کے اشاریے 16.2.2 کے سلسلے"),
    note: "The letters of the tables are the codes of the UN Statistics Division's series; R at the end is the rate per 100,000 \
        population, which is published of all victims alone. Codes of series change: compare with those that you were sent.",
    tables: &[
        table(
            "VC_HTF_DETV",
            (
                "Detected victims of trafficking, by age and sex",
                "انسانی سمگلنگ کے شناخت شدہ متاثرین، عمر اور جنس کے لحاظ سے",
            ),
            ("V01", "victims"),
            AGES,
            SEXES,
        ),
        table(
            "VC_HTF_DETVR",
            ("Detected victims per 100,000 population", "ایک لاکھ آبادی پر شناخت شدہ متاثرین"),
            ("V02", "victims_per_100000"),
            Axis::Total,
            Axis::Total,
        ),
        Table {
            only: &[("exploitation", "sexual")],
            ..table(
                "VC_HTF_DETVSX",
                (
                    "Detected victims of sexual exploitation, by sex",
                    "جنسی استحصال کے شناخت شدہ متاثرین، جنس کے لحاظ سے",
                ),
                ("V03", "victims"),
                SEXES,
                Axis::Total,
            )
        },
        Table {
            only: &[("exploitation", "sexual")],
            ..table(
                "VC_HTF_DETVSX (age)",
                (
                    "Detected victims of sexual exploitation, by age",
                    "جنسی استحصال کے شناخت شدہ متاثرین، عمر کے لحاظ سے",
                ),
                ("V03", "victims"),
                AGES,
                Axis::Total,
            )
        },
        Table {
            only: &[("exploitation", "organ_removal")],
            ..table(
                "VC_HTF_DETVOG",
                ("Detected victims of removal of organs, by sex", "اعضا نکالنے کے شناخت شدہ متاثرین، جنس کے لحاظ سے"),
                ("V03", "victims"),
                SEXES,
                Axis::Total,
            )
        },
        table(
            "VC_HTF_DETVFL, VC_HTF_DETVOP",
            (
                "Detected victims, by the four forms: forced labour, servitude and slavery, and other purposes among them",
                "شناخت شدہ متاثرین، چار بڑی اقسام کے لحاظ سے: جبری مشقت، غلامی، اور دیگر مقاصد",
            ),
            ("V03", "victims"),
            Axis::List("exploitation_form"),
            Axis::Total,
        ),
    ],
};

const TIP_REPORT: Form = Form {
    id: "tip-report",
    title: ("Tables for the Trafficking in Persons Report", "انسانی سمگلنگ کی رپورٹ (ٹی آئی پی) کی جدولیں"),
    note: "The questions that posts are sent each year were not at hand: the tables follow what the report says of a country under \
        prosecution, protection and prevention, and their letters are ours. The report's period is April to March; the numbers here are of \
        the calendar year, or with --fiscal of July to June, which is Pakistan's.",
    tables: &[
        table(
            "P1",
            ("Cases registered under the PTPA, by province", "پی ٹی پی اے کے تحت درج مقدمات، صوبے کے لحاظ سے"),
            ("C01", "cases"),
            Axis::List("province"),
            Axis::Codes("agency_group", &["FIA", "POL", "_T"]),
        ),
        table(
            "P2",
            (
                "Cases registered, by section of law (a case under each of its sections)",
                "درج مقدمات، قانون کی دفعہ کے لحاظ سے (ہر مقدمہ اپنی ہر دفعہ میں)",
            ),
            ("C02", "cases"),
            Axis::List("section"),
            Axis::Total,
        ),
        table(
            "P3",
            ("Persons arrested, by role", "گرفتار افراد، کردار کے لحاظ سے"),
            ("C03", "persons_arrested"),
            Axis::List("role"),
            Axis::Total,
        ),
        table(
            "P4",
            ("Persons prosecuted, by province", "مقدمہ چلائے گئے افراد، صوبے کے لحاظ سے"),
            ("C04", "persons_prosecuted"),
            Axis::List("province"),
            Axis::Total,
        ),
        table(
            "P5",
            ("Persons convicted, by section of law", "سزا یافتہ افراد، قانون کی دفعہ کے لحاظ سے"),
            ("C05", "persons_convicted"),
            Axis::List("section"),
            Axis::Total,
        ),
        table(
            "P6",
            ("Sentences: months of imprisonment of those imprisoned", "سزائیں: قید پانے والوں کی مدت مہینوں میں"),
            ("C08", "median_months_of_imprisonment"),
            Axis::Measures(&[
                ("lower_quartile_of_months", "Lower quartile", "زیریں چوتھائی"),
                ("median_months_of_imprisonment", "Median", "وسطانیہ"),
                ("upper_quartile_of_months", "Upper quartile", "بالائی چوتھائی"),
            ]),
            Axis::Total,
        ),
        table(
            "P7",
            ("Compensation ordered, in rupees", "حکم کردہ معاوضہ، روپوں میں"),
            ("C10", "compensation_ordered"),
            Axis::Total,
            Axis::Total,
        ),
        table(
            "P8",
            ("Conviction rate, by cohort and by period, percent", "سزا کی شرح، گروہی اور مدتی، فیصد"),
            ("C06", "conviction_rate_of_cohort"),
            Axis::Measures(&[
                (
                    "conviction_rate_of_cohort",
                    "Of those charged in the year, convicted since",
                    "سال میں چارج ہونے والوں میں سے سزا یافتہ",
                ),
                (
                    "convicted_per_100_prosecuted",
                    "Convicted in the year per 100 charged in it",
                    "سال میں سزا یافتہ فی سو چارج شدہ",
                ),
            ]),
            Axis::Total,
        ),
        table(
            "P9",
            ("Days from registration to the charge and to the judgment", "اندراج سے چارج اور فیصلے تک کے دن"),
            ("C07", "median_days_to_charge"),
            Axis::Measures(&[
                ("lower_quartile_days_to_charge", "To the charge: lower quartile", "چارج تک: زیریں چوتھائی"),
                ("median_days_to_charge", "To the charge: median", "چارج تک: وسطانیہ"),
                ("upper_quartile_days_to_charge", "To the charge: upper quartile", "چارج تک: بالائی چوتھائی"),
                ("lower_quartile_days_to_judgment", "To the judgment: lower quartile", "فیصلے تک: زیریں چوتھائی"),
                ("median_days_to_judgment", "To the judgment: median", "فیصلے تک: وسطانیہ"),
                ("upper_quartile_days_to_judgment", "To the judgment: upper quartile", "فیصلے تک: بالائی چوتھائی"),
            ]),
            Axis::Total,
        ),
        table(
            "P10",
            ("Officials accused, prosecuted and convicted", "سرکاری اہلکار: ملزم، مقدمہ چلائے گئے اور سزا یافتہ"),
            ("C09", "officials_accused"),
            Axis::Measures(&[
                ("officials_accused", "Accused", "ملزم"),
                ("officials_prosecuted", "Prosecuted", "مقدمہ چلائے گئے"),
                ("officials_convicted", "Convicted", "سزا یافتہ"),
            ]),
            Axis::Total,
        ),
        table(
            "V1",
            ("Victims identified, by age and sex", "شناخت شدہ متاثرین، عمر اور جنس کے لحاظ سے"),
            ("V01", "victims"),
            AGES,
            SEXES,
        ),
        table(
            "V2",
            ("Victims identified, by province", "شناخت شدہ متاثرین، صوبے کے لحاظ سے"),
            ("V01", "victims"),
            Axis::List("province"),
            Axis::Total,
        ),
        table(
            "V3",
            ("Victims identified, by form of exploitation", "شناخت شدہ متاثرین، استحصال کی قسم کے لحاظ سے"),
            ("V03", "victims"),
            Axis::List("exploitation"),
            Axis::Total,
        ),
        table(
            "V4",
            ("Victims identified, by scope", "شناخت شدہ متاثرین، دائرے کے لحاظ سے"),
            ("V08", "victims"),
            Axis::List("scope"),
            Axis::Total,
        ),
        table(
            "V5",
            (
                "Victims referred to services at first referral, and served within 30 days",
                "پہلے حوالے پر خدمات کے لیے بھیجے گئے متاثرین، اور 30 دن میں خدمت پانے والے",
            ),
            ("S01", "persons_referred"),
            Axis::Measures(&[
                ("persons_referred", "Referred", "بھیجے گئے"),
                ("persons_receiving_within_30_days", "Served within 30 days", "30 دن میں خدمت پانے والے"),
                ("share_receiving_within_30_days", "Share, percent", "تناسب، فیصد"),
            ]),
            Axis::Total,
        ),
        table(
            "V6",
            (
                "Victims referred, by service (a person under each of her services)",
                "بھیجے گئے متاثرین، خدمت کے لحاظ سے (ہر فرد اپنی ہر خدمت میں)",
            ),
            ("S02", "persons_referred"),
            Axis::List("service"),
            Axis::Total,
        ),
        table(
            "V7",
            ("Returned victims, and those assisted", "واپس آنے والے متاثرین، اور جن کی مدد کی گئی"),
            ("R01", "persons_returned"),
            Axis::Measures(&[
                ("persons_returned", "Returned", "واپس آئے"),
                ("persons_assisted", "Assisted", "جن کی مدد ہوئی"),
            ]),
            Axis::Total,
        ),
        table(
            "V8",
            ("Victims in shelters, by reason of exit", "پناہ گاہوں میں متاثرین، رخصت کی وجہ کے لحاظ سے"),
            ("S03", "persons_sheltered"),
            Axis::List("exit_reason"),
            Axis::Total,
        ),
        table(
            "V9",
            (
                "Contacts of helplines, and those leading to an identification",
                "ہیلپ لائن رابطے، اور شناخت تک پہنچنے والے",
            ),
            ("P01", "contacts"),
            Axis::Measures(&[
                ("contacts", "Contacts", "رابطے"),
                ("contacts_leading_to_identification", "Leading to an identification", "شناخت تک پہنچنے والے"),
                ("share_leading_to_identification", "Share, percent", "تناسب، فیصد"),
            ]),
            Axis::Total,
        ),
        table(
            "R1",
            (
                "Labour inspections for child and bonded labour, by province",
                "چائلڈ اور جبری مشقت کے لیبر معائنے، صوبے کے لحاظ سے",
            ),
            ("L01", "inspections"),
            Axis::List("province"),
            Axis::Total,
        ),
        table(
            "R2",
            (
                "Inspections that found child or bonded labour, by province",
                "معائنے جن میں چائلڈ یا جبری مشقت پائی گئی، صوبے کے لحاظ سے",
            ),
            ("L02", "inspections_finding"),
            Axis::List("province"),
            Axis::Total,
        ),
        table(
            "R3",
            ("Training and awareness activities, by kind", "تربیتی اور آگاہی سرگرمیاں، قسم کے لحاظ سے"),
            ("P02", "activities"),
            Axis::List("kind"),
            Axis::Total,
        ),
        table(
            "R4",
            ("Participants of training and awareness, by audience", "تربیت اور آگاہی کے شرکاء، ان کے گروہ کے لحاظ سے"),
            ("P02", "participants"),
            Axis::List("audience"),
            Axis::Total,
        ),
        table(
            "R5",
            ("Persons released from bonded labour, by province", "جبری مشقت سے رہا کرائے گئے افراد، صوبے کے لحاظ سے"),
            ("L03", "persons_released"),
            Axis::List("province"),
            Axis::Total,
        ),
        table(
            "R6",
            (
                "Inspections referred to law enforcement, and those acted on",
                "قانون نافذ کرنے والے اداروں کو بھیجے گئے معائنے، اور جن پر کارروائی ہوئی",
            ),
            ("L04", "inspections_referred"),
            Axis::Measures(&[
                ("inspections_referred", "Referred", "بھیجے گئے"),
                ("inspections_acted_on", "Acted on", "جن پر کارروائی ہوئی"),
                ("share_acted_on", "Share, percent", "تناسب، فیصد"),
            ]),
            Axis::Total,
        ),
    ],
};
