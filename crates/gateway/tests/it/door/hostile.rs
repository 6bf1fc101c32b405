//! Bodies that mean harm: each ends in an answer that names the place and no value, with bounded memory, and nothing is appended.

use std::io::Write;

use axum::body::Body;
use axum::http::Request;
use gateway::door::Limits;
use serde_json::json;

use super::world::{Answered, World, event, lines};

/// Sends bytes, perhaps coded.
async fn send(world: &World, bytes: Vec<u8>, headers: &[(&str, &str)]) -> Answered {
    let mut request = Request::post("/v1/events")
        .header("authorization", format!("bearer  {}", world.keys[0]))
        .header("content-type", "application/x-ndjson");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::from(bytes)).unwrap()).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_in_gzip_or_zstd_is_read_like_the_one_in_clear() {
    let world = World::new();
    let body = lines(1..200);
    let zstd = zstd::encode_all(body.as_bytes(), 1).unwrap();
    for (coding, bytes) in [("gzip", gzip(body.as_bytes())), ("zstd", zstd), ("identity", body.clone().into_bytes())] {
        let answer = send(&world, bytes, &[("content-encoding", coding)]).await;
        assert_eq!((answer.status, &answer.body["accepted"]), (202, &json!(199)), "{coding}");
    }
}

#[tokio::test]
async fn a_bomb_ends_at_the_bound() {
    let world = World::with(Limits { decoded_bytes: 1 << 20, ..Limits::default() });
    let blank = vec![b'\n'; 64 << 20];
    let window = {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&blank).unwrap();
        encoder.finish().unwrap()
    };
    for (coding, bytes, status) in [
        ("gzip", gzip(&blank), 413),
        ("zstd", zstd::encode_all(&blank[..16 << 20], 1).unwrap(), 413),
        ("zstd", window, 400),
        ("gzip", gzip(b"{}")[..10].to_vec(), 400),
        ("zstd", b"no zstd".to_vec(), 400),
        ("gzip", event(1).into_bytes(), 400),
    ] {
        assert!(bytes.len() < 1 << 20);
        let answer = send(&world, bytes, &[("content-encoding", coding)]).await;
        assert_eq!(answer.status, status, "{coding}: {answer:?}");
    }
    assert!(world.appended().is_empty());
}

#[tokio::test]
async fn odd_documents_are_refused_by_line_and_never_quoted() {
    let world = World::new();
    let deep = "[".repeat(100_000);
    let secret = "secretvalue";
    let odd: Vec<Vec<u8>> = vec![
        vec![0xff, 0xfe, b'{'],
        b"null".to_vec(),
        b"\"secretvalue\"".to_vec(),
        deep.clone().into_bytes(),
        format!("{}{}", event(1), event(2)).into_bytes(),
        event(1).replace("\"data\":{", "\"data\":null,\"x\":{").into_bytes(),
        event(1).replace("\"sex\":\"F\"", "\"sex\":null").into_bytes(),
        event(1).replace("\"sex\":\"F\"", "\"sex\":\"F\",\"sex\":\"F\"").into_bytes(),
        event(1).replace("\"sex\":\"F\"", &format!("\"{secret}\":\"{secret}\",\"sex\":\"F\"")).into_bytes(),
        event(1).replace("\"sex\":\"F\"", &format!("\"sex\":{}", "[1,".repeat(40))).into_bytes(),
        event(1).replace("9x4k2mvq7trz0wbh6sdn", secret).into_bytes(),
        event(1).replace('{', "{\u{0}").into_bytes(),
    ];
    let whole = odd.join(&b'\n');
    let answer = send(&world, whole, &[]).await;
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!((answer.status, results.len()), (422, odd.len()), "{answer:?}");
    for (line, result) in (1..).zip(results) {
        assert_eq!(result["line"], line);
        assert!(!result["problem"]["mistakes"][0]["expected"].as_str().unwrap().is_empty());
    }
    assert!(!answer.body.to_string().contains(secret), "{}", answer.body);
    for kind in ["application/json", "application/cloudevents-batch+json"] {
        let bytes = deep.clone().into_bytes();
        let request = Request::post("/v1/events").header("authorization", format!("Bearer {}", world.keys[0]));
        let request = request.header("content-type", kind).body(Body::from(bytes)).unwrap();
        assert_eq!(world.send(request).await.status, 400, "{kind}");
    }
    assert!(world.appended().is_empty());
}

#[tokio::test]
async fn a_batch_that_is_no_array_or_of_too_many_small_things_is_refused() {
    let world = World::with(Limits { events: 10, ..Limits::default() });
    let kind = [("content-type", "application/cloudevents-batch+json")];
    for (body, status) in [
        (event(1), 400),
        ("[]".to_owned(), 400),
        (format!("[{}] []", event(1)), 400),
        (format!("[{}", event(1)), 400),
        (format!("[{}0]", "0,".repeat(1_000_000)), 413),
    ] {
        let answer = world.events(&body, &kind).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let mixed = world.events(&format!("[{}, null, 7]", event(1)), &kind).await;
    assert_eq!((mixed.status, &mixed.body["results"][1]["line"]), (207, &json!(2)), "{mixed:?}");
}

#[tokio::test]
async fn a_thousand_mistakes_in_a_line_are_told_within_bounds() {
    let world = World::new();
    let many = event(1).replace("[\"forced_labour\"]", &format!("[{}1]", "1,".repeat(20_000)));
    let answer = world.events(&many, &[]).await;
    let mistakes = answer.body["results"][0]["problem"]["mistakes"].as_array().unwrap().len();
    assert!(answer.status == 422 && (1..=250).contains(&mistakes), "{mistakes}");
}

#[tokio::test]
async fn an_event_that_says_that_it_was_recorded_tomorrow_or_later_is_refused_as_the_worker_would() {
    let world = World::new();
    let answer = world.events(&event(1).replace("2026-03-10", "2026-12-02"), &[]).await;
    let problem = &answer.body["results"][0]["problem"];
    assert_eq!((answer.status, &problem["code"]), (422, &json!("not_admitted")), "{answer:?}");
    assert_eq!(problem["mistakes"][0]["place"], "time");
    assert_eq!(world.events(&event(1).replace("2026-03-10", "2026-12-01"), &[]).await.status, 202, "clocks differ");
}
