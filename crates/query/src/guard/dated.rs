//! `AS KNOWN ON date` after the name of a table: from words to the table of an edition.
//!
//! The words are those of the standard in another form, `FOR SYSTEM_TIME AS OF date` (SQL:2011), and are put in their place among
//! the words of a text, never in the text: what stands in a string, a comment or quotes is no such word, and places stay those of
//! the text. A table may bear the name `known` in a join, `JOIN t AS known ON known.a = …`: so the words are taken for ours only
//! where a date stands behind them and no condition goes on from it.
//!
//! It goes with tables of which each edition has rows of its own: its numbers, and the reference tables that were kept
//! with it. An edition that was made before a reference table was kept has none of it, and today's rows stand for
//! nothing that was known then: it is refused.
//!
//! Once a date is bound, the name of its table becomes one of a schema that no text can name, and this module knows which table of
//! which edition that is. Of protected tables only the open Snapshot is answered from, so that a date is either that of the latest
//! edition or refused, by the dates of publication alone. Absent: which edition was known when ([`crate::known`]).

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::sql::sqlparser::ast::{
    DataType, Expr, Ident, ObjectName, ObjectNamePart, Query, Spanned, TableAlias, TableFactor, TableVersion, Value,
    VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Word};

use super::text::place;
use crate::current::Current;
use crate::editions::EditionMeta;
use crate::facade::{Found, Scope};
use crate::known;
use crate::notes::Note;
use crate::refusal::{Code, Place, Refusal};
use crate::tables::{Table, VALUES};

/// How a date is written, for hints.
const WRITE: &str = "Write the date itself: AS KNOWN ON '2026-01-31', or $1 with a value of that form.";

/// The words of a text as the parser reads them.
pub(super) struct Spelled {
    pub(super) tokens: Vec<TokenWithSpan>,
    /// Where each word of AS KNOWN ON stands, and where the first of them does.
    at: BTreeMap<Location, Location>,
    /// Whether any table may have a date: else words keep the meaning that they have without.
    pub(super) has_dates: bool,
}

impl Spelled {
    /// What is wrong where the parser stopped, if it did at words of ours.
    pub(super) fn objection(&self, at: Option<Place>) -> Option<Refusal> {
        let Place { line, column } = at?;
        let at = place(*self.at.get(&Location { line, column })?);
        let refusal =
            Refusal::new(Code::Syntax, "AS KNOWN ON stands once, behind the name of a table and before its alias.");
        Some(refusal.hint("FROM published.v01 AS KNOWN ON '2026-01-31' AS v").at(at))
    }
}

/// Writes `AS KNOWN ON date` as the standard has it.
pub(super) fn spelled(tokens: &[TokenWithSpan]) -> Spelled {
    let mut spelled = Spelled { tokens: Vec::with_capacity(tokens.len()), at: BTreeMap::new(), has_dates: false };
    let mut next = 0;
    while let Some(token) = tokens.get(next) {
        let here = &tokens[next..];
        if words(here, &["AS", "KNOWN", "ON"]) && date_end(&here[3..]).is_some_and(|end| !goes_on(here.get(3 + end))) {
            let first = token.span.start;
            spelled.at.extend(here[..3].iter().map(|word| (word.span.start, first)));
            let standard = [("FOR", 0), ("SYSTEM_TIME", 1), ("AS", 1), ("OF", 2)];
            let standard =
                standard.map(|(word, of)| TokenWithSpan { token: Token::make_keyword(word), span: here[of].span });
            spelled.tokens.extend(standard);
            next += 3;
        } else {
            spelled.tokens.push(token.clone());
            next += 1;
        }
    }
    spelled.has_dates = (0..spelled.tokens.len()).any(|at| words(&spelled.tokens[at..], &["AS", "OF"]));
    if spelled.has_dates {
        spelled.tokens.iter_mut().for_each(plain);
    }
    spelled
}

/// Other products' words for versions of a table are names here, as they are where no table has a date.
fn plain(token: &mut TokenWithSpan) {
    if let Token::Word(word @ Word { keyword: Keyword::AT | Keyword::BEFORE | Keyword::CHANGES, .. }) = &mut token.token
    {
        word.keyword = Keyword::NoKeyword;
    }
}

fn is_word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(Word { value, quote_style: None, .. }) if value.eq_ignore_ascii_case(text))
}

fn words(tokens: &[TokenWithSpan], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| is_word(&token.token, text))
}

fn is_literal(token: &Token) -> bool {
    matches!(token, Token::SingleQuotedString(_) | Token::Placeholder(_) | Token::Number(..))
}

