//! What waits for the steward, and her word: recorded before it is said, and by nobody else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use endpoint::{
    Conflict, Content, Decided, Decision, Difference, NotSaid, Pair, Queue, Record, Settings, Waiting, Word,
};
use policy::Role;
use serde_json::{Value, json};

use crate::world::{Reply, World, gate_of, world};

const PERSONS: [&str; 2] = ["00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"];
const ROWS: [&str; 2] = ["log#0/tip.events.POL-PB.v1/0/3", "log#0/tip.events.POL-PB.v1/0/9"];
const EVENT: &str = "018f3b5c-0000-7000-8000-000000000001";

/// A queue in memory: one conflict, one pair; and what was decided and said, in order.
#[derive(Default)]
struct Kept {
    order: Mutex<Vec<String>>,
    cannot_record: AtomicBool,
}

impl Kept {
    fn note(&self, what: String) {
        self.order.lock().unwrap().push(what);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.order.lock().unwrap())
    }
}

impl Record for Kept {
    fn record(&self, decision: &Decision) -> bool {
        if decision.what != Decided::NotAllowed {
            self.note(format!("{} by {}", decision.what.name(), decision.name));
        }
        !self.cannot_record.load(Ordering::SeqCst)
    }
}

impl Queue for Kept {
    fn waiting(&self) -> Result<Waiting, String> {
        let content = |(at, row): (usize, &str)| Content {
            row: row.to_owned(),
            kind: "case.registered",
            read_at: "2025-03-09T07:00:00Z".to_owned(),
            counts: at == 0,
        };
        let difference = |field: &str, said: Option<[&str; 2]>| Difference {
            field: field.to_owned(),
            said: said.map(|said| said.map(|said| Some(said.to_owned())).to_vec()),
        };
        let conflict = Conflict {
            agency: "POL-PB".to_owned(),
            event_id: EVENT.to_owned(),
            contents: ROWS.into_iter().enumerate().map(content).collect(),
            differs: vec![difference("province", Some(["PK-PB", "PK-SD"])), difference("case_id", None)],
            because: "least",
            decided_at: None,
        };
        let [person, other] = PERSONS.map(str::to_owned);
        let pair = Pair { person, other, confidence_per_mille: 412, because: "weak" };
        let (conflicts, links) = (vec![conflict], vec![pair]);
        Ok(Waiting { conflicts_in_all: 1, links_in_all: 1, conflicts, links, ..Waiting::default() })
    }

    fn may_say(&self, word: &Word) -> Result<(), NotSaid> {
        match word {
            Word::Counts { row, .. } if !ROWS.contains(&row.as_str()) => {
                Err(NotSaid::Objection("There is no such row."))
            }
            _ => Ok(()),
        }
    }

    fn say(&self, word: &Word) -> Result<(), String> {
        self.note(match word {
            Word::Counts { agency, event_id, row } => format!("{agency} {event_id} {row}"),
            Word::Persons { are_one, .. } => format!("persons {are_one:?}"),
        });
        Ok(())
    }
}

/// A world with a steward's key.
async fn stewarded(has_queue: bool) -> (World, Arc<Kept>, String) {
    let kept = Arc::new(Kept::default());
    let (gate, bearer) = gate_of(Role::Steward, Arc::clone(&kept) as _);
    let queue = has_queue.then(|| Arc::clone(&kept) as Arc<dyn Queue>);
    let settings = Settings { gate, queue, ..Settings::default() };
    (world(1, false, settings).await, kept, bearer)
}

async fn say(world: &World, bearer: &str, path: &str, body: &Value) -> Reply {
    let headers = [("authorization", bearer), ("content-type", "application/json")];
    world.send("POST", path, &headers, body.to_string()).await
}

fn of_pair(are_one: &str) -> Value {
    json!({"person": PERSONS[0], "other": PERSONS[1], "are_one": are_one})
}

