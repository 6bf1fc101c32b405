//! Populations by year: the denominators of rates, made of counts (`crate::reference::Count`), with method and source of each.
//!
//! A year in which people were counted has that count. Every other year has the number on 1 July, by constant growth: between two counts
//! the logarithm is interpolated linearly; beyond the last (and before the first) the growth of the two nearest counts goes on, for
//! [`MOST_YEARS_BEYOND`] years and no longer. It is the geometric method for dates between and after censuses of the
//! United Nations' Manual I, Methods of Estimating Total Population for Current Dates (1952), for where births and deaths are not known.
//!
//! Absent: persons of the warehouse, noise. Numbers here are public and exact.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use events::calendar::{civil_from_days, days_from_civil};
use events::code_list;

use crate::reference::Count;

/// Whose inhabitants the counts are of (ISO 3166-1).
pub const TERRITORY: &str = "PK";

/// For how many years the last growth goes on where nobody counted since.
pub const MOST_YEARS_BEYOND: i32 = 5;

/// Two counts that lie nearer to each other say nothing about growth.
const LEAST_DAYS_OF_GROWTH: i32 = 365;

/// The population of an area in a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// The year.
    pub year: i32,
    /// ISO 3166-2 or a code below it; `_T` for the nation.
    pub province: String,
    /// Code, or `_T`.
    pub sex: String,
    /// Code, or `_T`.
    pub age_group: String,
    /// Persons.
    pub population: i64,
    /// How it was found: `census`, `estimate` or `projection` of the year itself, `interpolated`, `extrapolated`.
    pub method: String,
    /// What it follows from.
    pub source: String,
}

/// How many people there are in a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InYear {
    /// Persons.
    pub persons: i64,
    /// How the number was found.
    pub found: Found,
    /// The publications that it follows from.
    pub source: String,
}

/// How a number of people was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Somebody published it of that year, by a method of the list `population_method`.
    Published(u16),
    /// Between two counts.
    Interpolated,
    /// Beyond the last count, or before the first.
    Extrapolated,
}

impl Found {
    /// As a text.
    pub fn text(self) -> &'static str {
        match self {
            Self::Published(method) => code_list::list("population_method").text(method),
            Self::Interpolated => "interpolated",
            Self::Extrapolated => "extrapolated",
        }
    }

    /// Whether it is a census of the year itself.
    pub fn is_census(self) -> bool {
        matches!(self, Self::Published(_)) && self.text() == "census"
    }
}

/// Area, sex and age group of a series of counts.
type Of = (String, Option<u16>, Option<u16>);

/// Counts by what they are of, each series in the order of days.
#[derive(Debug, Clone, Default)]
pub struct Populations {
    series: BTreeMap<Of, Vec<Count>>,
}

impl Populations {
    /// Those counts.
    pub fn of(counts: &[Count]) -> Self {
        let mut series: BTreeMap<Of, Vec<Count>> = BTreeMap::new();
        for count in counts {
            series.entry((count.area.clone(), count.sex, count.age_group)).or_default().push(count.clone());
        }
        for counts in series.values_mut() {
            counts.sort_by_key(|count| count.counted_on);
        }
        Self { series }
    }

    /// All people of an area in a year; none where no count is near enough.
    pub fn in_year(&self, area: &str, year: i32) -> Option<InYear> {
        in_year(self.series.get(&(area.to_owned(), None, None))?, year)
    }

    /// Every series in every one of these years for which there is a number.
    pub fn rows(&self, years: RangeInclusive<i32>) -> Vec<Population> {
        let of_year =
            |year| self.series.iter().filter_map(move |(of, counts)| Some(row(of, year, in_year(counts, year)?)));
        years.flat_map(of_year).collect()
    }

    /// The years of which somebody published a number, each with that.
    pub fn published(&self) -> Vec<Population> {
        let rows = self.series.iter().flat_map(|(of, counts)| {
            let years: std::collections::BTreeSet<i32> = counts.iter().map(|count| year_of(count.counted_on)).collect();
            years.into_iter().filter_map(move |year| Some(row(of, year, in_year(counts, year)?)))
        });
        rows.collect()
    }
}

fn row((area, sex, age_group): &Of, year: i32, found: InYear) -> Population {
    let code = |list: &str, code: Option<u16>| code.map_or("_T", |code| code_list::list(list).text(code)).to_owned();
    Population {
        year,
        province: if area == Count::NATION { "_T".to_owned() } else { area.clone() },
        sex: code("sex", *sex),
        age_group: code("age_group", *age_group),
        population: found.persons,
        method: found.found.text().to_owned(),
        source: found.source,
    }
}

/// What a series of counts in the order of days says of a year.
fn in_year(counts: &[Count], year: i32) -> Option<InYear> {
    if let Some(count) = counts.iter().rfind(|count| year_of(count.counted_on) == year) {
        let found = Found::Published(count.method);
        return Some(InYear { persons: count.persons, found, source: count.source.clone() });
    }
    let day = days_from_civil(year, 7, 1);
    let (first, last) = (counts.first()?, counts.last()?);
    let (one, other, found) = if last.counted_on < day {
        (earlier(counts, last)?, last, beyond(year - year_of(last.counted_on))?)
    } else if day < first.counted_on {
        (first, later(counts, first)?, beyond(year_of(first.counted_on) - year)?)
    } else {
        let after = counts.iter().position(|count| count.counted_on > day)?;
        (&counts[after - 1], &counts[after], Found::Interpolated)
    };
    let same = one.source == other.source;
    let source = if same { one.source.clone() } else { format!("{}; {}", one.source, other.source) };
    Some(InYear { persons: grown(one, other, day), found, source })
}

