//! Looking into committed rows for the first copies of event ids.
//!
//! Everything here is a pure function of one version of the table, so there is no state of a worker's own to lose
//! (ingestion.md 3.7). A file holds rows of many partitions, so it is read once for all of them. Absent: the side lane;
//! second copies are never first ones.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use events::EventType;
use futures::TryStreamExt as _;
use lake::{BatchStream, DataFile, EventsSnapshot, IdFilter, LakeError, Lane, PartitionId, RowFilter, Sought};
use uuid::Uuid;

use crate::copies::{Fingerprint, Found, Stored, Wanted};
use crate::memory::newest_first;
use crate::seal::Content;

/// Where the rows of a batch stand, from its first three columns.
pub(crate) struct Places {
    streams: StringArray,
    partitions: Int32Array,
    offsets: Int64Array,
}

impl Places {
    pub(crate) fn of(batch: &RecordBatch) -> Result<Self, LakeError> {
        Ok(Self {
            streams: text(batch.column(0))?,
            partitions: batch.column(1).as_primitive::<Int32Type>().clone(),
            offsets: batch.column(2).as_primitive::<Int64Type>().clone(),
        })
    }

    pub(crate) fn offset(&self, row: usize) -> i64 {
        self.offsets.value(row)
    }

    pub(crate) fn is(&self, row: usize, partition: &PartitionId) -> bool {
        self.partitions.value(row) == partition.partition && *self.streams.value(row) == *partition.log_stream
    }

    pub(crate) fn partition<'p>(&self, row: usize, among: &[&'p PartitionId]) -> Option<&'p PartitionId> {
        among.iter().copied().find(|partition| self.is(row, partition))
    }
}

pub(crate) fn text(column: &ArrayRef) -> Result<StringArray, LakeError> {
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

pub(crate) fn uuid(text: &str) -> Option<[u8; 16]> {
    Uuid::try_parse(text).ok().map(Uuid::into_bytes)
}

/// What earlier looks have taught about data files, which never change; by path. A cache, and no truth of its own.
#[derive(Debug, Default)]
pub(crate) struct KnownFiles {
    /// Files whose fingerprints the pipeline has already.
    learned: HashSet<String>,
    /// Ids that a file may hold. A filter says "no" for certain, and it is the only answer that is believed: so a file is read
    /// again only for an id that is there, or one time in ten thousand.
    filters: HashMap<String, IdFilter>,
    filter_bytes: usize,
}

/// Bytes that all filters together may take: enough for some ten million ids. A file beyond them is asked at every look.
const FILTER_BYTES: usize = 32 << 20;

impl KnownFiles {
    /// Whether the file holds none of the ids for certain.
    fn excludes_all(&self, file: &DataFile, ids: &[([u8; 16], String)]) -> bool {
        let filter = self.filters.get(&file.path);
        let may_hold = |(id, text): &([u8; 16], String)| {
            file.may_carry(Uuid::from_bytes(*id)) && filter.is_none_or(|filter| filter.may_hold(text))
        };
        !ids.iter().any(may_hold)
    }

    fn keep(&mut self, file: &DataFile, filter: Option<IdFilter>) {
        if let Some(filter) = filter.filter(|filter| self.filter_bytes + filter.bytes() <= FILTER_BYTES) {
            self.filter_bytes += filter.bytes();
            if let Some(before) = self.filters.insert(file.path.clone(), filter) {
                self.filter_bytes -= before.bytes();
            }
        }
    }

    /// Forgets what is known of files that the table has no longer, once there is little room for others.
    fn forget_gone(&mut self, files: &[DataFile]) {
        if self.filter_bytes > FILTER_BYTES / 2 {
            let here: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
            self.filters.retain(|path, _| here.contains(path.as_str()));
            self.filter_bytes = self.filters.values().map(IdFilter::bytes).sum();
        }
    }
}

/// Finds first rows.
pub(crate) async fn find(
    snapshot: &EventsSnapshot,
    wanted: &[Wanted],
    key: (u64, u64),
    known: &mut KnownFiles,
) -> Result<Found, LakeError> {
    let mut found = Found::default();
    let learned = look_up(snapshot, wanted, key, known, &mut found).await?;
    seek(snapshot, wanted, known, &mut found).await?;
    // Only now: of a look that failed nothing has been told.
    known.learned.extend(learned);
    Ok(found)
}

/// Reads the rows of which the window knows the place, but not the content or another one. The newest files first, until all are
/// found: copies come soon after the first row, and a file may hold a place by its statistics without holding it.
///
/// As after a start the window may know others of a file without their content: then the file is read whole, once, and its
/// fingerprints are told. Returns which files were.
async fn look_up(
    snapshot: &EventsSnapshot,
    wanted: &[Wanted],
    key: (u64, u64),
    known: &KnownFiles,
    found: &mut Found,
) -> Result<Vec<String>, LakeError> {
    let mut open: BTreeMap<(PartitionId, i64), bool> = BTreeMap::new();
    for Wanted { partition, at, learns, .. } in wanted {
        if let Some(at) = at {
            *open.entry((partition.clone(), *at)).or_default() |= learns;
        }
    }
    let mut learned = Vec::new();
    for file in newest_first(snapshot).into_iter().filter(|file| file.lane == Lane::Main) {
        let here = open.iter().filter(|((of, at), _)| file.may_hold(of, *at, at + 1));
        let (places, learns): (BTreeSet<_>, Vec<bool>) = here.map(|(place, learns)| (place.clone(), *learns)).unzip();
        if places.is_empty() {
            continue;
        }
        let whole = learns.contains(&true) && !known.learned.contains(&file.path);
        if whole {
            read_rows(snapshot.read(file, &CONTENT)?, &places, Some(key), found).await?;
            learned.push(file.path.clone());
        } else {
            // A few rows: most pages of the file, and payloads are most of it, are passed over.
            read_rows(at_places(snapshot, file, &places)?, &places, None, found).await?;
        }
        open.retain(|place, _| !(places.contains(place) && found.places.contains(place)));
    }
    Ok(learned)
}

/// The first row of an id of which only the id is known, as far as it was found.
struct Seek<'w> {
    wanted: &'w Wanted,
    /// Place of its partition among the kin (their number = the partition itself), and offset: the least is the first.
    first: Option<((usize, i64), Stored)>,
}

