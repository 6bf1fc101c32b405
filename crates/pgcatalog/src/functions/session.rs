//! Functions about the session and the server: who asks, settings, privileges, time.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike};
use rusqlite::types::Value;

use super::array::join;
use super::cast::{read_reg, role_number};
use super::{Body, Call, Lax, Strict, flag, int, invalid, null, optional, text};
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("current_user", Lax(user)),
    ("session_user", Lax(user)),
    ("_user_oid", Lax(|call| int(call.facts.with(|running| i64::from(running.user_oid))))),
    ("current_database", Lax(|call| text(&call.facts.directory.database))),
    ("current_schema", Lax(current_schema)),
    ("current_schemas", Strict(current_schemas)),
    ("version", Lax(version)),
    ("current_setting", Strict(current_setting)),
    (
        "_setting",
        Lax(|call| {
            Ok(call
                .facts
                .setting(&call.text(0))
                .map_or_else(|| call.arguments.get(1).cloned().unwrap_or(Value::Null), Value::Text))
        }),
    ),
    ("set_config", Lax(|call| optional(Some(call.text(1))))),
    ("pg_backend_pid", Lax(|call| int(call.facts.with(|running| i64::from(running.pid))))),
    ("pg_my_temp_schema", Lax(|_| int(0))),
    ("pg_is_other_temp_schema", Strict(|_| flag(false))),
    ("pg_is_in_recovery", Lax(|_| flag(true))),
    ("pg_is_wal_replay_paused", Lax(|_| flag(false))),
    ("pg_last_xact_replay_timestamp", Lax(null)),
    ("pg_last_wal_receive_lsn", Lax(null)),
    ("pg_last_wal_replay_lsn", Lax(null)),
    ("txid_current_if_assigned", Lax(null)),
    ("pg_current_xact_id_if_assigned", Lax(null)),
    ("pg_blocking_pids", Strict(|_| text("{}"))),
    ("host", Strict(|call| text(call.text(0).split('/').next().unwrap_or_default()))),
    ("inet_server_addr", Lax(null)),
    ("inet_server_port", Lax(null)),
    ("inet_client_addr", Lax(null)),
    ("inet_client_port", Lax(null)),
    ("pg_client_encoding", Lax(|_| text("UTF8"))),
    ("getdatabaseencoding", Lax(|_| text("UTF8"))),
    ("now", Lax(|call| time(call, 0))),
    ("transaction_timestamp", Lax(|call| time(call, 0))),
    ("statement_timestamp", Lax(|call| time(call, 0))),
    ("clock_timestamp", Lax(|call| time(call, 0))),
    ("_today", Lax(|call| text(time_text(call.facts.with(|running| running.now_us))[..10].to_owned()))),
    ("pg_postmaster_start_time", Lax(|call| time(call, 1))),
    ("pg_conf_load_time", Lax(|call| time(call, 1))),
    ("date_trunc", Strict(date_trunc)),
    ("date_part", Strict(date_part)),
    ("to_char", Strict(to_char)),
    ("age", Strict(|_| int(0))),
    ("has_table_privilege", Strict(|call| privilege(call, Kind::Table))),
    ("has_any_column_privilege", Strict(|call| privilege(call, Kind::Table))),
    ("has_column_privilege", Strict(column_privilege)),
    ("has_sequence_privilege", Strict(|_| flag(false))),
    ("has_schema_privilege", Strict(|call| privilege(call, Kind::Schema))),
    ("has_database_privilege", Strict(|call| privilege(call, Kind::Database))),
    ("has_function_privilege", Strict(|call| privilege(call, Kind::Other))),
    ("has_type_privilege", Strict(|call| privilege(call, Kind::Other))),
    ("has_language_privilege", Strict(|_| flag(false))),
    ("has_tablespace_privilege", Strict(|_| flag(false))),
    ("has_server_privilege", Strict(|_| flag(false))),
    ("has_foreign_data_wrapper_privilege", Strict(|_| flag(false))),
    ("has_parameter_privilege", Strict(|_| flag(false))),
    ("pg_has_role", Strict(has_role)),
];

