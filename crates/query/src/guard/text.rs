//! From text to a parsed query: everything that can be refused before the parser recurses is refused here.

use datafusion::sql::sqlparser::ast::Query;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Word};

use super::dated::{Spelled, spelled};
use super::dialect::Questions;
use crate::question::Limits;
use crate::refusal::{Code, Place, Refusal};

/// Steps of the parser's own recursion for each level of nesting: a query, its body, an expression, its operand.
const STEPS_PER_LEVEL: usize = 4;

/// How often the parser may read the same words.
const MOST_READINGS: usize = 200;

/// Operators that a question may have.
const MOST_OPERATORS: usize = 1_000;

/// The parsed query and the words it is made of, for places.
pub(super) struct Parsed {
    pub(super) query: Box<Query>,
    pub(super) tokens: Vec<TokenWithSpan>,
}

/// Where a token stands.
pub(super) fn place(at: Location) -> Option<Place> {
    (at.line > 0).then_some(Place { line: at.line, column: at.column })
}

/// Reads one query.
pub(super) fn parse(sql: &str, limits: &Limits) -> Result<Parsed, Refusal> {
    if sql.len() > limits.text {
        let detail = format!("The question has {} bytes; at most {} are read.", sql.len(), limits.text);
        return Err(Refusal::new(Code::TooLong, detail)
            .hint("Ask for less at once, or join code lists instead of naming codes."));
    }
    let tokens = Tokenizer::new(&Questions::of(0), sql)
        .tokenize_with_location()
        .map_err(|e| Refusal::new(Code::Syntax, sentence(&e.message)).at(place(e.location)))?;
    let tokens: Vec<_> = tokens.into_iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).collect();
    begins_like_a_query(&tokens)?;
    one_statement(&tokens)?;
    nesting(&tokens, limits.depth)?;
    operators(&tokens)?;
    readings(&tokens)?;
    let spelled = spelled(&tokens);
    let dialect = Questions::of(tokens.len()).dated(spelled.has_dates);
    let mut parser = Parser::new(&dialect)
        .with_tokens_with_locations(spelled.tokens.clone())
        .with_recursion_limit(limits.depth.saturating_mul(STEPS_PER_LEVEL).saturating_add(STEPS_PER_LEVEL));
    let query = parser.parse_query().map_err(|e| misplaced(&spelled, syntax(&e, limits)))?;
    while parser.consume_token(&Token::SemiColon) {}
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let detail = format!("The query ends before {}.", quoted(&next.token));
        return Err(misplaced(&spelled, Refusal::new(Code::Syntax, detail).at(place(next.span.start))));
    }
    Ok(Parsed { query, tokens })
}

/// Whether a text that was refused has a word that passes. What cannot be cut into words has none.
pub(super) fn mentions(sql: &str, limits: &Limits, passes: impl Fn(&str) -> bool) -> bool {
    let tokens = if sql.len() > limits.text {
        Vec::new()
    } else {
        Tokenizer::new(&Questions::of(0), sql).tokenize().unwrap_or_default()
    };
    tokens.iter().any(|token| matches!(token, Token::Word(word) if passes(&word.value)))
}

/// Only what begins like a query reaches the parser.
fn begins_like_a_query(tokens: &[TokenWithSpan]) -> Result<(), Refusal> {
    let mut meaningful = tokens.iter().filter(|t| t.token != Token::SemiColon);
    let first = meaningful.by_ref().find(|t| t.token != Token::LParen);
    let Some(first) = first.filter(|t| t.token != Token::EOF) else {
        let refusal = Refusal::new(Code::OneStatement, "There is no statement.");
        return Err(refusal.hint("Write a query: SELECT … FROM published.v01"));
    };
    let here = place(first.span.start);
    let Token::Word(Word { value, quote_style: None, .. }) = &first.token else {
        let detail = format!("A query cannot begin with {}.", quoted(&first.token));
        return Err(Refusal::new(Code::Syntax, detail).hint("Begin with SELECT, WITH or VALUES.").at(here));
    };
    let word = value.to_uppercase();
    if ["SELECT", "WITH", "VALUES"].contains(&word.as_str()) {
        return Ok(());
    }
    let (code, hint) = match word.as_str() {
        "EXPLAIN" => (Code::Statement, "Ask the query itself; plans are not shown."),
        "SHOW" | "DESCRIBE" | "DESC" => {
            (Code::Statement, "SELECT * FROM information_schema.tables, or information_schema.columns.")
        }
        "TABLE" => (Code::Construct, "Write SELECT * FROM and the name."),
        "FROM" => (Code::Construct, "Write SELECT before FROM."),
        _ if STATEMENTS.contains(&word.as_str()) => {
            (Code::Statement, "Published numbers are read only: begin with SELECT, WITH or VALUES.")
        }
        _ => (Code::Syntax, "Begin with SELECT, WITH or VALUES."),
    };
    let detail = match code {
        Code::Syntax => format!("A query cannot begin with {}.", quoted(&first.token)),
        _ => format!("{word} is not answered here."),
    };
    Err(Refusal::new(code, detail).hint(hint).at(here))
}

/// Words that begin statements of SQL and of the products that people come from.
const STATEMENTS: [&str; 58] = [
    "ABORT",
    "ALTER",
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "CACHE",
    "CALL",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DETACH",
    "DISCARD",
    "DO",
    "DROP",
    "END",
    "EXEC",
    "EXECUTE",
    "EXPORT",
    "FETCH",
    "FLUSH",
    "GRANT",
    "IMPORT",
    "INSERT",
    "INSTALL",
    "KILL",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "MSCK",
    "NOTIFY",
    "OPTIMIZE",
    "PRAGMA",
    "PREPARE",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "REPLACE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SET",
    "START",
    "TRUNCATE",
    "UNCACHE",
    "UNLISTEN",
    "UNLOAD",
    "UPDATE",
    "USE",
    "VACUUM",
];

