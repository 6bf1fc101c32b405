//! Questions in SQL: the body of the request in, the whole answer out, in the format that the client accepts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use query::{Answer, Limits, Note, Param, Question, Turn};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::bodies::{EDITION, ROWS};
use crate::negotiate::{self, Format};
use crate::problem::{Kind, Problem};
use crate::render::{self, Column};
use crate::request::{self, Pairs};
use crate::visitor::Visitor;
use crate::{Door, Settings};

/// Header with the limits that hold for a question.
pub(crate) const LIMITS: HeaderName = HeaderName::from_static("amanat-limits");

/// Header with the codes of what should be known of an answer, for forms that have no place for it; `/problems` says what they mean.
pub(crate) const NOTES: HeaderName = HeaderName::from_static("amanat-notes");

/// Rows that are written at once; an answer with no more is sent whole, with its length.
const CHUNK: usize = 1024;

/// A body of no more bytes is not worth a turn: about what the buffers of a connection hold.
const UNTURNED: usize = 256 << 10;

pub(crate) const FORMATS: [Format; 4] = [Format::Json, Format::Csv, Format::Arrow, Format::Parquet];

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Question)]
pub(crate) struct Asked {
    /// One SELECT, VALUES or set operation over the schemas `published` and `reference`.
    #[schema(example = "select time_period, value from published.v01 where province = $1 order by 1", min_length = 1)]
    sql: String,
    /// Values of `$1`, `$2`, …: null, true or false, numbers, texts.
    #[serde(default)]
    #[schema(value_type = Vec<Object>, example = json!(["PK-PB"]))]
    params: Vec<Param>,
    /// Whether every protected number is followed by its interval, status and bias (`x_lo95`, `x_hi95`, `x_status`,
    /// `x_bias`), and the row by the date of the data (`as_of`).
    #[serde(default)]
    companions: bool,
}

/// An answer in JSON.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Answer)]
pub(crate) struct Head {
    columns: Vec<Column>,
    /// Number of rows; all of them are here.
    row_count: usize,
    /// The latest edition at the time of the question.
    edition: Option<u32>,
    /// What should be known of the rows, where they come from protected tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    notes: Vec<Note>,
    /// Rows as arrays in the order of `columns`.
    rows: Vec<Vec<serde_json::Value>>,
}

/// A question in SQL over what is published. Past a limit it is refused as a whole; an answer is never cut short.
#[utoipa::path(post, path = "/v1/sql", tag = "sql",
    params(("companions" = Option<bool>, Query, description = "The same as the member `companions` of the body: every \
        protected number with its interval, status and bias")),
    request_body(description = "The question: JSON, or the SQL alone as text/plain",
        content((Asked = "application/json"), (String = "text/plain"))),
    responses((status = 200, description = "The whole answer",
        content((Head = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.arrow.stream"),
            (Vec<u8> = "application/vnd.apache.parquet")),
        headers(("Amanat-Rows" = u64, description = "Number of rows"),
            ("Amanat-Edition" = u32, description = "The latest edition at the time of the question"),
            ("Amanat-Notes" = String, description = "Codes of what should be known of the answer: NOTE-3001"),
            ("Amanat-Limits" = String, description = "Limits of a question: seconds, bytes of memory, rows")))))]
