//! SDMX 3.0: paths, keys, conditions, messages. That they are valid and read by others: tests/standards.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::real;

const DATA: &str = "/sdmx/v2/data/dataflow/AMANAT/V01/1.0.0";

/// Observations of a data message: series key with codes, period and value.
fn observations(message: &Value) -> Vec<(String, String, Value)> {
    let structure = &message["data"]["structures"][0]["dimensions"];
    let code = |dimension: &Value, at: &str| {
        dimension["values"][at.parse::<usize>().unwrap()]["id"].as_str().unwrap().to_owned()
    };
    let mut found = Vec::new();
    for (key, series) in message["data"]["dataSets"][0]["series"].as_object().unwrap() {
        let dimensions = structure["series"].as_array().unwrap();
        let codes: Vec<String> = dimensions.iter().zip(key.split(':')).map(|(d, at)| code(d, at)).collect();
        for (at, cell) in series["observations"].as_object().unwrap() {
            found.push((codes.join("."), code(&structure["observation"][0], at), cell[0].clone()));
        }
    }
    found
}

#[tokio::test]
async fn a_series_has_its_codes_its_status_and_no_value_where_it_is_suppressed() {
    let world = real().await;
    let reply = world.get(&format!("{DATA}/A.victims.PK-KP?c[TIME_PERIOD]=2024"), &[]).await;
    assert_eq!(reply.header("content-type"), "application/vnd.sdmx.data+json; version=2.0.0");
    let message = reply.json();
    assert_eq!(message["meta"]["prepared"], "2025-02-15T08:00:00Z", "the same bytes for the same rows");
    assert_eq!(message["meta"]["test"], false);
    let set = &message["data"]["dataSets"][0];
    assert_eq!(set["attributes"], json!([2, "2024-12-31"]));
    assert_eq!(
        set["series"],
        json!({"0:0:0:0": {"attributes": [], "observations": {"0": [null, 0, 0, null, null, 0]}}})
    );
    let structure = &message["data"]["structures"][0];
    let ids = |of: &Value| -> Vec<String> {
        of.as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&structure["dimensions"]["series"]), ["FREQ", "MEASURE", "PROVINCE", "SEX"]);
    assert_eq!(
        ids(&structure["attributes"]["observation"]),
        ["OBS_STATUS", "CONF_STATUS", "LO95", "HI95", "UNIT_MEASURE"]
    );
    assert_eq!(structure["attributes"]["observation"][0]["values"][0]["id"], "Q");
    assert_eq!(structure["attributes"]["observation"][1]["values"][0]["id"], "C");
    assert_eq!(
        structure["dimensions"]["series"][2]["values"],
        json!([{"id": "PK-KP", "name": "Khyber Pakhtunkhwa", "names": {"en": "Khyber Pakhtunkhwa", "ur": "نام"}}])
    );
}

#[tokio::test]
async fn csv_has_one_line_an_observation_in_the_order_of_the_structure() {
    let world = real().await;
    let path = format!("{DATA}/A.victims.PK-PB+PK-KP?c[TIME_PERIOD]=ge:2024");
    let two = world.get(&path, &[("accept", "application/vnd.sdmx.data+csv;version=2.0.0")]).await;
    assert_eq!(
        two.text(),
        "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,MEASURE,PROVINCE,SEX,TIME_PERIOD,OBS_VALUE,OBS_STATUS,CONF_STATUS,LO95,HI95,\
         UNIT_MEASURE,EDITION,AS_OF\n\
         dataflow,AMANAT:V01(1.0.0),I,A,victims,PK-PB,_T,2024,121,A,F,117,125,person,2,2024-12-31\n\
         dataflow,AMANAT:V01(1.0.0),I,A,victims,PK-KP,_T,2024,,Q,C,,,person,2,2024-12-31\n"
    );
    let one = world.get(&path, &[("accept", "application/vnd.sdmx.data+csv;version=1.0.0")]).await;
    assert!(one.text().starts_with("DATAFLOW,FREQ,MEASURE,PROVINCE,SEX,TIME_PERIOD,OBS_VALUE,"), "{}", one.text());
    assert!(one.text().contains("\nAMANAT:V01(1.0.0),A,victims,PK-PB,_T,2024,121,A,F,117,125,person,2,2024-12-31\n"));
}

