//! The rows of an indicator in an edition, in every form, whole or page by page.

pub(crate) mod paging;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use query::{Current, EditionMeta, IndicatorMeta, Rows, Selection, known};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bodies::{Freshness, Shared, Whole};
use crate::citation::{Citation, address, path_of};
use crate::indicators::Text;
use crate::long::Long;
use crate::negotiate::{self, Format};
use crate::problem::{Kind, Problem};
use crate::render::{self, Column};
use crate::request::{Pairs, Segment};
use crate::{Door, jsonstat, sdmx};
use paging::Paging;

/// The forms of rows, in the order of preference.
const FORMATS: [Format; 8] = [
    Format::Json,
    Format::Csv,
    Format::Parquet,
    Format::Arrow,
    Format::JsonStat,
    Format::SdmxJson,
    Format::SdmxCsv,
    Format::SdmxCsv1,
];

/// What `format=` may be.
pub(crate) fn format_names() -> [&'static str; 8] {
    FORMATS.map(Format::name)
}

/// What a spreadsheet needs before UTF-8, and what disturbs a script (users.md 5.5 no. 5).
pub(crate) const BOM: &[u8] = "\u{feff}".as_bytes();

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
    citation: Citation,
    columns: Vec<Column>,
    /// Number of rows; all of them are here, unless the request has a limit.
    row_count: usize,
    /// Only where the request has a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<Page>,
    /// Rows as arrays in the order of `columns`. A suppressed value is null with status Q.
    rows: Vec<Vec<serde_json::Value>>,
}

/// Where a page is among all rows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Page {
    /// Rows of all pages together.
    total_rows: usize,
    /// Address of the next page, of the same edition; null on the last.
    next: Option<String>,
}

/// What of a request decides its body.
struct Wanted {
    selection: Selection,
    format: Format,
    paging: Paging,
    bom: bool,
}

