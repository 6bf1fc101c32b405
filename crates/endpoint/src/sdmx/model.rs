//! The indicators as SDMX sees them: one dataflow and one data structure each, code lists, concepts.
//!
//! The key of a series is `FREQ.MEASURE.` and the dimensions of the indicator in its order. Both stand in every structure,
//! also where an indicator has one measure or years alone: a second measure or the first quarter would otherwise change the
//! length of every key (docs/decisions/2026-11-28-an-indicator-as-a-dataflow.md).

use query::selection::COMMON_CODES;
use query::{Catalogue, CodeListMeta, IndicatorMeta, Text};

use crate::labels;
use crate::long::Long;

/// The agency that maintains every artefact.
pub(crate) const AGENCY: &str = "AMANAT";

/// Version of dataflows, data structures and of the lists that no file has; raised when a component comes or goes.
pub(super) const VERSION: &str = "1.0.0";

/// Id of the concept scheme.
pub(super) const CONCEPTS: &str = "CS_AMANAT";

/// Where a component stands in a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Dimension,
    Time,
    Measure,
    /// An attribute of each observation.
    Observation,
    /// An attribute of the whole data set.
    DataSet,
}

/// What a component's values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    /// Codes of the list of this id.
    Codes(String),
    /// Plain values of a data type of SDMX.
    Plain(&'static str),
}

/// A component of a data structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: String,
    pub(super) role: Role,
    pub(super) values: Values,
}

impl Component {
    fn new(id: &str, role: Role, values: Values) -> Self {
        Self { id: id.to_owned(), role, values }
    }
}

/// The id of a column as SDMX writes it.
pub(super) fn id_of(column: &str) -> String {
    column.to_uppercase()
}

/// The id of a code list.
pub(super) fn list_id(name: &str) -> String {
    format!("CL_{}", name.to_uppercase())
}

/// Id of the data structure of an indicator.
pub(super) fn structure_id(meta: &IndicatorMeta) -> String {
    format!("DSD_{}", meta.id)
}

/// The components of an indicator's data structure, in their order.
pub(super) fn components(meta: &IndicatorMeta) -> Vec<Component> {
    let list = |name: &str| Values::Codes(list_id(name));
    let coded = |id: &str, role| Component::new(id, role, list(id));
    let mut all = vec![coded("FREQ", Role::Dimension), coded("MEASURE", Role::Dimension)];
    all.extend(meta.dimensions.iter().map(|d| {
        let values = d.code_list.as_deref().map_or(Values::Plain("String"), list);
        Component::new(&id_of(&d.name), Role::Dimension, values)
    }));
    all.extend([
        Component::new("TIME_PERIOD", Role::Time, Values::Plain("ObservationalTimePeriod")),
        Component::new("OBS_VALUE", Role::Measure, Values::Plain("Decimal")),
        coded("OBS_STATUS", Role::Observation),
        coded("CONF_STATUS", Role::Observation),
        Component::new("LO95", Role::Observation, Values::Plain("Decimal")),
        Component::new("HI95", Role::Observation, Values::Plain("Decimal")),
        coded("UNIT_MEASURE", Role::Observation),
        Component::new("EDITION", Role::DataSet, Values::Plain("Integer")),
        Component::new("AS_OF", Role::DataSet, Values::Plain("GregorianDay")),
    ]);
    all
}

/// The codes of frequencies, in their order.
pub(super) const FREQUENCIES: [&str; 4] = ["A", "Q", "_O", "_U"];

/// The frequency of a period: a year, a quarter, a fiscal year, or none where the time is unknown.
pub(super) fn frequency(period: &str) -> &'static str {
    match period {
        p if p.starts_with('_') => "_U",
        p if p.starts_with("FY") => "_O",
        p if p.contains('Q') => "Q",
        _ => "A",
    }
}

/// A period as SDMX writes it: a fiscal year is the year that begins on 1 July, and no annual reporting period, for these begin
/// with January here.
pub(super) fn period(of: &str) -> String {
    let first = of.strip_prefix("FY").and_then(|years| years.split_once('-')).map(|(first, _)| first);
    first.map_or_else(|| of.to_owned(), |first| format!("{first}-07-01/P1Y"))
}

/// The value of a component in a row, as it is written; None where it has none.
pub(super) fn value_of(long: &Long, id: &str, row: usize) -> Option<String> {
    let number = |column: &[Option<String>]| column.get(row).cloned().flatten();
    Some(match id {
        "FREQ" => frequency(long.period.of(row)).to_owned(),
        "MEASURE" => long.measure.of(row).to_owned(),
        "TIME_PERIOD" => period(long.period.of(row)),
        "OBS_VALUE" => return number(&long.value),
        "LO95" => return number(&long.lo95),
        "HI95" => return number(&long.hi95),
        "OBS_STATUS" => long.obs_status.of(row).to_owned(),
        "CONF_STATUS" => long.conf_status.of(row).to_owned(),
        "UNIT_MEASURE" => long.unit.of(row).to_owned(),
        "EDITION" => long.edition.edition.to_string(),
        "AS_OF" => long.edition.as_of.clone(),
        _ => long.dimensions.iter().find(|d| id_of(&d.name) == id)?.of(row).to_owned(),
    })
}

