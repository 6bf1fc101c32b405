//! `as_known_on`: editions published while a country reports, each recomputed from the events below its cut when all of it is known.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, TimeDelta};
use disclosure::{Head, Remembered, Vault};
use lake::{EditionInfo, Published};
use ledger::VaultStore;
use models::edition::{self, DIMENSIONS, KeptReference, Manifest};
use models::{RefreshOptions, Snapshot};
use sample::{Feed, Feedline};
use serde_json::json;
use uuid::Uuid;

use crate::road::{Batches, Place, append};
use crate::{Measured, Size};

/// Editions, and so the dates of which something was known.
const EDITIONS: usize = 12;
/// What the vault's memory is bound to here.
const FINGERPRINT: &str = "measured";

/// Measures.
pub async fn measure(scratch: &Path, size: Size) -> Result<Measured> {
    let began = Instant::now();
    let known = Known { place: Place::new(&scratch.join("known"))?, vault: scratch.join("known-vault.db") };
    let lines: Vec<Feedline> = Feed::new(size.world()).collect();
    let (mut editions, mut words, mut day) = (Vec::new(), 0, NaiveDate::MIN);
    for part in lines.chunks(lines.len().div_ceil(EDITIONS)) {
        known.arrive(part).await?;
        words += known.place.link().await?;
        day = day.max(last_day(part)?);
        let memory = known.memory(&editions)?;
        editions.push(known.publish(memory, day, &RefreshOptions::default()).await?);
    }
    let (mut equal, mut unequal) = (0, Vec::new());
    for info in &editions {
        if known.is_equal(info).await?.0 { equal += 1 } else { unequal.push(info.edition) }
    }
    Ok(Measured {
        value: json!(equal),
        met: equal == EDITIONS && editions.len() == EDITIONS,
        details: json!({
            "editions": editions.len(),
            "dates": editions.iter().map(|info| info.manifest["as_of"].clone()).collect::<Vec<_>>(),
            "rows": editions.iter().map(|info| info.rows).sum::<u64>(),
            "events": lines.len(),
            "words_of_linkage": words,
            "not_equal": unequal,
            "seconds": began.elapsed().as_secs(),
        }),
    })
}

/// The day in Pakistan on which the last of these lines came.
fn last_day(part: &[Feedline]) -> Result<NaiveDate> {
    let ms = part.iter().map(|line| line.log_timestamp_ms).max().unwrap_or_default();
    let at = DateTime::from_timestamp_millis(ms).context("the log's time is a time")?;
    Ok((at + TimeDelta::hours(5)).date_naive())
}

/// A country whose editions are published, with the vault's memory.
pub struct Known {
    pub place: Place,
    pub vault: std::path::PathBuf,
}

impl Known {
    /// Brings lines into the lake.
    pub async fn arrive(&self, part: &[Feedline]) -> Result<()> {
        append(&mut self.place.log.sink()?, part.iter().cloned())?;
        self.place.ingest(self.place.log.source()?, Batches::default()).await?;
        Ok(())
    }

    /// The vault's memory, as the last edition left it; made where there is none.
    pub fn memory(&self, editions: &[EditionInfo]) -> Result<VaultStore> {
        let Some(last) = editions.last() else { return Ok(VaultStore::create(&self.vault, FINGERPRINT)?) };
        Ok(VaultStore::open(&self.vault, FINGERPRINT, ledger_of(last)?[1])?)
    }

    /// Publishes the next edition of what the lake holds.
    pub async fn publish(&self, store: VaultStore, as_of: NaiveDate, options: &RefreshOptions) -> Result<EditionInfo> {
        let (snapshot, _) = self.place.refresh(options).await?;
        let vault = Vault::open(Arc::clone(&self.place.policy), &self.place.keys, Box::new(store))?;
        let mut published = Published::open_or_create(&self.place.store, &DIMENSIONS).await?;
        let manifest = manifest(&snapshot, as_of);
        let source = snapshot.source(&self.place.policy);
        Ok(edition::publish(&mut published, &source, &vault, manifest, as_of, Uuid::new_v4()).await?)
    }

    /// Whether the events below an edition's cut make the same marts and the same rows again, and how many persons were erased since.
    pub async fn is_equal(&self, info: &EditionInfo) -> Result<(bool, u64)> {
        let options = RefreshOptions { below: Some(Manifest::below(&info.manifest)), ..RefreshOptions::default() };
        let (snapshot, _) = self.place.refresh(&options).await?;
        let [before, after] = ledger_of(info)?;
        let mut store = VaultStore::open(&self.vault, FINGERPRINT, after)?;
        let copy = Remembered::copy(&mut store, before)?;
        let vault = Vault::open(Arc::clone(&self.place.policy), &self.place.keys, Box::new(copy))?;
        let as_of = Manifest::as_of_of(&info.manifest).context("an edition has a date")?;
        let history = edition::earlier(&mut Published::open(&self.place.store), info.edition).await?;
        let again = edition::recompute(info, &snapshot.source(&self.place.policy), &vault, as_of, &history)?;
        let equal = again.equal() && json!(snapshot.hashes()) == info.manifest["marts"];
        Ok((equal, snapshot.info().erased_since))
    }
}

fn ledger_of(info: &EditionInfo) -> Result<[Head; 2]> {
    Manifest::ledger_of(&info.manifest).context("an edition says where the vault's memory stood")
}

fn manifest(snapshot: &Snapshot, as_of: NaiveDate) -> Manifest {
    let cut = snapshot.cut().into_iter().map(|(id, next)| (format!("{}/{}", id.log_stream, id.partition), next));
    Manifest {
        as_of,
        published_at: format!("{as_of}T00:00:00Z"),
        embargo_until: None,
        synthetic: true,
        cut: cut.collect(),
        lake_version: snapshot.lake_version(),
        marts: snapshot.hashes(),
        reference: KeptReference::default(),
        sql: snapshot.sql_hash().to_owned(),
        policy: snapshot.policy_hash().to_owned(),
        methodology: "measured".to_owned(),
        key_fingerprint: FINGERPRINT.to_owned(),
        ledger: Default::default(),
    }
}
