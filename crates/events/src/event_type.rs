//! The event types with their versions.
//!
//! Absent: what a type carries (see [`crate::data`]), how one version becomes the next (`upcast`), and who may emit it
//! (policy).

use std::fmt;
use std::sync::LazyLock;

/// Where the schemas live. The host is an example name (RFC 2606): the identifier is compared, never fetched.
pub const SCHEMA_BASE: &str = "https://schemas.amanat.example/";

macro_rules! event_types {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal, )*) => {
        /// A type of event (domain.md 4). The name is `pk.tip.<noun>.<past participle>`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventType { $( $(#[$doc])* $variant, )* }

        impl EventType {
            /// Every type, in the order of the contract.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// The full name, as in the CloudEvents attribute `type`.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => concat!("pk.tip.", $name), )* }
            }

            /// The type of this short name, if there is one.
            fn from_short_name(name: &str) -> Option<Self> {
                match name { $( $name => Some(Self::$variant), )* _ => None }
            }

            /// `<noun>.<participle>`: the folder of its schemas.
            pub const fn short_name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }
        }
    };
}

event_types! {
    /// A case (FIR) was registered; the subject is the case id.
    CaseRegistered = "case.registered",
    /// A victim was identified.
    VictimIdentified = "victim.identified",
    /// A body determined whether a person is a victim.
    VictimStatusDetermined = "victim.status_determined",
    /// A victim was referred to a service.
    VictimReferred = "victim.referred",
    /// A service began.
    ServiceStarted = "service.started",
    /// A service ended.
    ServiceEnded = "service.ended",
    /// A victim returned from abroad.
    VictimReturned = "victim.returned",
    /// A returned victim was assisted.
    ReintegrationAssisted = "reintegration.assisted",
    /// An accused person was arrested.
    AccusedArrested = "accused.arrested",
    /// A charge was filed.
    ChargeFiled = "charge.filed",
    /// A charge was withdrawn (same record as the charge).
    ChargeWithdrawn = "charge.withdrawn",
    /// A court gave judgment.
    JudgmentDelivered = "judgment.delivered",
    /// An appeal was decided (same record as the judgment).
    AppealDecided = "appeal.decided",
    /// A labour inspection took place.
    InspectionConducted = "inspection.conducted",
    /// Fields of an earlier event are replaced.
    RecordCorrected = "record.corrected",
    /// An earlier event is taken back.
    RecordRetracted = "record.retracted",
    /// The reporting calendar: an agency's report is expected.
    ReportExpected = "report.expected",
    /// The reporting calendar: nothing to report.
    ReportNil = "report.nil",
    /// A helpline was contacted; the subject is the contact id that an identification may name.
    ContactReceived = "contact.received",
    /// A training or awareness activity took place.
    ActivityHeld = "activity.held",
    /// A case was given to another agency.
    CaseTransferred = "case.transferred",
    /// Another agency's case is about the same trafficking event.
    CaseLinked = "case.linked",
    /// A case reached a stage.
    CaseStageChanged = "case.stage_changed",
    /// An accused person became known; she need not be arrested.
    AccusedIdentified = "accused.identified",
    /// A court ordered compensation to a victim.
    CompensationOrdered = "compensation.ordered",
    /// Compensation was paid to a victim.
    CompensationPaid = "compensation.paid",
    /// What an inspection found was referred to a body.
    InspectionReferred = "inspection.referred",
    /// A body acted on a referral, or decided not to.
    ReferralActedOn = "referral.acted_on",
    /// Workers were released.
    WorkerReleased = "worker.released",
    /// Linkage: a person is one with an older one.
    PersonsMerged = "persons.merged",
    /// Linkage: a person is not of the cluster any more that she was counted in.
    PersonsSplit = "persons.split",
    /// Linkage: a person may be one with others.
    PersonsDoubted = "persons.doubted",
    /// The steward's word on whether two persons are one.
    PersonsDecided = "persons.decided",
    /// A token of a person was made anew.
    TokensRotated = "tokens.rotated",
    /// A person is to be erased.
    PersonErasureOrdered = "person.erasure_ordered",
    /// The steward's word on which content of an event counts.
    ConflictDecided = "conflict.decided",
    /// Reference: an administrative area, and when it is one.
    AreaDeclared = "area.declared",
    /// Reference: an area, or part of one, went into another.
    AreaChanged = "area.changed",
    /// Reference: how many people an area had on a day.
    PopulationCounted = "population.counted",
    /// Reference: a court, and when it is one.
    CourtDeclared = "court.declared",
    /// Reference: what an agency is called, and when its mandate runs.
    AgencyDeclared = "agency.declared",
    /// Reference: when a code of a list is valid, and what it is called.
    CodeDeclared = "code.declared",
}

