//! Administrative areas as the latest edition knows them: which there are on a day, and what became of those that are gone.
//!
//! Absent: populations and courts, which are tables like any (`reference.populations`, `reference.courts` in SQL);
//! codes of a day (`codes`).

use std::sync::Arc;

use arrow::array::RecordBatch;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::kept::{self, Rows};
use crate::negotiate::Format;
use crate::problem::Problem;
use crate::request::Pairs;

/// Administrative areas.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "a name of the API")]
pub(crate) struct Areas {
    /// The edition that they were kept with; null before the first.
    edition: Option<u32>,
    /// The day asked about; null where all are told.
    at: Option<String>,
    /// In the order of their codes and days.
    areas: Vec<Area>,
}

/// An area, as it is from one day to another.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "a name of the API")]
pub(crate) struct Area {
    /// ISO 3166-2, or a code below it.
    area: String,
    /// province, division or district.
    level: String,
    /// The area that it is part of.
    parent: Option<String>,
    /// First day; null where it was so before every date that is counted.
    valid_from: Option<String>,
    /// Last day; null while it lasts.
    valid_to: Option<String>,
    name_en: String,
    name_ur: String,
    /// The publication that says so.
    source: String,
    /// What it, or part of it, went into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    became: Vec<Became>,
}

/// What an area went into.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Became {
    into_area: String,
    /// The day on which the change came into force.
    changed_on: Option<String>,
    /// Which part of the people went with it, per mille; null where nobody says.
    share_per_mille: Option<i64>,
}

/// The areas of the latest edition, or of a day by what it knows.
#[utoipa::path(get, path = "/v1/areas", tag = "code lists",
    params(("at" = Option<String>, Query, description = "A day, YYYY-MM-DD: the areas that there were on it", example = "2018-01-01")),
    responses((status = 200, description = "The areas", body = Areas), (status = 304, description = "Nothing new")))]
pub(crate) async fn areas(
    State(door): State<Arc<Door>>,
    mut pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let at = kept::asked_day(&mut pairs)?;
    let current = door.reader.current();
    let at_text = at.map(|day| day.to_string());
    let key = format!("/v1/areas?at={}", at_text.as_deref().unwrap_or_default());
    let shared = Shared::of(current.latest(), &key, Format::Json, Freshness::Minute);
    let make = move || {
        let rows = |name: &str| current.reference(name).map(|table| &table.rows);
        Whole::json(&Areas {
            edition: current.latest().map(|edition| edition.edition),
            at: at_text,
            areas: told(rows("areas"), rows("area_changes"), at),
        })
    };
    door.bodies.answer(&asked, shared, make).await
}

/// The areas of a table that there are on a day, with what became of them.
fn told(areas: Option<&RecordBatch>, changes: Option<&RecordBatch>, at: Option<NaiveDate>) -> Vec<Area> {
    let (Some(areas), changes) = (areas.map(Rows), changes.map(Rows)) else { return Vec::new() };
    let lasts = |row: &usize| at.is_none_or(|at| areas.is_so_on(at, *row));
    let area = |row: usize| {
        let code = areas.text("area", row).unwrap_or_default();
        let written = |day: Option<NaiveDate>| day.map(|day| day.to_string());
        Area {
            became: changes.as_ref().map(|changes| became(changes, &code)).unwrap_or_default(),
            area: code,
            level: areas.text("level", row).unwrap_or_default(),
            parent: areas.text("parent", row),
            valid_from: written(areas.day("valid_from", row)),
            valid_to: written(areas.day("valid_to", row)),
            name_en: areas.text("name_en", row).unwrap_or_default(),
            name_ur: areas.text("name_ur", row).unwrap_or_default(),
            source: areas.text("source", row).unwrap_or_default(),
        }
    };
    (0..areas.0.num_rows()).filter(lasts).map(area).collect()
}

/// What an area went into.
fn became(changes: &Rows<'_>, area: &str) -> Vec<Became> {
    let of_area = |row: &usize| changes.text("area", *row).as_deref() == Some(area);
    let change = |row: usize| Became {
        into_area: changes.text("into_area", row).unwrap_or_default(),
        changed_on: changes.day("changed_on", row).map(|day| day.to_string()),
        share_per_mille: changes.number("share_per_mille", row),
    };
    (0..changes.0.num_rows()).filter(of_area).map(change).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
    use arrow::datatypes::{Field, Schema};

    use super::*;

    fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
    }

    fn text(values: [&str; 2]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn an_area_that_is_gone_is_told_of_its_days_and_says_what_it_became() {
        // 31 May 2018 is the day 17,682 since 1970.
        let areas = table(vec![
            ("area", text(["PK-KP", "PK-TA"])),
            ("valid_from", Arc::new(Date32Array::from(vec![None, None]))),
            ("valid_to", Arc::new(Date32Array::from(vec![None, Some(17_682)]))),
            ("name_en", text(["Khyber Pakhtunkhwa", "Tribal Areas"])),
        ]);
        let changes = table(vec![
            ("area", text(["PK-TA", "PK-XX"])),
            ("into_area", text(["PK-KP", "PK-YY"])),
            ("changed_on", Arc::new(Date32Array::from(vec![17_682, 17_682]))),
            ("share_per_mille", Arc::new(Int64Array::from(vec![Some(1_000), None]))),
        ]);
        let codes = |at: Option<&str>| {
            let at = at.map(|at| at.parse().expect("a day"));
            let told = told(Some(&areas), Some(&changes), at);
            told.into_iter().map(|area| area.area).collect::<Vec<_>>()
        };
        assert_eq!(codes(None), ["PK-KP", "PK-TA"]);
        assert_eq!(codes(Some("2018-05-31")), ["PK-KP", "PK-TA"]);
        assert_eq!(codes(Some("2018-06-01")), ["PK-KP"]);
        let gone = told(Some(&areas), Some(&changes), None).remove(1);
        let into =
            Became { into_area: "PK-KP".into(), changed_on: Some("2018-05-31".into()), share_per_mille: Some(1_000) };
        assert_eq!((gone.valid_to.as_deref(), gone.became), (Some("2018-05-31"), vec![into]));
        assert!(told(None, Some(&changes), None).is_empty(), "no edition has kept any");
    }
}
