//! From messages to rows: decode, admit or set aside, seal, deduplicate, append to the columns.
//!
//! One step for a whole batch, on one thread, without any I/O but the look for earlier copies. What a message becomes
//! depends on the message, its place, the policy, and the earlier messages of its partition, on nothing else: not on
//! batch boundaries, other partitions, or time. The main lane is appended as messages are read; the side lane is small
//! and is put in order at the end, when second copies have been compared with the first.
//!
//! Source: ingestion.md 3.6 (order of the steps), 3.7 (deduplication), I6 (nothing is dropped).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use eventlog::{Headers, Record};
use events::avro::WriterSchemas;
use events::{Event, EventType, Fault, FaultClass, Limits, Message, calendar};
use lake::{PartitionId, StoreKind};
use policy::Keys;
use smallvec::SmallVec;

use crate::IngestError;
use crate::admit::admit;
use crate::batch::{EncodedBatch, RangeRows, RawBatch, Run, Topic};
use crate::columns::{Columns, Row, RowStatus};
use crate::config::WorkerConfig;
use crate::copies::{Earlier, Found, Kept, Wanted, content};
use crate::crash::catch;
use crate::crash_loop::CrashLoop;
use crate::headers::{KeptHeaders, REPLAY_OF, kept_headers};
use crate::schemas::KnownSchemas;
use crate::seal::{Sealed, seal};
use crate::set_aside::{ErrorClass, Place, SetAsideKeys, write_frame};
use crate::side::{Side, SideRow};
use crate::status::{Counts, Halt};
use crate::tolerance::Tolerance;
use crate::window::{First, Seen, Window};

/// How bytes become an event; another than [`events::decode_with`] only in tests of a decoder that crashes.
pub(crate) type Decoder = for<'a> fn(&Message<'a>, &Limits, &WriterSchemas) -> Result<Event<'a>, Fault>;

const _: () = assert!(EventType::VERSIONS <= u64::BITS as usize, "each version has a bit in `Work::kinds`");

const CRASH: &str = "value: the decoder of this program failed on the message, which is a fault of the program and not \
                     necessarily of the message; report it with this row's position";

const KILLED: &str = "value: this program died twice while it decoded the message, which is a fault of the program and not \
                      necessarily of the message; it was set aside without being decoded; report it with this row's \
                      position";

/// The CPU side of a worker: builders, keys and windows that live as long as it does.
pub(crate) struct Pipeline {
    reader: Reader,
    known: KnownSchemas,
    window_bytes: usize,
    set_aside_days: i32,
    writer_id: String,
    windows: HashMap<PartitionId, Window>,
    tolerances: HashMap<PartitionId, Tolerance>,
    /// Assignments that stand still since the last batch, each with the reason.
    rejections: Vec<(Arc<Topic>, Halt)>,
    crash_loop: CrashLoop,
    main: Columns,
    side: Columns,
    /// A planted mistake; see [`lake::mistake`].
    drops_what_is_bad: bool,
}

/// What turns one message into an event or a reason; changes nothing.
struct Reader {
    keys: Arc<Keys>,
    set_aside: SetAsideKeys,
    content_key: (u64, u64),
    decoder: Decoder,
    limits: Limits,
    store: StoreKind,
    /// Known when the batch being read was gathered, at least.
    schemas: Arc<WriterSchemas>,
}

/// Where a message of the batch stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    /// Place of its partition in the batch.
    pub run: usize,
    pub offset: i64,
    /// Log's time, milliseconds UTC.
    pub log_ms: i64,
}

/// What a batch has gathered beside the columns of the main lane.
#[derive(Default)]
struct Work {
    /// Rows of the main lane, by run.
    main_rows: Vec<usize>,
    /// Offset at which each run ends: before a message that may not be set aside.
    ends: Vec<i64>,
    counts: Vec<Counts>,
    side: Vec<SideRow>,
    /// Types and versions met among accepted events: a bit for each, by its place in [`EventType::versions`].
    kinds: u64,
    /// Rows of the main lane whose id is older than the window: the lake may know an earlier one.
    perhaps_copies: Vec<(usize, At, [u8; 16])>,
}

/// A partition that is read from now on.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub topic: Arc<Topic>,
    pub window: Window,
    pub tolerance: Tolerance,
    /// First offset that is not in the lake.
    pub next: i64,
    /// Offset after the last that the log held when the partition was assigned.
    pub log_end: i64,
}