/// The rows of an indicator in an edition.
///
/// Filters by dimension (`province=PK-PB&province=PK-SD` or `province=PK-PB,PK-SD`), by `measure`, by `time_period`, by
/// range. A range holds the periods that lie wholly in it. No row that fits is an answer with no rows. Without a limit all
/// rows are sent; with one, `Link: rel="next"` leads to the next page of the same edition. What was known on a date is the rows of
/// an edition like any other: `edition`, `citation` and `Link: rel="cite-as"` name it.
#[utoipa::path(get, path = "/v1/indicators/{id}/data", tag = "indicators",
    params(
        ("id" = String, Path, description = "Id of the indicator, without regard to case", example = "V01"),
        ("measure" = Option<Vec<String>>, Query, description = "Measures of the indicator"),
        ("time_period" = Option<Vec<String>>, Query, description = "Periods: 2024, 2024-Q1, FY2024-25 (July to June), _X"),
        ("from" = Option<String>, Query, description = "First year, quarter or fiscal year: 2020, 2020-Q3, FY2020-21"),
        ("to" = Option<String>, Query, description = "Last year, quarter or fiscal year"),
        ("edition" = Option<String>, Query, description = "Number of the edition; latest if absent"),
        ("as_known_on" = Option<String>, Query, description = "In place of an edition: the last one that was published by the \
            end of this day in Pakistan. Refused for a day that is not yet, or before the first edition"),
        ("format" = Option<String>, Query, description = "A form by name; goes before Accept"),
        ("bom" = Option<bool>, Query, description = "With CSV: begins with a byte order mark, for spreadsheets"),
        ("limit" = Option<u32>, Query, description = "At most so many rows; all if absent"),
        ("after" = Option<String>, Query, description = "The rows after that of this key; from the link of a page")),
    responses(
        (status = 200, description = "The rows. CSV, Parquet and Arrow have the columns edition, indicator, measure, \
            time_period, the dimensions, value, lo95, hi95, obs_status, conf_status, unit, as_of",
            content((Data = "application/json"), (String = "text/csv"),
                (Vec<u8> = "application/vnd.apache.parquet"), (Vec<u8> = "application/vnd.apache.arrow.stream"),
                (Object = "application/vnd.sdmx.data+json"), (String = "application/vnd.sdmx.data+csv")),
            headers(("ETag" = String, description = "Strong; another for each coding"),
                ("Link" = String, description = "cite-as, describedby, license; next where another page follows"),
                ("Amanat-Rows" = u64, description = "Number of rows"),
                ("Amanat-Sha256" = String, description = "SHA-256 of the body before any coding, hexadecimal"),
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
    let bom = pairs.take("bom");
    let paging = Paging::take(&mut pairs)?;
    let today = door.reader.today();
    let selection = Selection::new(door.reader.catalogue(), &id, pairs.rest())?.at(&current, today)?;
    let format = negotiate::format(&asked, named.as_deref(), &FORMATS)?;
    let bom = with_bom(bom.as_deref(), format)?;
    let edition = current.edition_of(&selection)?.clone();
    let meta = door.reader.catalogue().indicator(&selection.indicator).ok_or_else(Problem::internal)?;
    let mut key = format!("/v1/indicators/data/{}", selection.canonical());
    for part in [bom.then(|| "bom".to_owned()), paging.limit.map(|n| n.to_string()), paging.after.clone()] {
        key.push('\n');
        key.push_str(&part.unwrap_or_default());
    }
    // Of a date that is not over for good the edition may be another one later, as it may be of no date at all.
    let settled = selection.as_known_on.is_none_or(|date| known::is_settled(date, today));
    let named = selection.edition.filter(|_| settled);
    let mut shared = Shared::of(Some(&edition), &key, format, freshness(named, &edition));
    shared.is_same_for_all = settled;
    let citation = Citation::of_rows(&door.settings, meta, &selection, &edition);
    shared.headers.extend(citation.links(&format!("/v1/indicators/{}", meta.id)));
    let wanted = Wanted { selection, format, paging, bom };
    let own = Arc::clone(&door);
    let make = move || body(&own, &current, &wanted, citation);
    door.bodies.answer(&asked, shared, make).await
}

/// How long an answer of a chosen edition may be kept.
pub(crate) fn freshness(named: Option<u32>, edition: &EditionMeta) -> Freshness {
    match named {
        None => Freshness::Minute,
        // A sample store is often made anew at the same address: its numbers must not stay in caches for a year.
        Some(_) if edition.synthetic => Freshness::Ask,
        Some(_) => Freshness::Forever,
    }
}

pub(crate) fn with_bom(text: Option<&str>, format: Format) -> Result<bool, Problem> {
    let malformed = |detail: &str, hint: &str| Err(Problem::new(Kind::MalformedParameter, detail, hint));
    match text {
        None | Some("false") => Ok(false),
        Some("true") if format == Format::Csv => Ok(true),
        Some("true") => malformed("bom goes with CSV alone.", "Add format=csv, or leave bom out."),
        Some(_) => malformed("bom is neither true nor false.", "Write bom=true, or leave it out."),
    }
}

fn body(door: &Door, current: &Current, wanted: &Wanted, citation: Citation) -> Result<Whole, Problem> {
    let catalogue = door.reader.catalogue();
    let selection = &wanted.selection;
    let meta = catalogue.indicator(&selection.indicator).ok_or_else(Problem::internal)?;
    let rows = current.rows(selection)?;
    let total_rows = rows.batch.num_rows();
    let (rows, after) = wanted.paging.cut(meta, rows)?;
    let next = after.map(|after| {
        let limit = wanted.paging.limit.unwrap_or(total_rows);
        let path = path_of(selection, rows.edition.edition);
        let bom = if wanted.bom { "&bom=true" } else { "" };
        address(&door.settings, &format!("{path}&format={}{bom}&limit={limit}&after={after}", wanted.format.name()))
    });
    let count = rows.batch.num_rows();
    let long = || Long::new(meta, &rows).map_err(|e| internal(&e));
    let bytes = match wanted.format {
        Format::Csv => csv(meta, &rows, wanted.bom).map_err(|e| internal(&e))?,
        Format::Arrow => arrow(meta, &rows).map_err(|e| internal(&e))?,
        Format::Parquet => parquet(meta, &rows).map_err(|e| internal(&e))?,
        Format::JsonStat => jsonstat::dataset(catalogue, meta, long()?, &citation)?,
        Format::SdmxJson => sdmx::data_message(catalogue, meta, vec![long()?], &sdmx::Shape::default())?,
        Format::SdmxCsv => sdmx::csv(meta, &[long()?], sdmx::Csv::Two),
        Format::SdmxCsv1 => sdmx::csv(meta, &[long()?], sdmx::Csv::One),
        _ => {
            let page = wanted.paging.limit.map(|_| Page { total_rows, next: next.clone() });
            json(meta, &rows, citation, page)?
        }
    };
    let link = next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
    Ok(Whole { bytes, rows: Some(count), headers: link.map(|link| (header::LINK, link)).into_iter().collect() })
}

pub(crate) fn internal(error: &ArrowError) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "rows could not be written");
    Problem::internal()
}

/// What is the same in all rows is said once, at the top.
fn json(meta: &IndicatorMeta, rows: &Rows, citation: Citation, page: Option<Page>) -> Result<Vec<u8>, Problem> {
    let edition = &rows.edition;
    let head = Data {
        indicator: meta.id.clone(),
        title: (&meta.title).into(),
        unit: meta.unit.clone(),
        edition: edition.edition,
        as_of: edition.as_of.clone(),
        published_at: edition.published_at.clone(),
        synthetic: edition.synthetic,
        citation,
        columns: render::columns(&rows.batch.schema()),
        row_count: rows.batch.num_rows(),
        page,
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
fn columns(meta: &IndicatorMeta, rows: &Rows) -> Result<RecordBatch, ArrowError> {
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
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// The rows as CSV.
pub(crate) fn csv(meta: &IndicatorMeta, rows: &Rows, bom: bool) -> Result<Vec<u8>, ArrowError> {
    let batch = columns(meta, rows)?;
    let mut out = if bom { BOM.to_vec() } else { Vec::new() };
    render::csv_header(&mut out, &batch.schema());
    render::csv_rows(&mut out, &batch)?;
    Ok(out)
}

fn arrow(meta: &IndicatorMeta, rows: &Rows) -> Result<Vec<u8>, ArrowError> {
    let batch = columns(meta, rows)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(&batch)?;
    writer.into_inner()
}

fn parquet(meta: &IndicatorMeta, rows: &Rows) -> Result<Vec<u8>, ArrowError> {
    let batch = columns(meta, rows)?;
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3)?);
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}
