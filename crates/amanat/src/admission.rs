//! Whether an event would be admitted, asked before it is sent: form and codes by the contract, then the rules of ingest's
//! door. Ingest decides; this spares an agency the way there and back (the messages name no value).

use events::{Event, Limits, calendar};
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
            return Some("source: an agency that the policy lists is expected; check its code, or have it listed.");
        }
        if !self.policy.agencies.may_emit(event.agency, event.kind) {
            return Some(
                "type: the policy does not let this agency emit events of this type; let the one in charge publish it.",
            );
        }
        match (self.kind, event.synthetic) {
            (Some(StoreKind::Real), true) => {
                return Some(
                    "synthetic: this store admits real data only; publish synthetic events to a sample store.",
                );
            }
            (Some(StoreKind::Sample), false) => {
                return Some(
                    "synthetic: this store admits synthetic data only; publish real events to a store of real data.",
                );
            }
            _ => {}
        }
        let recorded = calendar::karachi_day(event.recorded_at);
        match event.occurred {
            _ if recorded < calendar::FIRST_DAY => {
                Some("time: a moment since 14 August 1947 is expected; check the year.")
            }
            Some(at) if at.from > recorded + 1 => {
                Some("data.occurred_on: a date at most one day after `time` is expected; check the year.")
            }
            Some(at) if at.to < calendar::FIRST_DAY => {
                Some("data.occurred_on: a date since 1947 is expected; check the century.")
            }
            _ => None,
        }
    }
}
