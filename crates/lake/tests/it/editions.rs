//! Editions: numbered without gaps, immutable, visible whole.

use lake::{LakeError, Published};
use serde_json::json;
use uuid::Uuid;

use crate::support::*;

async fn published(place: &Place) -> Published {
    Published::open_or_create(&place.store, &["sex"]).await.unwrap()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

#[tokio::test]
async fn old_editions_stay_as_they_were() {
    let place = Place::new();
    let mut publisher = published(&place).await;
    assert_eq!(publisher.latest().await.unwrap(), None);
    let first = publisher.append_edition(1, id(1), &[edition(1, &[13, 98])], json!({"as_of": "a"})).await.unwrap();
    let second = publisher.append_edition(2, id(2), &[edition(2, &[13, 98, 7])], json!({"as_of": "b"})).await.unwrap();
    assert_ne!(first.rows_blake3, second.rows_blake3);
    let mut reader = Published::open(&place.store);
    assert_eq!(reader.numbers().await.unwrap(), [1, 2]);
    assert_eq!(reader.edition(1).await.unwrap(), first);
    for (number, expected) in [(1, edition(1, &[13, 98])), (2, edition(2, &[13, 98, 7]))] {
        let rows = reader.read(number).await.unwrap();
        let hash = lake::canonical::hash(&expected.schema(), &rows).unwrap();
        assert_eq!(hash, lake::canonical::hash(&expected.schema(), &[expected]).unwrap());
    }
    assert!(matches!(reader.read(3).await, Err(LakeError::NoEdition(3))));
}

#[tokio::test]
async fn numbers_go_up_by_one_and_of_two_publishers_one_wins() {
    let place = Place::new();
    let (mut a, mut b) = (published(&place).await, published(&place).await);
    let gap = a.append_edition(2, id(1), &[edition(2, &[1])], json!({})).await.unwrap_err();
    assert!(matches!(gap, LakeError::EditionTaken { asked: 2, latest: 0 }));
    let (rows_a, rows_b) = ([edition(1, &[1])], [edition(1, &[2])]);
    let (first, second) = tokio::join!(
        a.append_edition(1, id(2), &rows_a, json!({"by": "a"})),
        b.append_edition(1, id(3), &rows_b, json!({"by": "b"})),
    );
    let winners = [&first, &second].into_iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(winners, 1, "{first:?} {second:?}");
    let loser = first.err().or(second.err()).unwrap();
    assert!(matches!(loser, LakeError::EditionTaken { asked: 1, latest: 1 }), "{loser}");
    let mut reader = Published::open(&place.store);
    assert_eq!(reader.read(1).await.unwrap().iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 1);
}

#[tokio::test]
async fn an_edition_whose_publisher_died_before_the_manifest_is_completed_and_not_seen_before() {
    let (place, faults) = (Place::new(), Faults::default());
    let mut publisher = Published::open_or_create(&place.through(&faults), &["sex"]).await.unwrap();
    faults.script("editions/1.json", &[Fault::Away]);
    publisher.append_edition(1, id(1), &[edition(1, &[13])], json!({"as_of": "a"})).await.unwrap_err();
    let reader = Published::open(&place.store);
    assert_eq!(reader.latest().await.unwrap(), None, "half of an edition is no edition");
    published(&place).await;
    let info = reader.edition(1).await.unwrap();
    assert_eq!((info.rows, info.manifest), (1, json!({"as_of": "a"})));
}

#[tokio::test]
async fn an_edition_whose_answer_was_lost_is_published_once() {
    let (place, faults) = (Place::new(), Faults::default());
    let mut publisher = Published::open_or_create(&place.through(&faults), &["sex"]).await.unwrap();
    faults.script("_delta_log", &[Fault::LostAnswer]);
    let info = publisher.append_edition(1, id(1), &[edition(1, &[13])], json!({})).await.unwrap();
    assert_eq!((info.edition, Published::open(&place.store).numbers().await.unwrap()), (1, vec![1]));
    assert_eq!(place.files("lake/published/indicator_values/_delta_log", ".json").await.len(), 2, "one commit, once");
}

#[tokio::test]
async fn a_table_gets_new_dimensions_and_old_editions_keep_their_rows_and_their_hash() {
    let place = Place::new();
    let first = published(&place).await.append_edition(1, id(1), &[edition(1, &[13, 98])], json!({})).await.unwrap();
    let commits = async || place.files("lake/published/indicator_values/_delta_log", ".json").await.len();
    let before = commits().await;

    let wider = ["sex", "service", "country"];
    let mut publisher = Published::open_or_create(&place.store, &wider).await.unwrap();
    assert_eq!(commits().await, before + 1, "one commit of metadata");
    Published::open_or_create(&place.store, &wider).await.unwrap();
    assert_eq!(commits().await, before + 1, "and none where nothing is missing");
    let rows = edition_by(&wider, 2, &[7]);
    let second = publisher.append_edition(2, id(2), std::slice::from_ref(&rows), json!({})).await.unwrap();

    let mut reader = Published::open(&place.store);
    for (info, columns) in [(&first, lake::published::schema(&["sex"])), (&second, lake::published::schema(&wider))] {
        let rows = reader.read(info.edition).await.unwrap();
        let names = |schema: &arrow::datatypes::Schema| {
            schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&rows[0].schema()), names(&columns), "the columns that the edition had, in their order");
        let hash = lake::canonical::hash(&rows[0].schema(), &rows).unwrap().to_hex().to_string();
        assert_eq!(hash, info.rows_blake3, "edition {}", info.edition);
    }
    let fresh = Place::new();
    let mut fresh = Published::open_or_create(&fresh.store, &wider).await.unwrap();
    let first_there = edition_by(&wider, 1, &[7]);
    let there = fresh.append_edition(1, id(3), std::slice::from_ref(&first_there), json!({})).await.unwrap();
    let hash = lake::canonical::hash(&first_there.schema(), &[first_there]).unwrap().to_hex().to_string();
    assert_eq!(there.rows_blake3, hash, "the hash is that of the rows, however the table came by its columns");
}

