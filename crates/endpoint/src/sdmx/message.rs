//! Rows as messages of SDMX: SDMX-JSON 2.0 (data message) and SDMX-CSV 2.0 and 1.0.

use query::{Catalogue, IndicatorMeta};
use serde_json::{Map, Value, json};

use super::model::{self, AGENCY, Component, Role, VERSION, Values};
use super::structure::urn;
use crate::labels;
use crate::long::{Long, number};
use crate::problem::Problem;
use crate::render;

/// Address of the schema of data messages.
const SCHEMA: &str = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/2.0.0/sdmx-json-data-schema.json";

/// Which parts of observations a message has, and how they are put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// `dimensionAtObservation=AllDimensions`: a table rather than series.
    pub(super) flat: bool,
    /// Whether the value is there.
    pub(super) value: bool,
    /// Ids of the attributes that are there; None for all.
    pub(super) attributes: Option<Vec<String>>,
    /// Whether each data set tells from when to when it was the newest one.
    pub(super) history: bool,
}

impl Default for Shape {
    /// Series with everything.
    fn default() -> Self {
        Self { flat: false, value: true, attributes: None, history: false }
    }
}

impl Shape {
    fn has(&self, component: &Component) -> bool {
        match component.role {
            Role::Dimension | Role::Time => true,
            Role::Measure => self.value,
            Role::Observation | Role::DataSet => self.attributes.as_ref().is_none_or(|ids| ids.contains(&component.id)),
        }
    }
}

/// The data message of one or several editions, oldest first.
pub(crate) fn data_message(
    catalogue: &Catalogue,
    meta: &IndicatorMeta,
    mut editions: Vec<Long>,
    shape: &Shape,
) -> Result<Vec<u8>, Problem> {
    let newest = editions.last().map(|long| long.edition.clone()).ok_or_else(Problem::internal)?;
    for long in &mut editions {
        long.period.sort_by_key(|p| (p.starts_with('_'), p.to_owned()));
    }
    let published: Vec<String> = editions.iter().map(|long| long.edition.published_at.clone()).collect();
    let (mut structures, mut sets) = (Vec::new(), Vec::new());
    for (at, long) in editions.iter().enumerate() {
        structures.push(structure(catalogue, meta, long, shape, at));
        let mut set = json!({
            "structure": at,
            "action": "Information",
            "links": [{"rel": "dataflow", "urn": urn::dataflow(meta)}],
        });
        if shape.history {
            set["validFrom"] = published[at].as_str().into();
            if let Some(until) = published.get(at + 1) {
                set["validTo"] = until.as_str().into();
            }
        }
        fill(meta, long, shape, &mut set);
        sets.push(set);
    }
    let message = json!({
        "meta": {
            "schema": SCHEMA,
            "id": format!("{}-{}-{}", AGENCY, meta.id, newest.edition),
            "test": newest.synthetic,
            // Of the edition, so that the same rows are the same bytes.
            "prepared": newest.published_at,
            "contentLanguages": ["en", "ur"],
            "sender": {"id": AGENCY, "name": "Amanat"},
        },
        "data": {"structures": structures, "dataSets": sets},
    });
    serde_json::to_vec(&message).map_err(|_| Problem::internal())
}

/// What the positions of a data set's keys and values mean.
fn structure(catalogue: &Catalogue, meta: &IndicatorMeta, long: &Long, shape: &Shape, set: usize) -> Value {
    let components = model::components(meta);
    let all = components.iter().filter(|c| shape.has(c));
    let (mut series, mut observation) = (Vec::new(), Vec::new());
    let (mut measures, mut of_set, mut of_observation) = (Vec::new(), Vec::new(), Vec::new());
    for component in all {
        let described = describe(catalogue, meta, long, component);
        match component.role {
            Role::Dimension if shape.flat => observation.push(described),
            Role::Dimension => series.push(described),
            Role::Time => observation.push(described),
            Role::Measure => measures.push(described),
            Role::Observation => of_observation.push(described),
            Role::DataSet => of_set.push(described),
        }
    }
    for (position, dimension) in series.iter_mut().chain(&mut observation).enumerate() {
        dimension["keyPosition"] = position.into();
    }
    json!({
        "links": [
            {"rel": "dataflow", "urn": urn::dataflow(meta)},
            {"rel": "datastructure", "urn": urn::structure(meta)},
        ],
        "dataSets": [set],
        "name": meta.title.en,
        "names": {"en": meta.title.en, "ur": meta.title.ur},
        "dimensions": {"dataSet": [], "series": series, "observation": observation},
        "measures": {"observation": measures},
        "attributes": {"dataSet": of_set, "dimensionGroup": [], "series": [], "observation": of_observation},
    })
}

fn describe(catalogue: &Catalogue, meta: &IndicatorMeta, long: &Long, component: &Component) -> Value {
    let mut described = json!({"id": component.id, "name": labels::in_words(&component.id.to_lowercase())});
    match component.role {
        Role::Time => described["roles"] = json!(["TIME_PERIOD"]),
        Role::Observation => described["relationship"] = json!({"observation": {}}),
        Role::DataSet => described["relationship"] = json!({"dataflow": {}}),
        Role::Dimension | Role::Measure => {}
    }
    if let Values::Plain(kind) = &component.values {
        described["format"] = json!({"dataType": kind});
    }
    if let Some(codes) = codes_of(long, component) {
        // `uniqueItems` and positions: each code once, in the order of the column.
        described["values"] = codes.iter().map(|code| value(catalogue, meta, component, code)).collect();
    }
    described
}

