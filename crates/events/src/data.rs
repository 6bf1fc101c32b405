//! What each event type carries beside the envelope, `record_version`, `occurred_on` and the person's tokens.
//!
//! This file is the contract: the decoder, the JSON and Avro schemas in `schemas/` and the encoders are made from it.
//! Here stand facts, what is said of records, reports and persons in `words`, of areas, populations, courts, agencies
//! and codes in `reference`, each in its newest version; those before it, which agencies may go on sending, stand in
//! `older`, and `upcast` says how each becomes the next. A code is the position in its list ([`crate::code_list`]).
//! Absent: tokens (see [`crate::Event::tokens`]), free text (names of places, courts, agencies and codes have a strict
//! form, see `value`).

use crate::EventType;
use crate::avro::write;
use crate::code_list::tag;
use crate::contract::{Contract, FieldSpec, ObjectWriter, Read};
use crate::value::{AgencyCode, CaseId, Code, Codes, ContactId, Int, Kind, Reference, SentenceKind};
use serde::de::MapAccess;
use smallvec::SmallVec;
use uuid::Uuid;

/// Several different codes of one list, one to seventeen, in the order sent.
pub type CodeSet = SmallVec<[u16; 4]>;

/// What a court imposed; at least one part is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sentence {
    /// Imprisonment in months.
    pub imprisonment_months: Option<i64>,
    /// Fine in Pakistani rupees.
    pub fine_pkr: Option<i64>,
    /// Compensation to the victim in Pakistani rupees.
    pub compensation_pkr: Option<i64>,
}

macro_rules! field_type {
    (req $t:ty) => { $t };
    (opt $t:ty) => { Option<$t> };
}
macro_rules! take {
    (req $patch:ident $f:ident) => {
        $patch.$f.ok_or(stringify!($f))?
    };
    (opt $patch:ident $f:ident) => {
        $patch.$f
    };
}
macro_rules! write_field {
    (req $self:ident $o:ident $f:ident $k:ty) => {
        $o.field::<$k>(stringify!($f), &$self.$f)
    };
    (opt $self:ident $o:ident $f:ident $k:ty) => {
        if let Some(v) = &$self.$f {
            $o.field::<$k>(stringify!($f), v)
        }
    };
}
macro_rules! write_avro_field {
    (req $self:ident $out:ident $f:ident $k:ty) => {
        <$k as Kind>::write_avro(&$self.$f, $out)
    };
    (opt $self:ident $out:ident $f:ident $k:ty) => {
        write::optional::<$k>($self.$f.as_ref(), $out)
    };
}
macro_rules! is_required {
    (req) => {
        true
    };
    (opt) => {
        false
    };
}

macro_rules! data {
    ($(
        $(#[$doc:meta])*
        $name:ident / $patch:ident, occurred = $occurred:literal, person = $person:literal $(, fields = $fields:literal)? {
            $( #[doc = $fdoc:literal] $need:ident $f:ident: $t:ty = $k:ty, )*
        }
    )*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(clippy::derive_partial_eq_without_eq)]
        pub struct $name { $( #[doc = $fdoc] pub $f: field_type!($need $t), )* }

        #[doc = concat!("The fields of [`", stringify!($name), "`] that a correction replaces.")]
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $patch { $( #[doc = $fdoc] pub $f: Option<$t>, )* }

        const _: () = {
            #[allow(non_camel_case_types, dead_code)]
            enum Position { $( $f, )* Last }

            impl Contract for $name {
                type Patch = $patch;
                const OCCURRED: bool = $occurred;
                const PERSON: bool = $person;
                $( const FIELDS_OF_TARGET: bool = $fields; )?
                const FIELDS: &'static [FieldSpec] = &[ $( FieldSpec {
                    name: stringify!($f),
                    required: is_required!($need),
                    doc: $fdoc,
                    schema: <$k as Kind>::schema,
                    avro: <$k as Kind>::avro,
                    expected: <$k as Kind>::expected,
                }, )* ];
                fn key(name: &str) -> Option<u8> {
                    match name {
                        $( stringify!($f) => Some(Position::$f as u8), )*
                        _ => None,
                    }
                }
                #[allow(unused_variables)]
                fn put<'de, A: MapAccess<'de>>(patch: &mut $patch, key: u8, map: &mut A) -> Result<bool, A::Error> {
                    $( if key == Position::$f as u8 {
                        return Ok(patch.$f.replace(map.next_value_seed(Read::<$k>::new())?).is_none());
                    } )*
                    unreachable!("keys come from `key`")
                }
                #[allow(unused_variables)]
                fn complete(patch: $patch) -> Result<Self, &'static str> {
                    Ok(Self { $( $f: take!($need patch $f), )* })
                }
                #[allow(unused_variables)]
                fn write(&self, object: &mut ObjectWriter<'_>) {
                    $( write_field!($need self object $f $k); )*
                }
                #[allow(unused_variables)]
                fn write_patch(patch: &$patch, object: &mut ObjectWriter<'_>) {
                    $( write_field!(opt patch object $f $k); )*
                }
                #[allow(unused_variables)]
                fn write_avro(&self, out: &mut Vec<u8>) {
                    $( write_avro_field!($need self out $f $k); )*
                }
                #[allow(unused_variables)]
                fn write_patch_avro(patch: &$patch, out: &mut Vec<u8>) {
                    $( write_avro_field!(opt patch out $f $k); )*
                }
            }
        };
    )* };
}

