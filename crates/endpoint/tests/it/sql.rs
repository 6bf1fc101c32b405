//! Questions in SQL over HTTP: formats, refusals, bodies that are none.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::{Decimal128Type, Int64Type};
use arrow::ipc::reader::StreamReader;
use axum::body::Body;
use endpoint::Settings;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use serde_json::json;

use crate::world::{real, world};

const QUESTION: &str = r#"{"sql": "select province, value, as_of from published.v01 where time_period = $1 and province <> '_T' order by value desc nulls last", "params": ["2024"]}"#;

#[tokio::test]
async fn a_question_is_answered_in_json() {
    let world = real().await;
    let reply = world.sql(QUESTION, &[]).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
    assert_eq!(
        reply.json(),
        json!({
            "columns": [{"name": "province", "type": "text"}, {"name": "value", "type": "numeric"},
                {"name": "as_of", "type": "date"}],
            "row_count": 3,
            "edition": 2,
            "rows": [["PK-PB", 121, "2024-12-31"], ["PK-SD", 81, "2024-12-31"], ["PK-KP", null, "2024-12-31"]]
        })
    );
    assert_eq!((reply.header("amanat-rows"), reply.header("amanat-edition")), ("3", "2"));
    assert_eq!(reply.header("amanat-limits"), "seconds=30, memory=536870912, rows=100000");
    assert_eq!(reply.header("cache-control"), "no-store");
    let text = [("content-type", "text/plain; charset=utf-8")];
    let reply = world.send("POST", "/v1/sql", &text, "select 1 as one;").await;
    assert_eq!(reply.json()["rows"], json!([[1]]));
}

#[tokio::test]
async fn companions_are_asked_for_in_the_body_or_the_address() {
    // Over published tables, whose intervals are columns of their own, the answer is the same.
    let world = real().await;
    let json = [("content-type", "application/json")];
    let body = world.sql("{\"sql\": \"select 1 as one\", \"companions\": true}", &[]).await;
    let address = world.send("POST", "/v1/sql?companions=true", &json, "{\"sql\": \"select 1 as one\"}").await;
    assert_eq!((body.json()["rows"].clone(), address.json()["rows"].clone()), (json!([[1]]), json!([[1]])));
    let neither = world.send("POST", "/v1/sql?companions=perhaps", &json, "{\"sql\": \"select 1\"}").await;
    assert_eq!(neither.problem(), "malformed_parameter");
}

#[tokio::test]
async fn the_accepted_format_is_sent() {
    let world = real().await;
    let csv = world.sql(QUESTION, &[("accept", "text/csv")]).await;
    assert_eq!(csv.text(), "province,value,as_of\nPK-PB,121,2024-12-31\nPK-SD,81,2024-12-31\nPK-KP,,2024-12-31\n");

    let arrow = world.sql(QUESTION, &[("accept", "application/vnd.apache.arrow.stream")]).await;
    assert_eq!(arrow.header("content-type"), "application/vnd.apache.arrow.stream");
    let batches: Vec<_> = StreamReader::try_new(&*arrow.body, None).unwrap().map(Result::unwrap).collect();
    let values = batches[0].column(1).as_primitive::<Decimal128Type>();
    assert_eq!(values.iter().collect::<Vec<_>>(), [Some(121_000_000), Some(81_000_000), None]);

    let parquet = world.sql(QUESTION, &[("accept", "application/vnd.apache.parquet")]).await;
    let batches: Vec<_> = ParquetRecordBatchReader::try_new(parquet.body, 100).unwrap().map(Result::unwrap).collect();
    assert_eq!(batches[0].column(0).as_string::<i32>().value(2), "PK-KP");

    let none = world.sql("{\"sql\": \"select province from v01 where false\"}", &[]).await;
    assert_eq!((none.json()["row_count"].clone(), none.json()["rows"].clone()), (json!(0), json!([])));
    let html = world.sql(QUESTION, &[("accept", "text/html")]).await;
    assert_eq!(html.problem(), "not_acceptable");
}

#[tokio::test]
async fn a_long_answer_comes_in_pieces_and_whole() {
    let world = real().await;
    let question = r#"{"sql": "select a.value, b.value as other from v01 a, v01 b order by 1, 2"}"#;
    let rows = 49 * 49;
    let json = world.sql(question, &[]).await;
    assert_eq!(json.header("content-length"), "", "it is sent as it is written");
    assert_eq!(json.json()["rows"].as_array().unwrap().len(), rows);
    let csv = world.sql(question, &[("accept", "text/csv")]).await;
    assert_eq!(csv.text().lines().count(), rows + 1);
    let arrow = world.sql(question, &[("accept", "application/vnd.apache.arrow.stream")]).await;
    let batches = StreamReader::try_new(&*arrow.body, None).unwrap().map(Result::unwrap);
    assert_eq!(batches.map(|b| b.num_rows()).sum::<usize>(), rows);
    let coded = world.sql(question, &[("accept-encoding", "gzip")]).await;
    assert_eq!(coded.header("content-encoding"), "gzip");
    assert!(coded.body.len() < json.body.len() / 2);
}

