//! Saved questions: their addresses, who sees and who changes them, and that an answer follows the edition.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::StatusCode;
use endpoint::{Gate, Questions, Settings, Shelf};
use policy::{Grant, Readers, Role, Share, new_reader};
use serde_json::{Value, json};

use crate::world::{Reply, World, world};

#[derive(Default)]
struct Drawer(Mutex<BTreeMap<String, String>>);

impl Shelf for Drawer {
    fn put(&self, name: &str, text: Option<&str>) -> Result<(), String> {
        let mut kept = self.0.lock().unwrap();
        match text {
            Some(text) => kept.insert(name.to_owned(), text.to_owned()),
            None => kept.remove(name),
        };
        Ok(())
    }
}

struct House {
    world: World,
    keys: BTreeMap<&'static str, String>,
    drawer: Arc<Drawer>,
    questions: Arc<Questions>,
}

/// Two analysts, a steward and an auditor, and a drawer for questions.
async fn house() -> House {
    let (mut keys, mut lines) = (BTreeMap::new(), String::new());
    let people =
        [("one", Role::Analyst), ("two", Role::Analyst), ("steward", Role::Steward), ("auditor", Role::Auditor)];
    for (at, (name, role)) in people.into_iter().enumerate() {
        let grant = Grant { name, role, share: Share::Ministry, purpose: "test", expires: None, tables: &[] };
        let (key, line) = new_reader(grant, ([at as u8; 32], [1; 16]));
        lines.push_str(&line);
        keys.insert(name, key);
    }
    let drawer = Arc::new(Drawer::default());
    let questions = Arc::new(Questions::new(Some(Arc::clone(&drawer) as _), Vec::new()));
    let gate = Arc::new(Gate::of(Readers::parse(&lines).unwrap()));
    let settings = Settings { gate, questions: Arc::clone(&questions), ..Settings::default() };
    House { world: world(1, false, settings).await, keys, drawer, questions }
}

