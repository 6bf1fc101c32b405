//! `real_records`: a store into which the CTDC records were imported, against the file itself, before protection.
//!
//! The file is read here by its own words, not by the mapping that imported it: year of registration, and for the form of
//! exploitation the four names that the file knows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono::NaiveDate;
use disclosure::Vault;
use lake::{Events, Store};
use models::RefreshOptions;
use models::edition::{DIMENSIONS, Key, release, unprotected};
use policy::{Keys, Master, Policy};
use serde_json::json;

use crate::Measured;

/// The file's forms of exploitation and the codes for them (domain.md 3).
const FORMS: [(&str, &str); 4] = [
    ("Sexual Exploitation", "sexual"),
    ("Forced Labor", "forced_labour"),
    ("Forced Marriage", "forced_marriage"),
    ("Other", "other"),
];

/// Persons by year and form.
type Totals = BTreeMap<(String, String), u64>;

/// Measures.
pub async fn measure(data: &Path, csv: &Path, config: Option<&Path>) -> Result<Measured> {
    let store = Store::local(data)?;
    let policy = Arc::new(policy_of(config)?);
    let master: [u8; 32] = std::fs::read(data.join("keys/master"))?.try_into().ok().context("keys/master")?;
    let keys = Arc::new(Keys::derive(&Master::from_bytes(master)));
    let events = Events::open(&store, "figures").await?.snapshot()?;
    let (snapshot, _) = models::refresh(&store, &events, &policy, &keys, &RefreshOptions::default()).await?;
    let expected = totals_of_file(csv)?;
    let last = expected.keys().map(|(year, _)| year).max().context("the file has no rows")?;
    let as_of = NaiveDate::from_ymd_opt(last.parse()?, 12, 31).context("a year of the file")?;
    let source = snapshot.source(&policy);
    let vault = Vault::forgetful(Arc::clone(&policy), &keys);
    let counted = totals_of_store(unprotected(&source, &vault, as_of)?);
    let differ = expected.keys().chain(counted.keys()).filter(|at| expected.get(*at) != counted.get(*at)).count();
    let mut visible: BTreeMap<&str, usize> = BTreeMap::new();
    let released = release(&source, &vault, as_of, 1)?;
    for (year, _) in expected.keys() {
        let of_year = |key: &Key| key.indicator == "V03" && key.time_period == *year;
        let shown = released.rows.iter().filter(|row| of_year(&row.key) && row.figure.value().is_some());
        visible.insert(year, shown.count());
    }
    let records: u64 = of_total(&expected);
    ensure!(records > 0, "the file has no rows");
    Ok(Measured {
        value: json!(differ),
        // How much is visible hangs on the store's key: with some keys a year shows nothing, with none all years do.
        met: differ == 0 && visible.values().any(|cells| *cells > 0),
        details: json!({
            "records_in_file": records,
            "years_and_forms_compared": expected.len(),
            "differences": differ,
            "visible_cells_of_v03_by_year": visible,
        }),
    })
}

/// Rows of the file: the sum over years of the row that counts all forms.
fn of_total(totals: &Totals) -> u64 {
    totals.iter().filter(|((_, form), _)| form == "_T").map(|(_, persons)| persons).sum()
}

fn totals_of_file(path: &Path) -> Result<Totals> {
    let mut reader = csv::Reader::from_path(path)?;
    let headers = reader.headers()?.clone();
    let column = |name: &str| headers.iter().position(|h| h == name).with_context(|| format!("no column {name}"));
    let (year, form) = (column("yearOfRegistration")?, column("ExploitType")?);
    let mut totals = Totals::new();
    for record in reader.records() {
        let record = record?;
        let form = FORMS.iter().find(|(name, _)| *name == &record[form]).context("an unknown form of exploitation")?.1;
        for form in [form, "_T"] {
            *totals.entry((record[year].to_owned(), form.to_owned())).or_default() += 1;
        }
    }
    Ok(totals)
}

fn totals_of_store(cells: Vec<(Key, u64)>) -> Totals {
    let at = DIMENSIONS.iter().position(|name| *name == "exploitation").expect("exploitation is a dimension");
    let by_form_alone = |key: &Key| {
        let others = key.dimensions.iter().enumerate().filter(|(dimension, _)| *dimension != at);
        key.indicator == "V03" && others.into_iter().all(|(_, code)| code == "_T" || code == "_Z")
    };
    let counted = cells.into_iter().filter(|(key, count)| *count > 0 && by_form_alone(key));
    counted.map(|(key, count)| ((key.time_period, key.dimensions[at].clone()), count)).collect()
}

/// The policy that a configuration names; its paths are relative to the working directory, as for the program.
fn policy_of(config: Option<&Path>) -> Result<Policy> {
    let table: toml::Table = match config {
        Some(path) => std::fs::read_to_string(path)?.parse()?,
        None => toml::Table::new(),
    };
    let text = |key: &str, default: &str| -> Result<String> {
        match table.get("policy").and_then(|policy| policy.get(key)).and_then(toml::Value::as_str) {
            Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {path}")),
            None => Ok(default.to_owned()),
        }
    };
    let agencies = text("agencies", policy::DEFAULT_AGENCIES)?;
    let datasets = text("datasets", policy::DEFAULT_DATASETS)?;
    Ok(Policy::parse(&agencies, &datasets)?)
}
