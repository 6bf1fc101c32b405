//! One thread's share of a batch: some of its partitions, read one after the other into columns of their own.
//!
//! Partitions know nothing of each other, so the shares of a batch can be read at once, and put one after the other they are
//! what one thread would have made. Absent: what is asked of the lake, and the side lane's columns (`pipeline`).

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use eventlog::Records;
use events::EventType;

use super::At;
use super::reader::{Reader, collect, headers_of};
use crate::batch::{RawBatch, Run, Topic};
use crate::columns::{Columns, Row, RowStatus};
use crate::copies::{Kept, content};
use crate::crash_loop::CrashLoop;
use crate::seal::Sealed;
use crate::set_aside::ErrorClass;
use crate::side::{Side, SideRow};
use crate::status::{Counts, Halt};
use crate::tolerance::Tolerance;
use crate::window::{Seen, Window};

const _: () = assert!(EventType::VERSIONS <= u64::BITS as usize, "each version has a bit in `Work::kinds`");

const KILLED: &str = "value: this program died twice while it decoded the message, which is a fault of the program and not \
                      necessarily of the message; it was set aside without being decoded; report it with this row's \
                      position";

/// By what is decided of a partition's messages: what came before them.
#[derive(Debug)]
pub(super) struct Held {
    pub window: Window,
    pub tolerance: Tolerance,
}

/// Some runs of a batch, to be read.
pub(super) struct Share<'a> {
    pub reader: &'a Reader,
    pub main: &'a mut Columns,
    /// Place in the batch of the first run.
    pub first: usize,
    pub runs: &'a [Run],
    /// Of each run's partition.
    pub held: Vec<Held>,
    /// Where a message is suspected of having killed the process.
    pub crash_loop: Option<&'a mut CrashLoop>,
    /// A planted mistake; see [`lake::mistake`].
    pub drops_what_is_bad: bool,
}

/// A share that has been read.
pub(super) struct Read {
    /// Rows of the main lane.
    pub main: RecordBatch,
    pub held: Vec<Held>,
    pub work: Work,
    /// Assignments that stand still since, each with the reason.
    pub rejections: Vec<(Arc<Topic>, Halt)>,
}

/// What runs have gathered beside the columns of the main lane.
#[derive(Default)]
pub(super) struct Work {
    /// Rows of the main lane, by run.
    pub main_rows: Vec<usize>,
    /// Offset at which each run ends: before a message that may not be set aside.
    pub ends: Vec<i64>,
    pub counts: Vec<Counts>,
    pub side: Vec<SideRow>,
    /// Types and versions met among accepted events: a bit for each, by its place in [`EventType::versions`].
    kinds: u64,
    /// Rows of the main lane whose id is older than the window: the lake may know an earlier one.
    pub perhaps_copies: Vec<(usize, At, [u8; 16])>,
}

impl Work {
    /// Adds what the runs after these have gathered; `rows` of the main lane are these.
    pub(super) fn follow(&mut self, next: Self, rows: usize) {
        self.main_rows.extend(next.main_rows);
        self.ends.extend(next.ends);
        self.counts.extend(next.counts);
        self.side.extend(next.side);
        self.kinds |= next.kinds;
        self.perhaps_copies.extend(next.perhaps_copies.into_iter().map(|(row, at, id)| (rows + row, at, id)));
    }

    /// Contracts of the accepted events, in the order of the contract.
    pub(super) fn schema_ids(&self) -> Vec<String> {
        let met = EventType::versions().enumerate().filter(|(place, _)| self.kinds >> place & 1 == 1);
        let mut met: Vec<_> = met.map(|(_, kind)| kind).collect();
        met.sort_unstable();
        met.into_iter().map(|(kind, version)| kind.dataschema(version).to_owned()).collect()
    }

    /// Whether the lake, or the batch itself, must be asked for first copies.
    pub(super) fn is_undecided(&self) -> bool {
        !self.perhaps_copies.is_empty() || self.side.iter().any(|row| row.undecided().is_some())
    }
}

