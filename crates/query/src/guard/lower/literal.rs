//! From literals to codes: by the code list of the column, whatever the literal's type (privacy.md 6.3, Literal).

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::scalar::ScalarValue;
use policy::{Dataset, MeasureColumn, Resolved, TimeLevel};

use super::Lowering;
use super::region::{Form, Meaning, Region};
use crate::names;
use crate::refusal::{Code, Refusal};

/// Codes that a hint lists at most.
const LISTED: usize = 24;

impl Lowering<'_> {
    /// The value of a literal, a cast of one folded. What is none is refused.
    pub(super) fn literal(&self, expr: &Expr, region: &Region<'_>, schema: &DFSchema) -> Result<ScalarValue, Refusal> {
        match expr {
            Expr::Literal(value, _) => Ok(value.clone()),
            Expr::Alias(alias) => self.literal(&alias.expr, region, schema),
            Expr::Cast(cast) if matches!(*cast.expr, Expr::Literal(..) | Expr::Cast(_)) => {
                let value = self.literal(&cast.expr, region, schema)?;
                value.cast_to(cast.field.data_type()).map_err(|_| {
                    Refusal::new(Code::NotACode, format!("{} is no value of the type it is cast to.", shown(&value)))
                })
            }
            Expr::Negative(inner) if matches!(**inner, Expr::Literal(..)) => {
                let value = self.literal(inner, region, schema)?;
                value.arithmetic_negate().map_err(|_| self.misplaced(expr, region, schema))
            }
            // Refused by `misplaced`, which names every form.
            other => Err(self.misplaced(other, region, schema)),
        }
    }

    /// The codes that a value stands for.
    pub(super) fn codes_of(
        &self,
        meaning: &Meaning,
        value: &ScalarValue,
        region: &Region<'_>,
    ) -> Result<Vec<u16>, Refusal> {
        match meaning {
            Meaning::Level { level, form } => self.code_of(level, *form, value, region.dataset).map(|code| vec![code]),
            Meaning::Labels { level, labels } => {
                let is = |label: &ScalarValue| !label.is_null() && text(label).is_some() && text(label) == text(value);
                let codes: Vec<u16> = labels.iter().filter(|(_, label)| is(label)).map(|(code, _)| *code).collect();
                if codes.is_empty() {
                    let detail = format!("{} is no label of these classes of {level}.", shown(value));
                    return Err(Refusal::new(Code::NotACode, detail).at(self.place_of(value)));
                }
                Ok(codes)
            }
            Meaning::Measure(_) => Err(super::misplaced::internal()),
            Meaning::Hidden(hidden) => Err(self.hidden(*hidden)),
            Meaning::Constant(_) => Err(super::misplaced::form("A comparison of two values")),
        }
    }

    fn code_of(&self, level: &str, form: Form, value: &ScalarValue, dataset: &Dataset) -> Result<u16, Refusal> {
        let years = self.protected.years.clone();
        let found = match (dataset.resolve(level), form) {
            (Some(Resolved::Band(measure)), Form::Number) => {
                // A number is one of its own only where a bin holds it alone.
                let [at, next] = [0, 1].map(|step| edge(measure, value, step));
                return at.filter(|at| next == Some(at + 1)).ok_or_else(|| self.no_edge_of(measure, value));
            }
            (Some(Resolved::Time(time)), Form::FirstDay) => {
                let code = first_day(time, value);
                code.filter(|code| time.codes(years.clone()).contains(code))
            }
            _ => None,
        };
        let found = found.or_else(|| dataset.code_of(level, &text(value)?, years.clone()));
        let found =
            found.or_else(|| dataset.code_of(level, &self.code_labelled(level, &text(value)?, dataset)?, years));
        found.ok_or_else(|| self.no_code(level, form, value, dataset))
    }

    /// The first code after the published ones that a value may name as the open end of a range: `month < '2025-01-01'`.
    pub(super) fn end_of(&self, level: &str, form: Form, value: &ScalarValue, dataset: &Dataset) -> Option<u16> {
        let Some(Resolved::Time(time)) = dataset.resolve(level) else { return None };
        let next = self.protected.years.end().saturating_add(1);
        let code = match form {
            Form::FirstDay => first_day(time, value),
            Form::Text | Form::Year | Form::Number => dataset.code_of(level, &text(value)?, next..=next),
        };
        code.filter(|code| time.codes(next..=next).first() == Some(code))
    }

    /// The codes of the bins that an order of numbers stands for: its bound must be an edge (privacy.md 6.2, breakpoints).
    pub(super) fn bins(&self, measure: &MeasureColumn, op: Operator, value: &ScalarValue) -> Result<Vec<u16>, Refusal> {
        let step = i64::from(matches!(op, Operator::LtEq | Operator::Gt));
        let first = edge(measure, value, step).ok_or_else(|| self.no_edge_of(measure, value))?;
        let below = matches!(op, Operator::Lt | Operator::LtEq);
        Ok((0..measure.unknown()).filter(|&bin| (bin < first) == below).collect())
    }

    fn no_edge_of(&self, measure: &MeasureColumn, value: &ScalarValue) -> Refusal {
        let detail = format!("{} is no edge of the bins of {}.", shown(value), measure.name);
        let edges: Vec<String> = measure.bins.iter().take(measure.bins.len() - 1).map(i64::to_string).collect();
        let refusal = Refusal::new(Code::NotACode, detail).at(self.place_of(value));
        refusal.hint(format!(
            "Bins begin at {}: write {} >= one of these, or < one of these.",
            edges.join(", "),
            measure.name
        ))
    }

    fn no_code(&self, level: &str, form: Form, value: &ScalarValue, dataset: &Dataset) -> Refusal {
        let detail = format!("{} is no code of {level}.", shown(value));
        let refusal = Refusal::new(Code::NotACode, detail).at(self.place_of(value));
        if value.is_null() {
            return refusal.hint(format!("Write {level} IS NULL, which means the code _X."));
        }
        let years = &self.protected.years;
        let (first, last) = (years.start(), years.end());
        match dataset.resolve(level) {
            Some(Resolved::Time(time)) => {
                let example = match (time, form) {
                    (_, Form::FirstDay) => format!("the first day of a period, as '{last}-01-01'"),
                    (time, _) => format!(
                        "as '{}'",
                        time.codes(*last..=*last).first().map_or_else(String::new, |&code| time.label(code))
                    ),
                };
                refusal.hint(format!("There are periods from {first} to {last}, written {example}."))
            }
            resolved => match resolved.and_then(Resolved::list) {
                Some(list) => refusal.hint(self.near(level, list, &text(value).unwrap_or_default(), dataset)),
                None => refusal,
            },
        }
    }

    /// The code of which a text is the label, as `reference.<list>` has it: 'Punjab' is 'PK-PB'. Only where it labels one code.
    fn code_labelled(&self, level: &str, written: &str, dataset: &Dataset) -> Option<String> {
        let list = dataset.resolve(level).and_then(Resolved::list)?;
        let entries = &self.protected.catalogue.code_list(list)?.codes;
        let mut labelled = entries.iter().filter(|entry| entry.en.eq_ignore_ascii_case(written) || entry.ur == written);
        labelled.next().filter(|_| labelled.next().is_none()).map(|entry| entry.code.clone())
    }

    /// What may have been meant: a code nearly written so, or what there is.
    fn near(&self, level: &str, list: &str, written: &str, dataset: &Dataset) -> String {
        let codes = dataset.codes(level, self.protected.years.clone()).unwrap_or_default();
        let codes: Vec<String> = codes.into_iter().filter_map(|code| dataset.code_text(level, code)).collect();
        if let Some(near) = names::nearest(written, codes.iter().map(String::as_str)) {
            return format!("Did you mean '{near}'?");
        }
        if codes.len() <= LISTED {
            return format!("There are: {}.", codes.join(", "));
        }
        format!("SELECT code, en FROM reference.{list} lists the codes.")
    }

    fn place_of(&self, value: &ScalarValue) -> Option<crate::refusal::Place> {
        text(value).and_then(|text| self.words.find_value(&text))
    }
}

