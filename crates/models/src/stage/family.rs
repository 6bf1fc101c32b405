//! The families of staged rows: which facts belong together, and which columns they fill.
//!
//! A family is what one fold reads: a charge and its withdrawal, a judgment and its appeal. Columns bear the names of
//! the fields; a field that a fact does not have, or that a correction does not replace, is null ("not said").
//! Whatever the versions in which events were sent, a family has the fields of the newest (`events::decode_sealed`).
//! Codes are the positions in their list; several codes are one `Int64` of bits (lists have at most 63 codes).
//!
//! Absent: order, links and rules (see `link`, `sql/staging`).

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, Date32Builder, FixedSizeBinaryBuilder, Int64Builder, StringBuilder, UInt16Builder,
};
use arrow::datatypes::{DataType, Field};
use events::data::Patch;
use events::{CodeSet, Data, EventType, Occurred};
use uuid::Uuid;

use super::rows::Row;

/// What a row says: a fact, or the fields that a correction replaces.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'a> {
    /// A fact's data.
    Fact(&'a Data),
    /// A correction's fields.
    Patch(&'a Patch),
    /// The surrogate of a token that was made anew.
    Token([u8; 16]),
}

/// Columns of a family, filled row by row.
pub(crate) trait Columns: Send {
    /// Appends one row.
    fn push(&mut self, said: Said<'_>);
    /// The columns filled so far, emptied.
    fn finish(&mut self) -> Vec<ArrayRef>;
}

/// A kind of column: how it is built and what a field must yield to fill it.
trait Kind {
    type Builder: ArrayBuilder + Default;
    type Cell<'a>: Copy;
    fn data_type() -> DataType;
    fn append(builder: &mut Self::Builder, cell: Option<Self::Cell<'_>>);
}

/// One code.
struct Code;
/// Several codes as bits.
struct Codes;
/// A count, a number of months, an amount in rupees.
struct Number;
/// An event id.
struct Id;
/// A person.
struct Person;
/// A case id, the code of an agency, an area or a court, a name of reference data.
struct Text;
/// A day.
struct Day;

impl Kind for Code {
    type Builder = UInt16Builder;
    type Cell<'a> = u16;
    fn data_type() -> DataType {
        DataType::UInt16
    }
    fn append(builder: &mut UInt16Builder, cell: Option<u16>) {
        builder.append_option(cell);
    }
}

impl Kind for Codes {
    type Builder = Int64Builder;
    type Cell<'a> = i64;
    fn data_type() -> DataType {
        DataType::Int64
    }
    fn append(builder: &mut Int64Builder, cell: Option<i64>) {
        builder.append_option(cell);
    }
}

impl Kind for Number {
    type Builder = Int64Builder;
    type Cell<'a> = i64;
    fn data_type() -> DataType {
        DataType::Int64
    }
    fn append(builder: &mut Int64Builder, cell: Option<i64>) {
        builder.append_option(cell);
    }
}

impl Kind for Text {
    type Builder = StringBuilder;
    type Cell<'a> = &'a str;
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn append(builder: &mut StringBuilder, cell: Option<&str>) {
        builder.append_option(cell);
    }
}

impl Kind for Day {
    type Builder = Date32Builder;
    type Cell<'a> = i32;
    fn data_type() -> DataType {
        DataType::Date32
    }
    fn append(builder: &mut Date32Builder, cell: Option<i32>) {
        builder.append_option(cell);
    }
}

/// A builder of 16-byte values with the width in its type.
pub(crate) struct Bytes16(pub FixedSizeBinaryBuilder);

impl Default for Bytes16 {
    fn default() -> Self {
        Self(FixedSizeBinaryBuilder::new(16))
    }
}

impl Bytes16 {
    /// Appends a value.
    pub fn append(&mut self, value: [u8; 16]) {
        self.0.append_value(value).expect("the value has the width of the column");
    }

    /// Appends a value or none.
    pub fn append_option(&mut self, value: Option<[u8; 16]>) {
        match value {
            Some(value) => self.append(value),
            None => self.0.append_null(),
        }
    }
}

impl ArrayBuilder for Bytes16 {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
    fn finish_cloned(&self) -> ArrayRef {
        Arc::new(self.0.finish_cloned())
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
        self
    }
    fn into_box_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}

impl Kind for Id {
    type Builder = Bytes16;
    type Cell<'a> = Uuid;
    fn data_type() -> DataType {
        DataType::FixedSizeBinary(16)
    }
    fn append(builder: &mut Bytes16, cell: Option<Uuid>) {
        builder.append_option(cell.map(Uuid::into_bytes));
    }
}

impl Kind for Person {
    type Builder = Bytes16;
    type Cell<'a> = [u8; 16];
    fn data_type() -> DataType {
        DataType::FixedSizeBinary(16)
    }
    fn append(builder: &mut Bytes16, cell: Option<[u8; 16]>) {
        builder.append_option(cell);
    }
}

/// A field of a fact (always said or optional) or of a correction (said or not) as a cell.
trait Cell<'a, T> {
    fn cell(&'a self) -> Option<T>;
}

macro_rules! plain_cells {
    ($($t:ty),*) => { $(
        impl Cell<'_, $t> for $t {
            fn cell(&self) -> Option<$t> { Some(*self) }
        }
        impl Cell<'_, $t> for Option<$t> {
            fn cell(&self) -> Option<$t> { *self }
        }
    )* };
}
plain_cells!(u16, i64, Uuid, [u8; 16]);

impl<'a> Cell<'a, &'a str> for String {
    fn cell(&'a self) -> Option<&'a str> {
        Some(self)
    }
}

impl<'a> Cell<'a, &'a str> for Option<String> {
    fn cell(&'a self) -> Option<&'a str> {
        self.as_deref()
    }
}

impl Cell<'_, i32> for Occurred {
    fn cell(&self) -> Option<i32> {
        Some(self.from)
    }
}

