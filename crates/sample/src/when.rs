//! When something happened: a day in Asia/Karachi and how exactly it is known.
//!
//! The calendar is written again here, apart from `events::calendar`, because the ground truth must not lean on
//! the code that it judges. Absent: time zones other than UTC+5, which is all that Pakistan has (no summer time).

/// Milliseconds of one day.
pub const DAY_MS: i64 = 86_400_000;
/// Asia/Karachi is five hours ahead of UTC, all year.
const KARACHI_MS: i64 = 5 * 3_600_000;

/// How exactly a date is known (domain.md 4: `occurred_on` may be coarser than a day).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    /// The day itself.
    Day,
    /// Only the month.
    Month,
    /// Only the quarter.
    Quarter,
    /// Only the year.
    Year,
}

/// A day since 1970-01-01 and the precision with which the agency knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct When {
    /// The day it happened on, in days since 1970-01-01.
    pub day: i32,
    /// What the agency can say of it.
    pub precision: Precision,
}

impl When {
    /// A day known exactly.
    pub fn on(day: i32) -> Self {
        Self { day, precision: Precision::Day }
    }

    /// The calendar year.
    pub fn year(self) -> i32 {
        civil(self.day).0
    }

    /// The quarter 1..=4, or nothing where only the year is known.
    pub fn quarter(self) -> Option<u32> {
        (self.precision != Precision::Year).then(|| (civil(self.day).1 - 1) / 3 + 1)
    }

    /// First day of what was said.
    pub fn from(self) -> i32 {
        let (year, month, _) = civil(self.day);
        match self.precision {
            Precision::Day => self.day,
            Precision::Month => days(year, month, 1),
            Precision::Quarter => days(year, (month - 1) / 3 * 3 + 1, 1),
            Precision::Year => days(year, 1, 1),
        }
    }

    /// Last day of what was said.
    pub fn to(self) -> i32 {
        let (year, month, _) = civil(self.day);
        match self.precision {
            Precision::Day => self.day,
            Precision::Month => month_end(year, month),
            Precision::Quarter => month_end(year, (month - 1) / 3 * 3 + 3),
            Precision::Year => days(year, 12, 31),
        }
    }

    /// Writes `2024`, `2024-Q1`, `2024-03` or `2024-03-09`.
    pub fn write(self, out: &mut Vec<u8>) {
        let (year, month, day) = civil(self.day);
        digits(out, year as u32, 4);
        match self.precision {
            Precision::Year => {}
            Precision::Quarter => {
                out.extend_from_slice(b"-Q");
                digits(out, (month - 1) / 3 + 1, 1);
            }
            Precision::Month => {
                out.push(b'-');
                digits(out, month, 2);
            }
            Precision::Day => {
                out.push(b'-');
                digits(out, month, 2);
                out.push(b'-');
                digits(out, day, 2);
            }
        }
    }
}

fn month_end(year: i32, month: u32) -> i32 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - 1
}

/// Days since 1970-01-01 of a civil date (proleptic Gregorian calendar).
pub fn days(year: i32, month: u32, day: u32) -> i32 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (month as i32 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a count of days since 1970-01-01.
pub fn civil(day: i32) -> (i32, u32, u32) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
    (era * 400 + year_of_era + i32::from(month <= 2), month, day_of_month)
}

/// Milliseconds since 1970 (UTC) at which a day begins in Karachi.
pub fn midnight_ms(day: i32) -> i64 {
    i64::from(day) * DAY_MS - KARACHI_MS
}

/// The day that it is in Karachi at an instant.
pub fn day_of_ms(ms: i64) -> i32 {
    (ms + KARACHI_MS).div_euclid(DAY_MS) as i32
}

/// How an agency writes its instants; both forms are the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `2024-03-09T14:05:06.789+05:00`
    Karachi,
    /// `2024-03-09T09:05:06.789Z`
    Utc,
}

/// Writes an instant as RFC 3339 with offset and milliseconds.
pub fn write_instant(ms: i64, clock: Clock, out: &mut Vec<u8>) {
    let local = if clock == Clock::Karachi { ms + KARACHI_MS } else { ms };
    let (year, month, day) = civil(local.div_euclid(DAY_MS) as i32);
    let within = local.rem_euclid(DAY_MS) as u32;
    digits(out, year as u32, 4);
    out.push(b'-');
    digits(out, month, 2);
    out.push(b'-');
    digits(out, day, 2);
    out.push(b'T');
    digits(out, within / 3_600_000, 2);
    out.push(b':');
    digits(out, within / 60_000 % 60, 2);
    out.push(b':');
    digits(out, within / 1000 % 60, 2);
    out.push(b'.');
    digits(out, within % 1000, 3);
    out.extend_from_slice(if clock == Clock::Karachi { b"+05:00" } else { b"Z" });
}

/// Writes the last `width` decimal digits of a number, zero-padded.
fn digits(out: &mut Vec<u8>, number: u32, width: usize) {
    let mut text = [b'0'; 10];
    let mut rest = number;
    for place in text[10 - width..].iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&text[10 - width..]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(day: i32, precision: Precision) -> String {
        let mut out = Vec::new();
        When { day, precision }.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_and_civil_dates_are_each_others_inverse() {
        for day in days(1890, 1, 1)..days(2100, 1, 1) {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(days(2024, 2, 29), 19_782);
    }

    #[test]
    fn a_date_is_written_as_exactly_as_it_is_known() {
        let day = days(2024, 5, 9);
        assert_eq!(said(day, Precision::Day), "2024-05-09");
        assert_eq!(said(day, Precision::Month), "2024-05");
        assert_eq!(said(day, Precision::Quarter), "2024-Q2");
        assert_eq!(said(day, Precision::Year), "2024");
    }

    #[test]
    fn a_coarse_date_spans_its_period() {
        let when = When { day: days(2024, 5, 9), precision: Precision::Quarter };
        assert_eq!((when.from(), when.to()), (days(2024, 4, 1), days(2024, 6, 30)));
        let when = When { day: days(2023, 12, 9), precision: Precision::Month };
        assert_eq!((when.from(), when.to()), (days(2023, 12, 1), days(2023, 12, 31)));
        let when = When { day: days(2023, 12, 9), precision: Precision::Year };
        assert_eq!((when.from(), when.to(), when.quarter()), (days(2023, 1, 1), days(2023, 12, 31), None));
    }

    #[test]
    fn one_instant_has_two_spellings() {
        let ms = midnight_ms(days(2024, 3, 9)) + 3_661_007;
        let mut karachi = Vec::new();
        write_instant(ms, Clock::Karachi, &mut karachi);
        assert_eq!(karachi, b"2024-03-09T01:01:01.007+05:00");
        let mut utc = Vec::new();
        write_instant(ms, Clock::Utc, &mut utc);
        assert_eq!(utc, b"2024-03-08T20:01:01.007Z");
        assert_eq!(day_of_ms(ms), days(2024, 3, 9));
    }
}