/// Key for fingerprints of contents and for the windows' index.
pub(crate) fn content_key(keys: &Keys) -> (u64, u64) {
    let key = blake3::derive_key("amanat 2026-11 deduplication", &*keys.set_aside_hash);
    let word = |at: usize| u64::from_le_bytes(key[at..at + 8].try_into().expect("a key has 32 bytes"));
    (word(0), word(8))
}

impl Pipeline {
    pub(crate) fn new(
        keys: Arc<Keys>,
        config: &WorkerConfig,
        schema: SchemaRef,
        writer_id: &str,
        known: KnownSchemas,
        crash_loop: CrashLoop,
    ) -> Self {
        let reader = Reader {
            set_aside: SetAsideKeys::new(&keys),
            content_key: content_key(&keys),
            keys,
            decoder: events::decode_with,
            limits: Limits { max_bytes: config.max_payload },
            store: config.store_kind,
            schemas: known.now(),
        };
        Self {
            reader,
            known,
            window_bytes: config.window_bytes,
            set_aside_days: i32::try_from(config.set_aside_days).unwrap_or(i32::MAX),
            writer_id: writer_id.to_owned(),
            windows: HashMap::new(),
            tolerances: HashMap::new(),
            rejections: Vec::new(),
            crash_loop,
            main: Columns::new(schema.clone()),
            side: Columns::new(schema),
            drops_what_is_bad: lake::mistake("mistake.bad_messages_dropped"),
        }
    }

    /// A partition is read from now on; its window and its tolerance are those of its committed rows.
    pub(crate) fn assign(&mut self, assigned: Assigned) {
        let Assigned { topic, window, tolerance, next, log_end } = assigned;
        let window = if lake::mistake("mistake.window_starts_empty") { window.emptied() } else { window };
        self.windows.insert(topic.id.clone(), window);
        self.tolerances.insert(topic.id.clone(), tolerance);
        self.crash_loop.assign(&topic.id, next, log_end);
        self.shrink_windows();
    }

    /// A partition is read no longer.
    pub(crate) fn release(&mut self, partition: &PartitionId) {
        self.windows.remove(partition);
        self.tolerances.remove(partition);
    }

    /// Assignments of which no more is read, because the batches so far hold a message that may not be set aside.
    pub(crate) fn rejections(&mut self) -> Vec<(Arc<Topic>, Halt)> {
        std::mem::take(&mut self.rejections)
    }

    /// No more messages come, and none has killed the process.
    pub(crate) fn end(&mut self) {
        self.crash_loop.end();
    }

    /// Makes the rows of a batch.
    pub(crate) async fn encode(
        &mut self,
        batch: &RawBatch,
        earlier: &mut impl Earlier,
    ) -> Result<EncodedBatch, IngestError> {
        let mut work = Work::default();
        self.reader.schemas = self.known.now();
        for (place, run) in batch.runs.iter().enumerate() {
            self.read_run(place, run, &mut work);
        }
        self.crash_loop.batch_is_decoded();
        let mut main = self.main.finish(batch, &self.writer_id)?;
        if work.is_undecided() {
            let found = earlier.find(wanted(batch, &work)).await?;
            let moved = self.decide(batch, &mut work, &found);
            main = without(&main, &moved)?;
        }
        let keep_until = date_text(calendar::karachi_day(batch.ingested_at_us).saturating_add(self.set_aside_days));
        let side_rows = self.append_side(batch, &mut work, &keep_until);
        let side = self.side.finish(batch, &self.writer_id)?;
        self.shrink_windows();
        Ok(EncodedBatch {
            id: batch.id,
            ingest_date: calendar::karachi_day(batch.ingested_at_us),
            oldest_log_ms: batch.oldest_log_ms,
            ranges: ranges(batch, &work, &side_rows),
            schema_ids: work.schema_ids(),
            main,
            side,
        })
    }

