//! What an SDMX 3.0 data query asks for: the key, `c[…]`, and the other parameters of the standard.
//!
//! <https://github.com/sdmx-twg/sdmx-rest>, `doc/data.md`. A key has the dimensions in their order, parted by `.`; `*` or
//! nothing takes every code, `+` joins codes of one dimension (as in SDMX 2.1), `,` joins whole keys. In `c[ID]=…` a comma
//! means *or*, a plus *and*; a plus that arrives as a space (it is one in a form) is taken for a plus.

use chrono::{Datelike, Months, NaiveDate};
use query::{Catalogue, IndicatorMeta, Selection};

use super::model::{self, Component, Role, Values};
use crate::long::Long;
use crate::problem::{Kind, Problem};

/// More parts than this has no question that a person asks.
const MOST_PARTS: usize = 1000;

/// What rows must be like.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Any of these keys; all rows where there are none.
    keys: Vec<Vec<Wanted>>,
    /// All of these.
    conditions: Vec<Condition>,
    /// Keys, codes and tests so far: each is looked at for each row.
    parts: usize,
}

/// The codes that a part of a key takes; None for every code.
type Wanted = Option<Vec<String>>;

/// Values of a component: one of several sets of tests, each of which must hold as a whole.
#[derive(Debug, PartialEq, Eq)]
struct Condition {
    component: String,
    any: Vec<Vec<Test>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Test {
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Co,
    Nc,
    Sw,
    Ew,
}

const OPERATORS: [(&str, Operator); 10] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("lt", Operator::Lt),
    ("le", Operator::Le),
    ("gt", Operator::Gt),
    ("ge", Operator::Ge),
    ("co", Operator::Co),
    ("nc", Operator::Nc),
    ("sw", Operator::Sw),
    ("ew", Operator::Ew),
];

fn malformed(detail: String, hint: impl Into<String>) -> Problem {
    Problem::new(Kind::MalformedParameter, detail, hint)
}

impl Filter {
    /// Adds the keys of a path; `*`, `all` and nothing at all take every series.
    pub(super) fn add_key(&mut self, catalogue: &Catalogue, meta: &IndicatorMeta, text: &str) -> Result<(), Problem> {
        if matches!(text, "" | "*" | "all") {
            return Ok(());
        }
        let components = model::components(meta);
        let dimensions: Vec<&Component> = components.iter().filter(|c| c.role == Role::Dimension).collect();
        let ids: Vec<&str> = dimensions.iter().map(|c| c.id.as_str()).collect();
        let form =
            format!("A key of {} is {}; leave a part empty, or write *, for every code.", meta.id, ids.join("."));
        for key in text.split(',') {
            let parts: Vec<&str> = key.split('.').collect();
            if parts.len() > dimensions.len() {
                let detail = format!("key has {} parts, of at most {}.", parts.len(), dimensions.len());
                return Err(malformed(detail, form));
            }
            let wanted = dimensions.iter().zip(parts).map(|(dimension, part)| {
                if matches!(part, "" | "*") {
                    return Ok(None);
                }
                let codes: Vec<String> = part.split('+').map(str::to_owned).collect();
                codes.iter().try_for_each(|code| check(catalogue, meta, dimension, code))?;
                Ok(Some(codes))
            });
            let key: Vec<Wanted> = wanted.collect::<Result<_, Problem>>()?;
            self.parts += 1 + key.iter().flatten().map(Vec::len).sum::<usize>();
            self.keys.push(key);
            if self.parts > MOST_PARTS {
                let detail = format!("key names more than {MOST_PARTS} keys and codes.");
                return Err(malformed(detail, "Use * and filter by c[…]."));
            }
        }
        Ok(())
    }

