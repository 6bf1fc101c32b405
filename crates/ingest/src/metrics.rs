//! What a worker counts for operators. Nothing here is about a person, and no count is smaller than a message.
//!
//! Counted as it happens:
//! `amanat_ingest_read_messages_total` and `amanat_ingest_read_bytes_total` (what they take in memory) ·
//! `amanat_ingest_stage_seconds{stage}` (a histogram of batches; stages: `gather`, `decode`, `write`, `commit`) ·
//! `amanat_ingest_freshness_seconds` (from the log's time of a batch's oldest message to its commit) ·
//! `amanat_ingest_events_total{status}` · `amanat_ingest_set_aside_total{class}` · `amanat_ingest_ignored_attributes_total` ·
//! `amanat_ingest_batches_total` · `amanat_ingest_fenced_total`.
//!
//! As it stands when somebody looks ([`observe`]): `amanat_ingest_lag_events` ·
//! `amanat_ingest_partition_lag_events{stream,partition}` · `amanat_ingest_halted_partitions{reason}` ([`Halt::reason`]) ·
//! `amanat_ingest_waiting_partitions` (for an Avro schema) · `amanat_ingest_held_bytes` · `amanat_ingest_budget_bytes` ·
//! `amanat_ingest_log_away` · `amanat_ingest_lake_away` (1 while it does not answer) · `amanat_lake_version`.
//!
//! `deploy/` has a board and alerts over these names.

use std::time::Duration;

use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::set_aside::ErrorClass;
use crate::status::{Counts, Halt, Monitor};

/// What a batch goes through, in order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    /// From its first message until it is closed.
    Gather,
    /// From messages to rows: decode, admit, seal, look for copies, append to columns.
    Decode,
    /// From rows to files: Parquet, upload.
    Write,
    /// Making them visible.
    Commit,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Gather, Self::Decode, Self::Write, Self::Commit];

    const fn name(self) -> &'static str {
        match self {
            Self::Gather => "gather",
            Self::Decode => "decode",
            Self::Write => "write",
            Self::Commit => "commit",
        }
    }
}

/// Handles, registered once per worker; clones count into the same.
#[derive(Clone)]
pub(crate) struct Meters {
    messages: Counter,
    bytes: Counter,
    stages: [Histogram; Stage::ALL.len()],
    freshness: Histogram,
    ok: Counter,
    tombstone: Counter,
    duplicate: Counter,
    conflict: Counter,
    set_aside: Counter,
    classes: Vec<Counter>,
    ignored: Counter,
    batches: Counter,
    fenced: Counter,
    receipts: Counter,
}

impl Meters {
    pub(crate) fn new() -> Self {
        describe();
        let events = |status: &'static str| counter!("amanat_ingest_events_total", "status" => status);
        let class = |class: &ErrorClass| counter!("amanat_ingest_set_aside_total", "class" => class.name());
        Self {
            messages: counter!("amanat_ingest_read_messages_total"),
            bytes: counter!("amanat_ingest_read_bytes_total"),
            stages: Stage::ALL.map(|stage| histogram!("amanat_ingest_stage_seconds", "stage" => stage.name())),
            freshness: histogram!("amanat_ingest_freshness_seconds"),
            ok: events("ok"),
            tombstone: events("tombstone"),
            duplicate: events("duplicate"),
            conflict: events("conflict"),
            set_aside: events("set_aside"),
            classes: ErrorClass::ALL.iter().map(class).collect(),
            ignored: counter!("amanat_ingest_ignored_attributes_total"),
            batches: counter!("amanat_ingest_batches_total"),
            fenced: counter!("amanat_ingest_fenced_total"),
            receipts: counter!("amanat_ingest_receipts_total"),
        }
    }

    /// Messages came from the log.
    pub(crate) fn read(&self, messages: usize, bytes: usize) {
        self.messages.increment(messages as u64);
        self.bytes.increment(bytes as u64);
    }

    /// A batch was so long in a stage.
    pub(crate) fn spent(&self, stage: Stage, time: Duration) {
        self.stages[stage as usize].record(time);
    }