    /// Why each record of a run would be set aside; `None` = it would not. Nothing is appended or remembered.
    pub(crate) fn judge(&mut self, run: &Run) -> Vec<Option<ErrorClass>> {
        self.reader.schemas = self.known.now();
        let records = run.chunks.iter().flat_map(eventlog::Records::iter);
        let class = |record: Record<'_>| {
            let at = At { run: 0, offset: record.offset, log_ms: record.timestamp_ms };
            let headers = collect(record.headers);
            match self.reader.read(&run.topic, at, &record, &headers) {
                Err(Side::SetAside { class, .. }) => Some(class),
                _ => None,
            }
        };
        records.map(class).collect()
    }

    fn read_run(&mut self, place: usize, run: &Run, work: &mut Work) {
        self.main.begin_run();
        work.counts.push(Counts::default());
        work.main_rows.push(0);
        work.ends.push(run.to);
        if self.tolerances.get(&run.topic.id).is_some_and(Tolerance::is_exceeded) {
            work.ends[place] = run.from;
            return;
        }
        let mut window =
            self.windows.remove(&run.topic.id).expect("a partition has its window before its first message");
        self.read_records(place, run, &mut window, work);
        self.windows.insert(run.topic.id.clone(), window);
    }

    fn read_records(&mut self, place: usize, run: &Run, window: &mut Window, work: &mut Work) {
        for record in run.chunks.iter().flat_map(eventlog::Records::iter).filter(|r| r.offset >= run.from) {
            let at = At { run: place, offset: record.offset, log_ms: record.timestamp_ms };
            if record.value.is_none() {
                self.main.append_without_payload(&Row::tombstone(at));
                work.counts[place].tombstone += 1;
                work.main_rows[place] += 1;
                continue;
            }
            let headers = collect(record.headers);
            let bytes = record.value.map_or(0, <[u8]>::len);
            let read = if self.crash_loop.lets_decode(&run.topic.id, at.offset, bytes) {
                self.reader.read(&run.topic, at, &record, &headers)
            } else {
                Err(self.reader.set_aside(&run.topic, at, &record, ErrorClass::DecoderCrash, KILLED.into()))
            };
            match read {
                Ok(sealed) => self.append_or_keep(run, at, &sealed, &headers, window, work),
                Err(_) if self.drops_what_is_bad => {}
                Err(side) if self.is_taken(&run.topic, at, &side) => work.side.push(SideRow { at, what: side }),
                Err(_) => {
                    work.ends[place] = at.offset;
                    return;
                }
            }
        }
    }

    /// Whether a message may be set aside. If not, its partition stands still before it.
    fn is_taken(&mut self, topic: &Arc<Topic>, at: At, side: &Side) -> bool {
        let tolerance = self.tolerances.get_mut(&topic.id).expect("a partition has its tolerance with its window");
        let Side::SetAside { class, sentence, .. } = side else { return true };
        if tolerance.takes(at.offset) {
            return true;
        }
        let (offset, class, detail, limit) = (at.offset, *class, sentence.clone(), tolerance.limit());
        self.rejections.push((topic.clone(), Halt::Rejected { offset, class, detail, limit }));
        false
    }

    /// A first row goes to the main lane, a second copy is kept for comparison.
    fn append_or_keep(
        &mut self,
        run: &Run,
        at: At,
        sealed: &Sealed<'_>,
        headers: &[(&str, &[u8])],
        window: &mut Window,
        work: &mut Work,
    ) {
        let id = *sealed.event.id.as_bytes();
        let headers = headers_of(run, at, headers, sealed.event.synthetic);
        work.kinds |= 1 << sealed.event.kind.place(sealed.event.version);
        work.counts[at.run].ignored_attributes += u64::from(sealed.event.ignored_attributes);
        let seen = window.seen(&id);
        if let Seen::Before(first) = seen {
            let kept = Kept::new(sealed, &headers);
            work.side.push(SideRow { at, what: self.reader.second_copy(kept, first) });
            return;
        }
        if seen == Seen::Unknown {
            work.perhaps_copies.push((self.main.len(), at, id));
        }
        sealed.write_payload(self.main.payload()).expect("writing to memory does not fail");
        let envelope = sealed.envelope();
        let fingerprint = content(&envelope, self.main.open_payload()).fingerprint(self.reader.content_key);
        window.insert(id, at.offset, Some(fingerprint), at.log_ms);
        self.main.append(&Row {
            at,
            status: RowStatus::Ok,
            envelope: Some(envelope),
            refs: Some((&sealed.subjects, &sealed.links)),
            headers: &headers,
            error: None,
        });
        work.main_rows[at.run] += 1;
    }

    /// Compares second copies with the first ones, and finds which rows of the main lane are second copies after all:
    /// these are returned, ascending, and have become rows of the side lane.
    fn decide(&mut self, batch: &RawBatch, work: &mut Work, found: &Found) -> Vec<usize> {
        for (partition, rows) in &found.contents {
            if let Some(window) = self.windows.get_mut(partition) {
                for row in rows {
                    window.learn(&row.id, row.offset, row.content);
                }
            }
        }
        let mut moved = Vec::new();
        for (row, at, id) in std::mem::take(&mut work.perhaps_copies) {
            let key = (batch.runs[at.run].topic.id.clone(), id);
            let Some(first) = found.rows.get(&key) else { continue };
            let elsewhere = (first.partition != key.0).then(|| first.partition.clone());
            if let Some(window) = self.windows.get_mut(&key.0) {
                if elsewhere.is_some() { window.forget(&id) } else { window.correct(&id, first.offset) }
            }
            for copy in work.side.iter_mut().filter_map(|side| side.copy_of(at.run, at.offset)) {
                copy.point_to(first.offset, elsewhere.clone());
            }
            let kept = self.reader.read_again(&batch.runs[at.run], at).expect("it was read a moment ago");
            work.side.push(SideRow::copy(at, kept, first.offset, elsewhere));
            work.main_rows[at.run] -= 1;
            moved.push(row);
        }
        for side in &mut work.side {
            let run = &batch.runs[side.at.run];
            let Some(copy) = side.undecided() else { continue };
            let same = if let Some(first) = found.rows.get(&(run.topic.id.clone(), copy.id())) {
                first.same_as(&copy.kept)
            } else {
                // The first copy is of this batch. (If not, its range was taken from us and this one will not be
                // committed either, because ranges are contiguous.)
                let at = At { offset: copy.first, ..side.at };
                let first = self.reader.read_again(run, at);
                first.is_some_and(|first| first.content().same_as(&copy.kept.content()))
            };
            side.settle(same);
        }
        moved
    }

    /// Appends the side lane in order of place; returns how many rows each run has in it.
    fn append_side(&mut self, batch: &RawBatch, work: &mut Work, keep_until: &str) -> Vec<usize> {
        work.side.sort_by_key(|row| (row.at.run, row.at.offset));
        let mut rows = vec![0; batch.runs.len()];
        let mut side = std::mem::take(&mut work.side).into_iter().peekable();
        for (place, run) in batch.runs.iter().enumerate() {
            self.side.begin_run();
            while let Some(row) = side.next_if(|row| row.at.run == place) {
                row.append(&mut self.side, &run.topic, keep_until);
                row.count(&mut work.counts[place]);
                rows[place] += 1;
            }
            work.counts[place].ok = work.main_rows[place] as u64 - work.counts[place].tombstone;
        }
        rows
    }

    /// Keeps the windows together within their bytes: first they forget what is older than their span, then the longest its
    /// older half. While there is room nothing is forgotten, because a look into the lake costs more. Not within a batch: what it
    /// brought can be looked up in the lake only by later ones.
    fn shrink_windows(&mut self) {
        let bytes = |windows: &HashMap<_, Window>| windows.values().map(Window::bytes).sum::<usize>();
        if bytes(&self.windows) > self.window_bytes {
            for window in self.windows.values_mut() {
                window.trim();
                window.shrink();
            }
        }
        while bytes(&self.windows) > self.window_bytes {
            let Some(longest) = self.windows.values_mut().max_by_key(|window| window.len()) else { return };
            if longest.len() == 0 {
                return;
            }
            longest.drop_oldest(longest.len().div_ceil(2));
            longest.shrink();
        }
    }
}

