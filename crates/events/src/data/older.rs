//! Versions of event types that are not the newest any more. Released, so frozen (`schemas/RELEASED`): agencies may send them
//! for ever, and the lake keeps them as they were sent.
//!
//! A list that has grown since is named by how many of its codes the version knew ([`First`]); lists grow at their end.

use super::CodeSet;
use crate::EventType;
use crate::avro::write;
use crate::code_list::{First, tag};
use crate::contract::{Contract, FieldSpec, ObjectWriter, Read};
use crate::value::{CaseId, Code, Codes, ContactId, FactRef, Kind, Reference, RetractableRef};
use serde::de::MapAccess;
use uuid::Uuid;

/// How many types there were in the first release, and when helplines' contacts and activities had come.
const FIRST: usize = EventType::ContactReceived.before();
const WITH_ACTIVITIES: usize = EventType::CaseTransferred.before();

data! {
    /// `pk.tip.victim.identified`, version 1.
    VictimIdentifiedV1 / VictimIdentifiedV1Patch, occurred = true, person = true {
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
        opt recruiter_relation: u16 = Code<First<9, tag::RecruiterRelation>>,
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
        req referral_source: u16 = Code<tag::ReferralSource>,
        #[doc = "The case, `<registering agency>/<token>`."]
        opt case_id: String = CaseId,
    }

    /// `pk.tip.victim.identified`, version 2: with `contact_id`, and `referral_source` may be absent.
    VictimIdentifiedV2 / VictimIdentifiedV2Patch, occurred = true, person = true {
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
        opt recruiter_relation: u16 = Code<First<9, tag::RecruiterRelation>>,
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

    /// What `pk.tip.record.corrected` says in its versions 1 to 3 beside the fields it replaces.
    CorrectionHeadV3 / CorrectionHeadV3Patch, occurred = false, person = false, fields = true {
        #[doc = "Event id of the fact that is corrected."]
        req target: Uuid = Reference,
        #[doc = "Type of the target; it decides what `fields` may hold."]
        req target_type: EventType = FactRef<FIRST>,
        #[doc = "Why (list `correction_reason`)."]
        req reason: u16 = Code<tag::CorrectionReason>,
    }

    /// What `pk.tip.record.corrected` says in its version 4 beside the fields it replaces.
    CorrectionHeadV4 / CorrectionHeadV4Patch, occurred = false, person = false, fields = true {
        #[doc = "Event id of the fact that is corrected."]
        req target: Uuid = Reference,
        #[doc = "Type of the target; it decides what `fields` may hold."]
        req target_type: EventType = FactRef<WITH_ACTIVITIES>,
        #[doc = "Why (list `correction_reason`)."]
        req reason: u16 = Code<tag::CorrectionReason>,
    }

    /// What `pk.tip.record.retracted` says in its version 2.
    RetractionHeadV2 / RetractionHeadV2Patch, occurred = false, person = false {
        #[doc = "Event id of the fact or correction that is retracted."]
        req target: Uuid = Reference,
        #[doc = "Type of the target."]
        req target_type: EventType = RetractableRef<WITH_ACTIVITIES>,
        #[doc = "Why (list `retraction_reason`)."]
        req reason: u16 = Code<tag::RetractionReason>,
    }

    /// What `pk.tip.record.retracted` says in its version 1.
    RetractionHeadV1 / RetractionHeadV1Patch, occurred = false, person = false {
        #[doc = "Event id of the fact or correction that is retracted."]
        req target: Uuid = Reference,
        #[doc = "Type of the target."]
        req target_type: EventType = RetractableRef<FIRST>,
        #[doc = "Why (list `retraction_reason`)."]
        req reason: u16 = Code<tag::RetractionReason>,
    }
}
