//! `maintenance`: compaction, checkpoints, expiry of nothing, vacuum and log clean-up, while a writer appends and readers
//! count.
//!
//! A writer commits small files to a date that ends in the middle of the run and to the next. A maintainer does its
//! rounds one after the other, all daily work in each, with a retention of seconds instead of days (and above the age of
//! any batch and read here, as seven days are above theirs). Two readers open the newest version, again and again, and
//! read all of it: they must find exactly the offsets below its cut. A third keeps versions open and reads them again
//! after maintenance went over them: the same rows, by hash; and so must the newest version give the same rows below an
//! old cut.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use futures::TryStreamExt as _;
use lake::maintain::{Did, Fingerprint, Lease, Maintainer, Now, Round, Rules};
use lake::{Events, EventsSnapshot, RowFilter, Store};
use serde_json::json;

use crate::Measured;
use crate::lakes;

const FIRST_DATE: i32 = 20_000;
/// Commits of the writer, half to each date.
const COMMITS: i64 = 600;
/// Rows of each.
const ROWS: i64 = 400;
/// What vacuum keeps.
const KEPT: Duration = Duration::from_secs(20);

/// What the parts of the measurement tell each other.
#[derive(Default)]
struct Shared {
    /// The writer's date.
    second_date: AtomicBool,
    written: AtomicBool,
    reads: AtomicU64,
    wrong: AtomicU64,
    errors: AtomicU64,
    most_files: AtomicU64,
    first_error: OnceLock<String>,
}

/// Measures.
pub async fn measure(scratch: &Path) -> Result<Measured> {
    let store = Store::local(scratch.join("maintenance"))?;
    let mut events = Events::open_or_create(&store, "w").await?;
    let claim = events.claim(&[lakes::partition()]).await?[&lakes::partition()];
    let shared = Arc::new(Shared::default());
    let writer = tokio::spawn(write(events, claim, Arc::clone(&shared)));
    let readers: Vec<_> = (0..2).map(|_| tokio::spawn(read(store.clone(), Arc::clone(&shared)))).collect();
    let keeper = tokio::spawn(read_again(store.clone(), Arc::clone(&shared)));
    let did = maintain(&store, &shared).await?;
    writer.await??;
    for reader in readers {
        reader.await??;
    }
    let compared = keeper.await??;
    let last = Events::open(&store, "end").await?.snapshot()?;
    let (wrong, errors) = (shared.wrong.load(Ordering::Relaxed), shared.errors.load(Ordering::Relaxed));
    let most = shared.most_files.load(Ordering::Relaxed);
    let whole = offsets_of(&last, i64::MAX).await? == COMMITS * ROWS;
    // Per date: three size classes of at most 32 files and what arrives during a round.
    let met = wrong == 0 && errors == 0 && whole && did.files_replaced > 0 && did.files_vacuumed > 0 && most < 200;
    Ok(Measured {
        value: json!(wrong + errors + u64::from(!whole)),
        met,
        details: json!({
            "commits": COMMITS, "rows": COMMITS * ROWS, "reads_of_the_newest_version": shared.reads.load(Ordering::Relaxed),
            "reads_with_other_rows": wrong, "readers_errors": errors, "old_cuts_compared_by_hash": compared,
            "files_written": COMMITS, "most_files_of_a_date": most, "files_at_the_end": last.files.len(),
            "first_error": shared.first_error.get(), "maintenance": did,
        }),
    })
}

async fn write(mut events: Events, claim: i64, shared: Arc<Shared>) -> Result<()> {
    for n in 0..COMMITS {
        let second = n >= COMMITS / 2;
        shared.second_date.store(second, Ordering::Relaxed);
        let (from, to) = (n * ROWS, (n + 1) * ROWS);
        let date = FIRST_DATE + i32::from(second);
        let written = lakes::write(&events, date, from..to).await?;
        lakes::commit(&mut events, &lakes::batch(from, to, claim, written)).await?;
    }
    shared.written.store(true, Ordering::Relaxed);
    Ok(())
}

