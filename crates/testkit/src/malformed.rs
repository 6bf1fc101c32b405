//! `malformed`: one line in a hundred is no event, in every way there is. Each line is found again at its place in the
//! lake and held against what it should have become; the bytes of what was set aside are opened and compared.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use futures::TryStreamExt as _;
use ingest::open_set_aside;
use sample::feed::MALFORMATIONS;
use sample::{Expected, Feed};
use serde_json::json;

use crate::road::{Batches, Place, append_and};
use crate::{Measured, SEED};

/// Lines of the feed.
const LINES: usize = 60_000;
/// Of them malformed, parts per million.
const SHARE_PPM: u32 = 10_000;

/// What a line should become.
struct Sent {
    note: &'static str,
    expected: Expected,
    value: Vec<u8>,
}

/// Stream, partition, offset.
type At = (String, i32, i64);

/// Measures.
pub async fn measure(scratch: &Path) -> Result<Measured> {
    let began = Instant::now();
    let place = Place::new(&scratch.join("malformed"))?;
    let mut sent: HashMap<At, Sent> = HashMap::new();
    let uid = place.log.source_uid().to_owned();
    append_and(&mut place.log.sink()?, Feed::malformed(SEED, LINES, SHARE_PPM), |line, at| {
        let malformed = matches!(line.expected, Expected::SetAside(_));
        let value = if malformed { line.value.clone() } else { Vec::new() };
        let place = (format!("{uid}/{}", line.topic), at.partition, at.offset);
        sent.insert(place, Sent { note: line.note, expected: line.expected, value });
    })?;
    let report = place.ingest(place.log.source()?, Batches::default()).await?;
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for line in sent.values().filter(|line| matches!(line.expected, Expected::SetAside(_))) {
        *kinds.entry(line.note).or_default() += 1;
    }
    let snapshot = place.events().await?;
    let whole = ingest::reconcile(&snapshot).await?;
    let mut wrong = Vec::new();
    for file in snapshot.files.iter() {
        let columns = ["log_stream", "log_partition", "log_offset", "_status", "_error_class", "payload"];
        let mut batches = snapshot.read(file, &columns)?;
        while let Some(batch) = batches.try_next().await? {
            compare(&place, &batch, &mut sent, &mut wrong)?;
        }
    }
    let missing = sent.len();
    let every_kind = MALFORMATIONS.iter().all(|(kind, _)| kinds.contains_key(kind));
    let set_aside: u64 = kinds.values().sum();
    let counts = report.counts;
    let reconciled = whole.is_whole() && counts.rows() == LINES as u64 && counts.set_aside_total() == set_aside;
    let failures = wrong.len() + missing;
    Ok(Measured {
        value: json!(failures),
        met: failures == 0 && every_kind && reconciled,
        details: json!({
            "lines": LINES,
            "malformed": set_aside,
            "kinds": kinds,
            "accepted": counts.ok,
            "duplicates": counts.duplicate,
            "conflicts": counts.conflict,
            "set_aside_by_reason": ingest::ErrorClass::ALL
                .iter()
                .filter(|class| counts.of(**class) > 0)
                .map(|class| (class.name(), counts.of(*class)))
                .collect::<BTreeMap<_, _>>(),
            "counts_reconcile": reconciled,
            "without_a_row": missing,
            "wrong": wrong.iter().take(8).collect::<Vec<_>>(),
            "seconds": began.elapsed().as_secs(),
        }),
    })
}

/// Takes each row's line out of `sent` and notes it when it became something else.
fn compare(place: &Place, batch: &RecordBatch, sent: &mut HashMap<At, Sent>, wrong: &mut Vec<String>) -> Result<()> {
    let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
    let (streams, statuses, classes) = (text(0)?, text(3)?, text(4)?);
    let (streams, statuses) = (streams.as_string::<i32>(), statuses.as_string::<i32>());
    let classes = classes.as_string::<i32>();
    let (partitions, offsets) =
        (batch.column(1).as_primitive::<Int32Type>(), batch.column(2).as_primitive::<Int64Type>());
    let payloads = batch.column(5).as_binary::<i32>();
    for row in 0..batch.num_rows() {
        let at = (streams.value(row).to_owned(), partitions.value(row), offsets.value(row));
        let Some(line) = sent.remove(&at) else {
            wrong.push(format!("a row that nothing was sent for, or a second one: {} {}", at.0, at.2));
            continue;
        };
        let class = if classes.is_valid(row) { classes.value(row) } else { "" };
        let became = (statuses.value(row), class);
        let should = match line.expected {
            Expected::Accept => ("ok", ""),
            Expected::Duplicate => ("duplicate", ""),
            Expected::Conflict => ("conflict", "conflict"),
            Expected::SetAside(reason) => ("set_aside", reason.as_str()),
        };
        if became != should {
            wrong.push(format!("{}: should be {should:?}, became {became:?}", line.note));
        } else if became.0 == "set_aside" {
            let place_of = ingest::Place { log_stream: &at.0, partition: at.1, offset: at.2 };
            let payload = payloads.is_valid(row).then(|| payloads.value(row));
            let message = open_set_aside(&place.keys, place_of, payload).context("opening what was set aside")?;
            if message.value.as_deref() != Some(line.value.as_slice()) {
                wrong.push(format!("{}: its bytes were not kept", line.note));
            }
        }
    }
    Ok(())
}
