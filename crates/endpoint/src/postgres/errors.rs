//! Refusals as Postgres says them: an SQLSTATE of its own for each code, the hint as HINT, the place as a position.

use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};
use query::{Code, Note, Place, Refusal};

/// How a key is shown at this door; the reader's own hint speaks of the others.
const KEY_HINT: &str = "Connect as the name of a key with the key as the password, or with an account and its password; the published tables \
                        need neither.";

/// An error on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) sqlstate: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Character of the text at which it is, from 1.
    pub(super) position: Option<usize>,
    /// The stable name of a refusal's code.
    pub(super) detail: Option<String>,
    /// Whether the connection ends with it.
    pub(super) is_fatal: bool,
}

impl Failed {
    pub(super) fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { sqlstate, message: message.into(), hint: None, position: None, detail: None, is_fatal: false }
    }

    pub(super) fn fatal(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { is_fatal: true, ..Self::new(sqlstate, message) }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A refusal, at this door, of a question whose text is this one.
    pub(super) fn of(refusal: &Refusal, text: &str) -> Self {
        let code = refusal.code.name();
        let incident = refusal.incident.as_ref().map(|incident| format!(" Incident {incident}."));
        Self {
            sqlstate: sqlstate(refusal.code),
            message: format!("{} [{code}]{}", refusal.detail, incident.unwrap_or_default()),
            hint: if refusal.code == Code::KeyNeeded { Some(KEY_HINT.to_owned()) } else { refusal.hint.clone() },
            position: refusal.place.and_then(|place| position(text, place)),
            detail: Some(format!("{}: /problems/{code}", refusal.title())),
            is_fatal: false,
        }
    }

    /// The same with its position moved, for a statement that begins later in what was sent.
    pub(super) fn moved(mut self, characters: usize) -> Self {
        self.position = self.position.map(|position| position + characters);
        self
    }

    /// As a message.
    pub(super) fn message(&self) -> PgWireBackendMessage {
        let severity = if self.is_fatal { "FATAL" } else { "ERROR" };
        let mut fields = fields(severity, self.sqlstate, &self.message);
        let more = [
            (b'D', self.detail.clone()),
            (b'H', self.hint.clone()),
            (b'P', self.position.map(|position| position.to_string())),
        ];
        fields.extend(more.into_iter().filter_map(|(field, text)| Some((field, text?))));
        PgWireBackendMessage::ErrorResponse(ErrorResponse::new(fields))
    }
}

fn fields(severity: &str, sqlstate: &str, message: &str) -> Vec<(u8, String)> {
    // A text of the wire ends at its first zero.
    let text = |text: &str| text.replace('\0', " ");
    vec![(b'S', severity.to_owned()), (b'V', severity.to_owned()), (b'C', sqlstate.to_owned()), (b'M', text(message))]
}

/// A remark that stands beside an answer.
pub(super) fn notice(message: &str) -> PgWireBackendMessage {
    PgWireBackendMessage::NoticeResponse(NoticeResponse::new(fields("NOTICE", "00000", message)))
}

/// What an answer says of itself.
pub(super) fn noted(note: &Note) -> PgWireBackendMessage {
    notice(&format!("{} [{}]", note.detail, note.code.name()))
}

/// The character at which a place is, from 1.
fn position(text: &str, Place { line, column }: Place) -> Option<usize> {
    let before = usize::try_from(line.checked_sub(1)?).ok()?;
    let column = usize::try_from(column).ok().filter(|column| *column > 0)?;
    let lines: usize = text.split('\n').take(before).map(|line| line.chars().count() + 1).sum();
    Some(lines + column)
}

/// The SQLSTATE of a code. Those of PostgreSQL (Appendix A) where it has one that says the same, so that clients treat it
/// as they should: 57014 is not asked again, 42P01 is a missing table. Refusals of protected tables have the class `PV`, which the
/// standard leaves to products, and the digits of their code: PRIV-1003 is PV003, PRIV-1020 PV020, PRIV-2001 PV201,
/// PRIV-5000 PV500.
pub(super) fn sqlstate(code: Code) -> &'static str {
    match code {
        Code::Syntax | Code::OneStatement => "42601",
        Code::Statement => "25006",
        Code::Construct => "0A000",
        Code::TooLong | Code::RowLimit => "54000",
        Code::TooDeep | Code::TooComplex => "54001",
        Code::UnknownTable => "42P01",
        Code::UnknownColumn => "42703",
        Code::UnknownFunction => "42883",
        Code::Meaning => "42804",
        Code::Parameter => "42P02",
        Code::NoEdition => "55000",
        Code::UnknownEdition | Code::NoEditionOnDate => "22023",
        Code::Expression => "22000",
        Code::TimeLimit | Code::Cancelled => "57014",
        Code::MemoryLimit => "53200",
        Code::Busy | Code::TooOften => "53300",
        Code::Internal => "XX000",
        Code::KeyNeeded | Code::NotAllowed => "42501",
        Code::ProtectedTable => "PV001",
        Code::NotFilterable => "PV002",
        Code::ProtectedForm => "PV003",
        Code::NotACode => "PV004",
        Code::ProtectedJoin => "PV005",
        Code::Steering => "PV006",
        Code::ProtectedFunction => "PV007",
        Code::TooManyDimensions => "PV008",
        Code::TooSparse => "PV009",
        Code::ProtectedStatement => "PV010",
        Code::ProtectedAggregate => "PV011",
        Code::TooManyCells => "PV012",
        Code::TooManyGroupingSets => "PV013",
        Code::NotTotal => "PV014",
        Code::ManyValued => "PV015",
        Code::NotTheOpenSnapshot => "PV016",
        Code::ChargesSpent => "PV020",
        Code::ProtectedExpression => "PV201",
        Code::ProtectedInternal => "PV500",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_refusal_of_protected_tables_has_an_sqlstate_of_its_own_with_its_digits() {
        let mut seen = BTreeMap::new();
        for code in Code::ALL {
            let state = sqlstate(code);
            assert!(state.len() == 5 && state.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()), "{state}");
            let Some(number) = code.name().strip_prefix("PRIV-") else {
                assert!(!state.starts_with("PV"), "{state}");
                continue;
            };
            let digits = if let Some(rest) = number.strip_prefix('1') {
                rest.to_owned()
            } else {
                format!("{}{}", &number[..1], &number[2..])
            };
            assert_eq!(state, format!("PV{digits}"), "{number}");
            assert_eq!(seen.insert(state, number), None);
        }
    }

    #[test]
    fn a_place_becomes_a_position_in_characters() {
        let at = |text, line, column| position(text, Place { line, column });
        assert_eq!(at("select x", 1, 8), Some(8));
        assert_eq!(at("select\n  x", 2, 3), Some(10));
        assert_eq!(at("-- پنجاب\nx", 2, 1), Some(10), "characters, not bytes");
        assert_eq!(at("x", 0, 0), None);
    }

    #[test]
    fn a_refusal_keeps_its_hint_and_its_code() {
        let refusal = Refusal::new(Code::ProtectedForm, "Not like this.").hint("Write count(*).");
        let failed = Failed::of(&refusal, "select *");
        assert_eq!((failed.sqlstate, failed.hint.as_deref()), ("PV003", Some("Write count(*).")));
        assert_eq!(failed.message, "Not like this. [PRIV-1003]");
    }
}
