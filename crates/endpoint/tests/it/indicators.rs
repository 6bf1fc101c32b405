//! The indicator API: filters, formats, conditional requests, problems.

use std::time::{Duration, SystemTime};

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use endpoint::Settings;
use serde_json::{Value, json};

use crate::world::{real, world};

#[tokio::test]
async fn an_indicator_is_listed_and_defined_in_two_languages_with_its_codes() {
    let world = real().await;
    let list = world.get("/v1/indicators", &[]).await;
    assert_eq!(list.status, StatusCode::OK);
    assert_eq!(list.json()["indicators"][0]["id"], "V01");
    assert_eq!(list.json()["indicators"][0]["title"], json!({"en": "Identified victims", "ur": "عنوان"}));
    assert_eq!(list.json()["indicators"][0]["links"]["data"], "/v1/indicators/V01/data");

    let one = world.get("/v1/indicators/v01", &[]).await.json();
    assert_eq!(one["id"], "V01");
    assert_eq!(one["dimensions"][0]["name"], "province");
    assert_eq!(one["dimensions"][0]["code_list"], "/v1/code-lists/province");
    assert_eq!(one["dimensions"][0]["codes"][0], json!({"code": "PK-PB", "en": "Punjab", "ur": "نام"}));
    assert_eq!(one["measures"], json!(["victims", "share_female"]));
    assert_eq!(one["periods"][0], "2022");
    assert_eq!(one["periods"].as_array().unwrap().last().unwrap(), "_X");
    assert_eq!(one["edition"], 2);
    assert!(one["legend"]["obs_status"].as_array().unwrap().iter().any(|s| s["code"] == "Q"));
}

#[tokio::test]
async fn rows_are_whole_and_exact() {
    let world = real().await;
    let all = world.get("/v1/indicators/V01/data", &[]).await;
    assert_eq!(all.status, StatusCode::OK);
    assert_eq!(all.header("content-type"), "application/json");
    let json = all.json();
    assert_eq!(
        (&json["indicator"], &json["edition"], &json["as_of"], &json["synthetic"]),
        (&json!("V01"), &json!(2), &json!("2024-12-31"), &json!(false))
    );
    let names: Vec<&Value> = json["columns"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    let expected =
        ["measure", "time_period", "province", "sex", "value", "lo95", "hi95", "obs_status", "conf_status", "unit"];
    assert_eq!(names, expected);
    assert_eq!(json["row_count"], 3 * 3 * 5 + 3 + 1);
    assert_eq!(json["rows"].as_array().unwrap().len(), 3 * 3 * 5 + 3 + 1);
    assert_eq!(all.header("amanat-rows"), "49");
    assert_eq!(json["rows"][0], json!(["victims", "2022", "PK-PB", "_T", 101, 97, 105, "A", "F", "person"]));
    assert!(all.text().contains(",62.5,58.5,66.5,"), "no trailing zeros");
    let suppressed = world.get("/v1/indicators/V01/data?province=PK-KP&time_period=2024", &[]).await.json();
    assert_eq!(suppressed["rows"], json!([["victims", "2024", "PK-KP", "_T", null, null, null, "Q", "C", "person"]]));
}

#[tokio::test]
async fn filters_choose_rows() {
    let world = real().await;
    let count = async |query: &str| {
        let reply = world.get(&format!("/v1/indicators/V01/data?{query}"), &[]).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}: {}", reply.text());
        reply.json()["row_count"].as_u64().unwrap()
    };
    assert_eq!(count("province=PK-PB").await, 15);
    assert_eq!(count("province=PK-PB&province=PK-SD").await, 30);
    assert_eq!(count("province=PK-PB,PK-SD").await, 30);
    assert_eq!(count("PROVINCE=PK-PB&sex=_T").await, 15);
    assert_eq!(count("measure=share_female").await, 3);
    assert_eq!(count("time_period=2024,_X&sex=_T").await, 4);
    assert_eq!(count("province=PK-PB&from=2023").await, 10);
    assert_eq!(count("province=PK-PB&to=2023").await, 10);
    assert_eq!(count("province=PK-PB&from=2023&to=2023").await, 5);
    assert_eq!(count("province=PK-PB&from=2024-Q2").await, 3, "the year is not wholly in the range");
    assert_eq!(count("province=PK-PB&to=2022-Q4").await, 5, "the year ends with its last quarter");
    assert_eq!(count("province=PK-PB&from=2024-Q2&to=2024-Q2").await, 1);
    assert_eq!(count("sex=M").await, 0, "nothing that fits is an answer");
}

