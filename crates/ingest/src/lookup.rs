//! Looking into committed rows for the first copies of event ids.
//!
//! Everything here is a pure function of one version of the table, so there is no state of a worker's own to lose
//! (ingestion.md 3.7). A file holds rows of many partitions, so it is read once for all of them. Absent: the side lane;
//! second copies are never first ones.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array as _, ArrayRef, AsArray as _, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use events::EventType;
use futures::TryStreamExt as _;
use lake::{BatchStream, DataFile, EventsSnapshot, IdFilter, LakeError, Lane, PartitionId, RowFilter, Sought};
use uuid::Uuid;

use crate::copies::{Fingerprint, Found, Stored, Wanted};
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

fn text(column: &ArrayRef) -> Result<StringArray, LakeError> {
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
    fn excludes_all(&self, file: &DataFile, ids: &[String]) -> bool {
        self.filters.get(&file.path).is_some_and(|filter| !ids.iter().any(|id| filter.may_hold(id)))
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
    let at = |wanted: &Wanted| Some((wanted.partition.clone(), wanted.at?));
    // Where the window knows the first row but not its content, as after a start, it may know others of the file so.
    let asked: BTreeSet<(PartitionId, i64)> = wanted.iter().filter_map(at).collect();
    let located = locate(snapshot, wanted, known).await?;
    let places: BTreeSet<(PartitionId, i64)> = located.iter().map(|first| first.place.clone()).collect();
    let mut found = Found::default();
    let mut learned = Vec::new();
    for file in snapshot.files.iter().filter(|file| file.lane == Lane::Main) {
        let here = |(partition, at): &&(PartitionId, i64)| file.may_hold(partition, *at, at + 1);
        let places: BTreeSet<_> = asked.iter().chain(&places).filter(here).collect();
        if places.is_empty() {
            continue;
        }
        if asked.iter().any(|place| here(&place)) && !known.learned.contains(&file.path) {
            let whole = snapshot.read(file, &CONTENT)?;
            read_rows(whole, &places, Some(key), &mut found).await?;
            learned.push(file.path.clone());
        } else {
            // A few rows: most pages of the file, and payloads are most of it, are passed over.
            for rows in at_places(snapshot, file, &places)? {
                read_rows(rows, &places, None, &mut found).await?;
            }
        }
    }
    // Only now: of a look that failed nothing has been told.
    known.learned.extend(learned);
    for Located { owner, id, place: (partition, _) } in located.into_iter().filter(Located::is_elsewhere) {
        if let Some(row) = found.rows.get(&(partition, id)).cloned() {
            found.rows.insert((owner, id), row);
        }
    }
    Ok(found)
}

/// A first row that was found: whose partition asked, for which id, and where it stands.
struct Located {
    owner: PartitionId,
    id: [u8; 16],
    place: (PartitionId, i64),
}

impl Located {
    fn is_elsewhere(&self) -> bool {
        self.owner != self.place.0
    }
}

/// The first row of an id of which only the id is known, as far as it was found.
struct Seek<'w> {
    wanted: &'w Wanted,
    /// Place of its partition among the kin (their number = the partition itself), and offset: the least is the first.
    first: Option<(usize, i64)>,
}

impl Seek<'_> {
    fn meet(&mut self, places: &Places, row: usize) {
        let Wanted { partition, kin, .. } = self.wanted;
        let rank = kin.iter().chain([partition]).position(|partition| places.is(row, partition));
        if let Some(found) = rank.map(|rank| (rank, places.offset(row))) {
            self.first = Some(self.first.map_or(found, |first| first.min(found)));
        }
    }

    fn located(&self) -> Option<Located> {
        let (rank, offset) = self.first?;
        let Wanted { partition, kin, id, .. } = self.wanted;
        let place = (kin.get(rank).unwrap_or(partition).clone(), offset);
        Some(Located { owner: partition.clone(), id: *id, place })
    }
}

