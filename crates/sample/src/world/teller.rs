//! The teller: chance and counters with which a month's stories are told.

use crate::agency::{Agency, provincial};
use crate::codes::{Code, Codes, PROVINCE, UNKNOWN, Weighted, places};
use crate::dice::Dice;
use crate::names::{EventId, Person, Record};
use crate::size::LAST_YEAR;
use crate::when::{Precision, When, days, midnight_ms};

use super::account::{Filed, Story};

/// How coarsely a fact's date may be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Sometimes only by month, quarter or year.
    Perhaps,
    /// To the day, rarely only the month.
    Nearly,
    /// Mostly by month only.
    Month,
}

/// Last day on which anything counted may happen.
fn last_day() -> i32 {
    days(LAST_YEAR, 12, 31)
}

/// Last day on which anything is recorded: the world's present.
pub(crate) fn present_day() -> i32 {
    days(LAST_YEAR + 1, 6, 30)
}

/// Tells the stories of one month.
pub(super) struct Teller {
    /// The month's chance.
    pub(super) dice: Dice,
    seed: u64,
    story: u64,
    serial: u64,
}

impl Teller {
    /// The teller of a month whose first story has this number.
    pub(super) fn new(seed: u64, month: u64, first: u64) -> Self {
        Self { dice: Dice::new(seed, month), seed, story: first, serial: 0 }
    }

    /// The teller of what comes of a story, with a stream of chance of its own; its numbers lie beyond those of the story.
    pub(super) fn after(seed: u64, stream: u64, story: u64) -> Self {
        Self { serial: ((story + 1) << 12) | (1 << 11), ..Self::new(seed, stream, story) }
    }

    /// An empty story with the next number; counters begin anew.
    pub(super) fn begin(&mut self) -> Story {
        let story = Story { number: self.story, ..Story::default() };
        self.story += 1;
        self.serial = (story.number + 1) << 12;
        story
    }

    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A person not met before.
    pub(super) fn person(&mut self) -> Person {
        Person { number: self.next(), documented: self.dice.mille(720) }
    }

    /// A new record of an agency.
    pub(super) fn record(&mut self, agency: &'static Agency) -> Record {
        Record { agency, number: self.next() }
    }

    /// A province, by weight.
    pub(super) fn province(&mut self) -> Code {
        self.dice.pick(PROVINCE)
    }

    /// A place in a province, as exactly as people say it.
    pub(super) fn place(&mut self, province: Code) -> Code {
        if self.dice.mille(8) { UNKNOWN } else { self.dice.pick(places(province)) }
    }

    /// The province as it is written down: nearly always the right one.
    pub(super) fn written_province(&mut self, province: Code) -> Code {
        match self.dice.below(1000) {
            0..8 => UNKNOWN,
            8..20 => self.province(),
            _ => province,
        }
    }

    /// One code, and further distinct ones each with the given chance; unknown stands alone.
    pub(super) fn codes(&mut self, list: Weighted, more_per_mille: u32) -> Codes {
        let mut codes = Codes::new();
        codes.push(self.dice.pick(list));
        while codes[0] != UNKNOWN && codes.len() < 4 && self.dice.mille(more_per_mille) {
            let code = self.dice.pick(list);
            if code != UNKNOWN && !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
    }

    /// A code, or nothing said with the given chance.
    pub(super) fn maybe(&mut self, list: Weighted, silent_per_mille: u32) -> Option<Code> {
        (!self.dice.mille(silent_per_mille)).then(|| self.dice.pick(list))
    }

    /// A day after another, if it still lies within the world.
    pub(super) fn later(&mut self, day: i32, low: i64, high: i64) -> Option<i32> {
        let later = day + self.dice.lag(low, high) as i32;
        (later <= last_day()).then_some(later)
    }

    /// Puts on file what happened on a day. It is recorded after all that `occurred_on` may mean is past, after
    /// `after_ms`, mostly within days, sometimes months later, never after the world's present.
    pub(super) fn file(&mut self, day: i32, known: Known, after_ms: i64) -> Filed {
        let when = When { day, precision: self.precision(known) };
        let lag = if self.dice.mille(50) { self.dice.lag(20, 260) } else { self.dice.lag(0, 21) };
        let on = i64::from(when.to().max(day)) + lag;
        let at_work = 9 * 3_600_000 + i64::from(self.dice.below(8 * 3_600_000));
        let last = midnight_ms(present_day());
        let recorded_ms = (midnight_ms(on as i32) + at_work).min(last - i64::from(self.dice.below(86_400_000)));
        let recorded_ms = recorded_ms.max(after_ms + 60_000 + i64::from(self.dice.below(3_600_000)));
        let serial = self.next();
        Filed { when, recorded_ms, serial, id: EventId::new(self.seed, recorded_ms, serial) }
    }

    fn precision(&mut self, known: Known) -> Precision {
        let coarse = self.dice.below(1000);
        match known {
            Known::Perhaps if coarse < 15 => Precision::Year,
            Known::Perhaps if coarse < 30 => Precision::Quarter,
            Known::Perhaps if coarse < 80 => Precision::Month,
            Known::Nearly if coarse < 15 => Precision::Month,
            Known::Month if coarse < 20 => Precision::Year,
            Known::Month if coarse < 880 => Precision::Month,
            _ => Precision::Day,
        }
    }
}

/// The body of a group in a province, or Punjab's where that province has none.
pub(super) fn body(group: Code, province: Code) -> &'static Agency {
    provincial(group, province)
        .or_else(|| provincial(group, "PK-PB"))
        .expect("each provincial group has a body in Punjab")
}