#[tokio::test]
async fn csv_has_a_header_and_every_flag() {
    let world = real().await;
    for (path, headers) in [
        ("/v1/indicators/V01/data?format=csv&province=PK-KP&from=2024&to=2024", vec![]),
        ("/v1/indicators/V01/data?province=PK-KP&from=2024&to=2024", vec![("accept", "text/csv")]),
    ] {
        let reply = world.get(path, &headers).await;
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8; header=present");
        let lines: Vec<&str> = reply.text().lines().collect();
        assert_eq!(
            lines[0],
            "edition,indicator,measure,time_period,province,sex,value,lo95,hi95,obs_status,conf_status,unit,as_of"
        );
        assert_eq!(lines[1], "2,V01,victims,2024,PK-KP,_T,,,,Q,C,person,2024-12-31");
        assert_eq!(lines[2], "2,V01,victims,2024-Q1,PK-KP,_T,8,4,12,A,F,person,2024-12-31");
        assert_eq!(lines.len(), 6);
    }
    let refused = world.get("/v1/indicators/V01/data", &[("accept", "text/html")]).await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (406, "not_acceptable".to_owned()));
    let refused = world.get("/v1/indicators/V01/data?format=xml", &[]).await;
    assert_eq!((refused.status.as_u16(), refused.problem()), (400, "malformed_parameter".to_owned()));
    assert!(refused.hint().contains("json, csv"));
}

#[tokio::test]
async fn what_does_not_exist_is_named_with_what_does() {
    let world = real().await;
    for (path, status, code, hint) in [
        ("/v1/indicators/V1", 404, "unknown_indicator", "V01, C01"),
        ("/v1/indicators/nope/data", 404, "unknown_indicator", "V01, C01"),
        ("/v1/indicators/V01/data?provinse=PK-PB", 422, "unknown_filter", "Did you mean province?"),
        (
            "/v1/indicators/V01/data?agency_group=FIA",
            422,
            "unknown_filter",
            "It is one of C01. A filter of V01 is one of province, sex,",
        ),
        ("/v1/indicators/V01/data?province=pk-pb", 422, "unknown_code", "Did you mean PK-PB?"),
        ("/v1/indicators/V01/data?province=", 422, "unknown_code", "PK-PB, PK-SD, PK-KP, _T, _Z, _X"),
        ("/v1/indicators/C01/data?note=N99", 422, "unknown_code", "others. GET /v1/code-lists/note"),
        ("/v1/indicators/V01/data?measure=victim", 422, "unknown_code", "Did you mean victims?"),
        ("/v1/indicators/V01/data?from=soon", 400, "malformed_parameter", "2024-Q1"),
        ("/v1/indicators/V01/data?from=2024&to=2023", 400, "malformed_parameter", "Exchange"),
        ("/v1/indicators/V01/data?from=2023&from=2024", 400, "malformed_parameter", "once"),
        ("/v1/indicators/V01/data?edition=first", 400, "malformed_parameter", "number"),
        ("/v1/indicators/V01/data?edition=9", 404, "unknown_edition", "latest is 2"),
        ("/v1/indicators/V01/data?time_period=2024-13", 400, "malformed_parameter", "2024-Q1"),
        ("/v1/editions/9", 404, "unknown_edition", "/v1/editions"),
        ("/v1/editions/x", 404, "unknown_edition", "/v1/editions"),
        ("/v1/code-lists/nope", 404, "unknown_code_list", "province"),
        ("/v1/nope", 404, "not_found", "openapi"),
    ] {
        let reply = world.get(path, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, code), "{path}");
        assert!(reply.hint().contains(hint), "{path}: {}", reply.hint());
    }
    let broken = world.get("/v1/indicators/%FF", &[]).await;
    assert_eq!(broken.problem(), "not_found");
}

#[tokio::test]
async fn a_client_that_has_the_answer_is_told_so() {
    let world = real().await;
    let path = "/v1/indicators/V01/data?province=PK-PB";
    let first = world.get(path, &[]).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "a strong tag: {tag}");
    assert_eq!(first.header("last-modified"), "Sat, 15 Feb 2025 08:00:00 GMT");
    assert_eq!(first.header("cache-control"), "public, max-age=60, stale-while-revalidate=600");
    assert_eq!(first.header("vary"), "accept, accept-encoding");
    for condition in [
        ("if-none-match", tag.as_str()),
        ("if-none-match", &format!("\"x\", W/{tag}")),
        ("if-none-match", "*"),
        ("if-modified-since", first.header("last-modified")),
    ] {
        let again = world.get(path, &[condition]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{condition:?}");
        assert!(again.body.is_empty());
        for name in ["etag", "vary", "cache-control", "last-modified", "access-control-allow-origin"] {
            assert_eq!(again.header(name), first.header(name), "{name} is repeated");
        }
    }
    let earlier = ("if-modified-since", "Sat, 15 Feb 2025 07:59:59 GMT");
    assert_eq!(world.get(path, &[earlier]).await.status, StatusCode::OK);
    let both = [("if-none-match", "\"x\""), ("if-modified-since", first.header("last-modified"))];
    assert_eq!(world.get(path, &both).await.status, StatusCode::OK, "the tag goes before the date");
}

