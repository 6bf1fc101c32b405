//! `fold_against_duckdb`: the full fold of a sample's staged rows, and DuckDB running the same `sql/` on the same Parquet
//! files with the same number of threads.
//!
//! DuckDB runs the files of `sql/` in two forms: *as written* (its own `first` and `last` with their order), and *by
//! position*, as one who knows it would write them (`arg_max` over the place of a row in its sorted file, or over a row number).
//! Both must give the rows of the marts; the faster one is the peer. Neither side's time has the decoding of events in it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use arrow::datatypes::DataType;
use events::code_list;
use lake::folder::{self, Folder};
use models::model::{Layer, Model, models};
use models::{RefreshOptions, SqlSet};
use policy::Policy;
use sample::{Feed, World};
use serde_json::{Value, json};

use crate::Measured;
use crate::road::Place;

/// Threads of each side.
const THREADS: usize = 2;
/// Runs of each side; the median counts.
const RUNS: usize = 3;
/// The goal: at most so many times DuckDB's time.
const GOAL: f64 = 1.0;
/// Columns that a finished mart replaces by keyed surrogates.
const KEYED: [&str; 4] = ["sid", "case_sid", "unit", "case_ref"];
/// The order of acts, as `sql/` writes it out.
const ACT_ORDER: &str = "occurred_from, recorded_at, event_id";

