//! The words and marks of SQL that are read here: PostgreSQL's, as far as questions need them.
//!
//! Not PostgreSQL's own grammar of the parser: there a name of an argument may be any expression, so that each argument
//! is read twice, and twenty nested calls take a million times as long as one. Elsewhere, too, the parser tries one reading after
//! another where a text may mean two things, so each beginning of an expression is counted, and past a number that no honest text
//! of its length comes to, nothing more is read.

use std::cell::Cell;

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::{Dialect, PostgreSqlDialect};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

/// Beginnings of expressions that may be tried for each word of a text. Honest texts try fewer than two.
const TRIES: usize = 16;

#[derive(Debug)]
pub(super) struct Questions {
    left: Cell<usize>,
    has_dates: bool,
}

impl Questions {
    /// For a text of so many words.
    pub(super) fn of(words: usize) -> Self {
        Self { left: Cell::new(words.saturating_mul(TRIES).saturating_add(TRIES)), has_dates: false }
    }

    /// The same where a table may have a date.
    pub(super) fn dated(self, has_dates: bool) -> Self {
        Self { has_dates, ..self }
    }
}

impl Dialect for Questions {
    fn parse_prefix(&self, _parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                None
            }
            None => Some(Err(ParserError::RecursionLimitExceeded)),
        }
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('"')
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        PostgreSqlDialect {}.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        PostgreSqlDialect {}.is_identifier_part(ch)
    }

    fn supports_table_versioning(&self) -> bool {
        self.has_dates
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        false
    }
}
