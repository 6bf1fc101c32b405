//! The history of one fact on file: how an agency came to its final account of it.
//!
//! Most facts are reported once and rightly. The rest are the trouble that real feeds have, each kind with its name in
//! [`super::Feedline::note`]. Whatever happens, what stands in the end by the folding rules of domain.md 4 is the
//! world's account: mistakes are mended, phantoms retracted, and what must be ignored contradicts the account.

use events::EventType;

use crate::agency::{AGENCIES, Agency};
use crate::codes::Code;
use crate::names::{EventId, Person, Record};
use crate::when::{When, day_of_ms, midnight_ms};
use crate::world::account::{Filed, Named};

use super::fields::{Field, Fields};
use super::message::{Body, Message};
use super::mistakes::{mistaken, other};
use super::reporter::{HOUR, Reporter};

/// A fact and where it is filed.
pub(super) struct Fact<'a> {
    pub(super) kind: EventType,
    pub(super) record: Record,
    pub(super) named: Option<Named>,
    pub(super) filed: &'a Filed,
    pub(super) fields: Fields,
    /// Whether the record is about this fact, so that a higher version of it restates it; acts are never restated.
    pub(super) restatable: bool,
}

impl Fact<'_> {
    fn recorded_day(&self) -> i32 {
        day_of_ms(self.filed.recorded_ms)
    }
}

/// Fields of the right account at these places.
fn mended(right: &Fields, changed: &[usize]) -> Fields {
    changed.iter().map(|at| right[*at].clone()).collect()
}

impl Reporter {
    /// Reports a fact as it came to be known. `version` is the record's counter.
    pub(super) fn fact(&mut self, mut fact: Fact<'_>, version: &mut u32) {
        let told = &fact;
        match self.dice.below(10_000) {
            0..210 => self.corrected(told, version),
            210..240 => self.corrected_twice(told, version),
            240..262 => self.correction_retracted(told, version),
            262..276 => self.correction_corrected(told, version),
            276..282 => self.corrections_in_a_circle(told, version),
            282..352 if told.restatable => self.restated(told, version),
            352..370 if told.restatable => self.restatement_retracted(told, version),
            370..395 => self.conflicting(told, version),
            395..450 => self.with_phantom(told, version, false),
            450..470 => self.with_phantom(told, version, true),
            470..482 => self.with_correction_of_nothing(told, version),
            482..488 => self.misnamed_correction(told, version),
            488..496 => self.meddled_with(told, version),
            _ => {
                let fields = std::mem::take(&mut fact.fields);
                let message = self.telling(&fact, fields, version);
                self.send_soon(&message, "fact");
            }
        }
    }

    /// Once, and rightly.
    pub(super) fn plain(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let message = self.telling(fact, fact.fields.clone(), version);
        self.send_soon(&message, "fact");
    }

    fn wrong(&mut self, fact: &Fact<'_>, may_omit: bool) -> Option<(Fields, Vec<usize>)> {
        mistaken(&mut self.dice, fact.kind, &fact.fields, fact.recorded_day(), may_omit)
    }

    /// Wrong at first, then corrected; one correction in six arrives before its target.
    fn corrected(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let Some((wrong, changed)) = self.wrong(fact, true) else {
            return self.plain(fact, version);
        };
        let told = self.telling(fact, wrong, version);
        let right = self.correction(&told, mended(&fact.fields, &changed), version);
        let (mut first, second) = (self.transport(told.recorded_ms), self.transport(right.recorded_ms));
        let early = self.dice.mille(160);
        if early {
            first = first.max(second + HOUR);
        }
        self.send(&told, first, "fact, corrected later");
        self.send(&right, second, if early { "correction before its target" } else { "correction" });
    }

    /// Corrected to another mistake, then rightly; the two corrections may arrive in either order.
    fn corrected_twice(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let Some((wrong, changed)) = self.wrong(fact, false) else {
            return self.plain(fact, version);
        };
        let told = self.telling(fact, wrong, version);
        let still_wrong = self.others(fact, &changed);
        let mut after = told.clone();
        if !still_wrong.is_empty() {
            after = self.correction(&told, still_wrong, version);
            self.send_soon(&after, "correction, itself mistaken");
        }
        let right = self.correction_after(&told, after.recorded_ms, mended(&fact.fields, &changed), version);
        self.send_soon(&told, "fact, corrected twice");
        self.send_soon(&right, "second correction");
    }

    /// Other values for the fields at these places.
    fn others(&mut self, fact: &Fact<'_>, changed: &[usize]) -> Fields {
        let mut fields = Fields::new();
        for at in changed {
            let Field { name, value } = &fact.fields[*at];
            if let Some(value) = other(&mut self.dice, fact.kind, name, value, fact.recorded_day()) {
                fields.push(Field { name, value });
            }
        }
        fields
    }

    /// Right at first, corrected by mistake, and that correction retracted.
    fn correction_retracted(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let Some((wrong, changed)) = self.wrong(fact, false) else {
            return self.plain(fact, version);
        };
        let told = self.telling(fact, fact.fields.clone(), version);
        let mistake = self.correction(&told, mended(&wrong, &changed), version);
        let undone = self.retraction(&mistake, version);
        self.send_soon(&told, "fact");
        self.send_soon(&mistake, "correction, retracted later");
        self.send_soon(&undone, "retraction of a correction");
    }