    /// Adds `c[ID]=…`; false where the name is not one of that form.
    pub(super) fn add_condition(
        &mut self,
        catalogue: &Catalogue,
        meta: &IndicatorMeta,
        name: &str,
        text: &str,
    ) -> Result<bool, Problem> {
        let Some(id) = name.strip_prefix("c[").and_then(|rest| rest.strip_suffix(']')) else {
            return Ok(false);
        };
        let components = model::components(meta);
        let Some(component) = components.iter().find(|c| c.id.eq_ignore_ascii_case(id)) else {
            let ids: Vec<&str> = components.iter().map(|c| c.id.as_str()).collect();
            let short: String = id.chars().filter(|c| !c.is_control()).take(40).collect();
            let detail = format!("{} has no component '{short}'.", meta.id);
            return Err(Problem::new(
                Kind::UnknownFilter,
                detail,
                format!("A component is one of {}.", ids.join(", ")),
            ));
        };
        let mut any = Vec::new();
        for group in text.split(',') {
            let tests = group.split(['+', ' ']).map(|test| Test::read(catalogue, meta, component, test));
            let tests = tests.take(MOST_PARTS + 1).collect::<Result<Vec<_>, Problem>>()?;
            self.parts += tests.len();
            any.push(tests);
            if self.parts > MOST_PARTS {
                let detail = format!("With {} there are more than {MOST_PARTS} parts.", component.id);
                return Err(malformed(detail, "Use ge and le, or sw."));
            }
        }
        self.conditions.push(Condition { component: component.id.clone(), any });
        Ok(true)
    }

    /// Whether a row is wanted.
    pub(super) fn takes(&self, long: &Long, ids: &[String], row: usize) -> bool {
        let value = |id: &str| model::value_of(long, id, row);
        let in_keys = self.keys.is_empty()
            || self.keys.iter().any(|key| {
                let mut parts = ids.iter().zip(key);
                parts.all(|(id, wanted)| wanted.as_ref().is_none_or(|w| value(id).is_some_and(|v| w.contains(&v))))
            });
        in_keys
            && self.conditions.iter().all(|condition| {
                let value = value(&condition.component);
                condition
                    .any
                    .iter()
                    .any(|tests| tests.iter().all(|test| test.holds(&condition.component, value.as_deref())))
            })
    }
}

/// A code of a dimension is one of its list. What does not occur selects nothing.
fn check(catalogue: &Catalogue, meta: &IndicatorMeta, component: &Component, code: &str) -> Result<(), Problem> {
    if component.id == "FREQ" && !model::FREQUENCIES.contains(&code) {
        let hint = "A code is one of A (years), Q (quarters), _O (fiscal years), _U (unknown).";
        return Err(Problem::new(Kind::UnknownCode, "FREQ has no such code.", hint));
    }
    let dimension = meta.dimensions.iter().find(|d| model::id_of(&d.name) == component.id);
    if let (Some(dimension), Values::Codes(_)) = (dimension, &component.values) {
        Selection::new(catalogue, &meta.id, [(dimension.name.as_str(), code)])?;
    }
    Ok(())
}

impl Test {
    fn read(catalogue: &Catalogue, meta: &IndicatorMeta, of: &Component, text: &str) -> Result<Self, Problem> {
        let named = text.split_once(':').and_then(|(name, value)| {
            let operator = OPERATORS.into_iter().find(|(known, _)| *known == name)?.1;
            Some((operator, value))
        });
        let (operator, value) = named.unwrap_or((Operator::Eq, text));
        let ordered = of.role == Role::Time || of.values == Values::Plain("Decimal");
        let compares = matches!(operator, Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge);
        if compares && !ordered {
            let hint = "lt, le, gt and ge compare TIME_PERIOD, OBS_VALUE, LO95 and HI95; eq and ne compare codes.";
            return Err(malformed(format!("{} has no order.", of.id), hint));
        }
        if of.role == Role::Time && compares && Span::read(value).is_none() {
            let hint = "Write 2024, 2024-Q1, 2024-06 or 2024-06-30, as in c[TIME_PERIOD]=ge:2020+le:2024.";
            return Err(malformed("TIME_PERIOD is compared with what is no period.".to_owned(), hint));
        }
        if of.values == Values::Plain("Decimal") && !value.parse().is_ok_and(f64::is_finite) {
            return Err(malformed(
                format!("{} is compared with what is no number.", of.id),
                "Write c[OBS_VALUE]=ge:100.",
            ));
        }
        if of.role == Role::Dimension && operator == Operator::Eq {
            check(catalogue, meta, of, value)?;
        }
        Ok(Self { operator, value: value.to_owned() })
    }

    fn holds(&self, component: &str, value: Option<&str>) -> bool {
        let Some(value) = value else { return false };
        let wanted = &self.value;
        match self.operator {
            Operator::Eq => self.same(component, value),
            Operator::Ne => !self.same(component, value),
            Operator::Co => value.contains(wanted.as_str()),
            Operator::Nc => !value.contains(wanted.as_str()),
            Operator::Sw => value.starts_with(wanted.as_str()),
            Operator::Ew => value.ends_with(wanted.as_str()),
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge if component == "TIME_PERIOD" => {
                matches!((Span::read(value), Span::read(wanted)), (Some(v), Some(w)) if self.in_time(v, w))
            }
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge => {
                matches!((value.parse::<f64>(), wanted.parse::<f64>()), (Ok(v), Ok(w)) if self.in_order(v, w))
            }
        }
    }

