//! Who comes in over HTTP, what each role may use, and what a page of another origin cannot do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use endpoint::{Decided, Decision, Gate, GateSettings, Record, Register, Settings};
use policy::{Access, Grant, Readers, Role, Share, new_reader, new_user};
use serde_json::json;

use crate::world::{Reply, World, embargoed, world};

/// Keeps what was decided, and the readers, in memory.
#[derive(Default)]
struct Kept {
    said: Mutex<Vec<Decision>>,
    text: Mutex<String>,
}

impl Record for Kept {
    fn record(&self, decision: &Decision) -> bool {
        self.said.lock().unwrap().push(decision.clone());
        true
    }
}

impl Register for Kept {
    fn put(&self, name: &str, lines: Option<&str>) -> Result<Readers, String> {
        let mut text = self.text.lock().unwrap();
        *text = format!("{}{}", policy::without(&text, name), lines.unwrap_or_default());
        Readers::parse(&text).map_err(|error| error.to_string())
    }
}

impl Kept {
    fn said(&self, what: Decided) -> Vec<String> {
        self.said.lock().unwrap().iter().filter(|said| said.what == what).map(|said| said.name.clone()).collect()
    }
}

const PASSWORD: &str = "correct horse battery";
const HOST: (&str, &str) = ("host", "amanat.test");
const JSON: (&str, &str) = ("content-type", "application/json");

fn grant(role: Role) -> Grant<'static> {
    Grant { name: role.name(), role, share: Share::Ministry, purpose: "test", expires: None, tables: &[] }
}

fn random() -> [u8; 32] {
    static NEXT: Mutex<u64> = Mutex::new(0);
    let mut next = NEXT.lock().unwrap();
    *next += 1;
    *blake3::hash(&next.to_le_bytes()).as_bytes()
}

/// A world with a key of every role, an operator with a password, and what is kept of it.
async fn peopled(settings: Settings) -> (World, Arc<Kept>, BTreeMap<Role, String>) {
    let kept = Arc::new(Kept::default());
    let mut keys = BTreeMap::new();
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Public) {
        let (key, lines) = new_reader(grant(role), (random(), [1; 16]));
        kept.text.lock().unwrap().push_str(&lines);
        keys.insert(role, key);
    }
    let operator = Grant { name: "operator-1", ..grant(Role::Operator) };
    let lines = new_user(operator, PASSWORD, [[1; 16], [2; 16]]).unwrap();
    let readers = kept.put("operator-1", Some(&lines)).unwrap();
    let (record, register): (Arc<dyn Record>, Arc<dyn Register>) = (Arc::clone(&kept) as _, Arc::clone(&kept) as _);
    let gate =
        Arc::new(Gate::new(GateSettings { readers, clock: SystemTime::now, random, record, register: Some(register) }));
    (world(2, false, Settings { gate, ..settings }).await, kept, keys)
}

/// A browser: it keeps its cookie and says where its pages are from.
struct Browser<'w> {
    world: &'w World,
    cookie: String,
    csrf: String,
}

impl<'w> Browser<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, cookie: String::new(), csrf: String::new() }
    }

    async fn send(&mut self, method: &str, path: &str, body: serde_json::Value) -> Reply {
        let own = [HOST, JSON, ("origin", "http://amanat.test"), ("sec-fetch-site", "same-origin")];
        let kept = [("cookie", self.cookie.as_str()), ("amanat-csrf", self.csrf.as_str())];
        let kept = kept.into_iter().filter(|(_, value)| !value.is_empty());
        let headers: Vec<_> = own.into_iter().chain(kept).collect();
        let reply = self.world.send(method, path, &headers, body.to_string()).await;
        if !reply.header("set-cookie").is_empty() {
            reply.header("set-cookie").split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        if let Some(csrf) = serde_json::from_slice::<serde_json::Value>(&reply.body)
            .ok()
            .and_then(|v| v["csrf"].as_str().map(str::to_owned))
        {
            self.csrf = csrf;
        }
        reply
    }

    async fn sign_in(&mut self, name: &str, password: &str) -> Reply {
        self.send("POST", "/v1/session", json!({"name": name, "password": password})).await
    }
}

#[tokio::test]
async fn every_address_has_a_row_in_the_policy_and_every_row_an_address() {
    let access = Access::default();
    for route in endpoint::served() {
        assert!(access.has_route(route), "{route}: draw a row for it in crates/policy/policy/access.toml");
    }
    for row in access.routes() {
        assert!(endpoint::served().any(|route| route == row), "{row}: there is no such address");
    }
}

