//! What linkage found and what the steward decided, of persons and of conflicts, as events for the log.
//!
//! Absent: the log.

use events::data::{
    ConflictDecided, PersonErasureOrdered, PersonsDecided, PersonsDoubted, PersonsMerged, PersonsSplit,
};
use events::encode::{Draft, Encoded, binary, data_json};
use events::{Data, code_list};
use linkage::{Evidence, PersonId, Word};
use uuid::Uuid;

use super::Found;

/// The agency that says who is one with whom (domain.md 2).
pub const LINK: &str = "LINK";
/// The agency that decides about doubtful pairs.
pub const STEWARD: &str = "STEWARD";

impl Found {
    /// Its words as events of the agency [`LINK`], in order. The same facts give the same events, whichever run says them.
    pub fn events(&self, synthetic: bool) -> Vec<Encoded> {
        let event = |(person, version, word): &(PersonId, i64, Word)| {
            let said =
                OwnEvent { agency: LINK, record: letters(person), version: *version, at_us: self.as_of_us, synthetic };
            said.encoded(&data_of(*person, *word))
        };
        self.words.iter().map(event).collect()
    }
}

/// The steward's word on a pair of persons as an event of the agency [`STEWARD`]: they are one, they are two, or an earlier word is
/// taken back (`None`). A pair has one record; of its words, all of one version, the latest stands (`at_us`, microseconds UTC).
pub fn decided(one: PersonId, other: PersonId, are_one: Option<bool>, at_us: i64, synthetic: bool) -> Encoded {
    let (person_id, other_id) = (one.min(other), one.max(other));
    let list = code_list::list("yes_no");
    let word = are_one.and_then(|are| list.code(if are { "yes" } else { "no" })).unwrap_or(list.unknown());
    let record = letters(&person_id) + &letters(&other_id);
    let said = OwnEvent { agency: STEWARD, record, version: 1, at_us, synthetic };
    said.encoded(&Data::PersonsDecided(PersonsDecided { person_id, other_id, one: word }))
}

/// The steward's order to erase a person, on a ground of the list `legal_basis`, as an event of the agency [`STEWARD`]. Its record is named
/// after what will stand for her, so that carrying it out need not change it.
pub fn erasure(person: PersonId, image: [u8; 16], basis: u16, at_us: i64, synthetic: bool) -> Encoded {
    let said = OwnEvent { agency: STEWARD, record: letters(&image), version: 1, at_us, synthetic };
    said.encoded(&Data::PersonErasureOrdered(PersonErasureOrdered { person_id: person, legal_basis: basis }))
}

/// The steward's word on which content of an event counts, as an event of the agency [`STEWARD`]: that of the row at this place of the log
/// ([`crate::conflicts::Content::row`]). An event has one record of such words; of these, all of one version, the latest stands (`at_us`,
/// microseconds UTC).
pub fn counted(agency: &str, event_id: Uuid, row: &str, at_us: i64, synthetic: bool) -> Encoded {
    let hash = blake3::Hasher::new().update(agency.as_bytes()).update(&[0]).update(event_id.as_bytes()).finalize();
    let record = letters(hash.as_bytes().first_chunk().expect("a hash has 32 bytes"));
    let said = OwnEvent { agency: STEWARD, record, version: 1, at_us, synthetic };
    said.encoded(&Data::ConflictDecided(ConflictDecided { agency: agency.to_owned(), event_id, row: row.to_owned() }))
}

/// An event that the warehouse itself says.
pub(crate) struct OwnEvent {
    /// Who says it.
    pub agency: &'static str,
    /// The record's own part.
    pub record: String,
    /// The version of the record.
    pub version: i64,
    /// When it is said, microseconds UTC.
    pub at_us: i64,
    /// Whether it is made up.
    pub synthetic: bool,
}

impl OwnEvent {
    /// The event, whose id follows from all that it says.
    pub fn encoded(&self, data: &Data) -> Encoded {
        let record_id = format!("{}/{}", self.agency, self.record);
        let mut draft = Draft {
            id: Uuid::nil(),
            agency: self.agency,
            record_id: &record_id,
            record_version: self.version,
            recorded_at: self.at_us,
            occurred: None,
            synthetic: self.synthetic,
            person: &[],
            data,
        };
        draft.id = id_of(&draft);
        binary(&draft)
    }
}

