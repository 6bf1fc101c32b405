//! How each version of a type becomes the next: pure functions, one for each step, so that whoever reads facts sees the
//! newest version only while the lake keeps each event as it was sent (design: ingestion.md 3.10).
//!
//! What a version may change is what leaves every earlier event with a meaning: a field is added (absent in what was sent
//! before), a required one is relaxed, a code is added at the end of its list (numbers stay). Each step has golden samples
//! in `schemas/<type>/samples/upcasts/`: an event of one version, and the same as the next version says it.
//!
//! Absent: the way back. Nothing is ever told in an older version than it was sent in.

use crate::data::{
    CorrectionHead, CorrectionHeadV3, CorrectionHeadV4, RetractionHead, RetractionHeadV1, RetractionHeadV2,
    VictimIdentified, VictimIdentifiedPatch, VictimIdentifiedV1, VictimIdentifiedV1Patch, VictimIdentifiedV2,
    VictimIdentifiedV2Patch,
};

/// A step, by what becomes of each field. A field that is not named does not compile.
macro_rules! upcast {
    (
        $(#[$doc:meta])*
        $from:ident / $from_patch:ident => $to:ident / $to_patch:ident
        same { $($same:ident)* } relaxed { $($relaxed:ident)* } added { $($added:ident)* }
    ) => {
        impl $from {
            $(#[$doc])*
            #[must_use]
            pub fn up(self) -> $to {
                let Self { $($same,)* $($relaxed,)* } = self;
                $to { $($same,)* $($relaxed: Some($relaxed),)* $($added: None,)* }
            }

            /// The same for the fields that a correction replaces: what it could not name it does not replace.
            pub(crate) fn up_patch(patch: $from_patch) -> $to_patch {
                let $from_patch { $($same,)* $($relaxed,)* } = patch;
                $to_patch { $($same,)* $($relaxed,)* $($added: None,)* }
            }
        }
    };
}

upcast! {
    /// Version 2 adds the helpline's contact, and a victim may be told of without who brought her to notice.
    VictimIdentifiedV1 / VictimIdentifiedV1Patch => VictimIdentifiedV2 / VictimIdentifiedV2Patch
    same {
        sex age_band citizenship status exploitation means act recruiter_relation sector scope place_recruited
        place_transit place_exploited place_identified case_id
    }
    relaxed { referral_source }
    added { contact_id }
}

upcast! {
    /// Version 3 adds the code `online_contact` to the relations of recruiters.
    VictimIdentifiedV2 / VictimIdentifiedV2Patch => VictimIdentified / VictimIdentifiedPatch
    same {
        sex age_band citizenship status exploitation means act recruiter_relation sector scope place_recruited
        place_transit place_exploited place_identified referral_source case_id contact_id
    }
    relaxed {}
    added {}
}

/// A step of what `record.corrected` or `record.retracted` says: types that came since may be targets.
macro_rules! more_targets {
    ($($(#[$doc:meta])* $from:ident => $to:ident)*) => { $(
        impl $from {
            $(#[$doc])*
            pub(crate) const fn up(self) -> $to {
                let Self { target, target_type, reason } = self;
                $to { target, target_type, reason }
            }
        }
    )* };
}

more_targets! {
    /// Version 4 of `record.corrected` may correct the types that came after the first release.
    CorrectionHeadV3 => CorrectionHeadV4
    /// Version 5 may correct what became of cases, findings and compensation, and released workers.
    CorrectionHeadV4 => CorrectionHead
    /// Version 2 of `record.retracted` may take back the types that came after the first release.
    RetractionHeadV1 => RetractionHeadV2
    /// Version 3 may take back what version 5 of `record.corrected` may correct.
    RetractionHeadV2 => RetractionHead
}
