//! The registry over HTTP, request by request, with Confluent's codes.

use std::path::Path;

use gateway::{Registry, router};
use serde_json::{Value, json};

use crate::world::{COUNT, COUNT_DEFAULT, ID, World, record};

/// A running registry and a client of it.
pub struct Served {
    pub url: String,
    client: reqwest::Client,
    _world: Option<World>,
}

pub async fn serve(registry: Registry) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router(registry)).await.unwrap() });
    url
}

impl Served {
    async fn new() -> Self {
        let world = World::new();
        let url = serve(world.registry.clone()).await;
        Self { url, client: reqwest::Client::new(), _world: Some(world) }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            let kind = "application/vnd.schemaregistry.v1+json";
            request = request.header("content-type", kind).body(body.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/vnd.schemaregistry.v1+json");
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None).await
    }

    async fn post(&self, path: &str, fields: &str) -> (u16, Value) {
        self.ask("POST", path, Some(json!({ "schema": record(fields) }))).await
    }

    async fn code(&self, method: &str, path: &str, body: Value) -> (u16, i64) {
        let (status, answer) = self.ask(method, path, Some(body)).await;
        assert!(answer["message"].is_string(), "{answer}");
        (status, answer["error_code"].as_i64().unwrap())
    }
}

#[tokio::test]
async fn a_schema_is_registered_found_and_served_by_its_id() {
    let served = Served::new().await;
    let text = record(ID);
    assert_eq!(served.post("/subjects/topic-value/versions", ID).await, (200, json!({ "id": 1 })));
    assert_eq!(served.post("/subjects/topic-value/versions?normalize=False", ID).await, (200, json!({ "id": 1 })));
    let version = json!({ "subject": "topic-value", "version": 1, "id": 1, "schema": text });
    assert_eq!(served.post("/subjects/topic-value", ID).await, (200, version.clone()));
    for (path, expected) in [
        ("/subjects", json!(["topic-value"])),
        ("/subjects?subjectPrefix=other", json!([])),
        ("/subjects/topic-value/versions", json!([1])),
        ("/subjects/topic-value/versions/1", version.clone()),
        ("/subjects/topic-value/versions/latest", version.clone()),
        ("/subjects/topic-value/versions/-1", version),
        ("/subjects/topic-value/versions/1/schema", serde_json::from_str(&text).unwrap()),
        ("/subjects/topic-value/versions/1/referencedby", json!([])),
        ("/schemas/ids/1", json!({ "schema": text })),
        ("/schemas/ids/1?fetchMaxId=false&subject=topic-value", json!({ "schema": text })),
        ("/schemas/ids/1/schema", serde_json::from_str(&text).unwrap()),
        ("/schemas/ids/1/subjects", json!(["topic-value"])),
        ("/schemas/ids/1/versions", json!([{ "subject": "topic-value", "version": 1 }])),
        ("/schemas/types", json!(["JSON", "AVRO"])),
        ("/config", json!({ "compatibilityLevel": "BACKWARD_TRANSITIVE" })),
        ("/mode", json!({ "mode": "READWRITE" })),
        ("/", json!({})),
    ] {
        assert_eq!(served.get(path).await, (200, expected), "{path}");
    }
}

#[tokio::test]
async fn a_name_with_signs_is_one_segment_of_the_path() {
    let served = Served::new().await;
    assert_eq!(served.post("/subjects/a%2Fb%20c%3A%C3%BC/versions", ID).await.0, 200);
    assert_eq!(served.get("/subjects").await.1, json!(["a/b c:ü"]));
}

#[tokio::test]
async fn compatibility_is_asked_without_registering() {
    let served = Served::new().await;
    served.post("/subjects/s/versions", ID).await;
    let ask = async |path: &str, fields: &str| served.post(path, fields).await.1;
    let more = format!("{ID},{COUNT_DEFAULT}");
    assert_eq!(ask("/compatibility/subjects/s/versions/latest", &more).await, json!({ "is_compatible": true }));
    assert_eq!(ask("/compatibility/subjects/s/versions", &more).await, json!({ "is_compatible": true }));
    assert_eq!(ask("/compatibility/subjects/new/versions", COUNT).await, json!({ "is_compatible": true }));
    let no = ask("/compatibility/subjects/s/versions/1?verbose=true", &format!("{ID},{COUNT}")).await;
    assert_eq!(no["is_compatible"], json!(false));
    assert!(no["messages"][0].as_str().unwrap().contains("`count`"), "{no}");
    assert_eq!(served.get("/subjects/s/versions").await.1, json!([1]));
}

