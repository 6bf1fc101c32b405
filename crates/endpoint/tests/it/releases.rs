//! Editions over time and as a whole: revisions, calendar, feed, packages, archive, catalogue.

use std::io::Read;

use axum::http::StatusCode;
use endpoint::{Release, Settings};
use query::Text;
use serde_json::{Value, json};

use crate::world::{real, world};

#[tokio::test]
async fn each_value_is_shown_in_each_edition_with_whether_it_changed() {
    let world = real().await;
    let path = "/v1/indicators/V01/revisions?province=PK-PB&time_period=2022,2022-Q1";
    let reply = world.get(path, &[]).await;
    let names: Vec<Value> = reply.json()["columns"].as_array().unwrap().clone();
    assert_eq!(
        Value::from(names),
        json!([
            "measure",
            "time_period",
            "province",
            "sex",
            "edition",
            "as_of",
            "published_at",
            "value",
            "lo95",
            "hi95",
            "obs_status",
            "conf_status",
            "changed"
        ])
    );
    let (first, second) = ("2025-01-15T08:00:00Z", "2025-02-15T08:00:00Z");
    assert_eq!(
        reply.json()["rows"],
        json!([
            ["victims", "2022", "PK-PB", "_T", 1, "2024-12-31", first, 100, 96, 104, "A", "F", null],
            ["victims", "2022", "PK-PB", "_T", 2, "2024-12-31", second, 101, 97, 105, "A", "F", true],
            ["victims", "2022-Q1", "PK-PB", "_T", 1, "2024-12-31", first, 25, 21, 29, "A", "F", null],
            ["victims", "2022-Q1", "PK-PB", "_T", 2, "2024-12-31", second, 25, 21, 29, "A", "F", false],
        ])
    );
    let csv = world.get(&format!("{path}&format=csv"), &[]).await;
    assert_eq!(csv.header("amanat-rows"), "4");
    let lines: Vec<&str> = csv.text().lines().collect();
    assert_eq!(lines[1], "victims,2022,PK-PB,_T,1,2024-12-31,2025-01-15T08:00:00Z,100,96,104,A,F,");
    assert_eq!(lines[2], "victims,2022,PK-PB,_T,2,2024-12-31,2025-02-15T08:00:00Z,101,97,105,A,F,true");
    let suppressed = world.get("/v1/indicators/V01/revisions?province=PK-KP&time_period=2024", &[]).await.json();
    let hidden = &suppressed["rows"][1].as_array().unwrap()[7..];
    assert_eq!(Value::from(hidden), json!([null, null, null, "Q", "C", false]));
    assert_eq!(world.get("/v1/indicators/V01/revisions?edition=1", &[]).await.problem(), "malformed_parameter");
    assert_eq!(world.get("/v1/indicators/V01/revisions?measure=nope", &[]).await.problem(), "unknown_code");
    let cited = reply.json()["citation"]["href"].clone();
    assert_eq!(cited, "/v1/indicators/V01/revisions?time_period=2022%2C2022-Q1&province=PK-PB");
}

fn planned() -> Settings {
    let release = |date: &str, en: &str, note: Option<&str>| Release {
        date: date.parse().unwrap(),
        title: Text { en: en.to_owned(), ur: "اشاعت".to_owned() },
        note: note.map(str::to_owned),
    };
    let calendar = vec![
        release("2027-04-30", "Second, and last", None),
        release("2027-01-31", "First", Some("line one\nline two")),
    ];
    Settings { calendar, ..Settings::default() }
}

