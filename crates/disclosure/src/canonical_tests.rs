//! What privacy.md 6.2 says of one form for one meaning.
#![allow(clippy::unwrap_used)]

use policy::{Dataset, Policy};

use super::*;
use crate::query::Measure;

const YEARS: RangeInclusive<u16> = 2020..=2024;

fn victims() -> Dataset {
    Policy::default().datasets.get("victims").unwrap().clone()
}

fn condition(dataset: &Dataset, level: &str, codes: &[&str]) -> Condition {
    let codes = codes.iter().map(|code| dataset.code_of(level, code, YEARS).unwrap()).collect();
    Condition { dimension: dataset.dimension_of(level).unwrap().to_owned(), level: level.to_owned(), codes }
}

fn question(population: Vec<Condition>, by: Vec<Breakdown>) -> CellQuery {
    CellQuery { dataset: "victims".to_owned(), population, by, measures: vec![Measure::Units] }
}

fn level(name: &str) -> Breakdown {
    Breakdown::Level(name.to_owned())
}

fn canonical(population: &[(&str, &[&str])], by: &[&str]) -> CellQuery {
    let dataset = victims();
    let population = population.iter().map(|(level, codes)| condition(&dataset, level, codes)).collect();
    question(population, by.iter().map(|name| level(name)).collect()).canonical(&dataset, YEARS)
}

fn population(question: &CellQuery) -> Vec<String> {
    let dataset = victims();
    let text = |c: &Condition| {
        let codes: Vec<_> = c.codes.iter().map(|&code| dataset.code_text(&c.level, code).unwrap()).collect();
        format!("{}={}", c.level, codes.join("|"))
    };
    question.population.iter().map(text).collect()
}

#[test]
fn all_parts_of_a_node_are_the_node() {
    assert_eq!(population(&canonical(&[("age_band", &["09-17", "00-08"])], &[])), ["age_group=child"]);
    assert_eq!(population(&canonical(&[("month", &["2023-07", "2023-08", "2023-09"])], &[])), ["quarter=2023-Q3"]);
    let year = ["2023-Q3", "2023-Q4", "2024-Q1", "2024-Q2"];
    assert_eq!(population(&canonical(&[("quarter", &year)], &[])), ["fiscal_year=2023-24"]);
    assert_eq!(population(&canonical(&[("age_band", &["09-17"])], &[])), ["age_band=09-17"]);
}

#[test]
fn a_year_is_more_than_its_quarters() {
    let quarters = ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4"];
    let asked = canonical(&[("quarter", &quarters)], &[]);
    assert_eq!(
        asked.population[0].level, "quarter",
        "units whose quarter is unknown are of the year and of no quarter"
    );
    assert_ne!(asked.id(), canonical(&[("year", &["2023"])], &[]).id());
}

#[test]
fn a_fiscal_year_that_ends_after_the_years_is_more_than_its_first_half() {
    assert_eq!(population(&canonical(&[("quarter", &["2024-Q3", "2024-Q4"])], &[])), ["quarter=2024-Q3|2024-Q4"]);
}

#[test]
fn a_condition_that_everybody_satisfies_is_none_and_all_years_are_one() {
    assert_eq!(population(&canonical(&[("sex", &["F", "M", "T", "_X"])], &[])), Vec::<String>::new());
    assert_eq!(population(&canonical(&[("year", &["2020", "2021", "2022", "2023", "2024"])], &[])).len(), 1);
}

#[test]
fn two_conditions_on_a_dimension_meet_at_the_finer_level() {
    let both = canonical(&[("age_group", &["child"]), ("age_band", &["09-17", "18-20"])], &[]);
    assert_eq!(population(&both), ["age_band=09-17"]);
    let both = canonical(&[("year", &["2024"]), ("fiscal_year", &["2023-24"])], &[]);
    assert_eq!(population(&both), ["quarter=2024-Q1|2024-Q2"]);
}