#[tokio::test]
async fn keys_take_codes_wildcards_and_lists() {
    let world = real().await;
    let count = async |rest: &str| {
        let reply = world.get(&format!("{DATA}/{rest}"), &[]).await;
        if reply.status == StatusCode::NO_CONTENT {
            return 0;
        }
        assert_eq!(reply.status, StatusCode::OK, "{rest}: {}", reply.text());
        observations(&reply.json()).len()
    };
    for (key, expected) in [
        ("*", 49),
        ("all", 49),
        ("A", 12),
        ("Q", 36),
        ("_U", 1),
        ("A.victims", 9),
        ("A.victims.PK-PB", 3),
        ("..PK-PB", 15),
        ("*.*.PK-PB.*", 15),
        ("...", 49),
        ("A..PK-PB+PK-SD.", 6),
        ("A..PK-PB,Q..PK-SD", 15),
        ("A.share_female", 3),
        ("A.no_such_measure", 0),
        ("A..PK-PB.M", 0),
        ("*?c[TIME_PERIOD]=ge:2023+le:2023", 16),
        ("*?c[TIME_PERIOD]=ge:2023%2Ble:2023", 16),
        ("*?c%5BTIME_PERIOD%5D=gt:2023", 16),
        ("*?c[TIME_PERIOD]=lt:2022-Q2", 3),
        ("*?c[TIME_PERIOD]=ge:2024-10-01", 3),
        ("*?c[TIME_PERIOD]=_X", 1),
        ("*?c[TIME_PERIOD]=2022,2023", 8),
        ("*?c[OBS_STATUS]=Q", 1),
        ("*?c[OBS_STATUS]=ne:A", 1),
        ("*?c[OBS_VALUE]=ge:100", 3),
        ("*?c[OBS_VALUE]=62.5", 3),
        ("*?c[PROVINCE]=sw:PK-P", 15),
        ("*?c[province]=co:KP&c[FREQ]=A", 3),
        ("*?c[PROVINCE]=nc:PK", 4),
        ("A?firstNObservations=1", 4),
        ("A?lastNObservations=2", 8),
        ("*?limit=5", 5),
        ("*?offset=45", 4),
        ("*?offset=49", 0),
    ] {
        assert_eq!(count(key).await, expected, "{key}");
    }
}

