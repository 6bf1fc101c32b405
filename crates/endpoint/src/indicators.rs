//! The indicator API: what there is, what each says, and the rows of an edition.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use query::selection::{Available, COMMON_CODES};
use query::{Catalogue, Current, Dimension, EditionMeta, IndicatorMeta, Rows, Selection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Door;
use crate::bodies::{Freshness, Shared, Whole};
use crate::negotiate::{self, Format};
use crate::problem::Problem;
use crate::render::{self, Column};
use crate::request::{Pairs, Segment};

/// A text in the two languages of the product.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Text {
    en: String,
    ur: String,
}

impl Text {
    fn new(en: &str, ur: &str) -> Self {
        Self { en: en.to_owned(), ur: ur.to_owned() }
    }
}

impl From<&query::Text> for Text {
    fn from(text: &query::Text) -> Self {
        Self::new(&text.en, &text.ur)
    }
}

/// The indicators.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "a name of the API")]
pub(crate) struct Indicators {
    /// The latest edition; null before the first.
    edition: Option<u32>,
    /// True when the store holds synthetic people; null before the first edition.
    synthetic: Option<bool>,
    indicators: Vec<Indicator>,
}

/// An indicator in the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Indicator {
    /// Stable id.
    id: String,
    title: Text,
    description: Text,
    /// What one unit of the value is: `person`, `case`, `per_100000`, `share`.
    unit: String,
    /// Names of its dimensions, which are its filters.
    dimensions: Vec<String>,
    links: Links,
}

/// Where an indicator is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Links {
    #[serde(rename = "self")]
    #[schema(rename = "self")]
    this: String,
    data: String,
    csv: String,
}

/// The definition of an indicator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Definition {
    #[serde(flatten)]
    #[schema(inline)]
    brief: Brief,
    dimensions: Vec<DimensionView>,
    /// What it measures, as named in the column `measure` of the latest edition.
    measures: Vec<String>,
    /// Its periods in the latest edition: years, quarters, `_X` where the time is unknown.
    periods: Vec<String>,
    /// Rows in the latest edition.
    row_count: usize,
    /// The latest edition; null before the first.
    edition: Option<u32>,
    /// True when the store holds synthetic people; null before the first edition.
    synthetic: Option<bool>,
    legend: Legend,
    links: Links,
}

/// What an indicator says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Brief {
    /// Stable id.
    id: String,
    title: Text,
    /// What it shows and what it does not.
    description: Text,
    /// What one unit of the value is: `person`, `case`, `per_100000`, `share`.
    unit: String,
    /// How double counting is avoided.
    counting_rule: Text,
    /// The date that places a unit in a period.
    time_basis: Text,
    /// Agency groups whose records enter.
    agencies: Vec<String>,
    /// Standards that it follows.
    standard: Vec<String>,
    /// `std`, `sens` or `high`.
    sensitivity: String,
    /// First edition or date that published it.
    since: String,
}

/// A dimension and its codes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DimensionView {
    /// Name of the column and of the filter.
    name: String,
    title: Text,
    /// Address of its code list.
    #[serde(skip_serializing_if = "Option::is_none")]
    code_list: Option<String>,
    /// Its codes; beside them `_T` total, `_Z` not applicable, `_X` unknown.
    codes: Vec<Coded>,
}

/// A code with its labels.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Coded {
    code: String,
    #[serde(flatten)]
    #[schema(inline)]
    label: Text,
}

/// How to read the values.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Legend {
    note: Text,
    obs_status: Vec<Coded>,
    conf_status: Vec<Coded>,
    common_codes: Vec<Coded>,
}

