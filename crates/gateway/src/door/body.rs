//! The body of a request: taken in by bounded time and memory, and its coding undone within a bound of its own, so that a small body
//! that becomes a large one ends as 413 and not as memory.

use std::io::Read;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures::StreamExt;

use super::hold::Hold;
use super::problem::{Kind, Problem};
use super::settings::Limits;

/// Bytes that are undone at once.
const STEP: usize = 64 << 10;

/// The largest window of zstd that is accepted, as a power of two: 8 MiB (RFC 9659, section 3).
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// By `Content-Encoding`.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut all = headers.get_all(header::CONTENT_ENCODING).iter();
        let named = match (all.next(), all.next()) {
            (None, _) => return Ok(Self::Identity),
            (Some(one), None) => one.to_str().unwrap_or("?").trim().to_ascii_lowercase(),
            _ => "several".to_owned(),
        };
        match named.as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(Problem::new(
                Kind::UnsupportedCoding,
                "`Content-Encoding` names a coding that is not read, or several.",
                "Send the body as it is, or in one coding: gzip or zstd.",
            )),
        }
    }
}

/// Takes a body in.
pub(crate) async fn arrive(
    body: Body,
    headers: &HeaderMap,
    limits: &Limits,
    hold: &mut Hold,
) -> Result<Vec<u8>, Problem> {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > limits.body_bytes) {
        return Err(too_large(limits));
    }
    hold.take(said.unwrap_or(0))?;
    let whole = tokio::time::timeout(limits.arrival, gather(body, said.unwrap_or(0), limits, hold)).await;
    whole.unwrap_or_else(|_| {
        Err(Problem::new(
            Kind::RequestTimeout,
            format!("The body was not whole after {} s.", limits.arrival.as_secs()),
            "Send less at once, or compress it with gzip or zstd.",
        ))
    })
}

async fn gather(body: Body, said: usize, limits: &Limits, hold: &mut Hold) -> Result<Vec<u8>, Problem> {
    let mut whole = Vec::with_capacity(said);
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part: Bytes = part.map_err(|_| {
            let what = "The connection ended within the body, or its length is not the one that was said.";
            Problem::new(Kind::Malformed, what, "Send the request again, whole.")
        })?;
        if whole.len() + part.len() > limits.body_bytes {
            return Err(too_large(limits));
        }
        hold.take((whole.len() + part.len()).saturating_sub(whole.len().max(said)))?;
        whole.extend_from_slice(&part);
    }
    Ok(whole)
}

/// Undoes the coding of a body.
pub(crate) fn decode(coding: Coding, body: Vec<u8>, limits: &Limits, hold: &mut Hold) -> Result<Vec<u8>, Problem> {
    match coding {
        Coding::Identity => Ok(body),
        Coding::Gzip => undo(flate2::bufread::MultiGzDecoder::new(&body[..]), limits, hold),
        Coding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(&body[..]).map_err(|_| broken())?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|_| broken())?;
            undo(decoder, limits, hold)
        }
    }
}

fn undo(mut decoder: impl Read, limits: &Limits, hold: &mut Hold) -> Result<Vec<u8>, Problem> {
    let mut whole = Vec::new();
    loop {
        let before = whole.len();
        let step = STEP.min(limits.decoded_bytes + 1 - before);
        hold.take(step)?;
        whole.resize(before + step, 0);
        let count = decoder.read(&mut whole[before..]).map_err(|_| broken())?;
        whole.truncate(before + count);
        hold.spare(step - count);
        if count == 0 {
            return Ok(whole);
        }
        if whole.len() > limits.decoded_bytes {
            return Err(Problem::new(
                Kind::BodyTooLarge,
                format!("The body has more than {} bytes when its coding is undone.", limits.decoded_bytes),
                "Send it in several requests.",
            ));
        }
    }
}

fn too_large(limits: &Limits) -> Problem {
    let detail = format!("The body has more than {} bytes.", limits.body_bytes);
    Problem::new(Kind::BodyTooLarge, detail, "Send it in several requests, or compress it with gzip or zstd.")
}

fn broken() -> Problem {
    Problem::new(
        Kind::Malformed,
        "The body is not in the coding that `Content-Encoding` names, is cut short, or needs a window of more than 8 MiB.",
        "Compress it again and send it whole, or send it as it is without `Content-Encoding`.",
    )
}