#[tokio::test]
async fn nothing_that_fits_is_no_error_and_has_no_body() {
    let world = real().await;
    let reply = world.get(&format!("{DATA}/*?c[TIME_PERIOD]=1901"), &[]).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(reply.header("content-type"), "");
    let had = [("if-none-match", reply.header("etag"))];
    let again = world.get(&format!("{DATA}/*?c[TIME_PERIOD]=1901"), &had).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn the_data_of_a_moment_are_those_of_its_edition() {
    let world = real().await;
    let value = async |query: &str| {
        let message = world.get(&format!("{DATA}/A.victims.PK-PB?c[TIME_PERIOD]=2022&{query}"), &[]).await.json();
        observations(&message)[0].2.clone()
    };
    assert_eq!(value("").await, 101);
    assert_eq!(value("asOf=2025-02-01").await, 100);
    assert_eq!(value("asOf=2025-01-15T13:00:00%2B05:00").await, 100, "eight in UTC");
    assert_eq!(value("asOf=2025-02-15").await, 101, "a day is taken to its end");
    assert_eq!(value("asOf=2025-02-14T23:59:59").await, 100, "a time without an offset is in UTC");
    let before = world.get(&format!("{DATA}/*?asOf=2024-01-01"), &[]).await;
    assert_eq!((before.status.as_u16(), before.problem()), (404, "not_found".to_owned()));

    let path = format!("{DATA}/A.victims.PK-PB?c[TIME_PERIOD]=2022&includeHistory=true");
    let message = world.get(&path, &[]).await.json();
    let sets = message["data"]["dataSets"].as_array().unwrap();
    let dated: Vec<(&Value, &Value)> = sets.iter().map(|set| (&set["validFrom"], &set["validTo"])).collect();
    assert_eq!(
        dated,
        [
            (&json!("2025-01-15T08:00:00Z"), &json!("2025-02-15T08:00:00Z")),
            (&json!("2025-02-15T08:00:00Z"), &Value::Null)
        ]
    );
    let values: Vec<&Value> = sets.iter().map(|set| &set["series"]["0:0:0:0"]["observations"]["0"][0]).collect();
    assert_eq!(values, [&json!(100), &json!(101)]);
    assert_eq!((&sets[1]["structure"], &message["data"]["structures"][1]["dataSets"]), (&json!(1), &json!([1])));
}

#[tokio::test]
async fn attributes_and_measures_are_left_out_on_request() {
    let world = real().await;
    let path = format!("{DATA}/A.victims.PK-PB?c[TIME_PERIOD]=2022");
    let cell = async |query: &str| {
        let message = world.get(&format!("{path}&{query}"), &[]).await.json();
        let set = message["data"]["dataSets"][0].clone();
        (set["series"]["0:0:0:0"]["observations"]["0"].clone(), set["attributes"].clone())
    };
    assert_eq!(cell("attributes=none").await, (json!([101]), json!([])));
    assert_eq!(cell("attributes=dataset&measures=all").await, (json!([101]), json!([2, "2024-12-31"])));
    assert_eq!(cell("measures=none&attributes=OBS_STATUS,LO95").await, (json!([0, 97]), json!([])));
    let table = world.get(&format!("{path}&dimensionAtObservation=AllDimensions&attributes=none"), &[]).await.json();
    assert_eq!(table["data"]["dataSets"][0]["observations"], json!({"0:0:0:0:0": [101]}));
}

#[tokio::test]
async fn what_cannot_be_answered_says_so_with_an_honest_status() {
    let world = real().await;
    for (path, status, code, sdmx, hint) in [
        ("data/dataflow/AMANAT/X1", 404, "unknown_indicator", 100, "V01, C01"),
        ("data/dataflow/OECD/V01", 404, "not_found", 100, "AMANAT"),
        ("data/dataflow/AMANAT/V01/2.0.0", 404, "not_found", 100, "1.0.0"),
        ("data/provisionagreement/AMANAT/V01", 404, "not_found", 100, "dataflow"),
        ("data/dataflow/AMANAT/V01/+/A.B.C.D.E", 400, "malformed_parameter", 140, "FREQ.MEASURE.PROVINCE.SEX"),
        ("data/dataflow/AMANAT/V01/+/A..XX", 422, "unknown_code", 150, "PK-PB"),
        ("data/dataflow/AMANAT/V01/+/M", 422, "unknown_code", 150, "Q (quarters)"),
        ("data/dataflow/AMANAT/V01?c[NOPE]=1", 422, "unknown_filter", 150, "FREQ, MEASURE"),
        ("data/dataflow/AMANAT/V01?c[SEX]=ge:F", 400, "malformed_parameter", 140, "eq and ne"),
        ("data/dataflow/AMANAT/V01?c[TIME_PERIOD]=ge:soon", 400, "malformed_parameter", 140, "2024-Q1"),
        ("data/dataflow/AMANAT/V01?c[OBS_VALUE]=many", 400, "malformed_parameter", 140, "ge:100"),
        ("data/dataflow/AMANAT/V01?province=PK-PB", 400, "malformed_parameter", 140, "c[…]"),
        ("data/dataflow/AMANAT/V01?limit=0", 400, "malformed_parameter", 140, "from 1"),
        ("data/dataflow/AMANAT/V01?asOf=yesterday", 400, "malformed_parameter", 140, "2026-01-31"),
        ("data/dataflow/AMANAT/V01?includeHistory=yes", 400, "malformed_parameter", 140, "true"),
        ("data/dataflow/AMANAT/V01?attributes=COLOUR", 400, "malformed_parameter", 140, "OBS_STATUS"),
        ("data/dataflow/AMANAT/V01?updatedAfter=2020-01-01", 501, "not_implemented", 501, "revisions"),
        ("data/dataflow/AMANAT/V01?sort=*", 501, "not_implemented", 501, "order"),
        ("data/dataflow/AMANAT/V01?dimensionAtObservation=SEX", 501, "not_implemented", 501, "AllDimensions"),
        ("data/dataflow/AMANAT/V01?format=xml", 400, "malformed_parameter", 140, "sdmx-json"),
        ("structure/hierarchy", 404, "not_found", 100, "dataflow, datastructure"),
        ("structure/codelist/AMANAT/CL_NOPE", 404, "not_found", 100, "allstubs"),
        ("structure/dataflow?references=cousins", 400, "malformed_parameter", 140, "children"),
        ("structure/dataflow?detail=some", 400, "malformed_parameter", 140, "allstubs"),
        ("structure/dataflow?colour=red", 400, "malformed_parameter", 140, "references"),
    ] {
        let reply = world.get(&format!("/sdmx/v2/{path}"), &[]).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, code), "{path}");
        assert_eq!(reply.json()["errors"][0]["code"], sdmx, "{path}");
        assert!(reply.hint().contains(hint), "{path}: {}", reply.hint());
    }
    let none = crate::world::world(0, true, endpoint::Settings::default()).await.get(DATA, &[]).await;
    assert_eq!((none.status.as_u16(), none.problem()), (503, "no_edition".to_owned()));
    let labels = [("accept", "application/vnd.sdmx.data+csv;version=2.0.0;labels=both")];
    assert_eq!(world.get(DATA, &labels).await.problem(), "not_acceptable");
}

