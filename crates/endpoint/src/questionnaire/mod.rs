//! Questionnaires filled from an edition: the list of forms, each as JSON, CSV or a workbook.
//!
//! What stands in which table is [`query::questionnaire`]'s; here it is written. A cell that is hidden is the flag `Q` and never
//! empty or zero; each cell names its indicator, edition and date. Absent: sending a form to anybody.

mod sheet;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use query::EditionMeta;
use query::questionnaire::{self, Cell, FORMS, Filled, Form};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::citation::Citation;
use crate::data::freshness;
use crate::indicators::Text;
use crate::labels;
use crate::negotiate::{self, Format};
use crate::package::edition_named;
use crate::problem::{Kind, Problem};
use crate::render::csv_text;
use crate::request::{Pairs, Segment};

/// The forms of a filled questionnaire, in the order of preference.
const FORMATS: [Format; 3] = [Format::Json, Format::Csv, Format::Xlsx];

/// What `format=` may be.
pub(crate) fn format_names() -> Vec<&'static str> {
    FORMATS.map(Format::name).to_vec()
}

/// What its flags mean, as far as a form has them.
pub(crate) fn legend(status: &str) -> &'static str {
    if status == questionnaire::NOT_PUBLISHED {
        return "No such cell is published for this period: ask the records, or leave it to the form's remark";
    }
    labels::OBS_STATUS.iter().find(|(code, ..)| *code == status).map_or("", |(_, en, _)| en)
}

/// The questionnaires that there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Questionnaires {
    questionnaires: Vec<Brief>,
}

/// A questionnaire, without numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Brief {
    id: String,
    title: Text,
    /// What whoever fills it in must know.
    note: String,
    /// Number of its tables.
    tables: usize,
    /// Its address.
    href: String,
}

/// A questionnaire with the numbers of an edition.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Questionnaire {
    id: String,
    title: Text,
    note: String,
    /// Number of the edition.
    edition: u32,
    /// Date up to which reports were counted.
    as_of: String,
    /// True when the store holds synthetic people.
    synthetic: bool,
    /// The year, or the fiscal year as FY2024-25.
    period: String,
    tables: Vec<Table>,
}

/// A table of a questionnaire.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Table {
    /// Its letter here; the form's own number may be another.
    id: String,
    title: Text,
    rows: Vec<Text>,
    columns: Vec<Text>,
    /// Row by row.
    cells: Vec<Vec<CellView>>,
}

/// A cell of a questionnaire.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CellView {
    /// The value, exact as published; null where it is not shown.
    value: Option<String>,
    lo95: Option<String>,
    hi95: Option<String>,
    /// SDMX status: Q suppressed, L not collected, O no such cell is published.
    obs_status: String,
    indicator: String,
    measure: String,
    /// Codes that are no totals.
    codes: std::collections::BTreeMap<String, String>,
    unit: String,
}

impl From<&Cell> for CellView {
    fn from(cell: &Cell) -> Self {
        let [value, lo95, hi95] = match &cell.value {
            Some([value, lo, hi]) => [value, lo, hi].map(|text| Some(text.clone())),
            None => [None, None, None],
        };
        let Cell { indicator, measure, codes, status, unit, .. } = cell.clone();
        Self { value, lo95, hi95, obs_status: status, indicator, measure, codes, unit }
    }
}

fn text((en, ur): (&str, &str)) -> Text {
    (&query::Text { en: en.to_owned(), ur: ur.to_owned() }).into()
}

/// The questionnaires that can be filled from an edition.
#[utoipa::path(get, path = "/v1/questionnaires", operation_id = "questionnaires", tag = "questionnaires",
    responses((status = 200, description = "The questionnaires", body = Questionnaires), (status = 304, description = "Nothing new")))]
pub(crate) async fn list(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let shared = Shared::of(None, "/v1/questionnaires", Format::Json, Freshness::Minute);
    let brief = |form: &Form| Brief {
        id: form.id.to_owned(),
        title: text(form.title),
        note: form.note.to_owned(),
        tables: form.tables.len(),
        href: format!("/v1/questionnaires/{}", form.id),
    };
    let make = move || Whole::json(&Questionnaires { questionnaires: FORMS.iter().map(brief).collect() });
    door.bodies.answer(&asked, shared.defined(door.settings.defined_at), make).await
}