#[tokio::test]
async fn the_calendar_has_what_was_published_and_what_is_planned() {
    let world = world(2, false, planned()).await;
    let calendar = world.get("/v1/calendar", &[]).await.json();
    assert_eq!(calendar["editions"][1]["edition"], 2);
    assert_eq!(
        calendar["releases"],
        json!([
            {"date": "2027-01-31", "title": {"en": "First", "ur": "اشاعت"}, "note": "line one\nline two"},
            {"date": "2027-04-30", "title": {"en": "Second, and last", "ur": "اشاعت"}},
        ])
    );
    let ics = world.get("/v1/calendar", &[("accept", "text/calendar")]).await;
    assert_eq!(ics.header("content-type"), "text/calendar; charset=utf-8");
    for line in [
        "BEGIN:VCALENDAR\r\n",
        "DTSTART;VALUE=DATE:20250115\r\n",
        "DTSTART;VALUE=DATE:20270131\r\n",
        "SUMMARY:Second\\, and last\r\n",
        "DESCRIPTION:اشاعت\\nline one\\nline two\r\n",
        "END:VCALENDAR\r\n",
    ] {
        assert!(ics.text().contains(line), "{line} in {}", ics.text());
    }
    assert_eq!(ics.text().matches("BEGIN:VEVENT").count(), 4);
    let none = real().await.get("/v1/calendar", &[]).await.json();
    assert_eq!(none["releases"], json!([]), "nothing is planned, and it says so");
    assert_eq!(world.get("/v1/calendar?year=2027", &[]).await.problem(), "malformed_parameter");
}

#[tokio::test]
async fn the_feed_names_each_edition_for_ever() {
    let world = real().await;
    let feed = world.get("/v1/feed.atom", &[("accept", "*/*")]).await;
    assert_eq!(feed.header("content-type"), "application/atom+xml; charset=utf-8");
    let ids = |text: &str| -> Vec<String> {
        text.lines().filter_map(|l| Some(l.strip_prefix("<id>")?.strip_suffix("</id>")?.to_owned())).collect()
    };
    let now = ids(feed.text());
    assert_eq!(now.len(), 3);
    assert!(now[1].starts_with("urn:amanat:edition:2:") && now[2].starts_with("urn:amanat:edition:1:"), "{now:?}");
    let before = crate::world::world(1, false, Settings::default()).await.get("/v1/feed.atom", &[]).await;
    assert_eq!(ids(before.text())[1], now[2], "an edition keeps its id");
    let other = crate::world::world(1, true, Settings::default()).await.get("/v1/feed.atom", &[]).await;
    assert_ne!(ids(other.text())[1], now[2], "the first edition of another store is another");
}