/// Rounds until the writer is done, and until what it left has been compacted and its old files have gone.
async fn maintain(store: &Store, shared: &Shared) -> Result<Did> {
    let mut lease = Lease::new(store, "m");
    let kept = i64::try_from(KEPT.as_millis())?;
    let rules = Rules { vacuum_after_ms: kept, log_kept_ms: kept, purge_after_ms: kept, ..Rules::default() };
    let mut maintainer = Maintainer::open(store, "m", lease.number(), rules).await?;
    let (began, mut ended) = (Instant::now(), None);
    let mut did = Did::default();
    while ended.is_none_or(|ended: Instant| ended.elapsed() < KEPT + Duration::from_secs(5)) {
        lease.keep(began.elapsed(), 0).await?;
        let done = shared.written.load(Ordering::Relaxed);
        let today = FIRST_DATE + i32::from(shared.second_date.load(Ordering::Relaxed)) + i32::from(done);
        let unix_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let round = Round {
            now: Now { unix_ms, today },
            staged: None,
            keep_from: Some(FIRST_DATE),
            all: true,
            before: Did::default(),
        };
        let (round, _) = maintainer.round(round, |_, _| {}).await?;
        did += round;
        let snapshot = maintainer.events().snapshot()?;
        for date in [FIRST_DATE, FIRST_DATE + 1] {
            let files = snapshot.files.iter().filter(|file| file.ingest_date == date).count() as u64;
            shared.most_files.fetch_max(files, Ordering::Relaxed);
        }
        if done && ended.is_none() {
            ended = Some(Instant::now());
        }
    }
    shared.written.store(true, Ordering::Release);
    Ok(did)
}

/// Opens the newest version again and again and reads all of it.
async fn read(store: Store, shared: Arc<Shared>) -> Result<()> {
    let mut events = Events::open(&store, "r").await?;
    while !shared.written.load(Ordering::Acquire) {
        let look = async {
            events.refresh().await?;
            let snapshot = events.snapshot()?;
            let next = snapshot.cut.get(&lakes::partition()).copied().unwrap_or(0);
            Ok::<_, anyhow::Error>((offsets_of(&snapshot, i64::MAX).await?, next))
        };
        match look.await {
            Ok((rows, next)) if rows == next => {}
            Ok(_) => drop(shared.wrong.fetch_add(1, Ordering::Relaxed)),
            Err(error) => {
                shared.errors.fetch_add(1, Ordering::Relaxed);
                shared.first_error.get_or_init(|| format!("{error:#}"));
            }
        }
        shared.reads.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Distinct offsets below one; the number of rows when each is there once, -1 when one is there twice.
async fn offsets_of(snapshot: &EventsSnapshot, below: i64) -> Result<i64> {
    use arrow::array::AsArray as _;
    let mut offsets = Vec::new();
    for file in snapshot.files.iter() {
        let batches: Vec<_> = snapshot.read(file, &["log_offset"])?.try_collect().await?;
        for batch in batches {
            offsets.extend(batch.column(0).as_primitive::<arrow::datatypes::Int64Type>().values().iter().copied());
        }
    }
    offsets.retain(|offset| *offset < below);
    let rows = offsets.len();
    offsets.sort_unstable();
    offsets.dedup();
    Ok(if offsets.len() == rows { i64::try_from(rows)? } else { -1 })
}

/// Keeps a version, reads it once more after maintenance went over it, and holds the newest version below its cut against
/// it. Gives how many cuts were compared.
async fn read_again(store: Store, shared: Arc<Shared>) -> Result<u64> {
    let mut events = Events::open(&store, "k").await?;
    let mut compared = 0;
    while !shared.written.load(Ordering::Acquire) {
        events.refresh().await?;
        let kept = events.snapshot()?;
        let Some(cut) = kept.cut.get(&lakes::partition()).copied() else { continue };
        let before = hash(&kept, cut).await?;
        let began = Instant::now();
        while began.elapsed() < KEPT / 4 && !shared.written.load(Ordering::Acquire) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        events.refresh().await?;
        let (again, newest) = (hash(&kept, cut).await?, hash(&events.snapshot()?, cut).await?);
        if again != before || newest != before {
            shared.wrong.fetch_add(1, Ordering::Relaxed);
        }
        compared += 1;
    }
    ensure!(compared > 0, "no cut was compared");
    Ok(compared)
}

/// All columns of all rows below an offset, whatever their order.
async fn hash(snapshot: &EventsSnapshot, below: i64) -> Result<(u64, u128)> {
    let schema = lake::events::schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let filter = RowFilter::Offsets { partition: lakes::partition(), from: 0, to: below };
    let mut found = Fingerprint::new(&schema)?;
    for file in snapshot.files.iter() {
        let mut batches = snapshot.read_where(file, &names, &filter)?;
        while let Some(batch) = batches.try_next().await? {
            found.add(&batch)?;
        }
    }
    Ok(found.get())
}