fn one_statement(tokens: &[TokenWithSpan]) -> Result<(), Refusal> {
    let mut ended = false;
    for token in tokens {
        match &token.token {
            Token::EOF => break,
            Token::SemiColon => ended = true,
            _ if ended => {
                let refusal = Refusal::new(Code::OneStatement, "A second statement begins here.");
                return Err(refusal.hint("Send one question at a time.").at(place(token.span.start)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Levels of brackets and of CASE, counted over words: no recursion, so no text is too deep for the count itself.
fn nesting(tokens: &[TokenWithSpan], most: usize) -> Result<(), Refusal> {
    let mut depth = 0_usize;
    let mut signs = 0_usize;
    for token in tokens {
        signs = if is_prefix(&token.token) { signs + 1 } else { 0 };
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Word(Word { value, quote_style: None, .. }) if value.eq_ignore_ascii_case("case") => depth += 1,
            Token::Word(Word { value, quote_style: None, .. }) if value.eq_ignore_ascii_case("end") => {
                depth = depth.saturating_sub(1);
            }
            Token::Question => {
                let refusal = Refusal::new(Code::Parameter, "A question mark is no placeholder here.");
                return Err(refusal.hint("Write $1, $2, … in the order of the params.").at(place(token.span.start)));
            }
            _ => {}
        }
        if depth > most || signs > most {
            return Err(too_deep(most).at(place(token.span.start)));
        }
    }
    Ok(())
}

/// How often the parser reads what lies deepest in queries with brackets around them. Such a query, `((SELECT`, may be a table in
/// brackets or a query in brackets, which is tried at each of the brackets; and so again for each that lies in it.
fn readings(tokens: &[TokenWithSpan]) -> Result<(), Refusal> {
    let (mut open, mut run, mut now) = (Vec::new(), 0_usize, 1_usize);
    for token in tokens {
        match &token.token {
            Token::LParen => {
                open.push(now);
                run += 1;
                continue;
            }
            Token::RParen => now = open.pop().unwrap_or(1),
            Token::Word(Word { keyword: Keyword::SELECT | Keyword::WITH | Keyword::VALUES, .. }) if run > 1 => {
                now = now.saturating_mul(run);
            }
            _ => {}
        }
        run = 0;
        if now > MOST_READINGS {
            let refusal = Refusal::new(Code::TooDeep, "Too many brackets stand around queries in brackets.");
            let refusal = refusal.hint("Leave out those that are not needed, or use WITH.");
            return Err(refusal.at(place(token.span.start)));
        }
    }
    Ok(())
}

/// Operators of a question: `1 + 1 + …` is a tree as deep as it is long, and is walked and dropped as such.
fn operators(tokens: &[TokenWithSpan]) -> Result<(), Refusal> {
    const WORDS: [&str; 11] =
        ["AND", "OR", "UNION", "INTERSECT", "EXCEPT", "IS", "LIKE", "ILIKE", "IN", "BETWEEN", "COLLATE"];
    let is_one = |token: &Token| match token {
        Token::Word(Word { value, quote_style: None, .. }) => WORDS.iter().any(|w| w.eq_ignore_ascii_case(value)),
        Token::Word(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Placeholder(_)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen => false,
        _ => true,
    };
    match tokens.iter().filter(|t| is_one(&t.token)).nth(MOST_OPERATORS) {
        None => Ok(()),
        Some(token) => {
            let detail = format!("The question has more than {MOST_OPERATORS} operators.");
            let refusal = Refusal::new(Code::TooComplex, detail).hint("Write IN (…), or join a list of VALUES.");
            Err(refusal.at(place(token.span.start)))
        }
    }
}

/// `NOT NOT NOT …` and `- - - …` nest like brackets.
fn is_prefix(token: &Token) -> bool {
    match token {
        Token::Minus | Token::Plus | Token::Tilde => true,
        Token::Word(Word { value, quote_style: None, .. }) => value.eq_ignore_ascii_case("not"),
        _ => false,
    }
}

/// The refusal of what is nested more than `most` levels deep.
pub(super) fn too_deep(most: usize) -> Refusal {
    Refusal::new(Code::TooDeep, format!("Nesting goes deeper than {most} levels."))
        .hint("Use WITH to name steps, and fewer of them.")
}

/// The same, in words of ours where the parser stopped at them.
fn misplaced(spelled: &Spelled, refusal: Refusal) -> Refusal {
    spelled.objection(refusal.place).unwrap_or(refusal)
}

/// What the parser says, in a sentence, with the place taken out of its text.
fn syntax(error: &ParserError, limits: &Limits) -> Refusal {
    let text = match error {
        ParserError::RecursionLimitExceeded => return too_deep(limits.depth),
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
    };
    let (text, at) = match text.rsplit_once(" at Line: ") {
        Some((text, at)) => (text, read_place(at)),
        None => (text.as_str(), None),
    };
    Refusal::new(Code::Syntax, sentence(text)).at(at)
}

fn read_place(text: &str) -> Option<Place> {
    let (line, column) = text.split_once(", Column: ")?;
    Some(Place { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
}

/// The parser's words as one sentence of bounded length.
fn sentence(text: &str) -> String {
    let text: String = text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{}.", text.trim_end_matches('.'))
}

fn quoted(token: &Token) -> String {
    let text: String = token.to_string().chars().take(40).collect();
    format!("\"{text}\"")
}