#[tokio::test]
async fn of_two_publishers_who_add_dimensions_both_find_them() {
    let place = Place::new();
    published(&place).await;
    let wider = ["sex", "service"];
    let (a, b) =
        tokio::join!(Published::open_or_create(&place.store, &wider), Published::open_or_create(&place.store, &wider),);
    for mut opened in [a.unwrap(), b.unwrap()] {
        assert!(opened.table_schema().await.unwrap().unwrap().field_with_name("service").is_ok());
    }
}

#[tokio::test]
async fn fewer_dimensions_and_other_columns_are_refused() {
    let place = Place::new();
    let mut publisher = published(&place).await;
    assert!(matches!(
        publisher.append_edition(1, id(1), &[table(&[(1, None)])], json!({})).await,
        Err(LakeError::Schema(_))
    ));
    assert_eq!(publisher.latest().await.unwrap(), None);
    let fewer = Published::open_or_create(&place.store, &["province"]).await;
    assert!(matches!(&fewer, Err(LakeError::Schema(what)) if what.contains("`sex`")), "{fewer:?}");
}

#[tokio::test]
async fn a_torn_manifest_is_named() {
    let place = Place::new();
    published(&place).await.append_edition(1, id(1), &[edition(1, &[13])], json!({})).await.unwrap();
    let file = place.files("lake/published/editions", "1.json").await.pop().unwrap();
    place.overwrite(file.as_ref(), b"{\"edition\": 1,").await;
    let error = Published::open(&place.store).edition(1).await.unwrap_err();
    assert!(matches!(&error, LakeError::Json { what, .. } if what.contains("1.json")), "{error}");
}

#[tokio::test]
async fn the_latest_version_of_a_reference_table_is_read() {
    let place = Place::new();
    for (version, rows) in [("2023", table(&[(1, Some("a"))])), ("2024", table(&[(2, Some("b")), (3, None)]))] {
        Published::write_reference(&place.store, "population", version, &rows, json!({})).await.unwrap();
    }
    let reader = Published::open(&place.store);
    assert_eq!(reader.references().await.unwrap(), ["population"]);
    assert_eq!(reader.reference("population").await.unwrap(), [table(&[(2, Some("b")), (3, None)])]);
    assert!(matches!(reader.reference("weather").await, Err(LakeError::NoFolder(_))));
}
