//! The least protection there is, whatever a policy file says (privacy.md 6.6, 6.8, 6.17).
//!
//! A file is data and can be replaced as a whole; these lists are code and are read by whoever reviews a change. A file
//! may ask for more.

use crate::datasets::{Column, Dataset, MeasureColumn, Profile, Unit};

/// Distinct cases or records behind a cell of persons (6.6, rule 2).
pub(crate) const CASES: u64 = 3;
/// The largest share of one case, percent (rule 2).
pub(crate) const TOP_CASE_PERCENT: u64 = 80;
/// The p of the p % rule (rule 3).
pub(crate) const P_PERCENT: u64 = 10;

/// The datasets of 6.6 that may be exact and show zeros: name, unit, universe.
const ACTS_OF_THE_STATE: [(&str, Unit, &str); 7] = [
    ("accused", Unit::Person, "accused"),
    ("charges", Unit::Person, "accused"),
    ("judgments", Unit::Person, "accused"),
    ("cases", Unit::Case, "cases"),
    ("inspections", Unit::Inspection, "inspections"),
    ("activities", Unit::Activity, "activities"),
    ("releases", Unit::Release, "releases"),
];

/// Columns that tell something of an act and nothing of a person: name, code list.
const ATTRIBUTES_OF_ACTS: [(&str, &str); 26] = [
    ("province", "province"),
    ("place", "place"),
    ("agency_group", "agency_group"),
    ("lead_agency_group", "agency_group"),
    ("section", "section"),
    ("scope", "scope"),
    ("first_arrest", "yes_no"),
    ("withdrawn", "yes_no"),
    ("first_charge", "yes_no"),
    ("verdict", "verdict"),
    ("court_level", "court_level"),
    ("overturned", "yes_no"),
    ("first_conviction", "yes_no"),
    ("sector", "sector"),
    ("kind", "inspection_kind"),
    ("outcome", "inspection_outcome"),
    ("kind", "activity_kind"),
    ("audience", "audience"),
    ("stage", "case_stage"),
    ("transferred", "yes_no"),
    ("linked", "yes_no"),
    ("first_registration", "yes_no"),
    ("convicted", "yes_no"),
    ("sentence", "sentence_kind"),
    ("referred", "yes_no"),
    ("acted_on", "yes_no"),
];

/// Measures of an act: what a court imposed and how long that took, what an inspection counted, how many came.
const MEASURES_OF_ACTS: [&str; 9] = [
    "imprisonment_months",
    "fine_pkr",
    "compensation_pkr",
    "days_to_charge",
    "days_to_judgment",
    "workers",
    "children",
    "released",
    "participants",
];

/// The least profile of a column, by its code list (6.8).
const PROFILES: [(&str, Profile); 3] =
    [("exploitation", Profile::Sens), ("means", Profile::Sens), ("recruiter_relation", Profile::Sens)];

/// Codes that ask for more than their list: gender identity, and state actors as perpetrators (6.6, rule 4).
const CODES: [(&str, &str, Profile); 3] = [
    ("sex", "T", Profile::High),
    ("role", "official", Profile::High),
    ("recruiter_relation", "official", Profile::High),
];

/// Whether the dataset counts acts of the state (6.6): its name, unit and universe together.
pub(crate) fn counts_acts_of_the_state(dataset: &Dataset) -> bool {
    ACTS_OF_THE_STATE.contains(&(dataset.name.as_str(), dataset.unit, dataset.universe.as_str()))
}

/// Whether a column may be called an attribute of an act.
pub(crate) fn is_attribute_of_an_act(column: &Column) -> bool {
    ATTRIBUTES_OF_ACTS.contains(&(column.name.as_str(), column.list.as_str()))
}

/// Whether a measure tells something of an act and nothing of a person, so that its bands may stand in a declared grid.
pub(crate) fn is_measure_of_an_act(measure: &MeasureColumn) -> bool {
    MEASURES_OF_ACTS.contains(&measure.name.as_str())
}

/// The least profile of a column.
pub(crate) fn profile(column: &Column) -> Option<Profile> {
    PROFILES.iter().find(|(list, _)| *list == column.list).map(|&(_, profile)| profile)
}

/// Codes of a list with their least profile.
pub(crate) fn codes(list: &str) -> impl Iterator<Item = (&'static str, Profile)> {
    CODES.iter().filter(move |(of, ..)| *of == list).map(|&(_, code, profile)| (code, profile))
}
