//! `erasure`: persons are erased from a data directory, and every byte of it is searched for them, at once and when everything that is
//! held for a time has ended.
//!
//! A country reports, is linked, and is published. Then the steward orders a hundred persons erased, under every id that they are
//! known by; the country goes on reporting, of them too. The clock is an argument of maintenance, so the months that follow are days.

mod search;

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use eventlog::{EventSink as _, Outgoing, Partition};
use events::code_list;
use futures::TryStreamExt;
use ingest::Eraser;
use lake::EditionInfo;
use lake::maintain::{Did, Lease, Maintainer, Now, Round, Rules};
use models::edition::Manifest;
use models::people::{self, STEWARD};
use models::{InUse, Orders, RefreshOptions};
use policy::Erased;
use sample::{Feed, Feedline};
use serde_json::{Value, json};

use crate::known::Known;
use crate::road::{Place, as_of};
use crate::{Measured, Size};
use search::{Found, Needles, search};

/// Persons who are erased.
const PERSONS: usize = 100;
/// When the order is given, microseconds: the clock of ingest in all measurements.
const ORDERED_US: i64 = 1_800_000_000_000_000;
const DAY_MS: i64 = 86_400_000;
/// Days after which it is looked again: what was replaced is gone, the embedded log, set-aside bytes; the log of the table.
const DAYS: [i64; 4] = [2, 9, 92, 125];
/// How long the embedded log and set-aside bytes are kept, days.
const LOG_DAYS: i32 = 7;
const SET_ASIDE_DAYS: i32 = 90;

/// Measures.
pub async fn measure(scratch: &Path, size: Size) -> Result<Measured> {
    let began = Instant::now();
    let root = scratch.join("erasure");
    let known = Known { place: Place::new(&root)?, vault: root.join("vault.db") };
    let lines: Vec<Feedline> = Feed::new(size.world()).collect();
    let (before, after) = lines.split_at(lines.len() * 9 / 10);
    known.arrive(before).await?;
    known.place.link().await?;
    let first = known.publish(known.memory(&[])?, as_of(), &RefreshOptions::default()).await?;
    let rows_of_first = published(&root)?;

    let chosen = Chosen::of(&known.place).await?;
    let needles = chosen.needles(&known.place, &lines)?;
    let held = search(&root, &known.place.log, &needles)?;
    order(&known.place, &chosen.ids)?;
    let mut after = after.chunks(after.len().div_ceil(DAYS.len() + 1));
    known.arrive(after.next().context("the country goes on reporting")?).await?;

    let mut world = World { known: &known, maintainer: None, first: &first };
    let mut looks = vec![json!({"day": "before the order", "found": told(&held)})];
    world.turn(0).await?;
    let at_once = search(&root, &known.place.log, &needles)?;
    looks.push(json!({"day": 0, "found": told(&at_once)}));
    let mut left = at_once;
    for day in DAYS {
        known.arrive(after.next().unwrap_or_default()).await?;
        world.turn(day).await?;
        left = search(&root, &known.place.log, &needles)?;
        looks.push(json!({"day": day, "found": told(&left)}));
    }
    let sids = world.sids_left(&chosen.ids).await?;
    let unchanged = published(&root)?.is_superset(&rows_of_first);
    let (equal, since) = known.is_equal(&first).await?;
    let second = known.publish(known.memory(std::slice::from_ref(&first))?, as_of(), &world.options()).await?;
    let (second_equal, second_since) = known.is_equal(&second).await?;
    let occurrences: u64 = left.values().sum();
    let says_why = !equal && since == chosen.ids.len() as u64;
    let met = occurrences == 0 && sids == 0 && unchanged && says_why && second_equal && second_since == 0;
    Ok(Measured {
        value: json!(occurrences),
        met: met && !held.is_empty(),
        details: json!({
            "persons": PERSONS,
            "ids": chosen.ids.len(),
            "tokens_and_surrogates_searched_for": needles.len(),
            "left_out_since_others_bear_them_too": needles.shared,
            "looks": looks,
            "rows_of_open_marts": sids,
            "published_files_unchanged": unchanged,
            "first_edition_recomputed": {"equal": equal, "persons_erased_since": since},
            "second_edition_recomputed": {"equal": second_equal, "persons_erased_since": second_since},
            "events": lines.len(),
            "seconds": began.elapsed().as_secs(),
        }),
    })
}

