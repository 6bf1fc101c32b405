//! Time as codes: a year, a quarter, a month is a number of sixteen bits, and what is not known is [`UNKNOWN`].
//!
//! A year is its number, a fiscal year the calendar year in which it begins (July); a quarter counts from 1900-Q1, a
//! month from 1900-01. A date known only by year has the quarter and the month `_X` (domain.md 7.1). Dates are those of
//! Asia/Karachi.
//!
//! Absent: any clock.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use events::calendar;
use serde::Deserialize;

/// What is not known so exactly: `_X`.
pub const UNKNOWN: u16 = u16::MAX;

/// The day of a moment (UTC), since 1970-01-01.
pub fn day_of(moment: SystemTime) -> i32 {
    const DAY: u64 = 86_400;
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i32::try_from(since.as_secs() / DAY).unwrap_or(i32::MAX)
}

/// A day since 1970-01-01 as it is written: `2025-12-31`.
pub fn date_text(day: i32) -> String {
    let (year, month, of_month) = calendar::civil_from_days(day);
    format!("{year:04}-{month:02}-{of_month:02}")
}

/// Levels of the main time. Codes of time are made by whoever asks (a year, a quarter), not by a code list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeLevel {
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A calendar year.
    Year,
    /// July to June.
    FiscalYear,
}

impl TimeLevel {
    /// All levels, from fine to coarse; years and fiscal years stand side by side.
    pub const ALL: [Self; 4] = [Self::Month, Self::Quarter, Self::Year, Self::FiscalYear];

    /// The level with this column name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The name of the column that holds it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::FiscalYear => "fiscal_year",
        }
    }

    /// The code of the period in which a day (since 1970-01-01) lies.
    pub fn of_day(self, day: i32) -> u16 {
        let (year, month, _) = calendar::civil_from_days(day);
        match self {
            Self::Month => ((year - 1900) * 12 + month as i32 - 1) as u16,
            Self::Quarter => ((year - 1900) * 4 + (month as i32 - 1) / 3) as u16,
            Self::Year => year as u16,
            Self::FiscalYear => (year - i32::from(month < 7)) as u16,
        }
    }

    /// First and last day of a period; `None` for [`UNKNOWN`].
    pub fn days(self, code: u16) -> Option<(i32, i32)> {
        if code == UNKNOWN {
            return None;
        }
        let code = i32::from(code);
        let (year, month, months) = match self {
            Self::Month => (1900 + code / 12, code % 12 + 1, 1),
            Self::Quarter => (1900 + code / 4, code % 4 * 3 + 1, 3),
            Self::Year => (code, 1, 12),
            Self::FiscalYear => (code, 7, 12),
        };
        let end = month + months - 1;
        let (last_year, last) = (year + (end - 1) / 12, ((end - 1) % 12 + 1) as u32);
        let to = calendar::days_from_civil(last_year, last, calendar::days_in_month(last_year, last));
        Some((calendar::days_from_civil(year, month as u32, 1), to))
    }

    /// The year in which a period begins; `None` for [`UNKNOWN`].
    pub fn year_of(self, code: u16) -> Option<u16> {
        self.days(code).map(|(from, _)| Self::Year.of_day(from))
    }

    /// The period of a level no finer than this one in which a period lies; [`UNKNOWN`] stays unknown.
    ///
    /// `None` where a period of this level does not lie in one of the other (a year in a fiscal year, a year in a month).
    pub fn roll_up(self, to: Self, code: u16) -> Option<u16> {
        let fits = self == to || (self < to && self != Self::Year);
        fits.then(|| self.days(code).map_or(UNKNOWN, |(from, _)| to.of_day(from)))
    }

    /// As written: `2024-03`, `2024-Q1`, `2024`, `2024-25`, or `_X`.
    pub fn label(self, code: u16) -> String {
        let Some((from, _)) = self.days(code) else { return events::code_list::UNKNOWN.to_owned() };
        let (year, month, _) = calendar::civil_from_days(from);
        match self {
            Self::Month => format!("{year}-{month:02}"),
            Self::Quarter => format!("{year}-Q{}", (month - 1) / 3 + 1),
            Self::Year => format!("{year}"),
            Self::FiscalYear => format!("{year}-{:02}", (year + 1) % 100),
        }
    }

    /// The codes of the periods that begin in these years, both ends included, and `_X` unless these are years.
    pub fn codes(self, years: RangeInclusive<u16>) -> Vec<u16> {
        let per_year = match self {
            Self::Year => return years.collect(),
            Self::FiscalYear => return years.chain([UNKNOWN]).collect(),
            Self::Quarter => 4,
            Self::Month => 12,
        };
        let first = (years.start().max(&1900) - 1900) * per_year;
        let end = (years.end().max(&1899) - 1899) * per_year;
        (first..end).chain([UNKNOWN]).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_day_lies_in_its_periods_and_they_bear_its_name() {
        let day = calendar::days_from_civil(2024, 8, 14);
        for (level, label) in [
            (TimeLevel::Year, "2024"),
            (TimeLevel::Quarter, "2024-Q3"),
            (TimeLevel::Month, "2024-08"),
            (TimeLevel::FiscalYear, "2024-25"),
        ] {
            let code = level.of_day(day);
            assert_eq!(level.label(code), label);
            let (from, to) = level.days(code).unwrap();
            assert!(from <= day && day <= to);
            assert_eq!(level.year_of(code), Some(2024));
        }
        assert_eq!(TimeLevel::FiscalYear.label(TimeLevel::FiscalYear.of_day(day - 60)), "2023-24");
    }

    #[test]
    fn every_quarter_of_the_years_asked_has_a_code_and_so_has_the_unknown_one() {
        let quarters = TimeLevel::Quarter.codes(2011..=2012);
        let labels: Vec<_> = quarters.iter().map(|q| TimeLevel::Quarter.label(*q)).collect();
        assert_eq!(labels.first().unwrap(), "2011-Q1");
        assert_eq!(labels[7], "2012-Q4");
        assert_eq!(labels[8], "_X");
        assert_eq!(quarters.len(), 9);
        assert_eq!(TimeLevel::Year.codes(2011..=2012), [2011, 2012]);
    }

    #[test]
    fn a_period_rolls_up_to_the_period_it_lies_in_and_to_no_other() {
        let may = TimeLevel::Month.of_day(calendar::days_from_civil(2024, 5, 2));
        let up = |to: TimeLevel| TimeLevel::Month.roll_up(to, may).map(|code| to.label(code));
        assert_eq!(up(TimeLevel::Quarter).as_deref(), Some("2024-Q2"));
        assert_eq!(up(TimeLevel::FiscalYear).as_deref(), Some("2023-24"));
        assert_eq!(TimeLevel::Year.roll_up(TimeLevel::FiscalYear, 2024), None);
        assert_eq!(TimeLevel::Year.roll_up(TimeLevel::Quarter, 2024), None);
        assert_eq!(TimeLevel::Quarter.roll_up(TimeLevel::Year, UNKNOWN), Some(UNKNOWN));
    }
}
