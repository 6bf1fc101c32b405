//! `truth`: every cell of the thirteen indicators, before protection, against what is true in the generator's world.
//!
//! The truth is counted from the world's stories by code that shares nothing with `sql/`; the other side has gone the
//! whole road: feed, log, ingest, lake, models. A cell that one side lacks is zero there. Rates and shares are computed
//! from these counts and have no truth of their own: V02 stands for its numerator, V04 for V01's groups of age.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use models::edition::{DIMENSIONS, Key, unprotected};
use models::indicator::{self, published_column};
use models::{RefreshOptions, Snapshot, SqlSet};
use sample::{Feed, Truth};
use serde_json::{Map, Value, json};

use crate::road::{Place, as_of};
use crate::{Measured, Size};

/// Rules that must matter, and the line of `sql/staging` that switches each off.
const OFF: [(&str, &str); 3] =
    [("corrections", "AND is_correction = false"), ("retractions", "AND true"), ("deduplication", "AND true")];

/// Indicator, measure, period, dimensions that apply.
type Cell = (String, String, String, BTreeMap<String, String>);

/// Measures.
pub async fn measure(scratch: &Path, size: Size) -> Result<Measured> {
    let began = Instant::now();
    let (place, report) = Place::filled(&scratch.join(format!("truth-{size:?}")), Feed::new(size.world())).await?;
    let ingested = began.elapsed().as_secs_f64();
    let truth = truth(size)?;
    let (snapshot, refreshed) = place.refresh(&RefreshOptions { thorough: true, ..RefreshOptions::default() }).await?;
    let counted = counted(&place, &snapshot)?;
    let differ = differences(&truth, &counted);
    let mut without = Map::new();
    for (rule, line) in OFF {
        let sql = SqlSet::embedded().with_rule("staging/", rule, line)?;
        let (snapshot, _) = place.refresh(&RefreshOptions { sql, ..RefreshOptions::default() }).await?;
        without.insert(rule.to_owned(), json!(differences(&truth, &self::counted(&place, &snapshot)?).len()));
    }
    let met = differ.is_empty() && without.values().all(|found| *found != json!(0)) && !truth.is_empty();
    Ok(Measured {
        value: json!(differ.len()),
        met,
        details: json!({
            "events": report.counts.rows(),
            "accepted": report.counts.ok,
            "duplicates": report.counts.duplicate,
            "conflicts": report.counts.conflict,
            "set_aside": report.counts.set_aside_total(),
            "retractions": refreshed.stage.retractions,
            "cells_compared": truth.keys().chain(counted.keys()).collect::<BTreeSet<_>>().len(),
            "cells_by_indicator": by_indicator(&truth),
            "derived_from": derived_from(),
            "differences": differ.len(),
            "examples": differ.iter().take(8).collect::<Vec<_>>(),
            "differences_without": without,
            "seconds_to_lake": ingested.round(),
            "seconds": began.elapsed().as_secs(),
        }),
    })
}

/// Cells of the truth that are not zero, as they are published.
fn truth(size: Size) -> Result<BTreeMap<Cell, u64>> {
    let mut cells = BTreeMap::new();
    for cell in Truth::of(size.world()).cells() {
        let (indicator, measure) = match cell.indicator {
            "V02" | "V04" => ("V01", "victims"),
            indicator => (indicator, cell.measure),
        };
        let mut dims = totals(indicator)?;
        if cell.indicator == "V04" {
            let code = if cell.measure == "unknown" { "_X" } else { cell.measure };
            dims.insert("age_group".into(), code.into());
        }
        for (dim, code) in &cell.dims {
            let column = published_column(dim).with_context(|| format!("{dim} is not published"))?;
            ensure!(dims.insert(column.into(), (*code).into()).is_some(), "{indicator} has no {dim}");
        }
        if cell.measure.contains("outcome") && dims["outcome"] == "_T" {
            continue; // the table has no total: it is `persons_assisted`
        }
        let key = (indicator.to_owned(), measure.to_owned(), cell.time_period.to_string(), dims);
        let value = cell.value as u64;
        let before = cells.insert(key, value);
        ensure!(before.is_none_or(|before| before == value), "the truth contradicts itself in {indicator}");
    }
    Ok(cells)
}

/// The dimensions of an indicator, all at their total.
fn totals(indicator: &str) -> Result<BTreeMap<String, String>> {
    let found = indicator::all().iter().find(|known| known.id == indicator);
    let dimensions = found.with_context(|| format!("there is no indicator {indicator}"))?.dimensions();
    Ok(dimensions.into_iter().map(|dim| (dim.to_owned(), "_T".to_owned())).collect())
}

/// Cells that the marts give, without zeros.
fn counted(place: &Place, snapshot: &Snapshot) -> Result<BTreeMap<Cell, u64>> {
    let cells = unprotected(
        &snapshot.source(&place.policy),
        &disclosure::Vault::forgetful(std::sync::Arc::clone(&place.policy), &place.keys),
        as_of(),
    )?;
    let named = |(key, count): (Key, u64)| {
        let dims = DIMENSIONS.iter().zip(key.dimensions).filter(|(_, code)| code != "_Z");
        let dims = dims.map(|(dim, code)| ((*dim).to_owned(), code)).collect();
        (count > 0).then_some(((key.indicator, key.measure, key.time_period, dims), count))
    };
    Ok(cells.into_iter().filter_map(named).collect())
}

/// What a cell is one of: indicator, measure, length of its period, and the dimensions on which it is split.
fn grid((indicator, measure, period, dims): &Cell) -> (&str, &str, usize, Vec<&str>) {
    let split = dims.iter().filter(|(_, code)| *code != "_T").map(|(name, _)| name.as_str());
    (indicator, measure, period.len(), split.collect())
}

/// Cells that differ, in words. Of grids that the truth does not count nothing is said here.
fn differences(truth: &BTreeMap<Cell, u64>, counted: &BTreeMap<Cell, u64>) -> Vec<String> {
    let grids: BTreeSet<_> = truth.keys().map(grid).collect();
    let known = counted.keys().filter(|cell| grids.contains(&grid(cell)));
    let keys: BTreeSet<&Cell> = truth.keys().chain(known).collect();
    let value = |of: &BTreeMap<Cell, u64>, key| of.get(key).copied().unwrap_or(0);
    let differ = keys.into_iter().filter(|key| value(truth, key) != value(counted, key));
    differ.map(|key| format!("{key:?}: {} true, {} counted", value(truth, key), value(counted, key))).collect()
}

/// Rates and shares have no truth of their own here: each is arithmetic on these counts, which are compared.
fn derived_from() -> Value {
    let of = |part: &indicator::Part| format!("{}/{}", part.indicator, part.measure);
    let mut derived = Map::new();
    for known in indicator::all() {
        for share in &known.shares {
            let to = share.to.as_ref().map(of).unwrap_or_default();
            derived.insert(format!("{}/{}", known.id, share.measure), json!([of(&share.of), to]));
        }
        if let Some(rate) = &known.rate {
            derived.insert(format!("{}/{}", known.id, rate.measure), json!([of(&rate.of), "reference.population"]));
        }
    }
    Value::Object(derived)
}

fn by_indicator(truth: &BTreeMap<Cell, u64>) -> Value {
    let mut cells: BTreeMap<&str, u64> = BTreeMap::new();
    for (indicator, ..) in truth.keys() {
        *cells.entry(indicator).or_default() += 1;
    }
    json!(cells)
}
