//! An entry as a line: of a file that the steward loads, of a table that readers see. Both have the same columns in the same order.
//!
//! A cell that does not fit is told by its column and by what is expected there; what stood in it is never quoted.
//! Absent: files (their form is the caller's).

use events::calendar::{Occurred, Precision, civil_from_days};
use events::{Data, code_list, form};

use super::Reference;
use super::entries::{Area, Change, Count, Court};

/// What is in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text or code; none where there is none.
    Text(Option<String>),
    /// A number; none where there is none.
    Number(Option<i64>),
    /// A day since 1970-01-01; none where there is none.
    Day(Option<i32>),
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// A text or code.
    Text,
    /// A whole number.
    Number,
    /// A day.
    Day,
}

/// A column of a kind of entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What its cells are.
    pub is: Is,
    /// Whether a line may leave it empty.
    pub optional: bool,
    /// What it means.
    pub description: &'static str,
}

/// A cell that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {expected}")]
pub struct Wrong {
    /// The column.
    pub column: &'static str,
    /// What is expected there.
    pub expected: String,
}

/// A kind of reference data, one entry a line.
pub trait Line: Sized + Clone + PartialEq {
    /// Name of its table.
    const TABLE: &'static str;
    /// What its table holds.
    const DESCRIPTION: &'static str;
    /// Its columns, in order.
    const COLUMNS: &'static [Column];
    /// Those of its kind.
    fn all(reference: &Reference) -> &[Self];
    /// Reads a line.
    ///
    /// # Errors
    /// The first cell that does not fit.
    fn read(fields: &Fields<'_>) -> Result<Self, Wrong>;
    /// Its cells, in the order of the columns.
    fn cells(&self) -> Vec<Cell>;
    /// What tells it from others of its kind: a later word on the same key replaces it.
    fn key(&self) -> String;
    /// The areas that it names beside its key, each with its column: they must be known.
    fn areas(&self) -> Vec<(&'static str, &str)> {
        Vec::new()
    }
    /// The agencies that it names, each with its column: they must be known.
    fn agencies(&self) -> Vec<(&'static str, &str)> {
        Vec::new()
    }
    /// Whether it has a day since when it is so. What has none is brought along by the program, and cannot be said.
    fn is_dated(&self) -> bool {
        true
    }
    /// The event that says it, or that takes it back.
    fn data(&self, withdrawn: bool) -> Data;
}

/// The cells of a line by column; an empty cell is none.
pub struct Fields<'a>(pub &'a dyn Fn(&str) -> Option<&'a str>);

impl Fields<'_> {
    pub(super) fn optional<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, Wrong> {
        let wrong = || Wrong { column, expected: format!("{expected} is expected") };
        (self.0)(column).map(|text| read(text).ok_or_else(wrong)).transpose()
    }

    pub(super) fn required<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<T, Wrong> {
        let missing = || Wrong { column, expected: format!("{expected} is expected, and nothing is there") };
        self.optional(column, read, expected)?.ok_or_else(missing)
    }

    /// Whether the line takes its key back: `yes` in the column `withdrawn`.
    ///
    /// # Errors
    /// Something else than `yes` and `no`.
    pub fn withdrawn(&self) -> Result<bool, Wrong> {
        let yes_no = |text: &str| match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        Ok(self.optional("withdrawn", yes_no, "yes or no, or nothing")?.unwrap_or(false))
    }

    fn area(&self, column: &'static str) -> Result<String, Wrong> {
        self.required(column, owned(form::is_area), AREA)
    }

    fn name_en(&self) -> Result<String, Wrong> {
        self.required(
            "name_en",
            owned(form::is_english_name),
            "a name of 2 to 80 Latin letters and spaces, without digits,",
        )
    }

    fn name_ur(&self) -> Result<String, Wrong> {
        self.required(
            "name_ur",
            owned(form::is_urdu_name),
            "a name of 2 to 80 letters of Urdu and spaces, without digits,",
        )
    }

