use std::collections::BTreeMap;

use events::code_list::list;
use policy::{
    AgencyRule, Count, DEFAULT_AGENCIES, DEFAULT_DATASETS, Policy, PolicyError, Profile, Resolved, TimeLevel, Unit,
    Zeros,
};

/// The default file, changed. A change that changes nothing would prove nothing, so it fails here.
fn with(change: impl Fn(String) -> String) -> Result<Policy, PolicyError> {
    let changed = change(DEFAULT_DATASETS.to_owned());
    assert_ne!(changed, DEFAULT_DATASETS, "the change no longer finds what it replaces");
    Policy::parse(DEFAULT_AGENCIES, &changed)
}

/// The default file with another declared grid in `cases`.
fn with_grid(grid: &str) -> Result<Policy, PolicyError> {
    with(|text| {
        let old = r#"by = ["quarter", "province", "agency_group"], where = { section = { act = "PTPA" } }"#;
        assert!(text.contains(old));
        text.replace(old, grid)
    })
}

fn refused(result: Result<Policy, PolicyError>, part: &str) {
    let message = result.unwrap_err().to_string();
    assert!(message.contains(part), "{message}");
}

#[test]
fn the_datasets_of_the_design_are_declared() {
    let policy = Policy::default();
    let names: Vec<_> = policy.datasets.iter().map(|d| d.name.as_str()).collect();
    let expected = [
        "accused",
        "activities",
        "cases",
        "charges",
        "compensations",
        "contacts",
        "inspections",
        "judgments",
        "overlaps",
        "releases",
        "returns",
        "services",
        "stays",
        "victims",
    ];
    assert_eq!(names, expected);
    for name in ["victims", "services", "returns", "stays", "compensations", "overlaps"] {
        let dataset = policy.datasets.get(name).unwrap();
        assert_eq!((dataset.unit, dataset.universe.as_str()), (Unit::Person, "victims"));
        assert_eq!((dataset.zeros, dataset.agency_rule), (Zeros::Never, AgencyRule::Private));
        assert!(dataset.declared_exact.is_empty());
    }
}

