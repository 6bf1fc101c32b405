//! `gateway.kafka`: the door over Apache Kafka, from a post to a receipt that says accepted and a row in the lake.

use anyhow::Result;

use super::super::amanat::{Profile, build};
use super::super::{Bench, Measured};
use super::kill9::disturbed;
use super::served::Store;
use crate::kafka::Broker;

/// Events, and how many a second.
const EVENTS: (u64, u64) = (10_000, 1_000);
/// The program is killed so often meanwhile.
const KILLS: u64 = 2;

/// Measures.
pub fn measure(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let client = build(Profile::Dev, "testkit", "measure")?;
    let broker = Broker::up()?;
    let store = Store::new(bench, &program, Some(broker.bootstrap()))?;
    let found = disturbed(bench, &client, &store, EVENTS, KILLS)?;
    let met = found["wrong"] == 0 && found["kills"] == KILLS;
    Ok(Measured { value: found["wrong"].to_string(), met, details: found })
}