    /// The English name of an agency or a code.
    pub(super) fn label_en(&self) -> Result<String, Wrong> {
        let expected = "a name of 2 to 120 Latin letters, spaces and at most eight digits,";
        self.required("name_en", owned(form::is_english_label), expected)
    }

    /// The Urdu name of an agency or a code.
    pub(super) fn label_ur(&self) -> Result<String, Wrong> {
        let expected = "a name of 2 to 120 letters of Urdu, spaces and at most eight digits,";
        self.required("name_ur", owned(form::is_urdu_label), expected)
    }

    pub(super) fn source(&self) -> Result<String, Wrong> {
        let expected = "the name of a publication, 3 to 120 Latin letters, spaces and at most eight digits,";
        self.required("source", owned(form::is_publication), expected)
    }

    pub(super) fn code(&self, column: &'static str, list: &'static str) -> Result<u16, Wrong> {
        self.required(column, |text| code_list::list(list).code(text), &of_list(list))
    }

    /// A code of a list; `_T`, or nothing, is of all.
    fn part(&self, column: &'static str, list: &'static str) -> Result<Option<u16>, Wrong> {
        let read = |text: &str| if text == ALL { Some(None) } else { code_list::list(list).code(text).map(Some) };
        let expected = format!("{ALL} for all, or {}", of_list(list));
        Ok(self.optional(column, read, &expected)?.flatten())
    }

    fn day(&self, column: &'static str) -> Result<i32, Wrong> {
        self.required(column, day, DAY)
    }

    pub(super) fn day_if_any(&self, column: &'static str) -> Result<Option<i32>, Wrong> {
        self.optional(column, day, DAY)
    }

    /// The last day of what begins on a day.
    pub(super) fn valid_to(&self, from: Option<i32>) -> Result<Option<i32>, Wrong> {
        let to = self.day_if_any("valid_to")?;
        match (from, to) {
            (Some(from), Some(to)) if to < from => {
                Err(Wrong { column: "valid_to", expected: "a day that is not before valid_from is expected".into() })
            }
            _ => Ok(to),
        }
    }

    fn number(&self, column: &'static str, most: i64) -> Result<Option<i64>, Wrong> {
        let read = |text: &str| text.parse().ok().filter(|number| (1..=most).contains(number));
        self.optional(column, read, &format!("a whole number of 1 to {most}, digits alone,"))
    }
}

/// The code that stands for all.
const ALL: &str = "_T";
const AREA: &str = "the code of an area, such as PK-PB or PK-PB-LHR,";
const DAY: &str = "a day such as 2018-05-31, not before 1947-08-14,";
/// Most people that the contract lets an area have.
const MOST_PERSONS: i64 = 10_000_000_000;

pub(super) fn of_list(list: &str) -> String {
    format!("a code of the list {list}")
}

pub(super) fn owned(is_one: fn(&str) -> bool) -> impl Fn(&str) -> Option<String> {
    move |text| is_one(text).then(|| text.to_owned())
}

/// A day of the contract as days since 1970-01-01.
pub fn day(text: &str) -> Option<i32> {
    Occurred::parse(text).filter(|said| said.precision == Precision::Day).map(|said| said.from)
}

/// A day as it is written.
pub fn text_of_day(day: i32) -> String {
    let (year, month, day) = civil_from_days(day);
    format!("{year:04}-{month:02}-{day:02}")
}

pub(super) fn text(text: &str) -> Cell {
    Cell::Text(Some(text.to_owned()))
}

pub(super) fn code(list: &str, code: u16) -> Cell {
    text(code_list::list(list).text(code))
}

fn part(list: &str, code: Option<u16>) -> Cell {
    text(code.map_or(ALL, |code| code_list::list(list).text(code)))
}

pub(super) const fn column(name: &'static str, is: Is, optional: bool, description: &'static str) -> Column {
    Column { name, is, optional, description }
}