impl Legend {
    /// Codes of SDMX (`CL_OBS_STATUS`, `CL_CONF_STATUS`); privacy.md 6.14. One public code for all suppression.
    fn new() -> Self {
        let coded = |(code, en, ur): (&str, &str, &str)| Coded { code: code.to_owned(), label: Text::new(en, ur) };
        let note = Text::new(
            "lo95 and hi95 are the 95 % interval of the protection's noise; where both equal the value, it is exact. \
             Numbers about persons are protected: numbers under 34 are marked U, cells of about 11 people or fewer are \
             not shown, totals may differ from sums.",
            "lo95 اور hi95 تحفظ کے شور کا 95 فیصد وقفہ ہیں؛ جہاں دونوں قدر کے برابر ہوں وہاں عدد قطعی ہے۔ افراد کے اعداد محفوظ کیے \
             گئے ہیں: 34 سے کم اعداد پر U کا نشان ہے، تقریباً 11 یا کم افراد والے خانے نہیں دکھائے جاتے، کل اور مجموعے میں فرق ہو سکتا ہے۔",
        );
        Self {
            note,
            obs_status: [
                ("A", "Normal", "معمول"),
                ("B", "Break in the series", "سلسلے میں وقفہ"),
                ("K", "Merged into another category", "دوسرے زمرے میں شامل"),
                ("L", "Not collected", "جمع نہیں کیا گیا"),
                ("M", "Cannot exist", "ممکن نہیں"),
                ("P", "Provisional", "عبوری"),
                ("Q", "Suppressed, whatever the reason", "روکا گیا، وجہ کوئی بھی ہو"),
                ("U", "Low reliability", "کم قابلِ اعتماد"),
                ("W", "Includes another category", "دوسرے زمرے سمیت"),
            ]
            .map(coded)
            .into(),
            conf_status: [("F", "Free", "آزاد"), ("C", "Confidential", "خفیہ")].map(coded).into(),
            common_codes: [
                (COMMON_CODES[0], "Total", "کل"),
                (COMMON_CODES[1], "Not applicable", "لاگو نہیں"),
                (COMMON_CODES[2], "Unknown", "نامعلوم"),
            ]
            .map(coded)
            .into(),
        }
    }
}

/// The rows of an indicator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Data {
    indicator: String,
    title: Text,
    unit: String,
    /// Number of the edition.
    edition: u32,
    /// Date up to which reports were counted.
    as_of: String,
    /// When the edition was published, RFC 3339.
    published_at: String,
    /// True when the store holds synthetic people.
    synthetic: bool,
    columns: Vec<Column>,
    /// Number of rows; all of them are here.
    row_count: usize,
    /// Rows as arrays in the order of `columns`. A suppressed value is null with status Q.
    rows: Vec<Vec<serde_json::Value>>,
}

/// The indicators of this service.
#[utoipa::path(get, path = "/v1/indicators", tag = "indicators",
    responses((status = 200, description = "The indicators", body = Indicators), (status = 304, description = "Nothing new")))]
pub(crate) async fn list(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let current = door.reader.current();
    let shared = Shared::of(current.latest(), "/v1/indicators", Format::Json, Freshness::Minute)
        .defined(door.settings.defined_at);
    let reader = door.reader.clone();
    let make = move || {
        Whole::json(&Indicators {
            edition: current.latest().map(|e| e.edition),
            synthetic: current.latest().map(|e| e.synthetic),
            indicators: reader.catalogue().indicators.iter().map(brief_of).collect(),
        })
    };
    door.bodies.answer(&asked, shared, make).await
}

/// The definition of an indicator: what is counted, how, on which dimensions, and what its codes mean.
#[utoipa::path(get, path = "/v1/indicators/{id}", tag = "indicators",
    params(("id" = String, Path, description = "Id of the indicator, without regard to case", example = "V01")),
    responses((status = 200, description = "The definition", body = Definition), (status = 304, description = "Nothing new")))]