/// Measures. `python` is an interpreter that has the package `duckdb`.
pub async fn measure(scratch: &Path, world: World, python: &Path) -> Result<Measured> {
    let (place, _) = Place::filled(&scratch.join("fold"), Feed::new(world)).await?;
    let words = place.link().await?;
    let options = RefreshOptions { threads: THREADS, force: true, ..RefreshOptions::default() };
    // All staged rows in one layer, as the peer reads them.
    let (_, first) = place.refresh(&RefreshOptions { rebuild: true, ..options.clone() }).await?;
    let (mut ours, mut slowest) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (_, report) = place.refresh(&options).await?;
        ensure!(report.stage_millis == 0, "staged rows were not used again");
        ours.push(report.models.iter().map(|model| model.millis).sum::<u64>() as f64 / 1e3);
        slowest = report.models.iter().map(|model| (model.millis, model.table.clone())).collect();
        slowest.sort_unstable_by(|a, b| b.cmp(a));
    }
    let peer = ask(python, &job(&place).await?)?;
    let form = |name: &str| peer["seconds"][name].as_array().map(|runs| median(runs.iter().filter_map(Value::as_f64)));
    let (written, position) =
        (form("as written").context("no time of DuckDB")?, form("by position").context("no time of DuckDB")?);
    let (mine, theirs) = (median(ours.iter().copied()), written.min(position));
    let different: u64 = ["as written", "by position"]
        .iter()
        .flat_map(|form| peer["different"][form].as_object().into_iter().flatten())
        .filter_map(|(_, rows)| rows.as_u64())
        .sum();
    let ratio = mine / theirs;
    slowest.truncate(5);
    Ok(Measured {
        value: json!((ratio * 100.0).round() / 100.0),
        met: ratio <= GOAL && different == 0,
        details: json!({
            "events": first.stage.raw,
            "words_of_linkage": words,
            "staged_rows": first.stage.staged.values().sum::<u64>(),
            "fold_seconds": mine,
            "fold_seconds_of_each_run": ours,
            "stage_seconds": first.stage_millis as f64 / 1e3,
            "slowest_models_millis": slowest,
            "duckdb_seconds": theirs,
            "rows_on_one_side_only": different,
            "duckdb": peer,
        }),
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn ask(python: &Path, job: &Value) -> Result<Value> {
    let mut child = Command::new(python)
        .args(["-c", include_str!("fold.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", python.display()))?;
    child.stdin.take().context("no pipe")?.write_all(job.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "DuckDB did not run the fold");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What DuckDB is asked to do.
async fn job(place: &Place) -> Result<Value> {
    let folder = |parent: &'static str| async move {
        folder::latest(&place.store, parent).await?.with_context(|| format!("no folder under {parent}"))
    };
    let (staged, marts) = (folder("lake/staged").await?, folder("lake/marts").await?);
    let root = place.store.dir().context("the store is no folder")?.to_path_buf();
    let file = |folder: &Folder, name: &str| -> PathBuf { root.join(&folder.path).join(name) };
    let all = models(&SqlSet::embedded())?;
    let mut views = vec![roll_ups(&place.policy)?];
    for model in all.iter().filter(|model| model.layer == Layer::Staging) {
        for read in &model.reads {
            let family = read.table.trim_start_matches("staged_");
            let files = file(&staged, family).join("*.parquet");
            let is_there = staged.manifest.files.iter().any(|file| file.name.starts_with(&format!("{family}/")));
            let rows = if is_there {
                format!("SELECT * FROM read_parquet('{}', file_row_number = true)", files.display())
            } else {
                nothing(family)?
            };
            views.push(format!("CREATE VIEW {} AS {rows}", read.table));
        }
        views.push(format!("CREATE VIEW {} AS {}", model.table, model.sql));
    }
    let tables = |form: fn(&Model) -> String| -> Vec<(String, String)> {
        let made = all.iter().filter(|model| model.layer != Layer::Staging);
        made.map(|model| (model.table.clone(), form(model))).collect()
    };
    let files: serde_json::Map<String, Value> = marts
        .manifest
        .files
        .iter()
        .map(|entry| {
            let table = entry.name.split('/').next().unwrap_or_default();
            (table.to_owned(), json!(file(&marts, &entry.name)))
        })
        .collect();
    Ok(json!({
        "threads": THREADS, "runs": RUNS, "views": views, "apart": KEYED, "marts": files,
        "forms": {"as written": tables(as_written), "by position": tables(by_position)},
    }))
}

/// The columns of a family of which there is no row, and so no file.
fn nothing(family: &str) -> Result<String> {
    let schema = models::stage::columns(family).with_context(|| format!("no family {family}"))?;
    let mut columns = vec!["CAST(NULL AS BIGINT) AS file_row_number".to_owned()];
    for field in schema.fields() {
        let is = match field.data_type() {
            DataType::Utf8 => "VARCHAR",
            DataType::Boolean => "BOOLEAN",
            DataType::Date32 => "DATE",
            DataType::Int64 => "BIGINT",
            DataType::UInt16 => "USMALLINT",
            DataType::UInt64 => "UBIGINT",
            DataType::FixedSizeBinary(16) => "BLOB",
            other => bail!("a staged column of type {other} is not known here"),
        };
        columns.push(format!("CAST(NULL AS {is}) AS {}", field.name()));
    }
    Ok(format!("SELECT {} WHERE false", columns.join(", ")))
}

/// `rollup(list, level, number)` as a macro: the roll-ups of code lists, and the group of each agency.
fn roll_ups(policy: &Policy) -> Result<String> {
    let groups = code_list::find("agency_group").context("no list of agency groups")?;
    let of_agencies = policy.agencies.iter().map(|agency| groups.code(&agency.group).unwrap_or(groups.unknown()));
    let mut cases = vec![("agency.group".to_owned(), of_agencies.collect::<Vec<u16>>(), groups.unknown())];
    for list in code_list::all() {
        for coarser in code_list::all() {
            if list.codes.iter().any(|code| code.attrs.contains_key(coarser.name)) {
                let codes = (0..list.codes.len() as u16).map(|code| list.roll_up(code, coarser)).collect();
                cases.push((format!("{}.{}", list.name, coarser.name), codes, coarser.unknown()));
            }
        }
    }
    let mut out = "CREATE MACRO rollup(list, level, number) AS CASE list || '.' || level".to_owned();
    for (name, codes, unknown) in cases {
        let codes: Vec<String> = codes.iter().map(u16::to_string).collect();
        write!(out, " WHEN '{name}' THEN coalesce([{}][number + 1], {unknown})", codes.join(", "))?;
    }
    Ok(out + " END")
}

/// `overlaps` is a word of DuckDB's: names of tables that are made stand in quotes.
fn as_written(model: &Model) -> String {
    let sql = words(model).replace("first_value(", "first(").replace("last_value(", "last(");
    format!("CREATE TABLE \"{}\" AS {sql}", model.table)
}

/// The model's text in DuckDB's words: for a type, for dividing whole numbers, and for the number of a day, which it casts to none.
fn words(model: &Model) -> String {
    let sql = model.sql.replace("SMALLINT UNSIGNED", "USMALLINT").replace(" / 86400000000", " // 86400000000");
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    while let Some((before, found)) = rest.split_once("CAST(") {
        out.push_str(before);
        if let Some((day, after)) = found.split_once(" AS INT)").filter(|(x, _)| is_day(x)) {
            out.push_str(&format!("({day} - DATE '1970-01-01')"));
            rest = after;
        } else {
            out.push_str("CAST(");
            rest = found;
        }
    }
    out + rest
}

/// Whether this is a column of days, by its name.
fn is_day(x: &str) -> bool {
    let is_name = x.bytes().all(|b| b.is_ascii_lowercase() || b"_.".contains(&b));
    is_name && (x.ends_with("_from") || x.ends_with("_to") || x.ends_with("_on"))
}

/// Picks by the position of a row: that in its file, whose rows are in the folding order, or that among all acts.
fn by_position(model: &Model) -> String {
    let sql = picks(&words(model), "first_value(", "arg_min_null(");
    let sql = picks(&sql, "last_value(", "arg_max_null(");
    // What passes all columns on has the position among them.
    let has_position = model.sql.contains("r.*");
    let is_act = ["occurred_from", "recorded_at", "event_id"].iter().all(|column| model.column(column).is_some());
    if model.layer == Layer::Marts || has_position || !is_act {
        return format!("CREATE TABLE \"{}\" AS {sql}", model.table);
    }
    format!(
        "CREATE TABLE \"{}\" AS SELECT *, row_number() OVER (ORDER BY {ACT_ORDER}) AS position FROM ({sql})",
        model.table
    )
}

/// Replaces `pick(x ORDER BY …)` by `instead(x, position)` where the order is that of staged files or that of acts; any other
/// order stays as written.
fn picks(sql: &str, pick: &str, instead: &str) -> String {
    let plain = pick.replace("_value", "");
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(pick) {
        let (before, found) = rest.split_at(at);
        let found = &found[pick.len()..];
        let (Some(order), Some(end)) = (found.find(" ORDER BY "), found.find(')')) else { break };
        let (x, by) = (&found[..order], &found[order + " ORDER BY ".len()..end]);
        out.push_str(before);
        match by {
            ACT_ORDER => out.push_str(&format!("{instead}{x}, position)")),
            _ if by.starts_with("place_version") => out.push_str(&format!("{instead}{x}, file_row_number)")),
            _ => out.push_str(&format!("{plain}{x} ORDER BY {by})")),
        }
        rest = &found[end + 1..];
    }
    out.push_str(rest);
    out
}
