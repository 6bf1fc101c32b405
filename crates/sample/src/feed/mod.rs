//! The feed: the events that report a world, per agency topic, in the order in which they arrive.
//!
//! Arrival is by `log_timestamp_ms`, which comes from the world and never from a clock: `occurred_on` is not after
//! `time`, `time` is not after the log's, both within the day that ingest allows. Reports come late, twice, wrongly and
//! corrected, retracted, in conflict; each line says in `expected` what ingest must make of it, and in `note` what is
//! peculiar about it. What stands at the end of the feed is the world's account ([`crate::truth`]).
//!
//! Memory holds one month of stories and what of them has not arrived yet.

mod calendar;
mod fields;
mod history;
mod malformed;
mod message;
mod mistakes;
mod reporter;

use std::borrow::Cow;
use std::io::{self, Write};

use calendar::Calendar;
use malformed::Breaker;
pub use malformed::MALFORMATIONS;
use reporter::Reporter;

use crate::size::Size;
use crate::when::midnight_ms;
use crate::world::{Month, World};

/// A header: its name and its value.
pub type Header = (&'static str, Cow<'static, [u8]>);

/// A line of an agency's topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedline {
    /// The topic, `tip.events.<AGENCY>.v1`.
    pub topic: &'static str,
    /// The Kafka key: the record id.
    pub key: Option<Vec<u8>>,
    /// Headers: the envelope in binary mode, the content type alone in structured mode.
    pub headers: Vec<Header>,
    /// The value: the data in binary mode, envelope and data in structured mode.
    pub value: Vec<u8>,
    /// The log's time in milliseconds since 1970.
    pub log_timestamp_ms: i64,
    /// What ingest must make of the line, if all lines are read in the feed's order.
    pub expected: Expected,
    /// What is peculiar about the line, for a reader and for tests.
    pub note: &'static str,
}

impl Feedline {
    /// The agency of the topic.
    pub fn agency(&self) -> &'static str {
        self.topic.trim_start_matches("tip.events.").trim_end_matches(".v1")
    }

    /// The headers as an [`events::Message`] takes them.
    pub fn header_slices(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (*name, value.as_ref())).collect()
    }

    /// The line as one JSON object in structured mode, without a line break; `None` where the line is not an event and
    /// has no such form.
    pub fn structured(&self) -> Option<Vec<u8>> {
        if matches!(self.expected, Expected::SetAside(_)) {
            return None;
        }
        let binary = self.headers.iter().any(|(name, _)| name.starts_with("ce_"));
        let one_line = |bytes: &[u8]| bytes.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
        if !binary {
            return Some(one_line(&self.value));
        }
        let attributes =
            self.headers.iter().filter_map(|(name, value)| Some((name.strip_prefix("ce_")?, value.clone())));
        Some(message::structured_value(&attributes.collect(), &one_line(&self.value)))
    }
}

/// What ingest must make of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Admit it; it is the first with its id.
    Accept,
    /// Note it as a second copy of an event that came before, same content.
    Duplicate,
    /// Keep it as a conflict: same id as an event that came before, other content.
    Conflict,
    /// Set it aside for this reason.
    SetAside(Reason),
}

/// Why a line is set aside: the class in `_error_class` (ingestion.md 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Not one JSON document in UTF-8.
    Parse,
    /// JSON, but not the contract's; or dates that cannot be.
    Schema,
    /// The source is not the topic's agency.
    AgencyMismatch,
    /// The agency may not emit the type.
    TypeNotPermitted,
    /// Too large.
    Oversize,
    /// Not synthetic, in a sample store.
    WrongStore,
}

impl Reason {
    /// The class as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Schema => "schema",
            Self::AgencyMismatch => "agency_mismatch",
            Self::TypeNotPermitted => "type_not_permitted",
            Self::Oversize => "oversize",
            Self::WrongStore => "wrong_store",
        }
    }
}