#[tokio::test]
async fn a_refusal_names_place_and_remedy() {
    let world = real().await;
    let table = world.sql(r#"{"sql": "select *\nfrom published.v0"}"#, &[]).await;
    assert_eq!((table.status.as_u16(), table.problem()), (422, "unknown_table".to_owned()));
    assert_eq!(table.json()["place"], json!({"line": 2, "column": 6}));
    assert!(!table.hint().is_empty());
    let statement = world.sql(r#"{"sql": "drop table published.v01"}"#, &[]).await;
    assert_eq!((statement.status.as_u16(), statement.problem()), (403, "statement".to_owned()));
    let meaning = world.get(table.json()["type"].as_str().unwrap(), &[]).await;
    assert_eq!(meaning.json()["title"], table.json()["title"]);
}

#[tokio::test]
async fn a_body_that_is_no_question_is_a_problem_with_a_remedy() {
    let settings = Settings { body_limit: 200, ..Settings::default() };
    let world = world(1, true, settings).await;
    let json = "application/json";
    let long = format!("{{\"sql\": \"select 1{}\"}}", " ".repeat(300));
    for (kind, body, status, code) in [
        (json, "{\"sql\": ", 400, "malformed_body"),
        (json, "[]", 400, "malformed_body"),
        (json, "{\"query\": \"select 1\"}", 400, "malformed_body"),
        (json, "{\"sql\": \"select $1\", \"params\": [[1]]}", 400, "malformed_body"),
        ("application/x-www-form-urlencoded", "select 1", 415, "unsupported_media_type"),
        ("text/plain; charset=latin1", "select 1", 415, "unsupported_media_type"),
        (json, long.as_str(), 413, "body_too_large"),
    ] {
        let reply = world.send("POST", "/v1/sql", &[("content-type", kind)], body.to_owned()).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, code), "{body}");
        assert!(!reply.hint().is_empty());
    }
    let nothing = world.send("POST", "/v1/sql", &[], "select 1").await;
    assert_eq!(nothing.problem(), "unsupported_media_type");
    let latin = world.send("POST", "/v1/sql", &[("content-type", "text/plain")], vec![b'\'', 0xE9, b'\'']).await;
    assert_eq!(latin.problem(), "malformed_body");
    let said = [("content-type", json), ("content-length", "1000000")];
    assert_eq!(world.send("POST", "/v1/sql", &said, "{}").await.problem(), "body_too_large");
    let pieces = futures::stream::iter([150; 3].map(|n| Ok::<_, std::io::Error>(" ".repeat(n))));
    let reply = world.send("POST", "/v1/sql", &[("content-type", json)], Body::from_stream(pieces)).await;
    assert_eq!(reply.problem(), "body_too_large", "its length was not said");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let settings = Settings { request_timeout: Duration::from_millis(20), ..Settings::default() };
    let world = world(1, true, settings).await;
    let never = Body::from_stream(futures::stream::pending::<Result<String, std::io::Error>>());
    let reply = world.send("POST", "/v1/sql", &[("content-type", "text/plain")], never).await;
    assert_eq!((reply.status.as_u16(), reply.problem()), (408, "request_timeout".to_owned()));
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_question_with_it() {
    let settings = query::Settings { threads: 1, at_once: 1, waiting: 0, ..query::Settings::default() };
    let source: Arc<dyn query::EditionSource> = Arc::clone(&world(1, true, Settings::default()).await.memory) as _;
    let reader = query::Reader::open(source, real().await.reader.catalogue().clone(), settings).await.unwrap();
    let mut world = real().await;
    world.doors = endpoint::doors(reader, Settings::default());
    let endless = "select count(*) from v01 a, v01 b, v01 c, v01 d, v01 e, v01 f where a.value + f.value > 1e9";
    let endless = format!("{{\"sql\": \"{endless}\"}}");
    let left = tokio::time::timeout(Duration::from_millis(200), world.sql(&endless, &[])).await;
    assert!(left.is_err(), "the client leaves before the answer");
    // The one turn is free again as soon as the work has stopped.
    let again = async {
        loop {
            let reply = world.sql(r#"{"sql": "select 1 as one"}"#, &[]).await;
            if reply.status.as_u16() == 200 {
                return reply.cells("one")[0].as_i64();
            }
            assert_eq!(reply.problem(), "busy");
            assert_eq!(reply.header("retry-after"), "5");
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), again).await.unwrap(), Some(1));
}

#[tokio::test]
async fn whole_numbers_keep_every_digit() {
    let world = real().await;
    let reply = world.sql(r#"{"sql": "select 9223372036854775807 as most, value as share from v01 where measure = 'share_female' limit 1"}"#, &[]).await;
    assert!(reply.text().contains("[9223372036854775807,62.5]"), "{}", reply.text());
    let arrow = world
        .sql(r#"{"sql": "select 9223372036854775807 as most"}"#, &[("accept", "application/vnd.apache.arrow.stream")])
        .await;
    let batch = StreamReader::try_new(&*arrow.body, None).unwrap().next().unwrap().unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(0), i64::MAX);
}