#[tokio::test]
async fn each_role_uses_each_address_as_the_policy_draws_it_and_no_other() {
    let (world, kept, keys) = peopled(Settings::default()).await;
    let access = Access::default();
    let mut asked = 0;
    for (route, role) in endpoint::served().flat_map(|route| Role::ALL.map(|role| (route, role))) {
        // The metrics say themselves to whom they are shown; a stream does not end.
        if ["GET /metrics", "GET /v1/events"].contains(&route) {
            continue;
        }
        let (method, path) = route.split_once(' ').unwrap();
        let path: String =
            path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/");
        let bearer = keys.get(&role).map(|key| format!("Bearer {key}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let reply = world.send(method, &path, &headers, Body::empty()).await;
        let (is_public, problem) = (role == Role::Public, reply.header("content-type") == "application/problem+json");
        let code = if problem { reply.problem() } else { String::new() };
        let stays = code == "address_not_allowed" || is_public && code == "key_needed";
        assert_eq!(!stays, access.may_use(role, route), "{role:?} {route}: {} {code}", reply.status);
        assert!(reply.status != StatusCode::INTERNAL_SERVER_ERROR, "{role:?} {route}");
        asked += 1;
    }
    println!("{asked} cells of the matrix");
    assert!(asked > 250, "a matrix of {asked} cells");
    assert!(kept.said(Decided::NotAllowed).contains(&"analyst".to_owned()), "who reached for it stands in the log");
}

/// What a world answers at each address that is read, to a steward who may see what is under embargo in SQL.
async fn everything(world: &World, key: &str) -> BTreeMap<String, (StatusCode, String)> {
    let bearer = format!("Bearer {key}");
    let named = [("{id}", "V01"), ("{number}", "2"), ("{file}", "v01.csv"), ("{name}/data", "victims-by-year/data")];
    let mut all = BTreeMap::new();
    for path in endpoint::served().filter_map(|route| route.strip_prefix("GET ")) {
        // The metrics count, a stream does not end.
        if ["/metrics", "/v1/events"].contains(&path) {
            continue;
        }
        let path = named.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
        let path = path.replace("{context}", "dataflow").replace("{agencyID}", "AMANAT").replace("{resourceID}", "V01");
        let path =
            path.split('/').map(|part| if part.starts_with('{') { "*" } else { part }).collect::<Vec<_>>().join("/");
        for headers in [&[][..], &[("authorization", bearer.as_str())]] {
            let reply = world.send("GET", &path, headers, Body::empty()).await;
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            all.insert(
                format!("{path} {}", headers.len()),
                (reply.status, format!("{:?} {body}", reply.headers.get("etag"))),
            );
        }
    }
    all
}

#[tokio::test]
async fn an_edition_under_embargo_shows_at_no_address_that_it_is_there() {
    let (key, lines) = new_reader(grant(Role::Steward), ([7; 32], [1; 16]));
    let settings = || Settings { gate: Arc::new(Gate::of(Readers::parse(&lines).unwrap())), ..Settings::default() };
    let (with, without) = (embargoed(settings()).await, world(1, false, settings()).await);
    let (with_it, without_it) = (everything(&with, &key).await, everything(&without, &key).await);
    assert!(with_it.len() > 60 && with_it.values().filter(|(status, _)| status.is_success()).count() > 40);
    for (address, answer) in &with_it {
        assert_eq!(answer, &without_it[address], "{address}");
    }
    let asked = r#"{"sql": "select max(edition) as edition from published.v01"}"#;
    let bearer = format!("Bearer {key}");
    let steward = with.sql(asked, &[("authorization", &bearer)]).await;
    assert_eq!((steward.cells("edition"), steward.header("cache-control")), (vec![json!(2)], "no-store"));
    assert!(steward.text().contains("EMBARGOED until 2999-01-01T00:00:00Z"), "{}", steward.text());
    assert_eq!(with.sql(asked, &[]).await.cells("edition"), [json!(1)]);
}

#[tokio::test]
async fn metrics_are_shown_to_this_machine_and_to_who_runs_the_service() {
    let metrics: Option<endpoint::MetricsText> = Some(Arc::new(|| "# none\n".to_owned()));
    let (world, _, keys) = peopled(Settings { metrics, ..Settings::default() }).await;
    for (role, key) in &keys {
        let bearer = format!("Bearer {key}");
        let reply = world.get_from("192.0.2.1", "/metrics", &[("authorization", &bearer)]).await;
        assert_eq!(reply.status == StatusCode::OK, *role == Role::Operator, "{role:?}");
    }
    assert_eq!(world.get_from("192.0.2.1", "/metrics", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get_from("127.0.0.1", "/metrics", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_opens_by_a_password_and_ends_when_it_is_said() {
    let (world, kept, _) = peopled(Settings::default()).await;
    let mut browser = Browser::new(&world);
    assert_eq!(browser.send("GET", "/v1/session", json!({})).await.json(), json!({"name": null, "role": "public"}));
    let wrong = browser.sign_in("operator-1", "not this one").await;
    assert_eq!((wrong.status, wrong.problem().as_str()), (StatusCode::UNAUTHORIZED, "not_proven"));
    let nobody = browser.sign_in("operator-9", "not this one").await;
    assert_eq!((nobody.status, nobody.json()), (wrong.status, wrong.json()), "no name is told apart");
    let opened = browser.sign_in("operator-1", PASSWORD).await;
    assert_eq!(opened.status, StatusCode::OK);
    assert_eq!(opened.header("cache-control"), "no-store");
    assert!(opened.header("set-cookie").contains("HttpOnly; SameSite=Strict"));
    assert!(!opened.text().contains(browser.cookie.split_once('=').unwrap().1), "the token is in the cookie alone");
    assert_eq!(browser.send("GET", "/v1/session", json!({})).await.json()["name"], "operator-1");
    let before = browser.cookie.clone();
    assert_eq!(browser.send("DELETE", "/v1/session", json!({})).await.status, StatusCode::NO_CONTENT);
    browser.cookie = before;
    assert_eq!(
        browser.send("GET", "/v1/session", json!({})).await.json()["role"],
        "public",
        "a token that was taken is over"
    );
    assert_eq!(kept.said(Decided::CameIn), ["operator-1"]);
    assert_eq!(kept.said(Decided::Left), ["operator-1"]);
    assert_eq!(kept.said(Decided::NotProven), ["operator-1", endpoint::NOBODY]);
}

#[tokio::test]
async fn who_guesses_is_told_to_wait() {
    let (world, _, _) = peopled(Settings::default()).await;
    let mut browser = Browser::new(&world);
    for _ in 0..4 {
        assert_eq!(browser.sign_in("operator-1", "a guess of mine").await.problem(), "not_proven");
    }
    let locked = browser.sign_in("operator-1", "a guess of mine").await;
    assert_eq!((locked.status, locked.problem().as_str()), (StatusCode::TOO_MANY_REQUESTS, "locked_out"));
    assert_eq!(locked.header("retry-after"), "60");
    assert_eq!(browser.sign_in("operator-1", PASSWORD).await.problem(), "locked_out");
}

#[tokio::test]
async fn people_are_let_in_by_an_operator_and_taken_out_at_once() {
    let (world, kept, _) = peopled(Settings { public_url: None, ..Settings::default() }).await;
    let (mut operator, mut analyst) = (Browser::new(&world), Browser::new(&world));
    operator.sign_in("operator-1", PASSWORD).await;
    let invite = json!({"name": "analyst-7", "role": "analyst", "share": "ministry"});
    let invited = operator.send("POST", "/v1/people", invite.clone()).await;
    assert_eq!(invited.status, StatusCode::CREATED, "{}", invited.text());
    let link = invited.json()["link"].as_str().unwrap().to_owned();
    let token = link.strip_prefix("/welcome#").unwrap().to_owned();
    let listed = operator.send("GET", "/v1/people", json!({})).await;
    assert!(listed.text().contains("\"comes_by\":\"invitation\"") && !listed.text().contains(&token));
    let welcome = |token: &str, password: &str| json!({"token": token, "password": password});
    let short = analyst.send("POST", "/v1/welcome", welcome(&token, "short")).await;
    assert_eq!(short.problem(), "not_changed");
    let taken = analyst.send("POST", "/v1/welcome", welcome(&token, "a password of mine")).await;
    assert_eq!((taken.status, taken.json()["role"].as_str()), (StatusCode::CREATED, Some("analyst")));
    let again = Browser::new(&world).send("POST", "/v1/welcome", welcome(&token, "another password")).await;
    assert_eq!(again.problem(), "not_changed", "an invitation opens once");
    assert_eq!(analyst.send("GET", "/v1/people", json!({})).await.problem(), "address_not_allowed");
    assert_eq!(operator.send("POST", "/v1/people", invite).await.problem(), "not_changed", "the name is taken");
    let sentence = json!({"name": "analyst-8", "role": "analyst", "purpose": "for a friend"});
    assert_eq!(operator.send("POST", "/v1/people", sentence).await.problem(), "not_changed", "a purpose is a code");
    assert_eq!(operator.send("DELETE", "/v1/people/operator-1", json!({})).await.problem(), "not_changed");
    assert_eq!(operator.send("DELETE", "/v1/people/analyst-7", json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(analyst.send("GET", "/v1/session", json!({})).await.json()["role"], "public");
    assert_eq!(analyst.sign_in("analyst-7", "a password of mine").await.problem(), "not_proven");
    for (what, name) in
        [(Decided::Invited, "analyst-7"), (Decided::Accepted, "analyst-7"), (Decided::Removed, "analyst-7")]
    {
        assert_eq!(kept.said(what), [name]);
    }
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing_whatever_it_sends() {
    let (world, _, _) = peopled(Settings::default()).await;
    let mut browser = Browser::new(&world);
    browser.sign_in("operator-1", PASSWORD).await;
    let (cookie, csrf) = (browser.cookie.clone(), browser.csrf.clone());
    let body = json!({"name": "spy", "role": "analyst"}).to_string();
    let own = ("origin", "http://amanat.test");
    let forged: [&[(&str, &str)]; 6] = [
        &[("origin", "https://evil.test"), ("amanat-csrf", &csrf)],
        &[("origin", "null"), ("amanat-csrf", &csrf)],
        &[("sec-fetch-site", "cross-site"), ("amanat-csrf", &csrf)],
        &[("sec-fetch-site", "same-site"), ("amanat-csrf", &csrf)],
        &[own],
        &[own, ("amanat-csrf", "guessed")],
    ];
    for headers in forged {
        let headers = [&[HOST, JSON, ("cookie", cookie.as_str())], headers].concat();
        for (method, path) in
            [("POST", "/v1/people"), ("DELETE", "/v1/people/analyst"), ("DELETE", "/v1/session"), ("POST", "/v1/sql")]
        {
            let reply = world.send(method, path, &headers, body.clone()).await;
            assert_eq!(reply.problem(), "other_origin", "{method} {path} {headers:?}");
        }
    }
    // A form of another page cannot say that it sends JSON.
    let form = [HOST, ("content-type", "text/plain"), ("cookie", cookie.as_str()), ("amanat-csrf", csrf.as_str())];
    assert_eq!(world.send("POST", "/v1/people", &form, body.clone()).await.problem(), "unsupported_media_type");
    assert_eq!(
        browser.send("GET", "/v1/session", json!({})).await.json()["name"],
        "operator-1",
        "and nothing has changed"
    );
    let seen = world.get("/v1/people", &[("cookie", cookie.as_str()), ("origin", "https://evil.test")]).await;
    assert!(seen.header("access-control-allow-origin").is_empty(), "no page of another origin reads who comes in");
}

#[tokio::test]
async fn a_password_is_not_taken_where_it_passes_the_network_in_the_clear() {
    let far = |public_url: Option<&str>| Settings { public_url: public_url.map(str::to_owned), ..Settings::default() };
    let body = json!({"name": "operator-1", "password": PASSWORD}).to_string();
    let sign_in = async |world: &World, peer: &str, more: Option<(&str, &str)>| {
        let peer = endpoint::Peer(std::net::SocketAddr::new(peer.parse().unwrap(), 40_000));
        let mut request =
            Request::post("/v1/session").extension(axum::extract::ConnectInfo(peer)).header(JSON.0, JSON.1);
        if let Some((name, value)) = more {
            request = request.header(name, value);
        }
        world.ask(request.body(Body::from(body.clone())).unwrap()).await
    };
    let (world, _, _) = peopled(far(None)).await;
    assert_eq!(sign_in(&world, "192.0.2.1", None).await.problem(), "plain_connection");
    let passed_on = ("x-forwarded-for", "192.0.2.1");
    assert_eq!(sign_in(&world, "127.0.0.1", Some(passed_on)).await.problem(), "plain_connection");
    assert_eq!(sign_in(&world, "127.0.0.1", None).await.status, StatusCode::OK);
    let (world, _, _) = peopled(far(Some("https://data.example.gov.pk"))).await;
    let opened = sign_in(&world, "192.0.2.1", None).await;
    assert!(
        opened.header("set-cookie").starts_with("__Host-amanat=") && opened.header("set-cookie").ends_with("Secure")
    );
}

#[tokio::test]
async fn nothing_that_was_sent_stands_in_what_is_wrong_with_it() {
    let (world, _, _) = peopled(Settings::default()).await;
    for body in
        [r#"{"name": "a", "password": "hunter2secret""#, r#"{"name": "a", "hunter2secret": 1}"#, r#"["hunter2secret"]"#]
    {
        let reply = world.send("POST", "/v1/session", &[JSON], body).await;
        assert_eq!(reply.problem(), "malformed_body");
        assert!(!reply.text().contains("hunter2secret"), "{}", reply.text());
    }
    let wrong = world.get("/v1/indicators", &[("authorization", "Bearer amanat_hunter2secret")]).await;
    assert_eq!(wrong.problem(), "key_needed");
    assert!(!wrong.text().contains("hunter2secret"));
}
