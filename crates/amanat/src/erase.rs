//! `amanat erase`: the steward's orders that a person is to be in no table and no file any more (privacy.md 8.5).
//!
//! An order is an event on the log, one for each id under which she is known: what an agency calls her, and what others call those who are
//! counted as one with her. Ingest takes it in; the next fold leaves her out; the next maintenance takes her out of the table. What is
//! held beyond that ends by itself: [`ends`] says when.
//!
//! Absent: taking her out (`lake::maintain`, `ingest::Eraser`), and backups, which end as they are overwritten.

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::SystemTime;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use events::code_list;
use lake::Events;
use models::people::{self, STEWARD};
use models::{Order, Orders, RefreshOptions};
use policy::Erased;
use serde_json::{Value, json};

use crate::cli::{EraseCommand, OrderArgs};
use crate::config::{Config, LogKind};
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};
use crate::linking;

/// Longest token of the contract, and a line's end.
const TOKEN_BYTES: u64 = 66;

/// `amanat erase …`.
pub fn run(config: Config, command: EraseCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command {
        EraseCommand::Order(args) => order(&config, &dir, &runtime, &args),
        EraseCommand::List { json } => {
            let orders = runtime.block_on(orders(&dir))?;
            let listed = orders.all.iter().map(|order| told(&config, order));
            exit::print(&if json { format!("{}\n", Value::Array(listed.collect())) } else { table(&orders, &config) })
        }
    }
}

fn order(config: &Config, dir: &DataDir, runtime: &tokio::runtime::Runtime, args: &OrderArgs) -> anyhow::Result<()> {
    let surrogate = match (&args.person, &args.agency) {
        (Some(person), _) => *person,
        (None, Some(agency)) => surrogate(dir, agency)?,
        (None, None) => return Err(Failure::Usage("--agency or --person says who".into()).into()),
    };
    let persons = runtime.block_on(async {
        linking::fold(dir).await?;
        let events = Events::open(&dir.store, "erase").await?.snapshot()?;
        let threads = RefreshOptions::default().threads;
        anyhow::Ok(people::counted_as_one(&dir.store, &events, &dir.policy, surrogate, threads).await?)
    })?;
    if persons.len() > 1 {
        let what = format!(
            "{} persons bear this token, who are not one: nothing is ordered. Expected is the token that is hers alone, as that of a document; or --person",
            persons.len()
        );
        return Err(Failure::Refused(what).into());
    }
    let persons: Vec<[u8; 16]> = persons.into_iter().flatten().collect();
    if persons.is_empty() {
        let what = "no event names this person: nothing is to be erased. A token is expected as the agency sends it, not a name or number; what was published and not yet ingested is not known here";
        return Err(Failure::Refused(what.into()).into());
    }
    let ids = persons.len();
    if !args.yes {
        return exit::print(&format!(
            "{ids} id(s) of one person would be erased, whichever agency named her. An order cannot be taken back: --yes gives it.\nPersons who may be one with her and are not counted so (`amanat link list`) stay.\n"
        ));
    }
    let basis = code_list::list("legal_basis").code(args.basis.code()).context("a ground of the contract")?;
    let at_us = DateTime::<Utc>::from(SystemTime::now()).timestamp_micros();
    let mut erased = Erased::nobody(&dir.keys);
    let event = |person: &[u8; 16]| people::erasure(*person, erased.order(*person), basis, at_us, dir.is_sample());
    let events: Vec<_> = persons.iter().map(event).collect();
    linking::append(&mut *dir.sink(config)?, STEWARD, &events)?;
    exit::print(&format!(
        "{ids} order(s) are in the log. When they have been ingested, the next fold leaves her out, and the next maintenance takes her out of the table; `amanat erase list` says what is left until when.\n"
    ))
}

/// The surrogate of the token on standard input.
fn surrogate(dir: &DataDir, agency: &str) -> anyhow::Result<[u8; 16]> {
    if dir.policy.agencies.get(agency).is_none() {
        return Err(Failure::Usage(format!("the policy has no agency {agency}")).into());
    }
    let mut token = String::new();
    std::io::stdin().take(TOKEN_BYTES).read_to_string(&mut token).context("a token is expected on standard input")?;
    let token = token.trim_end();
    if !events::form::is_opaque(token) {
        let what = "a token is expected on standard input, as the agency sends it: 16 to 64 characters of the contract's alphabet. Names and numbers do not belong here";
        return Err(Failure::Usage(what.into()).into());
    }
    Ok(policy::person_surrogate(&dir.keys, agency, token))
}

async fn orders(dir: &DataDir) -> anyhow::Result<Orders> {
    let events = match Events::open(&dir.store, "erase").await {
        Err(lake::LakeError::NoTable(_)) => {
            return Ok(Orders { all: Vec::new(), erased: Erased::nobody(&dir.keys).into() });
        }
        events => events?.snapshot()?,
    };
    Ok(Orders::of(&events, &dir.keys).await?)
}

/// Until when something of what was known of her is left, and where, from when her order was ingested (runbook `erase-a-person`).
fn ends(config: &Config, order: &Order) -> Vec<(&'static str, DateTime<Utc>)> {
    let from = DateTime::from_timestamp_micros(order.ingested_us).unwrap_or_default();
    let days = |days: i64| from + Duration::days(days);
    let set_aside = i64::from(config.ingest.set_aside_days);
    let mut ends = vec![("files that were replaced", days(2)), ("set-aside messages", days(set_aside + 1))];
    if config.log.kind == LogKind::Sqlite {
        ends.push(("the embedded log", days(i64::from(config.log.retention_days) + 1)));
    }
    ends.push(("old commits of the table (ids of records)", days(31)));
    ends
}

fn told(config: &Config, order: &Order) -> Value {
    let ends: serde_json::Map<String, Value> =
        ends(config, order).into_iter().map(|(what, until)| (what.to_owned(), json!(day(until)))).collect();
    json!({
        "order": number(order),
        "ground": code_list::list("legal_basis").text(order.legal_basis),
        "given": DateTime::from_timestamp_micros(order.given_us).unwrap_or_default().to_rfc3339(),
        "carried_out": order.carried_out,
        "left_until": ends,
    })
}

fn table(orders: &Orders, config: &Config) -> String {
    if orders.all.is_empty() {
        return "nobody was ordered to be erased\n".to_owned();
    }
    let mut out = format!("{:<14} {:<12} {:<20} taken out of the table\n", "order", "given", "ground");
    for order in &orders.all {
        let given = day(DateTime::from_timestamp_micros(order.given_us).unwrap_or_default());
        let ground = code_list::list("legal_basis").text(order.legal_basis);
        let done = if order.carried_out { "yes" } else { "at the next maintenance" };
        let _ = writeln!(out, "{:<14} {given:<12} {ground:<20} {done}", number(order));
    }
    if let Some(last) = orders.all.iter().max_by_key(|order| order.ingested_us) {
        out.push_str("left of the last of them, at most until:\n");
        for (what, until) in ends(config, last) {
            let _ = writeln!(out, "  {}  {what}", day(until));
        }
        if config.log.kind == LogKind::Kafka {
            out.push_str("  Kafka: by the retention of the brokers\n");
        }
        out.push_str("  backups: docs/runbooks/erase-a-person.md\n");
    }
    out
}

fn day(at: DateTime<Utc>) -> String {
    at.date_naive().to_string()
}

/// By what an order is told from others: the beginning of the image, which names nobody.
fn number(order: &Order) -> String {
    order.image[..6].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