pub(super) const VALID_FROM: Column = column(
    "valid_from",
    Is::Day,
    false,
    "First day on which it is so; empty where it was so before every date that is counted",
);
pub(super) const VALID_TO: Column =
    column("valid_to", Is::Day, true, "Last day on which it is so; empty while it lasts");
pub(super) const NAME_EN: Column = column("name_en", Is::Text, false, "Name in English");
pub(super) const NAME_UR: Column = column("name_ur", Is::Text, false, "Name in Urdu");
pub(super) const SOURCE: Column = column("source", Is::Text, false, "The publication that says so");

impl Line for Area {
    const TABLE: &'static str = "areas";
    const DESCRIPTION: &'static str = "Administrative areas, each with the days on which it is as it says";
    const COLUMNS: &'static [Column] = &[
        column("area", Is::Text, false, "Code: ISO 3166-2, or a code below it"),
        column("level", Is::Text, false, "province, division or district"),
        column("parent", Is::Text, true, "The area that it is part of"),
        VALID_FROM,
        VALID_TO,
        NAME_EN,
        NAME_UR,
        SOURCE,
    ];

    fn all(reference: &Reference) -> &[Self] {
        &reference.areas
    }

    fn read(fields: &Fields<'_>) -> Result<Self, Wrong> {
        let valid_from = fields.day_if_any("valid_from")?;
        Ok(Self {
            area: fields.area("area")?,
            level: fields.code("level", "area_level")?,
            parent: fields.optional("parent", owned(form::is_area), AREA)?,
            valid_from,
            valid_to: fields.valid_to(valid_from)?,
            name_en: fields.name_en()?,
            name_ur: fields.name_ur()?,
            source: fields.source()?,
        })
    }

    fn is_dated(&self) -> bool {
        self.valid_from.is_some()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.area),
            code("area_level", self.level),
            Cell::Text(self.parent.clone()),
            Cell::Day(self.valid_from),
            Cell::Day(self.valid_to),
            text(&self.name_en),
            text(&self.name_ur),
            text(&self.source),
        ]
    }

    fn key(&self) -> String {
        format!("{}/{}", self.area, self.valid_from.map(text_of_day).unwrap_or_default())
    }

    fn areas(&self) -> Vec<(&'static str, &str)> {
        self.parent.iter().map(|parent| ("parent", parent.as_str())).collect()
    }

    fn data(&self, withdrawn: bool) -> Data {
        super::words::of_area(self, withdrawn)
    }
}

impl Line for Change {
    const TABLE: &'static str = "area_changes";
    const DESCRIPTION: &'static str = "Areas, or parts of them, that went into others";
    const COLUMNS: &'static [Column] = &[
        column("area", Is::Text, false, "The area that it was"),
        column("into_area", Is::Text, false, "The area that it is since"),
        column("changed_on", Is::Day, false, "The day on which the change came into force"),
        column("share_per_mille", Is::Number, true, "Which part of the people went with it; empty where nobody says"),
        SOURCE,
    ];

    fn all(reference: &Reference) -> &[Self] {
        &reference.changes
    }

    fn read(fields: &Fields<'_>) -> Result<Self, Wrong> {
        let area = fields.area("area")?;
        let other = |text: &str| (form::is_area(text) && text != area).then(|| text.to_owned());
        Ok(Self {
            into_area: fields.required("into_area", other, "the code of another area, such as PK-KP,")?,
            changed_on: fields.day("changed_on")?,
            share_per_mille: fields.number("share_per_mille", 1_000)?,
            source: fields.source()?,
            area,
        })
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.area),
            text(&self.into_area),
            Cell::Day(Some(self.changed_on)),
            Cell::Number(self.share_per_mille),
            text(&self.source),
        ]
    }

    fn key(&self) -> String {
        format!("{}/{}/{}", self.area, self.into_area, text_of_day(self.changed_on))
    }

    fn areas(&self) -> Vec<(&'static str, &str)> {
        vec![("area", &self.area), ("into_area", &self.into_area)]
    }

    fn data(&self, withdrawn: bool) -> Data {
        super::words::of_change(self, withdrawn)
    }
}