/// Positions of the first rows of the ids of which only the id is known.
async fn locate(
    snapshot: &EventsSnapshot,
    wanted: &[Wanted],
    known: &mut KnownFiles,
) -> Result<Vec<Located>, LakeError> {
    let mut by_id: HashMap<[u8; 16], Vec<Seek<'_>>> = HashMap::new();
    for wanted in wanted.iter().filter(|wanted| wanted.at.is_none()) {
        by_id.entry(wanted.id).or_default().push(Seek { wanted, first: None });
    }
    let seeks = by_id.values().flatten();
    let partitions: BTreeSet<&PartitionId> =
        seeks.flat_map(|seek| seek.wanted.kin.iter().chain([&seek.wanted.partition])).collect();
    let texts: Vec<String> = by_id.keys().map(|id| Uuid::from_bytes(*id).hyphenated().to_string()).collect();
    known.forget_gone(&snapshot.files);
    // The newest first: there is room for the filters of those at least.
    for file in snapshot.files.iter().rev().filter(|file| file.lane == Lane::Main) {
        let holds_partition = partitions.iter().any(|partition| file.may_hold(partition, 0, i64::MAX));
        let may_carry = || by_id.keys().any(|id| file.may_carry(Uuid::from_bytes(*id)));
        if !holds_partition || !may_carry() || known.excludes_all(file, &texts) {
            continue;
        }
        let (mut batches, mut made, filter) = match snapshot.seek_ids(file, &texts, &IDS).await? {
            Sought::Nowhere(filter) => {
                known.keep(file, Some(filter));
                continue;
            }
            Sought::Perhaps(rows, filter) => (rows, None, Some(filter)),
            Sought::NoFilter => (snapshot.read(file, &IDS)?, IdFilter::for_rows(file.rows), None),
        };
        while let Some(batch) = batches.try_next().await? {
            let (places, ids) = (Places::of(&batch)?, batch.column(3).as_string::<i32>());
            for row in (0..batch.num_rows()).filter(|row| ids.is_valid(*row)) {
                let Some(id) = uuid(ids.value(row)) else { continue };
                if let Some(made) = &mut made {
                    made.insert(ids.value(row));
                }
                by_id.get_mut(&id).into_iter().flatten().for_each(|seek| seek.meet(&places, row));
            }
        }
        known.keep(file, filter.or(made));
    }
    Ok(by_id.into_values().flatten().filter_map(|seek| seek.located()).collect())
}

const IDS: [&str; 4] = ["log_stream", "log_partition", "log_offset", "event_id"];

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

/// The rows of a file at these places, partition by partition.
fn at_places(
    snapshot: &EventsSnapshot,
    file: &DataFile,
    places: &BTreeSet<&(PartitionId, i64)>,
) -> Result<Vec<BatchStream>, LakeError> {
    let mut offsets: BTreeMap<&PartitionId, Vec<i64>> = BTreeMap::new();
    for (partition, at) in places {
        offsets.entry(partition).or_default().push(*at);
    }
    let rows = |(partition, offsets): (&PartitionId, Vec<i64>)| {
        let filter = RowFilter::Positions { partition: partition.clone(), offsets: offsets.into() };
        snapshot.read_where(file, &CONTENT, &filter)
    };
    offsets.into_iter().map(rows).collect()
}

/// Takes the rows at these places, and with a key the fingerprints of all others of their partitions.
async fn read_rows(
    mut batches: BatchStream,
    places: &BTreeSet<&(PartitionId, i64)>,
    learn: Option<(u64, u64)>,
    found: &mut Found,
) -> Result<(), LakeError> {
    let mut partitions: Vec<_> = places.iter().map(|(partition, _)| partition).collect();
    partitions.dedup();
    let wanted: HashSet<(&PartitionId, i64)> = places.iter().map(|(partition, at)| (partition, *at)).collect();
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
            if wanted.contains(&(partition, offset)) {
                let row = stored(partition, offset, &content, contents.has_payload(row));
                found.rows.insert((partition.clone(), id), row);
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

    /// Id and content of a row that is an event.
    fn row(&self, row: usize) -> Option<([u8; 16], Content<'_>)> {
        if self.ids.is_null(row) || self.types.is_null(row) || self.records.is_null(row) {
            return None;
        }
        let content = Content {
            kind: EventType::from_name(self.types.value(row))?,
            version: self.schemas.value(row).rsplit_once("/v")?.1.parse().ok()?,
            record_id: self.records.value(row),
            recorded_at: self.recorded_at.value(row),
            payload: if self.has_payload(row) { self.payloads.value(row) } else { &[] },
        };
        Some((uuid(self.ids.value(row))?, content))
    }

    fn has_payload(&self, row: usize) -> bool {
        self.payloads.is_valid(row)
    }
}