    /// Corrected, and then somebody corrects the correction, which has no effect: only facts can be corrected.
    fn correction_corrected(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let Some((wrong, changed)) = self.wrong(fact, false) else {
            return self.plain(fact, version);
        };
        let told = self.telling(fact, wrong.clone(), version);
        let right = self.correction(&told, mended(&fact.fields, &changed), version);
        let futile = self.correction(&right, mended(&wrong, &changed), version);
        let futile = with_target_type(futile, fact.kind);
        self.send_soon(&told, "fact, corrected later");
        self.send_soon(&right, "correction");
        self.send_soon(&futile, "correction of a correction");
    }

    /// Two corrections that correct each other and nothing else.
    fn corrections_in_a_circle(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let Some((wrong, changed)) = self.wrong(fact, false) else {
            return self.plain(fact, version);
        };
        let told = self.telling(fact, fact.fields.clone(), version);
        let one = self.correction(&told, mended(&wrong, &changed), version);
        let two = with_target_type(self.correction(&one, mended(&wrong, &changed), version), fact.kind);
        let one = with_target(one, two.id);
        self.send_soon(&told, "fact");
        self.send_soon(&one, "correction in a circle");
        self.send_soon(&two, "correction in a circle");
    }

    /// Told wrongly, then told again as the next version of the record; the versions may arrive in either order.
    fn restated(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let opened = midnight_ms(fact.filed.when.to().max(fact.filed.when.day)) + 9 * HOUR;
        let slack = fact.filed.recorded_ms - opened - 60_000;
        let earlier = opened + self.dice.lag(0, slack.max(1));
        let wrong = mistaken(&mut self.dice, fact.kind, &fact.fields, day_of_ms(earlier), true);
        let Some((wrong, _)) = wrong.filter(|_| slack > HOUR) else {
            return self.corrected(fact, version);
        };
        let mut draft = self.telling(fact, wrong, version);
        (draft.recorded_ms, draft.id) = (earlier, self.new_id(earlier));
        let told = self.telling(fact, fact.fields.clone(), version);
        self.send_soon(&draft, "first version");
        self.send_soon(&told, "second version");
    }

    /// Told rightly, then told wrongly as the next version, and that version retracted.
    fn restatement_retracted(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let Some((wrong, _)) = self.wrong(fact, false) else {
            return self.plain(fact, version);
        };
        let told = self.telling(fact, fact.fields.clone(), version);
        let mut mistake = self.telling(fact, wrong, version);
        mistake.recorded_ms = self.later(told.recorded_ms, 24 * HOUR, 2000 * HOUR);
        mistake.id = self.new_id(mistake.recorded_ms);
        let undone = self.retraction(&mistake, version);
        self.send_soon(&told, "fact");
        self.send_soon(&mistake, "second version, retracted later");
        self.send_soon(&undone, "retraction of a version");
    }

    /// The same id twice with different content, the same tokens at the same places: the lesser bytes count, whichever
    /// arrives first (ingestion.md 3.7.5).
    fn conflicting(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let told = self.telling(fact, fact.fields.clone(), version);
        let bytes = told.data(self.seed, false);
        for _ in 0..8 {
            let Some((wrong, _)) = self.wrong(fact, false) else {
                continue;
            };
            let rival = Message { body: Body::Fact(wrong), ..told.clone() };
            let rival_bytes = rival.data(self.seed, false);
            if rival_bytes > bytes && rival_bytes.len() >= bytes.len() {
                return self.send_conflict(&told, &rival);
            }
        }
        self.send_soon(&told, "fact");
    }

    /// A record, or an act on the same record, that never was; retracted, sometimes after it was corrected as well.
    fn with_phantom(&mut self, fact: &Fact<'_>, version: &mut u32, corrected: bool) {
        self.plain(fact, version);
        let Some((wrong, changed)) = self.wrong(fact, false) else {
            return;
        };
        let mut own = 0;
        let counter = if fact.restatable { &mut own } else { version };
        let mut phantom = self.telling(fact, wrong, counter);
        if fact.restatable {
            phantom.record = Record { agency: fact.record.agency, number: self.new_number() };
        }
        if let Some((named, _)) = &mut phantom.person
            && fact.restatable
            && self.dice.mille(300)
        {
            named.person = Person { number: self.new_number(), ..named.person };
        }
        phantom.recorded_ms = self.later(phantom.recorded_ms, 0, 300 * HOUR);
        phantom.id = self.new_id(phantom.recorded_ms);
        self.retracted(&phantom, mended(&fact.fields, &changed), corrected, counter);
    }

    /// Sends what never was, its retraction and perhaps a correction of it, in any order.
    pub(super) fn retracted(&mut self, phantom: &Message, fields: Fields, corrected: bool, version: &mut u32) {
        let undone = self.retraction(phantom, version);
        self.send_soon(phantom, "fact, retracted later");
        self.send_soon(&undone, "retraction");
        if corrected {
            let correction = self.correction(phantom, fields, version);
            self.send_soon(&correction, "correction of a retracted fact");
        } else if self.dice.mille(80) {
            let futile = self.retraction(&undone, version);
            self.send_soon(&with_target_type(futile, phantom.kind), "retraction of a retraction");
        }
    }

