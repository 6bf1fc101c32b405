//! `disclosure`: what protection hides of a sample's national numbers, and how far it moves those it shows.
//!
//! Every released count is held against the count before protection, cell by cell. *National*: the whole country, so the
//! province is at its total (or the indicator has none). *Year*: periods of a year; C01, L01 and L02 are counted by quarter
//! and stand here with their national quarters. Shares and rates are made of these counts and are not counted again.
//! The headline is over persons whose cells are protected; grids that are published exact (acts of the state) stand apart
//! and cannot dilute it.
//! The test vectors of the noise and the planted leaks are tests of `disclosure`, which the figure runs beside this.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use disclosure::Vault;
use models::RefreshOptions;
use models::edition::{DIMENSIONS, Key, release, unprotected};
use sample::Feed;
use serde_json::{Map, Value, json};

use crate::road::{Place, as_of};
use crate::{Measured, Size};

/// Cells with at least so many units are the large ones of the goal.
const LARGE: u64 = 50;
/// The goals for both figures, percent.
const GOAL: f64 = 5.0;

/// Cells before and after protection.
#[derive(Default)]
struct Cost {
    cells: u64,
    hidden: u64,
    units: u64,
    units_hidden: u64,
    /// Relative errors of large cells that are shown.
    errors: Vec<f64>,
}

impl Cost {
    fn add(&mut self, before: u64, shown: Option<f64>) {
        self.cells += 1;
        self.units += before;
        match shown {
            None => {
                self.hidden += 1;
                self.units_hidden += before;
            }
            Some(shown) if before >= LARGE => self.errors.push((shown - before as f64).abs() / before as f64),
            Some(_) => {}
        }
    }

    fn merge(&mut self, other: &Self) {
        self.cells += other.cells;
        self.hidden += other.hidden;
        self.units += other.units;
        self.units_hidden += other.units_hidden;
        self.errors.extend(&other.errors);
    }

    fn suppressed_percent(&self) -> f64 {
        if self.units == 0 { 0.0 } else { 100.0 * self.units_hidden as f64 / self.units as f64 }
    }

    /// Median, percent; `None` without a large cell.
    fn median_percent(&self) -> Option<f64> {
        let mut sorted = self.errors.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            n if n % 2 == 1 => Some(100.0 * sorted[middle]),
            _ => Some(50.0 * (sorted[middle - 1] + sorted[middle])),
        }
    }

    fn reaches_the_goal(&self) -> bool {
        self.suppressed_percent() < GOAL && self.median_percent().is_none_or(|median| median < GOAL)
    }

    fn to_json(&self) -> Value {
        json!({
            "cells": self.cells,
            "cells_hidden": self.hidden,
            "suppressed_percent": rounded(self.suppressed_percent()),
            "large_cells_shown": self.errors.len(),
            "median_error_percent": self.median_percent().map(rounded),
        })
    }
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// Measures.
pub async fn measure(scratch: &Path) -> Result<Measured> {
    let began = Instant::now();
    let small = of(&scratch.join("disclosure-small"), Size::Small).await?;
    let medium = of(&scratch.join("disclosure-medium"), Size::Medium).await?;
    Ok(Measured {
        value: json!(rounded(medium.all.suppressed_percent())),
        met: medium.all.reaches_the_goal(),
        details: json!({
            "medium": medium.details,
            "small": small.details,
            "seconds": began.elapsed().as_secs(),
        }),
    })
}

/// What protection cost on one sample.
struct Measurement {
    all: Cost,
    details: Value,
}

async fn of(scratch: &Path, size: Size) -> Result<Measurement> {
    let (place, _) = Place::filled(scratch, Feed::new(size.world())).await?;
    let (snapshot, _) = place.refresh(&RefreshOptions::default()).await?;
    let source = snapshot.source(&place.policy);
    let vault = Vault::forgetful(Arc::clone(&place.policy), &place.keys);
    let released = release(&source, &vault, as_of(), 1)?;
    let shown: BTreeMap<&Key, Option<f64>> =
        released.rows.iter().map(|row| (&row.key, row.figure.value().map(|v| v.micros() as f64 / 1e6))).collect();
    let mut by_indicator: BTreeMap<String, [Cost; 2]> = BTreeMap::new();
    let (mut all, mut totals, mut exact) = (Cost::default(), Cost::default(), Cost::default());
    for (key, before) in unprotected(&source, &vault, as_of())? {
        let after = *shown.get(&key).context("a cell was counted and not released, not even as hidden")?;
        if before == 0 || !is_national(&key) || is_year(&key) == counted_by_quarter(&key.indicator) {
            continue;
        }
        let costs = by_indicator.entry(key.indicator.clone()).or_default();
        costs[0].add(before, after);
        if is_exact(&key) {
            exact.add(before, after);
            continue;
        }
        all.add(before, after);
        if key.dimensions.iter().all(|code| code == "_T" || code == "_Z") {
            costs[1].add(before, after);
            totals.add(before, after);
        }
    }
    ensure!(!by_indicator.is_empty(), "nothing was released");
    let mut together = Cost::default();
    for [cells, _] in by_indicator.values() {
        together.merge(cells);
    }
    ensure!(together.cells == all.cells + exact.cells, "indicators and their sum disagree");
    let short: Vec<&String> =
        by_indicator.iter().filter(|(_, [cells, _])| !cells.reaches_the_goal()).map(|(id, _)| id).collect();
    let line = |(id, [cells, totals]): (&String, &[Cost; 2])| {
        (id.clone(), json!({"national_cells": cells.to_json(), "totals_alone": totals.to_json()}))
    };
    let details = json!({
        "protected_cells_of_persons": all.to_json(),
        "their_totals_alone": totals.to_json(),
        "exact_cells_apart": exact.to_json(),
        "by_indicator": by_indicator.iter().map(line).collect::<Map<_, _>>(),
        "indicators_short_of_the_goal": short,
        "audit": {
            "hidden_cells_examined": released.audit.hidden,
            "hidden_by_audit": released.audit.hidden_by_audit,
            "confined_by_exact_numbers": released.audit.confined,
            "linear_programs": released.audit.programs,
        },
    });
    Ok(Measurement { all, details })
}

fn is_national(key: &Key) -> bool {
    let province = DIMENSIONS.iter().position(|name| *name == "province").expect("province is a dimension");
    matches!(key.dimensions[province].as_str(), "_T" | "_Z")
}

/// On a declared grid of acts of the state: C01, C04, L01, L02, and C05 by section with the year's total.
fn is_exact(key: &Key) -> bool {
    let at =
        |name: &str| DIMENSIONS.iter().position(|dimension| *dimension == name).map(|at| key.dimensions[at].as_str());
    match key.indicator.as_str() {
        "C01" | "C04" | "L01" | "L02" => true,
        "C05" => at("sex") == Some("_T") && at("citizenship") == Some("_T"),
        _ => false,
    }
}

fn is_year(key: &Key) -> bool {
    key.time_period.len() == 4
}

fn counted_by_quarter(indicator: &str) -> bool {
    matches!(indicator, "C01" | "L01" | "L02")
}
