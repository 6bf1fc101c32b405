//! Entries as events of the steward.
//!
//! A key has one record, named after a hash of it; of its words, all of one version, the latest stands. Absent: the log.

use events::Data;
use events::calendar::Occurred;
use events::code_list;
use events::data::{AreaChanged, AreaDeclared, CourtDeclared, PopulationCounted};
use events::encode::Encoded;

use super::entries::{Area, Change, Count, Court};
use super::line::Line;
use crate::people::{OwnEvent, STEWARD, letters};

/// The steward's word on an entry, or the one that takes it back, as an event (`at_us`, microseconds UTC).
pub fn said<L: Line>(entry: &L, withdrawn: bool, at_us: i64, synthetic: bool) -> Encoded {
    let mut hasher = blake3::Hasher::new();
    hasher.update(L::TABLE.as_bytes()).update(&[0]).update(entry.key().as_bytes());
    let id = *hasher.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes");
    OwnEvent { agency: STEWARD, record: letters(&id), version: 1, at_us, synthetic }.encoded(&entry.data(withdrawn))
}

/// `yes` where a word takes something back; else it is left out.
pub(super) fn word(withdrawn: bool) -> Option<u16> {
    withdrawn.then(|| code_list::list("yes_no").code("yes")).flatten()
}

pub(super) fn of_area(area: &Area, withdrawn: bool) -> Data {
    let Area { area, level, parent, valid_from, valid_to, name_en, name_ur, source } = area.clone();
    Data::AreaDeclared(AreaDeclared {
        area,
        level,
        parent,
        // What is brought along without a first day is said with the first that the contract has.
        valid_from: Occurred::day(valid_from.unwrap_or(events::calendar::FIRST_DAY)),
        valid_to: valid_to.map(Occurred::day),
        name_en,
        name_ur,
        published_in: source,
        withdrawn: word(withdrawn),
    })
}

pub(super) fn of_change(change: &Change, withdrawn: bool) -> Data {
    let Change { area, into_area, changed_on, share_per_mille, source } = change.clone();
    Data::AreaChanged(AreaChanged {
        area,
        into_area,
        changed_on: Occurred::day(changed_on),
        share_per_mille,
        published_in: source,
        withdrawn: word(withdrawn),
    })
}

pub(super) fn of_count(count: &Count, withdrawn: bool) -> Data {
    let Count { area, counted_on, sex, age_group, persons, method, source } = count.clone();
    Data::PopulationCounted(PopulationCounted {
        area,
        counted_on: Occurred::day(counted_on),
        sex,
        age_group,
        persons,
        method,
        published_in: source,
        withdrawn: word(withdrawn),
    })
}

pub(super) fn of_court(court: &Court, withdrawn: bool) -> Data {
    let Court { court, level, area, valid_from, valid_to, name_en, name_ur, source } = court.clone();
    Data::CourtDeclared(CourtDeclared {
        court,
        level,
        area,
        valid_from: Occurred::day(valid_from),
        valid_to: valid_to.map(Occurred::day),
        name_en,
        name_ur,
        published_in: source,
        withdrawn: word(withdrawn),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Reference;
    use super::*;

    /// The record and the id of an event, which must be one of the contract.
    fn read(event: &Encoded) -> (String, uuid::Uuid) {
        let headers = event.header_slices();
        let message = events::Message { key: Some(&event.key), headers: &headers, value: Some(&event.value) };
        let read = events::decode(&message, &events::Limits::default()).expect("it is an event of the contract");
        (read.record_id.into_owned(), read.id)
    }

    #[test]
    fn every_entry_that_is_brought_along_can_be_said_and_each_key_has_a_record_of_its_own() {
        let Reference { areas, changes, counts, agencies, codes, .. } = Reference::beneath(&policy::Policy::default());
        let at_us = 1_800_000_000_000_000;
        let mut events: Vec<Encoded> = areas.iter().map(|area| said(area, false, at_us, true)).collect();
        events.extend(changes.iter().map(|change| said(change, false, at_us, true)));
        events.extend(counts.iter().map(|count| said(count, true, at_us, true)));
        events.extend(agencies.iter().map(|agency| said(agency, false, at_us, true)));
        events.extend(codes.iter().map(|code| said(code, false, at_us, true)));
        let records: std::collections::BTreeSet<String> = events.iter().map(|event| read(event).0).collect();
        assert_eq!(records.len(), events.len());
    }

    #[test]
    fn another_word_on_the_same_key_is_another_event_on_the_same_record() {
        let count = Reference::built_in().counts.remove(0);
        let other = Count { persons: count.persons + 1, ..count.clone() };
        let [one, two, back] =
            [said(&count, false, 7, true), said(&other, false, 7, true), said(&count, true, 7, true)]
                .map(|event| read(&event));
        assert!(one.0 == two.0 && two.0 == back.0);
        assert!(one.1 != two.1 && one.1 != back.1);
    }
}
