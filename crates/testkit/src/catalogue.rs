//! What a question may name beside protected tables: code lists, denominators, the tables of the indicators.
//!
//! Absent: descriptions of indicators, which no question reads; the program has them.

use std::collections::BTreeMap;

use events::code_list::{self, CodeList};
use models::edition::Populations;
use models::indicator::{self, Indicator};
use models::reference::Reference;
use query::{Catalogue, CodeEntry, CodeListMeta, Dimension, IndicatorMeta, PopulationRow, Text};

/// The catalogue of the default policy.
pub fn catalogue() -> Catalogue {
    let published = Populations::of(&Reference::built_in().counts).published();
    let denominators = published.iter().map(|row| PopulationRow {
        year: row.year,
        province: row.province.clone(),
        sex: row.sex.clone(),
        age_group: row.age_group.clone(),
        population: row.population,
        method: row.method.clone(),
        source: row.source.clone(),
    });
    Catalogue {
        indicators: indicator::all().iter().map(table_of).collect(),
        code_lists: code_list::all().iter().map(list).collect(),
        population: denominators.collect(),
        counted: indicator::all().iter().flat_map(Indicator::counted).collect(),
    }
}

fn table_of(indicator: &Indicator) -> IndicatorMeta {
    let dimension = |name: &str| Dimension { name: name.to_owned(), code_list: None, title: Text::default() };
    let nothing = Text::default;
    IndicatorMeta {
        id: indicator.id.clone(),
        title: Text { en: indicator.title.en.clone(), ur: indicator.title.ur.clone() },
        description: nothing(),
        unit: indicator.unit.clone(),
        counting_rule: nothing(),
        time_basis: nothing(),
        dimensions: indicator.dimensions().into_iter().map(dimension).collect(),
        agencies: Vec::new(),
        standard: Vec::new(),
        sensitivity: indicator.sensitivity.clone(),
        since: indicator.since.clone(),
    }
}

fn list(list: &CodeList) -> CodeListMeta {
    let entry = |code: &code_list::Code| CodeEntry {
        code: code.code.into(),
        en: code.en.into(),
        ur: code.ur.into(),
        parent: code.parent.map(|parent| list.text(parent).to_owned()),
        attributes: code.attrs.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<BTreeMap<_, _>>(),
    };
    CodeListMeta {
        name: list.name.into(),
        version: list.version.into(),
        source: list.source.into(),
        provisional: list.provisional,
        codes: list.codes.iter().map(entry).collect(),
    }
}