/// The id of an event by all that it says: the same word of the same facts is the same event, another word another.
fn id_of(draft: &Draft<'_>) -> Uuid {
    let mut said = String::new();
    data_json(draft, &mut said);
    let mut hasher = blake3::Hasher::new();
    for part in [draft.data.kind().name().as_bytes(), draft.record_id.as_bytes(), &draft.recorded_at.to_le_bytes()] {
        hasher.update(part).update(&[0]);
    }
    let hash = hasher.update(said.as_bytes()).finalize();
    uuid::Builder::from_custom_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes")).into_uuid()
}

fn data_of(person_id: PersonId, word: Word) -> Data {
    match word {
        Word::Split { from, into, evidence } => {
            Data::PersonsSplit(PersonsSplit { person_id, from, into, evidence: code_of(evidence) })
        }
        Word::Merged { into, evidence, confidence } => Data::PersonsMerged(PersonsMerged {
            person_id,
            into,
            evidence: code_of(evidence),
            confidence: i64::from(confidence),
        }),
        Word::Doubted { into } => Data::PersonsDoubted(PersonsDoubted { person_id, into }),
    }
}

fn code_of(evidence: Evidence) -> u16 {
    let list = code_list::list("link_evidence");
    let code = match evidence {
        Evidence::Steward => "steward",
        Evidence::Model => "model",
        Evidence::Rule(name) => name,
    };
    list.code(code).unwrap_or(list.unknown())
}

/// A person as records are named after her; so is any record named that the warehouse keeps by a hash.
pub(crate) fn letters(person: &PersonId) -> String {
    events::form::person_letters(person).map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_id_becomes_a_record_id_of_the_contract() {
        let id = letters(&[0x0f; 16]);
        assert_eq!(id, "bv".repeat(16));
        assert_eq!(events::form::agency_of_record(&format!("LINK/{id}")), Some("LINK"));
        assert_eq!(events::form::agency_of_record(&format!("STEWARD/{id}{id}")), Some("STEWARD"));
    }

    #[test]
    fn the_same_word_is_the_same_event_and_another_word_of_the_same_moment_is_another() {
        let events = |word| {
            let found = Found {
                words: vec![([1; 16], 1, word)],
                doubtful: Vec::new(),
                summary: linkage::Summary::default(),
                as_of_us: 7,
            };
            found.events(true)
        };
        let (one, other) = (Word::Doubted { into: [2; 16] }, Word::Doubted { into: [3; 16] });
        assert_eq!(events(one), events(one));
        let id = |word| events(word)[0].headers.iter().find(|(name, _)| *name == "ce_id").map(|(_, id)| id.clone());
        assert!(id(one).is_some() && id(one) != id(other));
    }

    #[test]
    fn the_words_of_linkage_and_of_the_steward_are_events_of_the_contract() {
        let words = [
            Word::Merged { into: [2; 16], evidence: Evidence::Model, confidence: 990 },
            Word::Split { from: [2; 16], into: [1; 16], evidence: Evidence::Steward },
            Word::Doubted { into: [2; 16] },
        ];
        let words = words.into_iter().map(|word| ([1; 16], 1, word)).collect();
        let as_of_us = 1_800_000_000_000_000;
        let found = Found { words, doubtful: Vec::new(), summary: linkage::Summary::default(), as_of_us };
        let of_steward =
            [Some(true), Some(false), None].map(|are_one| decided([1; 16], [2; 16], are_one, as_of_us, true));
        let row = "test#0/tip.events.POL-PB.v1/0/7";
        let of_conflict = [counted("POL-PB", Uuid::from_u128(0x7 << 76 | 0b10 << 62), row, as_of_us, true)];
        for event in found.events(true).iter().chain(&of_steward).chain(&of_conflict) {
            let headers = event.header_slices();
            let message = events::Message { key: Some(&event.key), headers: &headers, value: Some(&event.value) };
            let read = events::decode(&message, &events::Limits::default());
            assert!(read.is_ok(), "{:?}", read.err());
        }
    }

    #[test]
    fn each_rule_of_linkage_has_a_code_of_evidence() {
        let unknown = code_list::list("link_evidence").unknown();
        for rule in linkage::RULES {
            assert_ne!(code_of(Evidence::Rule(rule.name)), unknown, "{}", rule.name);
        }
        assert_ne!(code_of(Evidence::Steward), code_of(Evidence::Model));
    }
}