/// The bin that begins `step` above a number. The last edge begins none: its bin holds all that is larger.
fn edge(measure: &MeasureColumn, value: &ScalarValue, step: i64) -> Option<u16> {
    let number = text(value)?.parse::<i64>().ok()?.checked_add(step)?;
    let at = measure.bins.iter().position(|edge| *edge == number)? as u16;
    (at < measure.unknown()).then_some(at)
}

/// A literal as it may be written in a code list.
fn text(value: &ScalarValue) -> Option<String> {
    match value {
        value if value.is_null() => None,
        ScalarValue::Boolean(Some(truth)) => Some(truth.to_string()),
        value => match value.cast_to(&DataType::Utf8).ok()? {
            ScalarValue::Utf8(text) => text,
            _ => None,
        },
    }
}

fn shown(value: &ScalarValue) -> String {
    let text: String = text(value).unwrap_or_else(|| "NULL".to_owned()).chars().take(60).collect();
    format!("'{text}'")
}

/// The period that begins on a day. No other day of it names it, for a range would then end inside a period
/// (privacy.md 6.2: public breakpoints only).
fn first_day(time: TimeLevel, value: &ScalarValue) -> Option<u16> {
    let ScalarValue::Date32(Some(day)) = value.cast_to(&DataType::Date32).ok()? else { return None };
    // Outside these years a day has no code of sixteen bits.
    let within = (-25_567..=47_481).contains(&day);
    let code = within.then(|| time.of_day(day))?;
    (time.days(code)?.0 == day).then_some(code)
}
