//! What was known on a date: which edition that is (design: models.md 4).
//!
//! A date is a day in Pakistan, and what was known on it is the last edition that was published by its end; of one under embargo
//! that is the end of the embargo, for everybody alike. So a date says what was public on it, whoever asks and whenever. Nothing
//! is known of a day that has not begun. A day that has begun may still get an edition; one that is over keeps what it has.
//!
//! Absent: how a date is written in a question ([`crate::guard`]) or in an address ([`crate::selection`]).

use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, TimeDelta, Utc};

use crate::editions::EditionMeta;

/// Pakistan Standard Time, UTC+5 without daylight saving.
const PAKISTAN: i32 = 5 * 3_600;

/// Editions that a hint names at most: the newest.
const NAMED: usize = 8;

/// Why no edition answers for a date, and which do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} {hint}")]
pub struct NotKnown {
    /// What is wrong, in one sentence.
    pub detail: String,
    /// Which editions there are, with their dates.
    pub hint: String,
}

/// The day in Pakistan at a moment.
pub fn day(at: SystemTime) -> NaiveDate {
    in_pakistan(DateTime::<Utc>::from(at))
}

fn in_pakistan(at: DateTime<Utc>) -> NaiveDate {
    // Five hours are an offset; were they none, the day would be one in Greenwich.
    FixedOffset::east_opt(PAKISTAN).map_or(at.date_naive(), |zone| at.with_timezone(&zone).date_naive())
}

/// A date as it is written: `2026-01-31`, and nothing else.
pub fn read(text: &str) -> Option<NaiveDate> {
    let is_written = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    // There is no year 0 before the first.
    let date = is_written.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
    date.filter(|_| !text.starts_with("0000"))
}

/// The moment at which each edition became public, oldest first: none comes before what it was made after. One whose moment
/// cannot be read has none, nor has any after it.
pub fn published<'a>(
    editions: impl Iterator<Item = &'a EditionMeta>,
) -> impl Iterator<Item = (&'a EditionMeta, DateTime<Utc>)> {
    let mut last = DateTime::<Utc>::MIN_UTC;
    editions.map_while(move |edition| {
        let at = DateTime::parse_from_rfc3339(&edition.published_at).ok()?;
        last = last.max(at.to_utc());
        Some((edition, last))
    })
}

/// The last moment of a day in Pakistan, whole seconds.
pub fn end(day: NaiveDate) -> Option<DateTime<Utc>> {
    let midnight = day.checked_add_days(Days::new(1))?.and_hms_opt(0, 0, 0)?.and_utc();
    midnight.checked_sub_signed(TimeDelta::seconds(i64::from(PAKISTAN) + 1))
}

/// The edition that was known on a day, and the day on which it became so. `editions` are those that whoever asks may see, oldest
/// first.
///
/// # Errors
/// The day is not yet, or nothing had been published by its end.
pub fn on<'a>(
    editions: impl Iterator<Item = &'a EditionMeta>,
    asked: NaiveDate,
    today: NaiveDate,
) -> Result<(&'a EditionMeta, NaiveDate), NotKnown> {
    // What is still under embargo is not named to anybody: it has no day yet.
    let days = published(editions).map(|(edition, at)| (edition, in_pakistan(at)));
    let published: Vec<_> = days.take_while(|(_, day)| *day <= today).collect();
    let not_known = |detail: String| NotKnown { detail, hint: named(&published) };
    if asked > today {
        return Err(not_known(format!("That date is not yet: today is {today} in Pakistan.")));
    }
    let known = published.iter().rfind(|(_, day)| *day <= asked);
    known.copied().ok_or_else(|| not_known("Nothing had been published by the end of that date.".to_owned()))
}

/// Whether what was known on a day can no longer change: it has been over for a day. An edition is dated when it begins to be
/// made, and is seen when it is whole.
pub fn is_settled(asked: NaiveDate, today: NaiveDate) -> bool {
    asked.checked_add_days(Days::new(1)).is_some_and(|next| next < today)
}

