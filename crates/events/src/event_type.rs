//! The event types of the first edition, and those that the domain names but this edition refuses by name.
//!
//! Absent: what a type carries (see [`crate::data`]) and who may emit it (policy).

use std::fmt;

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

            /// `<noun>.<participle>`: the folder of its schemas.
            pub const fn short_name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// The CloudEvents attribute `dataschema` of version 1.
            pub const fn dataschema(self) -> &'static str {
                match self { $( Self::$variant => concat!("https://schemas.amanat.example/", $name, "/v1"), )* }
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
}

impl EventType {
    /// The type of this full name (`pk.tip.…`), if this edition accepts it.
    pub fn from_name(name: &str) -> Option<Self> {
        let short = name.strip_prefix("pk.tip.")?;
        Self::ALL.iter().copied().find(|t| t.short_name() == short)
    }

    /// Whether it states something that happened, and so may be corrected: all but `record.*` and `report.*`.
    pub const fn is_fact(self) -> bool {
        !matches!(self, Self::RecordCorrected | Self::RecordRetracted | Self::ReportExpected | Self::ReportNil)
    }

    /// Whether its data name a person, by tokens.
    pub const fn names_a_person(self) -> bool {
        use crate::contract::Contract;
        use crate::data;
        macro_rules! dispatch {
            ($($name:ident $patch:ident,)*) => {
                match self {
                    $(Self::$name => <data::$name as Contract>::PERSON,)*
                    Self::RecordCorrected | Self::RecordRetracted | Self::ReportExpected | Self::ReportNil => false,
                }
            };
        }
        data::each_fact!(dispatch)
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

/// Types that domain.md 4 names and this edition refuses (`type_not_supported`).
pub const NOT_SUPPORTED: &[&str] = &[
    "pk.tip.case.transferred",
    "pk.tip.case.linked",
    "pk.tip.case.stage_changed",
    "pk.tip.accused.identified",
    "pk.tip.compensation.ordered",
    "pk.tip.compensation.paid",
    "pk.tip.inspection.referred",
    "pk.tip.referral.acted_on",
    "pk.tip.worker.released",
    "pk.tip.contact.received",
    "pk.tip.activity.held",
    "pk.tip.persons.merged",
    "pk.tip.persons.split",
    "pk.tip.tokens.rotated",
    "pk.tip.person.erasure_ordered",
];
