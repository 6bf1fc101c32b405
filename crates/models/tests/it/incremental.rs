//! A refresh over what is new makes the marts of a rebuild, byte for byte, however the log was cut (models.md 2, 6).

use std::sync::Arc;
use std::time::Duration;

use eventlog::simulated::{ManualClock, SimulatedLog};
use eventlog::{EventSink as _, Outgoing};
use ingest::{CountedIds, Worker, WorkerConfig};
use lake::{Events, Store, StoreKind, folder};
use models::reference::Reference;
use models::{Layering, Memory, RefreshOptions, RefreshReport, Snapshot, refresh};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sample::tangle::{self, LOG_MS, Line};

use crate::road::{PLANS, StillClock};
use crate::support::{keys, policy};

/// The id of the log.
pub const LOG: &str = "test#0";

/// A lake that grows.
pub struct Growing {
    pub store: Store,
    log: SimulatedLog,
    _dir: tempfile::TempDir,
}

impl Growing {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = SimulatedLog::new("test", 1, ManualClock::at(LOG_MS));
        Self { store: crate::stores::at(dir.path()), log, _dir: dir }
    }

    pub async fn ingest(&self, lines: &[Line]) {
        let mut sink = self.log.sink();
        for line in lines {
            let headers: Vec<(&str, &[u8])> =
                line.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            let (key, value) = (Some(line.key.as_bytes()), Some(line.value.as_bytes()));
            let out = Outgoing { key, headers: &headers, value, timestamp_ms: LOG_MS };
            sink.append(&eventlog::stream_name(line.agency), &[out]).unwrap();
        }
        self.drain().await;
    }

    /// The steward says something.
    pub async fn tell(&self, said: &events::encode::Encoded) {
        let headers = said.header_slices();
        let out = Outgoing { key: Some(&said.key), headers: &headers, value: Some(&said.value), timestamp_ms: LOG_MS };
        self.log.sink().append(&eventlog::stream_name(models::people::STEWARD), &[out]).unwrap();
        self.drain().await;
    }

    async fn drain(&self) {
        let mut config = WorkerConfig::new(StoreKind::Sample);
        config.poll_wait = Duration::from_millis(1);
        let events = Events::open_or_create(&self.store, "test").await.unwrap();
        let ids = Arc::new(CountedIds::new(events.lake_version() + 1));
        let clock = Arc::new(StillClock);
        let mut worker = Worker::new(self.log.source(), events, policy(), keys(), config, clock, ids);
        worker.drain().await.unwrap();
    }

    pub async fn refresh(&self, options: &RefreshOptions) -> (Snapshot, RefreshReport) {
        let events = Events::open(&self.store, "reader").await.unwrap().snapshot().unwrap();
        refresh(&self.store, &events, &policy(), &keys(), options).await.unwrap()
    }
}

/// Whatever is new, it is worked on alone; layers are laid together at one length or another.
pub fn layering(most: usize) -> Layering {
    Layering { new_per_mille: u64::MAX / 1_000_000, grown_per_mille: u64::MAX / 1_000_000, most }
}

pub fn surrogate(agency: &str, token: &str) -> [u8; 16] {
    policy::person_surrogate(&keys(), agency, token)
}

/// Nothing is held between models, and tables are dealt a few rows at a time.
const TIGHT: Memory = Memory { held_bytes: 0, rows_at_once: 7 };

async fn is_as_rebuilt(seed: u64, cuts: &[usize], most: usize, thorough: bool) -> Result<(), TestCaseError> {
    let lines = tangle::lines(seed, 60, LOG, &surrogate);
    let growing = Growing::new();
    let (layering, plans) = (layering(most), PLANS.clone());
    let memory = if seed.is_multiple_of(2) { TIGHT } else { Memory::default() };
    let step = RefreshOptions { layering, plans, thorough, memory, ..RefreshOptions::default() };
    let mut from = 0;
    for cut in cuts.iter().copied().chain([lines.len()]) {
        let to = cut.clamp(from, lines.len());
        growing.ingest(&lines[from..to]).await;
        let (first, from_before) = (from == 0, growing.refresh(&step).await);
        prop_assert!(first || from_before.1.unchanged || from_before.1.records_changed.is_some(), "it went on");
        let opened = Snapshot::open_latest(&growing.store).await.unwrap().unwrap();
        prop_assert_eq!(opened.hashes(), from_before.0.hashes());
        from = to;
    }
    let (stepwise, told) = growing.refresh(&step).await;
    let folded = growing.refresh(&RefreshOptions { force: true, memory: TIGHT, ..step.clone() }).await;
    prop_assert_eq!(stepwise.hashes(), folded.0.hashes(), "all records, over the layers as they lie, little at a time");
    let rebuilt = growing.refresh(&RefreshOptions { rebuild: true, ..step }).await;
    prop_assert_eq!(stepwise.hashes(), rebuilt.0.hashes());
    prop_assert_eq!(&told.stage, &rebuilt.1.stage);
    let last = Snapshot::open_latest(&growing.store).await.unwrap().unwrap();
    for mart in stepwise.hashes().keys().filter(|name| policy().datasets.get(name).is_some()) {
        prop_assert!(stepwise.microdata(mart, &policy()).unwrap() == last.microdata(mart, &policy()).unwrap());
    }
    prop_assert_eq!(Reference::of(&stepwise, &policy()).unwrap(), Reference::of(&last, &policy()).unwrap());
    Ok(())
}

/// What a refresh that was killed leaves is what it had finished; folders are finished in the order staged, states, marts.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_was_killed_anywhere_is_gone_on_from() {
    let lines = tangle::lines(5, 80, LOG, &surrogate);
    let step = RefreshOptions { layering: layering(2), plans: PLANS.clone(), ..RefreshOptions::default() };
    for lost in [&["lake/marts"][..], &["lake/marts", "lake/states"], &["lake/marts", "lake/states", "lake/staged"]] {
        let growing = Growing::new();
        for part in lines.chunks(16) {
            growing.ingest(part).await;
            growing.refresh(&step).await;
            for parent in lost {
                let last = folder::latest(&growing.store, parent).await.unwrap().unwrap();
                folder::remove(&growing.store, parent, &last.name).await.unwrap();
            }
            let again = growing.refresh(&step).await.0.hashes();
            let opened = Snapshot::open_latest(&growing.store).await.unwrap().unwrap();
            assert_eq!(opened.hashes(), again);
        }
        let stepwise = growing.refresh(&step).await.0.hashes();
        let rebuilt = growing.refresh(&RefreshOptions { rebuild: true, ..step.clone() }).await.0.hashes();
        assert_eq!(stepwise, rebuilt, "after {lost:?} were lost");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_log_refreshed_in_any_parts_is_the_log_rebuilt(
        seed in any::<u64>(),
        mut cuts in proptest::collection::vec(1_usize..60, 1..6),
        most in 1_usize..4,
    ) {
        cuts.sort_unstable();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(is_as_rebuilt(seed, &cuts, most, seed % 4 == 0))?;
    }
}