/// The editions with their days, in a sentence.
fn named(published: &[(&EditionMeta, NaiveDate)]) -> String {
    if published.is_empty() {
        return "Ask again when the first edition is published.".to_owned();
    }
    let left_out = published.len().saturating_sub(NAMED);
    let mut text = "Editions by the date from which they are known:".to_owned();
    for (at, (edition, day)) in published.iter().skip(left_out).enumerate() {
        let _ = write!(text, "{} {} on {day}", if at == 0 { "" } else { "," }, edition.edition);
    }
    if left_out > 0 {
        let _ = write!(text, "; {left_out} older ones are in published.editions");
    }
    text + "."
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    fn edition(number: u32, published_at: &str) -> EditionMeta {
        EditionMeta { edition: number, published_at: published_at.to_owned(), ..EditionMeta::default() }
    }

    fn known(editions: &[EditionMeta], asked: &str, today: &str) -> Result<u32, String> {
        let found = on(editions.iter(), read(asked).unwrap(), read(today).unwrap());
        found.map(|(edition, _)| edition.edition).map_err(|error| error.to_string())
    }

    #[test]
    fn a_day_begins_and_ends_at_midnight_in_pakistan() {
        let editions = [edition(1, "2026-01-15T18:59:59Z"), edition(2, "2026-01-31T19:00:00Z")];
        let on = |asked| known(&editions, asked, "2026-06-30").map_err(drop);
        assert_eq!(on("2026-01-14"), Err(()));
        assert_eq!((on("2026-01-15"), on("2026-01-31"), on("2026-02-01")), (Ok(1), Ok(1), Ok(2)));
        let at = |text: &str| SystemTime::from(DateTime::parse_from_rfc3339(text).unwrap());
        assert_eq!(day(at("2026-01-31T18:59:59Z")).to_string(), "2026-01-31");
        assert_eq!(day(at("2026-01-31T19:00:00Z")).to_string(), "2026-02-01");
        let last = SystemTime::from(end(read("2026-01-31").unwrap()).unwrap());
        assert_eq!((last, end(NaiveDate::MAX)), (at("2026-01-31T18:59:59Z"), None));
        assert_eq!(day(SystemTime::UNIX_EPOCH - Duration::from_secs(5 * 3_600 + 1)).to_string(), "1969-12-31");
    }

    #[test]
    fn a_day_that_has_not_begun_and_one_before_the_first_edition_are_told_which_there_are() {
        let editions = [edition(1, "2026-01-15T08:00:00Z"), edition(2, "2026-04-15T08:00:00Z")];
        let told = known(&editions, "2026-05-02", "2026-05-01").unwrap_err();
        assert_eq!(
            told,
            "That date is not yet: today is 2026-05-01 in Pakistan. Editions by the date from which they are known: \
             1 on 2026-01-15, 2 on 2026-04-15."
        );
        let told = known(&editions, "2025-12-31", "2026-03-01").unwrap_err();
        assert!(
            told.contains("by the end of that date") && !told.contains("2 on"),
            "what is not yet is not named: {told}"
        );
        assert!(known(&[], "2025-12-31", "2026-03-01").unwrap_err().contains("first edition"));
        let many: Vec<_> = (1..=20).map(|n| edition(n, &format!("20{n:02}-01-15T08:00:00Z"))).collect();
        let told = known(&many, "2000-12-31", "2026-03-01").unwrap_err();
        assert!(told.ends_with("20 on 2020-01-15; 12 older ones are in published.editions."), "{told}");
    }

    #[test]
    fn an_edition_is_known_no_earlier_than_what_it_was_made_after() {
        // The second was under embargo until June, the third was made in May without one.
        let editions = [
            edition(1, "2026-01-15T08:00:00Z"),
            edition(2, "2026-06-01T04:00:00Z"),
            edition(3, "2026-05-01T08:00:00Z"),
        ];
        assert_eq!(known(&editions, "2026-05-31", "2026-06-30"), Ok(1));
        assert_eq!(known(&editions, "2026-06-01", "2026-06-30"), Ok(3));
        // Whoever may see what is under embargo is told what the public knew.
        assert_eq!(known(&editions, "2026-05-20", "2026-05-20"), Ok(1));
        let unreadable = [edition(1, "2026-01-15T08:00:00Z"), edition(2, "soon"), edition(3, "2026-05-01T08:00:00Z")];
        assert_eq!(known(&unreadable, "2026-06-30", "2026-06-30"), Ok(1));
    }

    #[test]
    fn a_day_is_settled_when_it_has_been_over_for_a_day() {
        let settled = |asked, today| is_settled(read(asked).unwrap(), read(today).unwrap());
        assert!(!settled("2026-01-31", "2026-01-31") && !settled("2026-01-31", "2026-02-01"));
        assert!(settled("2026-01-31", "2026-02-02"));
        assert!(!is_settled(NaiveDate::MAX, NaiveDate::MAX));
    }

    #[test]
    fn a_date_is_written_in_one_way() {
        assert_eq!(read("2024-02-29").unwrap().to_string(), "2024-02-29");
        for wrong in [
            "",
            "2026",
            "2026-1-31",
            "2026-02-30",
            "2026-13-01",
            "0000-01-01",
            "+2026-01-31",
            "2026-01-31 ",
            "2026-01-31T00:00",
            "31.01.2026",
            "20260131",
            "２０２６-01-31",
            "-026-01-01",
            "2026/01/31",
            "today",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
