//! Whom the steward has ordered to be erased (privacy.md 8.5; ingestion.md 3.12).
//!
//! The orders are events, so who is erased is a function of the lake. An order holds at any cut: what was known on a date is
//! folded without her too, before maintenance has taken her rows out and after.
//!
//! Absent: carrying it out (`lake::maintain`, `ingest::Eraser`); giving an order ([`crate::people::erasure`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use events::{Data, EventType};
use futures::TryStreamExt;
use lake::{DataFile, EventsSnapshot, PartitionId, RowFilter};
use policy::{Erased, Keys};

use crate::error::ModelsError;
use crate::stage::{self, StageError};

/// An order of the steward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What stands for the person: the same before it is carried out and after.
    pub image: [u8; 16],
    /// On which ground (list `legal_basis`).
    pub legal_basis: u16,
    /// When it was given, microseconds UTC.
    pub given_us: i64,
    /// When ingest took it in, microseconds UTC.
    pub ingested_us: i64,
    /// Where it stands in the log.
    pub partition: PartitionId,
    /// Its offset there.
    pub offset: i64,
    /// Whether maintenance has been there: its own row names the image alone.
    pub carried_out: bool,
}

/// All orders, oldest first, and whom they erase.
#[derive(Debug, Clone)]
pub struct Orders {
    /// The orders.
    pub all: Vec<Order>,
    /// The persons.
    pub erased: Arc<Erased>,
}

const COLUMNS: [&str; 9] = [
    "schema_id",
    "recorded_at",
    "ingested_at",
    "payload",
    "subject_refs",
    "_status",
    "log_stream",
    "log_partition",
    "log_offset",
];

impl Orders {
    /// The orders among all events.
    ///
    /// # Errors
    /// Storage errors; an order that this program would not have written.
    pub async fn of(events: &EventsSnapshot, keys: &Keys) -> Result<Self, ModelsError> {
        Self::among(events, &events.files, keys).await
    }

    /// Those among the rows of some files.
    ///
    /// # Errors
    /// As [`Orders::of`].
    pub async fn among(events: &EventsSnapshot, files: &[DataFile], keys: &Keys) -> Result<Self, ModelsError> {
        const ORDERS: [&str; 1] = [EventType::PersonErasureOrdered.name()];
        let (mut all, mut erased) = (Vec::new(), Erased::nobody(keys));
        for file in files {
            let mut batches = events.read_where(file, &COLUMNS, &RowFilter::EventTypes(&ORDERS))?;
            while let Some(rows) = batches.try_next().await? {
                read(&rows, &mut erased, &mut all)?;
            }
        }
        all.sort_by_key(|order: &Order| (order.given_us, order.image));
        Ok(Self { all, erased: Arc::new(erased) })
    }

    /// How many persons were ordered to be erased beyond a cut: an edition with this cut was made with them.
    pub fn beyond(&self, cut: &BTreeMap<PartitionId, i64>) -> u64 {
        let is_beyond = |order: &&Order| cut.get(&order.partition).is_none_or(|next| order.offset >= *next);
        let within: BTreeSet<_> = self.all.iter().filter(|order| !is_beyond(order)).map(|order| order.image).collect();
        let beyond = self.all.iter().filter(is_beyond).map(|order| order.image);
        beyond.filter(|image| !within.contains(image)).collect::<BTreeSet<_>>().len() as u64
    }
}

fn read(rows: &RecordBatch, erased: &mut Erased, all: &mut Vec<Order>) -> Result<(), ModelsError> {
    let (schemas, statuses, streams) = (stage::texts(rows, 0)?, stage::texts(rows, 5)?, stage::texts(rows, 6)?);
    let time = |at: usize| rows.column(at).as_primitive::<TimestampMicrosecondType>();
    let payloads = rows.column(3).as_binary::<i32>();
    let partitions = rows.column(7).as_primitive::<Int32Type>();
    let offsets = rows.column(8).as_primitive::<Int64Type>();
    for row in 0..rows.num_rows() {
        let status = statuses.get(row);
        if !matches!(status, Some("ok" | "conflict" | "erased")) || payloads.is_null(row) {
            continue;
        }
        let version = schemas.get(row).and_then(stage::version_of).ok_or(StageError::Row("schema_id"))?;
        let sealed = events::decode_sealed(EventType::PersonErasureOrdered, version, payloads.value(row))
            .map_err(StageError::Decode)?;
        let Data::PersonErasureOrdered(order) = sealed.data else { continue };
        let carried_out = status == Some("erased");
        let image = if carried_out {
            erased.carried_out(order.person_id);
            order.person_id
        } else {
            erased.order(order.person_id)
        };
        all.push(Order {
            image,
            legal_basis: order.legal_basis,
            given_us: time(1).value(row),
            ingested_us: time(2).value(row),
            partition: PartitionId {
                log_stream: streams.get(row).unwrap_or_default().into(),
                partition: partitions.value(row),
            },
            offset: offsets.value(row),
            carried_out,
        });
    }
    Ok(())
}