fn user(call: &Call<'_>) -> Result<Value> {
    text(call.facts.with(|running| running.user.clone()))
}

fn current_schema(call: &Call<'_>) -> Result<Value> {
    let directory = &call.facts.directory;
    optional(call.facts.path().into_iter().find(|name| directory.schema_named(name).is_some()))
}

fn current_schemas(call: &Call<'_>) -> Result<Value> {
    let directory = &call.facts.directory;
    let implicit = (call.int(0) != 0).then(|| "pg_catalog".to_owned());
    let named =
        call.facts.path().into_iter().filter(|name| directory.schema_named(name).is_some() && name != "pg_catalog");
    text(join(implicit.into_iter().chain(named).map(Some)))
}

fn version(call: &Call<'_>) -> Result<Value> {
    text(format!("PostgreSQL {} (Amanat, reads only)", call.facts.directory.server_version))
}

fn current_setting(call: &Call<'_>) -> Result<Value> {
    let name = call.text(0);
    match call.facts.setting(&name) {
        Some(value) => text(value),
        None if call.count() > 1 && call.int(1) != 0 => Ok(Value::Null),
        None => {
            Err(CatalogueError::new(Fault::UndefinedObject, format!("unrecognized configuration parameter \"{name}\"")))
        }
    }
}

/// A time as PostgreSQL writes `timestamptz` with `DateStyle` ISO in UTC.
pub(crate) fn time_text(microseconds: i64) -> String {
    let moment = DateTime::from_timestamp_micros(microseconds).unwrap_or_default();
    let text = moment.to_rfc3339_opts(SecondsFormat::Micros, true).replace('T', " ");
    let text = text.trim_end_matches('Z');
    let text = if moment.timestamp_subsec_micros() == 0 {
        text.trim_end_matches(".000000")
    } else {
        text.trim_end_matches('0')
    };
    format!("{text}+00")
}

fn time(call: &Call<'_>, which: u8) -> Result<Value> {
    text(time_text(call.facts.with(|running| if which == 0 { running.now_us } else { running.started_us })))
}

fn moment(value: &str) -> Result<chrono::NaiveDateTime> {
    let bare = value.trim().trim_end_matches("+00");
    chrono::NaiveDateTime::parse_from_str(bare, "%Y-%m-%d %H:%M:%S%.f")
        .or_else(|_| {
            chrono::NaiveDate::parse_from_str(bare, "%Y-%m-%d").map(|day| day.and_time(chrono::NaiveTime::MIN))
        })
        .map_err(|_| invalid("invalid input syntax for a time: write 2026-01-31 12:00:00"))
}

fn date_trunc(call: &Call<'_>) -> Result<Value> {
    let zone = if call.text(1).ends_with("+00") { "+00" } else { "" };
    let moment = moment(&call.text(1))?;
    let format = match call.text(0).to_lowercase().as_str() {
        "year" => "%Y-01-01 00:00:00",
        "month" => "%Y-%m-01 00:00:00",
        "day" => "%Y-%m-%d 00:00:00",
        "hour" => "%Y-%m-%d %H:00:00",
        "minute" => "%Y-%m-%d %H:%M:00",
        "second" => "%Y-%m-%d %H:%M:%S",
        _ => return Err(invalid("date_trunc() knows year, month, day, hour, minute and second here")),
    };
    text(format!("{}{zone}", moment.format(format)))
}

fn date_part(call: &Call<'_>) -> Result<Value> {
    let moment = moment(&call.text(1))?;
    Ok(Value::Real(match call.text(0).to_lowercase().as_str() {
        "year" => f64::from(moment.year()),
        "month" => f64::from(moment.month()),
        "day" => f64::from(moment.day()),
        "hour" => f64::from(moment.hour()),
        "minute" => f64::from(moment.minute()),
        "second" => f64::from(moment.second()),
        "epoch" => moment.and_utc().timestamp_micros() as f64 / 1e6,
        _ => return Err(invalid("extract() knows year, month, day, hour, minute, second and epoch here")),
    }))
}

