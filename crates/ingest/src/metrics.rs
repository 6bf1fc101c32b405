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
//! `amanat_ingest_partition_lag_events{stream,partition}` (NaN once another worker has the partition) · `amanat_ingest_halted_partitions{reason}` ([`Halt::reason`]) ·
//! `amanat_ingest_waiting_partitions` (for an Avro schema) · `amanat_ingest_held_bytes` · `amanat_ingest_budget_bytes` ·
//! `amanat_ingest_log_away` · `amanat_ingest_lake_away` (1 while it does not answer) · `amanat_lake_version`.
//!
//! `deploy/` has a board and alerts over these names.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use lake::PartitionId;

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
        partition_lag(id).set(status.lag().map_or(f64::NAN, |lag| lag as f64));
    }
    // A gauge cannot be taken back, and what it said last is no longer so.
    for id in monitor.gone() {
        partition_lag(&id).set(f64::NAN);
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

fn partition_lag(id: &PartitionId) -> Gauge {
    let stream = id.log_stream.rsplit_once('/').map_or("", |(_, stream)| stream).to_owned();
    gauge!("amanat_ingest_partition_lag_events", "stream" => stream, "partition" => id.partition.to_string())
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
    describe_gauge!(
        "amanat_ingest_partition_lag_events",
        "The same of one partition; NaN while it is not known, and once another worker has the partition"
    );
    describe_gauge!("amanat_ingest_halted_partitions", "Partitions that stand still until an operator acts");
    describe_gauge!("amanat_ingest_waiting_partitions", "Partitions that wait for an Avro schema");
    describe_gauge!("amanat_ingest_held_bytes", Unit::Bytes, "Held between the log and the commit");
    describe_gauge!("amanat_ingest_budget_bytes", Unit::Bytes, "The most that may be held");
    describe_gauge!("amanat_ingest_log_away", "1 while the event log does not answer");
    describe_gauge!("amanat_ingest_lake_away", "1 while the lake cannot be written");
    describe_gauge!("amanat_lake_version", "Version of the table `events` as this worker last saw it");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};

    use metrics::{Key, KeyName, Metadata, Recorder, SharedString};

    use super::*;
    use crate::budget::Purse;
    use crate::status::State;

    /// Keeps the gauges that have a label `partition`.
    #[derive(Default)]
    struct Gauges(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

    impl Gauges {
        /// `None` = NaN.
        fn of(&self, partition: &str) -> Option<i64> {
            let value = f64::from_bits(self.0.lock().unwrap()[partition].load(Ordering::SeqCst));
            (!value.is_nan()).then_some(value as i64)
        }
    }

    impl Recorder for Gauges {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            Counter::noop()
        }
        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            let Some(label) = key.labels().find(|label| label.key() == "partition") else { return Gauge::noop() };
            Gauge::from_arc(Arc::clone(self.0.lock().unwrap().entry(label.value().to_owned()).or_default()))
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn the_lag_of_a_partition_that_another_worker_has_is_not_told() {
        let monitor = Monitor::new("w", 0, [Purse::new(1), Purse::new(1)]);
        let at = |number| PartitionId::new("log#0", "tip.events.FIA.v1", number);
        let (given, fenced) = (at(1), at(2));
        for id in [&at(0), &given, &fenced] {
            monitor.partition(id, |status| (status.committed, status.high) = (Some(2), Some(9)));
        }
        let gauges = Gauges::default();
        let look = || metrics::with_local_recorder(&gauges, || observe(&monitor));
        look();
        assert_eq!(["0", "1", "2"].map(|partition| gauges.of(partition)), [Some(7); 3]);

        monitor.given_up(&given);
        monitor.partition(&fenced, |status| status.state = State::Halted(Halt::Fenced { own: 1, found: 2 }));
        look();
        assert_eq!(["0", "1", "2"].map(|partition| gauges.of(partition)), [Some(7), None, None]);
        assert_eq!(monitor.report().lag(), 7);

        monitor.partition(&given, |status| status.high = Some(3));
        look();
        assert_eq!(gauges.of("1"), Some(3), "it came back");
    }
}
