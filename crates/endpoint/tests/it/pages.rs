//! The pages: a document at each address, files that never change, a policy that lets nothing in from elsewhere.

use axum::http::StatusCode;

use crate::world::{Reply, World, real};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

async fn open(world: &World, path: &str) -> Reply {
    world.get(path, &[BROWSER]).await
}

/// Addresses that a document loads from this service.
fn loaded(document: &str) -> Vec<String> {
    let after = document.split("\"/assets/").skip(1);
    after.filter_map(|rest| Some(format!("/assets/{}", rest.split_once('"')?.0))).collect()
}

fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, end)| end)
}

#[tokio::test]
async fn a_browser_gets_a_page_where_a_program_gets_data() {
    let world = real().await;
    let page = open(&world, "/").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    for accept in ["application/json", "*/*", "application/json, text/html;q=0.5"] {
        let data = world.get("/", &[("accept", accept)]).await;
        assert_eq!((data.header("content-type"), data.header("vary")), ("application/json", "accept, accept-encoding"));
    }
    assert_eq!(page.header("vary"), "accept, accept-encoding");
}

#[tokio::test]
async fn every_page_is_one_document_whatever_its_parameters() {
    let world = real().await;
    let first = open(&world, "/").await.body;
    let paths = ["/indicators", "/indicators/V01?by=province&lang=ur", "/indicators/v01", "/children", "/justice"];
    for path in paths.into_iter().chain(["/labour", "/support", "/quality", "/sql?q=select+1", "/about?edition=1"]) {
        let page = open(&world, path).await;
        assert_eq!((page.status, &page.body), (StatusCode::OK, &first), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_to_not_be_there() {
    let world = real().await;
    for path in ["/nowhere", "/indicators/NOPE", "/indicators/V01/more"] {
        let page = open(&world, path).await;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::NOT_FOUND, "text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
    }
    assert_eq!(world.get("/nowhere", &[]).await.problem(), "not_found", "a program gets a problem");
    assert_eq!(open(&world, "/v1/nowhere").await.problem(), "not_found", "below /v1 there are no pages");
    assert_eq!(open(&world, "/assets/none.js").await.problem(), "not_found");
    assert_eq!(open(&world, "/assets/..%2Findex.html").await.problem(), "not_found");
}

#[tokio::test]
async fn a_page_loads_from_here_alone_and_holds_no_script_of_its_own() {
    let world = real().await;
    let page = open(&world, "/").await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("connect-src 'self'"), "{policy}");
    assert!(!page.text().contains("<style") && !page.text().contains("style="), "no style in the document");
    assert!(page.text().split("<script").skip(1).all(|s| s.split('>').next().is_some_and(|tag| tag.contains("src="))));
    assert!(!page.text().contains("http:") && !page.text().contains("https:"), "nothing from elsewhere");
    let data = world.get("/v1/indicators", &[]).await;
    assert_eq!(data.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
}

#[tokio::test]
async fn what_a_page_loads_is_there_and_never_changes() {
    let world = real().await;
    let page = open(&world, "/").await;
    let files = loaded(page.text());
    assert!(["js", "css"].iter().all(|end| files.iter().any(|f| ending(f) == *end)), "{files:?}");
    for path in files {
        let file = world.get(&path, &[]).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        assert!(!file.header("content-type").starts_with("application/octet-stream"), "{path}");
        assert_eq!(file.header("x-content-type-options"), "nosniff", "{path}");
    }
    assert_eq!(page.header("cache-control"), "public, no-cache", "the document asks each time");
}

#[tokio::test]
async fn each_coding_has_its_own_tag_and_a_known_one_is_not_sent_again() {
    let world = real().await;
    let script = loaded(open(&world, "/").await.text()).into_iter().find(|f| ending(f) == "js").unwrap();
    let mut tags = Vec::new();
    let mut sizes = Vec::new();
    for (codings, coding) in [("identity", ""), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br")] {
        let file = world.get(&script, &[("accept-encoding", codings)]).await;
        assert_eq!(file.header("content-encoding"), coding);
        let tag = file.header("etag").to_owned();
        assert!(tag.starts_with('"'), "a strong tag: {tag}");
        let again = world.get(&script, &[("accept-encoding", codings), ("if-none-match", &tag)]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(again.header("etag"), tag);
        tags.push(tag);
        sizes.push(file.body.len());
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3);
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
    let shell = open(&world, "/about").await;
    let again = world.get("/about", &[BROWSER, ("if-none-match", shell.header("etag"))]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(again.header("content-security-policy"), shell.header("content-security-policy"));
}

#[tokio::test]
async fn pages_are_read_and_nothing_else() {
    let world = real().await;
    for path in ["/sql", "/indicators/V01", "/licences.txt"] {
        let reply = world.send("POST", path, &[], "").await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, HEAD, OPTIONS"), "{path}");
    }
}

#[tokio::test]
async fn the_licences_of_what_is_carried_are_there() {
    let world = real().await;
    let licences = world.get("/licences.txt", &[]).await;
    assert_eq!(licences.header("content-type"), "text/plain; charset=utf-8");
    for name in ["preact", "@observablehq/plot", "d3", "@fontsource/noto-nastaliq-urdu", "SIL Open Font License"] {
        assert!(licences.text().contains(name), "{name}");
    }
}
