//! `utility`: what protection costs on the small and the medium sample, over all published tables (privacy.md 6.13), and the page
//! made from it.
//!
//! True values stay in the vault: it tells sums, medians and shares ([`disclosure::Utility`]).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use disclosure::{SIZES, SizeClass, Utility, Vault};
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

/// A goal of privacy.md 6.13.
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
    let farthest = utility.hellinger.last().copied().unwrap_or(0.0);
    let middle = utility.hellinger.get(utility.hellinger.len() / 2).copied().unwrap_or(0.0);
    let (suppressed, covered) = (percent(utility.units_hidden_ppm()), percent(utility.covered_ppm()));
    let tau = utility.tau().unwrap_or(1.0);
    vec![
        goal("persons in hidden cells", suppressed, " %", "< 5 %", suppressed < 5.0),
        goal("median relative error, 50 persons and more", error(3), " %", "< 5 %", error(3) < 5.0),
        goal("median relative error, 34 to 49", error(2), " %", "< 15 %", error(2) < 15.0),
        goal("noise intervals that hold", covered, " %", "95 to 98.5 %", (95.0..=98.5).contains(&covered)),
        goal("Hellinger distance of tables of two dimensions, median", middle, "", "< 0.03", middle < 0.03),
        goal("the same, largest", farthest, "", "told", true),
        goal("Kendall's tau of the order of provinces", tau, "", "> 0.97", tau > 0.97),
    ]
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
