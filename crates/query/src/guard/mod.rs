//! The guard: what a question must be before any of it runs.
//!
//! `text ─parse▶ query ─statement▶ bound and measured ─dated▶ tables of editions ─plan▶ logical plan ─lower▶ released tables and questions
//! ─plan::check, sparsity::check▶ Guarded`, each step refusing what it does not know: the lists are of what is allowed, and
//! the matches over them have no arm for the rest.

mod dated;
mod dialect;
mod errors;
mod lower;
mod parameters;
mod plan;
mod planner;
mod sparsity;
mod statement;
mod text;

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::planner::SqlToRel;
use datafusion::sql::sqlparser::ast::Statement;
use disclosure::CellQuery;

pub(crate) use errors::{Words, computing, memory, planning};
pub(crate) use lower::{Release, Released};
pub(crate) use parameters::of as parameters;
pub(crate) use plan::check_optimised;

use crate::facade::Scope;
use crate::notes::Note;
use crate::question::{Limits, Question};
use crate::refusal::{Code, Refusal};

/// A plan that passed, what must be asked to fill its released tables, and the words of its text for the places of later
/// errors.
pub(crate) struct Guarded {
    pub(crate) plan: LogicalPlan,
    pub(crate) questions: Vec<CellQuery>,
    pub(crate) releases: Vec<Release>,
    pub(crate) notes: Vec<Note>,
    pub(crate) words: Words,
}

/// Plans a question, or says why not. Reads no value: what it answers depends on the text and on the picture's tables.
pub(crate) fn guard(question: &Question, limits: &Limits, scope: Scope<'_>) -> Result<Guarded, Refusal> {
    named(question, limits, scope, || {
        let mut guarded = planned(question, limits, scope)?;
        if let Some(protected) = scope.protected {
            let asker = question.asker.as_ref();
            guarded.notes.extend(sparsity::check(&guarded.questions, protected, asker, &guarded.words)?);
        }
        Ok(guarded)
    })
}

/// Plans a question for the sake of its columns: its values may be stand-ins, so that what most of them would hide is not
/// judged.
pub(crate) fn shaped(question: &Question, limits: &Limits, scope: Scope<'_>) -> Result<Guarded, Refusal> {
    named(question, limits, scope, || planned(question, limits, scope))
}

fn named(
    question: &Question,
    limits: &Limits,
    scope: Scope<'_>,
    guarded: impl FnOnce() -> Result<Guarded, Refusal>,
) -> Result<Guarded, Refusal> {
    guarded().map_err(|refusal| match scope.protected {
        Some(protected) if text::mentions(&question.sql, limits, |word| protected.names(word)) => of_protected(refusal),
        _ => refusal,
    })
}

fn planned(question: &Question, limits: &Limits, scope: Scope<'_>) -> Result<Guarded, Refusal> {
    let mut parsed = text::parse(&question.sql, limits)?;
    statement::bind(&mut parsed.query, &question.params, limits)?;
    statement::check(&parsed.query, limits, scope)?;
    let dated = dated::resolve(&mut parsed.query, scope)?;
    let words = Words::new(parsed.tokens);
    let planner = planner::Planner::new(scope, &dated);
    let plan = SqlToRel::new_with_options(&planner, planner::Planner::parser_options())
        .sql_statement_to_plan(Statement::Query(parsed.query))
        .map_err(|e| planning(&e, &words))?;
    let lowered = match scope.protected {
        Some(protected) if lower::reads_protected(&plan) => {
            lower::lower(&plan, question.companions, protected, &words)?
        }
        _ => lower::Lowered { plan, questions: Vec::new(), releases: Vec::new(), notes: Vec::new() },
    };
    let lower::Lowered { plan, questions, releases, mut notes } = lowered;
    plan::check(&plan, scope.tables, &dated)?;
    notes.extend(dated.notes);
    Ok(Guarded { plan, questions, releases, notes, words })
}

/// Refusals that have a code of their own where the question names a protected table (privacy.md 6.4).
fn of_protected(refusal: Refusal) -> Refusal {
    let code = match refusal.code {
        Code::UnknownFunction => Code::ProtectedFunction,
        Code::Statement => Code::ProtectedStatement,
        other => other,
    };
    Refusal { code, ..refusal }
}
