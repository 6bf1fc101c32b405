//! Texts of saved questions, and values of their parameters as addresses have them; compiled by the tests of `query` too.

use query::saved::Saved;
use query::{Catalogue, CodeEntry, CodeListMeta, Param};

/// A query string of values (`name=value&name=value`, nothing escaped) in a line, then the text of a saved question.
pub fn question(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (given, text) = text.split_once('\n').unwrap_or(("", text));
    let Ok(saved) = Saved::parse("fuzzed", text) else { return };
    let written = saved.text();
    assert_eq!(Saved::parse("fuzzed", &written).as_ref(), Ok(&saved), "read, written, read");
    let given: Vec<(&str, &str)> = given.split('&').filter_map(|pair| pair.split_once('=')).collect();
    match saved.values(&given, &catalogue()) {
        Ok(values) => {
            assert_eq!(values.len(), saved.parameters.len(), "a value for each parameter");
            for (own, value) in saved.parameters.iter().zip(&values) {
                let text = given
                    .iter()
                    .rev()
                    .find(|(name, _)| *name == own.name)
                    .map_or(own.default.as_str(), |(_, text)| text);
                assert!(says(value, text), "{} is {text:?} and becomes {value:?}", own.name);
            }
        }
        Err(said) => {
            let of = |name: &&str| said.contains(&name.chars().take(60).collect::<String>());
            let own = saved.parameters.iter().map(|own| own.name.as_str());
            assert!(
                given.iter().map(|(name, _)| *name).chain(own).any(|name| of(&name)),
                "an error names a parameter: {said}"
            );
        }
    }
}

/// Whether a value is what its text says.
fn says(value: &Param, text: &str) -> bool {
    match value {
        Param::Null => false,
        Param::Bool(truth) => text == truth.to_string(),
        Param::Number(number) => number.as_f64().is_some_and(|number| text.parse() == Ok(number)),
        Param::Text(value) => value == text,
    }
}

fn catalogue() -> Catalogue {
    let entry = |code: &str| CodeEntry {
        code: code.to_owned(),
        en: String::new(),
        ur: String::new(),
        parent: None,
        attributes: [].into(),
    };
    let sex = CodeListMeta {
        name: "sex".to_owned(),
        version: "1".to_owned(),
        source: String::new(),
        provisional: false,
        codes: ["F", "M"].map(entry).to_vec(),
    };
    Catalogue { code_lists: vec![sex], ..Catalogue::default() }
}
