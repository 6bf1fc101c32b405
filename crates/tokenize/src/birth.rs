//! A date of birth in its canonical form: `1999-03-05`, `1999-03`, or `1999` where no more is known.
//!
//! The first of January is the year alone: it is what registers write where only the year is known, so it says no more
//! than the year, and somebody who was born on that day loses nothing but a little evidence. Dates that systems fill in by
//! themselves (`data/placeholders.txt`) are none.
//!
//! Absent: an age, which is no date and moves; a clock (the year that now is comes in); two digits for a year; the
//! calendars of the Hijra and of Iran.

use crate::data;
use crate::fold;
use crate::reason::Reason;

/// How dates are written where nothing else tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    /// 05/03/1999 is the fifth of March, as in Pakistan.
    #[default]
    DayFirst,
    /// 05/03/1999 is the third of May.
    MonthFirst,
}

/// A date of birth, as much of it as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    year: u16,
    /// 1 to 12; none where only the year is known.
    month: Option<u8>,
    /// Known only with the month.
    day: Option<u8>,
    assumed: bool,
}

impl Birth {
    /// Reads a date. `this_year` is the last year that is none of the future.
    pub fn read(text: &str, order: DateOrder, this_year: u16) -> Result<Self, Reason> {
        let parts = parts(text);
        let nothing = !text.chars().any(char::is_alphanumeric);
        let why = if nothing { Reason::NoBirth } else { Reason::BirthForm };
        let Parts { year, month, day } = arranged(&parts, order).ok_or(why)?;
        if is_placeholder(year, month, day) {
            return Err(Reason::PlaceholderBirth);
        }
        if !(1900..=this_year).contains(&year) {
            return Err(Reason::BirthRange);
        }
        if day.is_some_and(|day| day == 0 || day > days_of(year, month.unwrap_or(1))) || month == Some(0) {
            return Err(Reason::BirthForm);
        }
        let assumed = (month, day) == (Some(1), Some(1));
        Ok(if assumed { Self { year, month: None, day: None, assumed } } else { Self { year, month, day, assumed } })
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.year
    }

    /// Whether the first of January was read as the year alone.
    pub fn is_assumed(self) -> bool {
        self.assumed
    }

    /// The canonical form.
    pub fn text(self) -> String {
        match (self.month, self.day) {
            (Some(month), Some(day)) => format!("{:04}-{month:02}-{day:02}", self.year),
            (Some(month), None) => format!("{:04}-{month:02}", self.year),
            _ => format!("{:04}", self.year),
        }
    }
}

struct Parts {
    year: u16,
    month: Option<u8>,
    day: Option<u8>,
}

/// A part of a date: a number with its count of digits, or a month's name.
#[derive(Clone, Copy)]
enum Part {
    Number(u16, usize),
    Month(u8),
}