    /// A correction whose target never comes.
    fn with_correction_of_nothing(&mut self, fact: &Fact<'_>, version: &mut u32) {
        self.plain(fact, version);
        let Some((wrong, changed)) = self.wrong(fact, false) else {
            return;
        };
        let told = self.telling(fact, fact.fields.clone(), version);
        let correction = self.correction(&told, mended(&wrong, &changed), version);
        let nowhere = self.new_id(told.recorded_ms);
        self.send_soon(&with_target(correction, nowhere), "correction of an unknown fact");
    }

    /// A correction that names another type than its target's has no effect.
    fn misnamed_correction(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let told = self.telling(fact, fact.fields.clone(), version);
        let misnamed =
            if fact.kind == EventType::ChargeWithdrawn { EventType::AppealDecided } else { EventType::ChargeWithdrawn };
        let early = When { day: fact.filed.when.from() - 400, ..fact.filed.when };
        let fields = Fields::from_iter([Field { name: "occurred_on", value: super::fields::Value::When(early) }]);
        let correction = with_target_type(self.correction(&told, fields, version), misnamed);
        self.send_soon(&told, "fact");
        self.send_soon(&correction, "correction that misnames its target's type");
    }

    /// Another agency corrects and retracts what is not its own, on a record of its own: no effect.
    fn meddled_with(&mut self, fact: &Fact<'_>, version: &mut u32) {
        let told = self.telling(fact, fact.fields.clone(), version);
        self.send_soon(&told, "fact");
        let Some(stranger) = stranger(fact.record.agency) else {
            return;
        };
        let Some((wrong, changed)) = self.wrong(fact, false) else {
            return;
        };
        let record = Record { agency: stranger, number: self.new_number() };
        let mut own = 0;
        let correction = self.correction(&told, mended(&wrong, &changed), &mut own);
        let retraction = self.retraction(&told, &mut own);
        self.send_soon(&Message { record, ..correction }, "correction by another agency");
        self.send_soon(&Message { record, ..retraction }, "retraction by another agency");
    }

    /// The message that tells a fact with these fields as the record's next version.
    pub(super) fn telling(&mut self, fact: &Fact<'_>, fields: Fields, version: &mut u32) -> Message {
        *version += 1;
        let person = fact.named.map(|named| (named, self.tokens(named.person)));
        Message {
            kind: fact.kind,
            record: fact.record,
            person,
            id: fact.filed.id,
            recorded_ms: fact.filed.recorded_ms,
            version: *version,
            body: Body::Fact(fields),
        }
    }

    /// One token mostly, sometimes all.
    fn tokens(&mut self, person: Person) -> usize {
        let all = person.kinds().len() as u32;
        if self.dice.mille(600) { 1 } else { 1 + self.dice.below(all) as usize }
    }

    pub(super) fn correction(&mut self, target: &Message, fields: Fields, version: &mut u32) -> Message {
        self.correction_after(target, target.recorded_ms, fields, version)
    }

    pub(super) fn correction_after(
        &mut self,
        target: &Message,
        after_ms: i64,
        fields: Fields,
        version: &mut u32,
    ) -> Message {
        let reason =
            self.dice.pick(&[("data_entry", 50), ("new_information", 30), ("verification", 15), ("court_order", 5)]);
        let body = Body::Correction { target: target.id, target_type: target.kind, fields, reason };
        self.about(target, EventType::RecordCorrected, after_ms, body, version)
    }

    pub(super) fn retraction(&mut self, target: &Message, version: &mut u32) -> Message {
        let reason: Code =
            self.dice.pick(&[("error", 50), ("duplicate", 30), ("wrong_person", 15), ("court_order", 5)]);
        let body = Body::Retraction { target: target.id, target_type: target.kind, reason };
        self.about(target, EventType::RecordRetracted, target.recorded_ms, body, version)
    }

    fn about(&mut self, target: &Message, kind: EventType, after_ms: i64, body: Body, version: &mut u32) -> Message {
        *version += 1;
        let recorded_ms = self.later(after_ms, 20 * HOUR, 6000 * HOUR);
        let id = self.new_id(recorded_ms);
        Message { kind, record: target.record, person: None, id, recorded_ms, version: *version, body }
    }
}

fn with_target(mut message: Message, id: EventId) -> Message {
    if let Body::Correction { target, .. } | Body::Retraction { target, .. } = &mut message.body {
        *target = id;
    }
    message
}

fn with_target_type(mut message: Message, kind: EventType) -> Message {
    if let Body::Correction { target_type, .. } | Body::Retraction { target_type, .. } = &mut message.body {
        *target_type = kind;
    }
    message
}

/// Another agency of the same group.
fn stranger(agency: &Agency) -> Option<&'static Agency> {
    AGENCIES.iter().find(|other| other.group == agency.group && *other != agency)
}
