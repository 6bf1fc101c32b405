//! What is said of records, reports, tokens, persons and conflicts: corrections and retractions, the reporting calendar, who is one with
//! whom, which content of an event counts.
//!
//! These are no facts: none is corrected, and of those about persons and conflicts a later one replaces an earlier one. Absent: facts (see `super`).

use super::{Data, Patch};
use crate::EventType;
use crate::avro::write;
use crate::calendar::Occurred;
use crate::code_list::tag;
use crate::contract::{Contract, FieldSpec, ObjectWriter, Read};
use crate::value::{AgencyCode, Code, FactRef, Int, Kind, LogPlace, Period, PersonId, Reference, RetractableRef};
use serde::de::MapAccess;
use smallvec::{SmallVec, smallvec};
use uuid::Uuid;

data! {
    /// `pk.tip.persons.merged`: a person is one with an older one, whose id stays. One event for each person who joins, so that
    /// each is said of one record and the last word on a person is the state.
    PersonsMerged / PersonsMergedPatch, occurred = false, person = false {
        #[doc = "The person who joins."]
        req person_id: [u8; 16] = PersonId,
        #[doc = "The oldest person of the cluster: whom she is counted as from now on."]
        req into: [u8; 16] = PersonId,
        #[doc = "What speaks for it (list `link_evidence`)."]
        req evidence: u16 = Code<tag::LinkEvidence>,
        #[doc = "Probability by the model, per mille."]
        req confidence: i64 = Int<0, 1_000>,
    }

    /// `pk.tip.persons.split`: a person leaves the cluster that she was counted in, alone or with others.
    PersonsSplit / PersonsSplitPatch, occurred = false, person = false {
        #[doc = "The person who leaves."]
        req person_id: [u8; 16] = PersonId,
        #[doc = "The oldest person of the cluster that she leaves."]
        req from: [u8; 16] = PersonId,
        #[doc = "Whom she is counted as from now on: herself, or the oldest of those who leave with her."]
        req into: [u8; 16] = PersonId,
        #[doc = "What speaks for it (list `link_evidence`)."]
        req evidence: u16 = Code<tag::LinkEvidence>,
    }

    /// `pk.tip.persons.doubted`: a person may be one with others; nobody is counted otherwise for it, but the lower bound of the
    /// number of persons is.
    PersonsDoubted / PersonsDoubtedPatch, occurred = false, person = false {
        #[doc = "The person."]
        req person_id: [u8; 16] = PersonId,
        #[doc = "Whom she would be counted as if all that is plausible were linked; herself when no doubt is left."]
        req into: [u8; 16] = PersonId,
    }

    /// `pk.tip.persons.decided`: the steward's word on whether two persons are one. Linkage obeys it in its next run.
    PersonsDecided / PersonsDecidedPatch, occurred = false, person = false {
        #[doc = "The one person."]
        req person_id: [u8; 16] = PersonId,
        #[doc = "The other person."]
        req other_id: [u8; 16] = PersonId,
        #[doc = "Whether they are one (list `yes_no`); `_X` takes an earlier word back."]
        req one: u16 = Code<tag::YesNo>,
    }

    /// `pk.tip.tokens.rotated`: a token of a person was made anew. `person` holds two tokens of one kind: the one of before, and
    /// the one that stands for it from now on.
    TokensRotated / TokensRotatedPatch, occurred = false, person = true {
    }

    /// `pk.tip.person.erasure_ordered`: a person is to be erased from every table and file (ingestion.md 3.12).
    PersonErasureOrdered / PersonErasureOrderedPatch, occurred = false, person = false {
        #[doc = "The person."]
        req person_id: [u8; 16] = PersonId,
        #[doc = "On which ground (list `legal_basis`)."]
        req legal_basis: u16 = Code<tag::LegalBasis>,
    }

    /// `pk.tip.conflict.decided`: which content of an event counts, of several that were sent under one id. A later word on the event
    /// replaces it; one that names a row which is not there, or is none of that event, has no effect.
    ConflictDecided / ConflictDecidedPatch, occurred = false, person = false {
        #[doc = "The agency of the event."]
        req agency: String = AgencyCode,
        #[doc = "The id of the event."]
        req event_id: Uuid = Reference,
        #[doc = "The row of the warehouse whose content counts, by its place in the log: `<log>/<stream>/<partition>/<offset>`."]
        req row: String = LogPlace,
    }

    /// What `pk.tip.record.corrected` says beside the fields it replaces.
    CorrectionHead / CorrectionHeadPatch, occurred = false, person = false, fields = true {
        #[doc = "Event id of the fact that is corrected."]
        req target: Uuid = Reference,
        #[doc = "Type of the target; it decides what `fields` may hold."]
        req target_type: EventType = FactRef,
        #[doc = "Why (list `correction_reason`)."]
        req reason: u16 = Code<tag::CorrectionReason>,
    }

    /// What `pk.tip.record.retracted` says.
    RetractionHead / RetractionHeadPatch, occurred = false, person = false {
        #[doc = "Event id of the fact or correction that is retracted."]
        req target: Uuid = Reference,
        #[doc = "Type of the target."]
        req target_type: EventType = RetractableRef,
        #[doc = "Why (list `retraction_reason`)."]
        req reason: u16 = Code<tag::RetractionReason>,
    }

    /// `pk.tip.report.expected`: an agency's report for a period is expected.
    ReportExpected / ReportExpectedPatch, occurred = false, person = false {
        #[doc = "The agency whose report is expected."]
        req agency: String = AgencyCode,
        #[doc = "The period: month, quarter or year."]
        req period: Occurred = Period,
        #[doc = "What is reported (list `report_kind`)."]
        req kind: u16 = Code<tag::ReportKind>,
    }

    /// `pk.tip.report.nil`: the sender has nothing to report for a period.
    ReportNil / ReportNilPatch, occurred = false, person = false {
        #[doc = "The period: month, quarter or year."]
        req period: Occurred = Period,
        #[doc = "What is reported (list `report_kind`)."]
        req kind: u16 = Code<tag::ReportKind>,
    }
}

