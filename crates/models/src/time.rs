//! Time as codes: a year, a quarter, a month is a number of sixteen bits, and what is not known is [`UNKNOWN`].
//!
//! A year is its number; a quarter counts from 1900-Q1, a month from 1900-01. A date known only by year has the
//! quarter and the month `_X` (domain.md 7.1). Dates are those of Asia/Karachi.
//!
//! Absent: any clock.

use events::calendar;

/// What is not known so exactly: `_X`.
pub const UNKNOWN: u16 = u16::MAX;

/// A length of period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// A calendar year.
    Year,
    /// A quarter of a year.
    Quarter,
    /// A month.
    Month,
}

impl Period {
    /// The name of the column that holds it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Quarter => "quarter",
            Self::Month => "month",
        }
    }

    /// The code of the period in which a day lies.
    pub fn of_day(self, day: i32) -> u16 {
        let (year, month, _) = calendar::civil_from_days(day);
        match self {
            Self::Year => year as u16,
            Self::Quarter => ((year - 1900) * 4 + (month as i32 - 1) / 3) as u16,
            Self::Month => ((year - 1900) * 12 + month as i32 - 1) as u16,
        }
    }

    /// First and last day of a period; `None` for [`UNKNOWN`].
    pub fn days(self, code: u16) -> Option<(i32, i32)> {
        if code == UNKNOWN {
            return None;
        }
        let code = i32::from(code);
        let (year, month, months) = match self {
            Self::Year => (code, 1, 12),
            Self::Quarter => (1900 + code / 4, code % 4 * 3 + 1, 3),
            Self::Month => (1900 + code / 12, code % 12 + 1, 1),
        };
        let last = month + months - 1;
        let from = calendar::days_from_civil(year, month as u32, 1);
        Some((from, calendar::days_from_civil(year, last as u32, calendar::days_in_month(year, last as u32))))
    }

    /// The year in which a period lies; `None` for [`UNKNOWN`].
    pub fn year_of(self, code: u16) -> Option<u16> {
        self.days(code).map(|(from, _)| Self::Year.of_day(from))
    }

    /// As written in `time_period`: `2024`, `2024-Q1`, `2024-03`, or `_X`.
    pub fn label(self, code: u16) -> String {
        let Some((from, _)) = self.days(code) else { return "_X".to_owned() };
        let (year, month, _) = calendar::civil_from_days(from);
        match self {
            Self::Year => format!("{year}"),
            Self::Quarter => format!("{year}-Q{}", (month - 1) / 3 + 1),
            Self::Month => format!("{year}-{month:02}"),
        }
    }

    /// The codes of the years given, both ends included, and `_X` unless these are years.
    pub fn codes(self, years: std::ops::RangeInclusive<u16>) -> Vec<u16> {
        let per_year = match self {
            Self::Year => return years.collect(),
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
        for (period, label) in [(Period::Year, "2024"), (Period::Quarter, "2024-Q3"), (Period::Month, "2024-08")] {
            let code = period.of_day(day);
            assert_eq!(period.label(code), label);
            let (from, to) = period.days(code).unwrap();
            assert!(from <= day && day <= to);
            assert_eq!(period.year_of(code), Some(2024));
        }
    }

    #[test]
    fn every_quarter_of_the_years_asked_has_a_code_and_so_has_the_unknown_one() {
        let quarters = Period::Quarter.codes(2011..=2012);
        let labels: Vec<_> = quarters.iter().map(|q| Period::Quarter.label(*q)).collect();
        assert_eq!(labels.first().unwrap(), "2011-Q1");
        assert_eq!(labels[7], "2012-Q4");
        assert_eq!(labels[8], "_X");
        assert_eq!(quarters.len(), 9);
        assert_eq!(Period::Year.codes(2011..=2012), [2011, 2012]);
    }
}
