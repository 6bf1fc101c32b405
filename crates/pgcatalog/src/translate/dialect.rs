//! The words and marks of PostgreSQL, read with bounded work.
//!
//! The parser tries one reading after another where a text may mean two things, and a hostile text means two things at each of
//! its brackets: twenty of them take a million times as long as one. So each beginning of an expression is counted, and past
//! a number that no honest text of its length comes to, nothing more is read.

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast::Expr;
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Beginnings of expressions that may be tried for each word of a text. Honest texts try fewer than two.
const TRIES: usize = 16;

/// PostgreSQL's dialect, but for names of arguments: there each may be any expression, so that each argument is read twice.
#[derive(Debug)]
pub(super) struct Bounded {
    left: Cell<usize>,
}

impl Bounded {
    /// For a text of so many words.
    pub(super) fn of(words: usize) -> Self {
        Self { left: Cell::new(words.saturating_mul(TRIES).saturating_add(TRIES)) }
    }
}

/// What PostgreSQL's dialect answers where it differs from the default.
macro_rules! as_postgresql {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($arg: $kind),*) -> $result {
            PostgreSqlDialect {}.$name($($arg),*)
        })*
    };
}

impl Dialect for Bounded {
    fn dialect(&self) -> TypeId {
        PostgreSqlDialect {}.dialect()
    }

    fn parse_prefix(&self, _parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                None
            }
            None => Some(Err(ParserError::RecursionLimitExceeded)),
        }
    }

    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        false
    }

    as_postgresql! {
        identifier_quote_style(identifier: &str) -> Option<char>;
        is_delimited_identifier_start(ch: char) -> bool;
        is_identifier_start(ch: char) -> bool;
        is_identifier_part(ch: char) -> bool;
        supports_unicode_string_literal() -> bool;
        is_reserved_for_identifier(keyword: Keyword) -> bool;
        is_custom_operator_part(ch: char) -> bool;
        get_next_precedence(parser: &Parser<'_>) -> Option<Result<u8, ParserError>>;
        supports_filter_during_aggregation() -> bool;
        supports_group_by_expr() -> bool;
        prec_value(prec: Precedence) -> u8;
        allow_extract_custom() -> bool;
        allow_extract_single_quotes() -> bool;
        supports_factorial_operator() -> bool;
        supports_bitwise_shift_operators() -> bool;
        supports_named_fn_args_with_colon_operator() -> bool;
        supports_empty_projections() -> bool;
        supports_nested_comments() -> bool;
        supports_string_escape_constant() -> bool;
        supports_numeric_literal_underscores() -> bool;
        supports_array_typedef_with_brackets() -> bool;
        supports_geometric_types() -> bool;
        supports_notnull_operator() -> bool;
        supports_interval_options() -> bool;
        supports_select_wildcard_with_alias() -> bool;
        supports_comma_separated_trim() -> bool;
        supports_xml_expressions() -> bool;
        supports_comment_optimizer_hint() -> bool;
    }
}

/// How often the parser reads what lies deepest in queries with brackets around them. Such a query, `((SELECT`, may be a table in
/// brackets or a query in brackets, which is tried at each of the brackets; and so again for each that lies in it.
pub(super) fn readings(tokens: &[Token]) -> usize {
    let (mut open, mut run, mut now, mut most) = (Vec::new(), 0_usize, 1_usize, 1_usize);
    for token in tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))) {
        match token {
            Token::LParen => {
                open.push(now);
                run += 1;
                continue;
            }
            Token::RParen => now = open.pop().unwrap_or(1),
            Token::Word(word) if run > 1 && begins_query(word.keyword) => {
                now = now.saturating_mul(run);
                most = most.max(now);
            }
            _ => {}
        }
        run = 0;
    }
    most
}

fn begins_query(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE)
}