/// The parts of a date, before any time of day; none where something is neither a number nor a month.
fn parts(text: &str) -> Vec<Part> {
    let folded = fold::folded(text.trim());
    let date = folded.split_once('t').filter(|(date, _)| date.ends_with(|end: char| end.is_ascii_digit()));
    let date = date.map_or(folded.as_str(), |(date, _)| date);
    let date = date.split_once(" 00:00").map_or(date, |(date, _)| date);
    let pieces = date.split(['-', '/', '.', ' ', ',', '\u{2044}', '\u{6d4}']);
    let pieces = pieces.filter(|piece| !piece.is_empty());
    pieces.map(part).collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn part(piece: &str) -> Option<Part> {
    if let Ok(number) = piece.parse() {
        return piece.bytes().all(|byte| byte.is_ascii_digit()).then_some(Part::Number(number, piece.len()));
    }
    month_of(piece).map(Part::Month)
}

/// Months by their English names, in full or by three letters, and their Urdu ones.
fn month_of(name: &str) -> Option<u8> {
    const MONTHS: [[&str; 2]; 12] = [
        ["january", "جنوری"],
        ["february", "فروری"],
        ["march", "مارچ"],
        ["april", "اپریل"],
        ["may", "مئی"],
        ["june", "جون"],
        ["july", "جولائی"],
        ["august", "اگست"],
        ["september", "ستمبر"],
        ["october", "اکتوبر"],
        ["november", "نومبر"],
        ["december", "دسمبر"],
    ];
    let english = |full: &str| {
        full == name || name.len() == 3 && full.starts_with(name) || name == "sept" && full.starts_with(name)
    };
    let at = MONTHS.iter().position(|[full, urdu]| english(full) || fold::folded(urdu) == name)?;
    Some(at as u8 + 1)
}

/// Which part is the year, the month and the day. A year has four digits; day and month have one or two.
fn arranged(parts: &[Part], order: DateOrder) -> Option<Parts> {
    use Part::{Month, Number};
    let (year, month, day) = match *parts {
        [Number(year, 4)] => (year, None, None),
        [Number(year, 4), Number(month, 1 | 2)] | [Number(month, 1 | 2), Number(year, 4)] => (year, Some(month), None),
        [Month(month), Number(year, 4)] | [Number(year, 4), Month(month)] => (year, Some(month.into()), None),
        [Number(year, 4), Number(month, 1 | 2), Number(day, 1 | 2)] => (year, Some(month), Some(day)),
        [Number(day, 1 | 2), Month(month), Number(year, 4)] | [Month(month), Number(day, 1 | 2), Number(year, 4)] => {
            (year, Some(month.into()), Some(day))
        }
        [Number(first, 1 | 2), Number(second, 1 | 2), Number(year, 4)] => match order {
            DateOrder::DayFirst => (year, Some(second), Some(first)),
            DateOrder::MonthFirst => (year, Some(first), Some(second)),
        },
        _ => return None,
    };
    if month.is_some_and(|month| month > 12) {
        return None;
    }
    Some(Parts { year, month: month.map(|month| month as u8), day: day.map(|day| day as u8) })
}

fn is_placeholder(year: u16, month: Option<u8>, day: Option<u8>) -> bool {
    let text = match (month, day) {
        (Some(month), Some(day)) => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}"),
    };
    data::is_placeholder("born", &text)
}

fn days_of(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Reason> {
        Birth::read(text, DateOrder::DayFirst, 2026).map(Birth::text)
    }

    #[test]
    fn a_day_has_one_form_however_it_was_written() {
        for text in [
            "1999-03-05",
            "05/03/1999",
            "5.3.1999",
            "05-03-1999",
            "5 Mar 1999",
            "05-MAR-1999",
            "March 5, 1999",
            "5 مارچ 1999",
            "۰۵/۰۳/۱۹۹۹",
            "٥-٣-١٩٩٩",
            "1999/3/5",
            "1999-03-05T00:00:00",
            "1999-03-05 00:00:00",
        ] {
            assert_eq!(read(text).as_deref(), Ok("1999-03-05"), "{text}");
        }
        let american = Birth::read("03/05/1999", DateOrder::MonthFirst, 2026).map(Birth::text);
        assert_eq!(american.as_deref(), Ok("1999-03-05"));
    }

    #[test]
    fn less_may_be_known_and_the_first_of_january_is_the_year() {
        assert_eq!(read("1999").as_deref(), Ok("1999"));
        assert_eq!(read("03/1999").as_deref(), Ok("1999-03"));
        assert_eq!(read("1999-03").as_deref(), Ok("1999-03"));
        assert_eq!(read("01/01/1999").as_deref(), Ok("1999"));
        assert!(Birth::read("01/01/1999", DateOrder::DayFirst, 2026).unwrap().is_assumed());
        assert!(!Birth::read("1999", DateOrder::DayFirst, 2026).unwrap().is_assumed());
    }

    #[test]
    fn what_is_no_day_of_birth_is_none_and_says_why() {
        for (text, why) in [
            ("", Reason::NoBirth),
            ("--", Reason::NoBirth),
            ("1900-01-01", Reason::PlaceholderBirth),
            ("01/01/1970", Reason::PlaceholderBirth),
            ("31/12/9999", Reason::PlaceholderBirth),
            ("00/00/0000", Reason::PlaceholderBirth),
            ("1899-12-30", Reason::PlaceholderBirth),
            ("1850-03-05", Reason::BirthRange),
            ("2027-03-05", Reason::BirthRange),
            ("31/02/1999", Reason::BirthForm),
            ("29/02/1900", Reason::BirthForm),
            ("12/31/1999", Reason::BirthForm),
            ("05/03/99", Reason::BirthForm),
            ("19 years", Reason::BirthForm),
            ("unknown", Reason::BirthForm),
            ("36224", Reason::BirthForm),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
        assert_eq!(read("29/02/2000").as_deref(), Ok("2000-02-29"));
    }

    #[test]
    fn a_canonical_form_is_its_own() {
        for text in ["1999-03-05", "1999-03", "1999"] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
    }
}