/// How many types there were when the contract was first released: those before the first of [`LATER`]'s.
const FIRST: usize = EventType::ContactReceived as usize;

/// Versions that came after the first release, in the order of theirs: of types that were there, and of types that came
/// later. Only appended to: the registry's ids follow from it, and so does which version of a fact a version of
/// `record.corrected` speaks of.
const LATER: &[(EventType, u16)] = &[
    (EventType::VictimIdentified, 2),
    (EventType::RecordCorrected, 2),
    (EventType::VictimIdentified, 3),
    (EventType::RecordCorrected, 3),
    (EventType::ContactReceived, 1),
    (EventType::ActivityHeld, 1),
    (EventType::RecordCorrected, 4),
    (EventType::RecordRetracted, 2),
    (EventType::CaseTransferred, 1),
    (EventType::CaseLinked, 1),
    (EventType::CaseStageChanged, 1),
    (EventType::AccusedIdentified, 1),
    (EventType::CompensationOrdered, 1),
    (EventType::CompensationPaid, 1),
    (EventType::InspectionReferred, 1),
    (EventType::ReferralActedOn, 1),
    (EventType::WorkerReleased, 1),
    (EventType::RecordCorrected, 5),
    (EventType::RecordRetracted, 3),
    (EventType::PersonsMerged, 1),
    (EventType::PersonsSplit, 1),
    (EventType::PersonsDoubted, 1),
    (EventType::PersonsDecided, 1),
    (EventType::TokensRotated, 1),
    (EventType::PersonErasureOrdered, 1),
    (EventType::ConflictDecided, 1),
    (EventType::AreaDeclared, 1),
    (EventType::AreaChanged, 1),
    (EventType::PopulationCounted, 1),
    (EventType::CourtDeclared, 1),
    (EventType::AgencyDeclared, 1),
    (EventType::CodeDeclared, 1),
];

/// The `dataschema` of each version of each type.
static DATASCHEMAS: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let of = |kind: &EventType, version| format!("{SCHEMA_BASE}{}/v{version}", kind.short_name());
    EventType::ALL.iter().map(|kind| (1..=kind.newest()).map(|version| of(kind, version)).collect()).collect()
});

impl EventType {
    /// Its newest version; every version from 1 to it is accepted, side by side (design: ingestion.md 3.10).
    pub const fn newest(self) -> u16 {
        let (mut newest, mut at) = (1, 0);
        while at < LATER.len() {
            let (kind, version) = LATER[at];
            if kind as u16 == self as u16 && version > newest {
                newest = version;
            }
            at += 1;
        }
        newest
    }

    /// How many versions there are of all types.
    pub const VERSIONS: usize = FIRST + LATER.len();

    /// Every version of every type in the order of release: the first of the types of the first release, then those that
    /// came later.
    pub fn versions() -> impl Iterator<Item = (Self, u16)> {
        Self::ALL[..FIRST].iter().map(|kind| (*kind, 1)).chain(LATER.iter().copied())
    }

    /// Whether the type was there in the first release of the contract.
    pub(crate) const fn is_of_the_first_release(self) -> bool {
        (self as usize) < FIRST
    }

