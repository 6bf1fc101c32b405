//! What codes are called, in English and Urdu.

use query::selection::COMMON_CODES;
use query::{Catalogue, Dimension, Text};

/// Codes of an observation's status with their labels: those of SDMX (`CL_OBS_STATUS`); privacy.md 6.14.
pub(crate) const OBS_STATUS: [(&str, &str, &str); 9] = [
    ("A", "Normal", "معمول"),
    ("B", "Break in the series", "سلسلے میں وقفہ"),
    ("K", "Merged into another category", "دوسرے زمرے میں شامل"),
    ("L", "Not collected", "جمع نہیں کیا گیا"),
    ("M", "Cannot exist", "ممکن نہیں"),
    ("P", "Provisional", "عبوری"),
    ("Q", "Suppressed, whatever the reason", "روکا گیا، وجہ کوئی بھی ہو"),
    ("U", "Low reliability", "کم قابلِ اعتماد"),
    ("W", "Includes another category", "دوسرے زمرے سمیت"),
];

/// Codes of confidentiality with their labels: those of SDMX (`CL_CONF_STATUS`) that are made public; privacy.md 6.14.
pub(crate) const CONF_STATUS: [(&str, &str, &str); 2] = [("F", "Free", "آزاد"), ("C", "Confidential", "خفیہ")];

/// Codes that any dimension may have, with their labels.
pub(crate) const COMMON: [(&str, &str, &str); 3] = [
    (COMMON_CODES[0], "Total", "کل"),
    (COMMON_CODES[1], "Not applicable", "لاگو نہیں"),
    (COMMON_CODES[2], "Unknown", "نامعلوم"),
];

/// A label of a table above.
pub(crate) fn text((_, en, ur): (&str, &str, &str)) -> Text {
    Text { en: en.to_owned(), ur: ur.to_owned() }
}

/// The label of a code of a dimension; the code itself where it has none.
pub(crate) fn of_code(catalogue: &Catalogue, dimension: &Dimension, code: &str) -> Text {
    let list = dimension.code_list.as_deref().and_then(|name| catalogue.code_list(name));
    let own = list.and_then(|list| list.codes.iter().find(|c| c.code == code));
    own.map_or_else(|| of_common(code), |c| Text { en: c.en.clone(), ur: c.ur.clone() })
}

/// The label of a code that any dimension may have.
fn of_common(code: &str) -> Text {
    let known = COMMON.into_iter().find(|(common, ..)| *common == code);
    known.map_or_else(|| Text { en: code.to_owned(), ur: code.to_owned() }, text)
}

/// The name of a measure or a unit in words: `victims_per_100000` is *Victims per 100000*.
pub(crate) fn in_words(id: &str) -> String {
    if id == "pkr" {
        return "Pakistani rupees".to_owned();
    }
    let words = id.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