#[test]
fn declared_grids_name_what_exists() {
    let change = |from: &'static str, to: &'static str| with(move |text| text.replacen(from, to, 1));
    let grid = r#"dataset = "victims", by = ["year", "sector"]"#;
    refused(change(grid, r#"dataset = "victim", by = ["year", "sector"]"#), "victim");
    refused(change(grid, r#"dataset = "victims", by = ["year", "trade"]"#), "trade");
    refused(change(r#"sum = "released""#, r#"sum = "freed""#), "freed");
    refused(change(grid, r#"dataset = "victims", exact = true, by = ["year", "sector"]"#), "exact");
    assert!(change(grid, r#"dataset = "victims", by = ["quarter", "sector"]"#).is_ok());
}

#[test]
fn a_population_of_a_declared_grid_is_known_as_one_unless_it_speaks_of_a_secret() {
    let policy = Policy::default();
    let judgments = policy.datasets.get("judgments").unwrap();
    let convicted = &judgments.declared_exact[0].population;
    assert_eq!(&judgments.populations[0], convicted, "the narrowest first");
    assert_eq!(judgments.populations.len(), 2, "the convicted, and all judged under the PTPA");
    let victims = policy.datasets.get("victims").unwrap();
    assert!(victims.populations.is_empty(), "one code is a slice of its level");
    let secret = with(|text| {
        let old = r#"by = ["year", "sector"], where = { status = ["actual"] }"#;
        text.replace(old, r#"by = ["year", "sector"], where = { status = ["actual"], exploitation = ["sexual"] }"#)
    });
    assert!(secret.unwrap().datasets.get("victims").unwrap().populations.is_empty());
}

#[test]
fn floors_and_tiers_follow_the_profile() {
    let policy = Policy::default();
    let victims = policy.datasets.get("victims").unwrap();
    assert_eq!(victims.floor(Profile::Std), 11);
    assert_eq!(victims.floor(Profile::Sens), 20);
    assert_eq!(victims.floor(Profile::High), 21);
}

#[test]
fn a_name_is_a_column_one_of_its_levels_or_a_level_of_time() {
    let policy = Policy::default();
    let victims = policy.datasets.get("victims").unwrap();
    assert_eq!(victims.resolve("quarter"), Some(Resolved::Time(TimeLevel::Quarter)));
    let province = victims.resolve("province").unwrap();
    assert_eq!(province.list(), Some("province"));
    assert!(matches!(province, Resolved::Column(column, Some(0)) if column.name == "place_identified"));
    assert!(province.is_no_finer_than(victims.resolve("place_identified").unwrap()));
    assert!(!victims.resolve("place_identified").unwrap().is_no_finer_than(province));
    assert_eq!(victims.resolve("name"), None);
}

#[test]
fn a_declared_grid_wider_than_one_attribute_of_the_act_is_refused() {
    refused(with_grid(r#"by = ["quarter", "province", "agency_group", "scope"]"#), "one attribute of the act");
    refused(with_grid(r#"by = ["quarter", "year", "province"]"#), "one attribute of the act");
}

#[test]
fn a_declared_grid_of_months_is_refused() {
    refused(with_grid(r#"by = ["month"]"#), "not months");
}

#[test]
fn a_declared_grid_below_the_province_is_refused() {
    let result =
        with(|text| text.replace(r#"by = ["quarter", "province"], where"#, r#"by = ["quarter", "place"], where"#));
    refused(result, "not below");
}

#[test]
fn an_attribute_of_a_person_in_a_declared_grid_is_refused() {
    let result = with(|text| text.replace(r#"by = ["year", "section"]"#, r#"by = ["year", "sex"]"#));
    refused(result, "attribute of a person");
    let result = with(|text| text.replace(r#"overturned = ["no"],"#, r#"overturned = ["no"], sex = ["F"],"#));
    refused(result, "population of a declared grid");
}

#[test]
fn victims_are_never_exact_and_their_zeros_never_shown() {
    let grid = r#"declared_exact = [{ count = ["unit"], by = ["year"] }]"#;
    refused(with(|text| text.replacen("declared_exact = []", grid, 1)), "only acts of the state");
    refused(with(|text| text.replacen(r#"zeros = "never""#, r#"zeros = "shown""#, 1)), "zeros are shown");
}

#[test]
fn the_floor_may_be_raised_and_not_lowered() {
    assert_eq!(with(|text| text.replacen("k = 11", "k = 30", 1)).unwrap().datasets.get("victims").unwrap().k, 30);
    refused(with(|text| text.replacen("k = 11", "k = 10", 1)), "not lowered below 11");
}

#[test]
fn the_rules_on_cases_and_caseloads_may_be_tightened_and_not_loosened() {
    let changed = |from: &str, to: &str| with(|text| text.replacen(from, to, 1));
    assert!(changed("min_cases = 3", "min_cases = 5\ntop_case_percent = 60\np_percent = 20").is_ok());
    refused(changed("min_cases = 3", "min_cases = 2"), "below 3");
    refused(changed("min_cases = 3", "min_cases = 3\ntop_case_percent = 81"), "above 80");
    refused(changed("min_cases = 3", "min_cases = 3\np_percent = 9"), "below 10");
}

#[test]
fn an_attribute_of_a_person_cannot_be_called_one_of_an_act() {
    for name in ["sex", "age_band", "citizenship", "role", "official"] {
        let renamed = with(|text| {
            let at = text.find("[accused.columns]").unwrap();
            let (before, after) = text.split_at(at);
            let old = format!("\n{name} = {{ ");
            assert!(after.contains(&old), "{name}");
            format!("{before}{}", after.replacen(&old, &format!("{old}of = \"act\", "), 1))
        });
        refused(renamed, "no attribute of an act");
    }
    // Nor one that the unit's own default would have made one of the act.
    let sex_of_a_case = with(|text| {
        text.replace("[cases.columns]\n", "[cases.columns]\nsex = { profile = \"std\", raise = { T = \"high\" } }\n")
            .replace(r#"by = ["quarter", "province", "agency_group"]"#, r#"by = ["quarter", "province", "sex"]"#)
    });
    refused(sex_of_a_case, "attribute of a person");
    let disguised = with(|text| text.replacen("verdict = {", "verdict = { list = \"sex\",", 1));
    refused(disguised, "no attribute of an act");
}

#[test]
fn only_the_datasets_named_in_the_design_are_ever_exact() {
    let moved = with(|text| {
        text.replacen(r#"universe = "victims""#, r#"universe = "accused""#, 1).replacen(
            r#"zeros = "never""#,
            r#"zeros = "shown""#,
            1,
        )
    });
    refused(moved, "zeros are shown");
    let renamed = with(|text| text.replace("[judgments", "[sentences"));
    refused(renamed, "zeros are shown");
}

#[test]
fn what_is_sensitive_stays_so() {
    for name in ["exploitation", "means", "recruiter_relation"] {
        let lowered = with(|text| {
            text.replacen(&format!("\n{name} = {{ profile = \"sens\""), &format!("\n{name} = {{ profile = \"std\""), 1)
        });
        refused(lowered, "may not be below sens");
    }
    refused(
        with(|text| text.replacen("raise = { T = \"high\" }", "raise = { T = \"sens\" }", 1)),
        "`T` may not be below",
    );
    refused(with(|text| text.replace(", raise = { official = \"high\" }", "")), "`official` may not be below high");
}

#[test]
fn a_state_actor_as_perpetrator_is_high_wherever_a_code_says_so() {
    let policy = Policy::default();
    let mut found = Vec::new();
    for dataset in policy.datasets.iter() {
        for column in dataset.columns.values() {
            let code = if column.name == "official" { "yes" } else { "official" };
            if let Some(number) = list(&column.list).code(code) {
                assert_eq!(column.profile_of(None, number), Profile::High, "{}.{}", dataset.name, column.name);
                found.push(format!("{}.{}", dataset.name, column.name));
            }
        }
    }
    assert_eq!(
        found,
        ["accused.official", "accused.role", "charges.official", "judgments.official", "victims.recruiter_relation"]
    );
    let role = &policy.datasets.get("accused").unwrap().columns["role"];
    assert_eq!(role.profile_of(None, list("role").code("recruiter").unwrap()), Profile::Std);
}

#[test]
fn only_a_policy_that_names_its_territory_has_inhabitants() {
    assert_eq!(Policy::default().datasets.population(), Some("PK"));
    assert_eq!(Policy::ctdc().datasets.population(), None, "the records of CTDC are of the whole world");
    refused(with(|text| text.replace("population = \"PK\"", "population = 586")), "a string is needed");
}

#[test]
fn an_unknown_field_is_refused() {
    assert!(matches!(
        with(|text| text.replacen("min_cases = 3", "min_case = 3", 1)),
        Err(PolicyError::Syntax { file: "datasets.toml", .. })
    ));
}

#[test]
fn a_store_of_public_records_has_the_agency_rule_off_and_the_floors_on() {
    let policy = Policy::ctdc();
    let victims = policy.datasets.get("victims").unwrap();
    assert_eq!(victims.agency_rule, AgencyRule::Off);
    assert_eq!((victims.k, victims.min_cases), (11, 3));
    assert!(policy.agencies.get("HLP-CTDC").is_some());
}

#[test]
fn a_code_may_ask_for_more_than_its_column() {
    let policy = Policy::default();
    let victims = policy.datasets.get("victims").unwrap();
    let sex = &victims.columns["sex"];
    assert_eq!(sex.profile_of(None, list("sex").code("F").unwrap()), Profile::Std);
    assert_eq!(sex.profile_of(None, list("sex").code("T").unwrap()), Profile::High);
    let age = &victims.columns["age_band"];
    assert_eq!(age.profile_of(None, list("age_band").code("09-17").unwrap()), Profile::High);
    assert_eq!(age.profile_of(Some(0), list("age_group").code("child").unwrap()), Profile::Std);
}

#[test]
fn an_unknown_code_is_refused() {
    refused(with(|text| text.replacen("{ T = ", "{ Q = ", 1)), "unknown code `Q`");
    refused(with(|text| text.replacen(r#"act = "PTPA""#, r#"act = "PTPB""#, 1)), "unknown act of law");
    refused(
        with(|text| text.replacen(r#"list = "trafficking_status""#, r#"list = "statuses""#, 1)),
        "unknown code list",
    );
}

fn ptpa() -> Vec<u16> {
    let sections = list("section");
    (0..sections.codes.len() as u16).filter(|&n| sections.text(n).starts_with("PTPA")).collect()
}

#[test]
fn a_question_on_a_declared_grid_its_slices_and_coarser_levels_is_exact() {
    let policy = Policy::default();
    let cases = policy.datasets.get("cases").unwrap();
    let population = BTreeMap::from([("section".to_owned(), ptpa())]);
    assert!(cases.is_declared(Count::Unit, &["quarter", "province", "agency_group"], &population));
    assert!(cases.is_declared(Count::Unit, &["year", "province"], &population));
    assert!(cases.is_declared(Count::Unit, &[], &population));
    let mut slice = population.clone();
    slice.insert("province".to_owned(), vec![0]);
    assert!(cases.is_declared(Count::Unit, &["quarter"], &slice));
}

#[test]
fn a_question_off_the_declared_grids_is_not_exact() {
    let policy = Policy::default();
    let cases = policy.datasets.get("cases").unwrap();
    let population = BTreeMap::from([("section".to_owned(), ptpa())]);
    assert!(!cases.is_declared(Count::Unit, &["month"], &population));
    assert!(!cases.is_declared(Count::Unit, &["year", "scope"], &population));
    assert!(!cases.is_declared(Count::Unit, &["year"], &BTreeMap::new()), "the grid's own population is part of it");
    assert!(!cases.is_declared(Count::Rows, &["year"], &population));
    let accused = policy.datasets.get("judgments").unwrap();
    assert!(!accused.is_declared(Count::Unit, &["year", "sex"], &BTreeMap::new()));
}

#[test]
fn a_measure_has_public_bounds_and_bins() {
    let policy = Policy::default();
    let months = &policy.datasets.get("judgments").unwrap().measures["imprisonment_months"];
    assert_eq!((months.min, months.max, months.sensitive), (0, 300, false));
    assert_eq!((months.bins.first(), months.bins.last()), (Some(&0), Some(&300)));
    let measures = |name: &str| policy.datasets.get(name).unwrap().measures.keys().cloned().collect::<Vec<_>>();
    assert_eq!(measures("judgments"), ["compensation_pkr", "days_to_judgment", "fine_pkr", "imprisonment_months"]);
    assert_eq!(measures("charges"), ["days_to_charge"]);
    assert_eq!(measures("inspections"), ["children", "released", "workers"]);
    assert_eq!(measures("activities"), ["participants"]);
    assert_eq!(measures("victims"), ["days_to_report"], "of a victim, how soon she was told of, and nothing else");
    assert_eq!(measures("stays"), ["days_of_stay"]);
}

#[test]
fn bins_that_are_no_bins_are_refused() {
    let changed = |to: &str| {
        with(|text| text.replace("children = { min = 0, max = 50, bins = [0, 1, 2, 3, 5, 10, 20, 50] }", to))
    };
    let place = "inspections.measures.children";
    for (to, why) in [
        ("children = { min = 0, max = 0, bins = [0] }", "min must be below max"),
        ("children = { min = 0, max = 2000000000000, bins = [0, 2000000000000] }", "between -10^12 and 10^12"),
        ("children = { min = 0, max = 50, bins = [] }", "the first edge of bins must be min and the last max"),
        ("children = { min = 0, max = 50, bins = [1, 50] }", "the first edge of bins must be min and the last max"),
        ("children = { min = 0, max = 50, bins = [0, 20] }", "the first edge of bins must be min and the last max"),
        ("children = { min = 0, max = 50, bins = [0, 10, 10, 50] }", "must ascend"),
        ("children = { min = 0, max = 50, bins = [0, 20, 10, 50] }", "must ascend"),
    ] {
        refused(changed(to), why);
        refused(changed(to), place);
    }
    let edges: Vec<String> = (0..=101).map(|edge| edge.to_string()).collect();
    refused(changed(&format!("children = {{ min = 0, max = 101, bins = [{}] }}", edges.join(", "))), "101 edges");
    refused(changed("children = { min = 0, max = 50, bins = [0, 50], unit = \"persons\" }"), "unknown field");
}

#[test]
fn a_measure_and_its_bands_have_names_of_their_own() {
    let with_measure = |name: &str| {
        with(|text| {
            text.replace(
                "released = { min",
                &format!("{name} = {{ min = 0, max = 1, bins = [0, 1] }}\nreleased = {{ min"),
            )
        })
    };
    assert!(with_measure("fires").is_ok());
    for name in ["sector", "isic", "year"] {
        refused(with_measure(name), &format!("`{name}` is declared twice"));
    }
    refused(with_measure("workers_band"), "`workers_band` is declared twice");
    let column = with(|text| {
        text.replace(
            "[inspections.columns]\n",
            "[inspections.columns]\nworkers_band = { profile = \"std\", list = \"yes_no\" }\n",
        )
    });
    refused(column, "`workers_band` is declared twice");
}

#[test]
fn a_band_is_a_dimension_of_one_level_whose_codes_are_the_bins_and_unknown() {
    let policy = Policy::default();
    let judgments = policy.datasets.get("judgments").unwrap();
    let band = "imprisonment_months_band";
    assert!(matches!(judgments.resolve(band), Some(Resolved::Band(m)) if m.name == "imprisonment_months"));
    assert_eq!(judgments.resolve("imprisonment_months"), None, "the number itself is no dimension");
    assert_eq!(judgments.resolve(band).unwrap().list(), None);
    assert_eq!(judgments.dimension_of(band), Some(band));
    assert_eq!(judgments.levels(band), [band]);
    assert!(judgments.all_levels().any(|level| level == band));
    assert!(!judgments.is_many(band));
    let codes = judgments.codes(band, 2024..=2024).unwrap();
    let texts: Vec<String> = codes.iter().map(|code| judgments.code_text(band, *code).unwrap()).collect();
    let expected =
        ["0", "1-5", "6-11", "12-23", "24-35", "36-59", "60-83", "84-119", "120-167", "168-239", "240+", "_X"];
    assert_eq!(texts, expected);
    for (code, text) in codes.iter().zip(expected) {
        assert_eq!(judgments.code_of(band, text, 2024..=2024), Some(*code));
        assert_eq!(judgments.roll_up(band, band, *code), Some(*code));
    }
    assert_eq!(judgments.unknown(band), codes.last().copied());
    assert_eq!(judgments.code_text(band, 12), None);
    assert_eq!(judgments.code_of(band, "6", 2024..=2024), None);
    assert_eq!(judgments.roll_up(band, band, 12), None);
    assert_eq!(judgments.roll_up(band, "fine_pkr_band", 1), None);
}

#[test]
fn a_value_is_in_the_bin_that_holds_it_and_beyond_the_bounds_in_the_outermost() {
    let policy = Policy::default();
    let months = &policy.datasets.get("judgments").unwrap().measures["imprisonment_months"];
    let band = |value| months.band_text(months.band_of(value)).unwrap();
    for (value, text) in [
        (-1, "0"),
        (0, "0"),
        (1, "1-5"),
        (5, "1-5"),
        (6, "6-11"),
        (239, "168-239"),
        (240, "240+"),
        (300, "240+"),
        (9999, "240+"),
    ] {
        assert_eq!(band(Some(value)), text, "{value}");
    }
    assert_eq!(band(None), "_X", "what was never said is no zero");
}

#[test]
fn bands_of_an_act_may_stand_in_a_declared_grid_as_its_one_attribute() {
    let grid = |by: &str| {
        with(|text| {
            let unit = r#"count = ["unit"], by = "#;
            text.replace(&format!(r#"{unit}["quarter", "province"], where"#), &format!("{unit}[{by}], where"))
        })
    };
    assert!(grid(r#""quarter", "province", "children_band""#).is_ok());
    refused(grid(r#""quarter", "children_band", "sector""#), "one attribute of the act");
    refused(grid(r#""quarter", "children""#), "unknown dimension `children`");
    let unheard_of = with(|text| {
        text.replace("released = { min", "fires = { min = 0, max = 1, bins = [0, 1] }\nreleased = { min")
            .replace(r#"by = ["quarter", "province"], where"#, r#"by = ["quarter", "fires_band"], where"#)
    });
    refused(unheard_of, "not known to tell of an act");
}
