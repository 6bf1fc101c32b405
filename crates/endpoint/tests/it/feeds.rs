//! How good each agency's feed is: shown to the steward, to nobody else, and kept by no cache.

use std::sync::{Arc, Mutex};

use endpoint::{Decided, Decision, Feed, FeedAlert, FeedContradiction, FeedSummary, Feeds, Record, Settings};
use policy::Role;
use serde_json::{Value, json};

use crate::world::{Reply, World, gate_of, world};

/// Two feeds in memory, and who reached too far.
#[derive(Default)]
struct Known {
    away: bool,
    reached: Mutex<Vec<String>>,
}

impl Record for Known {
    fn record(&self, decision: &Decision) -> bool {
        if decision.what == Decided::NotAllowed {
            self.reached.lock().unwrap().push(decision.name.clone());
        }
        true
    }
}

fn summary(agency: &str, state: &'static str) -> FeedSummary {
    let found = FeedAlert { what: "set_aside", of: String::new(), found: 7, limit: 2, state };
    let alerts = if state == "ok" { Vec::new() } else { vec![found] };
    FeedSummary { agency: agency.to_owned(), state, alerts, ..FeedSummary::default() }
}

impl Feeds for Known {
    fn all(&self) -> Result<Vec<FeedSummary>, String> {
        if self.away {
            return Err("The log is away.".to_owned());
        }
        Ok(vec![summary("FIA", "alert"), summary("POL-PB", "ok")])
    }

    fn one(&self, agency: &str) -> Result<Option<Feed>, String> {
        let found = self.all()?.into_iter().find(|feed| feed.agency == agency);
        let contradictions = vec![FeedContradiction { field: "sex".to_owned(), percent_from: 10, percent_to: 20 }];
        let (months, types, reports) = (Vec::new(), Vec::new(), Vec::new());
        Ok(found.map(|summary| Feed { summary, months, types, reports, contradictions }))
    }
}

async fn opened(role: Role, known: Option<Known>) -> (World, Arc<Known>, String) {
    let feeds = known.map(Arc::new);
    let record = feeds.clone().unwrap_or_default();
    let (gate, bearer) = gate_of(role, Arc::clone(&record) as _);
    let settings = Settings { gate, feeds: feeds.map(|feeds| feeds as Arc<dyn Feeds>), ..Settings::default() };
    (world(1, false, settings).await, record, bearer)
}

async fn get(world: &World, bearer: &str, path: &str) -> Reply {
    world.send("GET", path, &[("authorization", bearer)], String::new()).await
}

#[tokio::test]
async fn the_steward_sees_all_feeds_and_one_in_full() {
    let (world, _, bearer) = opened(Role::Steward, Some(Known::default())).await;
    let reply = get(&world, &bearer, "/v1/feeds").await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    let listed: Value = serde_json::from_slice(&reply.body).unwrap();
    let alert = json!({"what": "set_aside", "of": "", "found": 7, "limit": 2, "state": "alert"});
    assert_eq!((&listed["alerts"], &listed["feeds"][0]["alerts"][0]), (&json!(1), &alert));
    let reply = get(&world, &bearer, "/v1/feeds/FIA").await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    let feed: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((&feed["summary"]["agency"], &feed["contradictions"][0]["percent_to"]), (&json!("FIA"), &json!(20)));
}

#[tokio::test]
async fn nobody_else_sees_them_and_who_tries_is_recorded() {
    for role in [Role::Analyst, Role::Agency, Role::Auditor, Role::Operator] {
        let (world, known, bearer) = opened(role, Some(Known::default())).await;
        for path in ["/v1/feeds", "/v1/feeds/FIA"] {
            assert_eq!(get(&world, &bearer, path).await.problem(), "address_not_allowed", "{path} {}", role.name());
            assert_eq!(world.get(path, &[]).await.problem(), "key_needed", "{path}");
        }
        assert!(!known.reached.lock().unwrap().is_empty(), "{}", role.name());
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_and_what_to_do() {
    let (world, _, bearer) = opened(Role::Steward, Some(Known::default())).await;
    let reply = get(&world, &bearer, "/v1/feeds/SECRET-NAME").await;
    assert_eq!(reply.problem(), "not_found");
    assert!(reply.text().contains("\"hint\"") && !reply.text().contains("SECRET"));
    let (world, _, bearer) = opened(Role::Steward, Some(Known { away: true, ..Known::default() })).await;
    assert_eq!(get(&world, &bearer, "/v1/feeds").await.problem(), "not_ready");
    let (world, _, bearer) = opened(Role::Steward, None).await;
    for path in ["/v1/feeds", "/v1/feeds/FIA"] {
        assert_eq!(get(&world, &bearer, path).await.problem(), "not_ready");
    }
}
