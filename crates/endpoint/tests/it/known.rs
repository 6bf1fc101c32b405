//! What was known on a date, by the addresses of the indicators and in SQL over HTTP. The other doors have theirs beside them.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use axum::http::StatusCode;
use chrono::{Days, NaiveDate};
use endpoint::Settings;
use serde_json::json;

use crate::world::{embargoed, real, world};

/// Editions were published on 15 January and 15 February 2025, at one in the afternoon in Pakistan.
const DATA: &str = "/v1/indicators/V01/data?province=PK-PB&time_period=2022";

fn today() -> NaiveDate {
    query::known::day(SystemTime::now())
}

#[tokio::test]
async fn the_rows_of_a_date_are_those_of_its_edition_and_are_cited_by_it() {
    let world = real().await;
    for (date, edition, value) in [("2025-01-15", 1, 100), ("2025-02-14", 1, 100), ("2025-02-15", 2, 101)] {
        let reply = world.get(&format!("{DATA}&as_known_on={date}"), &[]).await;
        assert_eq!((reply.status, reply.cells("value")), (StatusCode::OK, vec![json!(value)]), "{date}");
        assert_eq!(
            (&reply.json()["edition"], reply.header("amanat-edition")),
            (&json!(edition), edition.to_string().as_str())
        );
        let cited = reply.json()["citation"]["href"].as_str().expect("an address").to_owned();
        assert!(cited.ends_with(&format!("&edition={edition}")) && !cited.contains("known"), "{cited}");
        assert!(reply.header("link").contains(&format!("<{cited}>; rel=\"cite-as\"")), "{}", reply.header("link"));
        let named = world.get(&cited, &[]).await;
        assert_eq!((named.body, named.headers.get("etag")), (reply.body.clone(), reply.headers.get("etag")), "{date}");
        assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
        for format in ["csv", "parquet", "jsonstat", "sdmx-json"] {
            let reply = world.get(&format!("{DATA}&as_known_on={date}&format={format}"), &[]).await;
            assert_eq!(reply.header("amanat-edition"), edition.to_string(), "{format}");
        }
    }
    let page = world.get("/v1/indicators/V01/data?as_known_on=2025-01-31&limit=2", &[]).await.json();
    let next = page["page"]["next"].as_str().expect("another page");
    assert!(next.contains("edition=1&") && !next.contains("known"), "{next}");
}

#[tokio::test]
async fn a_date_that_may_still_change_is_kept_for_a_minute_and_follows_the_edition() {
    let world = world(1, false, Settings::default()).await;
    let minute = "public, max-age=60, stale-while-revalidate=600";
    for (ago, fresh) in [(0, minute), (1, minute), (3, "public, max-age=31536000, immutable")] {
        let date = today() - Days::new(ago);
        for _ in 0..2 {
            let reply = world.get(&format!("{DATA}&as_known_on={date}"), &[]).await;
            assert_eq!((reply.header("cache-control"), reply.header("amanat-edition")), (fresh, "1"), "{ago} days ago");
        }
    }
    let old = world.get(&format!("{DATA}&as_known_on=2025-01-20"), &[]).await;
    let now = world.get(&format!("{DATA}&as_known_on={}", today()), &[]).await;
    world.memory.visible.store(2, Ordering::SeqCst);
    world.reader.refresh().await.unwrap();
    let again = world.get(&format!("{DATA}&as_known_on=2025-01-20"), &[("if-none-match", old.header("etag"))]).await;
    assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, old.header("etag")));
    let later = world.get(&format!("{DATA}&as_known_on={}", today()), &[("if-none-match", now.header("etag"))]).await;
    assert_eq!((later.status, later.header("amanat-edition")), (StatusCode::OK, "2"));

    // A sample store is often made anew at the same address.
    let sample = crate::world::world(2, true, Settings::default()).await;
    let reply = sample.get(&format!("{DATA}&as_known_on=2025-01-20"), &[]).await;
    assert_eq!(reply.header("cache-control"), "public, no-cache");
}

