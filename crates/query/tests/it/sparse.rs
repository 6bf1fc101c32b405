//! Questions of which most would be hidden, by what is published (privacy.md 6.2, PRIV-1009).

use std::sync::Arc;

use query::{Catalogue, CountedTable, EditionSource, Oracle, Question, Reader, Settings};

use crate::vault::{ByRule, figure, lists};
use crate::world;

/// V01 of the tests' country: 270 persons in 2024, in three provinces, by year and province and by year and sex.
fn counted(conditions: &[&str]) -> Vec<CountedTable> {
    let table = |level: &str| CountedTable {
        indicator: "V01".to_owned(),
        measure: "victims".to_owned(),
        dataset: "victims".to_owned(),
        period: "year".to_owned(),
        columns: vec![(level.to_owned(), level.to_owned())],
        conditions: conditions.iter().map(ToString::to_string).collect(),
    };
    vec![table("province"), table("sex")]
}

async fn reader(editions: u32, counted: Vec<CountedTable>) -> Reader {
    let source: Arc<dyn EditionSource> = Arc::new(world::Memory { visible: editions.into() });
    let oracle: Arc<dyn Oracle> = ByRule::new(|_| Some(figure(200)));
    let catalogue = Catalogue { code_lists: lists(), counted, ..world::catalogue() };
    Reader::open_with_vault(source, catalogue, Settings::default(), oracle).await.expect("a reader")
}

/// `answered`, or the code of the refusal and its hint. Nothing is asked of the vault.
async fn compiled(reader: &Reader, sql: &str) -> (String, String) {
    match reader.compile(Question::new(sql)).await {
        Ok(_) => ("answered".to_owned(), String::new()),
        Err(refusal) => (refusal.code.name().to_owned(), refusal.hint.unwrap_or_default()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_of_which_most_would_be_hidden_is_refused_and_the_hint_leads_to_an_answer() {
    let reader = reader(2, counted(&["status"])).await;
    let sparse =
        "select place_identified, sex, count(*) from victims where year = 2024 and status = 'actual' group by 1, 2";
    let (code, hint) = compiled(&reader, sparse).await;
    assert_eq!((code.as_str(), hint.as_str()), ("PRIV-1009", "Write province in place of place_identified."));
    let (code, _) = compiled(&reader, &sparse.replace("place_identified", "province")).await;
    assert_eq!(code, "answered");
    let (code, hint) =
        compiled(&reader, "select month, place_identified, sex, count(*) from victims group by 1, 2, 3").await;
    assert_eq!(code, "PRIV-1012", "what has too many cells is refused for that: {hint}");
    let two = "select quarter, place_identified, count(*) from victims where year = 2024 group by 1, 2";
    let (code, hint) = compiled(&reader, two).await;
    assert_eq!(code, "PRIV-1009");
    let mut told = two.to_owned();
    for change in hint.trim_end_matches('.').split(", and ") {
        let words: Vec<&str> = change.split(' ').collect();
        let [_, new, .., old] = words[..] else { panic!("{hint}") };
        told = if words[0] == "Write" {
            told.replace(old, new)
        } else {
            told.replace(&format!("{new}, "), "").replace("1, 2", "1")
        };
    }
    assert_eq!(compiled(&reader, &told).await.0, "answered", "{hint} -> {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_refusal_is_of_explain_too_and_names_its_place() {
    let reader = reader(2, counted(&["status"])).await;
    let sql = "explain select place_identified, sex, count(*) from victims where year = 2024 and status = 'actual' group by 1, 2";
    let refusal = crate::ask(&reader, sql, Vec::new()).await.expect_err("too sparse");
    assert_eq!((refusal.code.name(), refusal.place.map(|place| place.column)), ("PRIV-1009", Some(16)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_of_one_cell_is_never_refused_for_it() {
    let reader = reader(2, counted(&["status"])).await;
    for sql in [
        "select count(*) from victims where year = 2024 and sex = 'T' and province = 'PK-GB' and status = 'actual'",
        "select year, count(*) from victims where year = 2024 and sex = 'T' and province = 'PK-GB' group by 1",
        "select sex, count(*) from victims where year = 2024 and sex = 'T' and province = 'PK-GB' group by 1",
    ] {
        assert_eq!(compiled(&reader, sql).await.0, "answered", "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_doubt_a_question_is_asked() {
    let sparse =
        "select place_identified, sex, count(*) from victims where year = 2024 and status = 'actual' group by 1, 2";
    // Nothing is published, or nothing of this dataset.
    assert_eq!(compiled(&reader(0, counted(&["status"])).await, sparse).await.0, "answered");
    assert_eq!(compiled(&reader(2, Vec::new()).await, sparse).await.0, "answered");
    // On a declared grid every cell is shown, however small.
    let inspections = CountedTable { dataset: "inspections".to_owned(), ..counted(&[]).remove(0) };
    let by_quarter = "select quarter, count(*) from inspections where year = 2024 and province = 'PK-KP' and kind in ('child', 'bonded') group by 1";
    let of_inspections = reader(2, vec![inspections]).await;
    assert_eq!(compiled(&of_inspections, by_quarter).await.0, "answered");
    let undeclared = by_quarter.replace(" and kind in ('child', 'bonded')", "");
    assert_eq!(compiled(&of_inspections, &undeclared).await.0, "PRIV-1009");
    let by_quarter = "select quarter, count(*) from victims where year = 2024 and province = 'PK-KP' and status = 'actual' group by 1";
    let of_all_victims = reader(2, counted(&[])).await;
    assert_eq!(compiled(&of_all_victims, by_quarter).await.0, "answered", "charged before anybody asks");
    let undeclared = by_quarter.replace(" and status = 'actual'", "");
    assert_eq!(compiled(&of_all_victims, &undeclared).await.0, "PRIV-1009");
    let of_victims = reader(2, counted(&["status"])).await;
    for sql in [
        "select section, province, count(*) from cases group by 1, 2",
        // A dimension without a published marginal is left out.
        "select recruiter_relation, count(*) from victims where year = 2024 and status = 'actual' group by 1",
        "select citizenship, province, count(*) from victims where year = 2024 group by 1, 2",
        "select count(distinct citizenship) from victims where year = 2024",
    ] {
        assert_eq!(compiled(&of_victims, sql).await.0, "answered", "{sql}");
    }
    // A table of a part of the dataset stands for twice as many as it counts, for each condition that the question has not.
    let by_month = "select month, province, sex, count(*) from victims where year = 2024 group by 1, 2, 3";
    assert_eq!(compiled(&reader(2, counted(&[])).await, by_month).await.0, "PRIV-1009");
    assert_eq!(compiled(&reader(2, counted(&["status", "act"])).await, by_month).await.0, "answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_which_much_is_hidden_says_how_to_see_more() {
    let reader = reader(2, counted(&["status"])).await;
    let much =
        "select quarter, province, sex, count(*) from victims where year = 2024 and status = 'actual' group by 1, 2, 3";
    let answer = crate::ask(&reader, much, Vec::new()).await.expect("not too sparse");
    let notes: Vec<(&str, &str)> = answer.notes.iter().map(|note| (note.code.name(), note.detail.as_str())).collect();
    let [("NOTE-3005", detail)] = notes[..] else { panic!("{notes:?}") };
    assert!(detail.ends_with("To see more: Write year in place of quarter."), "{detail}");
    let more = much.replace("quarter", "year");
    assert_eq!(crate::ask(&reader, &more, Vec::new()).await.expect("an answer").notes, []);
}
