//! The ground truth of the indicators (domain.md 7), before any protection, for tests only.
//!
//! Counted from the [`World`]: from each agency's final account, whatever mistakes, late reports, duplicates and
//! corrections the feed makes of it on the way. Shares nothing with `sql/` and reads no event.
//!
//! # Definitions
//!
//! *Person* — a person as one agency knows her: (agency, first token). Persons of two agencies are never linked.
//!
//! *Day* — of what happened: the first day of what the agency says (`2024-Q1` is 1 January 2024).
//!
//! *First* — of several acts the one with the least (day, time at which the act was first recorded, event id);
//! *latest* — the one with the greatest.
//!
//! *Time period* — `2024` and `2024-Q1`; an act known only by year has the quarter `_X`, one period for all years.
//!
//! *Totals* — each grid is counted with all its margins: `_T` instead of a code; but for C05 by section and R01 by
//! outcome, whose totals are other cells. A person counts once under each of several codes and once in the total. Cells
//! in which nobody counts are absent.
//!
//! Indicators, measures and dimensions have the names under which they are published. Rates and shares are made of
//! these numbers and have no truth of their own: V02 is here as its numerator, L02's denominator is L01.
//!
//! | id | measure | grids | counted |
//! |---|---|---|---|
//! | V01 | `victims` | quarter × province, year × province, year × sex × age_group | persons whose latest status is `actual`, by their first identification: its time, place (rolled up to provinces), sex, age. Status: the latest of all identifications and determinations |
//! | V02 | `victims` | year × province | the numerator: V01's |
//! | V03 | `victims` | year × exploitation, … × sex, … × age_group | V01's persons by the forms of exploitation of their first identification |
//! | V04 | `child`, `adult`, `unknown` | year | V01's persons by age group |
//! | V11 | `victims` | year × referral_source | V01's persons by the source of their first identification |
//! | C01 | `cases` | quarter × province × agency_group | cases with any PTPA section, by registration, but those that are linked to one that was registered before; the group is the registering agency's |
//! | C03 | `persons_arrested` | year × sex, year × role | persons by their first arrest: its sex, its roles |
//! | C04 | `persons_prosecuted` | year × province | persons by their first charge with any PTPA section that is not withdrawn |
//! | C05 | `persons_convicted` | year × sex, year × citizenship, year × section | persons by their first judgment with any PTPA section, verdict `convicted` or `convicted_lesser`, whose last appeal, if any, did not overturn it; only the PTPA sections of that judgment. A person counts once in all years |
//! | L01 | `inspections` | quarter × province × sector | inspections of kind `child` or `bonded`; the sector as reported, not rolled up |
//! | L02 | `inspections_finding` | quarter × province | L01's whose outcome includes `child_labour_found` or `bonded_labour_found` |
//! | S01 | `persons_referred`, `persons_receiving_within_30_days` | year | persons by their first referral; those of whom a service names that referral and starts 0 to 30 days after it, day to day |
//! | R01 | `persons_returned`, `persons_assisted` | year | persons by their first return; those whose return any assistance names |
//! | R01 | `persons_assisted_outcome_6_months`, `…_12_months` | year × outcome_6, year × outcome_12 | of the assisted, by the outcome that the latest assistance with such an outcome reports, `_X` where none does |
//! | V10 | `possible_victims`, `possible_victims_determined_within_90_days` | year | persons whose first identification says `possible`; those whom a determination says to be `actual` or `not_victim` on or before the 90th day after it |
//! | V12 | `victims`, `victims_identified_again_within_24_months` | year | V01's persons; those whom another record, not as `not_victim`, identifies more than 90 days and at most 24 months after the first |
//! | C09 | `persons_accused`, `officials_accused`, `persons_prosecuted`, `persons_convicted` | year | persons by their first arrest, or by when they became known; those of whom either says that they are officials; C04's and C05's persons, of whom no prosecution or court knows an official |
//! | L04 | `inspections_referred`, `inspections_acted_on` | year × province | inspections of which findings were referred to police or FIA; those of which a referral led to a case, an investigation or a service |
//! | P01 | `contacts` | year | contacts of helplines; none is named by a victim's record |
//! | Q01 | `persons_identified`, `persons_if_all_plausible_linked` | year | persons by their first identification, whatever their status; without linkage the two are one number, and nobody is known to two agencies |

mod count;
mod grids;

use std::fmt;
use std::io::{self, Write};

use crate::codes::Code;
use crate::world::World;
use crate::world::account::Story;

use grids::Tally;
pub use grids::{Grid, Period};

/// Total: every code of a dimension together.
pub const TOTAL: Code = "_T";

/// One true number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Indicator, `V01`.
    pub indicator: &'static str,
    /// What is counted, `persons`.
    pub measure: &'static str,
    /// When, `2024`, `2024-Q1` or `_X`.
    pub time_period: Period,
    /// Each dimension of the grid with a code or `_T`, in the grid's order.
    pub dims: Vec<(&'static str, Code)>,
    /// The number.
    pub value: i64,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},", self.indicator, self.measure, self.time_period)?;
        for (at, (dim, code)) in self.dims.iter().enumerate() {
            write!(f, "{}{dim}={code}", if at == 0 { "" } else { ";" })?;
        }
        write!(f, ",{}", self.value)
    }
}

/// Counts the truth of a world, story by story.
#[derive(Default)]
pub struct Truth(Tally);

impl Truth {
    /// The truth of a whole world.
    pub fn of(world: World) -> Self {
        let mut truth = Self::default();
        for story in world.stories() {
            truth.tell(&story);
        }
        world.outreach().for_each(|story| truth.tell(&story));
        truth
    }

    /// Adds one story.
    pub fn tell(&mut self, story: &Story) {
        count::story(&mut self.0, story);
    }

    /// All cells that are not zero, sorted.
    pub fn cells(&self) -> Vec<Cell> {
        self.0.cells()
    }

    /// Writes the cells as CSV: `indicator,measure,time_period,dims,value`, dims as `name=code;name=code`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "indicator,measure,time_period,dims,value")?;
        for cell in self.cells() {
            writeln!(out, "{cell}")?;
        }
        Ok(())
    }
}
