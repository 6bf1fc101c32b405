//! The four kinds of reference data. Days are counted since 1970-01-01 (Asia/Karachi), codes are the positions in their lists.
//!
//! Absent: how they are read, said and published (`line`).

/// An administrative area, as it is from one day to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// ISO 3166-2, or a code below it.
    pub area: String,
    /// List `area_level`.
    pub level: u16,
    /// The area that it is part of.
    pub parent: Option<String>,
    /// The first day; none where no publication at hand says it: it was so before every date that is counted.
    pub valid_from: Option<i32>,
    /// The last day; none while it lasts.
    pub valid_to: Option<i32>,
    /// Name in English.
    pub name_en: String,
    /// Name in Urdu.
    pub name_ur: String,
    /// The publication that says so.
    pub source: String,
}

/// An area, or part of one, that went into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The area that it was.
    pub area: String,
    /// The area that it is since.
    pub into_area: String,
    /// The day on which the change came into force.
    pub changed_on: i32,
    /// Which part of the people went with it, per mille.
    pub share_per_mille: Option<i64>,
    /// The publication that says so.
    pub source: String,
}

/// How many people an area had on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The area; [`Count::NATION`] is the nation.
    pub area: String,
    /// The day that the number speaks of.
    pub counted_on: i32,
    /// List `sex`; none of all.
    pub sex: Option<u16>,
    /// List `age_group`; none of all.
    pub age_group: Option<u16>,
    /// Residents.
    pub persons: i64,
    /// List `population_method`.
    pub method: u16,
    /// The publication that says so.
    pub source: String,
}

impl Count {
    /// The code of the nation.
    pub const NATION: &'static str = "PK";
}

/// A court, as it is from one day to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Court {
    /// `CRT-…`.
    pub court: String,
    /// List `court_level`.
    pub level: u16,
    /// The area that it is the court of.
    pub area: String,
    /// The first day.
    pub valid_from: i32,
    /// The last day; none while it lasts.
    pub valid_to: Option<i32>,
    /// Name in English.
    pub name_en: String,
    /// Name in Urdu.
    pub name_ur: String,
    /// The publication that says so.
    pub source: String,
}
