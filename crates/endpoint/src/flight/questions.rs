//! Texts of questions: the placeholders of drivers become those that questions have.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// The text with `?`, `?`, … as `$1`, `$2`, …: so JDBC and ADBC write placeholders. A text that has numbered ones, or that cannot be
/// cut into words, stays as it is.
pub(super) fn numbered(sql: String) -> String {
    if !sql.contains('?') {
        return sql;
    }
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, &sql).tokenize_with_location() else { return sql };
    let is_numbered = |token: &TokenWithSpan| matches!(&token.token, Token::Placeholder(name) if name.starts_with('$'));
    if tokens.iter().any(is_numbered) {
        return sql;
    }
    let marks: Vec<(u64, u64)> = tokens
        .iter()
        .filter(|token| is_mark(&token.token))
        .map(|token| (token.span.start.line, token.span.start.column))
        .collect();
    with_numbers(&sql, &marks)
}

fn is_mark(token: &Token) -> bool {
    matches!(token, Token::Question) || matches!(token, Token::Placeholder(name) if name == "?")
}

/// Puts numbers in the places of marks, which are in the order of the text.
fn with_numbers(sql: &str, marks: &[(u64, u64)]) -> String {
    let (mut line, mut column, mut count) = (1, 1, 0_usize);
    let mut out = String::with_capacity(sql.len() + marks.len() * 2);
    for character in sql.chars() {
        if character == '?' && marks.get(count) == Some(&(line, column)) {
            count += 1;
            out.push_str(&format!("${count}"));
        } else {
            out.push(character);
        }
        (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_numbers_and_nothing_else_changes() {
        for (sql, expected) in [
            ("select ?, ?", "select $1, $2"),
            ("select '?' || ? -- why?\n, \"a?\", ?", "select '?' || $1 -- why?\n, \"a?\", $2"),
            ("select $1, '?'", "select $1, '?'"),
            ("select $2, ?", "select $2, ?"),
            ("select 'پنجاب?', ? /* ? */\nwhere x=?", "select 'پنجاب?', $1 /* ? */\nwhere x=$2"),
            ("select 'open ?", "select 'open ?"),
        ] {
            assert_eq!(numbered(sql.to_owned()), expected);
        }
    }
}
