//! The world: a synthetic country of fifteen years, told month by month.
//!
//! What happened and what each agency's final word on it is. How it was reported — late, twice, wrongly and then
//! corrected — is the feed's affair; the world knows nothing of events. From (seed, size) alone: each month has its own
//! stream of chance, so a story depends on its month and its place in it.

pub mod account;
mod aftermath;
mod justice;
mod labour;
mod outreach;
mod support;
mod teller;
mod victims;

use account::Story;
use teller::Teller;
pub(crate) use teller::present_day;

use crate::size::{BEGINNINGS, Beginning, FIRST_YEAR, LAST_YEAR, OUTREACHES, Size};
use crate::when::days;

/// The streams of chance of outreach begin here, beyond those of the months and of the feed.
const OUTREACH: u64 = 1 << 33;
/// Stories of outreach are numbered from here, beyond those of the months.
const FIRST_OUTREACH: u64 = 1 << 40;

/// Months in the world.
const MONTHS: u32 = ((LAST_YEAR - FIRST_YEAR + 1) * 12) as u32;

/// A synthetic country.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// What chance begins from.
    pub seed: u64,
    /// How much happens.
    pub size: Size,
}

impl World {
    /// The country of this seed and size.
    pub fn new(seed: u64, size: Size) -> Self {
        Self { seed, size }
    }

    /// All stories in the order of the month in which they begin; never more than a month of them is held.
    pub fn stories(self) -> impl Iterator<Item = Story> {
        let mut told = 0;
        self.months().flat_map(move |month| {
            let stories = month.stories(told);
            told += stories.len() as u64;
            stories
        })
    }

    /// What happens beside the stories: contacts of helplines and activities, a story each, in the order of the month.
    pub fn outreach(self) -> impl Iterator<Item = Story> {
        let mut told = 0;
        self.months().flat_map(move |month| {
            let stories = month.outreach(told);
            told += stories.len() as u64;
            stories
        })
    }

    /// The months, each able to tell its stories.
    pub fn months(self) -> impl Iterator<Item = Month> {
        (0..MONTHS).map(move |number| Month { world: self, number })
    }
}

/// One month of a world.
#[derive(Clone, Copy, Debug)]
pub struct Month {
    world: World,
    number: u32,
}

impl Month {
    /// The calendar year.
    pub fn year(self) -> i32 {
        FIRST_YEAR + (self.number / 12) as i32
    }

    /// The calendar month 1..=12.
    pub fn month(self) -> u32 {
        self.number % 12 + 1
    }

    /// First day, in days since 1970.
    pub fn first_day(self) -> i32 {
        days(self.year(), self.month(), 1)
    }

    /// First day of the month after.
    pub fn next_day(self) -> i32 {
        if self.month() == 12 { days(self.year() + 1, 1, 1) } else { days(self.year(), self.month() + 1, 1) }
    }

    /// The outreach of this month, of which so many stories were told before. It has its own chance and numbers: what came
    /// to the world later changes nothing of what was there.
    pub fn outreach(self, told: u64) -> Vec<Story> {
        let mut teller = Teller::new(self.world.seed, OUTREACH + u64::from(self.number), FIRST_OUTREACH + told);
        let mut stories = Vec::new();
        for what in OUTREACHES {
            let mean = self.world.size.monthly(what, self.year(), self.month());
            for _ in 0..teller.dice.round(mean) {
                let day = teller.dice.between(self.first_day(), self.next_day() - 1);
                stories.push(if what == Beginning::Contact { teller.contact(day) } else { teller.activity(day) });
            }
        }
        stories
    }

    /// The stories that begin in this month, numbered from `first`.
    pub fn stories(self, first: u64) -> Vec<Story> {
        let mut teller = Teller::new(self.world.seed, u64::from(self.number), first);
        let mut stories = Vec::new();
        for what in BEGINNINGS {
            let mean = self.world.size.monthly(what, self.year(), self.month());
            for _ in 0..teller.dice.round(mean) {
                let day = teller.dice.between(self.first_day(), self.next_day() - 1);
                stories.push(match what {
                    Beginning::Case => teller.case(day),
                    Beginning::Rescue => teller.rescue(day),
                    Beginning::Inspection => teller.inspection(day),
                    Beginning::Return => teller.return_home(day),
                    Beginning::Contact => teller.contact(day),
                    Beginning::Activity => teller.activity(day),
                });
            }
        }
        for story in &mut stories {
            Teller::aftermath(self.world.seed, story);
        }
        stories
    }
}
