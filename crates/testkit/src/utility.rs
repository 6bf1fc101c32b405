//! `utility`: what protection costs on the small and the medium sample, over all published tables (privacy.md 6.13), and the page
//! made from it.
//!
//! True values stay in the vault: it tells sums, medians and shares ([`disclosure::Utility`]).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use disclosure::{Changes, SIZES, SizeClass, Utility, Vault};
use models::RefreshOptions;
use models::edition::release;
use sample::Feed;
use serde_json::{Map, Value, json};

use crate::road::{Place, as_of};
use crate::{Measured, Size};

/// Measures both samples; writes the page where one is wanted. The goals are those of the medium one.
pub async fn measure(scratch: &Path, write: Option<&Path>) -> Result<Measured> {
    let small = of(&scratch.join("utility-small"), Size::Small).await?;
    let medium = of(&scratch.join("utility-medium"), Size::Medium).await?;
    if let Some(path) = write {
        std::fs::write(path, page(&small, &medium))?;
    }
    let suppressed = percent(medium.0.units_hidden_ppm());
    let by_table = medium.1.iter().map(|(table, utility)| (table.clone(), to_json(utility)));
    Ok(Measured {
        value: json!(suppressed),
        met: goals(&medium.0).iter().all(|goal| goal.met),
        details: json!({
            "medium": to_json(&medium.0),
            "small": to_json(&small.0),
            "missed": goals(&medium.0).iter().filter(|goal| !goal.met).map(|goal| &goal.says).collect::<Vec<_>>(),
            "by_table": by_table.collect::<Map<_, _>>(),
        }),
    })
}

type Cost = (Utility, BTreeMap<String, Utility>);

async fn of(scratch: &Path, size: Size) -> Result<Cost> {
    let (place, _) = Place::filled(scratch, Feed::new(size.world())).await?;
    let (snapshot, _) = place.refresh(&RefreshOptions::default()).await?;
    let source = snapshot.source(&place.policy);
    let vault = Vault::forgetful(Arc::clone(&place.policy), &place.keys);
    Ok(release(&source, &vault, as_of(), 1)?.utility)
}

/// A metric of privacy.md 6.13, with its goal where it has one.
struct Goal {
    says: String,
    wanted: &'static str,
    met: bool,
}

fn goals(utility: &Utility) -> Vec<Goal> {
    let goal = |what: &str, value: f64, unit: &str, goal: &'static str, met: bool| Goal {
        says: format!("{what}: {value:.2}{unit}"),
        wanted: goal,
        met,
    };
    let error = |size: usize| utility.sizes[size].median_relative_ppm().map_or(0.0, percent);
    let middle = middle(&utility.hellinger).unwrap_or(0.0);
    let (suppressed, covered) = (percent(utility.units_hidden_ppm()), percent(utility.covered_ppm()));
    let tau = utility.tau().unwrap_or(1.0);
    let mut goals = vec![
        goal("persons in hidden cells", suppressed, " %", "< 5 %", suppressed < 5.0),
        goal("median relative error, 50 persons and more", error(3), " %", "< 5 %", error(3) < 5.0),
        goal("median relative error, 34 to 49", error(2), " %", "< 15 %", error(2) < 15.0),
        goal("noise intervals that hold", covered, " %", "95 to 98.5 %", (95.0..=98.5).contains(&covered)),
        goal("Hellinger distance of tables of two dimensions, median", middle, "", "< 0.03", middle < 0.03),
        goal("Kendall's tau of the order of provinces", tau, "", "> 0.97", tau > 0.97),
    ];
    goals.extend(told(utility).into_iter().map(|says| Goal { says, wanted: "told", met: true }));
    goals
}

/// The metrics that have no goal, in words; without those that nothing was there for.
fn told(utility: &Utility) -> Vec<String> {
    let Changes { compared, kept, turned } = utility.changes;
    let hidden = share(utility.cells_hidden, utility.cells);
    let (kept, turned) = (share(kept, compared), share(turned, compared));
    let largest = utility.hellinger.last();
    let related = middle(&utility.associations).zip(utility.associations.first().zip(utility.associations.last()));
    let says = [
        Some(format!("cells hidden, of those that are not empty: {hidden:.2} %")),
        largest.map(|largest| format!("Hellinger distance of tables of two dimensions, largest: {largest:.2}")),
        utility.roots().map(|(median, most)| {
            format!(
                "square roots of the number and the true one apart, median: {median:.2}; 95 of 100 within {most:.2}"
            )
        }),
        utility.gaps().map(|(totals, median, most)| {
            format!(
                "{totals} totals against the sum of their parts, all shown, in standard deviations of the noise, \
                 median: {median:.2}; 95 of 100 within {most:.2} (of noise alone: 0.67; 1.96)"
            )
        }),
        related.map(|(median, (least, most))| {
            format!(
                "Cramér's V of tables of two dimensions as a multiple of the true one, hidden cells taken for empty, \
                 median: {median:.2}; {least:.2} to {most:.2}"
            )
        }),
        (compared > 0).then(|| {
            format!("changes from year to year that go the true way: {kept:.2} %; turned round: {turned:.2} %")
        }),
    ];
    says.into_iter().flatten().collect()
}

