//! The one thread that appends. It owns the log's sink, gathers what waits, appends all of it at once, records the receipts at once,
//! and only then answers: requests that come together share one sync of the log and one of `gateway.db`. Where more waits than is
//! appended at once, agencies take turns, so that nobody waits behind all that another has sent.
//!
//! A process that ends between the two has appended and answered nobody. Who sends the same again appends a second copy, which the
//! worker knows by the event's id and counts once (ingestion.md 3.7).

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use eventlog::{EventSink, LogError, Outgoing, Position, stream_name};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::book::{Book, Repeat};
use super::hold::Hold;
use super::judge::Taken;
use super::metrics::Meters;
use super::problem::{Kind, Problem, Refused};
use super::receipt::{Kept, Place};
use super::settings::Settings;

/// Bytes of messages that are appended at once; a larger request is appended by itself.
const GROUP_BYTES: usize = 8 << 20;

/// A request whose events are to be appended.
pub(crate) struct Job {
    pub(crate) agency: String,
    pub(crate) taken: Vec<Taken>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) repeat: Option<Repeat>,
    pub(crate) answer: oneshot::Sender<Result<Kept, Problem>>,
    /// Given back when the job is done, even if the client has left.
    pub(crate) hold: Hold,
}

impl Job {
    fn bytes(&self) -> usize {
        self.taken.iter().map(|taken| taken.message.value.len()).sum()
    }

    fn answer(self, answer: Result<Kept, Problem>) {
        let Self { answer: to, hold, .. } = self;
        // First the claim on the key, then the answer: who has the answer may send the next request with it at once.
        drop(hold);
        // Who asked may have left; what was appended stays, and the same key finds it.
        let _ = to.send(answer);
    }
}

pub(crate) struct Clerk {
    pub(crate) sink: Box<dyn EventSink>,
    pub(crate) book: Book,
    /// The log's `source_uid`, once it is known: positions mean nothing without it.
    pub(crate) log: Arc<OnceLock<String>>,
    pub(crate) settings: Settings,
    pub(crate) meters: Meters,
}

impl Clerk {
    /// Works until every door that could send a job is gone. How many jobs can wait is bounded by the turns that they hold.
    pub(crate) fn work(mut self, jobs: &Receiver<Job>) {
        let mut waiting = Waiting::default();
        while let Some(first) = waiting.next().or_else(|| jobs.recv().ok()) {
            let mut bytes = first.bytes();
            let mut group = vec![first];
            waiting.extend(jobs.try_iter());
            while bytes < GROUP_BYTES
                && let Some(next) = waiting.next()
            {
                bytes += next.bytes();
                group.push(next);
            }
            self.handle(group);
        }
    }

    fn handle(&mut self, group: Vec<Job>) {
        let Some(log) = self.log.get().cloned() else {
            return refuse(group, &not_taken("The event log has not answered since the start."));
        };
        let now_ms = self.settings.now_ms();
        let began = Instant::now();
        match append(&mut *self.sink, &group, now_ms) {
            Ok(positions) => {
                self.meters.appended(group.iter().map(|job| job.taken.len()).sum(), began.elapsed());
                crash_point("door_after_append");
                self.record(group, positions, &log);
            }
            // One message too many must not stand for the requests beside it.
            Err(LogError::TooLarge { .. }) if group.len() > 1 => {
                for job in group {
                    self.handle(vec![job]);
                }
            }
            Err(error) => {
                let problem = problem(&error);
                self.meters.append_failed();
                warn!(error = &error as &dyn std::error::Error, requests = group.len(), "not acknowledged");
                refuse(group, &problem);
            }
        }
    }

    /// Records the receipts; only what is recorded is acknowledged.
    fn record(&mut self, mut group: Vec<Job>, positions: Vec<Vec<Position>>, log: &str) {
        let made_ms = self.settings.now_ms();
        let receipts: Vec<(Kept, Option<Repeat>)> = group
            .iter_mut()
            .zip(positions)
            .map(|(job, positions)| {
                let place = |(taken, position): (&Taken, Position)| {
                    let Position { partition, offset } = position;
                    Place { line: taken.line, id: taken.id.into_bytes(), partition, offset }
                };
                let places = job.taken.iter().zip(positions).map(place).collect();
                let (agency, refused) = (job.agency.clone(), std::mem::take(&mut job.refused));
                let kept = Kept { id: (self.settings.random)(), agency, log: log.to_owned(), made_ms, places, refused };
                (kept, job.repeat)
            })
            .collect();
        if let Err(error) = self.book.record(&receipts) {
            warn!(error = &error as &dyn std::error::Error, "appended, but the receipts could not be recorded");
            return refuse(group, &not_taken("The events may be in the log, but their receipt could not be recorded."));
        }
        crash_point("door_after_record");
        debug!(requests = group.len(), "appended");
        for (job, (kept, _)) in group.into_iter().zip(receipts) {
            job.answer(Ok(kept));
        }
    }
}

/// Jobs that wait: of each agency in the order in which they came, and of all agencies in turn.
#[derive(Default)]
struct Waiting(VecDeque<(String, VecDeque<Job>)>);

