//! What the steward says of the country: administrative areas and their changes, populations, courts; of agencies and
//! of codes.
//!
//! These are no facts: none is corrected, and a later word on the same thing replaces the earlier one whole. The day on which it is
//! so stands in the word, when it was known is its place in the log. The strings are names of places, courts, agencies,
//! codes and publications (docs/decisions, "Reference data are events"). Absent: persons.

use crate::avro::write;
use crate::calendar::Occurred;
use crate::code_list::tag;
use crate::contract::{Contract, FieldSpec, ObjectWriter, Read};
use crate::value::{
    AgencyCode, AreaCode, Code, CourtCode, Day, EnglishLabel, EnglishName, Int, Kind, ListName, ListedCode,
    Publication, UrduLabel, UrduName,
};
use serde::de::MapAccess;

data! {
    /// `pk.tip.area.declared`: an administrative area, and when it is one. One area has several of these where its name, level or
    /// parent changed: each has a `valid_from` of its own.
    AreaDeclared / AreaDeclaredPatch, occurred = false, person = false {
        #[doc = "Its code: ISO 3166-2, or the code of a list or of the steward below it."]
        req area: String = AreaCode,
        #[doc = "What it is (list `area_level`)."]
        req level: u16 = Code<tag::AreaLevel>,
        #[doc = "The area that it is part of."]
        opt parent: String = AreaCode,
        #[doc = "The first day on which it is so."]
        req valid_from: Occurred = Day,
        #[doc = "The last day on which it is so; absent while it lasts."]
        opt valid_to: Occurred = Day,
        #[doc = "Its name in English."]
        req name_en: String = EnglishName,
        #[doc = "Its name in Urdu."]
        req name_ur: String = UrduName,
        #[doc = "The publication that says so."]
        req published_in: String = Publication,
        #[doc = "Whether this takes back what was said under this code and first day (list `yes_no`)."]
        opt withdrawn: u16 = Code<tag::YesNo>,
    }

    /// `pk.tip.area.changed`: an area, or part of one, went into another. A merger is told of each area that goes, a split of each
    /// area that comes.
    AreaChanged / AreaChangedPatch, occurred = false, person = false {
        #[doc = "The area that it was."]
        req area: String = AreaCode,
        #[doc = "The area that it is since."]
        req into_area: String = AreaCode,
        #[doc = "The day on which the change came into force."]
        req changed_on: Occurred = Day,
        #[doc = "Which part of the people of the area went with it, per mille; absent where nobody says."]
        opt share_per_mille: i64 = Int<1, 1_000>,
        #[doc = "The publication that says so."]
        req published_in: String = Publication,
        #[doc = "Whether this takes back what was said of these areas and this day (list `yes_no`)."]
        opt withdrawn: u16 = Code<tag::YesNo>,
    }

    /// `pk.tip.population.counted`: how many people an area had on a day, by a census or otherwise.
    PopulationCounted / PopulationCountedPatch, occurred = false, person = false {
        #[doc = "The area; `PK` is the nation."]
        req area: String = AreaCode,
        #[doc = "The day that the number speaks of: of a census its reference day."]
        req counted_on: Occurred = Day,
        #[doc = "Of one sex alone (list `sex`); absent where it is of all."]
        opt sex: u16 = Code<tag::Sex>,
        #[doc = "Of one age group alone (list `age_group`); absent where it is of all."]
        opt age_group: u16 = Code<tag::AgeGroup>,
        #[doc = "Residents."]
        req persons: i64 = Int<1, 10_000_000_000>,
        #[doc = "How the number was found (list `population_method`)."]
        req method: u16 = Code<tag::PopulationMethod>,
        #[doc = "The publication that says so."]
        req published_in: String = Publication,
        #[doc = "Whether this takes back what was said of this area, day, sex and age group (list `yes_no`)."]
        opt withdrawn: u16 = Code<tag::YesNo>,
    }

    /// `pk.tip.court.declared`: a court, and when it is one.
    CourtDeclared / CourtDeclaredPatch, occurred = false, person = false {
        #[doc = "Its code."]
        req court: String = CourtCode,
        #[doc = "Its level (list `court_level`)."]
        req level: u16 = Code<tag::CourtLevel>,
        #[doc = "The area that it is the court of."]
        req area: String = AreaCode,
        #[doc = "The first day on which it is so."]
        req valid_from: Occurred = Day,
        #[doc = "The last day on which it is so; absent while it lasts."]
        opt valid_to: Occurred = Day,
        #[doc = "Its name in English."]
        req name_en: String = EnglishName,
        #[doc = "Its name in Urdu."]
        req name_ur: String = UrduName,
        #[doc = "The publication that says so."]
        req published_in: String = Publication,
        #[doc = "Whether this takes back what was said under this code and first day (list `yes_no`)."]
        opt withdrawn: u16 = Code<tag::YesNo>,
    }

    /// `pk.tip.agency.declared`: what an agency is called, and when its mandate runs. Who may emit what is the policy's
    /// to say: this word changes nothing of it.
    AgencyDeclared / AgencyDeclaredPatch, occurred = false, person = false {
        #[doc = "Its code, as in `source`."]
        req agency: String = AgencyCode,
        #[doc = "What kind of agency it is (list `agency_group`)."]
        req agency_group: u16 = Code<tag::AgencyGroup>,
        #[doc = "The first day on which it is so."]
        req valid_from: Occurred = Day,
        #[doc = "The last day on which it is so; absent while it lasts."]
        opt valid_to: Occurred = Day,
        #[doc = "The agency that its mandate went to; absent while it lasts, and where it went to none."]
        opt successor: String = AgencyCode,
        #[doc = "Its name in English."]
        req name_en: String = EnglishLabel,
        #[doc = "Its name in Urdu."]
        req name_ur: String = UrduLabel,
        #[doc = "The publication that says so."]
        req published_in: String = Publication,
        #[doc = "Whether this takes back what was said under this code and first day (list `yes_no`)."]
        opt withdrawn: u16 = Code<tag::YesNo>,
    }

    /// `pk.tip.code.declared`: when a code of a list is valid, and what it is called. Which codes there are is the
    /// contract's to say: this word adds none.
    CodeDeclared / CodeDeclaredPatch, occurred = false, person = false {
        #[doc = "The list."]
        req list: String = ListName,
        #[doc = "The code, as it stands in the list."]
        req code: String = ListedCode,
        #[doc = "The first day on which it is so."]
        req valid_from: Occurred = Day,
        #[doc = "The last day on which it is so; absent while it lasts."]
        opt valid_to: Occurred = Day,
        #[doc = "The code of the same list that is used since; absent while it lasts, and where there is none."]
        opt replaced_by: String = ListedCode,
        #[doc = "Its name in English."]
        req name_en: String = EnglishLabel,
        #[doc = "Its name in Urdu."]
        req name_ur: String = UrduLabel,
        #[doc = "The publication that says so."]
        req published_in: String = Publication,
        #[doc = "Whether this takes back what was said under this list, code and first day (list `yes_no`)."]
        opt withdrawn: u16 = Code<tag::YesNo>,
    }
}
