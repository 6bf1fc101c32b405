//! When a code of a list is valid, and what it is called.
//!
//! Beneath the words lie the lists of the contract, which alone says which codes there are: a word here dates and
//! renames a code, and makes none. Absent: rules of which word stands (`sql/marts/codes.sql`); what a code is in a row
//! (a number, `events::code_list`).

use arrow::array::RecordBatch;
use events::Data;
use events::calendar::Occurred;
use events::code_list::{self, CodeList};
use events::data::CodeDeclared;

use super::Reference;
use super::line::{
    Cell, Column, Fields, Is, Line, NAME_EN, NAME_UR, SOURCE, VALID_FROM, VALID_TO, Wrong, column, day, of_list, text,
    text_of_day,
};
use super::mart::Mart;
use super::words::word;
use crate::error::ModelsError;

/// A code of a list, as it is from one day to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedCode {
    /// The list.
    pub list: String,
    /// The code, as it stands in the data.
    pub code: String,
    /// The first day; none where the contract does not say since when it is valid.
    pub valid_from: Option<i32>,
    /// The last day; none while it lasts.
    pub valid_to: Option<i32>,
    /// The code of the same list that is used since.
    pub replaced_by: Option<String>,
    /// Name in English.
    pub name_en: String,
    /// Name in Urdu.
    pub name_ur: String,
    /// The publication that says so.
    pub source: String,
}

impl DatedCode {
    /// The codes of the contract.
    pub(super) fn of_contract() -> Vec<Self> {
        let codes = |list: &'static CodeList| list.codes.iter().map(move |code| Self::listed(list, code));
        code_list::all().iter().flat_map(codes).collect()
    }

    /// A code as its list has it. Where the list says the year since which it is valid, its first day is that of the
    /// year; of a year before every date that is counted it is none.
    fn listed(list: &CodeList, code: &code_list::Code) -> Self {
        let year = code.attrs.get("valid_from");
        Self {
            list: list.name.to_owned(),
            code: code.code.to_owned(),
            valid_from: year.and_then(|year| day(&format!("{year}-01-01"))),
            valid_to: None,
            replaced_by: None,
            name_en: code.en.to_owned(),
            name_ur: code.ur.to_owned(),
            // A name of a publication has no underscores.
            source: format!("Code list {}, version {}", list.name.replace('_', " "), list.version),
        }
    }

    pub(super) fn of_mart(rows: &RecordBatch) -> Result<Vec<Self>, ModelsError> {
        let mart = Mart("codes", rows);
        let (list, code, replaced_by) = (mart.names("unit")?, mart.names("of_code")?, mart.texts("replaced_by")?);
        let (from, to) = (mart.days("valid_from")?, mart.days("valid_to")?);
        let (name_en, name_ur, source) = (mart.names("name_en")?, mart.names("name_ur")?, mart.names("published_in")?);
        let entry = |row: usize| Self {
            list: list[row].clone(),
            code: code[row].clone(),
            valid_from: from[row],
            valid_to: to[row],
            replaced_by: replaced_by[row].clone(),
            name_en: name_en[row].clone(),
            name_ur: name_ur[row].clone(),
            source: source[row].clone(),
        };
        Ok((0..rows.num_rows()).map(entry).collect())
    }
}

impl Line for DatedCode {
    const TABLE: &'static str = "codes";
    const DESCRIPTION: &'static str = "Codes of all lists, each with the days on which it is valid and so called";
    const COLUMNS: &'static [Column] = &[
        column("list", Is::Text, false, "Name of the list"),
        column("code", Is::Text, false, "The code as it stands in the data"),
        VALID_FROM,
        VALID_TO,
        column(
            "replaced_by",
            Is::Text,
            true,
            "The code of the same list that is used since; empty where there is none",
        ),
        NAME_EN,
        NAME_UR,
        SOURCE,
    ];

    fn all(reference: &Reference) -> &[Self] {
        &reference.codes
    }

    fn read(fields: &Fields<'_>) -> Result<Self, Wrong> {
        let list =
            fields.required("list", code_list::find, "the name of a code list of the contract, such as sector,")?;
        let listed = |text: &str| list.code(text).map(|_| text.to_owned());
        let code = fields.required("code", listed, &of_list(list.name))?;
        let other = |text: &str| listed(text).filter(|other| *other != code);
        let valid_from = fields.day_if_any("valid_from")?;
        Ok(Self {
            list: list.name.to_owned(),
            valid_from,
            valid_to: fields.valid_to(valid_from)?,
            replaced_by: fields.optional("replaced_by", other, &format!("another {}", &of_list(list.name)[2..]))?,
            name_en: fields.label_en()?,
            name_ur: fields.label_ur()?,
            source: fields.source()?,
            code,
        })
    }

    fn is_dated(&self) -> bool {
        self.valid_from.is_some()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.list),
            text(&self.code),
            Cell::Day(self.valid_from),
            Cell::Day(self.valid_to),
            Cell::Text(self.replaced_by.clone()),
            text(&self.name_en),
            text(&self.name_ur),
            text(&self.source),
        ]
    }

    fn key(&self) -> String {
        format!("{}/{}/{}", self.list, self.code, self.valid_from.map(text_of_day).unwrap_or_default())
    }

    fn data(&self, withdrawn: bool) -> Data {
        let Self { list, code, valid_from, valid_to, replaced_by, name_en, name_ur, source } = self.clone();
        Data::CodeDeclared(CodeDeclared {
            list,
            code,
            // What the contract gives no first day is said with the first that the contract has.
            valid_from: Occurred::day(valid_from.unwrap_or(events::calendar::FIRST_DAY)),
            valid_to: valid_to.map(Occurred::day),
            replaced_by,
            name_en,
            name_ur,
            published_in: source,
            withdrawn: word(withdrawn),
        })
    }
}

#[cfg(test)]
mod tests {
    use events::form;

    use super::*;

    #[test]
    fn a_code_of_the_contract_has_the_first_day_of_the_year_that_its_list_says_if_any() {
        let codes = DatedCode::of_contract();
        let first = |code: &str| {
            let found = codes.iter().find(|one| one.list == "section" && one.code == code).expect("a section");
            found.valid_from.map(text_of_day)
        };
        assert_eq!(first("PTPA-4").as_deref(), Some("2018-01-01"));
        assert_eq!(first("PPC-370"), None, "1860 is before every date that is counted");
        assert!(codes.iter().all(|code| form::is_publication(&code.source)));
        assert_eq!(codes.len(), code_list::all().iter().map(|list| list.codes.len()).sum::<usize>());
    }
}
