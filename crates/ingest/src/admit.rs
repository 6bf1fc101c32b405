//! Admission: may this agency say this here, and do the event's times agree with each other?
//!
//! Invariant: nothing here asks a clock. Times are judged against each other and against the log's, so a rebuild
//! judges alike (ingestion.md 3.9). Absent: form and code lists (`events::decode`), earlier events (deduplication).

use events::{Event, calendar};

use crate::batch::Topic;
use crate::set_aside::ErrorClass;
use lake::StoreKind;

/// An event that may become a row.
#[derive(Debug)]
pub(crate) struct Admitted<'a>(pub Event<'a>);

/// Why an event was not admitted: a class and a sentence with place and remedy, never a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub class: ErrorClass,
    pub sentence: &'static str,
}

const fn refuse(class: ErrorClass, sentence: &'static str) -> Refusal {
    Refusal { class, sentence }
}

const OTHER_AGENCY: Refusal = refuse(
    ErrorClass::AgencyMismatch,
    "source: the agency of this topic is expected; publish the event on the topic of the agency that it names",
);
const TYPE: Refusal = refuse(
    ErrorClass::TypeNotPermitted,
    "type: the policy does not let this agency emit events of this type; have the policy changed, or let the agency \
     in charge publish it",
);
const SYNTHETIC: Refusal = refuse(
    ErrorClass::WrongStore,
    "synthetic: this store admits real data only; publish synthetic events to a sample store",
);
const REAL: Refusal = refuse(
    ErrorClass::WrongStore,
    "synthetic: this store admits synthetic data only, and the event does not say that it is; publish real events \
     to a store of real data, or mark the event with the extension synthetic = true",
);
const TIME_AFTER_LOG: Refusal = refuse(
    ErrorClass::Schema,
    "time: at most one day after the log received the event is expected; check the clock of the machine that \
     recorded it",
);
const TIME_TOO_EARLY: Refusal =
    refuse(ErrorClass::Schema, "time: a moment since 14 August 1947 is expected; check the year");
const OCCURRED_AFTER_TIME: Refusal = refuse(
    ErrorClass::Schema,
    "data.occurred_on: a date at most one day after `time` is expected (dates are those of Asia/Karachi); check the \
     year, or publish the event when it has happened",
);
const OCCURRED_TOO_EARLY: Refusal =
    refuse(ErrorClass::Schema, "data.occurred_on: a date since 1947 is expected; check the century");

/// Admits an event from this topic, or says why not. `log_ms` is the log's time of the message (negative: unknown).
pub(crate) fn admit<'a>(
    event: Event<'a>,
    topic: &Topic,
    store: StoreKind,
    log_ms: i64,
) -> Result<Admitted<'a>, Refusal> {
    if event.agency != topic.agency {
        return Err(OTHER_AGENCY);
    }
    if !topic.may_emit(event.kind) {
        return Err(TYPE);
    }
    match (store, event.synthetic) {
        (StoreKind::Real, true) => return Err(SYNTHETIC),
        (StoreKind::Sample, false) => return Err(REAL),
        (StoreKind::Real, false) | (StoreKind::Sample, true) => {}
    }
    times_agree(&event, log_ms)?;
    Ok(Admitted(event))
}

/// "`occurred_on` not after `time` + 1 day, `time` not after the log's + 1 day" (issue: Ingest). A period (`2024`,
/// `2024-Q1`) may still be running: it is too late only when it begins too late.
fn times_agree(event: &Event<'_>, log_ms: i64) -> Result<(), Refusal> {
    if log_ms >= 0 && event.recorded_at > log_ms.saturating_mul(1000).saturating_add(calendar::DAY_US) {
        return Err(TIME_AFTER_LOG);
    }
    let recorded_day = calendar::karachi_day(event.recorded_at);
    if recorded_day < calendar::FIRST_DAY {
        return Err(TIME_TOO_EARLY);
    }
    match event.occurred {
        Some(occurred) if occurred.from > recorded_day + 1 => Err(OCCURRED_AFTER_TIME),
        Some(occurred) if occurred.to < calendar::FIRST_DAY => Err(OCCURRED_TOO_EARLY),
        _ => Ok(()),
    }
}
