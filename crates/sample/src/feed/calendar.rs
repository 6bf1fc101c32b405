//! The reporting calendar: which reports are expected of whom, and who says that there was nothing to report.
//!
//! The steward expects a report of each agency for each year and kind. An agency with nothing to report says so in the
//! following weeks; one in ten forgets, and its numbers are then not collected rather than zero.

use events::EventType;

use crate::agency::{AGENCIES, Agency, agency};
use crate::codes::Code;
use crate::names::Record;
use crate::size::{FIRST_YEAR, LAST_YEAR};
use crate::when::{DAY_MS, days, midnight_ms};
use crate::world::account::Story;

use super::message::{Body, Message};
use super::reporter::{HOUR, Reporter};

/// What is expected of a group of agencies.
fn kinds(group: Code) -> &'static [Code] {
    match group {
        "FIA" => &["cases", "victims", "accused", "returns"],
        "POL" => &["cases", "victims", "accused"],
        "PRO" => &["charges"],
        "CRT" => &["judgments"],
        "LAB" => &["inspections", "victims"],
        "CPB" | "SHL" | "NGO" => &["victims", "services"],
        "HLP" => &["victims"],
        "IOM" => &["victims", "returns"],
        "OEP" => &["returns"],
        _ => &[],
    }
}

/// Who has something to report: by agency and kind a bit for each year of the world.
pub(super) struct Calendar(Vec<[u32; KINDS.len()]>);

/// What is reported (code list `report_kind`).
const KINDS: [Code; 8] = ["cases", "victims", "accused", "charges", "judgments", "inspections", "services", "returns"];

impl Calendar {
    /// Nobody has anything to report yet.
    pub(super) fn new() -> Self {
        Self(vec![[0; KINDS.len()]; AGENCIES.len()])
    }

    /// Notes what the agencies will report of a story.
    pub(super) fn note(&mut self, story: &Story) {
        for case in &story.cases {
            self.has(case.record.agency, "cases", case.filed.when.year());
        }
        for victim in &story.victims {
            for record in &victim.records {
                self.has(victim.named.agency, "victims", record.filed.when.year());
            }
        }
        let referred =
            story.referred.iter().flat_map(|person| &person.referrals).flat_map(|referral| &referral.services);
        for service in referred.chain(&story.services) {
            self.has(service.named.agency, "services", service.filed.when.year());
        }
        for person in &story.returned {
            for home in &person.returns {
                self.has(person.named.agency, "returns", home.filed.when.year());
            }
        }
        for person in &story.arrested {
            for arrest in &person.arrests {
                self.has(person.named.agency, "accused", arrest.filed.when.year());
            }
        }
        for person in &story.charged {
            for charge in &person.charges {
                self.has(person.named.agency, "charges", charge.filed.when.year());
            }
        }
        for person in &story.judged {
            for judgment in &person.judgments {
                self.has(person.named.agency, "judgments", judgment.filed.when.year());
            }
        }
        for inspection in &story.inspections {
            self.has(inspection.record.agency, "inspections", inspection.filed.when.year());
        }
    }

    fn has(&mut self, agency: &Agency, kind: Code, year: i32) {
        self.0[usize::from(agency.number)][place(kind)] |= bit(year);
    }

    /// The steward expects the year's reports, at its beginning.
    pub(super) fn expect(reporter: &mut Reporter, year: i32) {
        let at = midnight_ms(days(year, 1, 3)) + 10 * HOUR;
        for expected_of in AGENCIES {
            for kind in kinds(expected_of.group) {
                let body = Body::Expected { agency: expected_of, year, kind };
                notify(reporter, agency("STEWARD"), EventType::ReportExpected, at, body, "report expected");
            }
        }
    }

    /// Who had nothing to report in the year that ends says so, mostly.
    pub(super) fn close(&self, reporter: &mut Reporter, year: i32) {
        for silent in AGENCIES {
            for kind in kinds(silent.group) {
                if self.0[usize::from(silent.number)][place(kind)] & bit(year) == 0 && reporter.dice.mille(900) {
                    let at = midnight_ms(days(year + 1, 1, 5)) + reporter.dice.lag(8 * HOUR, 40 * DAY_MS);
                    notify(reporter, silent, EventType::ReportNil, at, Body::Nil { year, kind }, "nothing to report");
                }
            }
        }
    }
}

fn place(kind: Code) -> usize {
    KINDS.iter().position(|known| *known == kind).expect("kinds are those of the list")
}

/// The bit of a year; what happens before or after the world has none.
fn bit(year: i32) -> u32 {
    if (FIRST_YEAR..=LAST_YEAR).contains(&year) { 1 << (year - FIRST_YEAR) } else { 0 }
}

fn notify(reporter: &mut Reporter, from: &'static Agency, kind: EventType, at: i64, body: Body, note: &'static str) {
    let record = Record { agency: from, number: reporter.new_number() };
    let id = reporter.new_id(at);
    let message = Message { kind, record, person: None, id, recorded_ms: at, version: 1, body };
    reporter.send_soon(&message, note);
}
