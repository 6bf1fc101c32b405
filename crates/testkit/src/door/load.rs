//! `door_load`: how many events a second the door acknowledges, and how long a client waits for it.
//!
//! Each connection sends a request, waits for its answer and sends the next. Without a rate that is as fast as answers come. With one,
//! requests are due by an even schedule, and the time of each runs from when it was due, not from when it could be sent: a door that
//! stands still makes every request behind it late, and none is left out (no coordinated omission). Every event is another one, and
//! every request has an `Idempotency-Key` of its own. Bodies are made before the clock runs, compressed ones whole, those in clear up to the
//! numbers in them. The clients take their share of the same processors; how much is said.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use super::bodies::Bodies;
use super::http::{Connection, head, request};
use super::{At, Sender};
use crate::Measured;

/// What is sent.
#[derive(Debug, Clone, clap::Args)]
pub struct Load {
    #[command(flatten)]
    at: At,
    /// Events of a request; one goes as `application/json`, more as NDJSON
    #[arg(long, default_value_t = 1)]
    per_request: usize,
    /// Compress bodies with gzip
    #[arg(long)]
    gzip: bool,
    /// Connections
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// For so long
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Events a second that are due [default: as many as are acknowledged]
    #[arg(long)]
    rate: Option<f64>,
    /// Number of the first event
    #[arg(long, default_value_t = 0)]
    first: u64,
}

/// What a connection has seen: how long each answer took, and how many were not 202.
#[derive(Default)]
struct Seen {
    waited: Vec<Duration>,
    refused: u64,
}

/// Measures.
pub fn measure(load: &Load) -> Result<Measured> {
    let senders = load.at.senders()?;
    let of = |number: usize| (&senders[number % senders.len()], number);
    let bodies: Vec<Bodies> = (0..load.connections).map(|number| load.bodies(of(number))).collect::<Result<_>>()?;
    let (began, processor) = (Instant::now() + Duration::from_millis(50), processor_time()?);
    let seen = std::thread::scope(|scope| {
        let one = |(number, bodies)| scope.spawn(move || load.connection(of(number), bodies, began));
        let clients: Vec<_> = bodies.into_iter().enumerate().map(one).collect();
        let joined = clients.into_iter().map(|client| client.join().map_err(|_| anyhow::anyhow!("a client failed"))?);
        joined.collect::<Result<Vec<Seen>>>()
    })?;
    let (took, processor) = (began.elapsed().as_secs_f64(), processor_time()? - processor);
    let refused: u64 = seen.iter().map(|seen| seen.refused).sum();
    let mut waited: Vec<f64> = seen.iter().flat_map(|seen| &seen.waited).map(|time| time.as_secs_f64() * 1e3).collect();
    ensure!(!waited.is_empty(), "nothing was acknowledged");
    waited.sort_by(f64::total_cmp);
    let acknowledged = waited.len() * load.per_request;
    let at = |share: f64| waited[((waited.len() - 1) as f64 * share).round() as usize];
    Ok(Measured {
        value: json!((acknowledged as f64 / took).round()),
        met: refused == 0,
        details: json!({
            "events_per_request": load.per_request, "gzip": load.gzip, "connections": load.connections, "rate": load.rate,
            "seconds": took, "events": acknowledged, "requests": waited.len(), "not_202": refused,
            "ms": {"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "most": at(1.0)},
            "processors_of_the_clients": processor / took,
        }),
    })
}

impl Load {
    /// Bodies of a connection; compressed ones enough for all of the time, at the rate or at twice the goal.
    fn bodies(&self, (sender, number): (&Sender, usize)) -> Result<Bodies> {
        let of_all = self.rate.unwrap_or(60_000.0) * (self.seconds + 1) as f64 / self.per_request as f64;
        let compressed = self.gzip.then(|| (of_all / self.connections as f64).ceil() as usize);
        Bodies::new(&sender.agency, self.per_request, self.first + ((number as u64) << 28), compressed)
    }

    fn connection(&self, (sender, number): (&Sender, usize), mut bodies: Bodies, began: Instant) -> Result<Seen> {
        let mut connection = Connection::open(self.at.address)?;
        let kind = if self.per_request == 1 { "application/json" } else { "application/x-ndjson" };
        let coding = if self.gzip { "gzip" } else { "identity" };
        let (mut seen, end) = (Seen::default(), began + Duration::from_secs(self.seconds));
        for turn in 0_u64.. {
            let due = self.rate.map(|rate| {
                let nth = turn * self.connections as u64 + number as u64;
                began + Duration::from_secs_f64(nth as f64 * self.per_request as f64 / rate)
            });
            let due = due.unwrap_or_else(Instant::now);
            std::thread::sleep(due.max(began).saturating_duration_since(Instant::now()));
            if due >= end {
                break;
            }
            let key = format!("{}-{number}-{turn}", self.first);
            let headers = [("content-type", kind), ("content-encoding", coding), ("idempotency-key", &*key)];
            let whole = request(&head("POST", "/v1/events", &sender.key, &headers), bodies.next()?);
            let since = if self.rate.is_some() { due } else { Instant::now() };
            let answer = connection.ask(&whole)?;
            if answer.status == 202 {
                seen.waited.push(since.elapsed());
            } else {
                seen.refused += 1;
            }
        }
        Ok(seen)
    }
}

/// User and system time of this process so far, seconds (proc(5), `stat`: fields 14 and 15, in hundredths on Linux).
pub fn processor_time() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap_or_default());
    Ok(ticks.sum::<f64>() / 100.0)
}