/// How many words a date takes, or what is written for one and can be no condition.
fn date_end(tokens: &[TokenWithSpan]) -> Option<usize> {
    const TYPES: [&str; 2] = ["DATE", "TIMESTAMP"];
    const QUERY: [&str; 3] = ["SELECT", "WITH", "VALUES"];
    const NOW: [&str; 3] = ["CURRENT_DATE", "CURRENT_TIMESTAMP", "NOW"];
    let at = |n: usize| tokens.get(n).map_or(&Token::EOF, |token| &token.token);
    let first = at(0);
    if is_literal(first) {
        let is_cast = matches!((at(1), at(2)), (Token::DoubleColon, Token::Word(_)));
        return Some(if is_cast { 3 } else { 1 });
    }
    if TYPES.iter().any(|word| is_word(first, word)) && is_literal(at(1)) {
        return Some(2);
    }
    if NOW.iter().any(|word| is_word(first, word)) {
        return Some(if *at(1) == Token::LParen { 3 } else { 1 });
    }
    let is_cast = is_word(first, "CAST") && *at(1) == Token::LParen && is_literal(at(2)) && is_word(at(3), "AS");
    if is_cast {
        return (*at(5) == Token::RParen).then_some(6);
    }
    let in_brackets = (is_literal(at(1)) && *at(2) == Token::RParen) || QUERY.iter().any(|word| is_word(at(1), word));
    (*first == Token::LParen && in_brackets).then(|| closed(tokens)).flatten()
}

/// How many words there are to the bracket that closes the first.
fn closed(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_usize;
    let end = tokens.iter().position(|token| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    end.map(|end| end + 1)
}

/// Whether a condition goes on with this word, so that what stands before it is no date of a table.
fn goes_on(token: Option<&TokenWithSpan>) -> bool {
    const WORDS: [&str; 17] = [
        "AND", "OR", "XOR", "IS", "IN", "NOT", "LIKE", "ILIKE", "BETWEEN", "SIMILAR", "RLIKE", "REGEXP", "COLLATE",
        "OVERLAPS", "DIV", "MEMBER", "OPERATOR",
    ];
    match token.map(|token| &token.token) {
        None | Some(Token::EOF | Token::SemiColon | Token::Comma | Token::RParen) => false,
        Some(word @ Token::Word(_)) => WORDS.iter().any(|one| is_word(word, one)),
        Some(_) => true,
    }
}

/// What stands for the date of a table: the words of a version, where it is one of ours.
pub(super) fn asked(version: &TableVersion) -> Result<&Expr, Refusal> {
    match version {
        TableVersion::ForSystemTimeAsOf(date) => Ok(date),
        TableVersion::TimestampAsOf(date)
        | TableVersion::VersionAsOf(date)
        | TableVersion::Function(date)
        | TableVersion::Changes { changes: date, .. } => {
            let refusal = Refusal::new(Code::Construct, "A version of a table in this form is not offered.");
            let hint =
                "Write AS KNOWN ON '2026-01-31' behind the table, or WHERE edition = n on published.indicator_values.";
            Err(refusal.hint(hint).at(place(date.span().start)))
        }
    }
}

/// The date itself, once parameters are bound.
pub(super) fn date(expr: &Expr) -> Result<NaiveDate, Refusal> {
    let refusal = |detail: &str| Refusal::new(Code::Meaning, detail).hint(WRITE).at(place(expr.span().start));
    let value = literal(expr).ok_or_else(|| refusal("The date of AS KNOWN ON is not written as one."))?;
    let text = value.clone().into_string().filter(|_| !matches!(value, Value::Number(..)));
    text.as_deref().and_then(known::read).ok_or_else(|| refusal("The value of AS KNOWN ON is no date."))
}

/// A value, or one that is called a date.
fn literal(expr: &Expr) -> Option<&Value> {
    match bare(expr) {
        Expr::Value(value) => Some(&value.value),
        Expr::TypedString(typed) if typed.data_type == DataType::Date => Some(&typed.value.value),
        _ => None,
    }
}

/// What is called a date, without being called so.
pub(super) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast { expr, data_type: DataType::Date, .. } | Expr::Nested(expr) => bare(expr),
        expr => expr,
    }
}

/// The tables that a question reads as known on a date, by the names that they have in its plan.
#[derive(Default)]
pub(super) struct Dated {
    tables: Vec<(String, Arc<Table>)>,
    pub(super) notes: Vec<Note>,
}

impl Dated {
    /// The table of such a name.
    pub(super) fn find(&self, parts: &[&str]) -> Option<&Table> {
        let [schema, name] = parts else { return None };
        let is = |(of, table): &&(String, Arc<Table>)| of == schema && table.name().1 == *name;
        self.tables.iter().find(is).map(|(_, table)| table.as_ref())
    }
}

/// Puts the tables of editions in the places of those with a date. The query was checked: a date is written as one, and every
/// name is one of a table.
pub(super) fn resolve(query: &mut Query, scope: Scope<'_>) -> Result<Dated, Refusal> {
    let mut resolving = Resolving { scope, dated: Dated::default() };
    match query.visit(&mut resolving) {
        ControlFlow::Continue(()) => Ok(resolving.dated),
        ControlFlow::Break(refusal) => Err(refusal),
    }
}

struct Resolving<'a> {
    scope: Scope<'a>,
    dated: Dated,
}