/// A code of a list with its names.
pub(super) struct Code {
    pub(super) id: String,
    pub(super) name: Text,
    pub(super) parent: Option<String>,
}

/// A code list.
pub(super) struct List {
    pub(super) name: String,
    /// Where its codes come from.
    pub(super) source: String,
    pub(super) codes: Vec<Code>,
}

/// The lists that no file has: of SDMX itself, and of what the indicators measure.
const OWN: [&str; 5] = ["FREQ", "MEASURE", "OBS_STATUS", "CONF_STATUS", "UNIT_MEASURE"];

/// Ids of all code lists, those of the catalogue last.
pub(super) fn lists(catalogue: &Catalogue) -> Vec<String> {
    OWN.into_iter().chain(of_dimensions(catalogue).map(|l| l.name.as_str())).map(list_id).collect()
}

/// The lists of the catalogue that a dimension has its codes from. The others describe no data here, and a code of theirs need
/// be no id of SDMX (`48+`, an age band of the contract); `/v1/code-lists` has them all.
fn of_dimensions(catalogue: &Catalogue) -> impl Iterator<Item = &CodeListMeta> {
    let is_used = |list: &&CodeListMeta| {
        let mut dimensions = catalogue.indicators.iter().flat_map(|indicator| &indicator.dimensions);
        dimensions.any(|d| d.code_list.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&list.name)))
    };
    catalogue.code_lists.iter().filter(is_used)
}

/// The version of a list: `2026-11` is 2026.11.0.
pub(super) fn list_version(catalogue: &Catalogue, id: &str) -> String {
    let list = catalogue.code_lists.iter().find(|l| list_id(&l.name) == id);
    list.and_then(|l| semantic(&l.version)).unwrap_or_else(|| VERSION.to_owned())
}

fn semantic(version: &str) -> Option<String> {
    let mut parts = version.splitn(3, '-').map(|part| part.parse::<u32>().ok());
    let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next());
    Some(format!("{major}.{minor}.{}", patch.map_or(Some(0), |patch| patch)?))
}

/// A code list by id.
pub(super) fn list(catalogue: &Catalogue, measures: &[String], id: &str) -> Option<List> {
    let in_words = |code: &str| Code { id: code.to_owned(), name: both(&labels::in_words(code)), parent: None };
    let table = |table: &[(&str, &str, &str)]| -> Vec<Code> {
        table.iter().map(|row| Code { id: row.0.to_owned(), name: labels::text(*row), parent: None }).collect()
    };
    let of_sdmx = |name: &str| format!("SDMX cross-domain code list {name}; the codes that occur here");
    let own = |name: &str, source: String, codes: Vec<Code>| List { name: name.to_owned(), source, codes };
    Some(match id {
        "CL_FREQ" => own(
            "Frequency",
            of_sdmx("CL_FREQ"),
            table(&[
                ("A", "Annual", "سالانہ"),
                ("Q", "Quarterly", "سہ ماہی"),
                ("_O", "Fiscal year, July to June", "مالی سال، جولائی تا جون"),
                ("_U", "Unspecified", "غیر متعین"),
            ]),
        ),
        "CL_OBS_STATUS" => own("Observation status", of_sdmx(id), table(&labels::OBS_STATUS)),
        "CL_CONF_STATUS" => own("Confidentiality status", of_sdmx(id), table(&labels::CONF_STATUS)),
        "CL_MEASURE" => {
            own("Measure", "what the indicators measure".to_owned(), measures.iter().map(|m| in_words(m)).collect())
        }
        "CL_UNIT_MEASURE" => {
            let mut units: Vec<&str> = catalogue.indicators.iter().map(|i| i.unit.as_str()).chain(UNITS).collect();
            units.sort_unstable();
            units.dedup();
            let codes = units.into_iter().map(in_words).collect();
            own("Unit of measure", "units of the indicators and of their shares".to_owned(), codes)
        }
        _ => return of_dimensions(catalogue).find(|l| list_id(&l.name) == id).map(of_catalogue),
    })
}

/// Units that a measure of an indicator may have beside that of the indicator.
const UNITS: [&str; 9] = ["case", "day", "inspection", "month", "participant", "percent", "person", "pkr", "release"];