mod older;
mod reference;
mod words;
pub(crate) use older::{CorrectionHeadV3, CorrectionHeadV4, RetractionHeadV1, RetractionHeadV2};
pub use older::{VictimIdentifiedV1, VictimIdentifiedV1Patch, VictimIdentifiedV2, VictimIdentifiedV2Patch};
pub use reference::{
    AgencyDeclared, AgencyDeclaredPatch, AreaChanged, AreaChangedPatch, AreaDeclared, AreaDeclaredPatch, CodeDeclared,
    CodeDeclaredPatch, CourtDeclared, CourtDeclaredPatch, PopulationCounted, PopulationCountedPatch,
};
pub use words::{
    ConflictDecided, ConflictDecidedPatch, PersonErasureOrdered, PersonErasureOrderedPatch, PersonsDecided,
    PersonsDecidedPatch, PersonsDoubted, PersonsDoubtedPatch, PersonsMerged, PersonsMergedPatch, PersonsSplit,
    PersonsSplitPatch, RecordCorrected, RecordRetracted, ReportExpected, ReportExpectedPatch, ReportNil,
    ReportNilPatch, TokensRotated, TokensRotatedPatch,
};
pub(crate) use words::{CorrectionHead, RetractionHead};

data! {
    /// `pk.tip.case.registered`: a case (FIR) was registered; the subject is the case id.
    CaseRegistered / CaseRegisteredPatch, occurred = true, person = false {
        #[doc = "Sections of law (list `section`)."]
        req sections: CodeSet = Codes<tag::Section>,
        #[doc = "Domestic or transnational (list `scope`)."]
        opt scope: u16 = Code<tag::Scope>,
        #[doc = "Province of registration (list `province`)."]
        req province: u16 = Code<tag::Province>,
        #[doc = "Group of the agency that leads, if it is not the sender (list `agency_group`)."]
        opt lead_agency_group: u16 = Code<tag::AgencyGroup>,
    }

    /// `pk.tip.victim.identified`: a victim was identified.
    VictimIdentified / VictimIdentifiedPatch, occurred = true, person = true {
        #[doc = "Sex (list `sex`)."]
        req sex: u16 = Code<tag::Sex>,
        #[doc = "Age at identification (list `age_band`)."]
        req age_band: u16 = Code<tag::AgeBand>,
        #[doc = "Citizenship (list `citizenship`)."]
        req citizenship: u16 = Code<tag::Citizenship>,
        #[doc = "Possible or actual victim (list `trafficking_status`)."]
        req status: u16 = Code<tag::TraffickingStatus>,
        #[doc = "Forms of exploitation (list `exploitation`)."]
        req exploitation: CodeSet = Codes<tag::Exploitation>,
        #[doc = "Means of control (list `means`)."]
        opt means: CodeSet = Codes<tag::Means>,
        #[doc = "Acts (list `act`)."]
        opt act: CodeSet = Codes<tag::Act>,
        #[doc = "Relation of the recruiter to the victim (list `recruiter_relation`)."]
        opt recruiter_relation: u16 = Code<tag::RecruiterRelation>,
        #[doc = "Economic sector (list `sector`)."]
        opt sector: u16 = Code<tag::Sector>,
        #[doc = "Domestic or transnational (list `scope`)."]
        opt scope: u16 = Code<tag::Scope>,
        #[doc = "Place of recruitment (list `place`)."]
        opt place_recruited: u16 = Code<tag::Place>,
        #[doc = "Place of transit (list `place`)."]
        opt place_transit: u16 = Code<tag::Place>,
        #[doc = "Place of exploitation (list `place`)."]
        opt place_exploited: u16 = Code<tag::Place>,
        #[doc = "Place of identification (list `place`)."]
        req place_identified: u16 = Code<tag::Place>,
        #[doc = "Who brought the victim to notice (list `referral_source`)."]
        opt referral_source: u16 = Code<tag::ReferralSource>,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
        #[doc = "The helpline's contact that led to her, `<helpline>/<token>`."]
        opt contact_id: String = ContactId,
    }

    /// `pk.tip.victim.status_determined`: a body determined whether the person is a victim.
    VictimStatusDetermined / VictimStatusDeterminedPatch, occurred = true, person = true {
        #[doc = "The status determined (list `trafficking_status`)."]
        req status: u16 = Code<tag::TraffickingStatus>,
        #[doc = "The body that decided (list `agency_group`)."]
        req body: u16 = Code<tag::AgencyGroup>,
    }

    /// `pk.tip.victim.referred`: a victim was referred to a service.
    VictimReferred / VictimReferredPatch, occurred = true, person = true {
        #[doc = "To which body (list `agency_group`)."]
        opt to_body: u16 = Code<tag::AgencyGroup>,
        #[doc = "To which country (list `citizenship`)."]
        opt to_country: u16 = Code<tag::Citizenship>,
        #[doc = "Service sought (list `service`)."]
        req service: u16 = Code<tag::Service>,
    }

    /// `pk.tip.service.started`: a service began.
    ServiceStarted / ServiceStartedPatch, occurred = true, person = true {
        #[doc = "Event id of the referral, perhaps of another agency."]
        opt referral_id: Uuid = Reference,
        #[doc = "The service (list `service`)."]
        req service: u16 = Code<tag::Service>,
        #[doc = "Who provides it (list `agency_group`)."]
        opt provider: u16 = Code<tag::AgencyGroup>,
    }

    /// `pk.tip.service.ended`: a service ended.
    ServiceEnded / ServiceEndedPatch, occurred = true, person = true {
        #[doc = "Event id of the referral, perhaps of another agency."]
        opt referral_id: Uuid = Reference,
        #[doc = "The service (list `service`)."]
        req service: u16 = Code<tag::Service>,
        #[doc = "Why it ended (list `exit_reason`)."]
        req exit_reason: u16 = Code<tag::ExitReason>,
    }

    /// `pk.tip.victim.returned`: a victim returned from abroad.
    VictimReturned / VictimReturnedPatch, occurred = true, person = true {
        #[doc = "From which country (list `citizenship`)."]
        req from_country: u16 = Code<tag::Citizenship>,
        #[doc = "How (list `return_kind`)."]
        req kind: u16 = Code<tag::ReturnKind>,
    }

    /// `pk.tip.reintegration.assisted`: a returned victim was assisted.
    ReintegrationAssisted / ReintegrationAssistedPatch, occurred = true, person = true {
        #[doc = "Event id of the return."]
        opt return_id: Uuid = Reference,
        #[doc = "Kind of assistance (list `service`)."]
        req kind: u16 = Code<tag::Service>,
        #[doc = "Months of assistance so far."]
        opt months: i64 = Int<0, 120>,
        #[doc = "Outcome after six months (list `reintegration_outcome`)."]
        opt outcome_6: u16 = Code<tag::ReintegrationOutcome>,
        #[doc = "Outcome after twelve months (list `reintegration_outcome`)."]
        opt outcome_12: u16 = Code<tag::ReintegrationOutcome>,
    }

    /// `pk.tip.accused.arrested`: an accused person was arrested.
    AccusedArrested / AccusedArrestedPatch, occurred = true, person = true {
        #[doc = "Sex (list `sex`)."]
        req sex: u16 = Code<tag::Sex>,
        #[doc = "Age at arrest (list `age_band`)."]
        req age_band: u16 = Code<tag::AgeBand>,
        #[doc = "Citizenship (list `citizenship`)."]
        req citizenship: u16 = Code<tag::Citizenship>,
        #[doc = "Roles (list `role`)."]
        req role: CodeSet = Codes<tag::Role>,
        #[doc = "Whether the accused is an official (list `yes_no`)."]
        opt official: u16 = Code<tag::YesNo>,
        #[doc = "Province of arrest (list `province`)."]
        req province: u16 = Code<tag::Province>,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }

    /// `pk.tip.charge.filed`: a charge was filed.
    ChargeFiled / ChargeFiledPatch, occurred = true, person = true {
        #[doc = "Sex (list `sex`)."]
        req sex: u16 = Code<tag::Sex>,
        #[doc = "Age when charged (list `age_band`)."]
        req age_band: u16 = Code<tag::AgeBand>,
        #[doc = "Citizenship (list `citizenship`)."]
        req citizenship: u16 = Code<tag::Citizenship>,
        #[doc = "Sections of law (list `section`)."]
        req sections: CodeSet = Codes<tag::Section>,
        #[doc = "Province of the charge (list `province`)."]
        req province: u16 = Code<tag::Province>,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }

    /// `pk.tip.charge.withdrawn`: the charge of this record was withdrawn.
    ChargeWithdrawn / ChargeWithdrawnPatch, occurred = true, person = true {
    }

    /// `pk.tip.judgment.delivered`: a court gave judgment.
    JudgmentDelivered / JudgmentDeliveredPatch, occurred = true, person = true {
        #[doc = "Sex (list `sex`)."]
        req sex: u16 = Code<tag::Sex>,
        #[doc = "Age at judgment (list `age_band`)."]
        req age_band: u16 = Code<tag::AgeBand>,
        #[doc = "Citizenship (list `citizenship`)."]
        req citizenship: u16 = Code<tag::Citizenship>,
        #[doc = "Province of the court (list `province`)."]
        req province: u16 = Code<tag::Province>,
        #[doc = "Sections of law judged (list `section`)."]
        req sections: CodeSet = Codes<tag::Section>,
        #[doc = "Verdict (list `verdict`)."]
        req verdict: u16 = Code<tag::Verdict>,
        #[doc = "What was imposed."]
        opt sentence: Sentence = SentenceKind,
        #[doc = "Level of the court (list `court_level`)."]
        req court_level: u16 = Code<tag::CourtLevel>,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }

    /// `pk.tip.appeal.decided`: the appeal against the judgment of this record was decided.
    AppealDecided / AppealDecidedPatch, occurred = true, person = true {
        #[doc = "Outcome (list `appeal_outcome`)."]
        req outcome: u16 = Code<tag::AppealOutcome>,
    }

    /// `pk.tip.inspection.conducted`: a labour inspection took place.
    InspectionConducted / InspectionConductedPatch, occurred = true, person = false {
        #[doc = "Place (list `place`)."]
        req place: u16 = Code<tag::Place>,
        #[doc = "Economic sector (list `sector`)."]
        req sector: u16 = Code<tag::Sector>,
        #[doc = "Kind of inspection (list `inspection_kind`)."]
        req kind: u16 = Code<tag::InspectionKind>,
        #[doc = "What was found (list `inspection_outcome`)."]
        req outcome: CodeSet = Codes<tag::InspectionOutcome>,
        #[doc = "Workers present."]
        opt workers: i64 = Int<0, 1_000_000>,
        #[doc = "Children at work."]
        opt children: i64 = Int<0, 1_000_000>,
        #[doc = "Persons released."]
        opt released: i64 = Int<0, 1_000_000>,
    }

    /// `pk.tip.contact.received`: a helpline was contacted; the subject is the contact id.
    ContactReceived / ContactReceivedPatch, occurred = true, person = false {
        #[doc = "What it was about (list `contact_kind`)."]
        req kind: u16 = Code<tag::ContactKind>,
        #[doc = "Where the caller was (list `place`)."]
        req place: u16 = Code<tag::Place>,
        #[doc = "Whether somebody was referred to a body or service (list `yes_no`)."]
        req referral_made: u16 = Code<tag::YesNo>,
    }

    /// `pk.tip.activity.held`: a training or awareness activity took place.
    ActivityHeld / ActivityHeldPatch, occurred = true, person = false {
        #[doc = "Kind of activity (list `activity_kind`)."]
        req kind: u16 = Code<tag::ActivityKind>,
        #[doc = "For whom it was held (list `audience`)."]
        req audience: u16 = Code<tag::Audience>,
        #[doc = "Where it was held (list `place`)."]
        req place: u16 = Code<tag::Place>,
        #[doc = "How many took part; of a campaign, how many it reached in person."]
        opt participants: i64 = Int<0, 1_000_000>,
    }

    /// `pk.tip.case.transferred`: a case was given to another agency, which goes on with it under this or its own id.
    CaseTransferred / CaseTransferredPatch, occurred = true, person = false {
        #[doc = "The case, `<registering agency>/<token>`."]
        req case_id: String = CaseId,
        #[doc = "The agency that it was given to."]
        req to_agency: String = AgencyCode,
        #[doc = "Why (list `transfer_reason`)."]
        req reason: u16 = Code<tag::TransferReason>,
    }

    /// `pk.tip.case.linked`: two cases are about the same trafficking event.
    CaseLinked / CaseLinkedPatch, occurred = true, person = false {
        #[doc = "The case, `<registering agency>/<token>`."]
        req case_id: String = CaseId,
        #[doc = "The case of another agency that is about the same trafficking event."]
        req other_case_id: String = CaseId,
    }

    /// `pk.tip.case.stage_changed`: a case reached a stage.
    CaseStageChanged / CaseStageChangedPatch, occurred = true, person = false {
        #[doc = "The case, `<registering agency>/<token>`."]
        req case_id: String = CaseId,
        #[doc = "The stage reached (list `case_stage`)."]
        req stage: u16 = Code<tag::CaseStage>,
    }

    /// `pk.tip.accused.identified`: an accused person became known.
    AccusedIdentified / AccusedIdentifiedPatch, occurred = true, person = true {
        #[doc = "Sex (list `sex`)."]
        req sex: u16 = Code<tag::Sex>,
        #[doc = "Age when identified (list `age_band`)."]
        req age_band: u16 = Code<tag::AgeBand>,
        #[doc = "Citizenship (list `citizenship`)."]
        req citizenship: u16 = Code<tag::Citizenship>,
        #[doc = "Roles (list `role`)."]
        req role: CodeSet = Codes<tag::Role>,
        #[doc = "Whether the accused is an official (list `yes_no`)."]
        opt official: u16 = Code<tag::YesNo>,
        #[doc = "Province of the investigation (list `province`)."]
        req province: u16 = Code<tag::Province>,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }

    /// `pk.tip.compensation.ordered`: a court ordered compensation; the person is the victim.
    CompensationOrdered / CompensationOrderedPatch, occurred = true, person = true {
        #[doc = "Amount in Pakistani rupees."]
        req amount_pkr: i64 = Int<1, 1_000_000_000_000>,
        #[doc = "Province of the court (list `province`)."]
        req province: u16 = Code<tag::Province>,
        #[doc = "Event id of the judgment."]
        opt judgment_id: Uuid = Reference,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }

    /// `pk.tip.compensation.paid`: compensation was paid, whole or in part; the person is the victim.
    CompensationPaid / CompensationPaidPatch, occurred = true, person = true {
        #[doc = "Amount paid this time, in Pakistani rupees."]
        req amount_pkr: i64 = Int<1, 1_000_000_000_000>,
        #[doc = "Province of the court (list `province`)."]
        req province: u16 = Code<tag::Province>,
        #[doc = "Event id of the order."]
        opt order_id: Uuid = Reference,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }

    /// `pk.tip.inspection.referred`: what an inspection found was referred to a body.
    InspectionReferred / InspectionReferredPatch, occurred = true, person = false {
        #[doc = "Event id of the inspection."]
        req inspection_id: Uuid = Reference,
        #[doc = "To which body (list `agency_group`)."]
        req to_body: u16 = Code<tag::AgencyGroup>,
        #[doc = "What was referred (list `inspection_outcome`)."]
        req findings: CodeSet = Codes<tag::InspectionOutcome>,
    }

    /// `pk.tip.referral.acted_on`: a body acted on a referral, or decided not to.
    ReferralActedOn / ReferralActedOnPatch, occurred = true, person = false {
        #[doc = "Event id of the referral: of a victim, or of what an inspection found."]
        req referral_id: Uuid = Reference,
        #[doc = "What was done (list `referral_action`)."]
        req action: u16 = Code<tag::ReferralAction>,
        #[doc = "The case that was registered, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }

    /// `pk.tip.worker.released`: workers were released. It counts them; who is known by a token is told of by
    /// `victim.identified`.
    WorkerReleased / WorkerReleasedPatch, occurred = true, person = false {
        #[doc = "Place (list `place`)."]
        req place: u16 = Code<tag::Place>,
        #[doc = "Economic sector (list `sector`)."]
        req sector: u16 = Code<tag::Sector>,
        #[doc = "Persons released, children among them."]
        req workers: i64 = Int<1, 1_000_000>,
        #[doc = "Children released."]
        opt children: i64 = Int<0, 1_000_000>,
        #[doc = "Event id of the inspection that found them."]
        opt inspection_id: Uuid = Reference,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }
}

/// Calls a macro with every type that has fields of its own alone (variant, data, patch), and with every version of one before the newest (type, version,
/// data, patch, the next version's data).
macro_rules! each_plain {
    ($with:ident) => {
        $with! {
            [
                CaseRegistered CaseRegisteredPatch, VictimIdentified VictimIdentifiedPatch,
                VictimStatusDetermined VictimStatusDeterminedPatch, VictimReferred VictimReferredPatch,
                ServiceStarted ServiceStartedPatch, ServiceEnded ServiceEndedPatch,
                VictimReturned VictimReturnedPatch, ReintegrationAssisted ReintegrationAssistedPatch,
                AccusedArrested AccusedArrestedPatch, ChargeFiled ChargeFiledPatch,
                ChargeWithdrawn ChargeWithdrawnPatch, JudgmentDelivered JudgmentDeliveredPatch,
                AppealDecided AppealDecidedPatch, InspectionConducted InspectionConductedPatch,
                ContactReceived ContactReceivedPatch, ActivityHeld ActivityHeldPatch,
                CaseTransferred CaseTransferredPatch, CaseLinked CaseLinkedPatch,
                CaseStageChanged CaseStageChangedPatch, AccusedIdentified AccusedIdentifiedPatch,
                CompensationOrdered CompensationOrderedPatch, CompensationPaid CompensationPaidPatch,
                InspectionReferred InspectionReferredPatch, ReferralActedOn ReferralActedOnPatch,
                WorkerReleased WorkerReleasedPatch, ReportExpected ReportExpectedPatch, ReportNil ReportNilPatch,
                PersonsMerged PersonsMergedPatch, PersonsSplit PersonsSplitPatch,
                PersonsDoubted PersonsDoubtedPatch, PersonsDecided PersonsDecidedPatch,
                TokensRotated TokensRotatedPatch, PersonErasureOrdered PersonErasureOrderedPatch,
                ConflictDecided ConflictDecidedPatch,
                AreaDeclared AreaDeclaredPatch, AreaChanged AreaChangedPatch,
                PopulationCounted PopulationCountedPatch, CourtDeclared CourtDeclaredPatch,
                AgencyDeclared AgencyDeclaredPatch, CodeDeclared CodeDeclaredPatch,
            ]
            [
                VictimIdentified 1 VictimIdentifiedV1 VictimIdentifiedV1Patch VictimIdentifiedV2,
                VictimIdentified 2 VictimIdentifiedV2 VictimIdentifiedV2Patch VictimIdentified,
            ]
        }
    };
}
pub(crate) use each_plain;

macro_rules! make_enums {
    (
        [$($name:ident $patch:ident,)*]
        [$($kind:ident $number:literal $old:ident $old_patch:ident $next:ident,)*]
    ) => {
        /// What an event carries, by type; of a type with several versions each has a variant.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant)] // one lives on the stack per event; a box would allocate
        pub enum Data {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
            $(#[doc = concat!("See [`", stringify!($old), "`].")] $old($old),)*
            /// See [`RecordCorrected`].
            RecordCorrected(Box<RecordCorrected>),
            /// See [`RecordRetracted`].
            RecordRetracted(RecordRetracted),
        }

        impl Data {
            /// The event type that carries it.
            pub const fn kind(&self) -> EventType {
                match self {
                    $(Self::$name(_) => EventType::$name,)*
                    $(Self::$old(_) => EventType::$kind,)*
                    Self::RecordCorrected(_) => EventType::RecordCorrected,
                    Self::RecordRetracted(_) => EventType::RecordRetracted,
                }
            }

            /// The version of its type.
            pub const fn version(&self) -> u16 {
                match self {
                    $(Self::$old(_) => $number,)*
                    Self::RecordCorrected(correction) => correction.version,
                    Self::RecordRetracted(retraction) => retraction.version,
                    newest => newest.kind().newest(),
                }
            }

            /// The same in the next version of its type; the newest as it is.
            #[must_use]
            pub fn next(self) -> Self {
                match self {
                    $(Self::$old(data) => Self::$next(data.up()),)*
                    Self::RecordCorrected(correction) => Self::RecordCorrected(Box::new(correction.next())),
                    Self::RecordRetracted(retraction) => Self::RecordRetracted(retraction.next()),
                    newest => newest,
                }
            }

            /// The same in the newest version of its type (design: ingestion.md 3.10): what readers of facts see.
            #[must_use]
            pub fn newest(mut self) -> Self {
                while self.version() < self.kind().newest() {
                    self = self.next();
                }
                self
            }

            pub(crate) fn write(&self, object: &mut ObjectWriter<'_>) {
                match self {
                    $(Self::$name(d) => d.write(object),)*
                    $(Self::$old(d) => d.write(object),)*
                    Self::RecordCorrected(d) => d.write(object),
                    Self::RecordRetracted(d) => d.write(object),
                }
            }

            /// The fields of its own in Avro, in the order of the contract's schema.
            pub(crate) fn write_avro(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name(d) => d.write_avro(out),)*
                    $(Self::$old(d) => d.write_avro(out),)*
                    Self::RecordCorrected(d) => d.write_avro(out),
                    Self::RecordRetracted(d) => d.write_avro(out),
                }
            }
        }

        $(impl From<$name> for Data {
            fn from(data: $name) -> Self { Self::$name(data) }
        })*

        /// The fields that a correction replaces, by the target's type and version.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant)] // it lives in the box of `RecordCorrected`
        pub enum Patch {
            $(#[doc = concat!("Of [`", stringify!($name), "`].")] $name($patch),)*
            $(#[doc = concat!("Of [`", stringify!($old), "`].")] $old($old_patch),)*
        }

        impl Patch {
            /// The target's type.
            pub const fn kind(&self) -> EventType {
                match self {
                    $(Self::$name(_) => EventType::$name,)*
                    $(Self::$old(_) => EventType::$kind,)*
                }
            }

            /// The version of the target's type whose fields they are.
            pub const fn version(&self) -> u16 {
                match self {
                    $(Self::$old(_) => $number,)*
                    newest => newest.kind().newest(),
                }
            }

            /// The same in the next version of the target's type; the newest as it is.
            pub(crate) fn next(self) -> Self {
                match self {
                    $(Self::$old(patch) => Self::$next($old::up_patch(patch)),)*
                    newest => newest,
                }
            }

            pub(crate) fn write(&self, object: &mut ObjectWriter<'_>) {
                match self {
                    $(Self::$name(p) => $name::write_patch(p, object),)*
                    $(Self::$old(p) => $old::write_patch(p, object),)*
                }
            }

            /// The fields of its own in Avro, after `occurred_on`.
            pub(crate) fn write_avro(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name(p) => $name::write_patch_avro(p, out),)*
                    $(Self::$old(p) => $old::write_patch_avro(p, out),)*
                }
            }
        }

        $(impl From<$patch> for Patch {
            fn from(patch: $patch) -> Self { Self::$name(patch) }
        })*
    };
}
each_plain!(make_enums);