#[test]
fn a_contradiction_stays_a_condition_that_nobody_satisfies() {
    let none = canonical(&[("sex", &["F"]), ("sex", &["M"])], &["province"]);
    assert_eq!(none.population[0].codes, Vec::<u16>::new());
    assert_eq!(none.check(&victims(), YEARS), Ok(()));
    let other = canonical(&[("age_group", &["child"]), ("age_band", &["18-20"])], &[]);
    assert_eq!(other, canonical(&[("age_band", &["18-20"]), ("age_band", &["09-17"])], &[]), "at whatever level");
}

#[test]
fn a_level_that_is_fixed_leaves_the_breakdown() {
    assert_eq!(canonical(&[("year", &["2024"])], &["year", "province"]).by, [level("province")]);
    assert_eq!(canonical(&[("quarter", &["2024-Q1"])], &["year"]).by, []);
    assert_eq!(canonical(&[("year", &["2024"])], &["quarter"]).by, [level("quarter")]);
}

#[test]
fn classes_that_are_published_are_the_published_level() {
    let dataset = victims();
    let classes = |classes: Vec<Vec<u16>>| {
        let by = vec![Breakdown::Classes { level: "age_band".to_owned(), classes }];
        question(Vec::new(), by).canonical(&dataset, YEARS).by
    };
    assert_eq!(classes(vec![(2..9).collect(), vec![9], vec![1, 0]]), [level("age_group")]);
    let own = Breakdown::Classes { level: "age_group".to_owned(), classes: vec![vec![0], vec![1, 2]] };
    assert_eq!(classes(vec![(2..10).collect(), vec![1, 0]]), [own]);
    assert_eq!(classes(vec![(0..10).collect()]), [], "one class is no breakdown");
}