impl Line for Count {
    const TABLE: &'static str = "populations";
    const DESCRIPTION: &'static str =
        "Residents of areas by counts, estimates and projections, of which populations by year are made";
    const COLUMNS: &'static [Column] = &[
        column("area", Is::Text, false, "Code of the area; PK is the nation"),
        column("counted_on", Is::Day, false, "The day that the number speaks of"),
        column("sex", Is::Text, true, "Code of the sex; _T of all"),
        column("age_group", Is::Text, true, "Code of the age group; _T of all"),
        column("persons", Is::Number, false, "Residents"),
        column("method", Is::Text, false, "census, estimate or projection"),
        SOURCE,
    ];

    fn all(reference: &Reference) -> &[Self] {
        &reference.counts
    }

    fn read(fields: &Fields<'_>) -> Result<Self, Wrong> {
        let missing =
            || Wrong { column: "persons", expected: "a whole number is expected, and nothing is there".into() };
        Ok(Self {
            area: fields.area("area")?,
            counted_on: fields.day("counted_on")?,
            sex: fields.part("sex", "sex")?,
            age_group: fields.part("age_group", "age_group")?,
            persons: fields.number("persons", MOST_PERSONS)?.ok_or_else(missing)?,
            method: fields.code("method", "population_method")?,
            source: fields.source()?,
        })
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.area),
            Cell::Day(Some(self.counted_on)),
            part("sex", self.sex),
            part("age_group", self.age_group),
            Cell::Number(Some(self.persons)),
            code("population_method", self.method),
            text(&self.source),
        ]
    }

    fn key(&self) -> String {
        let part = |list: &str, code: Option<u16>| code.map_or(ALL, |code| code_list::list(list).text(code));
        let (sex, age_group) = (part("sex", self.sex), part("age_group", self.age_group));
        format!("{}/{}/{sex}/{age_group}", self.area, text_of_day(self.counted_on))
    }

    fn areas(&self) -> Vec<(&'static str, &str)> {
        vec![("area", &self.area)]
    }

    fn data(&self, withdrawn: bool) -> Data {
        super::words::of_count(self, withdrawn)
    }
}

impl Line for Court {
    const TABLE: &'static str = "courts";
    const DESCRIPTION: &'static str = "Courts, each with the days on which it is as it says";
    const COLUMNS: &'static [Column] = &[
        column("court", Is::Text, false, "Code of the court"),
        column("level", Is::Text, false, "Code of the list court_level"),
        column("area", Is::Text, false, "The area that it is the court of"),
        VALID_FROM,
        VALID_TO,
        NAME_EN,
        NAME_UR,
        SOURCE,
    ];

    fn all(reference: &Reference) -> &[Self] {
        &reference.courts
    }

    fn read(fields: &Fields<'_>) -> Result<Self, Wrong> {
        let valid_from = fields.day("valid_from")?;
        Ok(Self {
            court: fields.required("court", owned(form::is_court), "the code of a court, such as CRT-PB-LHR-1,")?,
            level: fields.code("level", "court_level")?,
            area: fields.area("area")?,
            valid_from,
            valid_to: fields.valid_to(Some(valid_from))?,
            name_en: fields.name_en()?,
            name_ur: fields.name_ur()?,
            source: fields.source()?,
        })
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.court),
            code("court_level", self.level),
            text(&self.area),
            Cell::Day(Some(self.valid_from)),
            Cell::Day(self.valid_to),
            text(&self.name_en),
            text(&self.name_ur),
            text(&self.source),
        ]
    }

    fn key(&self) -> String {
        format!("{}/{}", self.court, text_of_day(self.valid_from))
    }

    fn areas(&self) -> Vec<(&'static str, &str)> {
        vec![("area", &self.area)]
    }

    fn data(&self, withdrawn: bool) -> Data {
        super::words::of_court(self, withdrawn)
    }
}