#[tokio::test]
async fn a_definition_is_dated_by_the_later_of_its_edition_and_the_start_of_the_service() {
    let dated = async |at: u64| {
        let defined_at = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        let world = world(2, false, Settings { defined_at, ..Settings::default() }).await;
        let list = world.get("/v1/indicators", &[]).await;
        let one = world.get("/v1/indicators/V01", &[]).await;
        assert_eq!(list.header("last-modified"), one.header("last-modified"));
        let had = [("if-modified-since", one.header("last-modified"))];
        assert_eq!(world.get("/v1/indicators/V01", &had).await.status, StatusCode::NOT_MODIFIED);
        one.header("last-modified").to_owned()
    };
    assert_eq!(dated(0).await, "Sat, 15 Feb 2025 08:00:00 GMT");
    assert_eq!(dated(1_767_225_600).await, "Thu, 01 Jan 2026 00:00:00 GMT", "a newer program may define anew");
}

#[tokio::test]
async fn each_representation_has_its_own_strong_tag() {
    let world = real().await;
    let path = "/v1/indicators/V01/data";
    let mut tags = std::collections::BTreeSet::new();
    let plain = world.get(path, &[]).await;
    for coding in ["", "gzip", "br", "zstd"] {
        let reply = world.get(path, &[("accept-encoding", coding)]).await;
        assert_eq!(reply.header("content-encoding"), coding);
        assert_eq!(coding.is_empty(), reply.body == plain.body);
        assert!(coding.is_empty() || reply.body.len() < plain.body.len() / 2, "{coding} makes it small");
        assert!(tags.insert(reply.header("etag").to_owned()));
        let had = [("accept-encoding", coding), ("if-none-match", reply.header("etag"))];
        assert_eq!(world.get(path, &had).await.status, StatusCode::NOT_MODIFIED);
    }
    assert!(tags.insert(world.get("/v1/indicators/V01/data?format=csv", &[]).await.header("etag").to_owned()));
    assert!(tags.insert(world.get("/v1/indicators/V01/data?edition=1", &[]).await.header("etag").to_owned()));
    let short = world.get("/v1/editions/1", &[("accept-encoding", "gzip")]).await;
    assert_eq!(short.header("content-encoding"), "", "a short body is not worth it");
}

#[tokio::test]
async fn the_same_question_in_another_order_has_the_same_tag() {
    let world = real().await;
    let tag =
        async |query: &str| world.get(&format!("/v1/indicators/V01/data?{query}"), &[]).await.header("etag").to_owned();
    let one = tag("province=PK-PB,PK-SD&sex=_T&from=2023-Q1").await;
    assert_eq!(one, tag("from=2023&sex=_T&province=PK-SD&province=PK-PB&province=PK-SD").await);
    assert_ne!(one, tag("from=2023&sex=_T&province=PK-SD").await);
}

#[tokio::test]
async fn a_named_edition_never_changes_and_says_so_unless_it_is_made_up() {
    let real = real().await;
    let named = real.get("/v1/indicators/V01/data?edition=1&province=PK-PB&time_period=2022", &[]).await;
    assert_eq!(named.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!((named.json()["edition"].clone(), named.cells("value")), (json!(1), vec![json!(100)]));
    assert_eq!(named.header("amanat-edition"), "1");
    assert_eq!(named.header("amanat-synthetic"), "");

    // A sample store is often made anew at the same address: its numbers must not stay in caches for a year.
    let sample = world(2, true, Settings::default()).await;
    let named = sample.get("/v1/indicators/V01/data?edition=1", &[]).await;
    assert_eq!(named.header("cache-control"), "public, no-cache");
}

#[tokio::test]
async fn what_is_synthetic_says_so() {
    let world = world(1, true, Settings::default()).await;
    for path in ["/", "/v1/indicators", "/v1/indicators/V01", "/v1/indicators/V01/data", "/v1/editions/1"] {
        let reply = world.get(path, &[]).await;
        assert_eq!(reply.json()["synthetic"], true, "{path}");
        assert_eq!(reply.header("amanat-synthetic"), "true", "{path}");
    }
    assert_eq!(world.get("/v1/editions", &[]).await.json()["editions"][0]["synthetic"], true);
    let csv = world.get("/v1/indicators/V01/data?format=csv", &[]).await;
    assert_eq!(csv.header("amanat-synthetic"), "true");
    let tag = csv.header("etag").to_owned();
    let again = world.get("/v1/indicators/V01/data?format=csv", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.header("amanat-synthetic")), (StatusCode::NOT_MODIFIED, "true"));
}