pub(crate) async fn ask(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    mut pairs: Pairs,
    asked: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let companions = companions(pairs.take("companions"))?;
    let format = negotiate::format(&asked, None, &FORMATS)?;
    if visitor.session.is_some() {
        visitor.means_it(&asked)?;
    }
    let question = read(&asked, body, &door.settings).await?;
    let companions = companions.unwrap_or(question.companions);
    let question = Question { asker: visitor.asker, peer: visitor.peer, companions, ahead: true, ..question };
    // When the client leaves, this future is dropped, and the work with it.
    let answer = match door.reader.ask(question, CancellationToken::new()).await {
        Ok(answer) => answer,
        Err(refusal) => {
            metrics::counter!("amanat_sql_refusals_total", "code" => refusal.code.name()).increment(1);
            return Err(refusal.into());
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, format.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(ROWS, HeaderValue::from(answer.row_count()));
    headers.insert(LIMITS, limits(door.reader.limits())?);
    headers.extend(notes(&answer).map(|notes| (NOTES, notes)));
    if let Some(edition) = answer.edition {
        headers.insert(EDITION, HeaderValue::from(edition));
    }
    Ok((headers, write(answer, format, door.settings.answer_timeout).await?).into_response())
}

/// The codes of the notes of an answer, each once.
pub(crate) fn notes(answer: &Answer) -> Option<HeaderValue> {
    let mut codes: Vec<&str> = answer.notes.iter().map(|note| note.code.name()).collect();
    codes.dedup();
    if codes.is_empty() { None } else { HeaderValue::from_str(&codes.join(", ")).ok() }
}

/// Whether companions are asked for in the address; `None` where it does not say.
pub(crate) fn companions(said: Option<String>) -> Result<Option<bool>, Problem> {
    let malformed = || {
        let detail = "The parameter companions is neither true nor false.";
        Problem::new(Kind::MalformedParameter, detail, "Write ?companions=true, or leave it out.")
    };
    said.map(|said| said.parse().map_err(|_| malformed())).transpose()
}

fn limits(limits: Limits) -> Result<HeaderValue, Problem> {
    let text = format!("seconds={}, memory={}, rows={}", limits.time.as_secs_f64(), limits.memory, limits.rows);
    HeaderValue::from_str(&text).map_err(|_| Problem::internal())
}

/// Reads the question from a body of JSON or plain text.
async fn read(headers: &HeaderMap, body: Body, settings: &Settings) -> Result<Question, Problem> {
    let kind = media_type(headers)?;
    let text = request::text(headers, body, settings).await?;
    match kind {
        Media::Text => Ok(Question::new(text)),
        Media::Json => {
            let Asked { sql, params, companions } = serde_json::from_str(&text).map_err(|e| {
                let detail = format!("The body is not a question in JSON: {e}.");
                let hint = "Send {\"sql\": \"select …\", \"params\": [null, true, 1, \"text\"]}; params may be absent.";
                Problem::new(Kind::MalformedBody, detail, hint)
            })?;
            Ok(Question { params, companions, ..Question::new(sql) })
        }
    }
}

enum Media {
    Json,
    Text,
}

fn media_type(headers: &HeaderMap) -> Result<Media, Problem> {
    let unsupported = |detail: &str| {
        let hint =
            "Send content-type: application/json with {\"sql\": \"select …\"}, or text/plain with the SQL alone.";
        Problem::new(Kind::UnsupportedMediaType, detail, hint)
    };
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(unsupported("The request does not say what its body is."));
    };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let charset = parts.find_map(|p| p.strip_prefix("charset=")).map(|c| c.trim_matches('"'));
    if charset.is_some_and(|c| !matches!(c, "utf-8" | "utf8" | "us-ascii")) {
        return Err(unsupported("The body is not in UTF-8."));
    }
    match essence {
        "application/json" => Ok(Media::Json),
        "text/plain" | "application/sql" => Ok(Media::Text),
        _ => Err(unsupported("The body is neither JSON nor plain text.")),
    }
}

/// The answer as a body. What is not small keeps the turn of its question until its last byte is taken, and is broken off
/// past `deadline`: an answer that waits for its reader is memory, and nobody may hold a turn for ever.
async fn write(answer: Answer, format: Format, deadline: Duration) -> Result<Body, Problem> {
    let turn = answer.turn.clone();
    let small = answer.row_count() <= CHUNK;
    let chunks: Box<dyn Iterator<Item = Result<Bytes, ArrowError>> + Send> = match format {
        Format::Csv => Box::new(csv(answer)),
        Format::Arrow => Box::new(stream(&answer).map_err(|e| internal(&e))?),
        Format::Parquet => {
            let file = tokio::task::spawn_blocking(move || file(&answer)).await;
            let file = file.ok().flatten().ok_or_else(Problem::internal)?;
            return Ok(whole(file, turn, deadline));
        }
        // JSON: the others are not among the formats of an answer.
        _ => Box::new(json(answer)?),
    };
    if small {
        let written: Result<Vec<Bytes>, ArrowError> = chunks.collect();
        return Ok(whole(written.map_err(|e| internal(&e))?.concat(), turn, deadline));
    }
    Ok(Body::from_stream(futures::stream::iter(timed(chunks, turn, deadline))))
}

/// A body that is written already. It is sent with its length.
fn whole(bytes: Vec<u8>, turn: Turn, deadline: Duration) -> Body {
    if bytes.len() <= UNTURNED {
        return Body::from(bytes);
    }
    let bytes = Bytes::from(bytes);
    let pieces = (0..bytes.len()).step_by(UNTURNED);
    let pieces = pieces.map(move |at| Ok(bytes.slice(at..bytes.len().min(at + UNTURNED))));
    Body::from_stream(futures::stream::iter(timed(pieces, turn, deadline)))
}

/// Chunks that hold the turn while there are more, and end with an error past the deadline.
fn timed(
    mut chunks: impl Iterator<Item = Result<Bytes, ArrowError>> + Send,
    turn: Turn,
    deadline: Duration,
) -> impl Iterator<Item = Result<Bytes, Unfinished>> + Send {
    let end = Instant::now() + deadline;
    let mut held = Some(turn);
    std::iter::from_fn(move || {
        let turn = held.take()?;
        if Instant::now() >= end {
            return Some(Err(Unfinished::Late));
        }
        let chunk = chunks.next()?.map_err(|error| {
            internal(&error);
            Unfinished::Broken
        });
        held = chunk.is_ok().then_some(turn);
        Some(chunk)
    })
}

/// Why an answer ends before its end; the client sees a broken transfer, never a shorter answer.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("the client takes its answer too slowly")]
    Late,
    #[error("the answer could not be written")]
    Broken,
}

