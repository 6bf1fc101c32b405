//! Sends what is owed, beside the commits, and makes from the table what nobody has at hand.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use eventlog::{LogError, Outgoing};
use lake::{Events, LakeError, Store};
use tracing::{info, warn};

use super::ledger::{Due, Ledger, Ready};
use super::{Sink, made};
use crate::backoff::Backoff;
use crate::batch::Topic;
use crate::clock::Clock;
use crate::config::WorkerConfig;
use crate::generation::split;
use crate::metrics::Meters;
use crate::status::Monitor;

/// The sender of one run of a worker.
pub(crate) struct Sender {
    pub(super) ledger: Arc<Ledger>,
    sink: Sink,
    store: Store,
    clock: Arc<dyn Clock>,
    backoff: Backoff,
    monitor: Monitor,
    meters: Meters,
}

/// Why a turn came to nothing. Another one comes.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the event log takes no receipts")]
    Log(#[from] LogError),
    #[error("the table cannot be read for receipts")]
    Lake(#[from] LakeError),
}

impl Sender {
    pub(crate) fn new(
        sink: Sink,
        store: Store,
        clock: Arc<dyn Clock>,
        config: &WorkerConfig,
        monitor: Monitor,
        meters: Meters,
    ) -> Self {
        let backoff = Backoff::new(config.backoff_first, config.backoff_most);
        Self { ledger: Arc::default(), sink, store, clock, backoff, monitor, meters }
    }

    /// Sends until the committer is gone and nothing is owed, or the rest cannot be sent now: the next owner does it then.
    ///
    /// An append may block, so this needs a thread to itself, or a sink that does not.
    pub(crate) async fn run(mut self) {
        loop {
            let turn = self.turn().await;
            self.monitor.update(|report| report.receipts_owed = self.ledger.owed());
            match turn {
                Ok(true) => {
                    if self.backoff.worked() {
                        info!("receipts are sent again");
                    }
                }
                Ok(false) if self.ledger.has_ended() => return,
                Ok(false) => self.ledger.news.notified().await,
                Err(error) => {
                    let (wait, news) = self.backoff.failed();
                    if news {
                        let error = &error as &dyn Error;
                        warn!(
                            error,
                            "receipts wait; ingest goes on, and they are made from the table when they can be sent"
                        );
                    }
                    if self.ledger.has_ended() {
                        return;
                    }
                    self.pause(wait).await;
                }
            }
        }
    }

    /// Waits before the next try, but not for a worker that ends.
    async fn pause(&self, wait: Duration) {
        let mut over = self.clock.sleep(wait);
        while !self.ledger.has_ended() {
            tokio::select! {
                biased;
                () = &mut over => return,
                () = self.ledger.news.notified() => {}
            }
        }
    }

    /// One step for each partition of which something is owed; whether there was any.
    async fn turn(&self) -> Result<bool, Trouble> {
        let (mut send, mut make) = (Vec::new(), Vec::new());
        for (topic, due) in self.ledger.due() {
            match due {
                Due::Send(ready) => send.push((topic, ready)),
                Due::Make { from, to } => make.push((topic, from, to)),
            }
        }
        let any = !send.is_empty() || !make.is_empty();
        self.send(&send)?;
        if !make.is_empty() {
            self.monitor.update(|report| report.makes_receipts = true);
            let made = self.make(make).await;
            self.monitor.update(|report| report.makes_receipts = false);
            made?;
        }
        Ok(any)
    }

    /// Appends one receipt of each partition. Never two of one at once: of an append that fails a log may have taken any, and what
    /// comes later in a partition must not stand in the log before what comes earlier.
    fn send(&self, receipts: &[(Arc<Topic>, Ready)]) -> Result<(), LogError> {
        if receipts.is_empty() {
            return Ok(());
        }
        let timestamp_ms = self.clock.now_us().div_euclid(1_000).max(1);
        let messages = receipts.iter().map(|(topic, ready)| {
            let (key, value) = (Some(key_of(topic)), Some(&*ready.message));
            Outgoing { key, headers: &[], value, timestamp_ms }
        });
        let messages: Vec<Outgoing<'_>> = messages.collect();
        let mut sink = self.sink.0.lock().unwrap_or_else(PoisonError::into_inner);
        sink.append(eventlog::RECEIPTS, &messages)?;
        for (topic, _) in receipts {
            self.ledger.sent(topic);
        }
        self.meters.receipts(receipts.len());
        Ok(())
    }

    /// Makes a piece for each partition, from the table as it is now, while there is room.
    async fn make(&self, wanted: Vec<(Arc<Topic>, Option<i64>, i64)>) -> Result<(), LakeError> {
        let snapshot = Events::open(&self.store, "receipts").await?.snapshot()?;
        let anywhere = wanted.iter().any(|(_, from, _)| from.is_none());
        let firsts = if anywhere { snapshot.first_offsets_since(i32::MIN).await? } else { BTreeMap::new() };
        for (topic, from, to) in wanted {
            let piece = made::piece(&snapshot, &topic.id, from, to, &firsts).await?;
            self.ledger.made(&topic, piece.from, piece.upto, piece.receipts);
            if !self.ledger.has_room_for(0) {
                break;
            }
        }
        Ok(())
    }
}

/// By what the log divides receipts: the name of the agency's stream.
fn key_of(topic: &Topic) -> &[u8] {
    split(&topic.id.log_stream).map_or("", |(_, stream)| stream).as_bytes()
}
