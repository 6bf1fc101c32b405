//! `COPY … TO STDOUT`: the question in it, and how its rows are written.

use sqlparser::tokenizer::Token;

use super::{CopyFormat, Kind, Words};
use crate::postgres::errors::Failed;

impl Words<'_> {
    /// `COPY (…) TO STDOUT`, `COPY table (columns) TO STDOUT`.
    pub(super) fn copy(&mut self) -> Result<Kind, Failed> {
        let begin = self.at;
        let question = if self.token(&Token::LParen) {
            let mut depth = 1;
            while depth > 0 {
                match self.peek() {
                    Some(Token::LParen) => depth += 1,
                    Some(Token::RParen) => depth -= 1,
                    None => return Err(self.odd("A closing bracket is expected")),
                    Some(_) => {}
                }
                self.at += 1;
            }
            self.slice(begin + 1, self.at - 1)
        } else {
            while matches!(self.peek(), Some(Token::Word(_) | Token::Period))
                && !self.ahead(&["to"])
                && !self.ahead(&["from"])
            {
                self.at += 1;
            }
            let table = self.slice(begin, self.at);
            let columns = if matches!(self.peek(), Some(Token::LParen)) {
                let begin = self.at + 1;
                while !self.token(&Token::RParen) {
                    if self.is_done() {
                        return Err(self.odd("A closing bracket is expected"));
                    }
                    self.at += 1;
                }
                self.slice(begin, self.at - 1)
            } else {
                "*".to_owned()
            };
            format!("SELECT {columns} FROM {table}")
        };
        if !self.words(&["to", "stdout"]) {
            let failed = Failed::new("25006", "COPY is answered to the client alone, and nothing is read from it.");
            return Err(failed.hint("Write COPY (SELECT …) TO STDOUT, in psql \\copy (SELECT …) TO 'file' CSV HEADER."));
        }
        let format = self.copy_format()?;
        self.done(Kind::Copy { question, format })
    }

    fn ahead(&mut self, words: &[&str]) -> bool {
        let begin = self.at;
        let is = self.words(words);
        self.at = begin;
        is
    }

    /// The options of COPY, in brackets or in the form of before 9.0.
    fn copy_format(&mut self) -> Result<CopyFormat, Failed> {
        let (mut format, mut delimiter, mut null, mut header, mut quote) = (String::new(), None, None, false, '"');
        self.word("with");
        let brackets = self.token(&Token::LParen);
        while !(self.is_done() || brackets && self.token(&Token::RParen)) {
            if self.token(&Token::Comma) {
                continue;
            }
            let option = self.name()?;
            self.word("as");
            match option.as_str() {
                "format" => format = self.name()?,
                "csv" | "binary" | "text" => format = option,
                "header" => {
                    header = !(self.word("false") || self.word("off"));
                    let _ = self.word("true") || self.word("on");
                }
                "delimiter" | "delimiters" => delimiter = Some(self.one_character()?),
                "quote" => quote = self.one_character()?,
                "null" => null = Some(self.quoted().ok_or_else(|| self.odd("A text is expected"))?),
                "encoding" => {
                    let encoding = self.quoted().unwrap_or_default();
                    if !encoding.to_lowercase().replace(['-', '_'], "").eq("utf8") {
                        return Err(
                            Failed::new("22023", "Rows are written in UTF-8 alone.").hint("Leave ENCODING out.")
                        );
                    }
                }
                _ => {
                    let failed = Failed::new("0A000", format!("The option {option} of COPY is not offered."));
                    return Err(failed.hint("FORMAT text, csv or binary, HEADER, DELIMITER, NULL and QUOTE are."));
                }
            }
        }
        let format = match format.as_str() {
            "binary" => CopyFormat::Binary,
            "csv" => {
                CopyFormat::Csv { delimiter: delimiter.unwrap_or(','), null: null.unwrap_or_default(), header, quote }
            }
            "" | "text" => CopyFormat::Text {
                delimiter: delimiter.unwrap_or('\t'),
                null: null.unwrap_or_else(|| "\\N".to_owned()),
                header,
            },
            other => {
                let shown: String = other.chars().take(20).collect();
                return Err(Failed::new("22023", format!("COPY knows no format {shown}.")).hint("text, csv or binary."));
            }
        };
        if format.is_readable() {
            return Ok(format);
        }
        let failed = Failed::new("22023", "The options of COPY make rows that nobody can read.");
        Err(failed.hint("DELIMITER and QUOTE differ, and NULL has neither of them and no end of a line."))
    }

    fn one_character(&mut self) -> Result<char, Failed> {
        let text = self.quoted().ok_or_else(|| self.odd("A character in quotes is expected"))?;
        let text = if text == "\\t" { "\t".to_owned() } else { text };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(one), None) if one.is_ascii() && !one.is_ascii_alphanumeric() && !"\\\r\n.".contains(one) => Ok(one),
            _ => Err(Failed::new("22023", "One character of ASCII is expected, no letter or digit.")),
        }
    }
}

impl CopyFormat {
    /// Whether what is written can be told apart when it is read; PostgreSQL refuses the same.
    fn is_readable(&self) -> bool {
        match self {
            Self::Binary => true,
            Self::Text { delimiter, null, .. } => !null.contains(['\r', '\n', *delimiter]),
            Self::Csv { delimiter, null, quote, .. } => {
                delimiter != quote && !null.contains(['\r', '\n', *delimiter, *quote])
            }
        }
    }
}