#[test]
fn groups_are_those_that_the_population_leaves_possible() {
    let dataset = victims();
    let groups = |population: &[(&str, &[&str])], by: &str| {
        let groups = canonical(population, &[by]).groups(&dataset, YEARS);
        groups[0].iter().map(|&code| dataset.code_text(by, code).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(groups(&[("year", &["2024"])], "quarter"), ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "_X"]);
    assert_eq!(groups(&[("age_group", &["child"])], "age_band"), ["00-08", "09-17"]);
    assert_eq!(groups(&[("year", &["2022"])], "fiscal_year"), ["2021-22", "2022-23", "_X"]);
    assert_eq!(groups(&[], "province").len(), 8);
}

#[test]
fn a_declared_population_is_one_condition_and_one_dimension() {
    let policy = policy::Policy::default();
    let judgments = policy.datasets.get("judgments").unwrap();
    let declared = policy.datasets.declared().iter().find(|grid| grid.indicator == "C05, GLOTIP").unwrap();
    let asked = |left_out: Option<&str>, by: &[&str]| {
        let condition = |(level, codes): (&String, &Vec<u16>)| Condition {
            dimension: judgments.dimension_of(level).unwrap().to_owned(),
            level: level.clone(),
            codes: codes.clone(),
        };
        let year = Condition { dimension: "time".to_owned(), level: "year".to_owned(), codes: vec![2024] };
        let population = declared.population.iter().filter(|(level, _)| Some(level.as_str()) != left_out);
        let asked = CellQuery {
            dataset: "judgments".to_owned(),
            population: population.map(condition).chain([year]).collect(),
            by: by.iter().map(|level| Breakdown::Level((*level).to_owned())).collect(),
            measures: vec![Measure::Units],
        };
        let asked = asked.canonical(judgments, YEARS);
        asked.check(judgments, YEARS).map_err(|refused| refused.code())
    };
    assert_eq!(declared.population.len(), 4);
    assert_eq!(asked(None, &["sex"]), Ok(()), "the declared grid itself");
    assert_eq!(asked(None, &["sex", "age_group", "province"]), Ok(()), "five with the year");
    assert_eq!(asked(None, &["sex", "age_group", "province", "court_level"]), Err(1008));
    assert_eq!(asked(Some("overturned"), &["sex", "age_group"]), Err(1008), "a population of the asker's own");
}

#[test]
fn limits_of_a_question_have_their_codes() {
    let dataset = victims();
    let code = |asked: CellQuery| asked.check(&dataset, YEARS).map_err(|refused| refused.code());
    let five = ["sex", "scope", "status", "age_group", "province"];
    assert_eq!(code(canonical(&[], &five)), Err(1008));
    let pairs: [(&str, &[&str]); 3] = [("sex", &["F"]), ("scope", &["domestic"]), ("year", &["2024"])];
    assert_eq!(code(canonical(&pairs, &["age_group", "province", "status"])), Err(1008));
    assert_eq!(code(canonical(&[], &["citizenship", "month"])), Err(1012));
    let four = ["sexual", "forced_labour", "forced_begging", "other"];
    assert_eq!(code(canonical(&[("exploitation", &four)], &[])), Err(1015));
    assert_eq!(code(canonical(&[("exploitation", &four[..1]), ("exploitation", &four[1..2])], &[])), Err(1015));
    let nine = ["AF", "BD", "CN", "ID", "IN", "IR", "LK", "MM", "NP"];
    assert_eq!(code(canonical(&[("citizenship", &nine)], &[])), Err(1008));
    let months: Vec<String> = (1..=11).map(|month| format!("2023-{month:02}")).collect();
    let months: Vec<&str> = months.iter().map(String::as_str).collect();
    assert_eq!(code(canonical(&[("month", &months)], &[])), Ok(()), "a range is one condition");
}

#[test]
fn a_question_in_words_has_the_codes_of_the_published_lists_and_nothing_else() {
    let policy = Policy::default();
    let dataset = policy.datasets.get("inspections").unwrap();
    let code = |level: &str, text: &str| dataset.code_of(level, text, 2020..=2024).unwrap();
    let year = Condition { dimension: "time".into(), level: "year".into(), codes: vec![2023, 2024] };
    let provinces = |codes: &[&str]| codes.iter().map(|text| code("province", text)).collect::<Vec<u16>>();
    let classes = vec![provinces(&["PK-PB", "PK-SD"]), provinces(&["PK-KP"])];
    let question = CellQuery {
        dataset: "inspections".into(),
        population: vec![year],
        by: vec![Breakdown::Classes { level: "province".into(), classes }, Breakdown::Level("kind".into())],
        measures: vec![Measure::Units, Measure::Sum("children".into())],
    };
    assert_eq!(
        question.to_text(dataset),
        "inspections {year: 2023 2024} by {province: PK-PB PK-SD | PK-KP; kind} count {units; sum of children}"
    );
}

#[test]
fn the_id_of_a_question_is_the_hash_of_bytes_that_do_not_change() {
    // The bytes are written by hand after the words beside `CellQuery::id`; the hashes were worked out elsewhere.
    let inspections = Policy::default().datasets.get("inspections").unwrap().clone();
    let classes = Breakdown::Classes { level: "province".into(), classes: vec![vec![2], vec![1, 0]] };
    let measures = [Measure::Sum("children".into()), Measure::Agencies, Measure::Cases, Measure::Rows, Measure::Units];
    let of_everything = CellQuery {
        dataset: "inspections".into(),
        population: Vec::new(),
        by: vec![classes, level("kind")],
        measures: measures.into(),
    };
    let golden: [(CellQuery, &[u8], &str); 3] = [
        (
            canonical(&[], &[]),
            b"\x07victims\x00\x00\x01\x00",
            "82b8fe07427b44e782c869f482cdbdb13d3947706addd82ca82c71061f8d76ea",
        ),
        (
            canonical(&[("year", &["2024", "2023"]), ("sex", &["F"])], &["province"]),
            b"\x07victims\x02\x03sex\x03sex\x01\x00\x04time\x04year\x02\xe7\x0f\xe8\x0f\x01\x00\x08province\x01\x00",
            "acce733d825bac4898280647bd855fdd25b709089538d7b30117342dae4a66c9",
        ),
        (
            of_everything.canonical(&inspections, YEARS),
            b"\x0binspections\x00\x02\x00\x04kind\x01\x08province\x02\x02\x00\x01\x01\x02\
              \x05\x00\x01\x02\x03\x04\x08children",
            "d845f858a21e994971a4c03253d1e7edceb72f674f01ba2ac804b05228145f2e",
        ),
    ];
    for (question, bytes, id) in golden {
        assert_eq!(question.id(), id, "{question:?}");
        assert_eq!(blake3::hash(&[PREFIX, bytes].concat()).to_hex().as_str(), id);
    }
}