    /// A batch is in the lake; so long ago the log got its oldest message.
    pub(crate) fn committed(&self, counts: &Counts, oldest: Duration) {
        self.ok.increment(counts.ok);
        self.tombstone.increment(counts.tombstone);
        self.duplicate.increment(counts.duplicate);
        self.conflict.increment(counts.conflict);
        self.set_aside.increment(counts.set_aside_total());
        for (class, counter) in ErrorClass::ALL.iter().zip(&self.classes) {
            counter.increment(counts.of(*class));
        }
        self.ignored.increment(counts.ignored_attributes);
        self.batches.increment(1);
        self.freshness.record(oldest);
    }

    /// A batch had to leave a partition out: another worker has claimed it.
    pub(crate) fn fenced(&self) {
        self.fenced.increment(1);
    }

    /// The log has acknowledged receipts.
    pub(crate) fn receipts(&self, number: usize) {
        self.receipts.increment(number as u64);
    }
}

/// Sets what stands rather than happens; called whenever somebody reads the metrics.
pub fn observe(monitor: &Monitor) {
    let report = monitor.report();
    for (id, status) in &report.partitions {
        let stream = id.log_stream.rsplit_once('/').map_or("", |(_, stream)| stream).to_owned();
        let lag =
            gauge!("amanat_ingest_partition_lag_events", "stream" => stream, "partition" => id.partition.to_string());
        lag.set(status.lag().unwrap_or(0) as f64);
    }
    let away = |away: bool| if away { 1.0 } else { 0.0 };
    gauge!("amanat_ingest_lag_events").set(report.lag() as f64);
    for reason in Halt::REASONS {
        let halted = report.halted().filter(|(_, halt)| halt.reason() == reason).count();
        gauge!("amanat_ingest_halted_partitions", "reason" => reason).set(halted as f64);
    }
    gauge!("amanat_ingest_waiting_partitions").set(report.waiting().count() as f64);
    gauge!("amanat_ingest_held_bytes").set(report.held_bytes as f64);
    gauge!("amanat_ingest_budget_bytes").set(monitor.budget_bytes() as f64);
    gauge!("amanat_ingest_log_away").set(away(report.reachable.log_away));
    gauge!("amanat_ingest_lake_away").set(away(report.reachable.lake_away));
    gauge!("amanat_ingest_receipts_owed_events").set(report.receipts_owed as f64);
    gauge!("amanat_lake_version").set(report.lake_version as f64);
}

fn describe() {
    describe_counter!("amanat_ingest_read_messages_total", "Messages read from the log");
    describe_counter!("amanat_ingest_read_bytes_total", Unit::Bytes, "Memory that messages read from the log take");
    describe_histogram!(
        "amanat_ingest_stage_seconds",
        Unit::Seconds,
        "Time of a batch in a stage: gather, decode, write, commit"
    );
    describe_histogram!(
        "amanat_ingest_freshness_seconds",
        Unit::Seconds,
        "From the log's time of the oldest message of a batch to its commit"
    );
    describe_counter!("amanat_ingest_events_total", "Rows committed, by status");
    describe_counter!("amanat_ingest_set_aside_total", "Messages set aside, by class");
    describe_counter!("amanat_ingest_ignored_attributes_total", "Envelope attributes that are not stored");
    describe_counter!("amanat_ingest_batches_total", "Batches committed");
    describe_counter!(
        "amanat_ingest_fenced_total",
        "Batches that left a partition out because another worker had claimed it"
    );
    describe_counter!("amanat_ingest_receipts_total", "Receipts that the log has acknowledged");
    describe_gauge!(
        "amanat_ingest_receipts_owed_events",
        "Messages in the lake of which the log has acknowledged no receipt yet"
    );
    describe_gauge!("amanat_ingest_lag_events", "Messages in the log that are not in the lake");
    describe_gauge!("amanat_ingest_partition_lag_events", "The same of one partition");
    describe_gauge!("amanat_ingest_halted_partitions", "Partitions that stand still until an operator acts");
    describe_gauge!("amanat_ingest_waiting_partitions", "Partitions that wait for an Avro schema");
    describe_gauge!("amanat_ingest_held_bytes", Unit::Bytes, "Held between the log and the commit");
    describe_gauge!("amanat_ingest_budget_bytes", Unit::Bytes, "The most that may be held");
    describe_gauge!("amanat_ingest_log_away", "1 while the event log does not answer");
    describe_gauge!("amanat_ingest_lake_away", "1 while the lake cannot be written");
    describe_gauge!("amanat_lake_version", "Version of the table `events` as this worker last saw it");
}
