//! Rows as a JSON-stat 2.0 dataset (<https://json-stat.org/full/>).
//!
//! The cube has each code that occurs; a cell without a row has neither value nor status, a suppressed one has a status and
//! no value. Cells have one number each: the ends of the interval stand in `extension`, under the same positions.

use query::{Catalogue, IndicatorMeta};
use serde_json::{Map, Value, json};

use crate::citation::Citation;
use crate::labels;
use crate::long::{Codes, Long, number};
use crate::problem::{Kind, Problem};

/// The dataset of these rows.
///
/// # Errors
/// A problem where the cube would have more cells than can be numbered, or nothing in it has a row.
pub(crate) fn dataset(
    catalogue: &Catalogue,
    meta: &IndicatorMeta,
    mut long: Long,
    citation: &Citation,
) -> Result<Vec<u8>, Problem> {
    // `_X`, which is no period, is last.
    long.period.sort_by_key(|p| (p.starts_with('_'), p.to_owned()));
    let axes: Vec<&Codes> = [&long.measure, &long.period].into_iter().chain(&long.dimensions).collect();
    let cells = axes.iter().try_fold(1_u64, |cells, axis| cells.checked_mul(axis.codes.len() as u64));
    if cells.is_none_or(|cells| cells > 1 << 52) {
        let hint = "Filter by a dimension, or take format=csv.";
        return Err(Problem::new(Kind::MalformedParameter, "The cube has more cells than JSON-stat can number.", hint));
    }
    let dimensions = axes.iter().map(|axis| (axis.name.clone(), dimension(catalogue, meta, &long, axis))).collect();
    let [mut value, mut status, mut lo95, mut hi95, mut conf] = [(); 5].map(|()| Map::new());
    for row in 0..long.len {
        let at = axes.iter().fold(0_u64, |at, axis| at * axis.codes.len() as u64 + axis.rows[row] as u64).to_string();
        for (map, numbers) in [(&mut value, &long.value), (&mut lo95, &long.lo95), (&mut hi95, &long.hi95)] {
            if numbers[row].is_some() {
                map.insert(at.clone(), number(numbers[row].as_ref()));
            }
        }
        conf.insert(at.clone(), long.conf_status.of(row).into());
        status.insert(at, long.obs_status.of(row).into());
    }
    if value.is_empty() && !status.is_empty() {
        // Of a cube without any value clients see no cell at all, not even that it is hidden.
        value.insert("0".to_owned(), Value::Null);
    }
    let labelled = |table: &[(&str, &str, &str)]| -> Map<String, Value> {
        table.iter().map(|(code, en, _)| ((*code).to_owned(), Value::from(*en))).collect()
    };
    let names: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
    let sizes: Vec<usize> = axes.iter().map(|axis| axis.codes.len()).collect();
    let edition = &long.edition;
    let document = json!({
        "version": "2.0",
        "class": "dataset",
        "label": meta.title.en,
        "source": citation.text,
        "updated": edition.published_at,
        "id": names,
        "size": sizes,
        "role": role(meta),
        "dimension": Value::Object(dimensions),
        "value": value,
        "status": status,
        "note": [meta.description.en],
        "link": {
            "describes": [{"href": citation.methodology}],
            "license": [{"href": citation.licence}],
            "canonical": [{"href": citation.href}],
        },
        "extension": {
            "edition": edition.edition,
            "as_of": edition.as_of,
            "synthetic": edition.synthetic,
            "citation": citation,
            "lo95": lo95,
            "hi95": hi95,
            "conf_status": conf,
            "status": {"label": labelled(&labels::OBS_STATUS)},
            "label_ur": meta.title.ur,
        },
    });
    serde_json::to_vec(&document).map_err(|_| Problem::internal())
}

/// Dimensions whose codes are places.
const GEOGRAPHIC: [&str; 3] = ["province", "origin", "country"];

fn role(meta: &IndicatorMeta) -> Value {
    let geo: Vec<&str> =
        meta.dimensions.iter().map(|d| d.name.as_str()).filter(|name| GEOGRAPHIC.contains(name)).collect();
    let mut role = json!({"time": ["time_period"], "metric": ["measure"]});
    if !geo.is_empty() {
        role["geo"] = geo.into();
    }
    role
}

fn dimension(catalogue: &Catalogue, meta: &IndicatorMeta, long: &Long, axis: &Codes) -> Value {
    let own = meta.dimension(&axis.name);
    let name_of = |code: &String| -> Value {
        match own {
            Some(dimension) => labels::of_code(catalogue, dimension, code).en.into(),
            None if axis.name == "measure" => labels::in_words(code).into(),
            None => code.as_str().into(),
        }
    };
    let mut category = json!({
        "index": axis.codes,
        "label": axis.codes.iter().map(|code| (code.clone(), name_of(code))).collect::<Map<_, _>>(),
    });
    if axis.name == "measure" {
        let unit = |at: usize| {
            let row = axis.rows.iter().position(|of| *of == at);
            json!({"label": row.map_or("", |row| long.unit.of(row))})
        };
        category["unit"] =
            axis.codes.iter().enumerate().map(|(at, code)| (code.clone(), unit(at))).collect::<Map<_, _>>().into();
    }
    let title = own.map_or_else(|| labels::in_words(&axis.name), |dimension| dimension.title.en.clone());
    json!({"label": title, "category": category})
}
