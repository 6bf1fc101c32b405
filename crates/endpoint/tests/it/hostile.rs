//! Nothing that a client writes makes the door fail: each answer is one of those that the door has.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::world::{World, real};

/// Statuses that a request for published numbers may have; 500 is none of them.
const HONEST: [u16; 9] = [200, 204, 400, 404, 405, 406, 414, 422, 501];

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"._*+,:-".contains(&b) {
                (b as char).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

async fn honest(world: &World, path: &str, headers: &[(&str, &str)]) {
    let reply = world.get(path, headers).await;
    assert!(HONEST.contains(&reply.status.as_u16()), "{} for {path} {headers:?}: {}", reply.status, reply.text());
    if reply.status.is_client_error() || reply.status.is_server_error() {
        reply.problem();
    }
}

/// Parts of keys and conditions, and what is none.
fn piece() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "A",
        "Q",
        "_U",
        "victims",
        "PK-PB",
        "_T",
        "*",
        "",
        "+",
        ",",
        ".",
        "..",
        "ge:",
        "le:",
        "eq:",
        "ne:",
        "sw:",
        "nope:",
        "2024",
        "2024-Q1",
        "2024-Q9",
        "9999-99-99",
        "0000",
        "1e400",
        "NaN",
        "-0",
        "ﷺ",
        "\u{0}",
        "[",
        "]",
        "%",
        "é",
    ]);
    prop_oneof![8 => word.prop_map(str::to_owned), 1 => ".{0,12}".prop_map(|text| text)]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn generated_keys_filters_and_headers_are_answered_honestly() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let world = runtime.block_on(real());
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let names = prop::sample::select(vec![
        "c[TIME_PERIOD]",
        "c[OBS_VALUE]",
        "c[PROVINCE]",
        "c[FREQ]",
        "c[",
        "c[]",
        "asOf",
        "limit",
        "offset",
        "attributes",
        "firstNObservations",
        "includeHistory",
        "after",
        "from",
        "to",
        "edition",
        "measure",
        "province",
        "format",
        "bom",
    ]);
    let outcome = TestRunner::new(config).run(&(text(), names, text(), text()), |(key, name, value, accept)| {
        runtime.block_on(async {
            let (key, query) = (encoded(&key), format!("{}={}", encoded(name), encoded(&value)));
            honest(&world, &format!("/sdmx/v2/data/dataflow/AMANAT/V01/1.0.0/{key}?{query}"), &[]).await;
            honest(&world, &format!("/sdmx/v2/structure/codelist/{key}?{query}"), &[]).await;
            honest(&world, &format!("/v1/indicators/V01/data?{query}"), &[]).await;
            honest(&world, &format!("/v1/indicators/V01/revisions?{query}"), &[]).await;
            let accept: String = accept.chars().filter(|c| (' '..='~').contains(c)).collect();
            honest(&world, "/v1/indicators/V01/data?sex=F", &[("accept", &accept)]).await;
        });
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn hostile_requests_have_a_problem_that_names_what_is_wrong() {
    let world = real().await;
    let long = "A".repeat(20_000);
    let many = vec!["A"; 2_000].join(",");
    for path in [
        format!("/sdmx/v2/data/dataflow/AMANAT/V01/1.0.0/{long}"),
        format!("/sdmx/v2/data/dataflow/AMANAT/V01/1.0.0/{many}"),
        format!("/sdmx/v2/data/dataflow/AMANAT/V01?c[SEX]={many}"),
        format!("/sdmx/v2/structure/codelist/AMANAT/{long}"),
        format!("/v1/indicators/V01/data?after={long}"),
        "/v1/indicators/V01/data?limit=99999999999999999999999".to_owned(),
        "/v1/indicators/V01/data?edition=99999999999".to_owned(),
        "/v1/editions/99999999999/archive.zip".to_owned(),
        "/v1/editions/%2e%2e/data/..%2f..%2fetc%2fpasswd".to_owned(),
        "/sdmx/v2/data/dataflow/AMANAT/%FF".to_owned(),
    ] {
        let reply = world.get(&path, &[]).await;
        assert!(reply.status.is_client_error(), "{} {}", reply.status, &path[..path.len().min(80)]);
        reply.problem();
        assert!(reply.text().len() < 2_000, "an answer does not repeat what is long");
    }
    for accept in ["application/vnd.sdmx.data+json;version=9.9.9", "text/csv;q=0", ";;;=,,,", "a/b;q=;version"] {
        honest(&world, "/v1/indicators/V01/data", &[("accept", accept)]).await;
    }
}