#[tokio::test]
async fn what_waits_is_shown_to_the_steward_and_kept_by_no_cache() {
    let (world, _, bearer) = stewarded(true).await;
    let reply = world.send("GET", "/v1/queue", &[("authorization", &bearer)], String::new()).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    let waiting: Value = serde_json::from_slice(&reply.body).unwrap();
    let differs = json!([
        {"field": "province", "said": ["PK-PB", "PK-SD"]},
        {"field": "case_id", "said": null}
    ]);
    assert_eq!((&waiting["conflicts"][0]["differs"], &waiting["links_as_of"]), (&differs, &Value::Null));
    assert_eq!(waiting["links"][0]["because"], "weak");
    let public = world.send("GET", "/v1/queue", &[], String::new()).await;
    assert_eq!(public.problem(), "key_needed");
}

#[tokio::test]
async fn a_word_is_recorded_and_then_said() {
    let (world, kept, bearer) = stewarded(true).await;
    for (word, said) in [("yes", "Some(true)"), ("no", "Some(false)"), ("withdraw", "None")] {
        let reply = say(&world, &bearer, "/v1/queue/links", &of_pair(word)).await;
        assert_eq!(reply.status.as_u16(), 202, "{}", reply.text());
        assert_eq!(kept.taken(), ["link_decided by steward-1".to_owned(), format!("persons {said}")]);
    }
    let body = json!({"agency": "POL-PB", "event_id": EVENT, "row": ROWS[1]});
    let reply = say(&world, &bearer, "/v1/queue/conflicts", &body).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (202, r#"{"obeyed_by":"fold"}"#));
    assert_eq!(kept.taken(), ["conflict_decided by steward-1".to_owned(), format!("POL-PB {EVENT} {}", ROWS[1])]);
}

#[tokio::test]
async fn what_cannot_be_recorded_or_is_about_nothing_is_not_said() {
    let (world, kept, bearer) = stewarded(true).await;
    let nowhere = json!({"agency": "POL-PB", "event_id": EVENT, "row": "log#0/tip.events.POL-PB.v1/0/4"});
    let one = json!({"person": PERSONS[0], "other": PERSONS[0], "are_one": "yes"});
    let named = json!({"person": "somebody", "other": PERSONS[0], "are_one": "yes"});
    for (path, body, code) in [
        ("/v1/queue/conflicts", &nowhere, "not_changed"),
        ("/v1/queue/links", &one, "malformed_body"),
        ("/v1/queue/links", &named, "malformed_body"),
        ("/v1/queue/links", &of_pair("perhaps"), "malformed_body"),
        ("/v1/queue/conflicts", &json!({"agency": "POL-PB"}), "malformed_body"),
    ] {
        let reply = say(&world, &bearer, path, body).await;
        assert_eq!(reply.problem(), code, "{body}");
        assert!(reply.text().contains("\"hint\""), "it says what to do");
        assert!(kept.taken().is_empty(), "nothing is recorded as decided: {body}");
    }
    kept.cannot_record.store(true, Ordering::SeqCst);
    let reply = say(&world, &bearer, "/v1/queue/links", &of_pair("yes")).await;
    assert_eq!((reply.problem(), kept.taken()), ("not_kept".to_owned(), vec!["link_decided by steward-1".to_owned()]));
}

#[tokio::test]
async fn a_page_of_another_origin_says_nothing_in_the_stewards_name() {
    let (world, kept, bearer) = stewarded(true).await;
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("origin", "https://evil.example")];
    let reply = world.send("POST", "/v1/queue/links", &headers, of_pair("yes").to_string()).await;
    assert_eq!((reply.problem(), kept.taken()), ("other_origin".to_owned(), Vec::<String>::new()));
}

#[tokio::test]
async fn where_the_data_are_not_it_is_said_so() {
    let (world, _, bearer) = stewarded(false).await;
    let reply = world.send("GET", "/v1/queue", &[("authorization", &bearer)], String::new()).await;
    assert_eq!(reply.problem(), "not_ready");
    let reply = say(&world, &bearer, "/v1/queue/links", &of_pair("yes")).await;
    assert_eq!(reply.problem(), "not_ready");
}