#[tokio::test]
async fn levels_are_set_and_taken_away() {
    let served = Served::new().await;
    let full = json!({ "compatibility": "FULL" });
    assert_eq!(served.ask("PUT", "/config/s", Some(full.clone())).await, (200, full));
    assert_eq!(served.get("/config/s").await.1, json!({ "compatibilityLevel": "FULL" }));
    assert_eq!(served.ask("DELETE", "/config/s", None).await.1, json!({ "compatibilityLevel": "FULL" }));
    assert_eq!(served.get("/config/s").await.1["error_code"], json!(40408));
    let default = served.get("/config/s?defaultToGlobal=true").await.1;
    assert_eq!(default, json!({ "compatibilityLevel": "BACKWARD_TRANSITIVE" }));
    served.ask("PUT", "/config", Some(json!({ "compatibility": "none" }))).await;
    assert_eq!(served.get("/config").await.1, json!({ "compatibilityLevel": "NONE" }));
}

#[tokio::test]
async fn each_mistake_has_its_code() {
    let served = Served::new().await;
    served.post("/subjects/s/versions", ID).await;
    let good = json!({ "schema": record(ID) });
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    for (method, path, body, expected) in [
        ("GET", "/subjects/none/versions", json!({}), (404, 40401)),
        ("GET", "/subjects/none/versions/1", json!({}), (404, 40401)),
        ("GET", "/subjects/s/versions/7", json!({}), (404, 40402)),
        ("GET", "/subjects/s/versions/0", json!({}), (422, 42202)),
        ("GET", "/subjects/s/versions/newest", json!({}), (422, 42202)),
        ("GET", "/schemas/ids/99", json!({}), (404, 40403)),
        ("GET", "/schemas/ids/x", json!({}), (404, 40403)),
        ("GET", "/mode/s", json!({}), (404, 40409)),
        ("GET", "/nothing", json!({}), (404, 404)),
        ("POST", "/subjects/none", good.clone(), (404, 40401)),
        ("POST", "/subjects/s", json!({ "schema": record(COUNT) }), (404, 40403)),
        ("POST", "/subjects/s/versions", json!({ "schema": "{" }), (422, 42201)),
        ("POST", "/subjects/s/versions", with("schemaType", json!("PROTOBUF")), (422, 42201)),
        ("POST", "/subjects/s/versions", with("metadata", json!({ "properties": { "a": "b" } })), (422, 42201)),
        (
            "POST",
            "/subjects/s/versions",
            with("references", json!([{ "name": "a", "subject": "b", "version": 1 }])),
            (422, 42201),
        ),
        ("POST", "/subjects/s/versions", with("id", json!(7)), (422, 42205)),
        ("POST", "/subjects/s/versions", json!({ "schema": record(COUNT) }), (409, 409)),
        ("POST", "/subjects/s/versions", json!({ "schemata": 1 }), (400, 400)),
        ("POST", "/compatibility/subjects/none/versions/latest", good.clone(), (404, 40401)),
        ("POST", "/compatibility/subjects/s/versions/7", good.clone(), (404, 40402)),
        ("PUT", "/config", json!({ "compatibility": "SOME" }), (422, 42203)),
        ("PUT", "/mode", json!({ "mode": "READONLY" }), (422, 42205)),
        ("DELETE", "/subjects/s", json!({}), (422, 42205)),
        ("DELETE", "/subjects/s/versions/1", json!({}), (422, 42205)),
        ("PUT", "/subjects", json!({}), (405, 405)),
    ] {
        assert_eq!(served.code(method, path, body.clone()).await, expected, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn a_body_that_a_page_could_send_unasked_is_refused() {
    let served = Served::new().await;
    let request = served.client.post(format!("{}/subjects/s/versions", served.url));
    let response = request.header("content-type", "text/plain").body(json!({ "schema": record(ID) }).to_string());
    assert_eq!(response.send().await.unwrap().status().as_u16(), 415);
    assert_eq!(served.get("/subjects").await.1, json!([]));
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_and_the_next_request_answered() {
    let served = Served::new().await;
    let body = json!({ "schema": "x".repeat(10 << 20) });
    let request = served.client.post(format!("{}/subjects/s/versions", served.url));
    let sent = request.header("content-type", "application/json").body(body.to_string()).send().await;
    // The connection may be closed before the client has sent all; either way nothing was read.
    assert!(sent.map_or(true, |response| response.status().as_u16() == 413));
    assert_eq!(served.get("/subjects").await, (200, json!([])));
}

#[tokio::test]
async fn plain_json_is_answered_to_whoever_asks_for_it() {
    let served = Served::new().await;
    let request = served.client.get(format!("{}/subjects", served.url)).header("accept", "application/json");
    assert_eq!(request.send().await.unwrap().headers()["content-type"], "application/json");
}

/// The corpus is the one that the client in Java compares with Avro's own rules; here its form is checked.
#[test]
fn the_corpus_of_pairs_is_well_formed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pairs.json");
    let pairs: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let names: std::collections::BTreeSet<&str> = pairs.iter().map(|pair| pair["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), pairs.len(), "each pair has its own name");
}
