//! Bodies of events of which no two are alike, made so that they cost the client as little as can be.

use std::io::Write as _;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::event;

/// The digits by which the event of a template is found again: those of its id, hexadecimal, and of its record and token, decimal.
const NUMBER: u64 = 0x00ab_cdef;

/// Bodies of one sender, one after the other.
pub struct Bodies {
    /// One in clear, whose numbers are changed.
    template: Vec<u8>,
    /// Where the numbers are: of the id, and of record and token.
    places: Vec<(usize, [usize; 2])>,
    /// Number of the next event.
    next: u64,
    compressed: Vec<Vec<u8>>,
    taken: usize,
}

impl Bodies {
    /// Bodies of so many events; `compressed` of them are made ahead and then given in turn.
    pub fn new(agency: &str, events: usize, first: u64, compressed: Option<usize>) -> Result<Self> {
        let line = event(NUMBER, agency);
        let (hexadecimal, decimal) = (format!("{NUMBER:012x}"), format!("{NUMBER:015}"));
        let id = line.find(&hexadecimal).context("no id")?;
        let mut others = line.match_indices(&decimal).map(|(at, _)| at);
        let others = [others.next().context("no record")?, others.next().context("no token")?];
        let length = line.len() + 1;
        let places = (0..events).map(|at| at * length).map(|from| (from + id, others.map(|other| from + other)));
        let template = (line + "\n").repeat(events).into_bytes();
        let mut bodies = Self { template, places: places.collect(), next: first, compressed: Vec::new(), taken: 0 };
        for _ in 0..compressed.unwrap_or(0) {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bodies.clear()?)?;
            bodies.compressed.push(encoder.finish()?);
        }
        Ok(bodies)
    }

    /// The next body.
    pub fn next(&mut self) -> Result<&[u8]> {
        if self.compressed.is_empty() {
            return self.clear();
        }
        self.taken += 1;
        Ok(&self.compressed[(self.taken - 1) % self.compressed.len()])
    }

    fn clear(&mut self) -> Result<&[u8]> {
        for (id, others) in &self.places {
            write!(&mut self.template[*id..id + 12], "{:012x}", self.next)?;
            for other in others {
                write!(&mut self.template[*other..other + 15], "{:015}", self.next)?;
            }
            self.next += 1;
        }
        Ok(&self.template)
    }
}
