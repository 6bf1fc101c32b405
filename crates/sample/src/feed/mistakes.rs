//! Mistakes that agencies make and mend: another code, another day, a field left out.

use events::EventType;

use crate::codes::{self, Code, UNKNOWN, Weighted};
use crate::dice::Dice;
use crate::when::{Precision, When, days};

use super::fields::{Fields, Value};

/// Fields that may be left out at first; the others are required.
const OPTIONAL: [&str; 14] = [
    "means",
    "act",
    "recruiter_relation",
    "sector",
    "scope",
    "place_recruited",
    "place_exploited",
    "case_id",
    "referral_id",
    "return_id",
    "months",
    "outcome_6",
    "outcome_12",
    "participants",
];

/// What an inspection may be said to have found.
const FOUND: Weighted =
    &[("no_violation", 30), ("violation_noted", 20), ("child_labour_found", 25), ("bonded_labour_found", 25)];

/// The same fields with one or two of them mistaken, and which (their places). Nothing where nothing can be mistaken.
///
/// The mistaken date is not after `recorded_day`: nothing is recorded before it happened.
pub(super) fn mistaken(
    dice: &mut Dice,
    kind: EventType,
    right: &Fields,
    recorded_day: i32,
    may_omit: bool,
) -> Option<(Fields, Vec<usize>)> {
    let mut wrong = right.clone();
    let mut changed = Vec::new();
    let wanted = if dice.mille(300) { 2 } else { 1 };
    for _ in 0..12 {
        let at = if dice.mille(220) { 0 } else { dice.below(right.len() as u32) as usize };
        if changed.contains(&at) {
            continue;
        }
        if let Some(value) = other(dice, kind, right[at].name, &right[at].value, recorded_day) {
            wrong[at].value = value;
            changed.push(at);
        }
        if changed.len() == wanted {
            break;
        }
    }
    if may_omit && dice.mille(160) {
        leave_out(dice, kind, right, &mut wrong, &mut changed);
    }
    (!changed.is_empty()).then_some((wrong, changed))
}

/// Leaves out an optional field; the places in `changed` stay those of the right fields.
fn leave_out(dice: &mut Dice, kind: EventType, right: &Fields, wrong: &mut Fields, changed: &mut Vec<usize>) {
    let at = dice.below(right.len() as u32) as usize;
    let name = right[at].name;
    let is_required = matches!(
        (kind, name),
        (EventType::InspectionConducted | EventType::WorkerReleased, "sector")
            | (EventType::CaseTransferred | EventType::CaseLinked | EventType::CaseStageChanged, "case_id")
            | (EventType::ReferralActedOn, "referral_id")
    );
    let required = !OPTIONAL.contains(&name) || is_required;
    if required {
        return;
    }
    wrong.retain(|field| field.name != name);
    if !changed.contains(&at) {
        changed.push(at);
    }
}

/// Another value for a field, different from the one it has.
pub(super) fn other(
    dice: &mut Dice,
    kind: EventType,
    name: &'static str,
    value: &Value,
    recorded_day: i32,
) -> Option<Value> {
    match value {
        Value::When(when) => other_day(dice, *when, recorded_day).map(Value::When),
        Value::Code(code) => {
            let other = other_code(dice, kind, name)?;
            (other != *code).then_some(Value::Code(other))
        }
        Value::Codes(before) => {
            let other = other_code(dice, kind, name)?;
            (before[..] != [other]).then(|| Value::Codes([other].into_iter().collect()))
        }
        Value::Number(number) => Some(Value::Number(number + 1 + i64::from(dice.below(9)))),
        Value::Event(_) | Value::Record(_) | Value::Agency(_) | Value::Sentence(_) => None,
    }
}

fn other_day(dice: &mut Dice, when: When, recorded_day: i32) -> Option<When> {
    let shift = dice.lag(1, 420) as i32;
    let day = if dice.mille(700) { when.from() - shift } else { when.to() + shift };
    let precision = match dice.below(100) {
        0..8 => Precision::Year,
        8..16 => Precision::Quarter,
        16..30 => Precision::Month,
        _ => Precision::Day,
    };
    let other = When { day, precision };
    let sensible = other.from() >= days(crate::size::FIRST_YEAR, 1, 1) && other.to() <= recorded_day;
    (sensible && (other.from(), other.precision) != (when.from(), when.precision)).then_some(other)
}

fn other_code(dice: &mut Dice, kind: EventType, name: &str) -> Option<Code> {
    let list: Weighted = match (name, kind) {
        ("sex", _) => codes::victim_sex("FIA"),
        ("age_band", _) => &[("00-08", 10), ("09-17", 30), ("18-20", 20), ("24-26", 20), ("30-38", 15), ("_X", 5)],
        ("citizenship", _) => &[("PK", 50), ("AF", 30), ("BD", 10), ("_X", 10)],
        ("status", _) => &[("actual", 45), ("possible", 30), ("not_victim", 25)],
        ("exploitation", _) => codes::exploitation("CPB"),
        ("means", _) => codes::MEANS,
        ("act", _) => codes::ACT,
        ("recruiter_relation", _) => codes::RECRUITER,
        ("sector", _) => codes::INSPECTED,
        ("referral_source", _) => codes::referral_source("POL"),
        ("sections", _) => {
            if dice.mille(400) {
                codes::PTPA
            } else {
                codes::OTHER_SECTION
            }
        }
        ("province", _) => codes::PROVINCE,
        ("place" | "place_identified" | "place_recruited" | "place_exploited", _) => {
            codes::places(if dice.mille(20) { UNKNOWN } else { dice.pick(codes::PROVINCE) })
        }
        ("body", _) => &[("POL", 1), ("FIA", 1), ("CRT", 1)],
        ("service", _) => codes::SERVICE,
        ("from_country", _) => codes::FROM,
        ("kind", EventType::VictimReturned) => codes::RETURN_KIND,
        ("kind", EventType::ReintegrationAssisted) => codes::REINTEGRATION,
        ("kind", EventType::ContactReceived) => codes::CONTACT_KIND,
        ("kind", EventType::ActivityHeld) => codes::ACTIVITY_KIND,
        ("kind", _) => codes::INSPECTION_KIND,
        ("audience", _) => codes::OFFICIALS,
        ("referral_made", _) => &[("yes", 40), ("no", 55), ("_X", 5)],
        ("outcome_6" | "outcome_12", _) => codes::OUTCOME,
        ("role", _) => codes::ROLE,
        ("verdict", _) => codes::VERDICT,
        ("court_level", _) => codes::COURT,
        ("outcome", EventType::AppealDecided) => codes::APPEAL,
        ("outcome", _) => FOUND,
        ("exit_reason", _) => codes::EXIT,
        _ => return None,
    };
    Some(dice.pick(list))
}
