//! The words of DataFusion turned into ours.
//!
//! While planning, no row has been read: DataFusion's message can only speak of the question, and is passed on where it
//! helps. While computing, a message may hold a value ("Cannot cast string '…'"), so each has a fixed sentence instead.

use arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::text::place;
use crate::names;
use crate::question::Limits;
use crate::refusal::{Code, Place, Refusal};

/// The words of the text and where they stand.
pub(crate) struct Words(Vec<TokenWithSpan>);

impl Words {
    pub(super) fn new(tokens: Vec<TokenWithSpan>) -> Self {
        Self(tokens)
    }

    /// Where a name stands first.
    pub(super) fn find(&self, name: &str) -> Option<Place> {
        let is = |t: &&TokenWithSpan| matches!(&t.token, Token::Word(w) if w.value.eq_ignore_ascii_case(name));
        self.0.iter().find(is).and_then(|t| place(t.span.start))
    }

    /// Where a value stands first.
    pub(super) fn find_value(&self, value: &str) -> Option<Place> {
        let is = |t: &&TokenWithSpan| match &t.token {
            Token::SingleQuotedString(text) | Token::Number(text, _) => text == value,
            _ => false,
        };
        self.0.iter().find(is).and_then(|t| place(t.span.start))
    }
}

/// Why a question could not be planned.
pub(crate) fn planning(error: &DataFusionError, words: &Words) -> Refusal {
    let told = error.diagnostic().and_then(|d| d.span);
    let told = told.map(|span| Place { line: span.start.line, column: span.start.column });
    match root(error) {
        DataFusionError::External(inner) => match inner.downcast_ref::<Refusal>() {
            Some(refusal) => refusal.clone(),
            None => internal(error),
        },
        DataFusionError::SchemaError(inner, _) => schema(inner, words, told),
        DataFusionError::ResourcesExhausted(_) => Refusal::new(Code::TooComplex, "The question has too many parts."),
        // The text speaks of the engine's own parts, which help nobody.
        DataFusionError::NotImplemented(text) => {
            let refusal =
                Refusal::new(Code::Construct, "A part of the question is understood but not offered.").at(told);
            if text.contains("Exists") {
                refusal.hint("Write EXISTS in WHERE, or count(*) > 0 in a subquery.")
            } else {
                refusal
            }
        }
        DataFusionError::Plan(text) | DataFusionError::Execution(text) | DataFusionError::Internal(text) => {
            meaning(text).at(told)
        }
        DataFusionError::ArrowError(inner, _) => Refusal::new(Code::Meaning, said(&inner.to_string())).at(told),
        DataFusionError::SQL(inner, _) => Refusal::new(Code::Syntax, said(&inner.to_string())).at(told),
        DataFusionError::Configuration(text) => Refusal::new(Code::Meaning, said(text)).at(told),
        _ => internal(error),
    }
}

/// The errors that people meet often, in words of ours; the others in DataFusion's.
fn meaning(text: &str) -> Refusal {
    let refusal = |detail: String, hint: &str| Refusal::new(Code::Meaning, detail).hint(hint);
    let between = |from: &str, to: char| text.split_once(from).and_then(|(_, rest)| rest.split(to).next());
    if text.starts_with("Invalid function") {
        return Refusal::new(Code::UnknownFunction, "A function of this question is not offered in this place.");
    }
    if text.contains("must appear in the GROUP BY clause") {
        let column = between("olumn \"", '"').or_else(|| between("xpression \"", '"')).unwrap_or("A column");
        let detail = format!("{column} is neither in GROUP BY nor inside an aggregate.");
        return refusal(detail, "Add it to GROUP BY, or write sum(…), max(…).");
    }
    if text.contains("unique expression names") {
        let detail = "Two columns of the answer would have the same name.".to_owned();
        return refusal(detail, "Name one of them: expression AS name.");
    }
    if let Some(function) = between("Function '", '\'') {
        let detail = format!("The function {function} does not take arguments of these types, or this number of them.");
        return refusal(detail, "CAST(x AS numeric), CAST(x AS text) and CAST(x AS date) change the type.");
    }
    if text.contains("Cannot coerce") || text.contains("Cannot infer common argument type") {
        return refusal(said(text), "CAST(x AS numeric), CAST(x AS text) and CAST(x AS date) change the type.");
    }
    Refusal::new(Code::Meaning, said(text))
}