/// `pk.tip.record.corrected`: fields of an earlier event are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordCorrected {
    /// The version it is said in: that of the contract which decides of what version `fields` is.
    pub version: u16,
    /// Event id of the fact that is corrected.
    pub target: Uuid,
    /// Type of the target.
    pub target_type: EventType,
    /// The value of `occurred_on` that replaces the target's, if it is corrected.
    pub occurred: Option<Occurred>,
    /// The other fields that are replaced, of the target's type.
    pub fields: Patch,
    /// Why (list `correction_reason`).
    pub reason: u16,
}

/// `pk.tip.record.retracted`: an earlier event is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRetracted {
    /// The version it is said in: that of the contract which decides what it may take back.
    pub version: u16,
    /// Event id of the fact or correction that is retracted.
    pub target: Uuid,
    /// Type of the target.
    pub target_type: EventType,
    /// Why (list `retraction_reason`).
    pub reason: u16,
}

impl Data {
    /// The persons that it names by their ids in the warehouse: linkage and the steward do, agencies name persons by tokens.
    pub fn persons(&self) -> SmallVec<[[u8; 16]; 4]> {
        match self {
            Self::PersonsMerged(d) => SmallVec::from_slice(&[d.person_id, d.into]),
            Self::PersonsSplit(d) => SmallVec::from_slice(&[d.person_id, d.from, d.into]),
            Self::PersonsDoubted(d) => SmallVec::from_slice(&[d.person_id, d.into]),
            Self::PersonsDecided(d) => SmallVec::from_slice(&[d.person_id, d.other_id]),
            Self::PersonErasureOrdered(d) => SmallVec::from_slice(&[d.person_id]),
            _ => SmallVec::new(),
        }
    }

    /// Those persons as they can be changed: one who was erased is replaced by what stands for her.
    pub fn persons_mut(&mut self) -> SmallVec<[&mut [u8; 16]; 4]> {
        match self {
            Self::PersonsMerged(d) => smallvec![&mut d.person_id, &mut d.into],
            Self::PersonsSplit(d) => smallvec![&mut d.person_id, &mut d.from, &mut d.into],
            Self::PersonsDoubted(d) => smallvec![&mut d.person_id, &mut d.into],
            Self::PersonsDecided(d) => smallvec![&mut d.person_id, &mut d.other_id],
            Self::PersonErasureOrdered(d) => smallvec![&mut d.person_id],
            _ => SmallVec::new(),
        }
    }
}

impl RecordCorrected {
    /// The same in the next version of `record.corrected`, its fields in the version of the target's type that goes with it.
    pub(super) fn next(mut self) -> Self {
        self.version += 1;
        let target = |version| self.target_type.in_correction(version);
        while target(self.version).is_some_and(|newest| self.fields.version() < newest) {
            self.fields = self.fields.next();
        }
        self
    }

    fn head(&self) -> CorrectionHead {
        CorrectionHead { target: self.target, target_type: self.target_type, reason: self.reason }
    }

    /// `fields` is a union with one record for each fact, in the order of the contract.
    pub(super) fn write_avro(&self, out: &mut Vec<u8>) {
        self.head().write_avro(out);
        let branch = EventType::ALL.iter().filter(|kind| kind.is_fact()).position(|kind| *kind == self.fields.kind());
        write::long(branch.map_or(0, |b| b as i64), out);
        write::optional::<crate::value::When>(self.occurred.as_ref(), out);
        self.fields.write_avro(out);
    }

    pub(super) fn write(&self, object: &mut ObjectWriter<'_>) {
        self.head().write(object);
        let mut fields = ObjectWriter::open(object.key("fields"));
        if let Some(occurred) = &self.occurred {
            fields.field::<crate::value::When>("occurred_on", occurred);
        }
        self.fields.write(&mut fields);
        fields.close();
    }
}

impl RecordRetracted {
    pub(crate) const fn of(head: RetractionHead, version: u16) -> Self {
        let RetractionHead { target, target_type, reason } = head;
        Self { version, target, target_type, reason }
    }

    /// The same in the next version of `record.retracted`, which may take back more types.
    pub(super) fn next(mut self) -> Self {
        if self.version < EventType::RecordRetracted.newest() {
            self.version += 1;
        }
        self
    }

    fn head(&self) -> RetractionHead {
        RetractionHead { target: self.target, target_type: self.target_type, reason: self.reason }
    }

    pub(super) fn write(&self, object: &mut ObjectWriter<'_>) {
        self.head().write(object);
    }

    pub(super) fn write_avro(&self, out: &mut Vec<u8>) {
        self.head().write_avro(out);
    }
}