/// A questionnaire filled from an edition.
///
/// A hidden cell is the flag Q, never empty or zero; where no such cell is published it is O. As a workbook it has a sheet as the
/// form is laid out, a sheet with a line for each cell, and the meaning of the flags.
#[utoipa::path(get, path = "/v1/questionnaires/{form}", operation_id = "questionnaire", tag = "questionnaires",
    params(
        ("form" = String, Path, description = "glotip, sdg or tip-report", example = "glotip"),
        ("edition" = Option<String>, Query, description = "Number of the edition; latest if absent"),
        ("year" = Option<u32>, Query, description = "The year; the last one that has ended by the edition's date if absent"),
        ("fiscal" = Option<bool>, Query, description = "The fiscal year that begins in July of the year"),
        ("format" = Option<String>, Query, description = "json, csv or xlsx; goes before Accept")),
    responses(
        (status = 200, description = "The questionnaire", content((Questionnaire = "application/json"), (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn one(
    State(door): State<Arc<Door>>,
    Segment(name): Segment,
    mut pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let form =
        questionnaire::form(&name).map_err(|unknown| Problem::new(Kind::NotFound, unknown.detail, unknown.hint))?;
    let [named, number, year, fiscal] = ["format", "edition", "year", "fiscal"].map(|name| pairs.take(name));
    pairs.none_left(&["edition", "year", "fiscal", "format"])?;
    let format = negotiate::format(&asked, named.as_deref(), &FORMATS)?;
    let current = door.reader.current();
    let edition = edition_named(&current, number.as_deref().unwrap_or("latest"))?;
    let period = period(&edition, year.as_deref(), fiscal.as_deref())?;
    let chosen = number.filter(|number| number != "latest").map(|_| edition.edition);
    let key = format!("/v1/questionnaires/{}\n{period}", form.id);
    let mut shared = Shared::of(Some(&edition), &key, format, freshness(chosen, &edition));
    shared = shared.defined(door.settings.defined_at);
    shared.headers.extend(Citation::of_edition(&door.settings, &edition).links("/v1/questionnaires"));
    if format != Format::Json {
        let name = format!("attachment; filename=\"{}\"", file_name(form, &edition, &period, format.name()));
        shared.headers.extend(HeaderValue::from_str(&name).ok().map(|name| (header::CONTENT_DISPOSITION, name)));
    }
    let own = Arc::clone(&door);
    let make = move || {
        let filled = questionnaire::fill(own.reader.catalogue(), &current, form, Some(edition.edition), &period)?;
        match format {
            Format::Csv => Ok(Whole::from(csv(&filled))),
            Format::Xlsx => xlsx(&filled).map(Whole::from).map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "a workbook could not be written");
                Problem::internal()
            }),
            _ => Whole::json(&view(&filled)),
        }
    };
    door.bodies.answer(&asked, shared, make).await
}

/// The period that is asked for: of no year the last one that has ended by the date of the edition.
fn period(edition: &EditionMeta, year: Option<&str>, fiscal: Option<&str>) -> Result<String, Problem> {
    let malformed = |detail: &str, hint: &str| Problem::new(Kind::MalformedParameter, detail, hint);
    let fiscal = match fiscal {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(malformed("fiscal is neither true nor false.", "Write fiscal=true, or leave it out.")),
    };
    let year = match year {
        None => last_year(edition, fiscal),
        Some(text) => text.parse().ok().filter(|year| (1900..=9998).contains(year)),
    };
    let year = year.ok_or_else(|| malformed("year is no year.", "Write year=2024."))?;
    Ok(questionnaire::period(year, fiscal))
}

/// The last year, or the first of the two of a fiscal year, that has ended by the date of an edition.
pub fn last_year(edition: &EditionMeta, fiscal: bool) -> Option<u16> {
    let year: u16 = edition.as_of.get(..4)?.parse().ok()?;
    let day = edition.as_of.get(5..)?;
    // A fiscal year ends in the June after it began.
    let (ends, behind) = if fiscal { ("06-30", 1) } else { ("12-31", 0) };
    Some(year - behind - u16::from(day < ends))
}

/// What the file of a filled form is called.
pub fn file_name(form: &Form, edition: &EditionMeta, period: &str, extension: &str) -> String {
    format!("amanat-{}-{period}-edition-{}.{extension}", form.id, edition.edition)
}

fn view(filled: &Filled) -> Questionnaire {
    let Filled { form, edition, period, tables } = filled;
    let texts = |labels: &[query::Text]| labels.iter().map(Text::from).collect();
    let table = |table: &query::questionnaire::FilledTable| Table {
        id: table.table.id.to_owned(),
        title: text(table.table.title),
        rows: texts(&table.rows),
        columns: texts(&table.columns),
        cells: table.cells.iter().map(|row| row.iter().map(CellView::from).collect()).collect(),
    };
    Questionnaire {
        id: form.id.to_owned(),
        title: text(form.title),
        note: form.note.to_owned(),
        edition: edition.edition,
        as_of: edition.as_of.clone(),
        synthetic: edition.synthetic,
        period: period.clone(),
        tables: tables.iter().map(table).collect(),
    }
}

/// The columns of the lines of cells.
const COLUMNS: [&str; 16] = [
    "form",
    "table",
    "asks",
    "row",
    "column",
    "value",
    "lo95",
    "hi95",
    "obs_status",
    "meaning",
    "unit",
    "indicator",
    "measure",
    "codes",
    "edition",
    "as_of",
];

/// Each cell as a line of texts, in the order of [`COLUMNS`]. What is hidden is its flag in the place of the value.
fn lines(filled: &Filled) -> impl Iterator<Item = [String; 16]> {
    let Filled { form, edition, tables, .. } = filled;
    tables.iter().flat_map(move |table| {
        let places = table.rows.iter().zip(&table.cells);
        places.flat_map(move |(row, cells)| {
            table.columns.iter().zip(cells).map(move |(column, cell)| {
                let [value, lo, hi] = cell.value.clone().unwrap_or([cell.status.clone(), String::new(), String::new()]);
                let codes: Vec<String> = cell.codes.iter().map(|(name, code)| format!("{name}={code}")).collect();
                [
                    form.id.to_owned(),
                    table.table.id.to_owned(),
                    table.table.title.0.to_owned(),
                    row.en.clone(),
                    column.en.clone(),
                    value,
                    lo,
                    hi,
                    cell.status.clone(),
                    legend(&cell.status).to_owned(),
                    cell.unit.clone(),
                    cell.indicator.clone(),
                    cell.measure.clone(),
                    codes.join(" "),
                    edition.edition.to_string(),
                    edition.as_of.clone(),
                ]
            })
        })
    })
}

/// A filled form as CSV: a line for each cell.
pub fn csv(filled: &Filled) -> Vec<u8> {
    let mut out = COLUMNS.join(",").into_bytes();
    out.push(b'\n');
    for line in lines(filled) {
        for (at, text) in line.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            // Ends of an interval that there are not are absent, not empty texts.
            if !text.is_empty() {
                csv_text(&mut out, text);
            }
        }
        out.push(b'\n');
    }
    out
}

/// A filled form as a workbook: as the form is laid out, a line for each cell, what the flags mean.
///
/// # Errors
/// The file could not be put together; a defect.
pub fn xlsx(filled: &Filled) -> Result<Vec<u8>, rawzip::Error> {
    sheet::workbook(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_no_year_the_last_one_that_has_ended_is_meant() {
        let last =
            |as_of: &str, fiscal| last_year(&EditionMeta { as_of: as_of.to_owned(), ..EditionMeta::default() }, fiscal);
        assert_eq!([last("2025-12-31", false), last("2025-12-30", false)], [Some(2025), Some(2024)]);
        assert_eq!([last("2025-06-30", true), last("2025-06-29", true)], [Some(2024), Some(2023)]);
        assert_eq!(last("soon", false), None);
    }
}
