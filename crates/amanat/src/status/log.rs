//! What only the log knows: how far its partitions go, and since when its first unread messages lie there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use eventlog::{EventSource, Partition, Watermarks};
use lake::PartitionId;

use crate::config::Config;
use crate::data_dir::{DataDir, log_failure};

/// How long messages are waited for, over all partitions: a log that answers does so at once.
const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes asked for at a time; of what comes, one record is looked at.
const BYTES: usize = 16 << 10;

/// The log, connected when it is first asked, and anew after it did not answer.
pub(super) struct Log<'a> {
    config: &'a Config,
    dir: &'a DataDir,
    source: Option<Box<dyn EventSource>>,
}

impl<'a> Log<'a> {
    pub(super) fn new(config: &'a Config, dir: &'a DataDir) -> Self {
        Self { config, dir, source: None }
    }

    /// Ends of its partitions; `None` for one that is in trouble.
    pub(super) fn ends(&mut self) -> anyhow::Result<BTreeMap<PartitionId, Option<Watermarks>>> {
        let mut source = match self.source.take() {
            Some(source) => source,
            None => self.dir.source(self.config)?,
        };
        let uid = source.source_uid().to_owned();
        let mut all = BTreeMap::new();
        for partition in source.partitions().map_err(log_failure)? {
            let log = match source.watermarks(&partition) {
                // One partition's trouble: the others are still shown.
                Err(error) if error.partition().is_some() => None,
                marks => Some(marks.map_err(log_failure)?),
            };
            all.insert(PartitionId::new(&uid, &partition.stream, partition.number), log);
        }
        self.source = Some(source);
        Ok(all)
    }

    /// The log's time of the first record at or behind an offset of each of these partitions, milliseconds UTC. A partition that
    /// does not answer within a few seconds is left out.
    pub(super) fn times(&mut self, wanted: &BTreeMap<PartitionId, i64>) -> BTreeMap<PartitionId, i64> {
        let Some(source) = &mut self.source else { return BTreeMap::new() };
        let mut open = BTreeMap::new();
        for (id, next) in wanted {
            let stream = id.log_stream.rsplit_once('/').map_or(&*id.log_stream, |(_, stream)| stream);
            let partition = Partition::new(stream, id.partition);
            if source.read_from(&partition, *next).is_ok() {
                open.insert(partition, id);
            }
        }
        let (began, mut found) = (Instant::now(), BTreeMap::new());
        while !open.is_empty() {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let fetched = match source.poll(BYTES, left) {
                Ok(Some(fetched)) => fetched,
                Ok(None) => break,
                // One partition's trouble is not the others'.
                Err(error) => match error.partition().and_then(|partition| open.remove(partition)) {
                    Some(_) => continue,
                    None => break,
                },
            };
            if let (Some(id), Some(first)) = (open.get(&fetched.partition), fetched.records.get(0)) {
                found.insert((*id).clone(), first.timestamp_ms);
                let _ = source.stop(&fetched.partition);
                open.remove(&fetched.partition);
            }
            if left.is_zero() {
                break;
            }
        }
        for partition in open.keys() {
            let _ = source.stop(partition);
        }
        found
    }
}
