//! Tangled logs: a few records and persons of which everything is said again, late, corrected, taken back, and told twice.
//!
//! The country's feed is like real feeds, in which such things are rare and stand alone. Here they meet: corrections of
//! corrections, retractions of what never comes, one event in two records, services that name the referral of another agency,
//! persons merged, split and renamed in circles, and the steward, who decides which content of an event counts: before it comes and after,
//! twice, and of rows that are none of it. It is what a fold over changes is tried on.
//!
//! From a seed alone. Absent: what the tables must be (a rebuild says that), messages that are no events.

use std::collections::BTreeMap;

use events::EventType;

use crate::dice::Dice;

/// Milliseconds of the log's time, which is that of all lines: 9 March 2025, 12:00 in Karachi.
pub const LOG_MS: i64 = 1_741_503_600_000;

/// A message.
#[derive(Clone, Debug)]
pub struct Line {
    /// The agency whose topic it is for.
    pub agency: &'static str,
    /// The Kafka key: the record id.
    pub key: String,
    /// Headers: the envelope, in binary mode.
    pub headers: Vec<(&'static str, String)>,
    /// The value: the event's data.
    pub value: String,
}

/// Who tells what.
const TELL: &[(&str, &[EventType])] = &[
    (
        "POL-PB",
        &[
            EventType::CaseRegistered,
            EventType::VictimIdentified,
            EventType::VictimStatusDetermined,
            EventType::VictimReferred,
            EventType::AccusedArrested,
            EventType::AccusedIdentified,
            EventType::CaseStageChanged,
            EventType::CaseTransferred,
            EventType::CaseLinked,
            EventType::ReferralActedOn,
            EventType::WorkerReleased,
            EventType::TokensRotated,
        ],
    ),
    (
        "FIA",
        &[
            EventType::CaseRegistered,
            EventType::CaseLinked,
            EventType::VictimIdentified,
            EventType::VictimReferred,
            EventType::VictimReturned,
        ],
    ),
    ("PRO-PB", &[EventType::ChargeFiled, EventType::ChargeWithdrawn]),
    (
        "CRT-PB",
        &[
            EventType::JudgmentDelivered,
            EventType::AppealDecided,
            EventType::CompensationOrdered,
            EventType::CompensationPaid,
        ],
    ),
    ("LINK", &[EventType::PersonsMerged, EventType::PersonsMerged, EventType::PersonsSplit, EventType::PersonsDoubted]),
    (
        "LAB-PB",
        &[
            EventType::InspectionConducted,
            EventType::InspectionReferred,
            EventType::WorkerReleased,
            EventType::VictimIdentified,
            EventType::VictimReferred,
        ],
    ),
    ("HLP-PB", &[EventType::ContactReceived]),
    (
        "IOM",
        &[
            EventType::ServiceStarted,
            EventType::ServiceEnded,
            EventType::VictimReturned,
            EventType::ReintegrationAssisted,
            EventType::VictimReferred,
            EventType::ActivityHeld,
        ],
    ),
    (
        "STEWARD",
        &[
            EventType::ReportExpected,
            EventType::AreaDeclared,
            EventType::AreaChanged,
            EventType::PopulationCounted,
            EventType::CourtDeclared,
            EventType::AgencyDeclared,
            EventType::CodeDeclared,
        ],
    ),
];

/// Agencies whose persons linkage speaks of.
const LINKED: &[&str] = &["POL-PB", "FIA", "PRO-PB", "CRT-PB", "LAB-PB", "IOM"];

/// Records and persons of an agency.
const RECORDS: u32 = 5;
const PERSONS: u32 = 4;
/// Days on which things happen, as agencies say them.
const OCCURRED: &[&str] =
    &["2023", "2024-Q1", "2024-03", "2024-03-09", "2024-03-20", "2024-04-02", "2024-12-31", "2025-01-15"];

/// How a warehouse names a person: of an agency and a token, the surrogate.
pub type Surrogate<'a> = &'a dyn Fn(&str, &str) -> [u8; 16];

/// A log of so many messages, for a warehouse that names persons so. `log` is the id of the log, of which each stream has one partition.
pub fn lines(seed: u64, count: u32, log: &str, surrogate: Surrogate<'_>) -> Vec<Line> {
    let mut teller = Teller { dice: Dice::new(seed, u64::from(u32::MAX)), told: Vec::new(), surrogate };
    let decisions = count / DECIDED;
    let mut lines: Vec<Line> = Vec::new();
    for _ in decisions..count {
        // The same message once more: a retry that ingest has to see.
        let again = teller.dice.mille(40) && !lines.is_empty();
        let line = if again { lines[teller.dice.below(lines.len() as u32) as usize].clone() } else { teller.next() };
        lines.push(line);
    }
    let rows = rows(&lines, log);
    for _ in 0..decisions {
        let decision = teller.decided(&rows);
        // Among whatever it speaks of, before it or behind it.
        lines.insert(teller.dice.below(lines.len() as u32 + 1) as usize, decision);
    }
    lines
}

/// Of how many messages one is a word of the steward on a conflict.
const DECIDED: u32 = 10;

/// A message's agency, the id of its event, and its place in the log.
struct Row {
    agency: &'static str,
    event: String,
    at: String,
}

/// The rows that lines become. Those of the steward, among whose lines others will be put, may lie elsewhere in the end.
fn rows(lines: &[Line], log: &str) -> Vec<Row> {
    let mut next: BTreeMap<&str, u32> = BTreeMap::new();
    let row = |line: &Line| {
        let offset = next.entry(line.agency).or_insert(0);
        let at = format!("{log}/tip.events.{}.v1/0/{offset}", line.agency);
        *offset += 1;
        let event =
            line.headers.iter().find(|(name, _)| *name == "ce_id").map_or_else(String::new, |(_, id)| id.clone());
        Row { agency: line.agency, event, at }
    };
    lines.iter().map(row).collect()
}

/// An event that was told.
#[derive(Clone, Copy)]
struct Told {
    agency: &'static str,
    kind: EventType,
    record: u32,
    number: u32,
}

struct Teller<'a> {
    dice: Dice,
    told: Vec<Told>,
    surrogate: Surrogate<'a>,
}