impl Waiting {
    fn extend(&mut self, jobs: impl Iterator<Item = Job>) {
        for job in jobs {
            match self.0.iter_mut().find(|(agency, _)| *agency == job.agency) {
                Some((_, own)) => own.push_back(job),
                None => self.0.push_back((job.agency.clone(), [job].into())),
            }
        }
    }

    /// The oldest of the agency whose turn it is, which is then the last to have another.
    fn next(&mut self) -> Option<Job> {
        let (agency, mut own) = self.0.pop_front()?;
        let job = own.pop_front();
        if !own.is_empty() {
            self.0.push_back((agency, own));
        }
        job
    }
}

/// Appends the events of all jobs, by agency in the order in which they came; the positions by job.
fn append(sink: &mut dyn EventSink, group: &[Job], now_ms: i64) -> Result<Vec<Vec<Position>>, LogError> {
    let mut order: Vec<usize> = (0..group.len()).collect();
    order.sort_by_key(|at| group[*at].agency.as_str());
    let taken = || order.iter().flat_map(|at| &group[*at].taken);
    let headers: Vec<Vec<(&str, &[u8])>> = taken().map(|taken| taken.message.header_slices()).collect();
    let outgoing: Vec<Outgoing<'_>> = taken()
        .zip(&headers)
        .map(|(Taken { message, .. }, headers)| Outgoing {
            key: Some(&message.key),
            headers,
            value: Some(&message.value),
            timestamp_ms: now_ms,
        })
        .collect();
    let mut rest = &outgoing[..];
    let mut parts: Vec<(String, &[Outgoing<'_>])> = Vec::new();
    for one in order.chunk_by(|a, b| group[*a].agency == group[*b].agency) {
        let count = one.iter().map(|at| group[*at].taken.len()).sum();
        let (own, others) = rest.split_at(count);
        parts.push((stream_name(&group[one[0]].agency), own));
        rest = others;
    }
    let parts: Vec<(&str, &[Outgoing<'_>])> = parts.iter().map(|(stream, own)| (stream.as_str(), *own)).collect();
    let mut positions = sink.append_each(&parts)?.into_iter().flatten();
    let mut by_job = vec![Vec::new(); group.len()];
    for at in order {
        by_job[at] = positions.by_ref().take(group[at].taken.len()).collect();
    }
    Ok(by_job)
}

/// A named place where a test may stop the process (`return(abort)`). A development build has them, so that tests and figures stop the
/// very program that was built once; a release build has none.
#[cfg_attr(not(debug_assertions), expect(unused_variables))]
fn crash_point(name: &'static str) {
    #[cfg(debug_assertions)]
    fail::fail_point!(name, |how: Option<String>| {
        if how.as_deref() == Some("abort") {
            std::process::abort();
        }
    });
}

fn refuse(group: Vec<Job>, problem: &Problem) {
    for job in group {
        job.answer(Err(problem.clone()));
    }
}

fn problem(error: &LogError) -> Problem {
    match error {
        LogError::TooLarge { limit, .. } => Problem::new(
            Kind::BodyTooLarge,
            format!(
                "An event is larger than the event log takes ({limit} bytes); nothing of the request is acknowledged."
            ),
            "Send the other events without it. What is in the log already counts once.",
        ),
        LogError::DiskFull { .. } => not_taken("The disk of the event log is full."),
        _ => not_taken("The event log did not answer, or refused; whether the events are in it is not known."),
    }
}

fn not_taken(detail: &str) -> Problem {
    let hint = "Send the same request with the same Idempotency-Key again after the time in Retry-After; it may be sent as often \
                as needed, for an event counts once by its id.";
    Problem::new(Kind::LogAway, detail, hint).after(5)
}

#[cfg(test)]
mod tests {
    use super::super::hold::Room;
    use super::super::settings::Limits;
    use super::*;

    #[test]
    fn what_waits_is_taken_from_each_agency_in_turn_and_of_one_in_its_order() {
        let room = Room::new(Limits::default(), &policy::Policy::default().agencies, 1);
        let mut number = 0;
        let mut job = |agency: &str| {
            number += 1;
            let problem = Kind::Schema;
            let refused = vec![Refused::new(number, problem, Vec::new())];
            let hold = room.enter(agency).map_err(|_| ()).expect("a turn");
            Job { agency: agency.into(), taken: Vec::new(), refused, repeat: None, answer: oneshot::channel().0, hold }
        };
        let mut waiting = Waiting::default();
        waiting.extend(["POL-PB", "POL-PB", "POL-PB", "FIA"].map(&mut job).into_iter());
        let first = waiting.next().expect("there are some");
        waiting.extend([job("FIA"), job("POL-SD")].into_iter());
        let rest = std::iter::from_fn(|| waiting.next());
        let order: Vec<_> = std::iter::once(first).chain(rest).map(|job| (job.agency, job.refused[0].line)).collect();
        let order: Vec<_> = order.iter().map(|(agency, line)| (agency.as_str(), *line)).collect();
        let turns = [("POL-PB", 1), ("FIA", 4), ("POL-PB", 2), ("POL-SD", 6), ("FIA", 5), ("POL-PB", 3)];
        assert_eq!(order, turns);
    }
}
