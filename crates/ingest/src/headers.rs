//! Which headers of a message a row keeps: those whose form leaves no room for a person (ingestion.md 3.1, `headers`).
//!
//! The extension `synthetic`, a well-formed `traceparent`, and a `content-type` other than that of binary mode. Other
//! extensions may hold anything and are counted, not kept.

use smallvec::SmallVec;

/// The header by which a row names the set-aside row that it resolves (ingestion.md 3.13). A sender's own is never kept.
pub(crate) const REPLAY_OF: &str = "amanat-replay-of";

pub(crate) type KeptHeaders<'a> = SmallVec<[(&'static str, &'a str); 3]>;

/// What is kept of these headers.
pub(crate) fn kept_headers<'a>(headers: &[(&str, &'a [u8])], synthetic: bool) -> KeptHeaders<'a> {
    let mut kept = KeptHeaders::new();
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("content-type") {
            // The decoder accepts two media types; what follows a semicolon is the sender's.
            if value.starts_with(b"application/cloudevents+json") {
                kept.push(("content-type", "application/cloudevents+json"));
            }
        } else if *name == "traceparent" && kept.iter().all(|(name, _)| *name != "traceparent") {
            kept.extend(trace_parent(value).map(|value| ("traceparent", value)));
        }
    }
    if synthetic {
        kept.push(("ce_synthetic", "true"));
    }
    kept
}

/// W3C Trace Context section 3.2: version, trace id, parent id and flags in lower-case hex of fixed lengths.
fn trace_parent(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    let mut parts = text.split('-');
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let good = [2, 32, 16, 2].into_iter().all(|length| parts.next().is_some_and(|part| hex(part, length)));
    (good && parts.next().is_none()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_of_a_fixed_form_are_kept() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let headers: [(&str, &[u8]); 5] = [
            ("content-type", b"application/cloudevents+json; note=anything"),
            ("ce_id", b"x"),
            ("ce_note", b"anything"),
            ("traceparent", parent.as_bytes()),
            ("traceparent", parent.as_bytes()),
        ];
        let kept = kept_headers(&headers, true);
        assert_eq!(
            kept.as_slice(),
            [("content-type", "application/cloudevents+json"), ("traceparent", parent), ("ce_synthetic", "true")]
        );
        let malformed: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("traceparent", b"00-somebody-01")];
        assert!(kept_headers(&malformed, false).is_empty());
    }
}
