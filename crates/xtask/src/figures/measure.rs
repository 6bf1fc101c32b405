//! Measurements that need the rooms themselves run in `testkit`'s program `measure`, which prints one JSON object
//! `{value, met, details}` on its last line.

use anyhow::{Context, Result};
use serde_json::Value;

use super::amanat::{self, Profile};
use super::{Bench, Measured};

/// The allocator as the program sets it for itself (docs/decisions/2026-11-26-the-systems-allocator.md), on two processors.
const ALLOCATOR: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "33554432"), ("MALLOC_TRIM_THRESHOLD_", "134217728")];

/// Runs `measure NAME ARGUMENTS…`.
pub fn measure(bench: &Bench, profile: Profile, name: &str, arguments: &[&str]) -> Result<Measured> {
    let program = amanat::build(profile, "testkit", "measure")?;
    let scratch = bench.scratch.to_string_lossy().into_owned();
    let mut all = vec![name, "--scratch", &scratch];
    all.extend(arguments);
    let ran = amanat::run_with(&program, &all, &ALLOCATOR)?;
    let last = ran.out.lines().last().context("measure printed nothing")?;
    let answer: Value = serde_json::from_str(last)?;
    Ok(Measured {
        value: answer["value"].as_str().map_or_else(|| answer["value"].to_string(), str::to_owned),
        met: answer["met"].as_bool().context("measure gave no verdict")?,
        details: answer["details"].clone(),
    })
}