impl Reader {
    /// Decode, admit, seal; or a row of the side lane that says why not.
    fn read<'a>(
        &self,
        topic: &'a Topic,
        at: At,
        record: &Record<'a>,
        headers: &'a [(&'a str, &'a [u8])],
    ) -> Result<Sealed<'a>, Side> {
        let message = Message { key: record.key, headers, value: record.value };
        let decode = || {
            lake::crash_point("decode", at.offset);
            (self.decoder)(&message, &self.limits, &self.schemas)
        };
        let event = match catch(decode) {
            Ok(Ok(event)) => event,
            Ok(Err(fault)) => {
                return Err(self.set_aside(topic, at, record, class_of(fault.class), fault.to_string().into()));
            }
            Err(()) => return Err(self.set_aside(topic, at, record, ErrorClass::DecoderCrash, CRASH.into())),
        };
        match admit(&event, topic, self.store, at.log_ms) {
            Ok(admitted) => Ok(seal(event, admitted, &self.keys)),
            Err(refusal) => Err(self.set_aside(topic, at, record, refusal.class, refusal.sentence.into())),
        }
    }

    /// The event at an offset of the run, read once more; `None` when there is none or it was not accepted.
    fn read_again(&self, run: &Run, at: At) -> Option<Kept> {
        let chunk = run.chunks.iter().find(|chunk| chunk.next_offset() > at.offset)?;
        let record = chunk.iter().find(|record| record.offset == at.offset)?;
        let headers = collect(record.headers);
        let sealed = self.read(&run.topic, at, &record, &headers).ok()?;
        Some(Kept::new(&sealed, &headers_of(run, at, &headers, sealed.event.synthetic)))
    }

    fn second_copy(&self, kept: Kept, first: First) -> Side {
        let same = first.content == Some(kept.content().fingerprint(self.content_key));
        Side::copy(kept, first.offset, same.then_some(true))
    }

    fn set_aside(
        &self,
        topic: &Topic,
        at: At,
        record: &Record<'_>,
        class: ErrorClass,
        sentence: Cow<'static, str>,
    ) -> Side {
        let mut frame = Vec::new();
        write_frame(&mut frame, record.key, record.headers, record.value);
        let place = Place { log_stream: &topic.id.log_stream, partition: topic.id.partition, offset: at.offset };
        let hash = self.set_aside.hash(&frame);
        Side::SetAside { class, sentence, payload: self.set_aside.encrypt(place, &frame), hash }
    }
}

