//! What an agency looks up of its own: its receipts, what was set aside, its days, how good its feed is, templates, rows to be put right.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::csv::{MAPPING, ROWS};
use super::world::{NOW_MS, World, event, lines};

#[tokio::test]
async fn an_agency_sees_who_it_is_and_what_it_may_send() {
    let world = World::new();
    let own = world.get("/v1/agency").await;
    assert_eq!((own.status, &own.body["agency"], &own.body["en"]), (200, &json!("POL-PB"), &json!("Police, Punjab")));
    let emits = own.body["emits"].as_array().unwrap();
    assert!(emits.contains(&json!("victim.identified")) && !emits.contains(&json!("judgment.delivered")));
    let templates = own.body["templates"].as_array().unwrap();
    assert!(templates.contains(&json!("victim.identified")) && !templates.contains(&json!("tokens.rotated")));
    assert_eq!(world.get_by("/v1/agency", "amanat_0").await.status, 401);
}

#[tokio::test]
async fn receipts_are_listed_the_newest_first_with_how_far_their_events_are() {
    let world = World::new();
    // Offset 0 is the event by which the world began.
    for numbers in [1..4, 4..6, 6..7] {
        assert_eq!(world.events(&lines(numbers), &[]).await.status, 202);
    }
    world.log.told((0, 3), 7, &[(1, "set_aside"), (2, "duplicate")]);
    world.log.told((4, 6), 8, &[(5, "conflict")]);
    let counts = |body: &Value, at: usize| {
        let counts = &body["receipts"][at]["counts"];
        ["durable", "accepted", "set_aside", "duplicate", "conflict", "passed_over"]
            .map(|status| counts[status].as_u64().unwrap())
    };
    let told = world.until(|| world.get("/v1/receipts"), |answer| counts(&answer.body, 1)[4] == 1).await;
    assert_eq!(counts(&told.body, 0), [1, 0, 0, 0, 0, 0], "{told:?}");
    assert_eq!(counts(&told.body, 1), [0, 1, 0, 0, 1, 0]);
    // Offset 3 was read past without a row.
    assert_eq!(counts(&told.body, 2), [0, 0, 1, 1, 0, 1]);
    let url = told.body["receipts"][2]["url"].as_str().unwrap();
    let followed = world.get(url).await;
    assert_eq!(followed.body["counts"], told.body["receipts"][2]["counts"], "the sums are those of the lines");
}

#[tokio::test]
async fn a_list_goes_on_where_the_answer_before_ended() {
    let world = World::new();
    for number in 1..6 {
        world.events(&event(number), &[]).await;
    }
    let (mut path, mut seen) = ("/v1/receipts?limit=2".to_owned(), Vec::new());
    loop {
        let page = world.get(&path).await;
        seen.extend(page.body["receipts"].as_array().unwrap().iter().map(|one| one["receipt"].to_string()));
        let Some(next) = page.body["next"].as_str() else { break };
        path = next.to_owned();
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (6, 6));
    let wrong = world.get("/v1/receipts?limit=many").await;
    assert_eq!((wrong.status, wrong.code()), (400, "malformed_body"));
}

#[tokio::test]
async fn what_was_set_aside_is_told_with_its_reason_and_the_line_that_it_was() {
    let world = World::new();
    let sent = world.events(&lines(1..4), &[]).await;
    // Offsets 4 and 5 came by another way than this door.
    world.log.told((0, 6), 7, &[(2, "set_aside"), (3, "duplicate"), (5, "conflict")]);
    let is_there =
        |answer: &super::world::Answered| answer.body["messages"].as_array().is_some_and(|all| all.len() == 2);
    let told = world.until(|| world.get("/v1/set-aside"), is_there).await;
    let [newer, older] = &told.body["messages"].as_array().unwrap()[..] else { panic!("{told:?}") };
    assert_eq!((&newer["status"], &newer["offset"], &newer["receipt"]), (&json!("conflict"), &json!(5), &Value::Null));
    assert_eq!((&older["reason"], &older["line"]), (&json!("schema"), &json!(2)), "a second copy is nothing to mend");
    assert_eq!(older["receipt"], sent.body["receipt"]);
    assert!(older["detail"].as_str().unwrap().contains("data.sex"));
    let others = world.get_by("/v1/set-aside", &world.keys[1]).await;
    assert_eq!(others.body["messages"], json!([]));
}