impl Teller<'_> {
    fn next(&mut self) -> Line {
        let (agency, kinds) = self.dice.one(TELL);
        if agency == "LINK" {
            let kind = self.dice.one(kinds);
            return self.linked(kind);
        }
        let own: Vec<Told> = self.told.iter().filter(|told| told.agency == agency).copied().collect();
        // About every third message is about an earlier one, or about one that comes later or never.
        if !own.is_empty() && self.dice.mille(360) {
            let target = self.dice.one(&own);
            return self.about(agency, target);
        }
        let (kind, record) = (self.dice.one(kinds), self.dice.below(RECORDS));
        // An id that was used before, with other content, perhaps of another record: a conflict.
        let reused = (!own.is_empty() && self.dice.mille(110)).then(|| self.dice.one(&own).number);
        let number = reused.unwrap_or_else(|| self.number());
        let data = self.data(kind);
        self.line(Told { agency, kind, record, number }, &data)
    }

    /// A word of linkage on a person. Whom she is told to be may herself be told to be somebody else.
    fn linked(&mut self, kind: EventType) -> Line {
        let (of, into) = (self.dice.below(PERSONS), self.dice.below(PERSONS));
        let (at, other) = (self.dice.below(LINKED.len() as u32), self.dice.below(LINKED.len() as u32));
        let id = |agency: u32, person: u32| {
            let surrogate = (self.surrogate)(LINKED[agency as usize], &token(0, person));
            format!("{:032x}", u128::from_be_bytes(surrogate))
        };
        let named = format!(r#""person_id":"{}","into":"{}""#, id(at, of), id(other, into));
        let more = match kind {
            EventType::PersonsMerged => r#","evidence":"model","confidence":950"#.to_owned(),
            EventType::PersonsSplit => format!(r#","from":"{}","evidence":"steward""#, id(other, of)),
            _ => String::new(),
        };
        let (number, record) = (self.number(), at * PERSONS + of);
        self.line(Told { agency: "LINK", kind, record, number }, &format!("{named}{more}"))
    }

    /// A word of the steward on an event, mostly one that several rows tell, and mostly a row of it.
    fn decided(&mut self, rows: &[Row]) -> Line {
        let is_told_twice = |row: &&Row| rows.iter().filter(|other| is_same(row, other)).count() > 1;
        let twice: Vec<&Row> = rows.iter().filter(is_told_twice).collect();
        let any = twice.is_empty() || self.dice.mille(100);
        let of = if any { &rows[self.dice.below(rows.len() as u32) as usize] } else { self.dice.one(&twice) };
        let own: Vec<&Row> = rows.iter().filter(|row| is_same(of, row)).collect();
        let wrong = self.dice.mille(150);
        let row = if wrong { &rows[self.dice.below(rows.len() as u32) as usize] } else { self.dice.one(&own) };
        let data = format!(r#""agency":"{}","event_id":"{}","row":"{}""#, of.agency, of.event, row.at);
        let (number, record) = (self.number(), self.dice.below(RECORDS));
        self.line(Told { agency: "STEWARD", kind: EventType::ConflictDecided, record, number }, &data)
    }

    /// A correction or a retraction of an event.
    fn about(&mut self, agency: &'static str, target: Told) -> Line {
        let (number, never) = (self.number(), self.dice.mille(80));
        let aim = if never { number + 40 + self.dice.below(40) } else { target.number };
        let is_correction = target.kind == EventType::RecordCorrected;
        let retract = self.dice.mille(450) || !(target.kind.is_fact() || is_correction);
        // A retraction may name a correction; a correction names facts alone, so that one of a correction names another type.
        let misnamed = self.dice.mille(60) || !(target.kind.is_fact() || is_correction && retract);
        let kind = if retract { EventType::RecordRetracted } else { EventType::RecordCorrected };
        let named = if misnamed { EventType::CaseRegistered } else { target.kind };
        let fields = self.patch(named);
        let said = if retract { String::new() } else { format!(r#","fields":{{{fields}}}"#) };
        let reason = if retract { "error" } else { "data_entry" };
        let data = format!(r#""target":"{}","target_type":"{}","reason":"{reason}"{said}"#, id(aim), named.name());
        // Seldom from another record than the target's: then it waits for ever.
        let record = if self.dice.mille(50) { self.dice.below(RECORDS) } else { target.record };
        self.line(Told { agency, kind, record, number }, &data)
    }

    fn number(&mut self) -> u32 {
        self.told.iter().map(|told| told.number).max().unwrap_or(0) + 1 + self.dice.below(3)
    }

    fn line(&mut self, told: Told, data: &str) -> Line {
        self.told.push(told);
        let Told { agency, kind, record, number } = told;
        let subject = format!("{agency}/{record:0>16}bcdf");
        let (day, hour, minute) = (self.dice.between(1, 8), self.dice.below(24), self.dice.below(60));
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", id(number)),
            ("ce_source", format!("urn:pk:tip:{agency}")),
            ("ce_type", kind.name().to_owned()),
            ("ce_dataschema", kind.dataschema(kind.newest()).to_owned()),
            ("ce_subject", subject.clone()),
            ("ce_time", format!("2025-03-0{day}T{hour:02}:{minute:02}:00+05:00")),
            ("ce_synthetic", "true".to_owned()),
        ];
        let value = format!(r#"{{"record_version":{},{data}}}"#, 1 + self.dice.below(4));
        Line { agency, key: subject, headers, value }
    }

    fn data(&mut self, kind: EventType) -> String {
        let (own, said) = (self.own(kind), self.dice.one(OCCURRED));
        let tokens = (0..=self.dice.below(2)).map(|_| self.dice.below(PERSONS)).collect::<Vec<_>>();
        let named = |(at, person): (usize, &u32)| {
            let kind = ["document", "name_birth"][at];
            format!(r#"{{"kind":"{kind}","token":"{}"}}"#, token(at, *person))
        };
        let person: Vec<String> = tokens.iter().enumerate().map(named).collect();
        match kind {
            EventType::ReportExpected
            | EventType::AreaDeclared
            | EventType::AreaChanged
            | EventType::PopulationCounted
            | EventType::CourtDeclared
            | EventType::AgencyDeclared
            | EventType::CodeDeclared => own,
            EventType::TokensRotated => {
                let (old, new) = (self.dice.below(PERSONS), self.dice.below(PERSONS - 1));
                let new = (old + 1 + new) % PERSONS;
                let named = [old, new].map(|person| format!(r#"{{"kind":"document","token":"{}"}}"#, token(0, person)));
                format!(r#""person":[{}]"#, named.join(","))
            }
            EventType::CaseRegistered
            | EventType::CaseStageChanged
            | EventType::CaseTransferred
            | EventType::CaseLinked
            | EventType::InspectionConducted
            | EventType::InspectionReferred
            | EventType::ReferralActedOn
            | EventType::WorkerReleased
            | EventType::ContactReceived
            | EventType::ActivityHeld => {
                format!(r#""occurred_on":"{said}",{own}"#)
            }
            EventType::AppealDecided | EventType::ChargeWithdrawn if own.is_empty() => {
                format!(r#""occurred_on":"{said}","person":[{}]"#, person.join(","))
            }
            _ => format!(r#""occurred_on":"{said}","person":[{}],{own}"#, person.join(",")),
        }
    }

    /// What a type carries beside time and person; none of a withdrawal.
    fn own(&mut self, kind: EventType) -> String {
        let (sex, band) = (self.dice.one(&["F", "M", "T", "_X"]), self.dice.one(&["09-17", "21-23", "48+", "_X"]));
        let who = format!(r#""sex":"{sex}","age_band":"{band}","citizenship":"PK""#);
        let province = self.dice.one(&["PK-PB", "PK-SD", "PK-KP", "_X"]);
        let section = self.dice.one(&["PTPA-3-1", "PTPA-3-2", "PPC-371A"]);
        let service = self.dice.one(&["shelter", "medical", "legal"]);
        let answers = self.answers(&[EventType::VictimReferred, EventType::VictimReturned]);
        match kind {
            EventType::CaseRegistered => format!(r#""sections":["{section}"],"province":"{province}""#),
            EventType::VictimIdentified => format!(
                r#"{who},"status":"{}","exploitation":["{}"],"place_identified":"{province}","referral_source":"police",
                "contact_id":"HLP-PB/{:0>16}bcdf""#,
                self.dice.one(&["possible", "actual", "not_victim"]),
                self.dice.one(&["sexual", "forced_labour", "other"]),
                self.dice.below(RECORDS)
            ),
            EventType::VictimStatusDetermined => {
                format!(r#""status":"{}","body":"POL""#, self.dice.one(&["possible", "actual", "not_victim"]))
            }
            EventType::VictimReferred => format!(r#""service":"{service}","to_body":"SHL""#),
            EventType::ServiceStarted => format!(r#""service":"{service}""#) + &answers.replace("it", "referral_id"),
            EventType::ServiceEnded => {
                format!(r#""service":"{service}","exit_reason":"completed""#) + &answers.replace("it", "referral_id")
            }
            EventType::VictimReturned => {
                format!(r#""from_country":"{}","kind":"forced""#, self.dice.one(&["LY", "AE", "IR"]))
            }
            EventType::ReintegrationAssisted => {
                format!(r#""kind":"{}""#, self.dice.one(&["financial", "legal"])) + &answers.replace("it", "return_id")
            }
            EventType::CaseStageChanged => {
                format!(r#""case_id":"{}","stage":"{}""#, self.case(), self.dice.one(&["in_trial", "decided"]))
            }
            EventType::CaseTransferred => {
                format!(r#""case_id":"{}","to_agency":"FIA","reason":"transnational""#, self.case())
            }
            EventType::CaseLinked => format!(r#""case_id":"{}","other_case_id":"{}""#, self.case(), self.case()),
            EventType::CompensationOrdered => {
                let of = self.answers(&[EventType::JudgmentDelivered]).replace("it", "judgment_id");
                format!(r#""amount_pkr":{},"province":"{province}"{of}"#, 1 + self.dice.below(1000))
            }
            EventType::CompensationPaid => {
                format!(r#""amount_pkr":{},"province":"{province}""#, 1 + self.dice.below(1000))
            }
            EventType::AccusedArrested | EventType::AccusedIdentified => {
                let official = self.dice.one(&["yes", "no", "_X"]);
                format!(r#"{who},"role":["recruiter"],"province":"{province}","official":"{official}""#)
            }
            EventType::ChargeFiled => {
                format!(r#"{who},"sections":["{section}"],"province":"{province}","case_id":"{}""#, self.case())
            }
            EventType::JudgmentDelivered => format!(
                r#"{who},"province":"{province}","sections":["{section}"],"verdict":"{}","court_level":"sessions",
                "sentence":{{"fine_pkr":1,"compensation_pkr":{}}},"case_id":"{}""#,
                self.dice.one(&["convicted", "acquitted"]),
                self.dice.below(1000),
                self.case()
            ),
            EventType::InspectionReferred => {
                let (body, found) =
                    (self.dice.one(&["POL", "FIA", "CPB"]), self.asked(&[EventType::InspectionConducted]));
                format!(r#""inspection_id":"{found}","to_body":"{body}","findings":["bonded_labour_found"]"#)
            }
            EventType::ReferralActedOn => {
                let (action, of) =
                    (self.dice.one(&["case_registered", "no_action"]), self.asked(&[EventType::InspectionReferred]));
                format!(r#""referral_id":"{of}","action":"{action}""#)
            }
            EventType::WorkerReleased => {
                let of = self.answers(&[EventType::InspectionConducted]).replace("it", "inspection_id");
                format!(r#""place":"PK-PB-LHR","sector":"brick_kiln","workers":{}{of}"#, 1 + self.dice.below(20))
            }
            EventType::ContactReceived => r#""kind":"help","place":"PK-PB","referral_made":"no""#.to_owned(),
            EventType::AppealDecided => format!(r#""outcome":"{}""#, self.dice.one(&["overturned", "upheld"])),
            EventType::InspectionConducted => format!(
                r#""place":"PK-PB-LHR","sector":"brick_kiln","kind":"bonded","outcome":["{}"],"children":{},"released":{}"#,
                self.dice.one(&["no_violation", "child_labour_found"]),
                self.dice.below(5),
                self.dice.below(3)
            ),
            EventType::ActivityHeld => {
                format!(
                    r#""kind":"training","audience":"police","place":"PK-PB-LHR","participants":{}"#,
                    self.dice.below(50)
                )
            }
            EventType::ReportExpected => {
                let period = self.dice.one(&["2024-03", "2024", "2025-01"]);
                format!(r#""agency":"LAB-PB","period":"{period}","kind":"inspections""#)
            }
            EventType::AreaDeclared
            | EventType::AreaChanged
            | EventType::PopulationCounted
            | EventType::CourtDeclared
            | EventType::AgencyDeclared
            | EventType::CodeDeclared => self.reference(kind),
            _ => String::new(),
        }
    }

    /// What the steward says of few areas, days, courts, agencies and codes, so that most words replace another.
    /// What stands in them is by a chance of its own, so that all else is told as if they were reports.
    fn reference(&mut self, kind: EventType) -> String {
        let mut dice = Dice::new(u64::from(self.dice.below(u32::MAX)), 0);
        let area = dice.one(&["PK-KP", "PK-TA", "PK-PB-LHR"]);
        let day = dice.one(&["2018-05-31", "2020-01-01"]);
        let mut said = match kind {
            EventType::AreaDeclared => format!(
                r#""area":"{area}","level":"{}","valid_from":"{day}","name_en":"Area","name_ur":"علاقہ""#,
                dice.one(&["province", "division", "district"])
            ),
            EventType::AreaChanged => {
                format!(r#""area":"{area}","into_area":"{}","changed_on":"{day}""#, dice.one(&["PK-PB", "PK-SD"]))
            }
            EventType::PopulationCounted => {
                format!(r#""area":"{area}","counted_on":"{day}","persons":{},"method":"census""#, 1 + dice.below(9))
            }
            EventType::AgencyDeclared => format!(
                r#""agency":"{}","agency_group":"POL","valid_from":"{day}","name_en":"Agency","name_ur":"ادارہ""#,
                dice.one(&["POL-PB", "FIA"])
            ),
            EventType::CodeDeclared => format!(
                r#""list":"sex","code":"{}","valid_from":"{day}","name_en":"Code","name_ur":"علامت""#,
                dice.one(&["F", "M"])
            ),
            _ => format!(
                r#""court":"CRT-{}","level":"special","area":"{area}","valid_from":"{day}","name_en":"Court","name_ur":"عدالت""#,
                dice.below(2)
            ),
        };
        said += r#","published_in":"Notification""#;
        let rest = match kind {
            EventType::AreaDeclared | EventType::CourtDeclared => {
                [r#","valid_to":"2019-12-31""#, r#","withdrawn":"yes""#]
            }
            EventType::AgencyDeclared => [r#","successor":"POL-SD""#, r#","valid_to":"2017-12-31""#],
            EventType::CodeDeclared => [r#","replaced_by":"_X""#, r#","withdrawn":"yes""#],
            EventType::AreaChanged => [r#","share_per_mille":500"#, r#","withdrawn":"yes""#],
            _ => [r#","sex":"F""#, r#","withdrawn":"yes""#],
        };
        for one in rest {
            if dice.mille(300) {
                said += one;
            }
        }
        said
    }

    /// The id of a case that was registered, or never is.
    fn case(&mut self) -> String {
        format!("{}/{:0>16}bcdf", self.dice.one(&["POL-PB", "FIA"]), self.dice.below(RECORDS))
    }

    /// `,"it":"<id>"` of an event of one of these types that was told, or of an event that is none, or nothing.
    fn answers(&mut self, kinds: &[EventType]) -> String {
        if self.dice.below(10) == 0 { String::new() } else { format!(r#","it":"{}""#, self.asked(kinds)) }
    }

    /// The id of an event of one of these types that was told, or of an event that is none.
    fn asked(&mut self, kinds: &[EventType]) -> String {
        let asked: Vec<Told> = self.told.iter().filter(|told| kinds.contains(&told.kind)).copied().collect();
        if asked.is_empty() || self.dice.below(10) == 0 {
            return id(self.dice.below(200));
        }
        id(self.dice.one(&asked).number)
    }

    /// Fields that a correction replaces.
    fn patch(&mut self, kind: EventType) -> String {
        if self.dice.mille(250) {
            return format!(r#""occurred_on":"{}""#, self.dice.one(OCCURRED));
        }
        let own = self.own(kind);
        if own.is_empty() { format!(r#""occurred_on":"{}""#, self.dice.one(OCCURRED)) } else { own }
    }
}

/// Whether two rows tell one event.
fn is_same(one: &Row, other: &Row) -> bool {
    (one.agency, &one.event) == (other.agency, &other.event)
}

/// A token of a kind.
fn token(kind: usize, person: u32) -> String {
    format!("bcdfghjkmnpqrst{kind}{person}")
}

/// The id of an event by its number: UUID version 7 of the day before the log's.
fn id(number: u32) -> String {
    let ms = LOG_MS as u64 - 86_400_000;
    format!("{:08x}-{:04x}-7000-8000-{number:012x}", ms >> 16, ms & 0xffff)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nearly_all_lines_are_events_of_the_contract() {
        let mut faults = std::collections::BTreeMap::new();
        let mut all = 0;
        for line in (0..40).flat_map(|seed| lines(seed, 60, "test#0", &|_, _| [7; 16])) {
            let headers: Vec<(&str, &[u8])> =
                line.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            all += 1;
            let message = events::Message { key: None, headers: &headers, value: Some(line.value.as_bytes()) };
            if let Err(fault) = events::decode(&message, &events::Limits::default()) {
                *faults.entry(fault.to_string()).or_insert(0) += 1;
            }
        }
        assert!(faults.values().sum::<u32>() * 100 < all, "{faults:#?}");
    }
}