impl Cell<'_, i32> for Option<Occurred> {
    fn cell(&self) -> Option<i32> {
        self.map(|day| day.from)
    }
}

impl Cell<'_, i64> for CodeSet {
    fn cell(&self) -> Option<i64> {
        Some(bits(self))
    }
}

impl Cell<'_, i64> for Option<CodeSet> {
    fn cell(&self) -> Option<i64> {
        self.as_ref().map(bits)
    }
}

fn bits(codes: &CodeSet) -> i64 {
    codes.iter().fold(0, |set, code| set | 1 << code)
}

/// A family by name, for loops over all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family {
    /// `cases`, `victims`, …
    pub name: &'static str,
    /// Whether its rows are about persons.
    pub person: bool,
    /// Own columns.
    pub fields: fn() -> Vec<Field>,
    /// Builders for the own columns.
    pub columns: fn() -> Box<dyn Columns>,
    /// Its facts.
    pub facts: &'static [EventType],
}

macro_rules! families {
    ($(
        $(#[$doc:meta])*
        $family:ident $module:ident person = $person:literal {
            columns { $($column:ident: $kind:ty,)* }
            $( $fact:ident / $set:ident {
                $($field:ident $(.$part:ident)? $(as $name:ident)?,)*
            } )+
        }
    )*) => {
        $(
            $(#[$doc])*
            mod $module {
                use super::*;

                #[derive(Default)]
                struct Builders { $($column: <$kind as Kind>::Builder,)* }

                #[derive(Default)]
                struct Cells<'a> {
                    $($column: Option<<$kind as Kind>::Cell<'a>>,)*
                    here: std::marker::PhantomData<&'a ()>,
                }

                impl Columns for Builders {
                    #[allow(unused_variables)]
                    fn push(&mut self, said: Said<'_>) {
                        let mut cells = Cells::default();
                        match said {
                            $(
                                Said::Fact(Data::$fact(d)) => { $( fill!(cells d $field $(.$part)? $(as $name)?); )* }
                                Said::Patch(Patch::$fact(d)) => { $( fill!(cells d $field $(.$part)? $(as $name)?); )* }
                            )+
                            _ => {}
                        }
                        $( <$kind as Kind>::append(&mut self.$column, cells.$column); )*
                    }

                    fn finish(&mut self) -> Vec<ArrayRef> {
                        vec![ $( ArrayBuilder::finish(&mut self.$column), )* ]
                    }
                }

                fn fields() -> Vec<Field> {
                    vec![ $( Field::new(stringify!($column), <$kind as Kind>::data_type(), true), )* ]
                }

                fn columns() -> Box<dyn Columns> {
                    Box::<Builders>::default()
                }

                pub(crate) const FAMILY: Family = Family {
                    name: stringify!($module),
                    person: $person,
                    fields,
                    columns,
                    facts: &[ $( EventType::$fact, )+ ],
                };
            }
        )*

        /// Every family.
        pub(crate) const FAMILIES: &[Family] = &[ $( $module::FAMILY, )* calendar::FAMILY, rotations::FAMILY ];
    };
}

macro_rules! fill {
    ($cells:ident $d:ident $field:ident) => {
        $cells.$field = $d.$field.cell()
    };
    ($cells:ident $d:ident $field:ident as $name:ident) => {
        $cells.$name = $d.$field.cell()
    };
    ($cells:ident $d:ident $field:ident . $part:ident) => {
        $cells.$part = $d.$field.as_ref().and_then(|whole| whole.$part)
    };
}

families! {
    /// Cases registered.
    Cases cases person = false {
        columns { sections: Codes, scope: Code, province: Code, lead_agency_group: Code, }
        CaseRegistered / CaseRegisteredPatch { sections, scope, province, lead_agency_group, }
    }
    /// Victims: identifications and determinations of status.
    Victims victims person = true {
        columns {
            case_id: Text, contact_id: Text, sex: Code, age_band: Code, citizenship: Code, status: Code,
            exploitation: Codes, means: Codes, act: Codes, recruiter_relation: Code, sector: Code, scope: Code,
            place_recruited: Code, place_transit: Code, place_exploited: Code, place_identified: Code,
            referral_source: Code, body: Code,
        }
        VictimIdentified / VictimIdentifiedPatch {
            case_id, contact_id, sex, age_band, citizenship, status, exploitation, means, act, recruiter_relation,
            sector, scope, place_recruited, place_transit, place_exploited, place_identified, referral_source,
        }
        VictimStatusDetermined / VictimStatusDeterminedPatch { status, body, }
    }
    /// Referrals and services.
    Services services person = true {
        columns {
            to_body: Code, to_country: Code, service: Code, referral_id: Id, provider: Code, exit_reason: Code,
        }
        VictimReferred / VictimReferredPatch { to_body, to_country, service, }
        ServiceStarted / ServiceStartedPatch { referral_id, service, provider, }
        ServiceEnded / ServiceEndedPatch { referral_id, service, exit_reason, }
    }
    /// Returns and the assistance after them.
    Returns returns person = true {
        columns {
            from_country: Code, return_kind: Code, return_id: Id, service: Code, months: Number, outcome_6: Code,
            outcome_12: Code,
        }
        VictimReturned / VictimReturnedPatch { from_country, kind as return_kind, }
        ReintegrationAssisted / ReintegrationAssistedPatch {
            return_id, kind as service, months, outcome_6, outcome_12,
        }
    }
    /// Accused persons: known, arrested.
    Accused accused person = true {
        columns {
            case_id: Text, sex: Code, age_band: Code, citizenship: Code, role: Codes, official: Code, province: Code,
        }
        AccusedIdentified / AccusedIdentifiedPatch { case_id, sex, age_band, citizenship, role, official, province, }
        AccusedArrested / AccusedArrestedPatch { case_id, sex, age_band, citizenship, role, official, province, }
    }
    /// Charges and their withdrawal.
    Charges charges person = true {
        columns { case_id: Text, sex: Code, age_band: Code, citizenship: Code, sections: Codes, province: Code, }
        ChargeFiled / ChargeFiledPatch { case_id, sex, age_band, citizenship, sections, province, }
        ChargeWithdrawn / ChargeWithdrawnPatch {}
    }
    /// Judgments and their appeals.
    Judgments judgments person = true {
        columns {
            case_id: Text, sex: Code, age_band: Code, citizenship: Code, sections: Codes, province: Code,
            verdict: Code, imprisonment_months: Number, fine_pkr: Number, compensation_pkr: Number,
            court_level: Code, appeal_outcome: Code,
        }
        JudgmentDelivered / JudgmentDeliveredPatch {
            case_id, sex, age_band, citizenship, sections, province, verdict, sentence.imprisonment_months,
            sentence.fine_pkr, sentence.compensation_pkr, court_level,
        }
        AppealDecided / AppealDecidedPatch { outcome as appeal_outcome, }
    }
    /// Inspections.
    Inspections inspections person = false {
        columns {
            place: Code, sector: Code, kind: Code, outcome: Codes, workers: Number, children: Number,
            released: Number,
        }
        InspectionConducted / InspectionConductedPatch {
            place, sector, kind, outcome, workers, children, released,
        }
    }
    /// Contacts of helplines.
    Contacts contacts person = false {
        columns { kind: Code, place: Code, referral_made: Code, }
        ContactReceived / ContactReceivedPatch { kind, place, referral_made, }
    }
    /// Training and awareness activities.
    Activities activities person = false {
        columns { kind: Code, audience: Code, place: Code, participants: Number, }
        ActivityHeld / ActivityHeldPatch { kind, audience, place, participants, }
    }
    /// What became of cases.
    CaseActs case_acts person = false {
        columns { case_id: Text, other_case_id: Text, to_agency: Text, reason: Code, stage: Code, }
        CaseTransferred / CaseTransferredPatch { case_id, to_agency, reason, }
        CaseLinked / CaseLinkedPatch { case_id, other_case_id, }
        CaseStageChanged / CaseStageChangedPatch { case_id, stage, }
    }
    /// Compensation of victims, ordered and paid.
    Compensations compensations person = true {
        columns { case_id: Text, amount_pkr: Number, province: Code, judgment_id: Id, order_id: Id, }
        CompensationOrdered / CompensationOrderedPatch { case_id, amount_pkr, province, judgment_id, }
        CompensationPaid / CompensationPaidPatch { case_id, amount_pkr, province, order_id, }
    }
    /// Findings that inspectors referred, and what bodies did about referrals.
    FollowUps follow_ups person = false {
        columns {
            inspection_id: Id, to_body: Code, findings: Codes, referral_id: Id, action: Code, case_id: Text,
        }
        InspectionReferred / InspectionReferredPatch { inspection_id, to_body, findings, }
        ReferralActedOn / ReferralActedOnPatch { referral_id, action, case_id, }
    }
    /// Workers released.
    Releases releases person = false {
        columns {
            place: Code, sector: Code, workers: Number, children: Number, inspection_id: Id, case_id: Text,
        }
        WorkerReleased / WorkerReleasedPatch { place, sector, workers, children, inspection_id, case_id, }
    }
    /// Who is one with whom, by linkage.
    PersonLinks links person = true {
        columns { into_id: Person, plausible_id: Person, evidence: Code, confidence: Number, }
        PersonsMerged / PersonsMergedPatch { into as into_id, evidence, confidence, }
        PersonsSplit / PersonsSplitPatch { into as into_id, evidence, }
        PersonsDoubted / PersonsDoubtedPatch { into as plausible_id, }
    }
    /// The steward's word on pairs of persons.
    Decisions decisions person = true {
        columns { other_id: Person, one: Code, }
        PersonsDecided / PersonsDecidedPatch { other_id, one, }
    }
    /// Administrative areas, by the steward.
    Areas areas person = false {
        columns {
            area: Text, level: Code, parent: Text, valid_from: Day, valid_to: Day, name_en: Text, name_ur: Text,
            published_in: Text, withdrawn: Code,
        }
        AreaDeclared / AreaDeclaredPatch {
            area, level, parent, valid_from, valid_to, name_en, name_ur, published_in, withdrawn,
        }
    }
    /// Areas that went into others.
    AreaChanges area_changes person = false {
        columns {
            area: Text, into_area: Text, changed_on: Day, share_per_mille: Number, published_in: Text, withdrawn: Code,
        }
        AreaChanged / AreaChangedPatch { area, into_area, changed_on, share_per_mille, published_in, withdrawn, }
    }
    /// How many people areas had.
    Populations populations person = false {
        columns {
            area: Text, counted_on: Day, of_sex: Code, of_age_group: Code, persons: Number, method: Code,
            published_in: Text, withdrawn: Code,
        }
        PopulationCounted / PopulationCountedPatch {
            area, counted_on, sex as of_sex, age_group as of_age_group, persons, method, published_in, withdrawn,
        }
    }
    /// Courts.
    Courts courts person = false {
        columns {
            court: Text, level: Code, area: Text, valid_from: Day, valid_to: Day, name_en: Text, name_ur: Text,
            published_in: Text, withdrawn: Code,
        }
        CourtDeclared / CourtDeclaredPatch {
            court, level, area, valid_from, valid_to, name_en, name_ur, published_in, withdrawn,
        }
    }
    /// What agencies are called, and their mandates.
    Agencies agencies person = false {
        columns {
            of_agency: Text, agency_group: Code, valid_from: Day, valid_to: Day, successor: Text, name_en: Text,
            name_ur: Text, published_in: Text, withdrawn: Code,
        }
        AgencyDeclared / AgencyDeclaredPatch {
            agency as of_agency, agency_group, valid_from, valid_to, successor, name_en, name_ur, published_in,
            withdrawn,
        }
    }
    /// When codes are valid, and what they are called.
    DatedCodes codes person = false {
        columns {
            of_list: Text, of_code: Text, valid_from: Day, valid_to: Day, replaced_by: Text, name_en: Text,
            name_ur: Text, published_in: Text, withdrawn: Code,
        }
        CodeDeclared / CodeDeclaredPatch {
            list as of_list, code as of_code, valid_from, valid_to, replaced_by, name_en, name_ur, published_in,
            withdrawn,
        }
    }
}

/// The reporting calendar. Its period stands in the columns of `occurred_on`, the agency it is about beside the sender.
mod calendar {
    use super::{ArrayBuilder, ArrayRef, Code, Columns, Data, EventType, Family, Field, Kind, Said, UInt16Builder};

    #[derive(Default)]
    struct Builders {
        kind: UInt16Builder,
    }

    impl Columns for Builders {
        fn push(&mut self, said: Said<'_>) {
            self.kind.append_option(match said {
                Said::Fact(Data::ReportExpected(d)) => Some(d.kind),
                Said::Fact(Data::ReportNil(d)) => Some(d.kind),
                _ => None,
            });
        }

        fn finish(&mut self) -> Vec<ArrayRef> {
            vec![ArrayBuilder::finish(&mut self.kind)]
        }
    }

    pub(super) const FAMILY: Family = Family {
        name: "calendar",
        person: false,
        fields: || vec![Field::new("kind", Code::data_type(), true)],
        columns: || Box::<Builders>::default(),
        facts: &[EventType::ReportExpected, EventType::ReportNil],
    };
}

/// Tokens made anew: the person is who the token of before names.
mod rotations {
    use super::{ArrayBuilder, ArrayRef, Bytes16, Columns, EventType, Family, Field, Kind, Person, Said};

    #[derive(Default)]
    struct Builders {
        new_person_id: Bytes16,
    }

    impl Columns for Builders {
        fn push(&mut self, said: Said<'_>) {
            self.new_person_id.append_option(if let Said::Token(token) = said { Some(token) } else { None });
        }

        fn finish(&mut self) -> Vec<ArrayRef> {
            vec![ArrayBuilder::finish(&mut self.new_person_id)]
        }
    }

    pub(super) const FAMILY: Family = Family {
        name: "rotations",
        person: true,
        fields: || vec![Field::new("new_person_id", Person::data_type(), true)],
        columns: || Box::<Builders>::default(),
        facts: &[EventType::TokensRotated],
    };
}

/// Retractions: what they did is marked on their targets. They are kept for targets that have not come yet.
mod retractions {
    use super::{ArrayRef, Columns, Family, Said};

    struct NoColumns;

    impl Columns for NoColumns {
        fn push(&mut self, _: Said<'_>) {}

        fn finish(&mut self) -> Vec<ArrayRef> {
            Vec::new()
        }
    }

    pub(super) const FAMILY: Family =
        Family { name: "retractions", person: false, fields: Vec::new, columns: || Box::new(NoColumns), facts: &[] };
}

/// The rows that no model reads.
pub(crate) const RETRACTIONS: &Family = &retractions::FAMILY;

/// The steward's words on conflicts: what they did is marked on the rows that they are about. They are kept for rows that have not come
/// yet, and for the words that come after them. No model reads them.
mod choices {
    use super::{
        ArrayBuilder, ArrayRef, Bytes16, Columns, Data, EventType, Family, Field, Id, Kind, Said, StringBuilder, Text,
    };

    #[derive(Default)]
    struct Builders {
        about_agency: StringBuilder,
        about_event: Bytes16,
        row: StringBuilder,
    }

    impl Columns for Builders {
        fn push(&mut self, said: Said<'_>) {
            let said = if let Said::Fact(Data::ConflictDecided(said)) = said { Some(said) } else { None };
            self.about_agency.append_option(said.map(|said| &said.agency));
            self.about_event.append_option(said.map(|said| said.event_id.into_bytes()));
            self.row.append_option(said.map(|said| &said.row));
        }

        fn finish(&mut self) -> Vec<ArrayRef> {
            let Self { about_agency, about_event, row } = self;
            let all: [&mut dyn ArrayBuilder; 3] = [about_agency, about_event, row];
            all.map(ArrayBuilder::finish).into()
        }
    }

    pub(super) const FAMILY: Family = Family {
        name: "choices",
        person: false,
        fields: || {
            let field = |name, data_type| Field::new(name, data_type, true);
            vec![
                field("about_agency", Text::data_type()),
                field("about_event", Id::data_type()),
                field("row", Text::data_type()),
            ]
        },
        columns: || Box::<Builders>::default(),
        facts: &[EventType::ConflictDecided],
    };
}

/// The steward's words on conflicts.
pub(crate) const CHOICES: &Family = &choices::FAMILY;

impl Family {
    /// Every family of which rows are staged: those that models read, retractions, and the steward's words on conflicts.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        FAMILIES.iter().chain([RETRACTIONS, CHOICES])
    }

    /// The family of this name that models read.
    pub fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    /// Whether a row is of this family.
    pub fn has(&self, row: &Row<'_>) -> bool {
        if row.is_retraction() { self.name == RETRACTIONS.name } else { self.facts.contains(&row.fact) }
    }
}
