//! `reference.population`: denominators, with method and source of each figure. Read from `sql/reference/population.csv`.

use std::sync::LazyLock;

/// The file.
pub const FILE: &str = include_str!("../../../../sql/reference/population.csv");

/// The year of the census whose counts stand for every year.
pub const CENSUS_YEAR: i32 = 2023;

/// Whose inhabitants the file counts (ISO 3166-1).
pub const TERRITORY: &str = "PK";

/// A denominator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// Year of the count.
    pub year: i32,
    /// ISO 3166-2, or `_T`.
    pub province: String,
    /// Code, or `_T`.
    pub sex: String,
    /// Code, or `_T`.
    pub age_group: String,
    /// Persons.
    pub population: i64,
    /// How it was found: `census`.
    pub method: String,
    /// Where it was published.
    pub source: String,
}

/// All rows.
pub fn population() -> &'static [Population] {
    static ROWS: LazyLock<Vec<Population>> = LazyLock::new(|| {
        FILE.lines().skip(1).map(|line| parse(line).expect("the file is compiled in and read by a test")).collect()
    });
    &ROWS
}

fn parse(line: &str) -> Option<Population> {
    let cells: Vec<&str> = line.splitn(7, ',').collect();
    let [year, province, sex, age_group, population, method, source] = cells.as_slice() else { return None };
    Some(Population {
        year: year.parse().ok()?,
        province: (*province).into(),
        sex: (*sex).into(),
        age_group: (*age_group).into(),
        population: population.parse().ok()?,
        method: (*method).into(),
        source: (*source).into(),
    })
}

/// The population of a province (or `_T`) by the census of 2023, which stands for every year (domain, 7.1).
pub fn of_province(province: &str) -> Option<u64> {
    let row = population()
        .iter()
        .find(|row| row.year == CENSUS_YEAR && row.province == province && row.sex == "_T" && row.age_group == "_T")?;
    u64::try_from(row.population).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_provinces_and_the_nation_have_a_denominator_and_the_provinces_add_up() {
        let provinces = ["PK-PB", "PK-SD", "PK-KP", "PK-BA", "PK-IS"];
        let sum: u64 = provinces.iter().map(|province| of_province(province).unwrap()).sum();
        assert_eq!(Some(sum), of_province("_T"));
        assert_eq!(of_province("PK-GB"), None);
    }
}
