//! The reference tables of an edition, kept beside it: areas, populations, courts, agencies and codes as they were
//! known below its cut.
//!
//! They are written before the edition, whose manifest names their version and hashes: who sees the edition finds them. Those of an
//! edition that was not published after all are named by nobody. Absent: what is in them (`crate::reference`).

use chrono::NaiveDate;
use lake::Published;
use serde_json::json;
use uuid::Uuid;

use super::EditionError;
use super::as_of::AsOf;
use super::calendar::EditionSource;
use super::manifest::KeptReference;
use crate::reference::OpenTable;

/// The version under which the tables of an edition lie; later editions sort behind earlier ones.
pub(super) fn version(edition: i64, id: Uuid) -> String {
    format!("{edition:010}-{}", id.simple())
}

/// Writes the tables of a Snapshot as of a date.
pub(super) async fn keep<S>(
    published: &Published,
    source: &S,
    as_of: NaiveDate,
    version: &str,
) -> Result<KeptReference, EditionError>
where
    S: EditionSource,
    S::Error: std::fmt::Display,
{
    let reference = source.reference().map_err(|error| EditionError::Microdata(error.to_string()))?;
    let years = AsOf::new(as_of)?.years();
    let mut kept = KeptReference { version: version.to_owned(), ..KeptReference::default() };
    for OpenTable { name, description, columns, rows } in reference.tables(years.first.into()..=years.last.into()) {
        let schema = rows.schema();
        let columns: Vec<_> = schema.fields().iter().map(|field| field.name()).zip(columns).collect();
        let said = json!({"description": description, "columns": columns});
        published.keep_reference(name, version, &rows, said).await?;
        let hash = lake::canonical::hash(&schema, std::slice::from_ref(&rows))?.to_hex().to_string();
        kept.tables.insert(name.to_owned(), hash);
    }
    Ok(kept)
}
