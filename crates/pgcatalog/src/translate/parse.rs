//! Reads a statement, within limits.

use sqlparser::ast::{Query, Statement};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};

use super::dialect::{Bounded, readings};
use super::too_complex;
use crate::error::{CatalogueError, Fault, Result};

/// A statement that the catalogue can answer.
#[derive(Debug)]
pub(crate) enum Question {
    /// A SELECT and its like.
    Query(Box<Query>),
    /// `SHOW name`.
    Show(String),
}

/// The longest statement, in bytes. The longest that a client is known to send has 12 thousand.
pub(crate) const MAX_BYTES: usize = 256 << 10;

/// Most operators of one statement: each may be a level of the tree, which is freed level by level.
const MAX_OPERATORS: usize = 4_000;

/// Most words and signs of one statement.
const MAX_TOKENS: usize = 50_000;

/// Levels of brackets and queries that the parser follows.
const MAX_NESTING: usize = 100;

/// How often the parser may read the same words. The most that a client is known to ask for is ten: psqlODBC, of foreign keys.
const MAX_READINGS: usize = 200;

/// Reads one statement. `Ok(None)` is a statement of another kind.
pub(crate) fn read(sql: &str) -> Result<Option<Question>> {
    if sql.len() > MAX_BYTES {
        return Err(too_complex("the statement is longer than 256 KiB"));
    }
    if sql.contains('\0') {
        return Err(CatalogueError::new(Fault::Syntax, "the statement has a NUL character"));
    }
    let tokens = Tokenizer::new(&Bounded::of(0), sql)
        .tokenize()
        .map_err(|error| CatalogueError::new(Fault::Syntax, error.to_string()))?;
    if tokens.len() > MAX_TOKENS || tokens.iter().filter(|token| is_operator(token)).count() > MAX_OPERATORS {
        return Err(too_complex("the statement has more than 4,000 operators or 50,000 words"));
    }
    let tokens = plain_forms(tokens);
    if !is_of_ours(&tokens) {
        return Ok(None);
    }
    if readings(&tokens) > MAX_READINGS {
        return Err(too_complex("the statement nests too deeply"));
    }
    let mut statements = Parser::new(&Bounded::of(tokens.len()))
        .with_recursion_limit(MAX_NESTING)
        .with_tokens(tokens)
        .parse_statements()
        .map_err(|error| match error {
            ParserError::RecursionLimitExceeded => too_complex("the statement nests too deeply"),
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
                CatalogueError::new(Fault::Syntax, message)
            }
        })?;
    if statements.len() > 1 {
        return Err(CatalogueError::new(Fault::Syntax, "cannot insert multiple commands into a prepared statement"));
    }
    Ok(match statements.pop() {
        Some(Statement::Query(query)) => Some(Question::Query(query)),
        Some(Statement::ShowVariable { variable }) => {
            let words: Vec<String> = variable.iter().map(|word| word.value.to_lowercase()).collect();
            Some(Question::Show(match words.join(" ").as_str() {
                "transaction isolation level" => "transaction_isolation".into(),
                "time zone" => "TimeZone".into(),
                "session authorization" => "session_authorization".into(),
                other => other.to_owned(),
            }))
        }
        _ => None,
    })
}

/// Whether a statement begins like one that the catalogue may answer: the parser reads no other.
fn is_of_ours(tokens: &[Token]) -> bool {
    match tokens.iter().find(|token| !matches!(token, Token::LParen | Token::SemiColon)) {
        Some(Token::Word(word)) => {
            matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::SHOW)
        }
        _ => false,
    }
}

/// Whether a token may be a level of a tree that is not of brackets.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::IS
                | Keyword::IN
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::SIMILAR
                | Keyword::BETWEEN
                | Keyword::COLLATE
                | Keyword::AT
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::NOT
                | Keyword::OPERATOR
        ),
        Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::LBracket
        | Token::RBracket
        | Token::SemiColon
        | Token::Whitespace(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::EscapedStringLiteral(_)
        | Token::Placeholder(_)
        | Token::EOF => false,
        _ => true,
    }
}

fn is_syntax(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::SUBSTRING
            | Keyword::TRIM
            | Keyword::POSITION
            | Keyword::OVERLAY
            | Keyword::EXTRACT
            | Keyword::CEIL
            | Keyword::FLOOR
    )
}

/// Whether `TABLE name` begins here, which is `SELECT * FROM name`.
fn begins_table(tokens: &[Token], place: usize) -> bool {
    let keyword = |place: usize| match tokens.get(place) {
        Some(Token::Word(word)) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let first = place == 0
        || matches!(tokens.get(place - 1), Some(Token::LParen))
        || matches!(
            keyword(place - 1),
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::ALL | Keyword::DISTINCT
        );
    first && keyword(place) == Keyword::TABLE && matches!(tokens.get(place + 1), Some(Token::Word(_)))
}

/// Two forms that the parser does not read as PostgreSQL does: `TABLE name`, and `OPERATOR(pg_catalog.~)`, to which it gives the
/// wrong rank and which it does not know before ANY.
fn plain_forms(tokens: Vec<Token>) -> Vec<Token> {
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let mut plain = Vec::with_capacity(tokens.len());
    let mut place = 0;
    while place < tokens.len() {
        if let [Token::Word(word), Token::LParen, Token::Word(schema), Token::Period, operator, Token::RParen, ..] =
            &tokens[place..]
            && word.keyword == Keyword::OPERATOR
            && schema.value.eq_ignore_ascii_case("pg_catalog")
        {
            plain.push(operator.clone());
            place += 6;
            continue;
        }
        // `pg_catalog.substring(...)` and its like are read as words with a syntax of their own, and cannot have a schema before them.
        if let [Token::Word(schema), Token::Period, Token::Word(name), Token::LParen, ..] = &tokens[place..]
            && schema.value.eq_ignore_ascii_case("pg_catalog")
            && is_syntax(name.keyword)
        {
            place += 2;
            continue;
        }
        if begins_table(&tokens, place) {
            plain.extend([Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")]);
        } else {
            plain.push(tokens[place].clone());
        }
        place += 1;
    }
    plain
}
