//! What an agency is called, and when its mandate runs.
//!
//! Beneath the words lie the agencies of the policy, which alone says who may emit what: a word here changes nothing of
//! it. Absent: rules of which word stands (`sql/marts/agencies.sql`).

use arrow::array::RecordBatch;
use events::calendar::Occurred;
use events::data::AgencyDeclared;
use events::{Data, code_list, form};
use policy::Policy;

use super::Reference;
use super::line::{
    Cell, Column, Fields, Is, Line, NAME_EN, NAME_UR, SOURCE, VALID_FROM, VALID_TO, Wrong, code, column, owned, text,
    text_of_day,
};
use super::mart::Mart;
use super::words::word;
use crate::error::ModelsError;

/// An agency, as it is from one day to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its code, as in the policy.
    pub agency: String,
    /// List `agency_group`.
    pub group: u16,
    /// The first day; none of what the policy says: it is so today, and since when it does not say.
    pub valid_from: Option<i32>,
    /// The last day; none while it lasts.
    pub valid_to: Option<i32>,
    /// The agency that its mandate went to.
    pub successor: Option<String>,
    /// Name in English.
    pub name_en: String,
    /// Name in Urdu.
    pub name_ur: String,
    /// The publication that says so.
    pub source: String,
}

const AGENCY: &str = "the code of an agency, such as FIA or POL-PB,";

impl Agency {
    /// The agencies of a policy.
    pub(super) fn of_policy(policy: &Policy) -> Vec<Self> {
        let groups = code_list::list("agency_group");
        let agency = |agency: &policy::Agency| Self {
            agency: agency.code.clone(),
            group: groups.code(&agency.group).unwrap_or(groups.unknown()),
            valid_from: None,
            valid_to: None,
            successor: None,
            name_en: agency.en.clone(),
            name_ur: agency.ur.clone(),
            source: "The policy of this warehouse".to_owned(),
        };
        policy.agencies.iter().map(agency).collect()
    }

    pub(super) fn of_mart(rows: &RecordBatch) -> Result<Vec<Self>, ModelsError> {
        let mart = Mart("agencies", rows);
        let (agency, group, successor) = (mart.names("unit")?, mart.codes("agency_group")?, mart.texts("successor")?);
        let (from, to) = (mart.days("valid_from")?, mart.days("valid_to")?);
        let (name_en, name_ur, source) = (mart.names("name_en")?, mart.names("name_ur")?, mart.names("published_in")?);
        let entry = |row: usize| Self {
            agency: agency[row].clone(),
            group: group[row].unwrap_or_default(),
            valid_from: from[row],
            valid_to: to[row],
            successor: successor[row].clone(),
            name_en: name_en[row].clone(),
            name_ur: name_ur[row].clone(),
            source: source[row].clone(),
        };
        Ok((0..rows.num_rows()).map(entry).collect())
    }
}

impl Line for Agency {
    const TABLE: &'static str = "agencies";
    const DESCRIPTION: &'static str =
        "Agencies, each with the days on which it is as it says: names and mandates over time";
    const COLUMNS: &'static [Column] = &[
        column("agency", Is::Text, false, "Its code, as reports name it"),
        column("agency_group", Is::Text, false, "Code of the list agency_group"),
        VALID_FROM,
        VALID_TO,
        column("successor", Is::Text, true, "The agency that its mandate went to; empty where it went to none"),
        NAME_EN,
        NAME_UR,
        SOURCE,
    ];

    fn all(reference: &Reference) -> &[Self] {
        &reference.agencies
    }

    fn read(fields: &Fields<'_>) -> Result<Self, Wrong> {
        let valid_from = fields.day_if_any("valid_from")?;
        let agency = fields.required("agency", owned(form::is_agency), AGENCY)?;
        let other = |text: &str| (form::is_agency(text) && text != agency).then(|| text.to_owned());
        Ok(Self {
            group: fields.code("agency_group", "agency_group")?,
            valid_from,
            valid_to: fields.valid_to(valid_from)?,
            successor: fields.optional("successor", other, "the code of another agency, such as FIA or POL-PB,")?,
            name_en: fields.label_en()?,
            name_ur: fields.label_ur()?,
            source: fields.source()?,
            agency,
        })
    }

    fn is_dated(&self) -> bool {
        self.valid_from.is_some()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.agency),
            code("agency_group", self.group),
            Cell::Day(self.valid_from),
            Cell::Day(self.valid_to),
            Cell::Text(self.successor.clone()),
            text(&self.name_en),
            text(&self.name_ur),
            text(&self.source),
        ]
    }

    fn key(&self) -> String {
        format!("{}/{}", self.agency, self.valid_from.map(text_of_day).unwrap_or_default())
    }

    fn agencies(&self) -> Vec<(&'static str, &str)> {
        let successor = self.successor.iter().map(|successor| ("successor", successor.as_str()));
        [("agency", self.agency.as_str())].into_iter().chain(successor).collect()
    }

    fn data(&self, withdrawn: bool) -> Data {
        let Self { agency, group, valid_from, valid_to, successor, name_en, name_ur, source } = self.clone();
        Data::AgencyDeclared(AgencyDeclared {
            agency,
            agency_group: group,
            // What the policy says has no first day: it is said with the first that the contract has.
            valid_from: Occurred::day(valid_from.unwrap_or(events::calendar::FIRST_DAY)),
            valid_to: valid_to.map(Occurred::day),
            successor,
            name_en,
            name_ur,
            published_in: source,
            withdrawn: word(withdrawn),
        })
    }
}
