//! What readers may know about the numbers: definitions of indicators, code lists, denominators. Plain data, from
//! `sql/indicators`, `schemas/code-lists` and `sql/reference`.

use std::collections::BTreeMap;

use events::code_list::{self, CodeList};
use models::edition::population;
use models::indicator::{self, Indicator};
use policy::Policy;
use query::{Catalogue, CodeEntry, CodeListMeta, Dimension, IndicatorMeta, PopulationRow, Text};

use crate::edition::is_published;

/// Code lists that say something about published numbers. Places below districts, and the lists of fields that no indicator
/// shows, are part of the contract (`schemas/code-lists`) and listed as well: a code is public, a record is not.
pub fn catalogue(policy: &Policy) -> Catalogue {
    Catalogue {
        indicators: indicator::all().iter().filter(|i| is_published(i, policy)).map(meta).collect(),
        code_lists: code_list::all().iter().map(list).collect(),
        population: population().iter().map(denominator).collect(),
        counted: indicator::all().iter().filter(|i| is_published(i, policy)).flat_map(Indicator::counted).collect(),
    }
}

fn meta(indicator: &Indicator) -> IndicatorMeta {
    IndicatorMeta {
        id: indicator.id.clone(),
        title: text(&indicator.title),
        description: text(&indicator.description),
        unit: indicator.unit.clone(),
        counting_rule: text(&indicator.counting_rule),
        time_basis: text(&indicator.time_basis),
        dimensions: indicator.dimensions().into_iter().map(|name| dimension(indicator, name)).collect(),
        agencies: indicator.agencies.clone(),
        standard: indicator.standard.clone(),
        sensitivity: indicator.sensitivity.clone(),
        since: indicator.since.clone(),
    }
}

fn text(text: &indicator::Text) -> Text {
    Text { en: text.en.clone(), ur: text.ur.clone() }
}

/// A column of `published` with its code list. The outcome column holds codes of the list that its indicator asks for.
fn dimension(indicator: &Indicator, name: &str) -> Dimension {
    let own =
        indicator.tables.iter().flat_map(|table| &table.by).find(|by| indicator::published_column(by) == Some(name));
    let list = match name {
        "outcome" => own.and_then(|_| code_list::find("reintegration_outcome")).map(|list| list.name),
        "agency_group" => Some("agency_group"),
        _ => code_list::find(name).map(|list| list.name),
    };
    let title = titles(name);
    Dimension { name: name.to_owned(), code_list: list.map(str::to_owned), title }
}

/// Titles of the dimensions in both languages.
fn titles(name: &str) -> Text {
    let (en, ur) = match name {
        "province" => ("Province", "صوبہ"),
        "sex" => ("Sex", "جنس"),
        "age_group" => ("Age group", "عمر کا گروہ"),
        "exploitation" => ("Form of exploitation", "استحصال کی قسم"),
        "referral_source" => ("Source of referral", "حوالہ دینے والا ذریعہ"),
        "agency_group" => ("Group of agencies", "اداروں کا گروہ"),
        "role" => ("Role", "کردار"),
        "citizenship" => ("Citizenship", "شہریت"),
        "section" => ("Section of law", "قانون کی دفعہ"),
        "sector" => ("Sector of economic activity", "معاشی شعبہ"),
        "outcome" => ("Outcome", "نتیجہ"),
        other => (other, other),
    };
    Text { en: en.into(), ur: ur.into() }
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

fn denominator(row: &models::edition::Population) -> PopulationRow {
    PopulationRow {
        year: row.year,
        province: row.province.clone(),
        sex: row.sex.clone(),
        age_group: row.age_group.clone(),
        population: row.population,
        method: row.method.clone(),
        source: row.source.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_of_every_indicator_has_a_code_list_and_titles_in_both_languages() {
        let catalogue = catalogue(&Policy::default());
        assert_eq!(catalogue.indicators.len(), 13);
        for dimension in catalogue.indicators.iter().flat_map(|indicator| &indicator.dimensions) {
            assert!(dimension.code_list.is_some(), "{}", dimension.name);
            assert_ne!(dimension.title.en, dimension.title.ur, "{}", dimension.name);
        }
    }

    #[test]
    fn a_policy_of_one_dataset_publishes_the_indicators_of_that_dataset() {
        let found = catalogue(&Policy::ctdc());
        let ids: Vec<&str> = found.indicators.iter().map(|indicator| indicator.id.as_str()).collect();
        assert!(ids.contains(&"V03") && !ids.contains(&"C01"), "{ids:?}");
    }
}