/// A list with the codes that every dimension may have.
fn of_catalogue(list: &CodeListMeta) -> List {
    let own = list.codes.iter().map(|c| Code {
        id: c.code.clone(),
        name: Text { en: c.en.clone(), ur: c.ur.clone() },
        parent: c.parent.clone().filter(|parent| list.codes.iter().any(|o| o.code == *parent)),
    });
    let missing = |code: &&str| list.codes.iter().all(|own| own.code != **code);
    let common = COMMON_CODES.into_iter().filter(missing).filter_map(|code| {
        let row = labels::COMMON.into_iter().find(|(common, ..)| *common == code)?;
        Some(Code { id: code.to_owned(), name: labels::text(row), parent: None })
    });
    List { name: labels::in_words(&list.name), source: list.source.clone(), codes: own.chain(common).collect() }
}

fn both(text: &str) -> Text {
    Text { en: text.to_owned(), ur: text.to_owned() }
}

/// A concept with its name, what it says, and the concept of SDMX's cross-domain scheme that it is, or is a case of.
pub(super) struct Concept {
    pub(super) id: String,
    pub(super) name: Text,
    pub(super) description: &'static str,
    pub(super) standard: Option<&'static str>,
}

/// Concepts that are no dimension of an indicator. `(id, English, Urdu, what it says, concept of SDMX)`.
const FIXED: [(&str, &str, &str, &str, Option<&str>); 11] = [
    ("FREQ", "Frequency", "تعدد", "Years, quarters and fiscal years stand side by side.", Some("FREQ")),
    ("MEASURE", "Measure", "پیمائش", "What of the indicator is measured.", Some("INDICATOR")),
    (
        "TIME_PERIOD",
        "Time period",
        "مدت",
        "A year, a quarter, a fiscal year as a year from 1 July, or _X where the record tells less than the quarter.",
        Some("TIME_PERIOD"),
    ),
    ("OBS_VALUE", "Value", "قدر", "The published number; without a value where it is suppressed.", Some("OBS_VALUE")),
    ("OBS_STATUS", "Observation status", "مشاہدے کی حیثیت", "One public code for all suppression.", Some("OBS_STATUS")),
    ("CONF_STATUS", "Confidentiality status", "رازداری کی حیثیت", "Free or confidential.", Some("CONF_STATUS")),
    ("LO95", "Lower end", "زیریں حد", "Lower end of the 95 % interval of the protection's noise.", Some("LOWER_BOUND")),
    ("HI95", "Upper end", "بالائی حد", "Upper end of the 95 % interval of the protection's noise.", Some("UPPER_BOUND")),
    ("UNIT_MEASURE", "Unit of measure", "اکائی", "What one unit of the value is.", Some("UNIT_MEASURE")),
    ("EDITION", "Edition", "اشاعت", "Number of the immutable publication.", None),
    ("AS_OF", "Data as of", "تاریخِ مواد", "Date up to which reports were counted.", None),
];

/// The standard concept that a dimension is a case of.
fn standard_of(column: &str) -> Option<&'static str> {
    Some(match column {
        "province" | "origin" | "country" => "REF_AREA",
        "sex" => "SEX",
        "age_group" | "age_band" => "AGE",
        "sector" | "isic" => "ACTIVITY",
        "citizenship" => "CITIZENSHIP",
        "series" => "INDICATOR",
        _ => return None,
    })
}

/// All concepts: of each structure, and of each dimension once.
pub(super) fn concepts(catalogue: &Catalogue) -> Vec<Concept> {
    let fixed = FIXED.into_iter().map(|(id, en, ur, description, standard)| Concept {
        id: id.to_owned(),
        name: Text { en: en.to_owned(), ur: ur.to_owned() },
        description,
        standard,
    });
    let mut all: Vec<Concept> = fixed.collect();
    for dimension in catalogue.indicators.iter().flat_map(|i| &i.dimensions) {
        let id = id_of(&dimension.name);
        if all.iter().all(|known| known.id != id) {
            let standard = standard_of(&dimension.name);
            all.push(Concept { id, name: dimension.title.clone(), description: "", standard });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_list_is_a_semantic_one() {
        assert_eq!(semantic("2026-11").as_deref(), Some("2026.11.0"));
        assert_eq!(semantic("2026-11-26").as_deref(), Some("2026.11.26"));
        assert_eq!(semantic("2026-01-05").as_deref(), Some("2026.1.5"));
        for other in ["1", "draft", "2026-11-x", ""] {
            assert_eq!(semantic(other), None, "{other}");
        }
    }

    #[test]
    fn a_period_tells_its_frequency() {
        assert_eq!(["2024", "2024-Q3", "FY2024-25", "_X"].map(frequency), FREQUENCIES);
    }

    #[test]
    fn a_fiscal_year_is_a_year_from_the_first_of_july() {
        let written = ["2024", "2024-Q3", "FY2024-25", "FY1999-00", "_X"].map(period);
        assert_eq!(written, ["2024", "2024-Q3", "2024-07-01/P1Y", "1999-07-01/P1Y", "_X"]);
    }
}