fn beyond(years: i32) -> Option<Found> {
    (years <= MOST_YEARS_BEYOND).then_some(Found::Extrapolated)
}

/// The count before the last that tells how it grew.
fn earlier<'c>(counts: &'c [Count], last: &Count) -> Option<&'c Count> {
    counts.iter().rfind(|count| last.counted_on - count.counted_on >= LEAST_DAYS_OF_GROWTH)
}

/// The count after the first that tells how it grew.
fn later<'c>(counts: &'c [Count], first: &Count) -> Option<&'c Count> {
    counts.iter().find(|count| count.counted_on - first.counted_on >= LEAST_DAYS_OF_GROWTH)
}

/// How many there are on a day if the number grows by the same factor every day, as it did from one count to the other.
fn grown(one: &Count, other: &Count, day: i32) -> i64 {
    let days = f64::from(other.counted_on - one.counted_on);
    let growth = (other.persons as f64 / one.persons as f64).ln() / days;
    (one.persons as f64 * (growth * f64::from(day - one.counted_on)).exp()).round() as i64
}

fn year_of(day: i32) -> i32 {
    civil_from_days(day).0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn count(day: (i32, u32, u32), persons: i64) -> Count {
        let method = code_list::list("population_method").code("census").unwrap();
        let counted_on = days_from_civil(day.0, day.1, day.2);
        let source = format!("Census {}", day.0);
        Count { area: "PK-XX".into(), counted_on, sex: None, age_group: None, persons, method, source }
    }

    fn told(counts: &[Count], year: i32) -> Option<(i64, &'static str)> {
        let found = Populations::of(counts).in_year("PK-XX", year)?;
        Some((found.persons, found.found.text()))
    }

    /// A number that doubles in four years: 1 July 2001 to 1 July 2005 are 1,461 days, and 730 days from the first are half of them.
    #[test]
    fn between_two_counts_the_number_grows_by_the_same_factor_every_year() {
        let counts = [count((2001, 7, 1), 1_000_000), count((2005, 7, 1), 2_000_000)];
        assert_eq!(told(&counts, 2001), Some((1_000_000, "census")));
        // 1,000,000 * 2^(365/1461), 2^(730/1461), 2^(1096/1461).
        assert_eq!(told(&counts, 2002), Some((1_189_066, "interpolated")));
        assert_eq!(told(&counts, 2003), Some((1_413_878, "interpolated")));
        assert_eq!(told(&counts, 2004), Some((1_681_992, "interpolated")));
        assert_eq!(told(&counts, 2005), Some((2_000_000, "census")));
    }

    #[test]
    fn beyond_the_counts_the_growth_goes_on_for_five_years_and_no_longer() {
        let counts = [count((2001, 7, 1), 1_000_000), count((2005, 7, 1), 2_000_000)];
        // 1,461 days after the last count it has doubled again.
        assert_eq!(told(&counts, 2009), Some((4_000_000, "extrapolated")));
        assert_eq!(told(&counts, 1997), Some((500_000, "extrapolated")));
        assert!(told(&counts, 2010).is_some() && told(&counts, 1996).is_some());
        assert_eq!((told(&counts, 2011), told(&counts, 1995)), (None, None));
    }

    #[test]
    fn one_count_alone_says_nothing_of_other_years_nor_do_two_that_are_nearly_at_once() {
        let one = [count((2001, 7, 1), 1_000_000)];
        assert_eq!((told(&one, 2001), told(&one, 2002)), (Some((1_000_000, "census")), None));
        let near = [count((2001, 7, 1), 1_000_000), count((2002, 1, 1), 3_000_000)];
        assert_eq!(told(&near, 2003), None);
        assert_eq!(Populations::of(&one).in_year("PK-YY", 2001), None);
    }

    /// 35,501,964 on 15 March 2017 and 40,856,097 on 1 March 2023 are 2,177 days apart; 1 July 2020 is 1,204 days after the first.
    #[test]
    fn what_is_brought_along_has_every_year_from_1998_to_five_years_after_the_last_census() {
        let known = Populations::of(&crate::reference::Reference::built_in().counts);
        let found = known.in_year("PK-KP", 2020).unwrap();
        assert_eq!((found.persons, found.found), (KP_2020, Found::Interpolated));
        assert_eq!(found.source.matches("Census").count(), 2);
        assert_eq!(known.in_year("PK", 2023).map(|found| found.persons), Some(241_499_431));
        for year in 1998..=2028 {
            for area in ["PK", "PK-PB", "PK-SD", "PK-KP", "PK-BA", "PK-IS"] {
                assert!(known.in_year(area, year).is_some(), "{area} in {year}");
            }
            assert_eq!(known.in_year("PK-GB", year), None);
        }
        assert_eq!(known.in_year("PK", 2029), None);
        assert_eq!(known.published().len(), 18);
    }

    /// 35,501,964 * exp(ln(40,856,097 / 35,501,964) * 1,204 / 2,177).
    const KP_2020: i64 = 38_369_947;
}
