//! What a worker counts for operators. Nothing here is about a person, and no count is smaller than a message.
//!
//! `amanat_ingest_events_total{status}` · `amanat_ingest_set_aside_total{class}` · `amanat_ingest_batches_total` ·
//! `amanat_ingest_lag_events` · `amanat_ingest_halted_partitions{reason}` ([`Halt::reason`]) ·
//! `amanat_ingest_waiting_partitions` (for an Avro schema) · `amanat_lake_version`.

use metrics::{Counter, Gauge, counter, describe_gauge, gauge};

use crate::set_aside::ErrorClass;
use crate::status::{Counts, Halt, Monitor};

const HALTED: &str = "amanat_ingest_halted_partitions";
const WAITING: &str = "amanat_ingest_waiting_partitions";

/// Handles, registered once per worker.
pub(crate) struct Meters {
    ok: Counter,
    tombstone: Counter,
    duplicate: Counter,
    conflict: Counter,
    set_aside: Counter,
    classes: Vec<Counter>,
    ignored: Counter,
    batches: Counter,
    lag: Gauge,
    version: Gauge,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let events = |status: &'static str| counter!("amanat_ingest_events_total", "status" => status);
        let class = |class: &ErrorClass| counter!("amanat_ingest_set_aside_total", "class" => class.name());
        Self {
            ok: events("ok"),
            tombstone: events("tombstone"),
            duplicate: events("duplicate"),
            conflict: events("conflict"),
            set_aside: events("set_aside"),
            classes: ErrorClass::ALL.iter().map(class).collect(),
            ignored: counter!("amanat_ingest_ignored_attributes_total"),
            batches: counter!("amanat_ingest_batches_total"),
            lag: gauge!("amanat_ingest_lag_events"),
            version: gauge!("amanat_lake_version"),
        }
    }

    /// A batch is in the lake.
    pub(crate) fn committed(&self, counts: &Counts, lake_version: u64, monitor: &Monitor) {
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
        self.version.set(lake_version as f64);
        self.lag.set(monitor.report().lag() as f64);
    }
}

/// Which partitions stand still has changed. Not at a commit: where all of them stand still there is none.
pub(crate) fn standing(monitor: &Monitor) {
    describe_gauge!(
        HALTED,
        "Partitions that stand still until an operator acts; `amanat status` says which, why and what to do"
    );
    describe_gauge!(WAITING, "Partitions that stand still until an Avro schema can be had");
    let report = monitor.report();
    for reason in Halt::REASONS {
        let halted = report.halted().filter(|(_, halt)| halt.reason() == reason).count();
        gauge!(HALTED, "reason" => reason).set(halted as f64);
    }
    gauge!(WAITING).set(report.waiting().count() as f64);
}