impl House {
    async fn ask(&self, who: &str, method: &str, path: &str, body: Value) -> Reply {
        let bearer = self.keys.get(who).map(|key| format!("Bearer {key}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.iter().map(|bearer| ("authorization", bearer.as_str())));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.world.send(method, path, &headers, body).await
    }

    async fn get(&self, who: &str, path: &str) -> Reply {
        self.ask(who, "GET", path, Value::Null).await
    }
}

fn question() -> Value {
    json!({
        "title": "Victims by province",
        "title_ur": "صوبے کے لحاظ سے متاثرین",
        "parameters": [{"name": "year", "type": "text", "default": "2024", "description": "The year"},
            {"name": "province", "type": "text", "code_list": "province", "default": "PK-PB"}],
        "sql": "select time_period, value from published.v01 where time_period = $1 and province = $2 and sex = '_T'"
    })
}

#[tokio::test]
async fn the_questions_of_the_program_are_there_for_everybody_and_stay_what_they_are() {
    let house = house().await;
    let all = house.get("", "/v1/questions").await.json();
    assert!(all.as_array().is_some_and(|all| all.len() >= 8 && all[0].get("about_records").is_some()), "{all}");
    let one = house.get("", "/v1/questions/victims-by-year").await;
    assert_eq!(one.status, StatusCode::OK);
    assert_eq!(one.json()["links"]["csv"], "/v1/questions/victims-by-year/data?format=csv");
    for who in ["one", "steward"] {
        let changed = house.ask(who, "PUT", "/v1/questions/victims-by-year", question()).await;
        assert_eq!((changed.status.as_u16(), changed.problem()), (422, "not_changed".to_owned()));
        assert_eq!(house.ask(who, "DELETE", "/v1/questions/victims-by-year", Value::Null).await.status.as_u16(), 422);
    }
}

#[tokio::test]
async fn a_saved_question_goes_back_to_a_date_that_is_a_parameter() {
    let house = house().await;
    let dated = json!({
        "title": "Victims as known on a day",
        "parameters": [{"name": "day", "type": "text", "default": "2025-01-15", "description": "A day in Pakistan"}],
        "sql": "select edition, value from published.v01 as known on $1 where time_period = '2022' and province = 'PK-PB'"
    });
    let saved = house.ask("one", "PUT", "/v1/questions/dated", dated).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.text());
    let data = async |query: &str| house.get("one", &format!("/v1/questions/dated/data{query}")).await;
    assert_eq!(data("").await.json()["rows"], json!([[1, 100]]));
    assert_eq!(data("?day=2025-01-14").await.problem(), "no_edition_on_date");
    house.world.memory.visible.store(2, Ordering::SeqCst);
    house.world.reader.refresh().await.unwrap();
    assert_eq!(data("").await.json()["rows"], json!([[1, 100]]), "the next edition changes nothing of what was known");
    assert_eq!(data("?day=2025-02-15").await.json()["rows"], json!([[2, 101]]));
}

#[tokio::test]
async fn a_saved_question_has_its_answer_at_an_address_with_its_parameters_by_name() {
    let house = house().await;
    let saved = house.ask("one", "PUT", "/v1/questions/mine", question()).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.text());
    assert_eq!(saved.json()["owner"], "one");
    assert!(house.drawer.0.lock().unwrap()["mine"].contains("-- parameter: year text = 2024; The year"));
    let rows = |reply: &Reply| reply.json()["rows"].clone();
    assert_eq!(rows(&house.get("two", "/v1/questions/mine/data").await), json!([["2024", 120]]));
    let of = house.get("two", "/v1/questions/mine/data?province=PK-SD&year=2023").await;
    assert_eq!((rows(&of), of.header("amanat-rows"), of.header("amanat-edition")), (json!([["2023", 70]]), "1", "1"));
    let csv = house.get("two", "/v1/questions/mine/data?format=csv&year=2022").await;
    assert_eq!(csv.text(), "time_period,value\n2022,100\n");
    for (query, said) in
        [("year=2024&colour=red", "year, province"), ("province=Karachi", "province is no code"), ("bom=true", "CSV")]
    {
        let reply = house.get("two", &format!("/v1/questions/mine/data?{query}")).await;
        assert_eq!(reply.problem(), "malformed_parameter");
        assert!(reply.text().contains(said) && !reply.text().contains("Karachi"), "{}", reply.text());
    }
    let changed =
        house.ask("one", "PUT", "/v1/questions/mine", json!({"title": "Other", "sql": "select 1 as a"})).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(rows(&house.get("one", "/v1/questions/mine/data").await), json!([[1]]));
}

#[tokio::test]
async fn the_answer_has_a_tag_that_changes_with_the_edition() {
    let house = house().await;
    house.ask("one", "PUT", "/v1/questions/mine", question()).await;
    let first = house.get("two", "/v1/questions/mine/data").await;
    let tag = first.header("etag").to_owned();
    let again = |tag: String| {
        let house = &house;
        let bearer = format!("Bearer {}", house.keys["two"]);
        async move {
            let headers = [("if-none-match", tag.as_str()), ("authorization", bearer.as_str())];
            house.world.send("GET", "/v1/questions/mine/data", &headers, Body::empty()).await
        }
    };
    assert_eq!(again(tag.clone()).await.status, StatusCode::NOT_MODIFIED);
    house.world.memory.visible.store(2, Ordering::SeqCst);
    house.world.reader.refresh().await.unwrap();
    let next = again(tag).await;
    assert_eq!((next.status, next.header("amanat-edition")), (StatusCode::OK, "2"));
    assert_eq!(next.json()["rows"], json!([["2024", 121]]));
}