#[tokio::test]
async fn a_package_tells_what_each_column_may_hold() {
    let world = real().await;
    let package = world.get("/v1/indicators/V01/datapackage.json", &[]).await.json();
    let resource = &package["resources"][0];
    assert_eq!(resource["path"], "data?edition=2&format=csv");
    let field = |name: &str| {
        resource["schema"]["fields"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap().clone()
    };
    assert_eq!(field("sex")["constraints"]["enum"], json!(["F", "M", "_X", "_T", "_Z"]));
    assert_eq!(field("measure")["constraints"]["enum"], json!(["victims", "share_female"]));
    assert_eq!(field("value")["type"], "number");
    let csv = world.get("/v1/indicators/V01/data?edition=2&format=csv", &[]).await;
    assert_eq!(resource["hash"], format!("sha256:{}", csv.header("amanat-sha256")));
    assert_eq!(resource["bytes"], csv.body.len());

    let package = world.get("/v1/editions/1/datapackage.json", &[]).await.json();
    assert_eq!(package["version"], "1.0.0");
    for resource in package["resources"].as_array().unwrap() {
        let path = format!("/v1/editions/1/{}", resource["path"].as_str().unwrap());
        let file = world.get(&path, &[]).await;
        assert_eq!(resource["hash"], format!("sha256:{}", file.header("amanat-sha256")), "{path}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    }
    for (path, code) in [
        ("/v1/editions/9/datapackage.json", "unknown_edition"),
        ("/v1/editions/1/data/V01.xls", "not_found"),
        ("/v1/editions/1/data/X1.csv", "unknown_indicator"),
        ("/v1/editions/x/archive.zip", "unknown_edition"),
        ("/v1/indicators/X1/datapackage.json", "unknown_indicator"),
    ] {
        assert_eq!(world.get(path, &[]).await.problem(), code, "{path}");
    }
}

#[tokio::test]
async fn an_archive_has_everything_and_the_same_bytes_each_time() {
    let archive = real().await.get("/v1/editions/2/archive.zip", &[("accept-encoding", "gzip")]).await;
    assert_eq!((archive.status, archive.header("content-type")), (StatusCode::OK, "application/zip"));
    assert_eq!(archive.header("content-encoding"), "");
    assert_eq!(archive.header("content-disposition"), "attachment; filename=\"amanat-edition-2.zip\"");
    let again = real().await.get("/v1/editions/latest/archive.zip", &[]).await;
    assert_eq!((again.header("etag"), &again.body), (archive.header("etag"), &archive.body));
    let zip = rawzip::ZipArchive::from_slice(&archive.body).unwrap();
    let mut files = Vec::new();
    let mut entries = zip.entries();
    while let Some(entry) = entries.next_entry().unwrap() {
        let packed = zip.get_entry(entry.wayfinder()).unwrap();
        let mut text = String::new();
        let unpacked = flate2::bufread::DeflateDecoder::new(packed.data());
        packed.verifying_reader(unpacked).read_to_string(&mut text).unwrap();
        files.push((entry.file_path().try_normalize().unwrap().as_ref().to_owned(), text));
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "README.md",
            "datapackage.json",
            "definitions/V01.json",
            "definitions/C01.json",
            "code-lists/province.json",
            "code-lists/sex.json",
            "code-lists/agency_group.json",
            "code-lists/note.json",
            "methodology.md",
            "methodology.ur.md",
            "data/V01.csv",
            "data/C01.csv"
        ]
    );
    let read = |name: &str| files.iter().find(|(own, _)| own == name).unwrap().1.as_str();
    let world = real().await;
    assert_eq!(read("data/V01.csv"), world.get("/v1/indicators/V01/data?format=csv&edition=2", &[]).await.text());
    let package: Value = serde_json::from_str(read("datapackage.json")).unwrap();
    assert_eq!(package, world.get("/v1/editions/2/datapackage.json", &[]).await.json());
    let definition: Value = serde_json::from_str(read("definitions/V01.json")).unwrap();
    assert_eq!(definition["row_count"], 49);
    for part in ["Cite as: Amanat, all indicators, edition 2", "/v1/methodology", "creativecommons.org"] {
        assert!(read("README.md").contains(part), "{part}");
    }
}

#[tokio::test]
async fn the_catalogue_leads_to_every_form() {
    let world = real().await;
    let catalogue = world.get("/v1/dcat.jsonld", &[]).await;
    assert_eq!(catalogue.header("content-type"), "application/ld+json");
    let datasets = catalogue.json()["dcat:dataset"].as_array().unwrap().clone();
    assert_eq!(datasets.len(), 2);
    for distribution in datasets[0]["dcat:distribution"].as_array().unwrap() {
        let url = distribution["dcat:downloadURL"]["@id"].as_str().unwrap();
        assert_eq!(world.get(url, &[]).await.status, StatusCode::OK, "{url}");
    }
    let structure = datasets[0]["dct:conformsTo"]["@id"].as_str().unwrap();
    assert_eq!(world.get(structure, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_methodology_is_where_the_numbers_are() {
    let world = real().await;
    let english = world.get("/v1/methodology", &[]).await;
    assert_eq!(english.header("content-type"), "text/markdown; charset=utf-8");
    assert_eq!(english.header("content-language"), "en");
    let urdu = world.get("/v1/methodology?lang=ur", &[]).await;
    assert_eq!(urdu.header("content-language"), "ur");
    assert_ne!(english.body, urdu.body);
    assert_eq!(world.get("/v1/methodology?lang=fr", &[]).await.problem(), "malformed_parameter");
}