impl Seek<'_> {
    fn meet(&mut self, contents: &Contents, row: usize, content: &Content<'_>) {
        let Wanted { partition, kin, .. } = self.wanted;
        let mut among = kin.iter().chain([partition]).enumerate();
        let Some((rank, of)) = among.find(|(_, of)| contents.places.is(row, of)) else { return };
        let place = (rank, contents.places.offset(row));
        if self.first.as_ref().is_none_or(|(first, _)| place < *first) {
            self.first = Some((place, stored(of, place.1, content, contents.has_payload(row))));
        }
    }
}

/// Finds the first rows of the ids of which only the id is known.
async fn seek(
    snapshot: &EventsSnapshot,
    wanted: &[Wanted],
    known: &mut KnownFiles,
    found: &mut Found,
) -> Result<(), LakeError> {
    let mut by_id: HashMap<[u8; 16], Vec<Seek<'_>>> = HashMap::new();
    for wanted in wanted.iter().filter(|wanted| wanted.at.is_none()) {
        by_id.entry(wanted.id).or_default().push(Seek { wanted, first: None });
    }
    let seeks = by_id.values().flatten();
    let partitions: BTreeSet<&PartitionId> =
        seeks.flat_map(|seek| seek.wanted.kin.iter().chain([&seek.wanted.partition])).collect();
    let ids: Vec<_> = by_id.keys().map(|id| (*id, Uuid::from_bytes(*id).hyphenated().to_string())).collect();
    let texts: Arc<HashSet<String>> = Arc::new(ids.iter().map(|(_, text)| text.clone()).collect());
    known.forget_gone(&snapshot.files);
    // The newest first: there is room for the filters of those at least.
    for file in snapshot.files.iter().rev().filter(|file| file.lane == Lane::Main) {
        let holds_partition = partitions.iter().any(|partition| file.may_hold(partition, 0, i64::MAX));
        if !holds_partition || known.excludes_all(file, &ids) {
            continue;
        }
        let Sought { filter, rows } = snapshot.seek_ids(file, &texts, &CONTENT).await?;
        known.keep(file, filter);
        let Some(mut batches) = rows else { continue };
        while let Some(batch) = batches.try_next().await? {
            let contents = Contents::of(&batch)?;
            for row in 0..batch.num_rows() {
                let Some((id, content)) = contents.row(row) else { continue };
                for seek in by_id.get_mut(&id).into_iter().flatten() {
                    seek.meet(&contents, row, &content);
                }
            }
        }
    }
    for Seek { wanted, first } in by_id.into_values().flatten() {
        found.rows.extend(first.map(|(_, row)| ((wanted.partition.clone(), wanted.id), row)));
    }
    Ok(())
}

