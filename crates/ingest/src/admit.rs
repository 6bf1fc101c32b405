//! Admission: may this agency say this here, and do the event's times agree with each other?
//!
//! What can be judged before an event is sent ([`objection`]) is the same code that judges it when it arrives.
//!
//! Invariant: nothing here asks a clock. Times are judged against each other and against the log's, so a rebuild
//! judges alike (ingestion.md 3.9). Absent: form and code lists (`events::decode`), earlier events (deduplication).

use events::{Data, Event, EventType, Occurred, Patch, TokenAt, calendar};

use crate::batch::Topic;
use crate::set_aside::ErrorClass;
use lake::StoreKind;

/// Says of an event that it may become a row; only [`admit`] does. The event itself stays where it is: it is a kilobyte, and
/// each hand that it goes through would cost a copy.
#[derive(Debug)]
pub(crate) struct Admitted(());

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

const CORRECTED_AFTER_TIME: Refusal = refuse(
    ErrorClass::Schema,
    "data.fields.occurred_on: a date at most one day after `time` is expected (dates are those of Asia/Karachi); check \
     the year",
);
const CORRECTED_TOO_EARLY: Refusal =
    refuse(ErrorClass::Schema, "data.fields.occurred_on: a date since 1947 is expected; check the century");
const NIL_AFTER_TIME: Refusal = refuse(
    ErrorClass::Schema,
    "data.period: a period that has begun at most one day after `time` is expected; check the year, or publish the \
     event when the period has begun",
);
const EXPECTED_AFTER_TIME: Refusal = refuse(
    ErrorClass::Schema,
    "data.period: a period that begins at most a year after `time` is expected; check the year",
);
const PERIOD_TOO_EARLY: Refusal =
    refuse(ErrorClass::Schema, "data.period: a period since 1947 is expected; check the century");
const TWO_TOKENS: Refusal = refuse(
    ErrorClass::Schema,
    "data.person: two tokens of one kind are expected, the one of before and then the new one; send an event for each token \
     that was made anew",
);
const TOKEN_IN_SUBJECT: Refusal = refuse(
    ErrorClass::Schema,
    "subject: an id of the record that holds no token of a person is expected; it is stored in clear, and tokens are not",
);
const TOKEN_IN_DATA: Refusal = refuse(
    ErrorClass::Schema,
    "data: a person's token is expected in `person` alone, where it is replaced; name the case by an id that holds no \
     token of a person",
);

/// Days ahead for which a report may be expected: a calendar is announced before its year.
const ANNOUNCED_DAYS: i32 = 366;

/// Admits an event from this topic, or says why not. `log_ms` is the log's time of the message (negative: unknown).
pub(crate) fn admit(event: &Event<'_>, topic: &Topic, store: StoreKind, log_ms: i64) -> Result<Admitted, Refusal> {
    if event.agency != topic.agency {
        return Err(OTHER_AGENCY);
    }
    if log_ms >= 0 {
        not_ahead(event, log_ms)?;
    }
    judge(event, topic.may_emit(event.kind), Some(store))?;
    Ok(Admitted(()))
}

