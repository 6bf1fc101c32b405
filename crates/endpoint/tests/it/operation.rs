//! What an operator and a program that finds the service by itself rely on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use endpoint::Settings;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};

use crate::world::{real, world};

#[tokio::test]
async fn it_is_ready_when_an_edition_is_there_and_every_check_passes() {
    let well = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&well);
    let check = move || (!asked.load(Ordering::SeqCst)).then(|| "the log is away".to_owned());
    let settings = Settings { checks: vec![("ingest", Arc::new(check))], ..Settings::default() };
    let world = world(0, true, settings).await;
    assert_eq!(world.get("/healthz", &[]).await.json(), json!({"status": "ok"}), "the process is well");
    let reasons = async || {
        let reply = world.get("/readyz", &[]).await;
        assert_eq!((reply.status.as_u16(), reply.problem()), (503, "not_ready".to_owned()));
        reply.json()["reasons"].clone()
    };
    assert_eq!(reasons().await, json!(["edition: nothing has been published yet", "ingest: the log is away"]));
    world.memory.visible.store(1, Ordering::SeqCst);
    world.reader.refresh().await.unwrap();
    assert_eq!(reasons().await, json!(["ingest: the log is away"]));
    well.store(true, Ordering::SeqCst);
    let ready = world.get("/readyz", &[]).await;
    assert_eq!((ready.status, ready.json()), (StatusCode::OK, json!({"ready": true, "edition": 1})));
    assert_eq!(ready.header("cache-control"), "no-store");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_the_client_wrote() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let settings = Settings { metrics: Some(Arc::new(move || handle.render())), ..Settings::default() };
    let world = world(1, true, settings).await;
    world.get("/v1/indicators/V01/data?province=PK-PB", &[]).await;
    world.get("/v1/indicators/secret-name", &[]).await;
    world.get("/secret-path", &[]).await;
    world.send("SECRET", "/v1/indicators", &[], "").await;
    world.sql(r#"{"sql": "select secret from v01"}"#, &[]).await;
    let reply = world.get_from("127.0.0.1", "/metrics", &[]).await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = reply.text();
    for line in [
        r#"amanat_http_requests_total{route="/v1/indicators/{id}/data",method="GET",status="200"} 1"#,
        r#"amanat_http_requests_total{route="/v1/indicators/{id}",method="GET",status="404"} 1"#,
        r#"amanat_http_requests_total{route="none",method="GET",status="404"} 1"#,
        r#"amanat_http_requests_total{route="/v1/indicators",method="other",status="405"} 1"#,
        r#"amanat_sql_refusals_total{code="unknown_column"} 1"#,
        r#"amanat_http_request_duration_seconds_count{route="/v1/sql"} 1"#,
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.to_lowercase().contains("secret"), "{text}");
    let none = real().await.get_from("127.0.0.1", "/metrics", &[]).await;
    assert_eq!(none.problem(), "not_found", "without metrics there are none");
}

#[tokio::test]
async fn metrics_are_for_this_machine_alone() {
    let settings = Settings { metrics: Some(Arc::new(|| "counted 1".to_owned())), ..Settings::default() };
    let world = world(1, true, settings).await;
    for near in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(world.get_from(near, "/metrics", &[]).await.text(), "counted 1", "{near}");
    }
    for far in ["192.0.2.7", "2001:db8::1", "0.0.0.0"] {
        assert_eq!(world.get_from(far, "/metrics", &[]).await.problem(), "not_found", "{far}");
    }
    for proxied in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let reply = world.get_from("127.0.0.1", "/metrics", &[(proxied, "192.0.2.7")]).await;
        assert_eq!(reply.problem(), "not_found", "a proxy on this machine asks for somebody else: {proxied}");
    }
    assert_eq!(world.get("/metrics", &[]).await.problem(), "not_found", "nobody knows who asks");
}

#[tokio::test]
async fn no_page_of_another_origin_reads_what_is_for_operators() {
    let world = real().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        for method in ["GET", "OPTIONS"] {
            let reply = world.send(method, path, &[("origin", "https://elsewhere.example")], "").await;
            assert_eq!(reply.header("access-control-allow-origin"), "", "{method} {path}");
        }
    }
    assert_eq!(world.get("/v1/indicators", &[]).await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn the_document_describes_every_route_and_no_other() {
    let world = real().await;
    let document = world.get("/openapi.json", &[]).await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let described = document["paths"].as_object().unwrap();
    let routes: BTreeSet<&str> = endpoint::paths().map(|(path, _)| path).collect();
    assert_eq!(described.keys().map(String::as_str).collect::<BTreeSet<_>>(), routes);
    for (path, methods) in endpoint::paths() {
        let operations: BTreeSet<String> =
            described[path].as_object().unwrap().keys().map(|m| m.to_uppercase()).collect();
        // HEAD and OPTIONS follow from the others.
        let own = methods.split(", ").filter(|m| !["HEAD", "OPTIONS"].contains(m)).map(str::to_owned).collect();
        assert_eq!(operations, own, "{path}");
        for operation in described[path].as_object().unwrap().values() {
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{path}");
            assert!(operation["summary"].is_string() || operation["description"].is_string(), "{path}");
            let named: BTreeSet<&str> = parameters(operation, "path");
            let braced: BTreeSet<&str> =
                path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')).collect();
            assert_eq!(named, braced, "{path}");
        }
    }
    let data = &described["/v1/indicators/{id}/data"]["get"];
    let filters = parameters(data, "query");
    for name in ["province", "sex", "agency_group", "measure", "time_period", "from", "to", "edition", "format"] {
        assert!(filters.contains(name), "{name}");
    }
    let province = data["parameters"].as_array().unwrap().iter().find(|p| p["name"] == "province").unwrap();
    assert_eq!(province["schema"]["items"]["enum"], json!(["PK-PB", "PK-SD", "PK-KP", "_T", "_Z", "_X"]));
    references(&document, &document);
}

fn parameters<'a>(operation: &'a Value, place: &str) -> BTreeSet<&'a str> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.filter(|p| p["in"] == place).filter_map(|p| p["name"].as_str()).collect()
}

