//! Rows of CSV by a mapping that the agency has put in place.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::world::{Answered, World};

pub const MAPPING: &str = "title = 't'\nevent = 'victim.identified'\nkey = 'nr'\nsynthetic = true\nagency = { constant = 'POL-PB' }\ntime = { column = 'recorded', form = 'date' }\n[fields]\noccurred_on = { column = 'seen' }\nsex = { column = 'gender', values = { woman = 'F' } }\nage_band = { constant = '18-20' }\ncitizenship = { constant = 'PK' }\nstatus = { constant = 'actual' }\nexploitation = { constant = 'forced_labour', list = true }\nplace_identified = { constant = 'PK-PB' }\nreferral_source = { constant = 'police' }\n";
pub const ROWS: &str = "nr,recorded,seen,gender\n1,2026-03-10,2026-03-09,woman\n2,2026-03-10,2026-03-09,secretvalue\n3,soon,2026-03-09,woman\n4,2027-03-10,2026-03-09,woman\n5,2026-03-11,2026-03,woman\n";

impl World {
    pub async fn put(&self, name: &str, mapping: &str, key: &str) -> Answered {
        let request = Request::put(format!("/v1/mappings/{name}")).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::from(mapping.to_owned())).unwrap()).await
    }

    pub async fn rows(&self, path: &str, rows: &str) -> Answered {
        self.send(self.post(path, rows, &[("content-type", "text/csv; charset=utf-8")])()).await
    }
}

#[tokio::test]
async fn rows_become_events_by_the_agencys_mapping_and_bad_ones_name_line_and_field() {
    let world = World::new();
    assert_eq!(world.put("cases", MAPPING, &world.keys[0]).await.status, 204);
    let answer = world.rows("/v1/events?mapping=cases", ROWS).await;
    assert_eq!((answer.status, &answer.body["accepted"]), (207, &json!(2)), "{answer:?}");
    let results = answer.body["results"].as_array().unwrap();
    let found: Vec<_> = results.iter().map(|r| (r["line"].as_u64().unwrap(), r["status"].as_u64().unwrap())).collect();
    assert_eq!(found, [(2, 202), (3, 422), (4, 422), (5, 422), (6, 202)]);
    assert_eq!(results[1]["problem"]["mistakes"][0]["place"], "data.sex");
    assert!(results[2]["problem"]["mistakes"][0]["place"].as_str().unwrap().contains("\"recorded\""), "{answer:?}");
    assert!(!answer.body.to_string().contains("secretvalue"));
    assert_eq!(world.appended().len(), 2);
    let again = world.rows("/v1/events?mapping=cases", ROWS).await;
    assert_eq!(again.body["results"][0]["id"], results[0]["id"], "the same row has the same id, and counts once");
    let checked = world.rows("/v1/validate?mapping=cases", ROWS).await;
    assert_eq!((checked.status, &checked.body["valid"]), (200, &json!(2)));
}

#[tokio::test]
async fn without_a_mapping_that_fits_the_file_nothing_is_read() {
    let world = World::new();
    assert_eq!(world.rows("/v1/events", ROWS).await.code(), "unknown_mapping");
    assert_eq!(world.rows("/v1/events?mapping=cases", ROWS).await.code(), "unknown_mapping");
    world.put("cases", MAPPING, &world.keys[0]).await;
    let headless = ROWS.split_once('\n').unwrap().1;
    let answer = world.rows("/v1/events?mapping=cases", headless).await;
    assert_eq!((answer.status, answer.code()), (422, "mapping_not_usable"), "{answer:?}");
    assert!(!answer.body.to_string().contains("secretvalue"), "a file without a header has data there: {answer:?}");
    let more = world.rows("/v1/events?mapping=cases", &ROWS.replace("gender", "gender,secretvalue")).await;
    assert!(more.status == 422 && !more.body.to_string().contains("secretvalue"), "{more:?}");
    assert_eq!(world.rows("/v1/events?mapping=cases", "").await.status, 422);
    let binary = world.rows("/v1/events?mapping=cases", "\u{0}\u{1}").await;
    assert_eq!(binary.status, 422);
}

#[tokio::test]
async fn a_mapping_is_its_agencys_own_and_speaks_of_no_other() {
    let world = World::new();
    assert_eq!(world.put("cases", MAPPING, &world.keys[1]).await.status, 403);
    assert_eq!(world.put("cases", "title = 1", &world.keys[0]).await.status, 422);
    let rows = world.put("cases", &format!("title = 't'\n{ROWS}"), &world.keys[0]).await;
    assert!(rows.status == 422 && rows.body["detail"].as_str().unwrap().contains("line 2, column"), "{rows:?}");
    assert!(!rows.body.to_string().contains("woman"), "rows that were taken for a mapping are not quoted: {rows:?}");
    assert_eq!(world.put("two words".replace(' ', "%20").as_str(), MAPPING, &world.keys[0]).await.status, 422);
    assert_eq!(world.put("cases", &"#".repeat(70_000), &world.keys[0]).await.status, 413);
    assert_eq!(world.put("cases", MAPPING, &world.keys[0]).await.status, 204);
    assert_eq!(world.get("/v1/mappings").await.body, json!(["cases"]));
    assert_eq!(world.get_by("/v1/mappings", &world.keys[1]).await.body, json!([]));
    assert_eq!(world.get_by("/v1/mappings/cases", &world.keys[1]).await.status, 404);
    assert_eq!(world.get("/v1/mappings/cases").await.status, 200);
}