#[tokio::test]
async fn a_day_says_what_became_of_the_messages_that_the_warehouse_read_on_it() {
    let world = World::new();
    world.log.told((0, 10), 7, &[(1, "set_aside"), (2, "duplicate"), (3, "conflict")]);
    let is_there = |answer: &super::world::Answered| answer.body["days"].as_array().is_some_and(|all| !all.is_empty());
    let days = world.until(|| world.get("/v1/feed/days"), is_there).await;
    let day = json!({ "date": "2026-11-30", "accepted": 7, "duplicates": 1, "conflicts": 1, "set_aside": 1 });
    assert_eq!(days.body["days"], json!([day]));
    assert_eq!(world.get_by("/v1/feed/days", &world.keys[1]).await.body["days"], json!([]));
}

#[tokio::test]
async fn an_agency_hears_the_last_report_on_its_feed_and_no_other_agencys() {
    let mut world = World::new();
    let none = world.get("/v1/feed").await;
    assert_eq!((none.status, none.code()), (404, "not_found"));
    world.log.feed("POL-PB", "2026-11-29", NOW_MS - 1000);
    world.log.feed("FIA", "2026-11-30", NOW_MS);
    world.log.feed("POL-PB", "2026-11-30", NOW_MS);
    let as_of = |answer: &super::world::Answered| answer.body["report"]["as_of"] == "2026-11-30";
    let told = world.until(|| world.get("/v1/feed"), as_of).await;
    assert_eq!((told.status, &told.body["report"]["agency"]), (200, &json!("POL-PB")));
    let other = world.get_by("/v1/feed", &world.keys[1]).await;
    assert_eq!(other.body["report"]["agency"], "FIA");
    // What was heard stays, and goes on from where it was read to.
    world = world.again();
    assert_eq!(world.get("/v1/feed").await.body["report"]["as_of"], "2026-11-30");
    world.log.feed("POL-PB", "2026-12-01", NOW_MS + 1000);
    world.until(|| world.get("/v1/feed"), |answer| answer.body["report"]["as_of"] == "2026-12-01").await;
}

#[tokio::test]
async fn a_template_is_had_of_what_the_agency_may_send_alone() {
    let world = World::new();
    let get = async |path: &str| world.get(&format!("/v1/templates/{path}")).await;
    let book = get("victim.identified/rows.xlsx").await;
    assert_eq!((book.status, book.text.as_str()), (200, "workbook of victim.identified for POL-PB"));
    assert!(book.header("content-disposition").contains("rows.xlsx"));
    assert_eq!(get("victim.identified/rows.mapping.toml").await.text, "mapping of victim.identified for POL-PB");
    assert_eq!(get("victim.identified/rows.columns.toml").await.status, 200);
    for none in [
        "case.registered/rows.columns.toml",
        "judgment.delivered/rows.xlsx",
        "no.such/rows.xlsx",
        "victim.identified/other",
    ] {
        assert_eq!(get(none).await.status, 404, "{none}");
    }
}

#[tokio::test]
async fn rows_that_would_not_be_accepted_come_back_to_be_put_right_and_nothing_is_appended() {
    let world = World::new();
    world.put("cases", MAPPING, &world.keys[0]).await;
    let answer = world.rows("/v1/corrections?mapping=cases", ROWS).await;
    let lines: Vec<&str> = answer.text.lines().collect();
    assert_eq!(answer.status, 200);
    assert_eq!(lines[..2], ["nr|recorded|seen|gender", "3 2|2026-03-10|2026-03-09|secretvalue data.sex@Some(3)"]);
    assert!(lines[2].starts_with("4 3|soon|2026-03-09|woman ") && lines[2].ends_with("@Some(1)"), "{lines:?}");
    assert_eq!((lines.len(), world.appended().len()), (4, 0));
    let good = ROWS.lines().take(2).collect::<Vec<_>>().join("\n");
    assert_eq!(world.rows("/v1/corrections?mapping=cases", &good).await.status, 204);
    let broken = world.rows("/v1/corrections?mapping=cases", &format!("{good}\n7,short\n")).await;
    assert!(broken.status == 200 && broken.text.contains("3 7|short"), "{broken:?}");
    let lines = world.send(world.post("/v1/corrections", &event(1), &[])()).await;
    assert_eq!((lines.status, lines.code()), (415, "unsupported_media_type"));
}

#[tokio::test]
async fn the_page_stands_beside_the_data_and_loads_what_is_carried() {
    let world = World::new();
    let get = async |path: &str| world.send(Request::get(path).body(Body::empty()).unwrap()).await;
    let page = get("/agency").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    for name in ["agency.js", "agency.css", "icon.svg"] {
        assert!(page.text.contains(&format!("/agency/{name}")) || name == "icon.svg", "{name}");
        assert_eq!(get(&format!("/agency/{name}")).await.status, 200, "{name}");
    }
    assert_eq!(get("/agency/none.js").await.status, 404);
}
