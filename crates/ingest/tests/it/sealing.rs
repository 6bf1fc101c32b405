//! Tokens leave, surrogates take their place, and nothing else of the event changes.

use crate::support::*;
use proptest::prelude::*;

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[tokio::test]
async fn a_row_holds_the_event_with_surrogates_in_place_of_tokens() {
    let mut place = Place::new();
    place.send(&[referral(1)]);
    place.drain().await;
    let row = place.rows().await.remove(0);
    let surrogate = policy::person_surrogate(&keys(), POLICE, TOKEN);
    let link = policy::link_ref(&keys(), "document", TOKEN);
    assert_eq!(row.subjects.as_ref().unwrap()[0], surrogate);
    assert_eq!(row.links.as_ref().unwrap()[0], link);
    assert_eq!((row.subjects.as_ref().unwrap().len(), row.links.as_ref().unwrap().len()), (2, 2));
    assert!(row.payload_text().contains(&format!("\"token\":\"{}\"", hex(&surrogate))));
    assert!(!row.payload_text().contains(TOKEN));
    assert!(!row.payload_text().contains(&hex(&link)), "what links agencies is not where marts can see it");
}

#[tokio::test]
async fn a_row_says_who_when_and_where() {
    let mut place = Place::new();
    place.send(&[referral(1).header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]);
    place.drain().await;
    let row = place.rows().await.remove(0);
    let expected = [
        ("event_type", "pk.tip.victim.referred"),
        ("agency", POLICE),
        ("schema_id", "https://schemas.amanat.example/victim.referred/v1"),
        ("record_version", "1"),
        ("occurred_from", "2024-03-01"),
        ("occurred_to", "2024-03-31"),
        ("occurred_precision", "month"),
        ("_status", "ok"),
    ];
    for (column, value) in expected {
        assert_eq!(row.get(column), Some(value), "{column}");
    }
    assert_eq!(row.get("record_id"), Some(record(POLICE, 1).as_str()));
    assert!(row.get("recorded_at").unwrap().starts_with("2024-03-09T06:00:00"));
    assert_eq!(row.header("ce_synthetic"), Some("true"));
    assert!(row.header("traceparent").is_some());
}

#[tokio::test]
async fn the_same_token_of_two_agencies_gives_two_persons_and_one_link() {
    let mut place = Place::new();
    let theirs = referral(1);
    let ours = event("FIA", "victim.referred", 1, std::str::from_utf8(theirs.value.as_ref().unwrap()).unwrap());
    place.send(&[theirs, ours]);
    assert_eq!(place.drain().await.counts.ok, 2);
    let rows = place.rows().await;
    let first = |refs: &Option<Vec<Vec<u8>>>| refs.as_ref().unwrap()[0].clone();
    assert_ne!(first(&rows[0].subjects), first(&rows[1].subjects));
    assert_eq!(first(&rows[0].links), first(&rows[1].links));
}

#[tokio::test]
async fn an_event_without_persons_has_empty_references() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    place.drain().await;
    let row = place.rows().await.remove(0);
    assert_eq!((row.subjects, row.links), (Some(vec![]), Some(vec![])));
    assert_eq!(row.payload.as_deref(), Some(CASE.as_bytes()));
}

/// White space that JSON allows.
fn space() -> impl Strategy<Value = String> {
    "[ \t\n\r]{0,3}"
}

fn token() -> impl Strategy<Value = String> {
    "[bcdfghjkm]{4}[0-9bcdfghjkmnpqrstvwxyz]{12,60}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// ingestion.md 3.16 item 5: sealing, then putting the tokens back, leaves every byte as it was sent.
    #[test]
    fn sealing_then_removing_surrogates_leaves_everything_else_byte_equal(
        tokens in prop::collection::hash_set(token(), 1..=4),
        spaces in prop::collection::vec(space(), 8),
    ) {
        let tokens: Vec<String> = tokens.into_iter().collect();
        let [a, b, c, d, e, f, g, h] = spaces.try_into().unwrap();
        let people: Vec<String> = tokens
            .iter()
            .map(|token| format!("{a}{{{b}\"kind\"{c}:\"name_birth\",{d}\"token\":{e}\"{token}\"{f}}}"))
            .collect();
        let data = format!(
            "{{{g}\"service\":\"shelter\",\"person\":[{}],{h}\"record_version\":3,\"occurred_on\":\"2023-Q4\",\"to_body\":\"SHL\"}}",
            people.join(",")
        );
        let sent = event(POLICE, "victim.referred", 1, &data);
        let row = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut place = Place::new();
            place.send(&[sent]);
            place.drain().await;
            place.rows().await.remove(0)
        });
        prop_assert_eq!(row.status(), "ok", "{}", row.detail());
        let mut open = row.payload_text().to_owned();
        for (token, surrogate) in tokens.iter().zip(row.subjects.unwrap()) {
            prop_assert!(!open.contains(token.as_str()));
            open = open.replace(&hex(&surrogate), token);
        }
        prop_assert_eq!(open, data);
    }
}
