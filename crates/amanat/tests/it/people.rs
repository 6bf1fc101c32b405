//! Who comes in: the first link, invitations, keys that end, and what of it stands in the audit log.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::door::House;
use crate::program::{World, free_address};

/// A request with a body, and its answer: status, head, body.
pub fn send(address: SocketAddr, method: &str, path: &str, headers: &str, body: &Value) -> (u16, String, String) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n"
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

fn cookie(head: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    format!("cookie: {}\r\n", line.split(';').next().unwrap())
}

fn decisions(world: &World) -> Vec<String> {
    let text = world.run(&["audit", "decisions", "--json", "--last", "99"]).ok();
    let what = |line: &str| {
        let decided = &serde_json::from_str::<Value>(line).unwrap()["decided"];
        format!("{} {}", decided["what"].as_str().unwrap(), decided["principal"]["key_id"].as_str().unwrap())
    };
    text.lines().map(what).collect()
}

#[test]
fn the_first_start_lets_one_person_in_who_lets_others_in_and_out() {
    let world = World::sample();
    let address = free_address();
    let arguments = ["up", "--http", &address.to_string()];
    let mut up = world.start(&arguments);
    let link = up.says("first login");
    let token = link.split('#').nth(1).unwrap().trim().to_owned();
    let welcome = json!({"token": token, "password": "a password of mine"});
    let (status, head, body) = send(address, "POST", "/v1/welcome", "", &welcome);
    assert_eq!(status, 201, "{body}");
    let session: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((session["name"].as_str(), session["role"].as_str()), (Some("administrator"), Some("operator")));
    let means_it = format!("{}amanat-csrf: {}\r\n", cookie(&head), session["csrf"].as_str().unwrap());
    let invite = json!({"name": "analyst-7", "role": "analyst", "share": "ministry"});
    let (status, _, body) = send(address, "POST", "/v1/people", &means_it, &invite);
    assert_eq!(status, 201, "{body}");
    let listed = world.run(&["user", "list"]).ok();
    assert!(listed.contains("administrator  operator") && listed.contains("analyst-7  analyst, ministry"), "{listed}");
    assert!(!listed.contains(&token));

    let link = world.run(&["user", "invite", "--name", "steward-1", "--role", "steward", "--share", "ministry"]).ok();
    let token = link.lines().next().unwrap().split('#').nth(1).unwrap().to_owned();
    let welcome = json!({"token": token, "password": "another password"});
    // A running service takes what the command has changed, within a look of it.
    let end = Instant::now() + Duration::from_secs(20);
    let head = loop {
        let (status, head, body) = send(address, "POST", "/v1/welcome", "", &welcome);
        if status == 201 {
            break head;
        }
        assert!(status == 422 && Instant::now() < end, "{status} {body}");
    };
    let whose = || send(address, "GET", "/v1/session", &cookie(&head), &Value::Null).2;
    assert!(whose().contains("steward-1"));
    world.run(&["user", "remove", "steward-1"]).ok();
    while !whose().contains("public") {
        assert!(Instant::now() < end, "who was taken out is still in");
    }
    let (status, _, _) = send(address, "DELETE", "/v1/people/analyst-7", &means_it, &Value::Null);
    assert_eq!(status, 204);
    assert_eq!(world.run(&["user", "list"]).ok().lines().count(), 1);
    up.terminate();
    let said = up.end().ok();
    assert_eq!(said.matches("first login").count(), 1, "once");

    let said = decisions(&world);
    let wanted = [
        "invited administrator",
        "accepted administrator",
        "invited analyst-7",
        "invited steward-1",
        "accepted steward-1",
        "removed steward-1",
        "removed analyst-7",
    ];
    assert_eq!(said, wanted);
    let mut again = world.start(&arguments);
    again.says("ready");
    let (status, _, _) =
        send(address, "POST", "/v1/session", "", &json!({"name": "administrator", "password": "a password of mine"}));
    assert_eq!(status, 200, "an account outlives the process");
    again.terminate();
    assert!(!again.end().ok().contains("first login"), "somebody can let others in");
    assert_eq!(decisions(&world).last().unwrap(), "came_in administrator");
}

