//! `scattered`: late events and corrections all over the country, and what a refresh takes then, as a part of what a rebuild takes.
//!
//! For each rate, that part of all events is said again by the agencies that said them: half of them as a later version of the same
//! record, half as a correction. A refresh works on these alone; then everything is rebuilt, which must give the same
//! marts and is what the refresh is held against.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use events::EventType;
use models::RefreshOptions;
use sample::{Expected, Feed, Feedline, World};
use serde_json::{Value, json};

use crate::Measured;
use crate::road::{Batches, Place, append};

/// Rates, per million of events, in the order in which they are tried; no two share an event.
const RATES: [u64; 7] = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000];
/// The goals: at this rate, at most this percentage of a rebuild.
const GOALS: [(u64, f64); 2] = [(1_000, 15.0), (10_000, 35.0)];

/// Measures.
pub async fn measure(scratch: &Path, millions: u32) -> Result<Measured> {
    let world = World::new(crate::SEED, sample::Size::Millions(millions));
    let (place, _) = Place::filled(&scratch.join("scattered"), Feed::new(world)).await?;
    let options = RefreshOptions::default();
    let (_, first) = place.refresh(&options).await?;
    let mut curve = Vec::new();
    let mut met = true;
    for (at, rate) in RATES.into_iter().enumerate() {
        let late =
            Feed::new(world).enumerate().filter_map(|(number, line)| late(at as u64, rate, number as u64, &line));
        let said = append(&mut place.log.sink()?, late)?;
        place.ingest(place.log.source()?, Batches::default()).await?;
        let began = Instant::now();
        let (above, report) = place.refresh(&options).await?;
        let refresh = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let (rebuilt, _) = place.refresh(&RefreshOptions { rebuild: true, ..options.clone() }).await?;
        let rebuild = began.elapsed().as_secs_f64();
        let percent = refresh / rebuild * 100.0;
        let goal = GOALS.iter().find(|(of, _)| *of == rate).map(|(_, goal)| *goal);
        met &= above.hashes() == rebuilt.hashes() && goal.is_none_or(|goal| percent <= goal);
        curve.push(json!({
            "late_percent": rate as f64 / 10_000.0, "late_events": said, "records_changed": report.records_changed,
            "refresh_seconds": round(refresh), "rebuild_seconds": round(rebuild), "percent": round(percent), "goal": goal,
            "stage_seconds": report.stage_millis as f64 / 1e3, "equal": above.hashes() == rebuilt.hashes(),
        }));
    }
    let at = |rate: u64| curve.iter().find(|point| point["late_percent"] == json!(rate as f64 / 10_000.0));
    let value: Vec<String> =
        GOALS.iter().filter_map(|(rate, _)| Some(format!("{} %", at(*rate)?["percent"]))).collect();
    Ok(Measured {
        value: json!(value.join(" and ")),
        met,
        details: json!({"events": first.stage.raw, "buckets": first.buckets, "curve": curve}),
    })
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// What is said late of a line of the feed, if it is one of those of which something is.
fn late(run: u64, rate: u64, number: u64, line: &Feedline) -> Option<Feedline> {
    // One of eight lines belongs to each run; of these so many that the rate is one of all lines.
    let is_of_run = mixed(number) % 8 == run && mixed(number ^ 0x5bd1_e995) % 1_000_000 < rate * 8;
    if line.expected != Expected::Accept || !is_of_run {
        return None;
    }
    let mut event: Value = serde_json::from_slice(&line.structured()?).ok()?;
    let kind = event["type"].as_str().and_then(EventType::from_name).filter(|kind| kind.is_fact())?;
    let id = event["id"].as_str()?.to_owned();
    let version = event["data"]["record_version"].as_u64()? + 1;
    if mixed(number ^ 1).is_multiple_of(2) {
        event["data"]["record_version"] = json!(version);
    } else {
        // It happened in that year, and no more is known.
        let year = event["data"]["occurred_on"].as_str()?.get(..4)?.to_owned();
        let correction = EventType::RecordCorrected;
        event["type"] = json!(correction.name());
        event["dataschema"] = json!(correction.dataschema(correction.newest()));
        event["data"] = json!({
            "record_version": version, "target": id, "target_type": kind.name(),
            "fields": {"occurred_on": year}, "reason": "data_entry",
        });
    }
    // The event's own id with other digits at its end.
    let tail = format!("{:08x}", mixed(number + run) as u32);
    event["id"] = json!(format!("{}{tail}", id.get(..28)?));
    let value = serde_json::to_vec(&event).ok()?;
    let headers = vec![("content-type", "application/cloudevents+json".as_bytes().into())];
    Some(Feedline { headers, value, note: "late", ..line.clone() })
}

fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
