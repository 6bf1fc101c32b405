//! Which set-aside rows are meant: a predicate over seven columns of the side lane, written as in SQL.
//!
//! `column op value`, `IN (…)`, `BETWEEN … AND …`, `LIKE '…'` (`%` and `_`), with `AND`, `OR`, `NOT` and parentheses. It can
//! read those columns, compare, and nothing else: no function, no arithmetic, no other column, so no predicate can look into a
//! payload or take long. An error names the place. Source: ingestion.md 3.13.

use std::cmp::Ordering;
use std::fmt;

use events::calendar;

/// The columns a predicate may name, with the values that each takes.
const COLUMNS: [(&str, Kind); 7] = [
    ("_error_class", Kind::Text),
    ("_error_detail", Kind::Text),
    ("agency", Kind::Text),
    ("log_stream", Kind::Text),
    ("log_partition", Kind::Number),
    ("log_offset", Kind::Number),
    ("ingest_date", Kind::Date),
];

/// Longest predicate, in bytes, and deepest nesting: beyond both nobody wrote it by hand.
const MOST_BYTES: usize = 4096;
const MOST_DEPTH: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Date,
}

/// Why a predicate is refused.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[error("at character {at} of the predicate: {what}")]
pub struct SelectionError {
    /// Where, counted from 1.
    pub at: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// A predicate over set-aside rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(Option<Term>);

/// The columns of one set-aside row that a predicate sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub class: &'a str,
    pub detail: &'a str,
    pub agency: &'a str,
    pub log_stream: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// Days since 1970.
    pub ingest_date: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    All(Vec<Term>),
    Any(Vec<Term>),
    Not(Box<Term>),
    /// Place in [`COLUMNS`], the comparison, and its value.
    Compare(usize, Operator, Value),
    In(usize, Vec<Value>),
    Like(usize, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Text(String),
    /// A number, or days since 1970.
    Number(i64),
}

impl Selection {
    /// Every set-aside row.
    pub const ALL: Self = Self(None);

    /// Reads a predicate.
    ///
    /// # Errors
    /// What is not such a predicate, with its place.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        if text.len() > MOST_BYTES {
            return Err(SelectionError { at: MOST_BYTES, what: format!("at most {MOST_BYTES} bytes are read") });
        }
        let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.chars().count() + 1, depth: 0 };
        let term = parser.any()?;
        match parser.tokens.get(parser.next) {
            None => Ok(Self(Some(term))),
            Some(token) => Err(token.error("AND, OR or the end is expected")),
        }
    }

    pub(crate) fn takes(&self, row: &Seen<'_>) -> bool {
        self.0.as_ref().is_none_or(|term| term.holds(row))
    }
}

impl Term {
    fn holds(&self, row: &Seen<'_>) -> bool {
        match self {
            Self::All(terms) => terms.iter().all(|term| term.holds(row)),
            Self::Any(terms) => terms.iter().any(|term| term.holds(row)),
            Self::Not(term) => !term.holds(row),
            Self::Compare(column, operator, value) => operator.holds(row.compare(*column, value)),
            Self::In(column, values) => values.iter().any(|value| row.compare(*column, value).is_eq()),
            Self::Like(column, pattern) => like(row.text(*column), pattern),
        }
    }
}

impl Operator {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "=" | "==" => Self::Equal,
            "<>" | "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }
}

impl Seen<'_> {
    fn text(&self, column: usize) -> &str {
        [self.class, self.detail, self.agency, self.log_stream].get(column).copied().unwrap_or_default()
    }

    fn number(&self, column: usize) -> i64 {
        match COLUMNS[column].0 {
            "log_partition" => i64::from(self.partition),
            "log_offset" => self.offset,
            _ => i64::from(self.ingest_date),
        }
    }

    fn compare(&self, column: usize, value: &Value) -> Ordering {
        match value {
            Value::Text(text) => self.text(column).cmp(text.as_str()),
            Value::Number(number) => self.number(column).cmp(number),
        }
    }
}

