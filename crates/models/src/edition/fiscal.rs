//! National fiscal years (July to June) beside calendar years: the released quarters added up, their variances with them.
//!
//! What is counted by quarter is counted once, in one of them, so that the quarters of a year are disjoint. What is known only by
//! its year has no quarter and is in no fiscal year; the calendar year has it.
//!
//! Absent: a grid of fiscal years, which would cost a charge of its own (privacy.md 6.8); a year of which the edition does not
//! have every quarter that has come.

use std::collections::BTreeMap;

use disclosure::{Figure, total};

use super::as_of::AsOf;
use super::rows::{Key, Row};
use crate::indicator::{fiscal_year_name, quarter_code, quarter_name};

/// Adds the fiscal years to released rows, before shares are made of them.
pub(super) fn add(rows: &mut BTreeMap<Key, Row>, as_of: AsOf) {
    let mut years: Vec<Row> = Vec::new();
    let last = as_of.quarter();
    for first in as_of.years().first..=as_of.year() {
        let quarters: Vec<u16> = [(first, 3), (first, 4), (first + 1, 1), (first + 1, 2)]
            .map(|(year, quarter)| quarter_code(year, quarter))
            .into_iter()
            .filter(|code| *code <= last)
            .collect();
        let Some((began, others)) = quarters.split_first() else { continue };
        let names: Vec<String> = others.iter().map(|code| quarter_name(*code)).collect();
        let open = quarters.len() < 4;
        for row in rows.values().filter(|row| row.key.time_period == quarter_name(*began)) {
            let at = |name: &String| rows.get(&Key { time_period: name.clone(), ..row.key.clone() });
            let parts: Option<Vec<&Figure>> = std::iter::once(Some(&row.figure))
                .chain(names.iter().map(|name| at(name).map(|row| &row.figure)))
                .collect();
            let Some(parts) = parts else { continue };
            let figure = if open { total(&parts).provisional() } else { total(&parts) };
            let key = Key { time_period: fiscal_year_name(first), ..row.key.clone() };
            years.push(Row { key, figure, unit: row.unit.clone() });
        }
    }
    rows.extend(years.into_iter().map(|row| (row.key.clone(), row)));
}
