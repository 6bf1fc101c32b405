//! `door_posts`: posts events until each of them is acknowledged, whatever becomes of the program meanwhile.
//!
//! What has no answer, or one that says "again", is sent again: the same body with the same `Idempotency-Key`, on a new connection where the
//! old one broke. What was acknowledged is written to a file for `door_received`, and the receipts beside it for `door_followed`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::acknowledged::{self, Acknowledged};
use super::dice::Dice;
use super::http::{Answer, Connection, head, request};
use super::{At, Sender, event};
use crate::Measured;

/// Wait before something is sent again.
const PAUSE: Duration = Duration::from_millis(20);

/// A request that is not acknowledged for so long never will be.
const PATIENCE: Duration = Duration::from_mins(5);

/// What is posted.
#[derive(Debug, Clone, clap::Args)]
pub struct Posts {
    #[command(flatten)]
    at: At,
    /// Events in all
    #[arg(long)]
    events: u64,
    /// Clients at once
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// Most events of a request
    #[arg(long, default_value_t = 400)]
    most: usize,
    /// Events a second; no request is sent before its time [default: as many as are acknowledged]
    #[arg(long)]
    rate: Option<f64>,
    /// Where to write what was acknowledged
    #[arg(long)]
    acknowledged: PathBuf,
    /// Draws sizes of requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A request: its number, its first event and how many.
struct Request {
    number: usize,
    events: std::ops::Range<u64>,
}

/// What a client has seen.
#[derive(Default)]
struct Seen {
    acknowledged: Vec<(usize, Acknowledged)>,
    /// Sender and address of each receipt.
    receipts: Vec<(usize, String)>,
    /// Answers that were not 202, by status, and connections that broke (0).
    again: BTreeMap<u16, u64>,
}

/// Measures.
pub fn measure(posts: &Posts) -> Result<Measured> {
    let (senders, requests) = (posts.at.senders()?, posts.requests());
    let (next, began) = (AtomicUsize::new(0), Instant::now());
    let seen = std::thread::scope(|scope| {
        let clients: Vec<_> =
            (0..posts.clients).map(|_| scope.spawn(|| posts.client(&senders, &requests, &next, began))).collect();
        let joined = clients.into_iter().map(|client| client.join().map_err(|_| anyhow::anyhow!("a client failed"))?);
        joined.collect::<Result<Vec<Seen>>>()
    })?;
    let took = began.elapsed().as_secs_f64();
    let agency = |sender: &usize| senders[*sender].agency.as_str();
    let all = seen.iter().flat_map(|seen| &seen.acknowledged).map(|(sender, one)| (agency(sender), *one));
    acknowledged::write(&posts.acknowledged, all)?;
    let receipts: Vec<&(usize, String)> = seen.iter().flat_map(|seen| &seen.receipts).collect();
    let lines: Vec<String> = receipts.iter().map(|(sender, url)| format!("{} {url}\n", agency(sender))).collect();
    std::fs::write(receipts_beside(&posts.acknowledged), lines.concat())?;
    let distinct = receipts.iter().map(|(_, url)| url).collect::<std::collections::BTreeSet<_>>().len();
    let acknowledged: usize = seen.iter().map(|seen| seen.acknowledged.len()).sum();
    let mut again: BTreeMap<u16, u64> = BTreeMap::new();
    for (status, count) in seen.iter().flat_map(|seen| &seen.again) {
        *again.entry(*status).or_default() += count;
    }
    Ok(Measured {
        value: json!(acknowledged),
        met: acknowledged as u64 == posts.events && distinct == requests.len(),
        details: json!({
            "seconds": took, "requests": requests.len(), "receipts": distinct, "sent_again_by_status_0_for_broken": again,
        }),
    })
}

/// The file of receipts that belongs to one of what was acknowledged: `AGENCY ADDRESS` in a line.
pub fn receipts_beside(acknowledged: &Path) -> PathBuf {
    acknowledged.with_extension("receipts")
}

impl Posts {
    /// All events in requests of drawn sizes: a third of them bring one.
    fn requests(&self) -> Vec<Request> {
        let (mut dice, mut first, mut requests) = (Dice::of(self.seed, 0), 0, Vec::new());
        while first < self.events {
            let size = if dice.below(3) == 0 { 1 } else { 1 + dice.below(self.most) as u64 };
            let end = (first + size).min(self.events);
            requests.push(Request { number: requests.len(), events: first..end });
            first = end;
        }
        requests
    }

    fn client(&self, senders: &[Sender], requests: &[Request], next: &AtomicUsize, began: Instant) -> Result<Seen> {
        let (mut seen, mut connection) = (Seen::default(), None);
        while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
            let due = self.rate.map_or(0.0, |rate| request.events.start as f64 / rate);
            std::thread::sleep(Duration::from_secs_f64(due).saturating_sub(began.elapsed()));
            let sender = request.number % senders.len();
            let answer = self.acknowledged(&senders[sender], request, &mut connection, &mut seen)?;
            let places = acknowledged::of_answer(&answer)?;
            let sent = request.events.clone().eq(places.iter().map(|place| place.number));
            ensure!(sent, "the answer is of other events than the request");
            seen.acknowledged.extend(places.into_iter().map(|place| (sender, place)));
            seen.receipts.push((sender, answer["url"].as_str().context("no receipt")?.to_owned()));
        }
        Ok(seen)
    }

    /// Sends a request until it is acknowledged.
    fn acknowledged(
        &self,
        sender: &Sender,
        asked: &Request,
        connection: &mut Option<Connection>,
        seen: &mut Seen,
    ) -> Result<Value> {
        let key = format!("{}-{}", self.seed, asked.number);
        let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", &*key)];
        let lines: String = asked.events.clone().map(|number| event(number, &sender.agency) + "\n").collect();
        let whole = request(&head("POST", "/v1/events", &sender.key, &headers), lines.as_bytes());
        let began = Instant::now();
        loop {
            let status = match self.ask(connection, &whole) {
                Ok(answer) if answer.status == 202 => return Ok(answer.json()),
                Ok(answer) => answer.status,
                Err(_) => {
                    *connection = None;
                    0
                }
            };
            ensure!([0, 409, 429, 503].contains(&status), "status {status} for a good request");
            ensure!(began.elapsed() < PATIENCE, "a request is not acknowledged: {status}");
            *seen.again.entry(status).or_default() += 1;
            std::thread::sleep(PAUSE);
        }
    }

    fn ask(&self, connection: &mut Option<Connection>, whole: &[u8]) -> std::io::Result<Answer> {
        if connection.is_none() {
            *connection = Some(Connection::open(self.at.address)?);
        }
        connection.as_mut().map_or_else(|| Err(std::io::ErrorKind::NotConnected.into()), |open| open.ask(whole))
    }
}