/// The feed of a world: an iterator of lines in the order of arrival.
pub struct Feed {
    months: Box<dyn Iterator<Item = Month> + Send>,
    due_before_ms: i64,
    told: u64,
    calendar: Calendar,
    reporter: Reporter,
    /// Reports what happens beside the stories, where it is told.
    beside: Option<Beside>,
}

/// What reports what came to the world later.
struct Beside {
    outreach: Reporter,
    /// Stories of outreach told.
    told: u64,
    aftermath: Reporter,
}

impl Feed {
    /// The feed of a world, with one malformed line in a thousand.
    pub fn new(world: World) -> Self {
        Self::with(world, Breaker::in_passing(), true)
    }

    /// The feed of a world without malformed lines.
    pub fn well_formed(world: World) -> Self {
        Self::with(world, Breaker::never(), true)
    }

    /// `lines` lines of a feed of which the given share (parts per million) are malformed, in turn in every way of
    /// [`MALFORMATIONS`], one of them 20 MB long. Not a whole world: it has no truth.
    pub fn malformed(seed: u64, lines: usize, share_ppm: u32) -> impl Iterator<Item = Feedline> + Send {
        let size = if lines < 25_000 { Size::Small } else { Size::Medium };
        Self::with(World::new(seed, size), Breaker::dedicated(share_ppm), false).take(lines)
    }

    fn with(world: World, breaker: Breaker, outreach: bool) -> Self {
        Self {
            months: Box::new(world.months()),
            due_before_ms: i64::MIN,
            told: 0,
            calendar: Calendar::new(),
            reporter: Reporter::new(world.seed, breaker),
            beside: outreach.then(|| Beside {
                outreach: Reporter::of_outreach(world.seed),
                told: 0,
                aftermath: Reporter::of_aftermath(world.seed),
            }),
        }
    }

    /// Tells the stories of the next month; all that they send arrives in it or later.
    fn tell(&mut self, month: Month) {
        if month.month() == 1 {
            Calendar::expect(&mut self.reporter, month.year());
        }
        let stories = month.stories(self.told);
        self.told += stories.len() as u64;
        for story in &stories {
            self.calendar.note(story);
            self.reporter.story(story);
        }
        if let Some(beside) = &mut self.beside {
            for story in &stories {
                beside.aftermath.aftermath(story);
            }
            let stories = month.outreach(beside.told);
            beside.told += stories.len() as u64;
            for story in &stories {
                beside.outreach.story(story);
            }
        }
        if month.month() == 12 {
            self.calendar.close(&mut self.reporter, month.year());
        }
        self.due_before_ms = midnight_ms(month.next_day());
    }
}

impl Feed {
    /// The next line that is due; of several of one instant that of the stories, then of outreach.
    fn due(&mut self) -> Option<Feedline> {
        let mut reporters = vec![&mut self.reporter];
        if let Some(beside) = &mut self.beside {
            reporters.extend([&mut beside.outreach, &mut beside.aftermath]);
        }
        let next = reporters.into_iter().min_by_key(|reporter| reporter.due_ms())?;
        next.due_before(self.due_before_ms)
    }
}

impl Iterator for Feed {
    type Item = Feedline;

    fn next(&mut self) -> Option<Feedline> {
        loop {
            if let Some(line) = self.due() {
                return Some(line);
            }
            match self.months.next() {
                Some(month) => self.tell(month),
                None if self.due_before_ms == i64::MAX => return None,
                None => self.due_before_ms = i64::MAX,
            }
        }
    }
}

/// Writes the events of a feed as NDJSON in structured mode, one per line, and says how many. Lines that are no events
/// are left out.
///
/// # Errors
/// Those of the writer.
pub fn write_ndjson(feed: impl Iterator<Item = Feedline>, out: &mut impl Write) -> io::Result<u64> {
    let mut written = 0;
    for line in feed {
        if let Some(json) = line.structured() {
            out.write_all(&json)?;
            out.write_all(b"\n")?;
            written += 1;
        }
    }
    Ok(written)
}