/// Why an event of the contract would not be admitted on its own agency's topic, asked before it is sent; the sentence
/// names the place and the remedy, never a value. `may_emit`: whether the policy lets the agency emit this type.
/// `store`: the kind of data that the store admits, None when no store is asked.
///
/// What only the log can tell is not asked here: its time of the message, an earlier event of the same id.
pub fn objection(event: &Event<'_>, may_emit: bool, store: Option<StoreKind>) -> Option<&'static str> {
    judge(event, may_emit, store).err().map(|refusal| refusal.sentence)
}

/// Why an event that the log receives at this moment (milliseconds since 1970 UTC) would not be admitted for its `time`: for a door
/// that appends it now.
pub fn lies_ahead(event: &Event<'_>, log_ms: i64) -> Option<&'static str> {
    not_ahead(event, log_ms).err().map(|refusal| refusal.sentence)
}

fn not_ahead(event: &Event<'_>, log_ms: i64) -> Result<(), Refusal> {
    let latest = log_ms.saturating_mul(1000).saturating_add(calendar::DAY_US);
    if event.recorded_at > latest { Err(TIME_AFTER_LOG) } else { Ok(()) }
}

fn judge(event: &Event<'_>, may_emit: bool, store: Option<StoreKind>) -> Result<(), Refusal> {
    if !may_emit {
        return Err(TYPE);
    }
    match (store, event.synthetic) {
        (Some(StoreKind::Real), true) => return Err(SYNTHETIC),
        (Some(StoreKind::Sample), false) => return Err(REAL),
        _ => {}
    }
    times_agree(event)?;
    tokens_stay_in_place(event)?;
    let two_of_a_kind = |tokens: &[TokenAt<'_>]| matches!(tokens, [old, new] if old.kind == new.kind);
    let rotated = event.kind == EventType::TokensRotated;
    if rotated && !two_of_a_kind(&event.tokens) { Err(TWO_TOKENS) } else { Ok(()) }
}

/// "`occurred_on` not after `time` + 1 day" (issue: Ingest). A period (`2024`, `2024-Q1`) may still be running: it is too
/// late only when it begins too late.
fn times_agree(event: &Event<'_>) -> Result<(), Refusal> {
    let recorded_day = calendar::karachi_day(event.recorded_at);
    if recorded_day < calendar::FIRST_DAY {
        return Err(TIME_TOO_EARLY);
    }
    let (said, ahead, late, early) = match &event.data {
        Data::RecordCorrected(correction) => (correction.occurred, 1, CORRECTED_AFTER_TIME, CORRECTED_TOO_EARLY),
        Data::ReportNil(report) => (Some(report.period), 1, NIL_AFTER_TIME, PERIOD_TOO_EARLY),
        Data::ReportExpected(report) => (Some(report.period), ANNOUNCED_DAYS, EXPECTED_AFTER_TIME, PERIOD_TOO_EARLY),
        _ => (event.occurred, 1, OCCURRED_AFTER_TIME, OCCURRED_TOO_EARLY),
    };
    match said {
        Some(Occurred { from, .. }) if from > recorded_day + ahead => Err(late),
        Some(Occurred { to, .. }) if to < calendar::FIRST_DAY => Err(early),
        _ => Ok(()),
    }
}

/// Everywhere that a token stands in a text, overlapping places too. A search for all of it costs more to begin than to
/// do, so its last character is sought, which has no state, and where that is found the whole is compared.
fn places<'a>(text: &'a [u8], token: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let last = token.last().copied();
    let ends = last.into_iter().flat_map(move |last| memchr::memchr_iter(last, text));
    ends.filter(move |at| text[..=*at].ends_with(token)).map(move |at| at + 1 - token.len())
}

/// A token is replaced where the contract puts it. In the record's id or the case's it would be stored in clear
/// (ingestion.md 3.6).
fn tokens_stay_in_place(event: &Event<'_>) -> Result<(), Refusal> {
    for token in &event.tokens {
        let token = token.token.as_bytes();
        let has_token = |text: &str| places(text.as_bytes(), token).next().is_some();
        if has_token(&event.record_id) {
            return Err(TOKEN_IN_SUBJECT);
        }
        let in_place = |at: usize| event.tokens.iter().any(|t| t.at.start <= at && at + token.len() <= t.at.end);
        let astray = places(event.raw, token).any(|at| !in_place(at));
        // What is written with escapes is read without them.
        if astray || records_named(&event.data).into_iter().flatten().any(has_token) {
            return Err(TOKEN_IN_DATA);
        }
    }
    Ok(())
}

/// The records that the event names beside its own: a case, a helpline's contact.
fn records_named(data: &Data) -> [Option<&str>; 2] {
    let (case, contact) = match data {
        Data::VictimIdentified(fact) => (&fact.case_id, &fact.contact_id),
        Data::VictimIdentifiedV2(fact) => (&fact.case_id, &fact.contact_id),
        Data::VictimIdentifiedV1(fact) => (&fact.case_id, &None),
        Data::AccusedIdentified(fact) => (&fact.case_id, &None),
        Data::AccusedArrested(fact) => (&fact.case_id, &None),
        Data::CompensationOrdered(fact) => (&fact.case_id, &None),
        Data::CompensationPaid(fact) => (&fact.case_id, &None),
        Data::ChargeFiled(fact) => (&fact.case_id, &None),
        Data::JudgmentDelivered(fact) => (&fact.case_id, &None),
        Data::RecordCorrected(correction) => match &correction.fields {
            Patch::VictimIdentified(patch) => (&patch.case_id, &patch.contact_id),
            Patch::VictimIdentifiedV2(patch) => (&patch.case_id, &patch.contact_id),
            Patch::VictimIdentifiedV1(patch) => (&patch.case_id, &None),
            Patch::AccusedIdentified(patch) => (&patch.case_id, &None),
            Patch::AccusedArrested(patch) => (&patch.case_id, &None),
            Patch::CompensationOrdered(patch) => (&patch.case_id, &None),
            Patch::CompensationPaid(patch) => (&patch.case_id, &None),
            Patch::ChargeFiled(patch) => (&patch.case_id, &None),
            Patch::JudgmentDelivered(patch) => (&patch.case_id, &None),
            _ => (&None, &None),
        },
        _ => (&None, &None),
    };
    [case.as_deref(), contact.as_deref()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_wherever_it_stands_even_if_its_end_repeats() {
        let found = |text: &str, token: &str| places(text.as_bytes(), token.as_bytes()).collect::<Vec<_>>();
        let token = "bcdfkkkkkkkkkkkk";
        assert_eq!(found(&format!("{token}\",\"x\":\"{token}"), token), [0, 23]);
        assert_eq!(found(&format!("kkkkkkkkkkk{token}"), token), [11]);
        assert!(found("kkkkkkkkkkkkkkkkkkk", token).is_empty());
        assert_eq!(found("bcdbcdbcdbcdbcdbcd", "bcdbcdbcdbcdbcd"), [0, 3]);
        assert!(found("bcd", token).is_empty());
    }
}