/// A whole answer in a form, for what is kept or sent with its length.
pub(crate) fn written(answer: Answer, format: Format, bom: bool) -> Result<Vec<u8>, Problem> {
    let bytes = match format {
        Format::Csv => answer_as_csv(answer).map(|csv| if bom { [crate::data::BOM, &csv].concat() } else { csv }),
        Format::Arrow => stream(&answer).and_then(|pieces| Ok(pieces.collect::<Result<Vec<Bytes>, _>>()?.concat())),
        Format::Parquet => return file(&answer).ok_or_else(Problem::internal),
        _ => answer_as_json(answer),
    };
    bytes.map_err(|error| internal(&error))
}

/// An answer in JSON, as over HTTP: `{columns, row_count, edition, rows}`, each row an array, numbers exact.
///
/// # Errors
/// A type of column that has no text.
pub fn answer_as_json(answer: Answer) -> Result<Vec<u8>, ArrowError> {
    let chunks = json(answer).map_err(|_| ArrowError::JsonError("the columns".into()))?;
    Ok(chunks.collect::<Result<Vec<Bytes>, ArrowError>>()?.concat())
}

/// An answer in CSV, as over HTTP: exact numbers, an empty text quoted and a null not, no text that a spreadsheet computes.
///
/// # Errors
/// A type of column that has no text.
pub fn answer_as_csv(answer: Answer) -> Result<Vec<u8>, ArrowError> {
    Ok(csv(answer).collect::<Result<Vec<Bytes>, ArrowError>>()?.concat())
}

fn internal(error: &ArrowError) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "an answer could not be written");
    Problem::internal()
}

/// The rows in pieces small enough to be written without keeping others waiting.
fn pieces(batches: Vec<RecordBatch>) -> impl Iterator<Item = RecordBatch> + Send {
    batches.into_iter().flat_map(|batch| {
        let rows = batch.num_rows();
        (0..rows).step_by(CHUNK).map(move |at| batch.slice(at, CHUNK.min(rows - at)))
    })
}

fn json(answer: Answer) -> Result<impl Iterator<Item = Result<Bytes, ArrowError>> + Send, Problem> {
    let head = Head {
        columns: render::columns(&answer.schema),
        row_count: answer.row_count(),
        edition: answer.edition,
        notes: answer.notes.clone(),
        rows: Vec::new(),
    };
    let mut head = serde_json::to_vec(&head).map_err(|_| Problem::internal())?;
    // `rows` is the last member and empty: the rows go before its closing bracket.
    head.truncate(head.len() - b"]}".len());
    let mut first = true;
    let rows = pieces(answer.batches).map(move |piece| {
        let mut out = Vec::new();
        render::json_rows(&mut out, &piece, &mut first)?;
        Ok(Bytes::from(out))
    });
    Ok(std::iter::once(Ok(Bytes::from(head))).chain(rows).chain(std::iter::once(Ok(Bytes::from_static(b"\n]}\n")))))
}

fn csv(answer: Answer) -> impl Iterator<Item = Result<Bytes, ArrowError>> + Send {
    let mut head = Vec::new();
    render::csv_header(&mut head, &answer.schema);
    let rows = pieces(answer.batches).map(|piece| {
        let mut out = Vec::new();
        render::csv_rows(&mut out, &piece)?;
        Ok(Bytes::from(out))
    });
    std::iter::once(Ok(Bytes::from(head))).chain(rows)
}

fn stream(answer: &Answer) -> Result<impl Iterator<Item = Result<Bytes, ArrowError>> + Send + use<>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &answer.schema)?;
    let pieces = pieces(answer.batches.clone()).map(Some).chain(std::iter::once(None));
    Ok(pieces.map(move |piece| {
        match piece {
            Some(piece) => writer.write(&piece)?,
            None => writer.finish()?,
        }
        Ok(Bytes::from(std::mem::take(writer.get_mut())))
    }))
}

fn file(answer: &Answer) -> Option<Vec<u8>> {
    let write = || -> Result<Vec<u8>, parquet::errors::ParquetError> {
        let zstd = Compression::ZSTD(ZstdLevel::try_new(3)?);
        let properties = WriterProperties::builder().set_compression(zstd).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&answer.schema), Some(properties))?;
        for batch in &answer.batches {
            writer.write(batch)?;
        }
        writer.into_inner()
    };
    write()
        .map_err(|error| tracing::error!(error = &error as &dyn std::error::Error, "Parquet could not be written"))
        .ok()
}
