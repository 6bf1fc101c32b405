//! What is given again without being made again: it is what the long way would give, and nothing else.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use endpoint::Settings;

use crate::world::{Reply, World, embargoed, real, world};

fn shown(reply: &Reply) -> (StatusCode, String, axum::body::Bytes) {
    // A length says nothing of a 304, which has no body (RFC 9110, 15.4.5); one of the libraries on the way writes it.
    let of_length = |name: &str| reply.status == StatusCode::NOT_MODIFIED && name == "content-length";
    let headers = reply.headers.iter().filter(|(name, _)| !of_length(name.as_str()));
    let mut headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    (reply.status, headers.join("\n"), reply.body.clone())
}

/// The answer by the long way: who shows a cookie, be it of no session, does not go the short one.
async fn long_way(world: &World, path: &str, headers: &[(&str, &str)]) -> Reply {
    world.get(path, &[headers, &[("cookie", "a=b")]].concat()).await
}

#[tokio::test]
async fn an_answer_that_is_given_again_is_the_one_that_would_be_made_again() {
    let world = real().await;
    let mut compared = 0;
    for path in [
        "/v1/indicators/V01",
        "/v1/indicators/V01/data",
        "/v1/indicators/v01/data?province=PK-PB&format=csv&bom=true",
        "/v1/indicators/V01/data?edition=1&limit=2",
        "/v1/indicators/V01/data?format=parquet",
        "/v1/indicators/V01/revisions",
        "/sdmx/v2/data/dataflow/AMANAT/V01",
        "/v1/indicators/V01/data?province=nowhere",
        "/v1/indicators/V99/data",
        "/v1/editions",
        "/",
    ] {
        for accept in ["*/*", "text/csv", "text/html", "application/json", "image/png"] {
            for coding in ["gzip", "br;q=0.5, zstd", "identity", ""] {
                let headers = [("accept", accept), ("accept-encoding", coding)];
                let first = long_way(&world, path, &headers).await;
                for _ in 0..3 {
                    assert_eq!(shown(&world.get(path, &headers).await), shown(&first), "{path} {headers:?}");
                }
                for unchanged in
                    [("if-none-match", first.header("etag")), ("if-modified-since", first.header("last-modified"))]
                {
                    let headers = [&headers[..], &[unchanged]].concat();
                    let (short, long) = (world.get(path, &headers).await, long_way(&world, path, &headers).await);
                    assert_eq!(shown(&short), shown(&long), "{path} {headers:?}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 400);
}

#[tokio::test]
async fn a_new_edition_is_given_as_soon_as_it_is_there_and_to_who_has_the_old_one() {
    let world = world(1, false, Settings::default()).await;
    let path = "/v1/indicators/V01/data?province=PK-PB";
    let first = world.get(path, &[]).await;
    assert_eq!(world.get(path, &[("if-none-match", first.header("etag"))]).await.status, StatusCode::NOT_MODIFIED);
    world.memory.visible.store(2, Ordering::SeqCst);
    assert_eq!(shown(&world.get(path, &[]).await), shown(&first), "an edition that nobody has looked for is not there");
    world.reader.refresh().await.unwrap();
    let second = world.get(path, &[("if-none-match", first.header("etag"))]).await;
    assert_eq!((second.status, second.header("amanat-edition")), (StatusCode::OK, "2"));
    assert_ne!(second.body, first.body);
}

#[tokio::test]
async fn who_shows_a_key_is_looked_at_whatever_is_kept() {
    let world = embargoed(Settings::default()).await;
    let path = "/v1/indicators/V01/data";
    for _ in 0..2 {
        assert_eq!(world.get(path, &[]).await.status, StatusCode::OK);
    }
    let wrong = world.get(path, &[("authorization", "Bearer nobody's")]).await;
    assert_eq!((wrong.status, wrong.problem()), (StatusCode::UNAUTHORIZED, "key_needed".to_owned()));
    let head = world.send("HEAD", path, &[], "").await;
    assert!(head.status == StatusCode::OK && head.body.is_empty() && !head.header("etag").is_empty());
    assert_eq!(world.send("POST", path, &[], "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}
