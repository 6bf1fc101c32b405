//! Each status of `POST /v1/events`, as a sentence.

use eventlog::simulated::WriteFault;
use gateway::door::Limits;
use serde_json::{Value, json};

use super::world::{STREAM, World, event, lines};

#[tokio::test]
async fn one_event_is_accepted_with_a_receipt_when_it_is_in_the_log() {
    let world = World::new();
    for kind in ["application/cloudevents+json", "application/json; charset=utf-8"] {
        let answer = world.events(&event(7), &[("content-type", kind)]).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let (receipt, result) = (answer.body["receipt"].as_str().unwrap(), &answer.body["results"][0]);
        assert_eq!(answer.header("location"), format!("/v1/receipts/{receipt}"));
        assert_eq!((&result["line"], &result["stream"], &result["partition"]), (&json!(1), &json!(STREAM), &json!(0)));
        let offset = result["offset"].as_u64().unwrap() as usize;
        let on_stream = world.log.on(STREAM);
        let data: Value = serde_json::from_str(&event(7)).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&on_stream[offset]).unwrap(), data["data"]);
    }
}

#[tokio::test]
async fn a_batch_and_lines_are_accepted_whole_and_in_order() {
    let world = World::new();
    let batch = format!("[{}, {}]", event(1), event(2));
    let answer = world.events(&batch, &[("content-type", "application/cloudevents-batch+json")]).await;
    assert_eq!((answer.status, &answer.body["accepted"]), (202, &json!(2)), "{answer:?}");
    let answer = world.events(&format!("\u{feff}{}\r\n\n{}", event(3), event(4)), &[]).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let places =
        |field: &str| answer.body["results"].as_array().unwrap().iter().map(|r| r[field].clone()).collect::<Vec<_>>();
    assert_eq!((places("line"), places("offset")), (vec![json!(1), json!(3)], vec![json!(3), json!(4)]));
    assert_eq!(world.appended().len(), 4);
}

#[tokio::test]
async fn of_some_bad_lines_the_good_ones_are_in_and_each_bad_one_has_its_own_problem() {
    let world = World::new();
    let body = [
        event(1),
        event(2).replace("\"F\"", "\"secretvalue\"").replace("\"actual\"", "\"secretvalue\""),
        "{\"broken\"".into(),
        event(4).replace("POL-PB", "FIA"),
        event(5),
    ];
    let answer = world.events(&body.join("\n"), &[]).await;
    assert_eq!((answer.status, &answer.body["accepted"], &answer.body["refused"]), (207, &json!(2), &json!(3)));
    let results = answer.body["results"].as_array().unwrap();
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [202, 422, 400, 403, 202]);
    let mistakes = results[1]["problem"]["mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len(), 2, "every mistake of the line: {mistakes:?}");
    assert!(mistakes[0]["place"].as_str().unwrap().starts_with("data.sex (line 2, column"), "{mistakes:?}");
    assert_eq!(results[3]["problem"]["code"], "agency_mismatch");
    assert!(!answer.body.to_string().contains("secretvalue"));
    assert_eq!(world.appended().len(), 2);
}

