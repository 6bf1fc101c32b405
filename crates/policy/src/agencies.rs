//! Who publishes, which types of event each may emit (domain.md 2 and 4), and what becomes of what cannot be accepted.

use std::collections::{BTreeMap, HashMap};

use events::{EventType, code_list};
use serde::Deserialize;

use crate::PolicyError;
use crate::on_reject::{OnReject, OnRejectFile, Rule};

const FILE: &str = "agencies.toml";
/// What a body that emits facts may also say about its own.
const CORRECTIONS: [EventType; 3] = [EventType::RecordCorrected, EventType::RecordRetracted, EventType::ReportNil];

/// An agency's number: its place in the policy file. Files are append-only, so numbers last.
pub type AgencyIndex = u16;

/// A body that publishes events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its code, exactly as in `urn:pk:tip:<code>` and `tip.events.<code>.v1`.
    pub code: String,
    /// Its number in the marts' column `agency`.
    pub index: AgencyIndex,
    /// Its group, a code of the list `agency_group`.
    pub group: String,
    /// Its province (`PK-PB`), where it has one.
    pub province: Option<String>,
    /// Whether its records are a private caseload (privacy.md 6.6, rule 3).
    pub private: bool,
    /// Name in English.
    pub en: String,
    /// Name in Urdu.
    pub ur: String,
    /// What becomes of its messages that cannot be accepted.
    pub on_reject: OnReject,
}

/// All agencies of a policy.
#[derive(Debug, Clone)]
pub struct Agencies {
    list: Vec<Agency>,
    by_code: HashMap<String, AgencyIndex>,
    emits: BTreeMap<String, Vec<EventType>>,
    on_reject: OnRejectFile,
}

impl Agencies {
    /// The agency with this code.
    pub fn get(&self, code: &str) -> Option<&Agency> {
        self.by_code.get(code).map(|&index| &self.list[usize::from(index)])
    }

    /// The agency with this number.
    pub fn by_index(&self, index: AgencyIndex) -> Option<&Agency> {
        self.list.get(usize::from(index))
    }

    /// Every agency in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Agency> {
        self.list.iter()
    }

    /// Whether the agency may emit events of this type. An agency that is not listed may emit nothing.
    pub fn may_emit(&self, agency: &str, kind: EventType) -> bool {
        self.get(agency).is_some_and(|a| self.emits[&a.group].contains(&kind))
    }

    /// What becomes of messages on the agency's stream that cannot be accepted; of one that is not listed, what the file
    /// says for all.
    pub fn on_reject(&self, agency: &str) -> OnReject {
        self.get(agency).map_or_else(|| self.on_reject.of(None), |agency| agency.on_reject)
    }

    /// Reads `agencies.toml`.
    pub(crate) fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: AgenciesFile =
            toml::from_str(text).map_err(|e| PolicyError::Syntax { file: FILE, source: Box::new(e) })?;
        let on_reject = file.on_reject.checked(FILE)?;
        let mut agencies = Self { list: Vec::new(), by_code: HashMap::new(), emits: BTreeMap::new(), on_reject };
        for (name, group) in &file.groups {
            if code_list::list("agency_group").code(name).is_none() {
                return Err(unknown("groups", "code of agency_group", name));
            }
            agencies.emits.insert(name.clone(), emitted(name, group)?);
        }
        for agency in file.agency {
            agencies.add(&file.groups, agency)?;
        }
        Ok(agencies)
    }

    fn add(&mut self, groups: &BTreeMap<String, GroupFile>, agency: AgencyFile) -> Result<(), PolicyError> {
        let Some(group) = groups.get(&agency.group) else {
            return Err(unknown(&agency.code, "group", &agency.group));
        };
        if !is_code(&agency.code) {
            return Err(unknown("agency", "form of code", &agency.code));
        }
        if let Some(province) = &agency.province
            && code_list::list("province").code(province).is_none()
        {
            return Err(unknown(&agency.code, "province", province));
        }
        let index = self.list.len() as AgencyIndex;
        if self.by_code.insert(agency.code.clone(), index).is_some() {
            return Err(PolicyError::Repeated { file: FILE, place: "agency".to_owned(), name: agency.code });
        }
        self.list.push(Agency {
            code: agency.code,
            index,
            private: group.private,
            group: agency.group,
            province: agency.province,
            en: agency.en,
            ur: agency.ur,
            on_reject: self.on_reject.of(agency.on_reject),
        });
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Agencies {
    type Item = &'a Agency;
    type IntoIter = std::slice::Iter<'a, Agency>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What a group's agencies may emit, corrections included.
fn emitted(name: &str, group: &GroupFile) -> Result<Vec<EventType>, PolicyError> {
    let mut kinds = Vec::new();
    for short in &group.emits {
        let kind = EventType::ALL.iter().find(|kind| kind.short_name() == short);
        kinds.push(*kind.ok_or_else(|| unknown(name, "event type", short))?);
    }
    if group.corrects {
        kinds.extend(CORRECTIONS);
    }
    Ok(kinds)
}

fn unknown(place: &str, what: &'static str, name: &str) -> PolicyError {
    PolicyError::Unknown { file: FILE, place: place.to_owned(), what, name: name.to_owned() }
}

/// Codes are part of topic names and URNs: capitals, digits and hyphens.
fn is_code(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgenciesFile {
    #[serde(default)]
    on_reject: OnRejectFile,
    groups: BTreeMap<String, GroupFile>,
    agency: Vec<AgencyFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    #[serde(default)]
    private: bool,
    #[serde(default = "yes")]
    corrects: bool,
    emits: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyFile {
    code: String,
    group: String,
    province: Option<String>,
    en: String,
    ur: String,
    on_reject: Option<Rule>,
}

fn yes() -> bool {
    true
}