fn told(found: &Found) -> Value {
    json!(found)
}

/// Names and bytes of the files of editions.
fn published(root: &Path) -> Result<BTreeSet<(String, Vec<u8>)>> {
    let mut files = BTreeSet::new();
    search::each_file(&root.join("lake/published"), &mut |path| {
        let name = path.display().to_string();
        if name.ends_with(".parquet") || name.contains("/editions/") {
            files.insert((name, std::fs::read(path)?));
        }
        Ok(())
    })?;
    ensure!(!files.is_empty(), "there is an edition");
    Ok(files)
}

/// Who is erased.
struct Chosen {
    /// Every id of every one of them.
    ids: Vec<[u8; 16]>,
}

impl Chosen {
    /// Persons of the marts' units, half of them known to several agencies.
    async fn of(place: &Place) -> Result<Self> {
        let (events, mut roots) = (place.events().await?, BTreeSet::new());
        let mut ids = BTreeSet::new();
        let named = persons(place).await?;
        for person in &named {
            if roots.len() == PERSONS {
                break;
            }
            if ids.contains(person) {
                continue;
            }
            let mut all = people::counted_as_one(&place.store, &events, &place.policy, *person, 2).await?;
            let (Some(all), true) = (all.pop(), all.is_empty()) else { continue };
            // Every second one is known under several ids.
            if roots.len() % 2 == 0 && all.len() < 2 {
                continue;
            }
            roots.insert(*person);
            ids.extend(all);
        }
        ensure!(roots.len() == PERSONS, "the country has so many persons");
        Ok(Self { ids: ids.into_iter().collect() })
    }

    /// Their tokens and surrogates, but for those that others bear too.
    fn needles(&self, place: &Place, lines: &[Feedline]) -> Result<Needles> {
        let ids: HashSet<[u8; 16]> = self.ids.iter().copied().collect();
        let (mut theirs, mut of_others) = (HashSet::new(), HashSet::new());
        for line in lines {
            let headers = line.header_slices();
            let message = events::Message { key: line.key.as_deref(), headers: &headers, value: Some(&line.value) };
            let Ok(event) = events::decode(&message, &events::Limits::default()) else { continue };
            let Some(first) = event.tokens.first() else { continue };
            let surrogate = |token: &str| policy::person_surrogate(&place.keys, event.agency, token);
            let into = if ids.contains(&surrogate(first.token)) { &mut theirs } else { &mut of_others };
            for token in &event.tokens {
                into.insert(search::Needle::Token(token.token.to_owned()));
                into.insert(search::Needle::Surrogate(surrogate(token.token)));
            }
        }
        theirs.extend(self.ids.iter().map(|id| search::Needle::Surrogate(*id)));
        Needles::new(theirs, &of_others)
    }
}

/// The persons whom events are about, in order of their ids.
async fn persons(place: &Place) -> Result<BTreeSet<[u8; 16]>> {
    let events = place.events().await?;
    let mut persons = BTreeSet::new();
    for file in events.files.iter() {
        let mut rows = events.read(file, &["agency", "subject_refs"])?;
        while let Some(rows) = rows.try_next().await? {
            search::first_subjects(&rows, &mut persons);
        }
    }
    Ok(persons)
}

