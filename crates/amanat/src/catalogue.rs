//! What readers may know about the numbers: definitions of indicators, code lists, denominators. Plain data, from
//! `sql/indicators`, `schemas/code-lists` and `sql/reference`.

use std::collections::BTreeMap;

use events::code_list::{self, CodeList};
use models::edition::Populations;
use models::indicator::{self, Indicator};
use models::reference::Reference;
use policy::Policy;
use query::{Catalogue, CodeEntry, CodeListMeta, Dimension, IndicatorMeta, PopulationRow, Text};

use crate::edition::is_published;

/// Code lists that say something about published numbers. Places below districts, and the lists of fields that no indicator
/// shows, are part of the contract (`schemas/code-lists`) and listed as well: a code is public, a record is not.
pub fn catalogue(policy: &Policy) -> Catalogue {
    let published = || indicator::all().iter().filter(|i| is_published(i, policy));
    Catalogue {
        indicators: published().map(|indicator| meta(indicator, policy)).collect(),
        code_lists: code_list::all().iter().map(list).chain(made_lists(published(), policy)).collect(),
        population: Populations::of(&Reference::built_in().counts).published().iter().map(denominator).collect(),
        counted: published().flat_map(Indicator::counted).collect(),
    }
}

fn meta(indicator: &Indicator, policy: &Policy) -> IndicatorMeta {
    IndicatorMeta {
        id: indicator.id.clone(),
        title: text(&indicator.title),
        description: text(&indicator.description),
        unit: indicator.unit.clone(),
        counting_rule: text(&indicator.counting_rule),
        time_basis: text(&indicator.time_basis),
        dimensions: indicator.dimensions().into_iter().map(|name| dimension(indicator, name, policy)).collect(),
        agencies: indicator.agencies.clone(),
        standard: indicator.standard.clone(),
        sensitivity: indicator.sensitivity.clone(),
        since: indicator.since.clone(),
    }
}

fn text(text: &indicator::Text) -> Text {
    Text { en: text.en.clone(), ur: text.ur.clone() }
}

/// A column of `published` with its code list: that of the level which its indicator counts by. A column that is none of a
/// dataset's has a list of its own name.
fn dimension(indicator: &Indicator, name: &str, policy: &Policy) -> Dimension {
    let of_table = |table: &indicator::Table| -> Option<&str> {
        let dataset = policy.datasets.get(&table.dataset)?;
        let by = table.by.iter().find(|by| indicator::published_column(by) == Some(name))?;
        dataset.resolve(by)?.list().and_then(code_list::find).map(|list| list.name)
    };
    let list = match name {
        "band" | "field" => Some(name),
        "series" => Some(SERIES),
        _ => indicator.tables.iter().find_map(of_table).or_else(|| code_list::find(name).map(|list| list.name)),
    };
    Dimension { name: name.to_owned(), code_list: list.map(str::to_owned), title: titles(name) }
}

/// The list of the indicators, as codes of the series that are compared between editions.
const SERIES: &str = "indicator";

/// The lists that no file has: they follow from the policy and from the definitions.
fn made_lists<'a>(indicators: impl Iterator<Item = &'a Indicator>, policy: &Policy) -> [CodeListMeta; 3] {
    let methodology = policy.datasets.methodology();
    let list = |name: &str, source: &str, codes: Vec<CodeEntry>| CodeListMeta {
        name: name.to_owned(),
        version: methodology.to_owned(),
        source: source.to_owned(),
        provisional: false,
        codes,
    };
    let entry = |code: String, Text { en, ur }| CodeEntry { code, en, ur, ..CodeEntry::default() };
    let indicators = indicators.map(|indicator| entry(indicator.id.clone(), text(&indicator.title)));
    let fields = FIELDS.map(|name| entry(name.to_owned(), titles(name)));
    let bands =
        indicator::bands(policy).into_iter().map(|band| entry(band.code(), Text { en: band.en(), ur: band.ur() }));
    [
        list(SERIES, "the indicators of this methodology", indicators.collect()),
        list("field", "the fields of events whose completeness is published", fields.to_vec()),
        list("band", "the public bins of the measures, in the unit of the measure that a row names", bands.collect()),
    ]
}

/// Fields whose completeness is published (Q02), by the columns of `published` that show them.
const FIELDS: [&str; 10] = [
    "sex",
    "age_group",
    "citizenship",
    "province",
    "exploitation",
    "means",
    "recruiter_relation",
    "sector",
    "scope",
    "referral_source",
];

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
        "exploitation_form" => ("Form of exploitation, four groups", "استحصال کی قسم، چار گروہ"),
        "scope" => ("Scope", "دائرہ"),
        "means" => ("Means of control", "قابو میں رکھنے کا ذریعہ"),
        "recruiter_relation" => ("Relation of the recruiter", "بھرتی کرنے والے سے تعلق"),
        "origin" => ("Province of recruitment", "بھرتی کا صوبہ"),
        "country" => ("Country", "ملک"),
        "status" => ("Status of the victim", "متاثرہ فرد کی حیثیت"),
        "service" => ("Service", "خدمت"),
        "exit_reason" => ("Reason of exit", "رخصتی کی وجہ"),
        "kind" => ("Kind", "قسم"),
        "audience" => ("Audience", "شرکاء کا گروہ"),
        "official" => ("Public official", "سرکاری اہلکار"),
        "band" => ("Range of values", "قدر کا دائرہ"),
        "field" => ("Field", "خانہ"),
        "series" => ("Series", "سلسلہ"),
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
        assert_eq!(catalogue.indicators.len(), indicator::all().len());
        for dimension in catalogue.indicators.iter().flat_map(|indicator| &indicator.dimensions) {
            let list = dimension.code_list.as_deref().and_then(|name| catalogue.code_list(name));
            let list = list.unwrap_or_else(|| panic!("{} has no code list", dimension.name));
            assert!(list.codes.iter().all(|code| !code.en.is_empty() && !code.ur.is_empty()), "{}", list.name);
            assert_ne!(dimension.title.en, dimension.title.ur, "{}", dimension.name);
        }
    }

    #[test]
    fn every_column_of_dimensions_has_titles_in_both_languages() {
        for name in models::edition::DIMENSIONS {
            let Text { en, ur } = titles(name);
            assert!(en != name && ur != en, "{name}");
        }
    }

    #[test]
    fn a_policy_of_one_dataset_publishes_the_indicators_of_that_dataset() {
        let found = catalogue(&Policy::ctdc());
        let ids: Vec<&str> = found.indicators.iter().map(|indicator| indicator.id.as_str()).collect();
        assert!(ids.contains(&"V03") && !ids.contains(&"C01"), "{ids:?}");
    }
}
