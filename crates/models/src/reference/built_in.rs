//! What the program brings along: the areas of the list `place`, the former tribal areas, three censuses
//! (`sql/reference`), the codes of the contract, the agencies of the policy.
//!
//! The files have the columns that the steward loads. They are part of the hash of `sql/`, so that an edition's manifest names them.
//! Absent: districts and courts, of which no list is at hand that could be vouched for; the steward loads them.

use events::code_list;

use policy::Policy;

use super::entries::{Area, Change, Count};
use super::line::{Fields, Line};
use super::{Agency, DatedCode, Reference};

/// Populations by the censuses of 1998, 2017 and 2023.
const POPULATION: &str = include_str!("../../../../sql/reference/population.csv");
/// Areas that are in no list any more.
const AREAS: &str = include_str!("../../../../sql/reference/areas.csv");
/// What became of them.
const AREA_CHANGES: &str = include_str!("../../../../sql/reference/area_changes.csv");

impl Reference {
    /// Reference data before the steward has said a word, but for the agencies, which a policy has.
    pub fn built_in() -> Self {
        let mut areas = listed_areas();
        areas.extend(read::<Area>(AREAS));
        let (changes, counts) = (read::<Change>(AREA_CHANGES), read::<Count>(POPULATION));
        Self { areas, changes, counts, codes: DatedCode::of_contract(), ..Self::default() }
    }

    /// Reference data before the steward has said a word, under a policy.
    pub fn beneath(policy: &Policy) -> Self {
        Self { agencies: Agency::of_policy(policy), ..Self::built_in() }
    }
}

/// Provinces and divisions of the contract's list. Since when each is one, the list does not say.
fn listed_areas() -> Vec<Area> {
    let (places, levels) = (code_list::list("place"), code_list::list("area_level"));
    let area = |code: &code_list::Code| {
        let level = code.attrs.get("level").and_then(|level| levels.code(level))?;
        Some(Area {
            area: code.code.to_owned(),
            level,
            parent: code.parent.map(|parent| places.text(parent).to_owned()),
            valid_from: None,
            valid_to: None,
            name_en: code.en.to_owned(),
            name_ur: code.ur.to_owned(),
            source: format!("Code list place, version {}", places.version),
        })
    };
    places.codes.iter().filter_map(area).collect()
}

/// The lines of a file of ours, which has no quotes.
fn read<L: Line>(file: &'static str) -> Vec<L> {
    let mut lines = file.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let columns = lines.next().unwrap_or_default();
    let entry = |cells: Vec<&'static str>| {
        let cell = |name: &str| {
            let at = columns.iter().position(|column| *column == name)?;
            cells.get(at).copied().filter(|cell| !cell.is_empty())
        };
        L::read(&Fields(&cell)).expect("the file is compiled in and read by a test")
    };
    lines.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_each_census_the_provinces_add_up_to_the_nation() {
        let counts = Reference::built_in().counts;
        for year in ["1998-03-01", "2017-03-15", "2023-03-01"] {
            let of_day = || counts.iter().filter(|count| Some(count.counted_on) == super::super::day(year));
            let nation: i64 = of_day().filter(|count| count.area == Count::NATION).map(|count| count.persons).sum();
            let provinces: i64 = of_day().filter(|count| count.area != Count::NATION).map(|count| count.persons).sum();
            assert_eq!((of_day().count(), provinces), (6, nation), "{year}");
        }
    }

    #[test]
    fn every_area_has_names_of_the_contract_and_a_parent_that_is_one() {
        let areas = Reference::built_in().areas;
        assert!(areas.len() > 40);
        for area in &areas {
            assert!(events::form::is_area(&area.area), "{}", area.area);
            assert!(events::form::is_english_name(&area.name_en), "{}", area.area);
            assert!(events::form::is_urdu_name(&area.name_ur), "{}", area.area);
            let is_known = |parent: &String| areas.iter().any(|other| other.area == *parent);
            assert!(area.parent.as_ref().is_none_or(is_known), "{}", area.area);
        }
    }
}