/// The median of sorted numbers.
fn middle(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

fn share(part: u64, all: u64) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

fn percent(ppm: u64) -> f64 {
    ppm as f64 / 10_000.0
}

fn to_json(utility: &Utility) -> Value {
    let sizes = SIZES.iter().zip(&utility.sizes).map(|(size, class)| (name(*size), class_json(class)));
    json!({
        "cells": utility.cells,
        "cells_hidden": utility.cells_hidden,
        "persons_hidden_percent": percent(utility.units_hidden_ppm()),
        "noise_intervals_hold_percent": percent(utility.covered_ppm()),
        "kendall_tau": utility.tau(),
        "hellinger_largest": utility.hellinger.last(),
        "square_roots_apart_median_and_95th_percentile": utility.roots(),
        "totals_and_additivity_gap_median_and_95th_percentile": utility.gaps(),
        "cramers_v_ratio_median": middle(&utility.associations),
        "yearly_changes_compared": utility.changes.compared,
        "yearly_changes_kept_percent": share(utility.changes.kept, utility.changes.compared),
        "yearly_changes_turned_percent": share(utility.changes.turned, utility.changes.compared),
        "by_size": sizes.collect::<Map<_, _>>(),
    })
}

fn class_json(class: &SizeClass) -> Value {
    json!({
        "cells": class.cells,
        "shown": class.shown(),
        "median_error": class.median_absolute(),
        "median_relative_error_percent": class.median_relative_ppm().map(percent),
        "answered_by_a_set_of_another_size": class.moved(),
        "bias_95th_percentile_and_largest": class.bias(),
    })
}

fn name((first, last): (u64, u64)) -> String {
    if last == u64::MAX { format!("{first} and more") } else { format!("{first} to {last}") }
}

/// `docs/utility.md`.
fn page(small: &Cost, medium: &Cost) -> String {
    let mut text = String::from(
        "# What protection costs\n\nMade by `cargo xtask figures guard.utility` (privacy.md 6.13); not written by hand. All published tables with their \
         margins, of synthetic persons; cells that are published exact, and empty ones, are left out. Sums, medians and shares only: true \
         numbers stay in the vault.\n",
    );
    for (title, (all, _)) in [("Medium sample (30,000 victims)", medium), ("Small sample (1,000 victims)", small)] {
        let _ = writeln!(text, "\n## {title}\n");
        text.push_str("| what | goal | met |\n|---|---|---|\n");
        for goal in goals(all) {
            let _ = writeln!(text, "| {} | {} | {} |", goal.says, goal.wanted, if goal.met { "yes" } else { "**no**" });
        }
        text.push_str(
            "\nNoise and guard apart: a number is noisy, and may be that of nearly the same persons (*bias*: by how many they are more or \
             fewer). Cells of 11 to 33 persons are the frontier: what hides one person there (docs/attacks.md: A5, A8) is bought with these.\n\n\
             | persons of a cell | cells | shown | median error | relative | answered by other persons | bias: 95 of 100 within, largest |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for (size, class) in SIZES.iter().zip(&all.sizes) {
            text.push_str(&line(&name(*size), class));
        }
    }
    text.push_str("\n## By table, medium sample\n\n| table | cells | persons hidden | noise intervals that hold |\n|---|---|---|---|\n");
    for (table, utility) in medium.1.iter().filter(|(_, utility)| utility.cells > 0) {
        let (hidden, covered) = (percent(utility.units_hidden_ppm()), percent(utility.covered_ppm()));
        let _ = writeln!(text, "| {table} | {} | {hidden:.1} % | {covered:.1} % |", utility.cells);
    }
    text
}

fn line(name: &str, class: &SizeClass) -> String {
    let number = |value: Option<u64>| value.map_or("–".to_owned(), |value| value.to_string());
    let relative = class.median_relative_ppm().map_or("–".to_owned(), |ppm| format!("{:.1} %", percent(ppm)));
    let bias = class.bias().map_or("–".to_owned(), |(most, largest)| format!("{most}, {largest}"));
    format!(
        "| {name} | {} | {} | {} | {relative} | {} | {bias} |\n",
        class.cells,
        class.shown(),
        number(class.median_absolute()),
        class.moved()
    )
}
