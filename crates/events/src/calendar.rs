//! Civil dates, periods and instants, without a clock.
//!
//! Days are counted from 1970-01-01 (proleptic Gregorian), instants are microseconds since 1970-01-01T00:00:00Z.
//! Calendar dates are those of Asia/Karachi: UTC+5, no daylight saving since 2009 (design: domain.md 4).
//! Absent: other time zones, locales, durations.

use std::fmt::Write as _;

/// Microseconds in a day.
pub const DAY_US: i64 = 86_400_000_000;
/// Offset of Asia/Karachi in microseconds.
pub const KARACHI_US: i64 = 5 * 3_600_000_000;
/// The first day on which something may have occurred: 1947-08-14.
pub const FIRST_DAY: i32 = -8_176;
/// The last year that a date may name; beyond it a date is a typing mistake for certain.
pub const LAST_YEAR: i32 = 2_999;

/// Days since 1970-01-01 of a civil date (algorithm: Howard Hinnant, "chrono-compatible low-level date algorithms").
pub const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted = (month as i32 + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The civil date `(year, month 1..=12, day 1..=31)` of a day (same source).
pub const fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The year of a day.
pub const fn year(days: i32) -> i32 {
    civil_from_days(days).0
}

/// The month of a day, 1..=12.
pub const fn month(days: i32) -> u32 {
    civil_from_days(days).1
}

/// The quarter of a day, 1..=4.
pub const fn quarter(days: i32) -> u32 {
    (civil_from_days(days).1 - 1) / 3 + 1
}

/// Whether February has 29 days.
pub const fn is_leap(year: i32) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// Length of a month in days.
pub const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The calendar day in Asia/Karachi of an instant.
pub const fn karachi_day(instant_us: i64) -> i32 {
    (instant_us + KARACHI_US).div_euclid(DAY_US) as i32
}

/// The instant at which a calendar day begins in Asia/Karachi.
pub const fn karachi_midnight(day: i32) -> i64 {
    day as i64 * DAY_US - KARACHI_US
}

/// How exactly a date was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// To the day.
    Day,
    /// To the month.
    Month,
    /// To the quarter.
    Quarter,
    /// To the year.
    Year,
}

impl Precision {
    /// The word of the `events` table: `day`, `month`, `quarter`, `year`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// When something happened, as said: both ends (days since 1970, inclusive) and how exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occurred {
    /// First day it may have been.
    pub from: i32,
    /// Last day it may have been.
    pub to: i32,
    /// How exactly it was said.
    pub precision: Precision,
}

impl Occurred {
    /// A single day.
    pub const fn day(day: i32) -> Self {
        Self { from: day, to: day, precision: Precision::Day }
    }

    /// A whole month.
    pub const fn month(year: i32, month: u32) -> Self {
        Self {
            from: days_from_civil(year, month, 1),
            to: days_from_civil(year, month, days_in_month(year, month)),
            precision: Precision::Month,
        }
    }

    /// A whole quarter, 1..=4.
    pub const fn quarter(year: i32, quarter: u32) -> Self {
        let last = quarter * 3;
        Self {
            from: days_from_civil(year, last - 2, 1),
            to: days_from_civil(year, last, days_in_month(year, last)),
            precision: Precision::Quarter,
        }
    }

    /// A whole year.
    pub const fn year(year: i32) -> Self {
        Self { from: days_from_civil(year, 1, 1), to: days_from_civil(year, 12, 31), precision: Precision::Year }
    }

    /// Reads `2024`, `2024-Q1`, `2024-03` or `2024-03-09`; nothing that ends before 1947-08-14 or lies beyond 2999.
    pub fn parse(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        let year = number(b.get(..4)?)?;
        let said = match b.len() {
            4 => Self::year(year),
            7 if b[4] == b'-' && b[5] == b'Q' && matches!(b[6], b'1'..=b'4') => {
                Self::quarter(year, u32::from(b[6] - b'0'))
            }
            7 if b[4] == b'-' => Self::month(year, month_number(&b[5..7])?),
            10 if b[4] == b'-' && b[7] == b'-' => {
                let month = month_number(&b[5..7])?;
                let day = number(&b[8..10])? as u32;
                if day == 0 || day > days_in_month(year, month) {
                    return None;
                }
                Self::day(days_from_civil(year, month, day))
            }
            _ => return None,
        };
        (said.to >= FIRST_DAY && year <= LAST_YEAR).then_some(said)
    }
}

impl std::fmt::Display for Occurred {
    /// Writes it as it was said: the inverse of [`Occurred::parse`].
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (y, m, d) = civil_from_days(self.from);
        match self.precision {
            Precision::Year => write!(f, "{y:04}"),
            Precision::Quarter => write!(f, "{y:04}-Q{}", (m - 1) / 3 + 1),
            Precision::Month => write!(f, "{y:04}-{m:02}"),
            Precision::Day => write!(f, "{y:04}-{m:02}-{d:02}"),
        }
    }
}

/// Reads an RFC 3339 instant with an offset (`Z` or `±hh:mm`) as microseconds UTC; finer digits are dropped.
/// Years 1947 to 2999; no leap second, since no source of ours has one.
pub fn parse_instant(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    if b.len() < 20 || b[4] != b'-' || b[7] != b'-' || !matches!(b[10], b'T' | b't') {
        return None;
    }
    let (year, month, day) = (number(&b[..4])?, month_number(&b[5..7])?, number(&b[8..10])? as u32);
    if !(1947..=LAST_YEAR).contains(&year) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    let (hour, minute, second) = (number(&b[11..13])?, number(&b[14..16])?, number(&b[17..19])?);
    if b[13] != b':' || b[16] != b':' || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, rest) = fraction(&b[19..])?;
    let offset = offset_minutes(rest)?;
    let seconds = i64::from(days_from_civil(year, month, day)) * 86_400
        + i64::from(hour * 3_600 + minute * 60 + second)
        - i64::from(offset) * 60;
    Some(seconds * 1_000_000 + micros)
}

/// Writes an instant as RFC 3339 in Asia/Karachi (`+05:00`), with six digits only if it has a fraction.
pub fn format_instant(instant_us: i64) -> String {
    let local = instant_us + KARACHI_US;
    let (day, rest) = (local.div_euclid(DAY_US) as i32, local.rem_euclid(DAY_US));
    let (y, m, d) = civil_from_days(day);
    let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut out = String::with_capacity(32);
    let _ = write!(out, "{y:04}-{m:02}-{d:02}T{hour:02}:{minute:02}:{second:02}");
    if micros != 0 {
        let _ = write!(out, ".{micros:06}");
    }
    out.push_str("+05:00");
    out
}

fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i32::from(b - b'0')))
}

fn month_number(digits: &[u8]) -> Option<u32> {
    number(digits).map(|m| m as u32).filter(|m| (1..=12).contains(m))
}

/// An optional `.` and 1 to 9 digits, as microseconds, and what follows.
fn fraction(b: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = b.strip_prefix(b".") else {
        return Some((0, b));
    };
    let len = digits.iter().take_while(|d| d.is_ascii_digit()).count();
    if len == 0 || len > 9 {
        return None;
    }
    let micros = (0..6).fold(0, |n, i| n * 10 + if i < len { i64::from(digits[i] - b'0') } else { 0 });
    Some((micros, &digits[len..]))
}

fn offset_minutes(b: &[u8]) -> Option<i32> {
    match b {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let total = hours * 60 + minutes;
            (hours <= 23 && minutes <= 59).then_some(if *sign == b'-' { -total } else { total })
        }
        _ => None,
    }
}
