//! The guard: what a question must be before any of it runs.
//!
//! `text ─parse▶ query ─statement▶ bound and measured ─plan▶ logical plan ─plan::check▶ Guarded`, each step refusing what
//! it does not know: the lists are of what is allowed, and the matches over them have no arm for the rest.

mod dialect;
mod errors;
mod plan;
mod planner;
mod statement;
mod text;

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::planner::SqlToRel;
use datafusion::sql::sqlparser::ast::Statement;

pub(crate) use errors::{Words, computing, memory, planning};
pub(crate) use plan::check_optimised;

use crate::question::{Limits, Question};
use crate::refusal::Refusal;
use crate::tables::Tables;

/// A plan that passed, and the words of its text for the places of later errors.
pub(crate) struct Guarded {
    pub(crate) plan: LogicalPlan,
    pub(crate) words: Words,
}

/// Plans a question, or says why not. Reads no value: what it answers depends on the text and on the picture's tables.
pub(crate) fn guard(question: &Question, limits: &Limits, tables: &Tables) -> Result<Guarded, Refusal> {
    let mut parsed = text::parse(&question.sql, limits)?;
    statement::bind(&mut parsed.query, &question.params, limits)?;
    statement::check(&parsed.query, limits, tables)?;
    let words = Words::new(parsed.tokens);
    let planner = planner::Planner::new(tables);
    let plan = SqlToRel::new_with_options(&planner, planner::Planner::parser_options())
        .sql_statement_to_plan(Statement::Query(parsed.query))
        .map_err(|e| planning(&e, &words))?;
    plan::check(&plan, tables)?;
    Ok(Guarded { plan, words })
}
