//! What was set aside is whole, secret, and explained without a value of it.

use crate::support::*;
use ingest::{OpenError, ShowError};
use policy::{Keys, Master};
use proptest::prelude::*;

#[tokio::test]
async fn a_set_aside_message_opens_to_the_very_bytes_and_only_with_the_key() {
    let mut place = Place::new();
    let bad = case(1).value(b"\xff half {".to_vec());
    place.send(&[case(2), bad.clone()]);
    place.drain().await;
    let snapshot = place.snapshot().await;
    let partition = place.partition(POLICE);
    let shown = ingest::show_set_aside(&snapshot, &keys(), &partition, 1).await.unwrap();
    assert_eq!((shown.value, shown.headers), (bad.value, bad.headers));
    assert_eq!(shown.key.as_deref(), Some(&b"key"[..]));
    let other = Keys::derive(&Master::from_bytes([8; 32]));
    let refused = ingest::show_set_aside(&snapshot, &other, &partition, 1).await;
    assert!(matches!(refused, Err(ShowError::Open(OpenError::NotAuthentic))));
    let accepted = ingest::show_set_aside(&snapshot, &keys(), &partition, 0).await;
    assert!(matches!(accepted, Err(ShowError::NotThere)));
}

#[tokio::test]
async fn the_list_of_set_aside_messages_says_where_and_why() {
    let mut place = Place::new();
    place.send(&[case(1), case(2).value("{"), case(1).value(CASE.replace("PK-PB", "PK-SD"))]);
    place.drain().await;
    let snapshot = place.snapshot().await;
    let list = ingest::list_set_aside(&snapshot, |_| true, 10).await.unwrap();
    let found: Vec<_> = list.rows.iter().map(|row| (row.offset, row.status.as_str(), row.class.as_str())).collect();
    assert_eq!(found, [(2, "conflict", "conflict"), (1, "set_aside", "parse")], "the newest first");
    assert!(list.rows.iter().all(|row| row.agency == POLICE && !row.detail.is_empty()));
    let newest = ingest::list_set_aside(&snapshot, |_| true, 1).await.unwrap();
    assert_eq!((newest.all, &newest.rows[..]), (2, &list.rows[..1]));
    let parse = ingest::list_set_aside(&snapshot, |row| row.class == "parse", 10).await.unwrap();
    assert_eq!((parse.all, &parse.rows[..]), (1, &list.rows[1..]));
}

/// ingestion.md 3.6: bytes are kept 90 days, or as configured; the row itself says until when.
#[tokio::test]
async fn a_set_aside_row_says_until_when_its_bytes_are_kept() {
    let mut place = Place::new();
    place.send(&[case(1).value("{")]);
    place.drain().await;
    place.send(&[case(2).value("{")]);
    let mut config = config();
    config.set_aside_days = 1;
    place.try_drain(config).await.unwrap();
    let rows = place.rows().await;
    let until: Vec<_> = rows.iter().map(|row| row.header("amanat-keep-until")).collect();
    assert_eq!(until, [Some("2024-06-07"), Some("2024-03-10")]);
}

#[tokio::test]
async fn two_runs_over_the_same_log_set_the_same_bytes_aside() {
    let messages = [case(1).value("{"), case(2).header("ce_synthetic", "false")];
    let (mut one, mut two) = (Place::new(), Place::new());
    for place in [&mut one, &mut two] {
        place.send(&messages);
        place.drain().await;
    }
    assert_eq!(one.rows().await, two.rows().await);
}

/// A word that no sentence of ours contains, so that finding it can only mean that it was quoted.
fn word() -> impl Strategy<Value = String> {
    "q[0-9]{3}x[0-9]{3}z"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// ingestion.md 3.16 item 5. Each way to be wrong carries the word where a value, a name or a header may stand.
    #[test]
    fn no_value_of_the_input_occurs_in_the_error_detail(word in word()) {
        let quoted = format!("\"{word}\"");
        let with = |field: &str, value: &str| format!("{},\"{field}\":{value}}}", CASE.trim_end_matches('}'));
        let bad = [
            case(1).value(word.clone()),
            case(1).value(quoted.clone()),
            case(1).value(format!("{{\"{word}")),
            case(1).value(format!("{CASE}{quoted}")),
            case(1).value(with(&word, "1")),
            case(1).value(with("scope", &quoted)),
            case(1).value(with("scope", &format!("{{{quoted}:{quoted}}}"))),
            case(1).value(CASE.replace("2024-03-08", &word)),
            case(1).value(CASE.replace("PTPA-3-1", &word)),
            case(1).value(CASE.replace("\"PK-PB\"", &format!("[{quoted}]"))),
            case(1).value(CASE.replace("record_version", &word)),
            case(1).header("ce_id", &word),
            case(1).header("ce_type", &word),
            case(1).header("ce_source", &word),
            case(1).header("ce_subject", &word),
            case(1).header("ce_time", &word),
            case(1).header("ce_dataschema", &word),
            case(1).header("ce_synthetic", &word),
            case(1).header("ce_specversion", &word),
            case(1).header("content-type", &word),
            case(1).header("ce_subject", &word).structured(),
            case(1).header(&format!("ce_{word}"), &word).header("ce_synthetic", "false"),
            case(1).header("ce_subject", &format!("POL-PB/{word}")),
            referral(1).value(format!("{{\"person\":[{{\"kind\":\"document\",\"token\":{quoted}}}]}}")),
        ];
        let rows = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut place = Place::new();
            place.send(&bad);
            place.drain().await;
            place.rows().await
        });
        prop_assert_eq!(rows.len(), bad.len());
        for row in rows {
            prop_assert_eq!(row.status(), "set_aside");
            let told = format!("{:?}{:?}{:?}", row.text, row.headers, row.subjects);
            prop_assert!(!told.contains(&word), "{}", row.detail());
            let sealed = row.payload.unwrap();
            prop_assert!(!sealed.windows(word.len()).any(|part| part == word.as_bytes()));
        }
    }
}