#[tokio::test]
async fn nothing_accepted_is_refused_with_the_status_of_the_lines_or_422_where_they_differ() {
    let world = World::new();
    let wrong_code = event(1).replace("\"F\"", "\"Q\"");
    for (body, status, code) in [
        (wrong_code.clone(), 422, "not_accepted"),
        ("no json".into(), 400, "not_accepted"),
        (event(1).replace("POL-PB", "FIA"), 403, "not_accepted"),
        (event(1).replace("victim.identified", "judgment.delivered"), 422, "not_accepted"),
        (format!("no json\n{wrong_code}"), 422, "not_accepted"),
        (event(1).replace("2026-03-10", "2026-12-20"), 422, "not_accepted"),
        (" \n\n".into(), 400, "nothing_sent"),
    ] {
        let answer = world.events(&body, &[]).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert!(world.appended().is_empty());
}

#[tokio::test]
async fn a_type_that_the_agency_may_not_emit_is_refused_403() {
    let world = World::new();
    let answer = world
        .events(
            r#"{"specversion":"1.0","id":"018f2f6e-8d0a-7c3e-9b1f-2a4c00000001","source":"urn:pk:tip:POL-PB","type":"pk.tip.contact.received","dataschema":"https://schemas.amanat.example/contact.received/v1","subject":"POL-PB/0q7vkzr3m9xw2t8h","time":"2026-03-10T14:00:00+05:00","synthetic":true,"data":{"record_version":1,"occurred_on":"2026-03","kind":"help","place":"PK-PB","referral_made":"yes"}}"#,
            &[],
        )
        .await;
    let code = &answer.body["results"][0]["problem"]["code"];
    assert_eq!((answer.status, code), (403, &json!("type_not_permitted")), "{answer:?}");
}

#[tokio::test]
async fn without_a_key_that_holds_nothing_is_read() {
    let world = World::new();
    let wrong = format!("Bearer {}", world.keys[0].replace('1', "2").replace('a', "b"));
    for authorization in ["", "Bearer", "Bearer amanat_0", "Basic YTpi", &wrong] {
        let answer = world.events(&event(1), &[("authorization", authorization)]).await;
        assert_eq!((answer.status, answer.code()), (401, "not_proven"), "{authorization}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    let twice = [("authorization", "Bearer x"), ("Authorization", "Bearer y")];
    assert_eq!(world.events(&event(1), &twice).await.status, 401);
    world.door.admit(policy::Producers::default());
    assert_eq!(world.events(&event(1), &[]).await.status, 401, "a key that was taken out");
}

#[tokio::test]
async fn a_type_or_coding_that_is_not_read_is_refused_415() {
    let world = World::new();
    for headers in [
        [("content-type", "text/plain"), ("x", "")],
        [("content-type", "application/json; charset=utf-16"), ("x", "")],
        [("content-type", "application/json"), ("ce-specversion", "1.0")],
        [("content-type", "application/json"), ("content-encoding", "br")],
        [("content-type", "application/json"), ("content-encoding", "gzip, gzip")],
    ] {
        assert_eq!(world.events(&event(1), &headers).await.status, 415, "{headers:?}");
    }
}

#[tokio::test]
async fn beyond_a_limit_is_413_and_the_limit_is_said() {
    let limits = Limits { body_bytes: 4_000, event_bytes: 2_000, events: 3, ..Limits::default() };
    let world = World::with(limits);
    let answer = world.events(&lines(0..3), &[]).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let answer = world.events("a\nb\nc\nd\n", &[]).await;
    assert_eq!((answer.status, answer.code()), (413, "too_many_events"), "{answer:?}");
    assert!(answer.body["detail"].as_str().unwrap().contains('3'));
    let answer = world.events(&" ".repeat(4_001), &[]).await;
    assert_eq!((answer.status, answer.code()), (413, "body_too_large"));
    let answer = world.events(&event(1).replace("forced_labour", &"x".repeat(1_500)), &[]).await;
    assert_eq!((answer.status, &answer.body["results"][0]["problem"]["code"]), (413, &json!("oversize")), "{answer:?}");
}

#[tokio::test]
async fn what_the_log_does_not_take_is_503_with_the_time_to_come_again_and_the_next_is_taken() {
    let (world, log) = World::simulated();
    for fault in [WriteFault::Unavailable, WriteFault::DiskFull, WriteFault::LostAnswer] {
        log.on_append(fault);
        let answer = world.events(&event(1), &[("idempotency-key", "one")]).await;
        assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (503, "log_away", "5"), "{answer:?}");
        assert!(answer.body["hint"].as_str().unwrap().contains("Idempotency-Key"));
    }
    assert_eq!(world.events(&event(1), &[("idempotency-key", "one")]).await.status, 202);
    assert_eq!(
        world.appended().len(),
        2,
        "the copy whose answer was lost, and this one: the worker knows it by its id"
    );
}

#[tokio::test]
async fn what_is_not_taken_up_at_once_is_429_and_goes_when_there_is_room() {
    let world = World::with(Limits { requests: 1, ..Limits::default() });
    world.gate.shut(true);
    let (body, one) = (event(1), event(2));
    let first = world.events(&body, &[]);
    let second = async {
        let answer = world.events(&one, &[]).await;
        world.gate.shut(false);
        answer
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((second.status, second.code(), second.header("retry-after")), (429, "busy", "1"), "{second:?}");
    assert_eq!(first.status, 202);
    assert_eq!(world.events(&one, &[]).await.status, 202);
    let world = World::with(Limits { held_bytes: 8 << 10, ..Limits::default() });
    assert_eq!(world.events(&lines(0..20), &[]).await.status, 429, "bytes are bounded too");
    assert_eq!(world.events(&event(1), &[]).await.status, 202);
}

#[tokio::test]
async fn validating_names_every_mistake_and_appends_nothing() {
    let world = World::new();
    let body = format!("{}\n{}", event(1), event(2).replace("\"F\"", "\"Q\"").replace("\"PK\"", "\"QQQ\""));
    let answer = world.send(world.post("/v1/validate", &body, &[])()).await;
    assert_eq!((answer.status, &answer.body["events"], &answer.body["valid"]), (200, &json!(2), &json!(1)));
    assert_eq!(answer.body["results"][0]["problem"]["mistakes"].as_array().unwrap().len(), 2, "{answer:?}");
    assert!(world.appended().is_empty());
    let answer = world.send(world.post("/v1/validate", &body, &[("authorization", "")])()).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn the_description_of_the_door_has_every_address_and_codes_are_explained() {
    let world = World::new();
    let document = world.get("/v1/openapi.json").await.body;
    for path in ["/v1/events", "/v1/validate", "/v1/receipts/{id}", "/v1/mappings/{name}"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert_eq!(world.get("/v1/problems/busy").await.body["status"], 429);
    assert_eq!(world.get("/v1/nothing").await.status, 404);
    assert_eq!(world.get("/v1/events").await.status, 405);
}