fn schema(error: &SchemaError, words: &Words, told: Option<Place>) -> Refusal {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let at = told.or_else(|| words.find(&field.name));
            unknown_column(field, valid_fields).at(at)
        }
        SchemaError::AmbiguousReference { field } => {
            let detail = format!("The column {} stands in more than one table.", field.name);
            let refusal = Refusal::new(Code::Meaning, detail).at(told.or_else(|| words.find(&field.name)));
            refusal.hint(format!("Write the table before it: a.{}, also in WHERE after USING.", field.name))
        }
        SchemaError::DuplicateUnqualifiedField { name } | SchemaError::DuplicateQualifiedField { name, .. } => {
            let detail = format!("The name {name} is given to two columns.");
            Refusal::new(Code::Meaning, detail).hint("Name one of them otherwise: AS other.").at(words.find(name))
        }
    }
}

fn unknown_column(field: &Column, valid: &[Column]) -> Refusal {
    let relation = field.relation.as_ref().map(|r| r.table().to_owned());
    let shown = relation.as_ref().map_or_else(|| field.name.clone(), |r| format!("{r}.{}", field.name));
    let refusal = Refusal::new(Code::UnknownColumn, format!("There is no column {shown}."));
    if let Some(near) = names::nearest(&field.name, valid.iter().map(|c| c.name.as_str()))
        && near != field.name
    {
        return refusal.hint(format!("Did you mean {near}?"));
    }
    if let Some(same) = valid.iter().find(|c| c.name == field.name) {
        return refusal.hint(format!("Did you mean {}?", same.flat_name()));
    }
    let mut names: Vec<&str> = valid.iter().map(|c| c.name.as_str()).take(24).collect();
    names.dedup();
    if names.is_empty() {
        refusal.hint("Text stands in single quotes: 'PK-PB'.")
    } else {
        refusal.hint(format!("There are: {}.", names.join(", ")))
    }
}

/// Why a plan could not be computed. No value, no name of a part of the engine.
pub(crate) fn computing(error: &DataFusionError, limits: &Limits) -> Refusal {
    let expression = |detail: &str, hint: &str| Refusal::new(Code::Expression, detail).hint(hint);
    match root(error) {
        DataFusionError::ResourcesExhausted(_) => memory(limits),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::DivideByZero => expression("A number was divided by zero.", "Write a / nullif(b, 0)."),
            ArrowError::ArithmeticOverflow(_) => {
                expression("A number became too large.", "Compute in double: CAST(value AS double).")
            }
            ArrowError::CastError(_) | ArrowError::ParseError(_) => expression(
                "A value could not be turned into the type asked for.",
                "Write TRY_CAST, which gives NULL there.",
            ),
            ArrowError::MemoryError(_) => memory(limits),
            _ => generic(),
        },
        DataFusionError::External(inner) => inner.downcast_ref::<Refusal>().cloned().unwrap_or_else(|| internal(error)),
        DataFusionError::Execution(text) if text.contains("returned more than one row") => expression(
            "A subquery that stands for one value gave several rows.",
            "Add a condition, LIMIT 1, or max(…).",
        ),
        DataFusionError::Execution(_) | DataFusionError::Plan(_) => generic(),
        DataFusionError::NotImplemented(_) => {
            Refusal::new(Code::Construct, "A part of the question is understood but not offered.")
        }
        _ => internal(error),
    }
}

fn generic() -> Refusal {
    Refusal::new(Code::Expression, "An expression could not be computed for some row.")
        .hint("Look at casts and at the arguments of functions; TRY_CAST gives NULL instead.")
}

/// The refusal of a question that needs more memory than it may have.
pub(crate) fn memory(limits: &Limits) -> Refusal {
    let detail = format!("The question needs more than {} MiB.", limits.memory.div_ceil(1 << 20));
    Refusal::new(Code::MemoryLimit, detail).hint("Aggregate or filter before joining and sorting.")
}

/// A defect: the cause goes to the log of the operator, its kind only.
fn internal(error: &DataFusionError) -> Refusal {
    let kind = error.to_string();
    tracing::error!(kind = kind.split(':').next().unwrap_or_default(), "a question failed inside the engine");
    Refusal::new(Code::Internal, "The question could not be answered; the fault is ours.")
}

/// The innermost error that says something.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        DataFusionError::Collection(all) => all.first().map_or(error, root),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::ExternalError(inner) => inner.downcast_ref::<DataFusionError>().map_or(error, root),
            _ => error,
        },
        DataFusionError::External(inner) => inner.downcast_ref::<DataFusionError>().map_or(error, root),
        _ => error,
    }
}

/// The first line of a message, without the parts that speak of the engine.
fn said(text: &str) -> String {
    let text = text.lines().next().unwrap_or_default();
    let text = text.split("\n\nbacktrace").next().unwrap_or_default();
    let text: String = text.chars().take(300).collect();
    let text = text.trim_start_matches("Error during planning: ").trim().trim_end_matches('.');
    format!("{text}.")
}