/// The steward's orders, on the log.
fn order(place: &Place, ids: &[[u8; 16]]) -> Result<()> {
    let basis = code_list::list("legal_basis").code("subject_request").context("a ground of the contract")?;
    let mut erased = Erased::nobody(&place.keys);
    let events: Vec<_> =
        ids.iter().map(|id| people::erasure(*id, erased.order(*id), basis, ORDERED_US, true)).collect();
    let headers: Vec<_> = events.iter().map(events::encode::Encoded::header_slices).collect();
    let messages: Vec<Outgoing<'_>> = events
        .iter()
        .zip(&headers)
        .map(|(event, headers)| Outgoing {
            key: Some(&event.key),
            headers,
            value: Some(&event.value),
            timestamp_ms: ORDERED_US / 1_000,
        })
        .collect();
    place.log.sink()?.append(&eventlog::stream_name(STEWARD), &messages)?;
    Ok(())
}

/// What `amanat up` does of a day.
struct World<'a> {
    known: &'a Known,
    maintainer: Option<(Maintainer, Lease)>,
    first: &'a EditionInfo,
}

impl World<'_> {
    fn options(&self) -> RefreshOptions {
        let (marts, cut) = (Manifest::marts_of(&self.first.manifest), Manifest::below(&self.first.manifest));
        RefreshOptions { in_use: Some(InUse { marts, cut }), ..RefreshOptions::default() }
    }

    /// A fold, maintenance, a fold, so many days after the order.
    async fn turn(&mut self, day: i64) -> Result<()> {
        let unix_ms = ORDERED_US / 1_000 + day * DAY_MS;
        let now = Now { unix_ms, today: events::calendar::karachi_day(unix_ms * 1_000) };
        self.known.place.refresh(&self.options()).await?;
        self.maintain(now).await?;
        self.known.place.refresh(&self.options()).await?;
        self.trim(now).await
    }

    async fn maintain(&mut self, now: Now) -> Result<Did> {
        let place = &self.known.place;
        if self.maintainer.is_none() {
            let lease = Lease::new(&place.store, "erasure");
            let maintainer = Maintainer::open(&place.store, "erasure", lease.number(), Rules::default()).await?;
            self.maintainer = Some((maintainer, lease));
        }
        let (maintainer, lease) = self.maintainer.as_mut().context("it was made above")?;
        lease.keep(Duration::ZERO, 0).await?;
        let orders = Orders::of(&place.events().await?, &place.keys).await?;
        let before = maintainer.erase(Eraser::new(orders.erased), [1; 32], now).await?;
        let staged = models::Snapshot::latest_lake_version(&place.store).await?;
        let round = Round { now, staged, keep_from: Some(now.today - SET_ASIDE_DAYS), all: true, before };
        Ok(maintainer.round(round, |_, _| {}).await?.0)
    }

    /// Deletes what the embedded log holds no longer.
    async fn trim(&self, now: Now) -> Result<()> {
        let (place, events) = (&self.known.place, self.known.place.events().await?);
        let recent = events.first_offsets_since(now.today - LOG_DAYS).await?;
        for (id, next) in &events.cut {
            let Some((_, stream)) = id.log_stream.rsplit_once('/') else { continue };
            let below = recent.get(id).copied().unwrap_or(*next);
            place.log.trim(&Partition::new(stream, id.partition), below)?;
        }
        place.log.shrink()?;
        Ok(())
    }

    /// Rows of erased persons in the marts that are open to questions and in the latest.
    async fn sids_left(&self, ids: &[[u8; 16]]) -> Result<u64> {
        let place = &self.known.place;
        let mut left = 0;
        let open = models::Snapshot::open_with(&place.store, &Manifest::marts_of(&self.first.manifest)).await?;
        let latest = models::Snapshot::open_latest(&place.store).await?;
        for snapshot in [open.context("the first edition's Snapshot is open")?, latest.context("there is one")?] {
            for dataset in place.policy.datasets.iter().filter(|dataset| dataset.unit == policy::Unit::Person) {
                let sid = |id: &[u8; 16]| policy::sid(&place.keys, &dataset.universe, *id);
                let theirs: HashSet<u64> = ids.iter().map(sid).collect();
                let rows = snapshot.microdata(&dataset.name, &place.policy)?;
                left += rows.sid.iter().filter(|sid| theirs.contains(*sid)).count() as u64;
            }
        }
        Ok(left)
    }
}