/// The patterns of a time that clients use.
fn to_char(call: &Call<'_>) -> Result<Value> {
    let Ok(moment) = moment(&call.text(0)) else { return text(call.text(0)) };
    let mut pattern = call.text(1);
    for (theirs, ours) in [
        ("YYYY", "%Y"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("HH24", "%H"),
        ("MI", "%M"),
        ("SS", "%S"),
        ("US", "%6f"),
        ("MS", "%3f"),
        ("TZ", "UTC"),
    ] {
        pattern = pattern.replace(theirs, ours);
    }
    text(moment.format(&pattern).to_string())
}

enum Kind {
    Table,
    Schema,
    Database,
    Other,
}

/// `has_..._privilege([user,] object, privilege)`. Everything may be read, nothing written: the guard judges what a question
/// may see, and clients hide a table of which they are told that it cannot be read.
fn privilege(call: &Call<'_>, kind: Kind) -> Result<Value> {
    let object = usize::from(call.count() > 2);
    if call.count() > 2 {
        known_role(call, 0)?;
    }
    let asked = call.text(call.count() - 1).to_lowercase();
    let asked = |privilege: &str| asked.split(',').any(|one| one.trim() == privilege);
    let (exists, held) = match kind {
        Kind::Table => (exists(call, object, oid::REGCLASS)?, asked("select")),
        Kind::Schema => (exists(call, object, oid::REGNAMESPACE)?, asked("usage")),
        Kind::Database => (true, asked("connect")),
        Kind::Other => (true, asked("execute") || asked("usage")),
    };
    Ok(if exists { Value::Integer(i64::from(held)) } else { Value::Null })
}

/// A number of nothing gives NULL, a name of nothing is an error.
fn exists(call: &Call<'_>, place: usize, kind: u32) -> Result<bool> {
    if let Value::Text(name) = &call.arguments[place] {
        let (fault, what) = if kind == oid::REGCLASS {
            (Fault::UndefinedTable, "relation")
        } else {
            (Fault::UndefinedObject, "schema")
        };
        match read_reg(call.facts, name, kind) {
            Some(_) => Ok(true),
            None => Err(CatalogueError::new(fault, format!("{what} \"{name}\" does not exist"))),
        }
    } else {
        let number = call.oid(place).unwrap_or_default();
        let directory = &call.facts.directory;
        Ok(if kind == oid::REGCLASS { directory.class(number).is_some() } else { directory.schema(number).is_some() })
    }
}

fn column_privilege(call: &Call<'_>) -> Result<Value> {
    let object = usize::from(call.count() > 3);
    let held = call.text(call.count() - 1).to_lowercase().split(',').any(|one| one.trim() == "select");
    Ok(if exists(call, object, oid::REGCLASS)? { Value::Integer(i64::from(held)) } else { Value::Null })
}

fn known_role(call: &Call<'_>, place: usize) -> Result<Option<u32>> {
    match &call.arguments[place] {
        Value::Text(name) if name == "public" => Ok(None),
        Value::Text(name) => role_number(call.facts, name)
            .map(Some)
            .ok_or_else(|| CatalogueError::new(Fault::UndefinedObject, format!("role \"{name}\" does not exist"))),
        _ => Ok(call.oid(place)),
    }
}

/// A role has only itself.
fn has_role(call: &Call<'_>) -> Result<Value> {
    let own = call.facts.with(|running| running.user_oid);
    let (member, role) =
        if call.count() > 2 { (known_role(call, 0)?, known_role(call, 1)?) } else { (Some(own), known_role(call, 0)?) };
    flag(member == role)
}
