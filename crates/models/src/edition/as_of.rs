//! The date that an edition speaks of, and the days whose facts are in it.
//!
//! `as_of` is a cut (domain.md 5): what began after it is in no cell, nor is what began before the fifteen years of the
//! edition. What is known only by its year begins with the year. What is known *of* a fact that is in (a status, an
//! outcome, a withdrawal) is what the cut of the log knew.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};
use disclosure::Span;

use super::EditionError;
use crate::indicator::{Years, quarter_code};

/// The first year an edition may speak of.
const FIRST_YEAR: i32 = 1950;
/// The last: codes of time have sixteen bits.
const LAST_YEAR: i32 = 9999;
/// From 1 January of year 1 to 1 January 1970.
const DAYS_BEFORE_1970: i32 = 719_163;

/// A date that an edition can speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AsOf(NaiveDate);

impl AsOf {
    /// Refuses years that have no codes.
    pub(super) fn new(date: NaiveDate) -> Result<Self, EditionError> {
        if (FIRST_YEAR..=LAST_YEAR).contains(&date.year()) { Ok(Self(date)) } else { Err(EditionError::Year(date)) }
    }

    /// The date.
    pub(super) fn date(self) -> NaiveDate {
        self.0
    }

    /// Days since 1970-01-01.
    pub(super) fn day(self) -> i32 {
        self.0.num_days_from_ce() - DAYS_BEFORE_1970
    }

    /// Its year.
    pub(super) fn year(self) -> u16 {
        self.0.year() as u16
    }

    /// The years of the edition.
    pub(super) fn years(self) -> Years {
        Years::ending(self.year())
    }

    /// The code of the quarter in which it lies.
    pub(super) fn quarter(self) -> u16 {
        quarter_code(self.year(), self.0.month0() as u16 / 3 + 1)
    }

    /// The periods of the edition of this number.
    pub(super) fn span(self, edition: i64) -> Span {
        let years = self.years();
        Span { edition, years: years.first..=years.last, last_day: self.day() }
    }

    /// The days whose facts are in the edition.
    pub(super) fn days(self) -> RangeInclusive<i32> {
        events::calendar::days_from_civil(self.years().first.into(), 1, 1)..=self.day()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_of(text: &str) -> Result<AsOf, EditionError> {
        AsOf::new(text.parse().unwrap())
    }

    #[test]
    fn an_edition_holds_what_began_in_its_fifteen_years_and_not_after_its_date() {
        let day = |text: &str| as_of(text).unwrap().day();
        assert_eq!(as_of("2025-06-30").unwrap().days(), day("2011-01-01")..=day("2025-06-30"));
        assert_eq!(as_of("2025-06-30").unwrap().quarter(), quarter_code(2025, 2));
        assert_eq!(day("1970-01-02"), 1);
    }

    #[test]
    fn a_year_without_codes_is_refused_and_is_no_panic() {
        for text in ["1949-12-31", "0001-01-01", "-0044-03-15", "+12000-01-01"] {
            assert!(matches!(as_of(text), Err(EditionError::Year(_))), "{text}");
        }
        assert!(as_of("1950-01-01").unwrap().years().first == 1936);
    }
}
