//! The figures of the agencies' door: how fast it is, that nothing acknowledged is lost, and that nothing bad harms it.
//!
//! The clients are `testkit`'s (`measure door_…`); here the program is started as an operator would, killed, and looked at.

mod bad_input;
mod kafka;
mod kill9;
mod load;
mod served;

use super::Figure;

/// The registry's part for the agencies' door.
pub fn figures() -> Vec<Figure> {
    vec![
        Figure {
            name: "gateway.bad_input",
            shows: "5,000 bad requests in over 100 classes, drawn from a seed (structure, encodings, bombs, wrong agencies, replayed keys, clocks, heads, lengths, slow bodies, files), at the running program: the right status, a sentence with place and remedy that quotes nothing, memory; good events of four agencies in between (development build)",
            unit: "wrong answers, and MiB at the peak",
            goal: "0; ≤ 256 MiB; every good event accepted, and once in the lake",
            minutes: 1,
            short: true,
            correctness: true,
            run: bad_input::measure,
        },
        Figure {
            name: "gateway.kafka",
            shows: "events posted to the door over Apache Kafka while the program is killed twice: each receipt says accepted, each event is in the lake once (development build)",
            unit: "wrong events and receipts",
            goal: "0",
            minutes: 1,
            short: true,
            correctness: true,
            run: kafka::measure,
        },
        Figure {
            name: "gateway.kill9",
            shows: "a million events posted while the program is killed at random moments and started again: clients send what was not answered again with the same Idempotency-Key; every receipt's event in the lake exactly once, no receipt without an event (release)",
            unit: "lost, double or without an event",
            goal: "0 after at least 20 kills",
            minutes: 6,
            short: false,
            correctness: true,
            run: kill9::measure,
        },
        Figure {
            name: "gateway.load",
            shows: "events a second that the door acknowledges, on all processors of the machine, clients included: NDJSON of 1,000, the same in gzip, single events on kept connections; the 99th percentile at the rates of the goal; beside the log without a door (release)",
            unit: "events/s in batches, single, and ms at the 99th percentile of both",
            goal: "≥ 30,000, ≥ 5,000, ≤ 50 ms",
            minutes: 3,
            short: false,
            correctness: false,
            run: load::measure,
        },
    ]
}