pub(crate) async fn one(
    State(door): State<Arc<Door>>,
    Segment(id): Segment,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    // Says that there is none, with the ids that there are.
    let selection = Selection::new(door.reader.catalogue(), &id, [])?;
    let key = format!("/v1/indicators/{}", selection.indicator);
    let shared = Shared::of(current.latest(), &key, Format::Json, Freshness::Minute).defined(door.settings.defined_at);
    let reader = door.reader.clone();
    let make = move || {
        let catalogue = reader.catalogue();
        let meta = catalogue.indicator(&selection.indicator).ok_or_else(Problem::internal)?;
        Whole::json(&definition(catalogue, meta, current.latest(), current.available(meta)?))
    };
    door.bodies.answer(&asked, shared, make).await
}

/// The rows of an indicator in an edition.
///
/// Filters by dimension (`province=PK-PB&province=PK-SD` or `province=PK-PB,PK-SD`), by `measure`, by `time_period`, by
/// range. A range holds the periods that lie wholly in it. No row that fits is an answer with no rows.
#[utoipa::path(get, path = "/v1/indicators/{id}/data", tag = "indicators",
    params(
        ("id" = String, Path, description = "Id of the indicator, without regard to case", example = "V01"),
        ("measure" = Option<Vec<String>>, Query, description = "Measures of the indicator"),
        ("time_period" = Option<Vec<String>>, Query, description = "Periods: 2024, 2024-Q1, _X"),
        ("from" = Option<String>, Query, description = "First year or quarter: 2020, 2020-Q3"),
        ("to" = Option<String>, Query, description = "Last year or quarter"),
        ("edition" = Option<String>, Query, description = "Number of the edition; latest if absent"),
        ("format" = Option<String>, Query, description = "json or csv; goes before Accept")),
    responses(
        (status = 200, description = "The rows. CSV has the columns edition, indicator, measure, time_period, the \
            dimensions, value, lo95, hi95, obs_status, conf_status, unit, as_of",
            content((Data = "application/json"), (String = "text/csv")),
            headers(("ETag" = String, description = "Strong; another for each coding"),
                ("Amanat-Rows" = u64, description = "Number of rows"),
                ("Amanat-Edition" = u32, description = "Number of the edition"))),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn data(
    State(door): State<Arc<Door>>,
    Segment(id): Segment,
    mut pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let current = door.reader.current();
    let named = pairs.take("format");
    let selection = Selection::new(door.reader.catalogue(), &id, pairs.rest())?;
    let format = negotiate::format(&asked, named.as_deref(), &[Format::Json, Format::Csv])?;
    let edition = current.edition_of(&selection)?.clone();
    let freshness = match selection.edition {
        None => Freshness::Minute,
        // A sample store is often made anew at the same address: its numbers must not stay in caches for a year.
        Some(_) if edition.synthetic => Freshness::Ask,
        Some(_) => Freshness::Forever,
    };
    let key = format!("/v1/indicators/data/{}", selection.canonical());
    let mut shared = Shared::of(Some(&edition), &key, format, freshness);
    let described = format!("</v1/indicators/{}>; rel=\"describedby\"", selection.indicator);
    if let Ok(link) = HeaderValue::from_str(&described) {
        shared.headers.push((header::LINK, link));
    }
    let reader = door.reader.clone();
    let make = move || rows(reader.catalogue(), &current, &selection, format);
    door.bodies.answer(&asked, shared, make).await
}

fn brief_of(meta: &IndicatorMeta) -> Indicator {
    Indicator {
        id: meta.id.clone(),
        title: (&meta.title).into(),
        description: (&meta.description).into(),
        unit: meta.unit.clone(),
        dimensions: meta.dimensions.iter().map(|d| d.name.clone()).collect(),
        links: links(meta),
    }
}

fn links(meta: &IndicatorMeta) -> Links {
    let this = format!("/v1/indicators/{}", meta.id);
    Links { data: format!("{this}/data"), csv: format!("{this}/data?format=csv"), this }
}

fn definition(
    catalogue: &Catalogue,
    meta: &IndicatorMeta,
    latest: Option<&EditionMeta>,
    available: Available,
) -> Definition {
    Definition {
        brief: Brief {
            id: meta.id.clone(),
            title: (&meta.title).into(),
            description: (&meta.description).into(),
            unit: meta.unit.clone(),
            counting_rule: (&meta.counting_rule).into(),
            time_basis: (&meta.time_basis).into(),
            agencies: meta.agencies.clone(),
            standard: meta.standard.clone(),
            sensitivity: meta.sensitivity.clone(),
            since: meta.since.clone(),
        },
        dimensions: meta.dimensions.iter().map(|d| dimension(catalogue, d)).collect(),
        measures: available.measures,
        periods: available.periods,
        row_count: available.rows,
        edition: latest.map(|e| e.edition),
        synthetic: latest.map(|e| e.synthetic),
        legend: Legend::new(),
        links: links(meta),
    }
}

fn dimension(catalogue: &Catalogue, dimension: &Dimension) -> DimensionView {
    let list = dimension.code_list.as_deref().and_then(|name| catalogue.code_list(name));
    let codes = list.into_iter().flat_map(|l| &l.codes);
    DimensionView {
        name: dimension.name.clone(),
        title: (&dimension.title).into(),
        code_list: list.map(|l| format!("/v1/code-lists/{}", l.name)),
        codes: codes.map(|c| Coded { code: c.code.clone(), label: Text::new(&c.en, &c.ur) }).collect(),
    }
}

fn rows(catalogue: &Catalogue, current: &Current, selection: &Selection, format: Format) -> Result<Whole, Problem> {
    let rows = current.rows(selection)?;
    let meta = catalogue.indicator(&selection.indicator).ok_or_else(Problem::internal)?;
    let count = rows.batch.num_rows();
    let bytes = match format {
        Format::Csv => csv(meta, &rows).map_err(|e| internal(&e))?,
        _ => json(meta, &rows)?,
    };
    Ok(Whole { bytes, rows: Some(count) })
}

fn internal(error: &ArrowError) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "rows could not be written");
    Problem::internal()
}

