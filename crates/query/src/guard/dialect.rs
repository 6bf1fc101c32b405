//! The words and marks of SQL that are read here: PostgreSQL's, as far as questions need them.
//!
//! Not PostgreSQL's own grammar of the parser: there a name of an argument may be any expression, so that each argument
//! is read twice, and twenty nested calls take a million times as long as one.

use datafusion::sql::sqlparser::dialect::{Dialect, PostgreSqlDialect};

#[derive(Debug)]
pub(super) struct Questions;

impl Dialect for Questions {
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
