//! Tokens leave, surrogates take their place, and nothing else of the event changes.

use arrow::array::AsArray as _;
use futures::TryStreamExt as _;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

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

/// Every column of every row as text, and the table's own log with its statistics.
async fn everything(place: &mut Place) -> String {
    let snapshot = place.snapshot().await;
    let mut text = String::new();
    let names: Vec<String> = snapshot.schema().fields().iter().map(|field| field.name().clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for file in snapshot.files.iter() {
        let batches: Vec<_> = snapshot.read(file, &names).unwrap().try_collect().await.unwrap();
        for batch in batches {
            text.push_str(&format!("{batch:?}"));
            for binary in batch.columns().iter().filter_map(|column| column.as_binary_opt::<i32>()) {
                let values = binary.iter().flatten().map(String::from_utf8_lossy);
                values.for_each(|value| text.push_str(&value));
            }
        }
    }
    let objects = place.store().objects();
    let all: Vec<_> = objects.list(None).try_collect().await.unwrap();
    for object in all.into_iter().map(|meta| meta.location).filter(|path| path.as_ref().contains("_delta_log")) {
        text.push_str(&String::from_utf8_lossy(&objects.get(&object).await.unwrap().bytes().await.unwrap()));
    }
    text
}

#[tokio::test]
async fn no_token_is_in_any_column_or_in_the_tables_log() {
    let mut place = Place::new();
    let in_subject = referral(2).header("ce_subject", &format!("{POLICE}/{TOKEN}"));
    place.send(&[referral(1), in_subject, referral(3).value("{"), referral(1)]);
    let counts = place.drain().await.counts;
    assert_eq!((counts.ok, counts.set_aside_total(), counts.duplicate), (1, 2, 1));
    let everything = everything(&mut place).await;
    assert!(everything.contains(&record(POLICE, 1)), "the columns were looked at");
    assert!(everything.contains("\"numRecords"), "so was the table's log");
    assert!(!everything.contains(TOKEN));
}

#[tokio::test]
async fn persons_whom_linkage_names_by_their_ids_are_subjects_too() {
    let (person, into) = ("00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100");
    let data =
        format!(r#"{{"record_version":1,"person_id":"{person}","into":"{into}","evidence":"model","confidence":990}}"#);
    let mut place = Place::new();
    place.send(&[event("LINK", "persons.merged", 1, &data)]);
    place.drain().await;
    let row = &place.rows().await[0];
    assert_eq!(row.status(), "ok", "{}", row.detail());
    let named: Vec<String> = row.subjects.as_ref().unwrap().iter().map(|id| hex(id)).collect();
    assert_eq!(named, [person, into], "so that erasure finds them");
    assert_eq!(row.links.as_ref().map(Vec::len), Some(0), "they are no tokens");
}

#[tokio::test]
async fn an_event_with_a_token_of_its_own_person_in_subject_or_case_is_set_aside() {
    let victim = |case_id: &str| {
        let data = format!(
            r#"{{"record_version":1,"occurred_on":"2024-03","person":[{{"kind":"record","token":"{TOKEN}"}}],"sex":"F","age_band":"18-20","citizenship":"PK","status":"actual","exploitation":["sexual"],"place_identified":"PK-PB","referral_source":"police","case_id":"{case_id}"}}"#
        );
        event(POLICE, "victim.identified", 1, &data)
    };
    let escaped = format!("{POLICE}/\\u00{:02x}{}", TOKEN.as_bytes()[0], &TOKEN[1..]);
    let bad = [
        referral(1).header("ce_subject", &format!("{POLICE}/{TOKEN}")),
        victim(&format!("{POLICE}/{TOKEN}")),
        victim(&escaped),
    ];
    let mut place = Place::new();
    place.send(&bad);
    place.send(&[victim(&record(POLICE, 7))]);
    place.drain().await;
    let rows = place.rows().await;
    for (row, place) in rows.iter().zip(["subject:", "data:", "data:"]) {
        assert_eq!((row.status(), row.class()), ("set_aside", "schema"), "{}", row.detail());
        assert!(row.detail().starts_with(place), "{}", row.detail());
    }
    assert_eq!(rows[3].status(), "ok", "{}", rows[3].detail());
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
