//! Questions to the system catalogue; compiled by the tests of `pgcatalog` too.

use std::sync::LazyLock;
use std::time::Duration;

use ::pgcatalog::{Catalogue, Concern, Fault};

use super::fixture::{ask, catalogue, session, settings};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| catalogue().with_deadline(Duration::from_millis(100)));

/// Bytes of a text that is read many times over: where reading takes more than it should for its length, it takes too long for that.
const LONG: usize = 16 << 10;

/// A statement, a line `---`, and its parameters, one a line: the number of a type, a space, a value; without a value NULL.
/// Where the text begins with a byte of one: a text many times over.
pub fn statements(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some(text) = text.strip_prefix('\u{1}').filter(|text| !text.is_empty()) {
        let text = text.repeat(LONG / text.len());
        let _ = (CATALOGUE.concern(&format!("SELECT {text}")), CATALOGUE.shape(&format!("SELECT 1 FROM {text}"), &[]));
        return;
    }
    let (sql, parameters) = text.split_once("\n---\n").unwrap_or((text, ""));
    let parameters = parameters.lines().map(|line| match line.split_once(' ') {
        Some((kind, value)) => (kind.parse().ok(), Some(value.to_owned())),
        None => (line.parse().ok(), None),
    });
    let (given, values): (Vec<Option<u32>>, Vec<Option<String>>) = parameters.unzip();
    judge(&CATALOGUE, sql, &given, &values);
}

/// No panic; an answer has the shape that was told before, and values of its types; an error has a class, says nothing of what lies
/// beneath, and leaves the catalogue as it was.
pub fn judge(catalogue: &Catalogue, sql: &str, given: &[Option<u32>], values: &[Option<String>]) {
    let (concern, shape) = (catalogue.concern(sql), catalogue.shape(sql, given));
    if let Ok(shape) = &shape {
        let stated: Vec<Option<u32>> = shape.parameters.iter().copied().map(Some).collect();
        assert_eq!(catalogue.shape(sql, &stated).as_ref(), Ok(shape), "types that were told are stated: {sql}");
    }
    let mut values = values.to_vec();
    values.resize(shape.as_ref().map_or(0, |shape| shape.parameters.len()), Some("1".to_owned()));
    let settings = settings();
    match (catalogue.answer(&session(&settings), sql, given, &values), shape) {
        (Ok(rows), Ok(shape)) => {
            assert_eq!(rows.columns, shape.columns, "{sql}");
            for (field, (_, kind)) in rows.rows.iter().flat_map(|row| row.iter().zip(&rows.columns)) {
                assert!(
                    field.as_deref().is_none_or(|field| fits(field, *kind)),
                    "{field:?} is none of type {kind}: {sql}"
                );
            }
            assert_ne!(concern, Concern::Data, "{sql}");
        }
        (Ok(_), Err(error)) => panic!("answered, but its shape is not known ({error}): {sql}"),
        (Err(error), _) => {
            assert_ne!(error.fault, Fault::Internal, "{error}: {sql}");
            let said = error.message.to_lowercase();
            assert!(!said.contains("sqlite") || sql.to_lowercase().contains("sqlite"), "{error}: {sql}");
            if error.fault == Fault::TooComplex {
                let rows = ask(catalogue, "SELECT count(*) FROM pg_namespace WHERE nspname = 'published'");
                assert_eq!(rows.expect("it answers").rows, [[Some("1".to_owned())]], "{sql}");
            }
        }
    }
}

/// Whether a field is a value of a type, as a client reads it.
fn fits(field: &str, kind: u32) -> bool {
    match kind {
        16 => field == "t" || field == "f",
        20 => field.parse::<i64>().is_ok(),
        21 => field.parse::<i16>().is_ok(),
        23 => field.parse::<i32>().is_ok(),
        26 => field.parse::<u32>().is_ok(),
        700 | 701 | 1700 => field.parse::<f64>().is_ok(),
        _ => true,
    }
}
