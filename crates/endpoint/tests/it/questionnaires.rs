//! Forms of others, filled from an edition.

use crate::world::real;

#[tokio::test]
async fn the_forms_are_listed_and_each_is_filled_from_the_edition_that_is_named() {
    let world = real().await;
    let listed = world.get("/v1/questionnaires", &[]).await.json();
    let ids: Vec<&str> =
        listed["questionnaires"].as_array().unwrap().iter().map(|form| form["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["glotip", "sdg", "tip-report"]);
    let filled = world.get("/v1/questionnaires/glotip?edition=1&year=2024", &[]).await.json();
    assert_eq!((filled["edition"].as_u64(), filled["period"].as_str()), (Some(1), Some("2024")));
    let fiscal = world.get("/v1/questionnaires/glotip?year=2023&fiscal=true", &[]).await.json();
    assert_eq!(fiscal["period"], "FY2023-24");
    let of_itself = world.get("/v1/questionnaires/sdg", &[]).await.json();
    assert_eq!(of_itself["period"], "2024", "the last year that had ended by the edition's date");
}

#[tokio::test]
async fn every_cell_has_a_value_or_a_flag_and_names_its_indicator_edition_and_date() {
    let world = real().await;
    let csv = world.get("/v1/questionnaires/tip-report?year=2024&format=csv", &[]).await;
    assert!(csv.header("content-disposition").contains("amanat-tip-report-2024-edition-2.csv"));
    let text = csv.text();
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let ended = ",2,2024-12-31";
    for line in lines {
        assert!(line.ends_with(ended), "{line}");
        assert!(!line.contains(",,,,,"), "{line}: a cell without value and without flag");
    }
    assert!(at("value") < at("obs_status") && at("indicator") > 0);
    assert!(text.lines().any(|line| line.contains(",Q,,,Q,")), "what is hidden is the flag, not an empty cell");
    assert!(
        text.lines().any(|line| line.contains(",O,,,O,\"No such cell is published")),
        "what is not published says so"
    );
}

#[tokio::test]
async fn a_workbook_is_a_zip_of_sheets_and_the_same_each_time() {
    let world = real().await;
    let address = "/v1/questionnaires/tip-report?year=2024&format=xlsx";
    let (first, again) = (world.get(address, &[]).await, world.get(address, &[]).await);
    assert_eq!(first.body, again.body);
    assert!(first.body.starts_with(b"PK"));
    for part in ["xl/workbook.xml", "xl/worksheets/sheet3.xml", "[Content_Types].xml"] {
        assert!(first.body.windows(part.len()).any(|window| window == part.as_bytes()), "{part}");
    }
}

#[tokio::test]
async fn what_is_no_form_no_year_or_no_edition_is_refused_with_what_there_is() {
    let world = real().await;
    assert_eq!(world.get("/v1/questionnaires/census", &[]).await.problem(), "not_found");
    for (query, problem) in [
        ("year=soon", "malformed_parameter"),
        ("fiscal=perhaps", "malformed_parameter"),
        ("month=3", "malformed_parameter"),
        ("edition=9", "unknown_edition"),
        ("format=parquet", "malformed_parameter"),
    ] {
        let refused = world.get(&format!("/v1/questionnaires/glotip?{query}"), &[]).await;
        assert_eq!(refused.problem(), problem, "{query}");
    }
}
