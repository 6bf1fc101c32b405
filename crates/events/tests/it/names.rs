//! Strings that are no codes: what the schema accepts is what the decoder accepts, and no number of a person passes.

use events::{EventType, form, schema};
use serde_json::Value;

const TEXTS: [&str; 30] = [
    "PK",
    "PK-KP",
    "PK-PB-LHR",
    "PK-PB-LHR-CITY",
    "PK-PB-LHR-CITY-1",
    "PK-",
    "pk-kp",
    "IN-PB",
    "PK-KHYBER",
    "CRT-PB-LHR-1",
    "CRT",
    "CRT-",
    "CRT-PB-LHR-1-2-3",
    "Lahore",
    "L",
    "Azad Jammu & Kashmir (AJK)",
    "Lahore 2",
    " Lahore",
    "Lahore\n",
    "D.G. Khan",
    "Gujrat; x",
    "لاہور",
    "وفاقی دارالحکومت اسلام آباد",
    "عدالت ۲",
    "عدالت ٢",
    "عدالت 2",
    "ل",
    "S.R.O. 12(I)/2018",
    "0300 1234567",
    "CNIC 35202-1234567-1",
];

type Accepts = fn(&str) -> bool;

#[test]
fn the_patterns_of_the_schemas_accept_the_names_and_codes_that_the_decoder_accepts() {
    let forms: [(EventType, &str, Accepts); 5] = [
        (EventType::AreaDeclared, "area", form::is_area),
        (EventType::CourtDeclared, "court", form::is_court),
        (EventType::AreaDeclared, "name_en", form::is_english_name),
        (EventType::AreaDeclared, "name_ur", form::is_urdu_name),
        (EventType::AreaDeclared, "published_in", form::is_publication),
    ];
    let long = ["A".repeat(80), "A".repeat(81), "A".repeat(120), "A".repeat(121), "ا".repeat(80), "ا".repeat(81)];
    for (kind, field, accepts) in forms {
        let whole: Value = schema::of(kind, 1);
        let said = jsonschema::validator_for(&whole["properties"][field]).unwrap();
        let texts = TEXTS.into_iter().chain(long.iter().map(String::as_str));
        let accepted: Vec<&str> = texts.filter(|text| accepts(text)).collect();
        for text in TEXTS.into_iter().chain(long.iter().map(String::as_str)) {
            assert_eq!(said.is_valid(&Value::from(text)), accepted.contains(&text), "{field}: {text:?}");
        }
        assert!(!accepted.is_empty() && accepted.len() < TEXTS.len(), "{field}");
    }
}

#[test]
fn no_number_of_a_person_passes_as_a_name() {
    for number in ["CNIC 35202-1234567-1", "Call 0300 1234567", "Ask 042-35761999", "Flat 12, 345678901"] {
        assert!(
            !form::is_english_name(number) && !form::is_urdu_name(number) && !form::is_publication(number),
            "{number}"
        );
    }
}
