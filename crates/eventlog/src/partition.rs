//! Names of partitions.

use std::fmt;
use std::sync::Arc;

/// One ordered sequence of records: a stream and a number in it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// The stream (topic), e.g. `tip.events.FIA.v1`.
    pub stream: Arc<str>,
    /// Its number in the stream, from 0.
    pub number: i32,
}

impl Partition {
    /// A partition by name and number.
    pub fn new(stream: impl Into<Arc<str>>, number: i32) -> Self {
        Self { stream: stream.into(), number }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stream, self.number)
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
