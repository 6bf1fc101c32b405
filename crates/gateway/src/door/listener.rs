//! Reads what the door is told, on a thread of its own: the stream of receipts (`tip.receipts.v1`), what became of which offsets and which
//! edition counts them; and the stream of feeds (`tip.feeds.v1`), how good each agency's feed is.
//!
//! Where it has read to stands in `gateway.db`, in the transaction of what was learned. The log may be away when the program starts and
//! at any time later; then it is asked again. Absent: the lake. What this thread knows came by the log.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use eventlog::{EventSource, FEEDS, Fetched, LogError, Partition, RECEIPTS};
use events::feed::FeedReport;
use events::receipt::{Reader, Told};
use tracing::{debug, warn};

use super::book::{Book, Heard};
use super::metrics::Meters;
use super::settings::Settings;
use crate::error::RegistryError;

/// Opens the log for reading; called again until it succeeds.
pub type OpenSource = Box<dyn FnMut() -> Result<Box<dyn EventSource>, LogError> + Send>;

/// Longest wait for the next receipts; after it, new partitions of the stream are looked for.
const LOOK: Duration = Duration::from_millis(250);

/// How long a log, or a file, that is away is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// How often what was kept long enough is looked for, milliseconds.
const FORGET_EVERY_MS: i64 = 60_000;

/// Bytes of receipts that are read at once.
const AT_ONCE: usize = 1 << 20;

/// Why listening is interrupted.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Book(#[from] RegistryError),
}

pub(crate) struct Listener {
    pub(crate) open: OpenSource,
    pub(crate) book: Book,
    pub(crate) log: Arc<OnceLock<String>>,
    pub(crate) settings: Settings,
    pub(crate) meters: Meters,
    /// Gone when the door is: then this thread ends.
    pub(crate) alive: Weak<()>,
    /// When it last looked for what was kept long enough, milliseconds since 1970 UTC.
    pub(crate) forgot_ms: i64,
}

/// One opening of the log.
struct Session {
    source: Box<dyn EventSource>,
    log: String,
    reading: BTreeSet<Partition>,
    reader: Reader,
}

impl Listener {
    /// Listens until the door is gone.
    pub(crate) fn listen(mut self) {
        let mut said = false;
        while self.alive.strong_count() > 0 {
            let ended = self.session();
            self.meters.log_away(ended.is_err());
            match ended {
                Ok(()) => return,
                Err(error) if std::mem::replace(&mut said, true) => {
                    debug!(error = &error as &dyn std::error::Error, "receipts are not read");
                }
                Err(error) => warn!(error = &error as &dyn std::error::Error, "receipts are not read; trying again"),
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Listens until the door is gone or something is away.
    fn session(&mut self) -> Result<(), Interrupted> {
        let source = (self.open)()?;
        let log = source.source_uid().to_owned();
        // Another log under the same address: positions of the first mean nothing in it, so the clerk must be made anew.
        if *self.log.get_or_init(|| log.clone()) != log {
            let expected = self.log.get().cloned().unwrap_or_default();
            return Err(LogError::AnotherLog { expected, found: log }.into());
        }
        let mut session = Session { source, log, reading: BTreeSet::new(), reader: self.book.reader()? };
        while self.alive.strong_count() > 0 {
            self.begin(&mut session)?;
            self.meters.log_away(false);
            while let Some(fetched) = Self::next(&mut session)? {
                self.learn(&mut session, &fetched)?;
                if self.alive.strong_count() == 0 {
                    return Ok(());
                }
            }
            self.forget()?;
        }
        Ok(())
    }

    /// Begins to read the partitions of the streams that are not read yet.
    fn begin(&self, session: &mut Session) -> Result<(), Interrupted> {
        for stream in [RECEIPTS, FEEDS] {
            for partition in session.source.partitions_of(stream)? {
                if session.reading.contains(&partition) {
                    continue;
                }
                let marks = session.source.watermarks(&partition)?;
                let heard = self.book.heard_to(&session.log, stream)?;
                let next = heard.get(&partition.number).copied().unwrap_or(marks.low);
                // What was deleted before it was read is told no more: those events stay as they were last known.
                session.source.read_from(&partition, next.clamp(marks.low, marks.high))?;
                session.reading.insert(partition);
            }
        }
        Ok(())
    }

    fn next(session: &mut Session) -> Result<Option<Fetched>, Interrupted> {
        match session.source.poll(AT_ONCE, LOOK) {
            // Trimmed while it was read: begun again at what is left.
            Err(LogError::OffsetOutOfRange { partition, .. }) => {
                session.reading.remove(&partition);
                Ok(None)
            }
            polled => Ok(polled?),
        }
    }

    fn learn(&mut self, session: &mut Session, fetched: &Fetched) -> Result<(), Interrupted> {
        let Partition { stream, number } = &fetched.partition;
        let (log, next) = (session.log.as_str(), fetched.records.next_offset());
        let heard = Heard { log, stream, partition: *number, next };
        if **stream == *FEEDS {
            let told = decoded(fetched, FeedReport::decode);
            self.book.learn_feeds(heard, &told)?;
            return Ok(());
        }
        let take = |(told_ms, told)| session.reader.take(told).map(|new| (told_ms, new));
        let told: Vec<_> = decoded(fetched, Told::decode).into_iter().filter_map(take).collect();
        self.book.learn(heard, &told)?;
        self.meters.heard(told.len());
        Ok(())
    }

    /// Forgets what was kept long enough.
    fn forget(&mut self) -> Result<(), Interrupted> {
        let (now, limits) = (self.settings.now_ms(), &self.settings.limits);
        if (now - self.forgot_ms).abs() < FORGET_EVERY_MS {
            return Ok(());
        }
        self.forgot_ms = now;
        let before = |kept: Duration| now.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
        self.book.prune((before(limits.repeat_for), before(limits.keep_for.max(limits.repeat_for))))?;
        Ok(())
    }
}

/// The messages of a stream, each with the log's time of it.
fn decoded<T>(fetched: &Fetched, decode: impl Fn(&[u8]) -> Option<T>) -> Vec<(i64, T)> {
    let mut told = Vec::new();
    for record in fetched.records.iter() {
        let Some(known) = record.value.and_then(&decode) else {
            let stream = &*fetched.partition.stream;
            warn!(stream, offset = record.offset, "a message has a form that this program does not know");
            continue;
        };
        told.push((record.timestamp_ms, known));
    }
    told
}
