//! Requests to the schema registry: methods, paths and bodies of whoever reaches its address; compiled by the tests of `gateway`
//! too.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use gateway::{Registry, router};
use tower::ServiceExt as _;

/// Requests of one input: enough to register, look up, compare and set a level.
const MOST: usize = 12;

/// A folder that ends with the input.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("amanat-registry-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Requests to one registry, with a line `---` between two: a line `METHOD PATH`, then the body.
pub fn requests(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let folder = Folder::new();
    let registry = Registry::open(&folder.0.join("gateway.db"), &[]).expect("a registry");
    let router = router(registry);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for request in text.split("\n---\n").take(MOST) {
            let (line, body) = request.split_once('\n').unwrap_or((request, ""));
            let (method, path) = line.split_once(' ').unwrap_or(("GET", line));
            ask(&router, method, path, body).await;
        }
    });
}

/// Every request is answered, in JSON, by a code that blames no fault of ours; what is registered is served by its id.
async fn ask(router: &Router, method: &str, path: &str, body: &str) {
    let Some((status, answer)) = answer(router, method, path, body).await else { return };
    assert!(!status.is_server_error() || status == StatusCode::NOT_IMPLEMENTED, "{status}");
    if !status.is_success() {
        assert!(answer["error_code"].is_i64() && answer["message"].is_string(), "an error has Confluent's form");
        return;
    }
    let registers = method == "POST"
        && path.starts_with("/subjects/")
        && path.split('?').next().is_some_and(|path| path.ends_with("/versions"));
    if let (true, Some(id)) = (registers, answer["id"].as_i64()) {
        let (status, served) =
            self::answer(router, "GET", &format!("/schemas/ids/{id}"), "").await.expect("a good request");
        assert!(status == StatusCode::OK && served["schema"].is_string(), "what is registered is served");
    }
}

/// `None` for what is no request of HTTP.
async fn answer(router: &Router, method: &str, path: &str, body: &str) -> Option<(StatusCode, serde_json::Value)> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/vnd.schemaregistry.v1+json")
        .body(Body::from(body.to_owned()))
        .ok()?;
    let response = router.clone().oneshot(request).await.expect("a router answers");
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body in memory");
    // HEAD has no body.
    let read = if bytes.is_empty() { serde_json::Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
    (method != "HEAD").then_some((status, read))
}
