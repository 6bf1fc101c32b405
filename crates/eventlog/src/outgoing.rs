//! A message as it is handed to a log.

/// A message on its way into the log. Borrowed: the sink copies what it needs before it returns.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Decides the partition, where a stream has several: equal keys, equal partition. `None`: any partition.
    pub key: Option<&'a [u8]>,
    /// In order; names may repeat.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// When it was published, milliseconds since 1970 UTC, greater than 0 (which Kafka takes for "now"). Kept as it is.
    pub timestamp_ms: i64,
}

impl Outgoing<'_> {
    /// Bytes of key, headers and value together.
    pub fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.key.map_or(0, <[u8]>::len) + headers + self.value.map_or(0, <[u8]>::len)
    }
}
