//! Messages in a version of the contract that this worker does not know.
//!
//! Whoever published it upgraded before we did: that is ours to mend, so the partition waits, and nothing is set aside for it
//! (ingestion.md 3.6, 3.10). The look costs each message a walk over its headers; only one that names a later version than
//! the first is looked at more closely, and only one that seems unknown is read. What is refused in any version, and what
//! is no version in form, does not wait.
//!
//! Absent: what a version says (crate `events`).

use std::borrow::Cow;
use std::sync::LazyLock;

use eventlog::{Partition, Record, agency_of};
use events::{EventType, Limits, Message, NewerVersion};
use memchr::memmem::Finder;
use smallvec::SmallVec;

/// The versions that a worker reads: of each type up to the newest of this program, or up to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVersions(Vec<u16>);

impl Default for KnownVersions {
    fn default() -> Self {
        Self(EventType::ALL.iter().map(|kind| kind.newest()).collect())
    }
}

impl KnownVersions {
    /// Those of a program that knows this type up to a version only: of one that was built before the next was released.
    #[must_use]
    pub fn up_to(mut self, kind: EventType, version: u16) -> Self {
        self.0[kind as usize] = version;
        self
    }

    fn newest(&self, kind: EventType) -> u16 {
        self.0[kind as usize]
    }

    /// The version for which the partition must wait before this record can be judged.
    pub(crate) fn lacks(&self, partition: &Partition, record: &Record<'_>, limits: Limits) -> Option<(EventType, u16)> {
        let (kind, version) = later_version(record)?;
        if version <= self.newest(kind) {
            return None;
        }
        let headers: SmallVec<[(&str, &[u8]); 12]> = record.headers.collect();
        let message = Message { key: record.key, headers: &headers, value: record.value };
        let NewerVersion { agency, kind, version } =
            events::newer_version(&message, &limits, |kind| self.newest(kind))?;
        (agency_of(&partition.stream) == Some(agency)).then_some((kind, version))
    }
}

/// The first version of every type is known to every worker.
const FIRST: &[u8] = b"/v1";

/// The type and the version after the first that a message seems to name, in its header or, in structured mode, where the
/// attribute first stands in the text.
fn later_version(record: &Record<'_>) -> Option<(EventType, u16)> {
    let schema = record.headers.first("ce_dataschema").or_else(|| in_text(record.value?))?;
    if schema.ends_with(FIRST) {
        return None;
    }
    let schema = std::str::from_utf8(schema).ok()?;
    // As PHP writes it.
    let schema = if schema.contains('\\') { Cow::Owned(schema.replace("\\/", "/")) } else { Cow::Borrowed(schema) };
    EventType::of_dataschema(&schema)
}

static ATTRIBUTE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"dataschema\""));

/// The text of the attribute in structured mode, between its quotes.
fn in_text(value: &[u8]) -> Option<&[u8]> {
    let rest = &value[ATTRIBUTE.find(value)? + ATTRIBUTE.needle().len()..];
    let text = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    text.iter().position(|byte| *byte == b'"').map(|end| &text[..end])
}

#[cfg(test)]
mod tests {
    use eventlog::RecordsBuilder;

    use super::*;

    fn seen(headers: &[(&str, &[u8])], value: &[u8]) -> Option<(EventType, u16)> {
        let mut builder = RecordsBuilder::starting_at(0);
        builder.push(0, 0, None, headers.iter().copied(), Some(value));
        later_version(&builder.finish().get(0).unwrap())
    }

    const SECOND: &str = "https://schemas.amanat.example/victim.identified/v2";

    #[test]
    fn a_version_after_the_first_is_seen_in_the_header_and_in_the_text_however_it_is_written() {
        let second = Some((EventType::VictimIdentified, 2));
        assert_eq!(seen(&[("ce_dataschema", SECOND.as_bytes())], b"{}"), second);
        for text in [
            format!(r#"{{"dataschema":"{SECOND}","data":{{}}}}"#),
            format!("{{ \"data\": {{}},\n \"dataschema\" :\n\t\"{SECOND}\" }}"),
            format!(r#"{{"dataschema":"{}"}}"#, SECOND.replace('/', "\\/")),
        ] {
            assert_eq!(seen(&[], text.as_bytes()), second, "{text}");
        }
    }

    #[test]
    fn the_first_version_and_what_is_no_version_of_ours_are_passed_over() {
        for schema in [
            "https://schemas.amanat.example/victim.identified/v1",
            "https://schemas.amanat.example/victim.identified/v",
            "https://schemas.amanat.example/victim.identified/v02",
            "https://schemas.amanat.example/victim.identified/v12345",
            "https://schemas.amanat.example/victim.identified/v2x",
            "https://schemas.amanat.example/victim.vanished/v2",
            "https://schemas.example/victim.identified/v2",
            "",
        ] {
            assert_eq!(seen(&[("ce_dataschema", schema.as_bytes())], b"{}"), None, "{schema}");
            assert_eq!(seen(&[], format!(r#"{{"dataschema":"{schema}"}}"#).as_bytes()), None, "{schema}");
        }
        for text in ["", "{}", r#"{"dataschema""#, r#"{"dataschema":7}"#, r#"{"dataschema":"https"#] {
            assert_eq!(seen(&[], text.as_bytes()), None, "{text}");
        }
    }
}