#[tokio::test]
async fn what_has_no_edition_is_told_which_there_are() {
    let world = real().await;
    let tomorrow = format!("as_known_on={}", today() + Days::new(2));
    for (query, status, code, hint) in [
        ("as_known_on=2025-01-14", 404, "no_edition_on_date", "1 on 2025-01-15, 2 on 2025-02-15."),
        (tomorrow.as_str(), 404, "no_edition_on_date", "1 on 2025-01-15, 2 on 2025-02-15."),
        ("as_known_on=2025-1-14", 400, "malformed_parameter", "2026-01-31"),
        ("as_known_on=", 400, "malformed_parameter", "2026-01-31"),
        ("as_known_on=2025-01-20&as_known_on=2025-01-21", 400, "malformed_parameter", "once"),
        ("as_known_on=2025-01-20&edition=1", 400, "malformed_parameter", "Give one of them"),
        ("edition=latest&as_known_on=2025-01-20", 400, "malformed_parameter", "Give one of them"),
        ("as_known_of=2025-01-20", 422, "unknown_filter", "Did you mean as_known_on?"),
    ] {
        let reply = world.get(&format!("{DATA}&{query}"), &[]).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, code), "{query}");
        assert!(reply.hint().contains(hint), "{query}: {}", reply.hint());
    }
    let revisions = world.get("/v1/indicators/V01/revisions?as_known_on=2025-01-20", &[]).await;
    assert_eq!(revisions.problem(), "malformed_parameter");
    let nothing = crate::world::world(0, false, Settings::default()).await;
    assert_eq!(nothing.get(&format!("{DATA}&as_known_on=2025-01-20"), &[]).await.problem(), "no_edition");
}

#[tokio::test]
async fn an_edition_under_embargo_was_known_on_no_date() {
    let world = embargoed(Settings::default()).await;
    let reply = world.get(&format!("{DATA}&as_known_on={}", today()), &[]).await;
    assert_eq!(reply.header("amanat-edition"), "1");
    let refused = world.get(&format!("{DATA}&as_known_on=2999-01-02"), &[]).await;
    assert_eq!(refused.problem(), "no_edition_on_date");
    assert!(!refused.text().contains(" 2 on"), "{}", refused.text());
}

#[tokio::test]
async fn a_question_in_sql_has_a_date_for_each_table_and_says_which_edition_that_is() {
    let world = real().await;
    let sql = "select a.value as then, b.value as now from published.v01 AS KNOWN ON $1 AS a join published.v01 b \
               using (province, time_period) where b.province = 'PK-PB' and b.time_period = '2022'";
    let body = json!({"sql": sql, "params": ["2025-01-31"]}).to_string();
    let reply = world.sql(&body, &[]).await;
    assert_eq!(reply.json()["rows"], json!([[100, 101]]), "{}", reply.text());
    assert_eq!(reply.header("amanat-notes"), "NOTE-3007");
    let detail =
        "published.v01 is read as known on 2025-01-31: edition 1, published on 2025-01-15, data as of 2024-12-31.";
    assert_eq!(reply.json()["notes"], json!([{"code": "NOTE-3007", "detail": detail}]));
    let csv = world.sql(&body, &[("accept", "text/csv")]).await;
    assert_eq!((csv.text(), csv.header("amanat-notes")), ("then,now\n100,101\n", "NOTE-3007"));

    let refused = world.sql(&json!({"sql": "select 1\nfrom v01 as known on '2025-01-14'"}).to_string(), &[]).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (404, "no_edition_on_date"));
    assert_eq!(refused.json()["place"], json!({"line": 2, "column": 22}));
    assert!(refused.hint().contains("1 on 2025-01-15, 2 on 2025-02-15."), "{}", refused.hint());
}

#[tokio::test]
async fn the_documents_of_the_interface_have_the_date_and_the_codes() {
    let world = real().await;
    let document = world.get("/openapi.json", &[]).await.json();
    let parameters =
        document["paths"]["/v1/indicators/{id}/data"]["get"]["parameters"].as_array().expect("parameters").clone();
    let date = parameters.iter().find(|parameter| parameter["name"] == "as_known_on").expect("the date");
    assert_eq!(date["schema"], json!({"type": "string", "format": "date"}));
    assert_eq!(world.get("/problems/no_edition_on_date", &[]).await.json()["status"], 404);
    let records = world.get("/problems/PRIV-1016", &[]).await.json();
    assert!(records["rewrites"][0]["refused"].as_str().is_some_and(|sql| sql.contains("known on")), "{records}");
}