/// Every reference leads somewhere.
fn references(document: &Value, at: &Value) {
    match at {
        Value::Object(members) => {
            if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
            }
            members.values().for_each(|v| references(document, v));
        }
        Value::Array(items) => items.iter().for_each(|v| references(document, v)),
        _ => {}
    }
}

#[tokio::test]
async fn every_route_is_really_there() {
    let question = ("sex".to_owned(), "-- title: One\n-- audience: public\n\nselect 1 as a".to_owned());
    let questions = Arc::new(endpoint::Questions::new(None, vec![question]));
    let world = world(2, false, Settings { questions, ..Settings::default() }).await;
    for (path, methods) in endpoint::paths() {
        let path = path.replace("{id}", "V01").replace("{number}", "1").replace("{name}", "sex");
        let path = path.replace("{code}", "busy").replace("{file}", "V01.csv").replace("{context}", "dataflow");
        let path = path.replace("{agencyID}", "AMANAT").replace("{version}", "1.0.0").replace("{key}", "A");
        let path = path.replace("{artefactType}", "dataflow").replace("{resourceID}", "V01");
        let path = path.replace("{form}", "glotip").replace("{agency}", "FIA");
        let options = world.send("OPTIONS", &path, &[], "").await;
        assert_eq!((options.status.as_u16(), options.header("allow")), (204, methods), "{path}");
        let other = world.send("PATCH", &path, &[], "").await;
        assert_eq!((other.status.as_u16(), other.header("allow")), (405, methods), "{path}");
        assert_eq!(other.problem(), "method_not_allowed");
        if ["/v1/people", "/v1/queue", "/v1/feeds", "/v1/feeds/FIA"].contains(&path.as_str()) {
            assert_eq!(
                world.get(&path, &[]).await.problem(),
                "key_needed",
                "who may come in, what waits and how feeds are is not for everybody"
            );
        } else if methods.contains("GET") && !["/metrics", "/v1/events"].contains(&path.as_str()) {
            let get = world.get(&path, &[]).await;
            assert_eq!(get.status, StatusCode::OK, "{path}");
            assert_eq!(get.header("x-content-type-options"), "nosniff");
        }
    }
    let sql = world.get("/v1/sql", &[]).await;
    assert_eq!((sql.status.as_u16(), sql.header("allow")), (405, "POST, OPTIONS"));
}

#[tokio::test]
async fn the_index_and_the_problems_lead_on() {
    let world = real().await;
    let index = world.get("/", &[("accept", "application/json, */*;q=0.8")]).await.json();
    for link in index["links"]
        .as_object()
        .unwrap()
        .values()
        .filter(|l| !["/v1/sql", "/v1/events"].contains(&l.as_str().unwrap()))
    {
        assert_eq!(world.get(link.as_str().unwrap(), &[]).await.status, StatusCode::OK, "{link}");
    }
    let problems = world.get("/problems", &[]).await.json();
    let codes: BTreeSet<&str> = problems.as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(codes.len(), problems.as_array().unwrap().len(), "each code once");
    assert!(codes.contains("unknown_table") && codes.contains("unknown_filter"));
    assert_eq!(world.get("/problems/nope", &[]).await.problem(), "not_found");
}

#[tokio::test]
async fn a_defect_is_a_problem_without_details() {
    let check = || -> Option<String> { panic!("secret detail") };
    let settings = Settings { checks: vec![("broken", Arc::new(check))], ..Settings::default() };
    let world = world(1, true, settings).await;
    let reply = world.get("/readyz", &[]).await;
    assert_eq!((reply.status.as_u16(), reply.problem()), (500, "internal".to_owned()));
    assert!(!reply.text().contains("secret"));
    assert_eq!(world.get("/healthz", &[]).await.status, StatusCode::OK, "the service goes on");
}

#[test]
fn a_request_past_its_time_ends() {
    // The one thread on which bodies are made is held until the answer is there.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().max_blocking_threads(1).build().unwrap();
    let (free, held) = std::sync::mpsc::channel::<()>();
    runtime.block_on(async {
        let settings = Settings { request_timeout: Duration::from_millis(5), ..Settings::default() };
        let world = world(1, true, settings).await;
        let holder = tokio::task::spawn_blocking(move || held.recv());
        let reply = world.get("/v1/indicators/V01/data", &[]).await;
        assert_eq!((reply.status.as_u16(), reply.problem()), (504, "answer_timeout".to_owned()));
        free.send(()).unwrap();
        holder.await.unwrap().unwrap();
    });
}