impl Work {
    /// Contracts of the accepted events, in the order of the contract.
    fn schema_ids(&self) -> Vec<String> {
        let met = EventType::versions().enumerate().filter(|(place, _)| self.kinds >> place & 1 == 1);
        let mut met: Vec<_> = met.map(|(_, kind)| kind).collect();
        met.sort_unstable();
        met.into_iter().map(|(kind, version)| kind.dataschema(version).to_owned()).collect()
    }

    fn is_undecided(&self) -> bool {
        !self.perhaps_copies.is_empty() || self.side.iter().any(|row| row.undecided().is_some())
    }
}

/// Ids whose first row must be looked up: copies of rows that are not in this batch, and ids older than the window.
fn wanted(batch: &RawBatch, work: &Work) -> Vec<Wanted> {
    let place = |run: usize| (batch.runs[run].topic.id.clone(), batch.runs[run].topic.kin.clone());
    let undecided = work.side.iter().filter_map(|row| Some((row.at.run, row.undecided()?)));
    let wanted = |run: usize, id, at| {
        let (partition, kin) = place(run);
        Wanted { partition, kin, id, at }
    };
    let copies = undecided
        .filter(|(run, copy)| copy.first < batch.runs[*run].from)
        .map(|(run, copy)| wanted(run, copy.id(), Some(copy.first)));
    let old = work.perhaps_copies.iter().map(|(_, at, id)| wanted(at.run, *id, None));
    let mut wanted: Vec<_> = copies.chain(old).collect();
    wanted.sort();
    wanted.dedup();
    wanted
}

/// The batch without these rows (ascending).
fn without(batch: &RecordBatch, rows: &[usize]) -> Result<RecordBatch, ArrowError> {
    if rows.is_empty() {
        return Ok(batch.clone());
    }
    let mut keep = vec![true; batch.num_rows()];
    for &row in rows {
        keep[row] = false;
    }
    filter_record_batch(batch, &BooleanArray::from(keep))
}

fn ranges(batch: &RawBatch, work: &Work, side_rows: &[usize]) -> Vec<RangeRows> {
    let (mut main, mut side) = (0, 0);
    let take = |end: &mut usize, rows: usize| {
        *end += rows;
        *end - rows..*end
    };
    let runs = batch.runs.iter().enumerate();
    let all = runs.map(|(place, run)| RangeRows {
        topic: run.topic.clone(),
        committed: run.committed,
        to: work.ends[place],
        main: take(&mut main, work.main_rows[place]),
        side: take(&mut side, side_rows[place]),
        counts: work.counts[place],
    });
    // A partition that stands still at its first message has nothing to commit.
    all.zip(&batch.runs).filter(|(range, run)| range.to > run.from).map(|(range, _)| range).collect()
}

/// A calendar day as `YYYY-MM-DD`. Days beyond every calendar in use are the last of the year 9999.
fn date_text(day: i32) -> String {
    let (year, month, day) = calendar::civil_from_days(day.min(calendar::days_from_civil(9999, 12, 31)));
    format!("{year:04}-{month:02}-{day:02}")
}

/// What is kept of a record's headers, and what the row resolves, if it is a replay's.
fn headers_of<'a>(run: &'a Run, at: At, headers: &[(&str, &'a [u8])], synthetic: bool) -> KeptHeaders<'a> {
    let mut kept = kept_headers(headers, synthetic);
    kept.extend(run.origin(at.offset).map(|origin| (REPLAY_OF, origin)));
    kept
}

fn collect(headers: Headers<'_>) -> SmallVec<[(&str, &[u8]); 12]> {
    headers.collect()
}

const fn class_of(class: FaultClass) -> ErrorClass {
    match class {
        FaultClass::Parse => ErrorClass::Parse,
        FaultClass::Schema => ErrorClass::Schema,
        FaultClass::Oversize => ErrorClass::Oversize,
    }
}