/// What is the same in all rows is said once, at the top.
fn json(meta: &IndicatorMeta, rows: &Rows) -> Result<Vec<u8>, Problem> {
    let edition = &rows.edition;
    let head = Data {
        indicator: meta.id.clone(),
        title: (&meta.title).into(),
        unit: meta.unit.clone(),
        edition: edition.edition,
        as_of: edition.as_of.clone(),
        published_at: edition.published_at.clone(),
        synthetic: edition.synthetic,
        columns: render::columns(&rows.batch.schema()),
        row_count: rows.batch.num_rows(),
        rows: Vec::new(),
    };
    let mut out = serde_json::to_vec(&head).map_err(|_| Problem::internal())?;
    // `rows` is the last member and empty: the rows go before its closing bracket.
    out.truncate(out.len() - b"]}".len());
    render::json_rows(&mut out, &rows.batch, &mut true).map_err(|e| internal(&e))?;
    out.extend_from_slice(b"\n]}\n");
    Ok(out)
}

/// The columns of `published.indicator_values`, in its order, with the dimensions of this indicator.
fn csv(meta: &IndicatorMeta, rows: &Rows) -> Result<Vec<u8>, ArrowError> {
    let count = rows.batch.num_rows();
    let text = |name: &str, value: &str| -> (Field, ArrayRef) {
        let array = StringArray::from_iter_values(std::iter::repeat_n(value, count));
        (Field::new(name, DataType::Utf8, false), Arc::new(array))
    };
    let number = Int64Array::from_value(i64::from(rows.edition.edition), count);
    let mut columns: Vec<(Field, ArrayRef)> =
        vec![(Field::new("edition", DataType::Int64, false), Arc::new(number)), text("indicator", &meta.id)];
    let its = rows.batch.schema();
    columns.extend(its.fields().iter().map(|f| f.as_ref().clone()).zip(rows.batch.columns().iter().cloned()));
    columns.push(text("as_of", &rows.edition.as_of));
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    let mut out = Vec::new();
    render::csv_header(&mut out, &batch.schema());
    render::csv_rows(&mut out, &batch)?;
    Ok(out)
}