#[test]
fn a_key_opens_nothing_after_its_day_and_nothing_beyond_its_tables() {
    let world = World::sample();
    world.run(&["up", "--once"]).ok();
    let key = |id: &str, more: &[&str]| {
        let arguments = [&["key", "new", "--id", id, "--share", "ministry"], more].concat();
        world.run(&arguments).ok().lines().next().unwrap().to_owned()
    };
    let (over, bound) = (key("over", &["--expires", "2020-01-01"]), key("bound", &["--tables", "reference.*"]));
    let address = free_address();
    let mut up = world.start(&["up", "--role", "endpoint", "--http", &address.to_string()]);
    up.says("ready");
    let ask = |key: &str, sql: &str| {
        let (status, _, body) =
            send(address, "POST", "/v1/sql", &format!("authorization: Bearer {key}\r\n"), &json!({ "sql": sql }));
        (status, serde_json::from_str::<Value>(&body).unwrap()["code"].clone())
    };
    assert_eq!(ask(&over, "select 1"), (401, json!("key_needed")));
    assert_eq!(ask(&bound, "select count(*) from reference.province").0, 200);
    assert_eq!(ask(&bound, "select count(*) from victims where year = 2024"), (403, json!("not_allowed")));
    up.terminate();
    up.end().ok();
    let refused = world.run(&["audit", "show", "--refused", "--json"]).ok();
    assert!(refused.contains("\"decision\":\"not_allowed\""), "who reached for it stands in the log: {refused}");
    key("later", &[]);
    // The log begins with the first service of the store: what was decided before it is in none.
    assert_eq!(decisions(&world), ["invited administrator", "not_proven nobody", "key_made later"]);
    let again = world.run(&["key", "new", "--id", "bound", "--share", "ministry"]).refused(2);
    assert!(again.contains("declared twice"), "{again}");
    let unsaid = world.run(&["key", "new", "--id", "more"]).refused(2);
    assert!(unsaid.contains("--share"), "{unsaid}");
}

#[test]
fn a_policy_of_ones_own_has_every_address_or_ends_the_start_with_its_name() {
    let world = World::real();
    let drawn = world.run(&["config", "access"]).ok();
    let rows: Vec<&str> = drawn.lines().filter(|line| !line.starts_with("\"GET /v1/editions\"")).collect();
    let (whole, torn) = (world.file("access.toml", &drawn), world.file("torn.toml", rows.join("\n")));
    let config = |path: &str| world.file("amanat.toml", format!("[policy]\naccess = {path:?}\n"));
    world.run(&["sql", "select 1", "--config", &config(&whole)]).ok();
    let refused = world.run(&["sql", "select 1", "--config", &config(&torn)]).refused(2);
    assert!(refused.contains("GET /v1/editions") && refused.contains("torn.toml"), "{refused}");
}

