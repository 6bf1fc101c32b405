//! The rows of an indicator in every form, whole and by pages. That other people's readers read them: tests/standards.

use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::datatypes::Decimal128Type;
use axum::http::StatusCode;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::world::real;

const ONE: &str = "/v1/indicators/V01/data?province=PK-KP&from=2024&to=2024";

#[tokio::test]
async fn every_form_has_a_name_and_a_media_type() {
    let world = real().await;
    let mut tags = BTreeSet::new();
    for (name, kind) in [
        ("json", "application/json"),
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("parquet", "application/vnd.apache.parquet"),
        ("arrow", "application/vnd.apache.arrow.stream"),
        ("jsonstat", "application/json"),
        ("sdmx-json", "application/vnd.sdmx.data+json; version=2.0.0"),
        ("sdmx-csv", "application/vnd.sdmx.data+csv; version=2.0.0; charset=utf-8"),
        ("sdmx-csv-1.0", "application/vnd.sdmx.data+csv; version=1.0.0; charset=utf-8"),
    ] {
        let reply = world.get(&format!("{ONE}&format={name}"), &[]).await;
        assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, kind), "{name}");
        assert_eq!(reply.header("amanat-rows"), "5", "{name}");
        assert_eq!(reply.header("amanat-sha256").len(), 64, "{name}");
        assert!(tags.insert(reply.header("etag").to_owned()), "{name} has a tag of its own");
        if name != "jsonstat" {
            let accepted = world.get(ONE, &[("accept", &kind.replace("; charset=utf-8", ""))]).await;
            assert_eq!(accepted.body, reply.body, "{name} by its media type");
        }
        let links: Vec<&str> = reply.header("link").split(", ").collect();
        assert_eq!(
            links,
            [
                "</v1/indicators/V01/data?province=PK-KP&from=2024-Q1&to=2024-Q4&edition=2>; rel=\"cite-as\"",
                "</v1/indicators/V01>; rel=\"describedby\"",
                "</v1/methodology>; rel=\"describedby\"",
                "<https://creativecommons.org/licenses/by/4.0/>; rel=\"license\"",
            ],
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_is_cited_is_the_same_answer_for_ever() {
    let world = real().await;
    let answer = world.get(ONE, &[]).await.json();
    let citation = &answer["citation"];
    assert_eq!(
        citation["text"],
        "Amanat, “Identified victims” (V01), edition 2 of 2025-02-15, data as of 2024-12-31, \
         /v1/indicators/V01/data?province=PK-KP&from=2024-Q1&to=2024-Q4&edition=2."
    );
    let cited = world.get(citation["href"].as_str().unwrap(), &[]).await;
    assert_eq!(cited.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(cited.json(), answer);
    for link in ["methodology"] {
        assert_eq!(world.get(citation[link].as_str().unwrap(), &[]).await.status, StatusCode::OK);
    }
    let public = Some("https://data.example/".to_owned());
    let settings = endpoint::Settings { public_url: public, ..endpoint::Settings::default() };
    let at_home = crate::world::world(2, true, settings).await.get(ONE, &[]).await.json();
    let citation = &at_home["citation"];
    assert!(
        citation["href"].as_str().unwrap().starts_with("https://data.example/v1/indicators/V01/data?"),
        "{citation}"
    );
    assert!(citation["text"].as_str().unwrap().ends_with("SYNTHETIC: nobody in it exists."), "{citation}");
}

#[tokio::test]
async fn json_stat_keeps_zero_suppressed_and_absent_apart() {
    let world = real().await;
    let dataset = world.get(&format!("{ONE}&format=jsonstat"), &[]).await.json();
    assert_eq!((&dataset["version"], &dataset["class"]), (&json!("2.0"), &json!("dataset")));
    assert_eq!(dataset["id"], json!(["measure", "time_period", "province", "sex"]));
    assert_eq!(dataset["size"], json!([1, 5, 1, 1]));
    assert_eq!(dataset["dimension"]["time_period"]["category"]["index"][0], "2024");
    assert_eq!(dataset["dimension"]["province"]["category"]["label"], json!({"PK-KP": "Khyber Pakhtunkhwa"}));
    assert_eq!(dataset["dimension"]["measure"]["category"]["unit"], json!({"victims": {"label": "person"}}));
    assert_eq!(dataset["role"], json!({"time": ["time_period"], "metric": ["measure"], "geo": ["province"]}));
    assert_eq!(dataset["value"], json!({"1": 8, "2": 8, "3": 8, "4": 8}), "a suppressed cell has no value");
    assert_eq!(dataset["status"]["0"], "Q");
    assert_eq!(dataset["extension"]["conf_status"]["0"], "C");
    assert_eq!(dataset["extension"]["lo95"]["1"], 4);
    let nothing = world.get("/v1/indicators/V01/data?sex=M&format=jsonstat", &[]).await;
    assert_eq!((nothing.status, nothing.json()["value"].clone()), (StatusCode::OK, json!({})));
}

#[tokio::test]
async fn parquet_keeps_every_digit() {
    let world = real().await;
    let reply = world.get("/v1/indicators/V01/data?measure=share_female&format=parquet", &[]).await;
    assert_eq!(reply.header("content-encoding"), "");
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(reply.body.clone()).unwrap().build().unwrap();
    let batch = reader.next().unwrap().unwrap();
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names[..6], ["edition", "indicator", "measure", "time_period", "province", "sex"]);
    let value = batch.column_by_name("value").unwrap().as_primitive::<Decimal128Type>();
    assert_eq!((value.len(), value.value(0)), (3, 62_500_000));
    let coded = world.get("/v1/indicators/V01/data?format=parquet", &[("accept-encoding", "gzip")]).await;
    assert_eq!(coded.header("content-encoding"), "", "what is compressed is not compressed again");
}

#[tokio::test]
async fn a_byte_order_mark_is_there_for_who_asks() {
    let world = real().await;
    let plain = world.get(&format!("{ONE}&format=csv"), &[]).await;
    let marked = world.get(&format!("{ONE}&format=csv&bom=true"), &[]).await;
    assert_eq!(marked.text(), format!("\u{feff}{}", plain.text()));
    for (query, hint) in [("bom=true", "format=csv"), ("bom=yes&format=csv", "bom=true")] {
        let refused = world.get(&format!("{ONE}&{query}"), &[]).await;
        assert_eq!(refused.problem(), "malformed_parameter");
        assert!(refused.hint().contains(hint), "{}", refused.hint());
    }
}

#[tokio::test]
async fn pages_of_one_edition_are_together_the_whole() {
    let world = real().await;
    let all = world.get("/v1/indicators/V01/data?province=PK-PB", &[]).await.json();
    let (mut rows, mut path, mut pages) = (Vec::new(), "/v1/indicators/V01/data?province=PK-PB&limit=4".to_owned(), 0);
    loop {
        let reply = world.get(&path, &[]).await;
        let page = reply.json();
        let mut link = reply.headers.get_all("link").iter().map(|l| l.to_str().unwrap().to_owned());
        let next = link.find_map(|l| Some(l.strip_suffix(">; rel=\"next\"")?.strip_prefix('<')?.to_owned()));
        assert_eq!(page["page"]["next"].as_str().map(str::to_owned), next);
        assert_eq!(page["page"]["total_rows"], 15);
        rows.extend(page["rows"].as_array().unwrap().clone());
        pages += 1;
        // An edition that appears between two pages changes nothing.
        assert!(next.as_ref().is_none_or(|next| next.contains("edition=2")));
        let Some(next) = next else { break };
        path = next;
    }
    assert_eq!((pages, Value::from(rows)), (4, all["rows"].clone()));
    assert_eq!(all.get("page"), None, "all rows are no page");
    for (query, hint) in [
        ("limit=0", "from 1"),
        ("limit=many", "from 1"),
        ("after=x", "rel=\"next\""),
        ("after=0123456789abcdef", "follow its link"),
        ("limit=-1", "from 1"),
    ] {
        let refused = world.get(&format!("/v1/indicators/V01/data?{query}"), &[]).await;
        assert_eq!(refused.problem(), "malformed_parameter", "{query}");
        assert!(refused.hint().contains(hint), "{query}: {}", refused.hint());
    }
}