#[tokio::test]
async fn readers_change_their_own_a_steward_all_and_the_public_none() {
    let house = house().await;
    for who in ["", "auditor"] {
        assert!([401, 403].contains(&house.ask(who, "PUT", "/v1/questions/mine", question()).await.status.as_u16()));
    }
    assert_eq!(house.ask("one", "PUT", "/v1/questions/mine", question()).await.status, StatusCode::CREATED);
    assert_eq!(house.ask("two", "PUT", "/v1/questions/mine", question()).await.problem(), "not_changed");
    assert_eq!(house.ask("two", "DELETE", "/v1/questions/mine", Value::Null).await.problem(), "not_changed");
    for path in ["/v1/questions/mine", "/v1/questions/mine/data"] {
        assert_eq!(house.get("", path).await.status, StatusCode::NOT_FOUND, "it is for readers");
        let seen = house.get("auditor", path).await;
        assert_eq!(
            (seen.status, seen.header("cache-control")),
            (StatusCode::OK, "private, no-cache"),
            "no cache hands it on"
        );
        assert!(seen.header("vary").contains("authorization") && seen.header("access-control-allow-origin").is_empty());
    }
    let mut public = question();
    public["audience"] = "public".into();
    assert_eq!(house.ask("one", "PUT", "/v1/questions/mine", public.clone()).await.status, StatusCode::FORBIDDEN);
    let changed = house.ask("steward", "PUT", "/v1/questions/mine", public).await;
    assert_eq!(
        (changed.status, changed.json()["owner"].clone()),
        (StatusCode::OK, json!("one")),
        "it stays its author's"
    );
    assert_eq!(house.get("", "/v1/questions/mine/data").await.status, StatusCode::OK);
    assert_eq!(house.ask("steward", "DELETE", "/v1/questions/mine", Value::Null).await.status, StatusCode::NO_CONTENT);
    assert!(house.drawer.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_would_be_refused_is_not_saved_and_says_why() {
    let house = house().await;
    let with = |sql: &str| json!({"title": "A", "sql": sql});
    for (body, code) in [
        (with("select * from published.v99"), "unknown_table"),
        (with("delete from published.v01"), "statement"),
        (with("select $1"), "parameter"),
        (with(""), "malformed_body"),
        (json!({"title": "", "sql": "select 1"}), "malformed_body"),
        (json!({"title": "A", "sql": "select 1", "colour": "red"}), "malformed_body"),
        (
            json!({"title": "A", "sql": "select $1", "parameters": [{"name": "lang", "type": "text", "default": "x"}]}),
            "malformed_body",
        ),
        (
            json!({"title": "A", "sql": "select $1", "parameters": [{"name": "a", "type": "text", "code_list": "none", "default": "x"}]}),
            "unknown_code_list",
        ),
        (json!({"title": "A\n-- owner: two", "sql": "select 1", "schedule": "daily"}), "malformed_body"),
        (
            json!({"title": "A", "sql": "select $1", "parameters": [{"name": "a", "type": "text", "default": "x; y"}]}),
            "malformed_body",
        ),
    ] {
        let reply = house.ask("one", "PUT", "/v1/questions/mine", body.clone()).await;
        assert_eq!(reply.problem(), code, "{body}: {}", reply.text());
    }
    assert_eq!(house.ask("one", "PUT", "/v1/questions/Mine", question()).await.problem(), "malformed_body");
    assert!(house.drawer.0.lock().unwrap().is_empty());
    let forged = house
        .ask("one", "PUT", "/v1/questions/mine", json!({"title": "A\n-- owner: two", "sql": "select 1 as a"}))
        .await;
    assert_eq!(forged.json()["owner"], "one", "a line end in a title is no line of the head");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_left_out_and_the_others_stay() {
    let house = house().await;
    let kept = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    house.questions.replace(vec![
        kept("good", "-- title: Good\n-- audience: public\n\nselect 1 as a"),
        kept("bad", "-- colour: red\n\nselect 1"),
        kept("victims-by-year", "-- title: Not ours\n\nselect 2"),
    ]);
    assert_eq!(house.get("", "/v1/questions/good/data").await.json()["rows"], json!([[1]]));
    assert_eq!(house.get("", "/v1/questions/bad").await.status, StatusCode::NOT_FOUND);
    assert_ne!(house.get("", "/v1/questions/victims-by-year").await.json()["title"]["en"], "Not ours");
}