#[test]
fn an_edition_under_embargo_is_published_and_not_released() {
    let house = House::open();
    let (world, address) = (&house.world, house.address);
    let made = |role: &str| {
        world
            .run(&["key", "new", "--id", role, "--role", role, "--share", "ministry"])
            .ok()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let steward = made("steward");
    let embargo = ["edition", "publish", "--as-of", "2026-03-31", "--embargo", "2999-01-01T09:30:00+05:00"];
    let said = world.run(&embargo).ok();
    assert!(said.contains("edition 2 is under embargo until 2999-01-01T04:30:00Z"), "{said}");
    let listed = world.run(&["edition", "list"]).ok();
    assert!(listed.contains("under embargo until 2999-01-01T04:30:00Z"), "{listed}");
    let latest = |key: &str| {
        let mut command = world.command(&["sql", "select max(edition) as e from published.v01", "--format", "json"]);
        let output = command.env("AMANAT_KEY", key).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(latest(&house.keys[0])["rows"], json!([[1]]));
    let ahead = latest(&steward);
    assert_eq!((&ahead["rows"], &ahead["notes"][0]["code"]), (&json!([[2]]), &json!("NOTE-3006")), "{ahead}");
    // Records are asked about as of the edition that is released, by whomever.
    let asked = json!({"sql": "select count(*) from victims where year = 2024", "companions": true}).to_string();
    for key in [&house.keys[0], &steward] {
        let answer = crate::door::send(address, Some(key), "application/json", asked.as_bytes()).json();
        assert!(answer["rows"][0].to_string().contains("2025-12-31"), "{answer}");
    }
    let (_, _, editions) = send(address, "GET", "/v1/editions", "", &Value::Null);
    assert!(editions.contains("2025-12-31") && !editions.contains("2026-03-31"), "{editions}");
    house.close();
}

#[test]
fn a_saved_question_about_records_is_asked_with_the_rights_of_whoever_reads_it_and_outlives_the_process() {
    let house = House::open();
    let (world, address) = (&house.world, house.address);
    let bearer = |key: &str| format!("authorization: Bearer {key}\r\n");
    let bound = world.run(&["key", "new", "--id", "bound", "--share", "ministry", "--tables", "published.*"]).ok();
    let (own, bound) = (bearer(&house.keys[0]), bearer(bound.lines().next().unwrap()));
    let at = "/v1/questions/records";
    let question = |schedule: &str| {
        let sql = "select sex, count(*) as victims from victims where year = $1 group by sex order by sex";
        let parameters = json!([{"name": "year", "type": "integer", "default": "2024"}]);
        json!({"title": "Victims by sex", "sql": sql, "schedule": schedule, "parameters": parameters})
    };
    let (status, _, body) = send(address, "PUT", at, &own, &question("edition"));
    assert_eq!(status, 400, "it is made for nobody in advance: {body}");
    assert_eq!(send(address, "PUT", at, &own, &question("asked")).0, 201);
    let other = send(address, "PUT", at, &bearer(&house.keys[1]), &question("asked"));
    assert_eq!(other.0, 422, "it is another's: {}", other.2);
    let data = format!("{at}/data");
    let asked = |headers: &str| send(address, "GET", &data, headers, &Value::Null);
    assert_eq!(asked("").0, 404, "the public does not see it");
    // A running service takes a key within a look of its file.
    let end = Instant::now() + Duration::from_secs(20);
    while asked(&bound).0 == 401 {
        assert!(Instant::now() < end, "the key is not taken");
    }
    assert_eq!(asked(&bound).0, 403);
    let (status, head, body) = asked(&own);
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("cache-control: private") && !head.contains("access-control-allow-origin"), "{head}");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    assert_eq!(asked(&format!("{own}if-none-match: {tag}\r\n")).0, 304);
    assert_eq!(asked(&format!("{bound}if-none-match: {tag}\r\n")).0, 403, "a tag opens nothing");
    let ours = "/v1/questions/who-refers-victims/data";
    assert_eq!(send(address, "GET", ours, "", &Value::Null).0, 401);
    house.up.terminate();
    let House { world, up, .. } = house;
    up.end().ok();
    let saved: Vec<String> = decisions(&world).into_iter().filter(|said| said.starts_with("question")).collect();
    assert_eq!(saved, ["question_saved ministry-01"], "what was not done is not recorded as done");
    let mut again = world.start(&["up", "--role", "endpoint", "--http", &address.to_string()]);
    again.says("ready");
    assert_eq!(asked(&own).2, body, "the same question has the same numbers");
    again.terminate();
    let ended = again.end();
    assert!(!ended.err.contains("panicked"), "answers that are being made ahead are left: {ended:?}");
    ended.ok();
}
