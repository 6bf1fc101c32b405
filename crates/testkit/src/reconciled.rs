//! `reconcile`: what the lake of a store holds, by status and reason, and whether each offset read has exactly one row.

use std::path::Path;

use anyhow::Result;
use lake::{Events, Store};
use serde_json::{Map, json};

use crate::Measured;

/// Measures.
pub async fn measure(data: &Path) -> Result<Measured> {
    let snapshot = Events::open(&Store::local(data)?, "figures").await?.snapshot()?;
    let found = ingest::reconcile(&snapshot).await?;
    let rows: Map<_, _> = found
        .rows()
        .into_iter()
        .map(|((lane, status, reason), rows)| (format!("{lane} {status} {reason}").trim().to_owned(), json!(rows)))
        .collect();
    let whole = found.is_whole();
    Ok(Measured { value: json!(found.partitions.len()), met: whole, details: json!({"whole": whole, "rows": rows}) })
}