const CONTENT: [&str; 9] = [
    "log_stream",
    "log_partition",
    "log_offset",
    "event_id",
    "event_type",
    "schema_id",
    "record_id",
    "recorded_at",
    "payload",
];

/// The rows of a file at these places.
fn at_places(
    snapshot: &EventsSnapshot,
    file: &DataFile,
    places: &BTreeSet<(PartitionId, i64)>,
) -> Result<BatchStream, LakeError> {
    let mut offsets: BTreeMap<PartitionId, Vec<i64>> = BTreeMap::new();
    for (partition, at) in places {
        offsets.entry(partition.clone()).or_default().push(*at);
    }
    snapshot.read_where(file, &CONTENT, &RowFilter::Positions(Arc::new(offsets)))
}

/// Takes the rows at these places, and with a key the fingerprints of all others of their partitions.
async fn read_rows(
    mut batches: BatchStream,
    places: &BTreeSet<(PartitionId, i64)>,
    learn: Option<(u64, u64)>,
    found: &mut Found,
) -> Result<(), LakeError> {
    let mut partitions: Vec<_> = places.iter().map(|(partition, _)| partition).collect();
    partitions.dedup();
    while let Some(batch) = batches.try_next().await? {
        let contents = Contents::of(&batch)?;
        for row in 0..batch.num_rows() {
            let Some((id, content)) = contents.row(row) else { continue };
            let Some(partition) = contents.places.partition(row, &partitions) else { continue };
            let offset = contents.places.offset(row);
            if let Some(key) = learn {
                let print = Fingerprint { id, offset, content: content.fingerprint(key) };
                found.contents.entry(partition.clone()).or_default().push(print);
            }
            let place = (partition.clone(), offset);
            if places.contains(&place) {
                let row = stored(partition, offset, &content, contents.has_payload(row));
                found.rows.insert((partition.clone(), id), row);
                found.places.insert(place);
            }
        }
    }
    Ok(())
}

fn stored(partition: &PartitionId, offset: i64, content: &Content<'_>, has_payload: bool) -> Stored {
    Stored {
        partition: partition.clone(),
        offset,
        kind: content.kind,
        version: content.version,
        record_id: content.record_id.to_owned(),
        recorded_at: content.recorded_at,
        payload: has_payload.then(|| content.payload.to_vec()),
    }
}

/// The compared columns of a batch.
struct Contents {
    places: Places,
    ids: StringArray,
    types: StringArray,
    schemas: StringArray,
    records: StringArray,
    recorded_at: arrow::array::TimestampMicrosecondArray,
    payloads: BinaryArray,
}

impl Contents {
    fn of(batch: &RecordBatch) -> Result<Self, LakeError> {
        Ok(Self {
            places: Places::of(batch)?,
            ids: text(batch.column(3))?,
            types: text(batch.column(4))?,
            schemas: text(batch.column(5))?,
            records: text(batch.column(6))?,
            recorded_at: batch.column(7).as_primitive::<TimestampMicrosecondType>().clone(),
            payloads: batch.column(8).as_binary::<i32>().clone(),
        })
    }

    /// Id and content of a row that is an event, or was one before it was erased.
    fn row(&self, row: usize) -> Option<([u8; 16], Content<'_>)> {
        if self.ids.is_null(row) || self.types.is_null(row) || (self.records.is_null(row) && self.has_payload(row)) {
            return None;
        }
        let content = Content {
            kind: EventType::from_name(self.types.value(row))?,
            version: self.schemas.value(row).rsplit_once("/v")?.1.parse().ok()?,
            record_id: if self.records.is_valid(row) { self.records.value(row) } else { "" },
            recorded_at: self.recorded_at.value(row),
            payload: if self.has_payload(row) { self.payloads.value(row) } else { &[] },
        };
        Some((uuid(self.ids.value(row))?, content))
    }

    fn has_payload(&self, row: usize) -> bool {
        self.payloads.is_valid(row)
    }
}
