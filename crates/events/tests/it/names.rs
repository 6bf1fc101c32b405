//! Strings that are no codes: what the schema accepts is what the decoder accepts, and no number of a person passes.

use events::{EventType, form, schema};
use serde_json::Value;

const TEXTS: [&str; 44] = [
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
    "age_group",
    "_group",
    "48+",
    "+48",
    "_X",
    "PTPA-3-1",
    "PTPA s. 3(1): trafficking",
    "Rescue 1122",
    "Shelters and women’s centres",
    "Côte d’Ivoire; Åland",
    "0 سے 8 سال",
    "دفعہ 3(1): تجارت / منتقلی",
    "مددگار ۱۰۹۸",
    "عدالت ۱۲۳۴۵۶۷۸۹",
];

type Accepts = fn(&str) -> bool;

#[test]
fn the_patterns_of_the_schemas_accept_the_names_and_codes_that_the_decoder_accepts() {
    let forms: [(EventType, &str, Accepts); 9] = [
        (EventType::AreaDeclared, "area", form::is_area),
        (EventType::CourtDeclared, "court", form::is_court),
        (EventType::AreaDeclared, "name_en", form::is_english_name),
        (EventType::AreaDeclared, "name_ur", form::is_urdu_name),
        (EventType::AreaDeclared, "published_in", form::is_publication),
        (EventType::CodeDeclared, "list", form::is_list_name),
        (EventType::CodeDeclared, "code", form::is_listed_code),
        (EventType::AgencyDeclared, "name_en", form::is_english_label),
        (EventType::AgencyDeclared, "name_ur", form::is_urdu_label),
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
        assert!(!form::is_english_label(number) && !form::is_urdu_label(number), "{number}");
    }
    assert!(!form::is_urdu_label("فون ۰۳۰۰ ۱۲۳۴۵۶۷") && form::is_urdu_label("مددگار ۱۰۹۸"));
}

#[test]
fn what_the_lists_of_the_contract_call_their_codes_can_be_said_of_them() {
    for list in events::code_list::all() {
        assert!(form::is_list_name(list.name), "{}", list.name);
        for code in &list.codes {
            let (name, code, en, ur) = (list.name, code.code, code.en, code.ur);
            assert!(form::is_listed_code(code), "{name} {code}");
            assert!(form::is_english_label(en) && form::is_urdu_label(ur), "{name} {code}: {en}, {ur}");
        }
    }
}
