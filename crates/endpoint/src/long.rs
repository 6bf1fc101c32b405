//! The rows of an indicator as texts, for forms that write each observation in a way of their own.

use std::collections::HashMap;

use arrow::error::ArrowError;
use query::{EditionMeta, IndicatorMeta, Rows};
use serde_json::Value;

use crate::render;

/// A column of codes: what occurs, each once in the order of its first row, and which of them each row has.
#[expect(clippy::struct_field_names, reason = "codes are what it has")]
pub(crate) struct Codes {
    /// Name of the column.
    pub(crate) name: String,
    pub(crate) codes: Vec<String>,
    pub(crate) rows: Vec<usize>,
}

impl Codes {
    fn new(name: &str, texts: impl Iterator<Item = String>) -> Self {
        let mut codes = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let rows = texts
            .map(|text| {
                let next = codes.len();
                *known.entry(text).or_insert_with_key(|text| {
                    codes.push(text.clone());
                    next
                })
            })
            .collect();
        Self { name: name.to_owned(), codes, rows }
    }

    /// The code of a row; empty past the end.
    pub(crate) fn of(&self, row: usize) -> &str {
        self.rows.get(row).and_then(|at| self.codes.get(*at)).map_or("", String::as_str)
    }

    /// Puts the codes in another order; the rows keep theirs.
    pub(crate) fn sort_by_key<K: Ord>(&mut self, key: impl Fn(&str) -> K) {
        let mut order: Vec<usize> = (0..self.codes.len()).collect();
        order.sort_by_cached_key(|at| key(&self.codes[*at]));
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new;
        }
        let mut codes = std::mem::take(&mut self.codes);
        self.codes = order.iter().map(|old| std::mem::take(&mut codes[*old])).collect();
        self.rows.iter_mut().for_each(|at| *at = place[*at]);
    }
}

/// The rows of a selection, column by column.
pub(crate) struct Long {
    pub(crate) edition: EditionMeta,
    pub(crate) len: usize,
    pub(crate) measure: Codes,
    pub(crate) period: Codes,
    /// The dimensions of the indicator, in its order.
    pub(crate) dimensions: Vec<Codes>,
    /// The value, exact; None where it is not shown.
    pub(crate) value: Vec<Option<String>>,
    pub(crate) lo95: Vec<Option<String>>,
    pub(crate) hi95: Vec<Option<String>>,
    pub(crate) obs_status: Codes,
    pub(crate) conf_status: Codes,
    pub(crate) unit: Codes,
}

impl Long {
    pub(crate) fn new(meta: &IndicatorMeta, rows: &Rows) -> Result<Self, ArrowError> {
        let texts = |name: &str| render::texts(&rows.batch, name);
        let codes = |name: &str| Ok(Codes::new(name, texts(name)?.into_iter().map(Option::unwrap_or_default)));
        Ok(Self {
            edition: rows.edition.clone(),
            len: rows.batch.num_rows(),
            measure: codes("measure")?,
            period: codes("time_period")?,
            dimensions: meta.dimensions.iter().map(|d| codes(&d.name)).collect::<Result<_, ArrowError>>()?,
            value: texts("value")?,
            lo95: texts("lo95")?,
            hi95: texts("hi95")?,
            obs_status: codes("obs_status")?,
            conf_status: codes("conf_status")?,
            unit: codes("unit")?,
        })
    }

    /// What tells a row from the others of its edition: measure, period and codes.
    pub(crate) fn key(&self, row: usize) -> Vec<&str> {
        let head = [self.measure.of(row), self.period.of(row)];
        head.into_iter().chain(self.dimensions.iter().map(|d| d.of(row))).collect()
    }
}

/// An exact decimal as a number of JSON. Values have at most six digits after the point, so that nothing is lost.
pub(crate) fn number(text: Option<&String>) -> Value {
    let Some(text) = text else { return Value::Null };
    if let Ok(whole) = text.parse::<i64>() {
        return Value::from(whole);
    }
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_rows_in_another_order() {
        let mut codes = Codes::new("sex", ["M", "F", "M", "_T"].into_iter().map(str::to_owned));
        assert_eq!((codes.codes.len(), &codes.rows), (3, &vec![0, 1, 0, 2]));
        codes.sort_by_key(str::to_owned);
        assert_eq!(codes.codes, ["F", "M", "_T"]);
        assert_eq!((0..4).map(|row| codes.of(row)).collect::<Vec<_>>(), ["M", "F", "M", "_T"]);
        assert_eq!(codes.of(4), "");
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in ["0", "-3", "62.5", "0.25", "123456789.123456"] {
            assert_eq!(number(Some(&text.to_owned())).to_string(), text);
        }
        assert_eq!(number(None), Value::Null);
    }
}
