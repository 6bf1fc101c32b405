//! Names of streams: one per agency, `tip.events.<AGENCY>.v1` (ingestion.md 1.1).
//!
//! A stream name is also a Kafka topic name, so its form is Kafka's. Whether the agency exists is policy's business.

const PREFIX: &str = "tip.events.";
const SUFFIX: &str = ".v1";

/// The stream on which agencies are told what became of their messages, in the same log (ingestion.md 3.4, "Receipts"). It is no
/// agency's: [`agency_of`] has none for it, and nobody reads it as events.
pub const RECEIPTS: &str = "tip.receipts.v1";

/// The stream on which the agencies' door is told how good each agency's feed is, in the same log. It tells of every agency: with Kafka
/// its readers are those who may read every agency's events.
pub const FEEDS: &str = "tip.feeds.v1";

/// Days for which receipts are kept: as long as set-aside bytes are by default (ingestion.md 3.6), so that whatever can still be
/// mended is still told. What is older stands in the lake.
pub const RECEIPTS_DAYS: u32 = 90;

/// Kafka's own limit on the length of a topic name, in bytes.
const MAX_LENGTH: usize = 249;

/// The stream of an agency: `tip.events.<agency>.v1`.
pub fn stream_name(agency: &str) -> String {
    format!("{PREFIX}{agency}{SUFFIX}")
}

/// The agency in the middle of a stream's name; `None` for a name of another form.
///
/// The same rule as the pattern `^tip\.events\..*\.v1$` by which topics are discovered, less the empty agency.
pub fn agency_of(stream: &str) -> Option<&str> {
    let middle = stream.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    (!middle.is_empty()).then_some(middle)
}

/// Whether every implementation takes this name: 1 to 249 of `A-Z a-z 0-9 . _ -`, and neither `.` nor `..`.
pub fn valid_stream_name(stream: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=MAX_LENGTH).contains(&stream.len()) && stream.bytes().all(legal) && stream != "." && stream != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agency_is_the_middle_of_the_name() {
        assert_eq!(agency_of("tip.events.POL-PB.v1"), Some("POL-PB"));
        assert_eq!(agency_of(&stream_name("FIA")), Some("FIA"));
    }

    #[test]
    fn other_names_have_no_agency() {
        for name in ["tip.events..v1", "tip.events.v1", RECEIPTS, FEEDS, "tip.events.FIA.v2", "x.tip.events.FIA.v1", ""]
        {
            assert_eq!(agency_of(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_that_kafka_would_refuse_is_refused() {
        let too_long = "a".repeat(MAX_LENGTH + 1);
        for name in ["", ".", "..", "a b", "پولیس", "a/b", too_long.as_str()] {
            assert!(!valid_stream_name(name), "{name}");
        }
        assert!(valid_stream_name("tip.events.POL-PB.v1"));
    }
}
