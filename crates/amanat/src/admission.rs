//! Whether an event would be admitted, asked before it is sent: form and codes by the contract, then the rules of ingest's
//! own door. This spares an agency the way there and back (the messages name no value).

use events::{Event, Limits};
use lake::StoreKind;
use policy::Policy;

/// What a line is judged by.
#[derive(Clone, Copy)]
pub struct Judge<'p> {
    /// Who may emit what.
    pub policy: &'p Policy,
    /// The kind of data that the store admits; None when no store is asked.
    pub kind: Option<StoreKind>,
    /// Bounds of a message.
    pub limits: Limits,
}

impl Judge<'_> {
    /// Reads a line and says why it would not be admitted.
    pub fn read<'l>(&self, line: &'l [u8]) -> Result<Event<'l>, String> {
        let event = events::encode::event_of_line(line, &self.limits).map_err(|fault| fault.to_string())?;
        match self.objection(&event) {
            Some(sentence) => Err(sentence.to_owned()),
            None => Ok(event),
        }
    }

    /// Why an event of the contract would not be admitted.
    pub fn objection(&self, event: &Event<'_>) -> Option<&'static str> {
        if self.policy.agencies.get(event.agency).is_none() {
            return Some("source: an agency that the policy lists is expected; check its code, or have it listed");
        }
        ingest::objection(event, self.policy.agencies.may_emit(event.agency, event.kind), self.kind)
    }
}