    fn same(&self, component: &str, value: &str) -> bool {
        if matches!(component, "OBS_VALUE" | "LO95" | "HI95") {
            return matches!((value.parse::<f64>(), self.value.parse::<f64>()), (Ok(v), Ok(w)) if v.total_cmp(&w).is_eq());
        }
        value == self.value
    }

    fn in_order(&self, value: f64, wanted: f64) -> bool {
        match self.operator {
            Operator::Lt => value < wanted,
            Operator::Le => value <= wanted,
            Operator::Gt => value > wanted,
            _ => value >= wanted,
        }
    }

    /// A period is within a bound when the whole of it is.
    fn in_time(&self, value: Span, wanted: Span) -> bool {
        match self.operator {
            Operator::Lt => value.last < wanted.first,
            Operator::Le => value.last <= wanted.last,
            Operator::Gt => value.first > wanted.last,
            _ => value.first >= wanted.first,
        }
    }
}

/// The days of a period, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    first: NaiveDate,
    last: NaiveDate,
}

impl Span {
    /// `2024`, `2024-A1`, `2024-Q1`, `2024-06`, `2024-06-30`, `2024-07-01/P1Y`.
    fn read(text: &str) -> Option<Self> {
        if let Some(first) = text.strip_suffix("/P1Y") {
            let first = Self::read(first).filter(|span| span.first == span.last)?.first;
            return Some(Self { first, last: first.checked_add_months(Months::new(12))?.pred_opt()? });
        }
        let digits = |part: &str, count: usize| {
            (part.len() == count && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u32>().ok())?
        };
        let mut parts = text.split('-');
        let year = i32::try_from(digits(parts.next()?, 4)?).ok()?;
        let months = |first: u32, count: u32| {
            let start = NaiveDate::from_ymd_opt(year, first, 1)?;
            let (next_year, next) = if first + count > 12 { (year + 1, 1) } else { (year, first + count) };
            let last = NaiveDate::from_ymd_opt(next_year, next, 1)?.pred_opt()?;
            Some(Self { first: start, last })
        };
        let span = match (parts.next(), parts.next()) {
            (None | Some("A1"), None) => months(1, 12)?,
            (Some(part), None) => match part.strip_prefix('Q') {
                Some(quarter) => months(digits(quarter, 1).filter(|q| (1..=4).contains(q))? * 3 - 2, 3)?,
                None => months(digits(part, 2)?, 1)?,
            },
            (Some(month), Some(day)) => {
                let day = NaiveDate::from_ymd_opt(year, digits(month, 2)?, digits(day, 2)?)?;
                Self { first: day, last: day }
            }
            (None, Some(_)) => return None,
        };
        (parts.next().is_none() && span.first.year() > 0).then_some(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_may_be_a_year_a_quarter_a_month_or_a_day() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        for (text, first, last) in [
            ("2024", day(2024, 1, 1), day(2024, 12, 31)),
            ("2024-A1", day(2024, 1, 1), day(2024, 12, 31)),
            ("2024-Q1", day(2024, 1, 1), day(2024, 3, 31)),
            ("2024-Q4", day(2024, 10, 1), day(2024, 12, 31)),
            ("2024-02", day(2024, 2, 1), day(2024, 2, 29)),
            ("2024-12", day(2024, 12, 1), day(2024, 12, 31)),
            ("2024-02-29", day(2024, 2, 29), day(2024, 2, 29)),
            ("2024-07-01/P1Y", day(2024, 7, 1), day(2025, 6, 30)),
        ] {
            assert_eq!(Span::read(text), Some(Span { first, last }), "{text}");
        }
        for wrong in [
            "",
            "24",
            "0000",
            "2024-Q5",
            "2024-Q0",
            "2024-13",
            "2024-00",
            "2023-02-29",
            "2024-1",
            "2024-01-01-1",
            "2024/P1Y",
            "2024-07-01/P2Y",
            "_X",
            "2024-",
            "２０２４",
        ] {
            assert_eq!(Span::read(wrong), None, "{wrong}");
        }
    }
}
