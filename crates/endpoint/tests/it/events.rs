//! Server-sent events: a hint that there is a new edition.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, Response, StatusCode};
use endpoint::Settings;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::world::{World, world};

async fn open(world: &World, known: Option<&str>) -> Response<Body> {
    let mut request = Request::get("/v1/events");
    if let Some(known) = known {
        request = request.header("last-event-id", known);
    }
    world.doors.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// What comes next; None where the stream has ended.
async fn next(stream: &mut BodyDataStream) -> Option<String> {
    let piece = tokio::time::timeout(Duration::from_secs(10), stream.next()).await.expect("something comes");
    piece.map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap())
}

async fn publish(world: &World, edition: u32) {
    world.memory.visible.store(edition, Ordering::SeqCst);
    world.reader.refresh().await.unwrap();
}

#[tokio::test]
async fn a_new_edition_is_told_to_who_listens() {
    let world = world(1, false, Settings::default()).await;
    let response = open(&world, None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let mut stream = response.into_body().into_data_stream();
    let first = next(&mut stream).await.unwrap();
    for line in ["event: edition\n", "id: 1\n", "retry: 10000\n"] {
        assert!(first.contains(line), "{line} in {first}");
    }
    let data = r#"data: {"edition":2,"as_of":"2024-12-31","published_at":"2025-02-15T08:00:00Z","synthetic":false,"href":"/v1/editions/2"}"#;
    publish(&world, 2).await;
    let second = next(&mut stream).await.unwrap();
    assert!(second.contains("id: 2\n") && second.contains(data), "{second}");
}

#[tokio::test]
async fn who_comes_back_is_told_what_was_missed_and_no_more() {
    let world = world(3, false, Settings::default()).await;
    let mut stream = open(&world, Some("1")).await.into_body().into_data_stream();
    assert!(next(&mut stream).await.unwrap().contains("id: 2\n"));
    assert!(next(&mut stream).await.unwrap().contains("id: 3\n"));
    let mut stream = open(&world, Some("3")).await.into_body().into_data_stream();
    publish(&world, 4).await;
    assert!(next(&mut stream).await.unwrap().contains("id: 4\n"), "3 was known");
    for of_another_store in ["99", "x", "-1", ""] {
        let mut stream = open(&world, Some(of_another_store)).await.into_body().into_data_stream();
        assert!(next(&mut stream).await.unwrap().contains("id: 4\n"), "{of_another_store}");
    }
}

#[tokio::test]
async fn there_are_so_many_streams_and_no_more() {
    let world = world(1, false, Settings { streams: 2, ..Settings::default() }).await;
    let (one, two) = (open(&world, None).await, open(&world, None).await);
    assert_eq!((one.status(), two.status()), (StatusCode::OK, StatusCode::OK));
    let refused = world.get("/v1/events", &[]).await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (503, "too_many_streams".to_owned()));
    assert_eq!(refused.header("retry-after"), "5");
    drop(one);
    assert_eq!(open(&world, None).await.status(), StatusCode::OK, "a place is given back");
    drop(two);
}

#[tokio::test]
async fn streams_end_when_the_service_stops() {
    let stop = CancellationToken::new();
    let world = world(1, false, Settings { stop: stop.clone(), ..Settings::default() }).await;
    let mut stream = open(&world, None).await.into_body().into_data_stream();
    next(&mut stream).await.unwrap();
    stop.cancel();
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn a_stream_outlives_the_limit_of_a_request() {
    let settings = Settings { request_timeout: Duration::ZERO, ..Settings::default() };
    let world = world(1, false, settings).await;
    let mut stream = open(&world, Some("1")).await.into_body().into_data_stream();
    // The limit has passed: the stream still tells.
    publish(&world, 2).await;
    assert!(next(&mut stream).await.unwrap().contains("id: 2\n"));
}
