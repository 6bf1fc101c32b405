//! What a client says: questions, and the chatter around them that Postgres clients cannot do without.
//!
//! A text is cut into statements at its semicolons, and each is known by its first words. A question is not read any
//! further here: the guard reads it. What is neither a question nor in the list below is handed to the guard as well, which refuses it
//! with a hint.

use std::ops::Range;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::errors::Failed;

mod copy;

/// One statement of what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// Its text, without the semicolon.
    pub(super) text: String,
    /// Characters before it in what was sent.
    pub(super) offset: usize,
    pub(super) kind: Kind,
}

/// What a statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// For the guard, or for the catalogue: whatever is not one of the others.
    Question,
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`, `ROLLBACK`, `ABORT`: with the tag that answers it.
    End(&'static str),
    /// What is accepted and changes nothing: `SAVEPOINT`, `RELEASE`, `LISTEN` and so on; with its tag.
    Nothing(&'static str),
    /// `SET name = value`, as far as it is kept.
    Set { name: String, value: Option<String> },
    /// `RESET name`; without a name all.
    Reset(Option<String>),
    /// `SHOW name`; without a name all.
    Show(Option<String>),
    /// `DISCARD ALL` and its parts.
    Discard { all: bool },
    /// `DECLARE name CURSOR FOR …`.
    Declare { name: String, holds: bool, question: String },
    /// `FETCH` and `MOVE`.
    Fetch { name: String, step: Step, moves_only: bool },
    /// `CLOSE name`; without a name all.
    Close(Option<String>),
    /// `PREPARE name AS …`.
    Prepare { name: String, question: String },
    /// `EXECUTE name (values)`.
    Execute { name: String, values: Vec<Option<String>> },
    /// `DEALLOCATE name`; without a name all.
    Deallocate(Option<String>),
    /// `COPY (…) TO STDOUT`.
    Copy { question: String, format: CopyFormat },
}

/// Where a cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// So many rows on; back where negative, and the row it stands on where zero.
    By(i64),
    /// To the end; to the beginning where not forward.
    All { forward: bool },
    /// To a row from 1; from the end where negative.
    To(i64),
}

/// How COPY writes rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CopyFormat {
    Text { delimiter: char, null: String, header: bool },
    Csv { delimiter: char, null: String, header: bool, quote: char },
    Binary,
}

/// Statements that one message may hold.
const MOST: usize = 100;

/// Cuts a text into statements. What cannot be cut into words is one: the guard says what is wrong with it.
pub(super) fn split(sql: &str) -> Result<Vec<Statement>, Failed> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location() else {
        let text = sql.trim();
        let all = (!text.is_empty()).then(|| Statement { text: sql.to_owned(), offset: 0, kind: Kind::Question });
        return Ok(all.into_iter().collect());
    };
    let mut lines = Lines::new(sql);
    let mut statements = Vec::new();
    let mut begin = 0;
    let mut words: Vec<Word> = Vec::new();
    for TokenWithSpan { token, span } in tokens {
        let byte = lines.byte(span.start);
        match token {
            Token::Whitespace(_) | Token::EOF => {}
            Token::SemiColon => {
                statements.extend(statement(sql, begin..byte, &std::mem::take(&mut words))?);
                begin = byte + 1;
            }
            token => words.push(Word { token, byte }),
        }
        if statements.len() > MOST {
            let failed = Failed::new("54000", format!("One message may hold {MOST} statements."));
            return Err(failed.hint("Send them one after the other."));
        }
    }
    statements.extend(statement(sql, begin..sql.len(), &words)?);
    Ok(statements)
}

/// Finds the byte of a line and column; places come in order.
struct Lines<'a> {
    rest: std::str::CharIndices<'a>,
    at: (u64, u64),
    length: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.char_indices(), at: (1, 1), length: text.len() }
    }

    fn byte(&mut self, place: Location) -> usize {
        while self.at < (place.line, place.column) {
            match self.rest.next() {
                Some((_, '\n')) => self.at = (self.at.0 + 1, 1),
                Some(_) => self.at.1 += 1,
                None => return self.length,
            }
        }
        self.rest.offset()
    }
}

/// A word and the byte at which it begins.
struct Word {
    token: Token,
    byte: usize,
}

fn statement(sql: &str, range: Range<usize>, words: &[Word]) -> Result<Option<Statement>, Failed> {
    if words.is_empty() {
        return Ok(None);
    }
    let offset = sql.get(..range.start).unwrap_or_default().chars().count();
    let text = sql.get(range.clone()).unwrap_or_default().to_owned();
    let kind = Words { all: words, at: 0, sql, end: range.end }.kind()?;
    Ok(Some(Statement { text, offset, kind }))
}

/// The words of one statement, read from left to right.
struct Words<'a> {
    all: &'a [Word],
    at: usize,
    sql: &'a str,
    /// The byte at which the statement ends.
    end: usize,
}

impl Words<'_> {
    fn peek(&self) -> Option<&Token> {
        self.all.get(self.at).map(|word| &word.token)
    }

    /// Takes a word that is this one.
    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(w)) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn words(&mut self, words: &[&str]) -> bool {
        let begin = self.at;
        let all = words.iter().all(|word| self.word(word));
        if !all {
            self.at = begin;
        }
        all
    }

    fn token(&mut self, token: &Token) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    /// Takes a name, folded as Postgres folds it.
    fn name(&mut self) -> Result<String, Failed> {
        let name = match self.peek() {
            Some(Token::Word(word)) if word.quote_style.is_some() => word.value.clone(),
            Some(Token::Word(word)) => word.value.to_lowercase(),
            _ => return Err(self.odd("A name is expected")),
        };
        self.at += 1;
        Ok(name)
    }

    /// Takes a whole number.
    fn number(&mut self) -> Option<i64> {
        let begin = self.at;
        let negative = self.token(&Token::Minus);
        let found = match self.peek() {
            Some(Token::Number(digits, _)) => digits.parse::<i64>().ok(),
            _ => None,
        };
        if found.is_none() {
            self.at = begin;
            return None;
        }
        self.at += 1;
        found.map(|number| if negative { -number } else { number })
    }

    /// Takes a text in quotes.
    fn quoted(&mut self) -> Option<String> {
        let text = match self.peek() {
            Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) => text.clone(),
            _ => return None,
        };
        self.at += 1;
        Some(text)
    }

    fn is_done(&self) -> bool {
        self.peek().is_none()
    }

    fn done(&self, kind: Kind) -> Result<Kind, Failed> {
        if self.is_done() { Ok(kind) } else { Err(self.odd("The statement is expected to end")) }
    }

    fn odd(&self, expected: &str) -> Failed {
        let found = self.peek().map_or("the end".to_owned(), |token| token.to_string().chars().take(40).collect());
        Failed::new("42601", format!("{expected} at {found}."))
    }

    /// The text from the next word on.
    fn rest(&self) -> String {
        self.slice(self.at, self.all.len())
    }

    /// The text from one word to before another.
    fn slice(&self, from: usize, to: usize) -> String {
        let byte = |at: usize| self.all.get(at).map_or(self.end, |word| word.byte);
        self.sql.get(byte(from)..byte(to)).unwrap_or_default().trim_end().to_owned()
    }

    fn kind(&mut self) -> Result<Kind, Failed> {
        let Some(Token::Word(first)) = self.all.first().map(|word| &word.token) else { return Ok(Kind::Question) };
        if first.quote_style.is_some() {
            return Ok(Kind::Question);
        }
        let first = first.value.to_uppercase();
        self.at = 1;
        match first.as_str() {
            "BEGIN" => Ok(self.begin()),
            "START" if self.word("transaction") => Ok(self.begin()),
            "COMMIT" | "END" => self.end("COMMIT"),
            "ABORT" => self.end("ROLLBACK"),
            "ROLLBACK" => self.rollback(),
            "SAVEPOINT" => self.name().and_then(|_| self.done(Kind::Nothing("SAVEPOINT"))),
            "RELEASE" => {
                self.word("savepoint");
                self.name().and_then(|_| self.done(Kind::Nothing("RELEASE")))
            }
            "LISTEN" => Ok(Kind::Nothing("LISTEN")),
            "UNLISTEN" => Ok(Kind::Nothing("UNLISTEN")),
            "SET" => self.set(),
            "RESET" => {
                let name = self.setting()?;
                self.done(Kind::Reset((name != "all").then_some(name)))
            }
            "SHOW" => {
                let name = self.setting()?;
                self.done(Kind::Show((name != "all").then_some(name)))
            }
            "DISCARD" => {
                let what = self.name()?;
                self.done(Kind::Discard { all: what == "all" })
            }
            "DECLARE" => self.declare(),
            "FETCH" => self.fetch(false),
            "MOVE" => self.fetch(true),
            "CLOSE" => self.name_or_all().map(Kind::Close),
            "DEALLOCATE" => {
                self.word("prepare");
                self.name_or_all().map(Kind::Deallocate)
            }
            "PREPARE" => self.prepare(),
            "EXECUTE" => self.execute(),
            "COPY" => self.copy(),
            _ => Ok(Kind::Question),
        }
    }

    /// `BEGIN` with whatever modes: all are read only here.
    fn begin(&mut self) -> Kind {
        self.at = self.all.len();
        Kind::Begin
    }

    fn end(&mut self, tag: &'static str) -> Result<Kind, Failed> {
        let _ = self.word("work") || self.word("transaction");
        let _ = self.words(&["and", "no", "chain"]);
        self.done(Kind::End(tag))
    }

    fn rollback(&mut self) -> Result<Kind, Failed> {
        let _ = self.word("work") || self.word("transaction");
        if self.word("to") {
            self.word("savepoint");
            self.name()?;
            return self.done(Kind::Nothing("ROLLBACK"));
        }
        self.end("ROLLBACK")
    }

    fn name_or_all(&mut self) -> Result<Option<String>, Failed> {
        let all = self.word("all");
        let name = if all { None } else { Some(self.name()?) };
        if self.is_done() { Ok(name) } else { Err(self.odd("The statement is expected to end")) }
    }

    /// The name of a setting, which may have dots and words of its own.
    fn setting(&mut self) -> Result<String, Failed> {
        if self.words(&["time", "zone"]) {
            return Ok("timezone".to_owned());
        }
        if self.words(&["transaction", "isolation", "level"]) {
            return Ok("transaction_isolation".to_owned());
        }
        if self.words(&["session", "authorization"]) {
            return Ok("session_authorization".to_owned());
        }
        let mut name = self.name()?.to_lowercase();
        while self.token(&Token::Period) {
            name.push('.');
            name.push_str(&self.name()?.to_lowercase());
        }
        Ok(name)
    }

    fn set(&mut self) -> Result<Kind, Failed> {
        if self.words(&["session", "characteristics"]) || self.word("transaction") || self.word("constraints") {
            return Ok(Kind::Nothing("SET"));
        }
        let _ = self.word("local")
            || (self.word("session")
                && !matches!(self.peek(), Some(Token::Word(w)) if w.keyword == Keyword::AUTHORIZATION));
        if self.word("transaction") {
            return Ok(Kind::Nothing("SET"));
        }
        if self.word("names") {
            let value = self.value()?;
            return Ok(Kind::Set { name: "client_encoding".to_owned(), value });
        }
        if self.words(&["time", "zone"]) {
            let value = self.value()?;
            return Ok(Kind::Set { name: "timezone".to_owned(), value });
        }
        if self.word("role") || self.word("authorization") || self.words(&["session", "authorization"]) {
            let value = self.value()?;
            return Ok(Kind::Set { name: "role".to_owned(), value });
        }
        let name = self.setting()?;
        if !(self.word("to") || self.token(&Token::Eq)) {
            return Err(self.odd("TO or = is expected"));
        }
        let value = self.value()?;
        Ok(Kind::Set { name, value })
    }

    /// The value of a setting as one text; none for DEFAULT.
    fn value(&mut self) -> Result<Option<String>, Failed> {
        if self.word("default") && self.is_done() {
            return Ok(None);
        }
        let mut parts = Vec::new();
        while !self.is_done() {
            if let Some(text) = self.quoted() {
                parts.push(text);
                continue;
            }
            let part = match self.peek() {
                Some(Token::Word(word)) => word.value.clone(),
                Some(Token::Number(digits, _)) => digits.clone(),
                Some(Token::Comma) => ",".to_owned(),
                Some(Token::Minus) => "-".to_owned(),
                Some(Token::Plus) => "+".to_owned(),
                Some(Token::Period) => ".".to_owned(),
                Some(Token::Div) => "/".to_owned(),
                Some(Token::Colon) => ":".to_owned(),
                _ => return Err(self.odd("A value is expected")),
            };
            self.at += 1;
            parts.push(part);
        }
        if parts.is_empty() {
            return Err(self.odd("A value is expected"));
        }
        let text = parts.join(" ").replace(" ,", ",").replace("- ", "-").replace("+ ", "+").replace(" / ", "/");
        Ok(Some(text))
    }

    fn declare(&mut self) -> Result<Kind, Failed> {
        let name = self.name()?;
        let mut holds = false;
        loop {
            let option = ["binary", "insensitive", "asensitive", "no", "scroll", "cursor", "without"];
            if self.words(&["with", "hold"]) {
                holds = true;
            } else if self.word("for") {
                break;
            } else if !option.iter().any(|word| self.word(word)) && !self.word("hold") {
                return Err(self.odd("FOR and a query are expected"));
            }
        }
        Ok(Kind::Declare { name, holds, question: self.rest() })
    }

    fn fetch(&mut self, moves_only: bool) -> Result<Kind, Failed> {
        let step = if self.word("next") {
            Step::By(1)
        } else if self.word("prior") {
            Step::By(-1)
        } else if self.word("first") {
            Step::To(1)
        } else if self.word("last") {
            Step::To(-1)
        } else if self.word("absolute") {
            Step::To(self.number().ok_or_else(|| self.odd("A number is expected"))?)
        } else if self.word("relative") {
            Step::By(self.number().ok_or_else(|| self.odd("A number is expected"))?)
        } else if self.word("all") {
            Step::All { forward: true }
        } else if self.word("forward") {
            if self.word("all") { Step::All { forward: true } } else { Step::By(self.number().unwrap_or(1)) }
        } else if self.word("backward") {
            if self.word("all") {
                Step::All { forward: false }
            } else {
                Step::By(self.number().unwrap_or(1).saturating_neg())
            }
        } else {
            Step::By(self.number().unwrap_or(1))
        };
        let _ = self.word("from") || self.word("in");
        let name = self.name()?;
        self.done(Kind::Fetch { name, step, moves_only })
    }

    fn prepare(&mut self) -> Result<Kind, Failed> {
        let name = self.name()?;
        if self.token(&Token::LParen) {
            while !self.token(&Token::RParen) {
                if self.is_done() {
                    return Err(self.odd("A closing bracket is expected"));
                }
                self.at += 1;
            }
        }
        if !self.word("as") {
            return Err(self.odd("AS and a query are expected"));
        }
        Ok(Kind::Prepare { name, question: self.rest() })
    }

    fn execute(&mut self) -> Result<Kind, Failed> {
        let name = self.name()?;
        let mut values = Vec::new();
        if self.token(&Token::LParen) && !self.token(&Token::RParen) {
            loop {
                values.push(self.literal()?);
                if self.token(&Token::RParen) {
                    break;
                }
                if !self.token(&Token::Comma) {
                    return Err(self.odd("A comma or a closing bracket is expected"));
                }
            }
        }
        self.done(Kind::Execute { name, values })
    }

    fn literal(&mut self) -> Result<Option<String>, Failed> {
        if self.word("null") {
            return Ok(None);
        }
        for truth in ["true", "false"] {
            if self.word(truth) {
                return Ok(Some(truth.to_owned()));
            }
        }
        if let Some(text) = self.quoted() {
            return Ok(Some(text));
        }
        let negative = self.token(&Token::Minus);
        let Some(Token::Number(digits, _)) = self.peek() else { return Err(self.odd("A value is expected")) };
        let text = if negative { format!("-{digits}") } else { digits.clone() };
        self.at += 1;
        Ok(Some(text))
    }
}