    /// How many types there were before this one, in the order of the contract.
    pub(crate) const fn before(self) -> usize {
        self as usize
    }

    /// The place of a version in [`Self::versions`], from 0; for a version that is not there, that of the first.
    #[inline]
    pub fn place(self, version: u16) -> usize {
        if self.is_of_the_first_release() && version <= 1 {
            return self as usize;
        }
        let at = |version| LATER.iter().position(|it| *it == (self, version));
        at(version).or_else(|| at(1)).map_or(self as usize, |at| FIRST + at)
    }

    /// The version of this fact that a correction of version `correction` speaks of: the newest that was released before
    /// it. None where the fact came later.
    pub(crate) const fn in_correction(self, correction: u16) -> Option<u16> {
        if !self.is_fact() {
            return None;
        }
        let (mut end, mut at) = (0, 0);
        while at < LATER.len() {
            let (kind, version) = LATER[at];
            if matches!(kind, Self::RecordCorrected) && version <= correction {
                end = at;
            }
            at += 1;
        }
        let mut found = if self.is_of_the_first_release() { Some(1) } else { None };
        at = 0;
        while at < end {
            let (kind, version) = LATER[at];
            if kind as u16 == self as u16 {
                found = Some(version);
            }
            at += 1;
        }
        found
    }

    /// The CloudEvents attribute `dataschema` of a version.
    ///
    /// # Panics
    /// When there is no such version: see [`Self::newest`].
    pub fn dataschema(self, version: u16) -> &'static str {
        &DATASCHEMAS[self as usize][usize::from(version) - 1]
    }

    /// The version of this type that a `dataschema` names, if it has that form; whether there is one is another question.
    #[inline]
    pub(crate) fn version_in(self, dataschema: &str) -> Option<u16> {
        let digits = dataschema.strip_prefix(SCHEMA_BASE)?.strip_prefix(self.short_name())?.strip_prefix("/v")?;
        let form =
            (1..=4).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        if form { digits.parse().ok() } else { None }
    }

    /// The type and version that a `dataschema` names, if it has that form. The version may be one that is not known here.
    pub fn of_dataschema(dataschema: &str) -> Option<(Self, u16)> {
        let name = dataschema.strip_prefix(SCHEMA_BASE)?.rsplit_once("/v")?.0;
        let kind = Self::from_short_name(name)?;
        Some((kind, kind.version_in(dataschema)?))
    }

    /// The type of this full name (`pk.tip.…`), if this edition accepts it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::from_short_name(name.strip_prefix("pk.tip.")?)
    }

    /// Whether it states something that happened, and so may be corrected: all but what is said of records, reports, tokens, conflicts, of
    /// who is one with whom and of reference data, which a later event of the kind replaces.
    pub const fn is_fact(self) -> bool {
        !matches!(
            self,
            Self::RecordCorrected
                | Self::RecordRetracted
                | Self::ReportExpected
                | Self::ReportNil
                | Self::PersonsMerged
                | Self::PersonsSplit
                | Self::PersonsDoubted
                | Self::PersonsDecided
                | Self::TokensRotated
                | Self::PersonErasureOrdered
                | Self::ConflictDecided
                | Self::AreaDeclared
                | Self::AreaChanged
                | Self::PopulationCounted
                | Self::CourtDeclared
                | Self::AgencyDeclared
                | Self::CodeDeclared
        )
    }

    /// Whether its data name a person, by tokens.
    pub const fn names_a_person(self) -> bool {
        use crate::contract::Contract;
        use crate::data;
        macro_rules! dispatch {
            ([$($name:ident $patch:ident,)*] [$($older:tt)*]) => {
                match self {
                    $(Self::$name => <data::$name as Contract>::PERSON,)*
                    Self::RecordCorrected | Self::RecordRetracted => false,
                }
            };
        }
        data::each_plain!(dispatch)
    }

    /// Whether a retraction may target it: a fact or a correction.
    pub const fn is_retractable(self) -> bool {
        self.is_fact() || matches!(self, Self::RecordCorrected)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
