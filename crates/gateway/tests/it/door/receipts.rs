//! What becomes of the events of a receipt, as the stream of receipts tells it.

use serde_json::{Value, json};

use super::world::{Answered, World, event, lines};

/// The statuses of a receipt's events.
fn statuses(answer: &Answered) -> Vec<&str> {
    answer.body["events"].as_array().unwrap().iter().map(|event| event["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_event_is_durable_then_what_the_lake_says_then_counted_in_an_edition() {
    let world = World::new();
    let sent = world.events(&lines(1..5), &[]).await;
    let address = sent.header("location").to_owned();
    let first = world.get(&address).await;
    assert_eq!((first.status, statuses(&first)), (200, vec!["durable"; 4]), "{first:?}");
    // Offset 0 is the event by which the world began.
    world.log.told((0, 4), 7, &[(2, "set_aside"), (3, "duplicate")]);
    let told = world.until(|| world.get(&address), |answer| statuses(answer)[0] != "durable").await;
    assert_eq!(statuses(&told), ["accepted", "set_aside", "duplicate", "durable"]);
    let aside = &told.body["events"][1];
    assert_eq!((&aside["lake_version"], &aside["reason"]), (&json!(7), &json!("schema")));
    assert!(aside["detail"].as_str().unwrap().contains("data.sex"));
    world.log.told((4, 5), 8, &[(4, "conflict")]);
    world.log.edition(3, 5);
    let counted = world.until(|| world.get(&address), |answer| answer.body["events"][0]["counted_in"] == 3).await;
    assert_eq!(statuses(&counted), ["accepted", "set_aside", "duplicate", "conflict"]);
    let counts = &counted.body["counts"];
    assert_eq!((&counts["accepted"], &counts["conflict"], &counts["durable"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(counted.body["events"][1]["counted_in"], Value::Null, "only what was accepted is counted");
    world.log.edition(4, 9);
    world.log.told((5, 6), 9, &[]);
    let known = world.events(&event(6), &[]).await.header("location").to_owned();
    world.until(|| world.get(&known), |answer| statuses(answer) == ["accepted"]).await;
    assert_eq!(world.get(&address).await.body["events"][0]["counted_in"], 3, "the first edition that counts it stays");
}

#[tokio::test]
async fn what_was_heard_stays_after_a_restart_and_is_not_heard_twice() {
    let mut world = World::new();
    let address = world.events(&event(1), &[]).await.header("location").to_owned();
    world.log.told((0, 2), 7, &[]);
    world.until(|| world.get(&address), |answer| statuses(answer) == ["accepted"]).await;
    world = world.again();
    // Told again with another version, and more: what was told first holds, what is new is added.
    let second = world.events(&event(2), &[]).await.header("location").to_owned();
    world.log.told((0, 9), 9, &[(1, "set_aside")]);
    let told = world.until(|| world.get(&second), |answer| statuses(answer) == ["accepted"]).await;
    assert_eq!(told.body["events"][0]["lake_version"], 9);
    let first = world.get(&address).await;
    assert_eq!((statuses(&first), &first.body["events"][0]["lake_version"]), (vec!["accepted"], &json!(7)));
}

#[tokio::test]
async fn an_offset_that_was_passed_without_a_row_is_said_to_be() {
    let world = World::new();
    let address = world.events(&event(1), &[]).await.header("location").to_owned();
    world.log.told((0, 1), 7, &[]);
    world.log.told((5, 6), 8, &[]);
    world.until(|| world.get(&address), |answer| statuses(answer) == ["passed_over"]).await;
}

#[tokio::test]
async fn a_receipt_is_its_agencys_alone_and_others_cannot_tell_that_it_is() {
    let world = World::new();
    let address = world.events(&event(1), &[]).await.header("location").to_owned();
    assert_eq!(world.get(&address).await.status, 200);
    let theirs = world.get_by(&address, &world.keys[1]).await;
    let none = world.get_by("/v1/receipts/00000000000000000000000000000000", &world.keys[1]).await;
    assert_eq!((theirs.status, &theirs.body), (404, &none.body));
    assert_eq!(world.get_by(&address, "amanat_0").await.status, 401);
    for odd in ["x", "%ff", "018f2f6e-8d0a-7c3e-9b1f-2a4c6e8d0b13"] {
        assert!([400, 404].contains(&world.get(&format!("/v1/receipts/{odd}")).await.status), "{odd}");
    }
}

#[tokio::test]
async fn a_message_of_another_form_on_the_stream_is_passed_over() {
    let world = World::new();
    let address = world.events(&event(1), &[]).await.header("location").to_owned();
    let odd = eventlog::Outgoing { key: None, headers: &[], value: Some(b"{\"later\":1}"), timestamp_ms: 1 };
    world.log.sink().append(eventlog::RECEIPTS, &[odd]).unwrap();
    world.log.told((0, 2), 7, &[]);
    world.until(|| world.get(&address), |answer| statuses(answer) == ["accepted"]).await;
}