#[tokio::test]
async fn a_new_edition_appears_whole_and_without_a_restart() {
    let world = world(0, false, Settings::default()).await;
    let path = "/v1/indicators/V01/data?province=PK-PB&time_period=2022";
    let nothing = world.get(path, &[]).await;
    assert_eq!((nothing.status.as_u16(), nothing.problem()), (503, "no_edition".to_owned()));
    assert_eq!(nothing.header("retry-after"), "5");
    assert_eq!(world.get("/v1/editions", &[]).await.json(), json!({"latest": null, "editions": []}));
    assert_eq!(world.get("/v1/indicators/V01", &[]).await.json()["row_count"], 0);

    let mut tag = String::new();
    for (edition, value) in [(1, 100), (2, 101)] {
        world.memory.visible.store(edition, Ordering::SeqCst);
        world.reader.refresh().await.unwrap();
        let reply = world.get(path, &[("if-none-match", &tag)]).await;
        assert_eq!((reply.status, reply.cells("value")), (StatusCode::OK, vec![json!(value)]));
        assert_eq!(reply.header("amanat-edition"), edition.to_string());
        reply.header("etag").clone_into(&mut tag);
        assert_eq!(world.get("/v1/editions", &[]).await.json()["latest"], edition);
        assert_eq!(world.get("/v1/indicators/V01", &[]).await.json()["edition"], edition);
    }
    let old = world.get(&format!("{path}&edition=1"), &[]).await;
    assert_eq!(old.cells("value"), [json!(100)], "old editions stay readable");
}

#[tokio::test]
async fn editions_and_code_lists_are_described() {
    let world = real().await;
    let editions = world.get("/v1/editions", &[]).await.json();
    assert_eq!(editions["latest"], 2);
    assert_eq!(
        editions["editions"][0],
        json!({"edition": 1, "as_of": "2024-12-31", "published_at": "2025-01-15T08:00:00Z", "synthetic": false,
            "methodology": "m1", "policy_hash": null, "sql_hash": null, "href": "/v1/editions/1"})
    );
    assert_eq!(world.get("/v1/editions/1", &[]).await.json(), editions["editions"][0]);
    assert_eq!(world.get("/v1/editions/latest", &[]).await.json(), editions["editions"][1]);
    let lists = world.get("/v1/code-lists", &[]).await.json();
    assert_eq!(lists["code_lists"][0]["href"], "/v1/code-lists/province");
    let list = world.get("/v1/code-lists/Province", &[]).await.json();
    assert_eq!(list["codes"][1], json!({"code": "PK-SD", "en": "Sindh", "ur": "نام"}));
    let of_a_day = world.get("/v1/code-lists/province?at=2018-01-01", &[]).await;
    assert_eq!(of_a_day.header("amanat-edition"), "2");
    let (of_a_day, codes) = (of_a_day.json(), &list["codes"]);
    assert_eq!((&of_a_day["at"], &of_a_day["edition"]), (&json!("2018-01-01"), &json!(2)));
    assert_eq!(&of_a_day["codes"], codes, "an edition that kept no codes knows those of the contract");
    for path in ["/v1/code-lists/province?at=2018", "/v1/code-lists/province?on=2018-01-01"] {
        assert_eq!(world.get(path, &[]).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn any_page_may_read_and_only_read() {
    let world = real().await;
    let path = "/v1/indicators/V01/data";
    let origin = ("origin", "https://dashboard.example");
    let reply = world.get(path, &[origin]).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(reply.header("access-control-expose-headers").contains("etag"));
    assert_eq!(world.get("/v1/nope", &[origin]).await.header("access-control-allow-origin"), "*", "problems too");
    let asking = [origin, ("access-control-request-method", "GET")];
    let preflight = world.send("OPTIONS", path, &asking, "").await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header("allow"), "GET, HEAD, OPTIONS");
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, HEAD, OPTIONS");
    let preflight = world.send("OPTIONS", "/v1/sql", &asking, "").await;
    assert_eq!((preflight.status.as_u16(), preflight.header("allow")), (204, "POST, OPTIONS"));
    assert_eq!(preflight.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn head_tells_the_length_and_sends_nothing() {
    let world = real().await;
    let path = "/v1/indicators/V01/data";
    let get = world.get(path, &[]).await;
    let head = world.send("HEAD", path, &[], "").await;
    assert_eq!(head.status, StatusCode::OK);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(head.header("etag"), get.header("etag"));
}