/// `%` stands for any letters, `_` for one. One look back at the last `%` is enough (no backtracking beyond it).
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut of, mut back) = (0, 0, None);
    while at < text.len() {
        match pattern.get(of) {
            Some('%') => {
                back = Some((of + 1, at));
                of += 1;
            }
            Some(letter) if *letter == '_' || *letter == text[at] => (at, of) = (at + 1, of + 1),
            _ => match back {
                Some((after, from)) => {
                    back = Some((after, from + 1));
                    (at, of) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|letter| *letter == '%')
}

/// A token and the character, counted from 1, at which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    at: usize,
    what: Kinded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kinded {
    Word(String),
    Text(String),
    Number(i64),
    Sign(String),
}

impl Token {
    fn error(&self, what: impl fmt::Display) -> SelectionError {
        SelectionError { at: self.at, what: what.to_string() }
    }

    fn is(&self, word: &str) -> bool {
        matches!(&self.what, Kinded::Word(found) if found.eq_ignore_ascii_case(word))
            || matches!(&self.what, Kinded::Sign(found) if found == word)
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, SelectionError> {
    let letters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&letter) = letters.get(at) {
        let start = at;
        let error = |what: &str| SelectionError { at: start + 1, what: what.to_owned() };
        let run = |is: fn(&char) -> bool| letters[start..].iter().take_while(|letter| is(letter)).count();
        let what = match letter {
            ' ' | '\t' | '\n' | '\r' => {
                at += 1;
                continue;
            }
            '\'' => {
                let (text, end) = quoted(&letters, at).ok_or_else(|| error("a text that begins here does not end"))?;
                at = end;
                Kinded::Text(text)
            }
            '0'..='9' | '-' => {
                at += 1 + letters[start + 1..].iter().take_while(|letter| letter.is_ascii_digit()).count();
                let digits: String = letters[start..at].iter().collect();
                Kinded::Number(digits.parse().map_err(|_| error("a whole number is expected"))?)
            }
            '(' | ')' | ',' => {
                at += 1;
                Kinded::Sign(letter.into())
            }
            '=' | '<' | '>' | '!' => {
                at += run(|letter| matches!(letter, '=' | '<' | '>' | '!'));
                Kinded::Sign(letters[start..at].iter().collect())
            }
            letter if letter.is_ascii_alphabetic() || letter == '_' => {
                at += run(|letter| letter.is_ascii_alphanumeric() || *letter == '_');
                Kinded::Word(letters[start..at].iter().collect())
            }
            _ => return Err(error("a column, a comparison or a value is expected; texts stand in single quotes")),
        };
        tokens.push(Token { at: start + 1, what });
    }
    Ok(tokens)
}

/// The text that begins with a quote here, with doubled quotes as one, and where it ends.
fn quoted(letters: &[char], start: usize) -> Option<(String, usize)> {
    let (mut text, mut at) = (String::new(), start + 1);
    loop {
        match (letters.get(at)?, letters.get(at + 1)) {
            ('\'', Some('\'')) => {
                text.push('\'');
                at += 2;
            }
            ('\'', _) => return Some((text, at + 1)),
            (letter, _) => {
                text.push(*letter);
                at += 1;
            }
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn take(&mut self, wanted: &str) -> Result<Token, SelectionError> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token.ok_or_else(|| SelectionError { at: self.end, what: format!("{wanted} is expected") })
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.next).is_some_and(|token| token.is(word));
        self.next += usize::from(found);
        found
    }

    fn must(&mut self, word: &str) -> Result<(), SelectionError> {
        let token = self.take(word)?;
        if token.is(word) { Ok(()) } else { Err(token.error(format!("{word} is expected"))) }
    }

    fn any(&mut self) -> Result<Term, SelectionError> {
        let mut terms = vec![self.all()?];
        while self.takes("OR") {
            terms.push(self.all()?);
        }
        Ok(if terms.len() == 1 { terms.swap_remove(0) } else { Term::Any(terms) })
    }

    fn all(&mut self) -> Result<Term, SelectionError> {
        let mut terms = vec![self.one()?];
        while self.takes("AND") {
            terms.push(self.one()?);
        }
        Ok(if terms.len() == 1 { terms.swap_remove(0) } else { Term::All(terms) })
    }

    fn one(&mut self) -> Result<Term, SelectionError> {
        if self.takes("NOT") {
            return self.deeper(|parser| Ok(Term::Not(Box::new(parser.one()?))));
        }
        if self.takes("(") {
            return self.deeper(|parser| {
                let term = parser.any()?;
                parser.must(")")?;
                Ok(term)
            });
        }
        self.comparison()
    }

    fn deeper(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Term, SelectionError>,
    ) -> Result<Term, SelectionError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(SelectionError { at: self.end, what: format!("it is nested deeper than {MOST_DEPTH}") });
        }
        let term = inner(self);
        self.depth -= 1;
        term
    }

    fn comparison(&mut self) -> Result<Term, SelectionError> {
        let column = self.column()?;
        if self.takes("NOT") {
            let token = self.take("IN, LIKE or BETWEEN")?;
            return Ok(Term::Not(Box::new(self.listed(column, &token)?)));
        }
        let token = self.take("a comparison")?;
        if let Kinded::Sign(sign) = &token.what
            && let Some(operator) = Operator::parse(sign)
        {
            return Ok(Term::Compare(column, operator, self.value(column)?));
        }
        self.listed(column, &token)
    }

    /// `IN (…)`, `LIKE …`, `BETWEEN … AND …`.
    fn listed(&mut self, column: usize, token: &Token) -> Result<Term, SelectionError> {
        if token.is("IN") {
            self.must("(")?;
            let mut values = vec![self.value(column)?];
            while self.takes(",") {
                values.push(self.value(column)?);
            }
            self.must(")")?;
            return Ok(Term::In(column, values));
        }
        if token.is("BETWEEN") {
            let least = Term::Compare(column, Operator::AtLeast, self.value(column)?);
            self.must("AND")?;
            return Ok(Term::All(vec![least, Term::Compare(column, Operator::AtMost, self.value(column)?)]));
        }
        if token.is("LIKE") {
            return match self.value(column)? {
                Value::Text(pattern) => Ok(Term::Like(column, pattern)),
                Value::Number(_) => Err(token.error("LIKE compares texts")),
            };
        }
        Err(token.error("=, <>, <, <=, >, >=, IN, LIKE or BETWEEN is expected; functions are not known here"))
    }

    fn column(&mut self) -> Result<usize, SelectionError> {
        let names = || COLUMNS.map(|(name, _)| name).join(", ");
        let token = self.take("a column")?;
        let Kinded::Word(word) = &token.what else {
            return Err(token.error(format!("a column is expected: {}", names())));
        };
        let found = COLUMNS.iter().position(|(name, _)| name.eq_ignore_ascii_case(word));
        found.ok_or_else(|| token.error(format!("{word} is no column that can be asked of; these can: {}", names())))
    }

    fn value(&mut self, column: usize) -> Result<Value, SelectionError> {
        let (name, kind) = COLUMNS[column];
        let token = self.take("a value")?;
        // As in SQL: DATE '2026-11-01'.
        let token = if kind == Kind::Date && token.is("DATE") { self.take("a date")? } else { token };
        match (kind, &token.what) {
            (Kind::Text, Kinded::Text(text)) => Ok(Value::Text(text.clone())),
            (Kind::Number, Kinded::Number(number)) => Ok(Value::Number(*number)),
            (Kind::Date, Kinded::Text(text)) => {
                day(text).map(Value::Number).ok_or_else(|| token.error("a date as '2026-11-01' is expected"))
            }
            (Kind::Text, _) => Err(token.error(format!("{name} is compared with a text in single quotes"))),
            (Kind::Number, _) => Err(token.error(format!("{name} is compared with a whole number"))),
            (Kind::Date, _) => Err(token.error(format!("{name} is compared with a date in single quotes"))),
        }
    }
}

/// `2026-11-01` as days since 1970.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| parts.next().filter(|part| part.len() == digits)?.parse::<u16>().ok();
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let days = calendar::days_from_civil(i32::from(year), u32::from(month), u32::from(day));
    let (y, m, d) = calendar::civil_from_days(days);
    let same = (i64::from(y), i64::from(m), i64::from(d)) == (i64::from(year), i64::from(month), i64::from(day));
    same.then_some(i64::from(days))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ROW: Seen<'static> = Seen {
        class: "schema",
        detail: "data.province: one of the codes is expected",
        agency: "POL-PB",
        log_stream: "u#0/tip.events.POL-PB.v1",
        partition: 2,
        offset: 41,
        ingest_date: 20_000, // 4 October 2024
    };

    fn takes(predicate: &str) -> bool {
        Selection::parse(predicate).unwrap().takes(&ROW)
    }

    #[test]
    fn a_predicate_selects_by_the_columns_it_names() {
        for yes in [
            "_error_class = 'schema' and ingest_date >= '2024-10-01'",
            "agency IN ('FIA', 'POL-PB')",
            "NOT (agency = 'FIA' OR log_offset > 41)",
            "log_partition = 2 AND log_offset BETWEEN 40 AND 41",
            "_error_detail LIKE '%province%' and log_stream like '_#0/tip.%.v1'",
            "ingest_date = DATE '2024-10-04' and agency not in ('FIA')",
            "agency <> 'it''s'",
            "agency = 'FIA' and log_offset = 1 or _ERROR_CLASS = 'schema'",
        ] {
            assert!(takes(yes), "{yes}");
        }
        for no in [
            "_error_class = 'parse'",
            "ingest_date > '2024-10-04'",
            "log_offset not between 40 and 41",
            "agency like 'POL'",
            "agency = 'FIA' and (log_offset = 41 or log_partition = 2)",
        ] {
            assert!(!takes(no), "{no}");
        }
        assert!(Selection::ALL.takes(&ROW));
    }

    #[test]
    fn what_is_not_such_a_predicate_is_refused_with_its_place() {
        for (predicate, at, says) in [
            ("payload = 'x'", 1, "payload is no column that can be asked of"),
            ("agency = 'FIA' and event_id = 'x'", 20, "these can: _error_class"),
            ("lower(agency) = 'fia'", 1, "lower is no column"),
            ("agency = lower('FIA')", 10, "compared with a text"),
            ("agency = 'FIA' or 1 = 1", 19, "a column is expected"),
            ("agency = FIA", 10, "single quotes"),
            ("log_offset = '4'", 14, "a whole number"),
            ("ingest_date = '2024-02-30'", 15, "a date as"),
            ("ingest_date > 4", 15, "a date"),
            ("agency = 'FIA", 10, "does not end"),
            ("agency = 'FIA';", 15, "is expected"),
            ("agency 'FIA'", 8, "IN, LIKE or BETWEEN"),
            ("(agency = 'FIA'", 16, ") is expected"),
            ("agency = 'FIA' agency = 'FIA'", 16, "AND, OR or the end"),
            ("", 1, "a column is expected"),
            ("agency = 'FIA' and", 19, "a column is expected"),
        ] {
            let error = Selection::parse(predicate).unwrap_err();
            assert!(error.at == at && error.what.contains(says), "{predicate}: {error}");
        }
        let deep = format!("{}agency = 'FIA'", "not ".repeat(1000));
        assert!(Selection::parse(&deep).unwrap_err().what.contains("nested deeper"));
        assert!(Selection::parse(&"(".repeat(5000)).unwrap_err().what.contains("bytes"));
    }
}