/// The codes of a component that are numbered in a message; None for those whose values stand as they are.
fn codes_of<'a>(long: &'a Long, component: &Component) -> Option<Vec<&'a str>> {
    let column = match component.id.as_str() {
        "FREQ" => return Some(frequencies(long)),
        "MEASURE" => &long.measure,
        "TIME_PERIOD" => &long.period,
        "OBS_STATUS" => &long.obs_status,
        "CONF_STATUS" => &long.conf_status,
        "UNIT_MEASURE" => &long.unit,
        id => long.dimensions.iter().find(|d| model::id_of(&d.name) == id)?,
    };
    Some(column.codes.iter().map(String::as_str).collect())
}

fn frequencies(long: &Long) -> Vec<&'static str> {
    let occur = |freq: &&str| long.period.codes.iter().any(|p| model::frequency(p) == *freq);
    model::FREQUENCIES.into_iter().filter(occur).collect()
}

fn value(catalogue: &Catalogue, meta: &IndicatorMeta, component: &Component, code: &str) -> Value {
    let text = match component.id.as_str() {
        // An id has no slash: a fiscal year is a value of its own.
        "TIME_PERIOD" if model::frequency(code) == "_O" => return json!({"value": model::period(code)}),
        "TIME_PERIOD" => return json!({"id": code, "name": code}),
        "MEASURE" | "UNIT_MEASURE" => return json!({"id": code, "name": labels::in_words(code)}),
        "FREQ" | "OBS_STATUS" | "CONF_STATUS" => {
            let list = model::list(catalogue, &[], &format!("CL_{}", component.id));
            list.and_then(|l| l.codes.into_iter().find(|c| c.id == code)).map(|c| c.name)
        }
        id => {
            let dimension = meta.dimensions.iter().find(|d| model::id_of(&d.name) == id);
            dimension.map(|d| labels::of_code(catalogue, d, code))
        }
    };
    let text = text.unwrap_or_else(|| query::Text { en: code.to_owned(), ur: code.to_owned() });
    json!({"id": code, "name": text.en, "names": {"en": text.en, "ur": text.ur}})
}

/// Puts the observations into a data set.
fn fill(meta: &IndicatorMeta, long: &Long, shape: &Shape, set: &mut Value) {
    let components = model::components(meta);
    let has = |id: &str| components.iter().any(|c| c.id == id && shape.has(c));
    let of_set = [("EDITION", json!(long.edition.edition)), ("AS_OF", json!(long.edition.as_of))];
    set["attributes"] = of_set.into_iter().filter(|(id, _)| has(id)).map(|(_, value)| value).collect();
    let frequencies = frequencies(long);
    let (mut series, mut flat): (Map<String, Value>, Map<String, Value>) = (Map::new(), Map::new());
    for row in 0..long.len {
        let frequency = model::frequency(long.period.of(row));
        let mut key = frequencies.iter().position(|f| *f == frequency).unwrap_or(0).to_string();
        for column in std::iter::once(&long.measure).chain(&long.dimensions) {
            key.push_str(&format!(":{}", column.rows[row]));
        }
        let cell = [
            ("OBS_VALUE", number(long.value[row].as_ref())),
            ("OBS_STATUS", long.obs_status.rows[row].into()),
            ("CONF_STATUS", long.conf_status.rows[row].into()),
            ("LO95", number(long.lo95[row].as_ref())),
            ("HI95", number(long.hi95[row].as_ref())),
            ("UNIT_MEASURE", long.unit.rows[row].into()),
        ];
        let cell: Value = cell.into_iter().filter(|(id, _)| has(id)).map(|(_, value)| value).collect();
        let period = long.period.rows[row].to_string();
        if shape.flat {
            flat.insert(format!("{key}:{period}"), cell);
            continue;
        }
        let one = series.entry(key).or_insert_with(|| json!({"attributes": [], "observations": {}}));
        one["observations"][period] = cell;
    }
    if shape.flat {
        set["observations"] = flat.into();
    } else {
        set["series"] = series.into();
    }
}

/// A version of SDMX-CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Csv {
    One,
    Two,
}

/// The rows as SDMX-CSV: dimensions, value, attributes, all by id. A suppressed value is empty.
pub(crate) fn csv(meta: &IndicatorMeta, editions: &[Long], version: Csv) -> Vec<u8> {
    let components = model::components(meta);
    let head: &[&str] = match version {
        Csv::One => &["DATAFLOW"],
        Csv::Two => &["STRUCTURE", "STRUCTURE_ID", "ACTION"],
    };
    let flow = format!("{AGENCY}:{}({VERSION})", meta.id);
    let mut out = Vec::new();
    line(&mut out, head.iter().copied().chain(components.iter().map(|c| c.id.as_str())).map(Some));
    for long in editions {
        for row in 0..long.len {
            let before: &[&str] = match version {
                Csv::One => &[&flow],
                Csv::Two => &["dataflow", &flow, "I"],
            };
            let cells: Vec<Option<String>> = components.iter().map(|c| model::value_of(long, &c.id, row)).collect();
            line(&mut out, before.iter().copied().map(Some).chain(cells.iter().map(Option::as_deref)));
        }
    }
    out
}

fn line<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = Option<&'a str>>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match cell {
            // A number below zero is no formula.
            Some(text) if text.parse::<f64>().is_ok() => out.extend_from_slice(text.as_bytes()),
            Some(text) => render::csv_text(out, text),
            None => {}
        }
    }
    out.push(b'\n');
}
