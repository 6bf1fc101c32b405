//! Kinds of value of reference data: days, codes of areas, courts and lists, and the strings that are not codes.
//!
//! A name of a place or a court has no digits; that of an agency or a code (a helpline is called by its short number, a
//! section of law by its own) and what names a publication have at most eight: neither a CNIC (13) nor a phone number
//! (10 or 11) passes, and no sentence beyond 80 or 120 characters. Absent: any other text.

use serde::de::{DeserializeSeed, Deserializer};
use serde_json::{Value, json};

use super::{Kind, quoted};
use crate::avro::write;
use crate::calendar::{Occurred, Precision};
use crate::contract::{Parse, Step};
use crate::form;

parsed!(
    /// A day.
    Day: Occurred, |t| Occurred::parse(t).filter(|o| o.precision == Precision::Day),
    |v: &Occurred| *v,
    json!({ "type": "string", "pattern": crate::schema::day_pattern() }),
    "a day such as \"2024-03-09\" is expected, not before 1947-08-14"
);

parsed!(
    /// The code of an administrative area.
    AreaCode: String, |t| form::is_area(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::AREA_PATTERN }),
    "the code of an area is expected, such as \"PK-PB\" or \"PK-PB-LHR\"; \"PK\" is the nation"
);

parsed!(
    /// The code of a court.
    CourtCode: String, |t| form::is_court(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::COURT_PATTERN }),
    "the code of a court is expected, such as \"CRT-PB-LHR-1\""
);

parsed!(
    /// The English name of a place or a court.
    EnglishName: String, |t| form::is_english_name(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::ENGLISH_NAME_PATTERN }),
    "the English name of a place or a court is expected: 2 to 80 Latin letters and spaces, no digits"
);

parsed!(
    /// The Urdu name of a place or a court.
    UrduName: String, |t| form::is_urdu_name(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::urdu_name_pattern() }),
    "the Urdu name of a place or a court is expected: 2 to 80 letters of Urdu and spaces, no digits"
);

parsed!(
    /// What names a publication: a census, a gazette, a notification.
    Publication: String, |t| form::is_publication(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::PUBLICATION_PATTERN, "not": { "pattern": form::NINE_DIGITS_PATTERN } }),
    "what names a publication is expected: 3 to 120 Latin letters, spaces and digits, eight digits at most"
);

parsed!(
    /// The name of a code list. Which there are is told by `code_list`: a later contract has more, so that the form
    /// alone is asked.
    ListName: String, |t| form::is_list_name(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::LIST_PATTERN }),
    "the name of a code list is expected, such as \"sector\""
);

parsed!(
    /// A code of a list that another field names.
    ListedCode: String, |t| form::is_listed_code(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::LISTED_CODE_PATTERN }),
    "a code of a list is expected, such as \"PTPA-4\": letters, digits, _, - and +"
);

parsed!(
    /// The English name of an agency or a code.
    EnglishLabel: String, |t| form::is_english_label(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::english_label_pattern(), "not": { "pattern": form::NINE_DIGITS_PATTERN } }),
    "the English name of an agency or a code is expected: 2 to 120 Latin letters, spaces and at most eight digits"
);

parsed!(
    /// The Urdu name of an agency or a code.
    UrduLabel: String, |t| form::is_urdu_label(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::urdu_label_pattern(), "not": { "pattern": form::NINE_DIGITS_OF_URDU_PATTERN } }),
    "the Urdu name of an agency or a code is expected: 2 to 120 letters of Urdu, spaces and at most eight digits"
);