/// The members of `data` with the ids in them.
async fn artefacts(path: &str) -> Vec<(String, Vec<String>)> {
    let reply = real().await.get(&format!("/sdmx/v2/structure/{path}"), &[]).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    assert_eq!(reply.header("content-type"), "application/vnd.sdmx.structure+json; version=2.0.0");
    let ids = |all: &Value| all.as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap().to_owned()).collect();
    reply.json()["data"].as_object().unwrap().iter().map(|(kind, all)| (kind.clone(), ids(all))).collect()
}

#[tokio::test]
async fn structures_are_found_by_type_id_and_version_with_what_they_lead_to() {
    let kinds = |found: Vec<(String, Vec<String>)>| -> String {
        found.into_iter().map(|(kind, ids)| format!("{kind}:{}", ids.len())).collect::<Vec<_>>().join(" ")
    };
    for (path, expected) in [
        ("dataflow", "dataflows:2"),
        ("dataflow/AMANAT/V01", "dataflows:1"),
        ("dataflow/AMANAT/v01,C01/1.0.0", "dataflows:2"),
        ("dataflow/*/*/~", "dataflows:2"),
        ("dataflow/AMANAT/V01/+?references=children", "dataflows:1 dataStructures:1"),
        ("dataflow/AMANAT/V01/+?references=descendants", "dataflows:1 dataStructures:1 codelists:7 conceptSchemes:1"),
        (
            "dataflow/AMANAT/V01/+?references=all",
            "dataflows:1 dataStructures:1 codelists:7 conceptSchemes:1 agencySchemes:1",
        ),
        ("dataflow/AMANAT/V01?references=codelist", "dataflows:1 codelists:7"),
        ("codelist/AMANAT/CL_SEX?references=parents", "dataStructures:1 codelists:1"),
        ("codelist/AMANAT/CL_SEX?references=ancestors", "dataflows:1 dataStructures:1 codelists:1"),
        ("codelist", "codelists:9"),
        ("conceptscheme,agencyscheme", "conceptSchemes:1 agencySchemes:1"),
        ("*/*/*/*", "dataflows:2 dataStructures:2 codelists:9 conceptSchemes:1 agencySchemes:1"),
    ] {
        assert_eq!(kinds(artefacts(path).await), expected, "{path}");
    }
}

#[tokio::test]
async fn a_list_has_the_codes_that_occur_and_their_names() {
    let world = real().await;
    let list = async |path: &str| {
        world.get(&format!("/sdmx/v2/structure/codelist/AMANAT/{path}"), &[]).await.json()["data"]["codelists"][0]
            .clone()
    };
    let sex = list("CL_SEX").await;
    let codes: Vec<&Value> = sex["codes"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert_eq!(codes, ["F", "M", "_X", "_T", "_Z"], "with those that every dimension may have");
    assert_eq!(sex["codes"][0], json!({"id": "F", "name": "Female", "names": {"en": "Female", "ur": "نام"}}));
    let measures = list("CL_MEASURE").await;
    let codes: Vec<&Value> = measures["codes"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert_eq!(codes, ["cases", "share_female", "victims"]);
    assert_eq!(list("CL_SEX?detail=allstubs").await.get("codes"), None);
}