impl Share<'_> {
    /// Reads its runs.
    pub(super) fn read(mut self, batch: &RawBatch, writer_id: &str) -> Result<Read, ArrowError> {
        let mut held = std::mem::take(&mut self.held);
        let (mut work, mut rejections) = (Work::default(), Vec::new());
        for (place, (run, held)) in self.runs.iter().zip(&mut held).enumerate() {
            self.main.begin_run();
            let mut read = OfRun { ends: run.to, rows: 0, counts: Counts::default() };
            if held.tolerance.is_exceeded() {
                read.ends = run.from;
            } else if let Some(halt) = self.read_run(self.first + place, run, held, &mut read, &mut work) {
                rejections.push((run.topic.clone(), halt));
            }
            work.main_rows.push(read.rows);
            work.ends.push(read.ends);
            work.counts.push(read.counts);
        }
        let main = self.main.finish(self.runs, batch, writer_id)?;
        Ok(Read { main, held, work, rejections })
    }

    /// Reads the messages of a run, up to one that may not be set aside; then says why the partition stands still before it.
    fn read_run(
        &mut self,
        place: usize,
        run: &Run,
        held: &mut Held,
        read: &mut OfRun,
        work: &mut Work,
    ) -> Option<Halt> {
        for record in run.chunks.iter().flat_map(Records::iter).filter(|r| r.offset >= run.from) {
            let at = At { run: place, offset: record.offset, log_ms: record.timestamp_ms };
            let Some(bytes) = record.value.map(<[u8]>::len) else {
                self.main.append_without_payload(&Row::tombstone(at));
                read.counts.tombstone += 1;
                read.rows += 1;
                continue;
            };
            let headers = collect(record.headers);
            let event = if self.lets_decode(run, at, bytes) {
                self.reader.read(&run.topic, at, &record, &headers)
            } else {
                Err(self.reader.set_aside(&run.topic, at, &record, ErrorClass::DecoderCrash, KILLED.into()))
            };
            match event {
                Ok(sealed) => self.append_or_keep(run, at, &sealed, &headers, &mut held.window, read, work),
                Err(_) if self.drops_what_is_bad => {}
                Err(side) => match rejection(&mut held.tolerance, at, &side) {
                    None => work.side.push(SideRow { at, what: side }),
                    halt => {
                        read.ends = at.offset;
                        return halt;
                    }
                },
            }
        }
        None
    }

    fn lets_decode(&mut self, run: &Run, at: At, bytes: usize) -> bool {
        self.crash_loop.as_mut().is_none_or(|watch| watch.lets_decode(&run.topic.id, at.offset, bytes))
    }

    /// A first row goes to the main lane, a second copy is kept for comparison.
    #[expect(clippy::too_many_arguments, reason = "what a message is, and where what becomes of it is noted")]
    fn append_or_keep(
        &mut self,
        run: &Run,
        at: At,
        sealed: &Sealed<'_>,
        headers: &[(&str, &[u8])],
        window: &mut Window,
        read: &mut OfRun,
        work: &mut Work,
    ) {
        let id = *sealed.event.id.as_bytes();
        let headers = headers_of(run, at, headers, sealed.event.synthetic);
        work.kinds |= 1 << sealed.event.kind.place(sealed.event.version);
        read.counts.ignored_attributes += u64::from(sealed.event.ignored_attributes);
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
        window.insert(id, at.offset, Some(fingerprint));
        self.main.append(&Row {
            at,
            status: RowStatus::Ok,
            envelope: Some(envelope),
            refs: Some((&sealed.subjects, &sealed.links)),
            headers: &headers,
            error: None,
        });
        read.rows += 1;
    }
}

/// What has been read of one run.
struct OfRun {
    /// Offset at which it ends.
    ends: i64,
    /// Rows of the main lane.
    rows: usize,
    counts: Counts,
}

/// Why a partition stands still before a message that may not be set aside; `None` = it may.
fn rejection(tolerance: &mut Tolerance, at: At, side: &Side) -> Option<Halt> {
    let Side::SetAside { class, sentence, .. } = side else { return None };
    if tolerance.takes(at.offset) {
        return None;
    }
    Some(Halt::Rejected { offset: at.offset, class: *class, detail: sentence.clone(), limit: tolerance.limit() })
}