impl VisitorMut for Resolving<'_> {
    type Break = Refusal;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Refusal> {
        let TableFactor::Table { name, alias, version, .. } = factor else { return ControlFlow::Continue(()) };
        let Some(version) = version.take() else { return ControlFlow::Continue(()) };
        match self.known(name, &version) {
            Ok(Some(dated)) => {
                let ObjectNamePart::Identifier(own) = &dated.0[dated.0.len() - 1] else {
                    return ControlFlow::Continue(());
                };
                let own = TableAlias { explicit: true, name: own.clone(), columns: Vec::new(), at: None };
                alias.get_or_insert(own);
                *name = dated;
                ControlFlow::Continue(())
            }
            Ok(None) => ControlFlow::Continue(()),
            Err(refusal) => ControlFlow::Break(refusal),
        }
    }
}

impl Resolving<'_> {
    /// The name of a table in the edition of its date; none where the table of today is the same.
    fn known(&mut self, name: &ObjectName, version: &TableVersion) -> Result<Option<ObjectName>, Refusal> {
        let asked = asked(version)?;
        let (date, at) = (date(asked)?, place(asked.span().start));
        let parts: Vec<&str> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.as_str()).collect();
        let Scope { current, now, .. } = self.scope;
        let found = known::on(current.editions(), date, known::day(now));
        match self.scope.find(&parts) {
            Ok(Found::Open(table)) if table.is_of_editions() => {
                let (edition, day) =
                    found.map_err(|not| Refusal::new(Code::NoEditionOnDate, not.detail).hint(not.hint).at(at))?;
                if table.is_kept() && current.kept(edition.edition, table.name().1).is_none() {
                    return Err(not_kept(table, edition.edition, current).at(at));
                }
                self.note(Note::known(&table.full_name(), date, edition, day));
                self.of_edition(table, edition.edition)
            }
            Ok(Found::Open(table)) => {
                let refusal = Refusal::new(Code::Construct, format!("{} is of no edition.", table.full_name()));
                let hint = "Leave AS KNOWN ON out: it goes with tables of the schema published, and with reference tables that \
                            were kept with the latest edition.";
                Err(refusal.hint(hint).at(at))
            }
            Ok(Found::Facade(_)) => {
                let open = current.editions().take_while(|edition| edition.is_released(now)).last();
                let (edition, day) = found
                    .as_ref()
                    .ok()
                    .filter(|(edition, _)| open.is_some_and(|open| open.edition == edition.edition))
                    .ok_or_else(|| not_open(open, found.as_ref().ok().map(|(edition, _)| *edition)).at(at))?;
                let table = parts.join(".").to_lowercase();
                self.note(Note::known(&table, date, edition, *day));
                Ok(None)
            }
            // It was found when the query was checked.
            Err(missing) => Err(super::statement::no_table(&parts, missing)),
        }
    }

    fn of_edition(&mut self, table: &Table, edition: u32) -> Result<Option<ObjectName>, Refusal> {
        let current = self.scope.current;
        let is_latest = current.latest().is_some_and(|latest| latest.edition == edition);
        // That of all values has those of every edition, and as known on a date those of one.
        if is_latest && table.name().1 != VALUES {
            return Ok(None);
        }
        let of_edition = current.table_at(table, edition).map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                edition,
                "a table of an edition could not be made"
            );
            Refusal::new(Code::Internal, "The table of that date could not be read; the fault is ours.")
        })?;
        let (schema, own) = table.name();
        let (schema, own) = (format!("{schema}@{edition}"), own.to_owned());
        let name = [&schema, &own].map(|part| ObjectNamePart::Identifier(Ident::with_quote('"', part)));
        if self.dated.find(&[&schema, &own]).is_none() {
            self.dated.tables.push((schema, of_edition));
        }
        Ok(Some(ObjectName(name.to_vec())))
    }

    fn note(&mut self, note: Note) {
        if !self.dated.notes.contains(&note) {
            self.dated.notes.push(note);
        }
    }
}

/// The refusal of a reference table as known on a day whose edition was made before it was kept.
fn not_kept(table: &Table, edition: u32, current: &Current) -> Refusal {
    let first = current.editions().find(|first| current.kept(first.edition, table.name().1).is_some());
    let since = first
        .map_or(String::new(), |first| format!(" on a date since edition {}, the first that kept it", first.edition));
    let detail =
        format!("Edition {edition}, which was known on that date, was made before {} was kept.", table.full_name());
    let hint = format!("Ask as known{since}; or leave AS KNOWN ON out, and say that it is as known today.");
    Refusal::new(Code::NoEditionOnDate, detail).hint(hint)
}

/// The refusal of records as known on another day than that of the open Snapshot.
fn not_open(open: Option<&EditionMeta>, asked: Option<&EditionMeta>) -> Refusal {
    let now = open.map_or(String::new(), |open| format!(", which is edition {} as of {}", open.edition, open.as_of));
    let again = asked.map_or(String::new(), |asked| {
        format!(", or have it computed again where the data are: amanat edition recompute {}", asked.edition)
    });
    let detail = format!("Records are answered as they are known now{now}.");
    let hint = format!("Ask a published table as known on that date{again}; or leave AS KNOWN ON out.");
    Refusal::new(Code::NotTheOpenSnapshot, detail).hint(hint)
}
