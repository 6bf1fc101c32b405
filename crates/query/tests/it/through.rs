//! Questions through the guard to the real vault and back, over a small made-up country.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use disclosure::{CellQuery, Column, Microdata, Prepared, Quoted, Room, Span, Vault, VaultError};
use policy::{Asker, Dataset, Datasets, Keys, Master, Policy, TimeLevel};
use query::{Begun, Code, EditionSource, Oracle, Outcome, Reader, Refusal, ReleasedCells, Settings};
use serde_json::{Value, json};

use crate::vault::{YEARS, lists};
use crate::{ask, corpus, world, written};

/// Units of each dataset; of acts there are two rows to each third unit.
const UNITS: u64 = 3_000;

/// An oracle over a vault without a memory: each question finds it as new.
struct Fresh {
    policy: Arc<Policy>,
    keys: Keys,
    rows: BTreeMap<String, Prepared>,
}

impl Fresh {
    fn new() -> Self {
        let policy = Arc::new(Policy::default());
        let keys = Keys::derive(&Master::from_bytes([7; 32]));
        let vault = Vault::forgetful(Arc::clone(&policy), &keys);
        let rows = policy
            .datasets
            .iter()
            .map(|dataset| (dataset.name.clone(), vault.prepare(microdata(&policy, dataset)).expect("rows")));
        let rows = rows.collect();
        Self { policy, keys, rows }
    }

    fn vault(&self) -> Vault {
        let vault = Vault::forgetful(Arc::clone(&self.policy), &self.keys);
        vault.enter(Room::new(Span::whole(1, YEARS), self.rows.clone()));
        vault
    }
}

impl Oracle for Fresh {
    fn years(&self) -> RangeInclusive<u16> {
        YEARS
    }

    fn datasets(&self) -> &Datasets {
        &self.policy.datasets
    }

    fn begin(&self, _: &str, _: &Asker) -> Result<Begun, Refusal> {
        Ok(Begun(1))
    }

    fn end(&self, _: Begun, _: &Outcome) -> Result<(), Refusal> {
        Ok(())
    }

    fn quote(&self, questions: &[CellQuery], asker: &Asker) -> Result<Quoted, Refusal> {
        self.vault().quote(questions, asker.share).map_err(|_| Refusal::ours())
    }

    fn ask(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        let answers = self.vault().ask(questions, asker.share).map_err(|error| match error {
            VaultError::Spent(spent) => Refusal::spent(&spent),
            other => Refusal::new(Code::ProtectedInternal, other.to_string()),
        })?;
        let cells = |answer: disclosure::Answered| ReleasedCells {
            cells: answer
                .cells
                .into_iter()
                .map(|cell| (cell.at.into_iter().map(Some).collect(), cell.figures))
                .collect(),
            as_of: Some(answer.as_of),
        };
        Ok(answers.into_iter().map(cells).collect())
    }
}

/// The code of a unit at the finest level of a dimension: spread over the list, the first codes the most.
fn code(row: u64, dimension: usize, codes: u64) -> u16 {
    let mixed = (row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(dimension as u32 * 7 + 11);
    let draw = mixed >> 40;
    ((draw % codes).min(draw / codes % codes)) as u16
}

fn microdata(policy: &Policy, dataset: &Dataset) -> Microdata {
    let acts = ["services", "returns", "charges", "judgments"].contains(&dataset.name.as_str());
    let sid: Vec<u64> = (0..UNITS).flat_map(|unit| vec![unit + 1; if acts && unit % 3 == 0 { 2 } else { 1 }]).collect();
    let rows = 0..sid.len() as u64;
    let mut dims = BTreeMap::new();
    for (number, column) in dataset.columns.keys().enumerate() {
        let codes = dataset.codes(column, YEARS).expect("codes").len() as u64;
        let base: Vec<u16> = rows.clone().map(|row| code(row, number, codes)).collect();
        for level in dataset.levels(column) {
            let at = base.iter().map(|&code| dataset.roll_up(column, level, code).expect("a code"));
            let column = if dataset.is_many(level) {
                Column::Many { offsets: (0..=sid.len() as u32).collect(), codes: at.collect() }
            } else {
                Column::One(at.collect())
            };
            dims.insert(level.to_owned(), column);
        }
    }
    let months = TimeLevel::Month.codes(YEARS);
    let month = |row: u64| months[usize::from(code(row, 40, months.len() as u64 - 1))];
    for level in TimeLevel::ALL {
        let at = rows.clone().map(|row| TimeLevel::Month.roll_up(level, month(row)).expect("a period"));
        dims.insert(level.name().to_owned(), Column::One(at.collect()));
    }
    let mut measures = BTreeMap::new();
    for (number, measure) in dataset.measures.values().enumerate() {
        let value = |row: u64| (!row.is_multiple_of(5)).then(|| i64::from(code(row, 50 + number, 4)) * measure.max / 8);
        let values: Vec<Option<i64>> = rows.clone().map(value).collect();
        dims.insert(measure.band.clone(), Column::One(values.iter().map(|value| measure.band_of(*value)).collect()));
        measures.insert(measure.name.clone(), values);
    }
    let agency = policy.agencies.get("POL-PB").expect("an agency").index;
    Microdata {
        dataset: dataset.name.clone(),
        case_sid: sid.clone(),
        agency: vec![agency; sid.len()],
        served_by: None,
        sid,
        dims,
        measures,
    }
}

pub async fn reader() -> Reader {
    let memory = Arc::new(world::Memory { visible: 2.into() });
    let source: Arc<dyn EditionSource> = memory;
    let catalogue = query::Catalogue { code_lists: lists(), ..world::catalogue() };
    Reader::open_with_vault(source, catalogue, Settings::default(), Arc::new(Fresh::new())).await.expect("a reader")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_answers_what_the_guard_asks() {
    let reader = reader().await;
    let mut wrong = Vec::new();
    for case in corpus::read(corpus::PROTECTED).iter().filter(|case| case.expect == ["ok"]) {
        if let Err(refusal) = ask(&reader, &case.sql, case.params.clone()).await {
            wrong.push(format!("line {}: {} {refusal}\n{}", case.line, refusal.code.name(), case.sql));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn released_numbers_are_near_the_truth_on_the_whole_road() {
    let reader = reader().await;
    let policy = Policy::default();
    let victims = policy.datasets.get("victims").expect("victims");
    let truth = microdata(&policy, victims);
    let count = |level: &str, code: &str| {
        let code = victims.code_of(level, code, YEARS).expect("a code");
        let Column::One(codes) = &truth.dims[level] else { unreachable!() };
        codes.iter().filter(|other| **other == code).count() as i64
    };
    let answer =
        ask(&reader, "select province, count(*) n from victims group by 1", Vec::new()).await.expect("an answer");
    let mut shown = 0;
    for row in written(&answer) {
        let (province, n) = row.split_once(" | ").expect("two columns");
        let Ok(n) = n.parse::<i64>() else { continue };
        shown += 1;
        // Noise of at most 61 and the guard's bias of at most 30 (privacy.md 6.5, 6.14).
        assert!((n - count("province", province)).abs() <= 91, "{row}");
    }
    assert!(shown >= 3, "{:?}", written(&answer));
    let sql = "select case when sex = 'F' then 'f' else 'other' end s, count(*), count(*) filter (where sex = 'F') \
               from victims where province = 'PK-PB' group by 1 order by 1";
    let rows = written(&ask(&reader, sql, Vec::new()).await.expect("an answer"));
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.split(" | ").collect()).collect();
    assert_eq!(cells[0][1], cells[0][2], "the same persons have the same number: {rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contradiction_is_answered_like_a_group_too_small_to_see() {
    let reader = reader().await;
    for sql in [
        "select count(*) filter (where quarter = '2022-Q3') from contacts where year = 2023 group by quarter",
        "select sum(case when citizenship_subregion = '202' then 1 end) from charges where citizenship = 'AE' group by cube (citizenship_region)",
    ] {
        let answer = ask(&reader, sql, Vec::new()).await.expect("an answer");
        let rows = written(&answer);
        let seen = |row: &String| row.rsplit(" | ").next().is_some_and(|figure| figure != "NULL");
        assert!(!rows.iter().any(seen), "{sql}: {rows:?}");
    }
}

/// What EXPLAIN says of a question.
async fn explained(reader: &Reader, sql: &str) -> Value {
    let answer = ask(reader, &format!("explain {sql}"), Vec::new()).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    serde_json::from_str(&written(&answer).join("")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_states_floor_and_noise_of_the_most_protected_codes_asked_about() {
    let reader = reader().await;
    for (sql, profile, floor, variance, half_width) in [
        ("select province, count(*) from victims where year = 2024 group by 1", "std", 11, 4, 4.0),
        ("select age_band, count(*) from victims where year = 2024 group by 1", "high", 21, 16, 8.0),
        ("select age_group, count(*) from victims where year = 2024 group by 1", "std", 11, 4, 4.0),
        (
            "select age_band, count(*) from victims where year = 2024 and age_group = 'adult' group by 1",
            "std",
            11,
            4,
            4.0,
        ),
        ("select sex, count(*) from victims where year = 2024 group by 1", "high", 21, 16, 8.0),
        ("select exploitation, count(*) from victims where year = 2024 group by 1", "sens", 20, 9, 6.0),
    ] {
        let said = explained(&reader, sql).await;
        let measure = &said["questions"][0]["measures"][0];
        let told = ["profile", "floor", "variance", "half_width_95"].map(|name| measure[name].clone());
        assert_eq!(told, [json!(profile), json!(floor), json!(variance), json!(half_width)], "{sql}: {said}");
        assert_eq!(said["refused"], Value::Null, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_names_the_list_that_each_dimension_is_closed_over() {
    let reader = reader().await;
    let sql = "select year, case when sex = 'F' then 'f' else 'other' end s, place_recruited_province, count(*) \
               from victims where year in (2023, 2024) group by 1, 2, 3";
    let said = explained(&reader, sql).await;
    let by = said["questions"][0]["by"].as_array().expect("dimensions").clone();
    let told: Vec<[Value; 4]> =
        by.iter().map(|by| ["level", "code_list", "codes", "groups"].map(|name| by[name].clone())).collect();
    let expected = [
        [json!("place_recruited_province"), json!("province"), json!(8), json!(8)],
        [json!("year"), json!("year"), json!(5), json!(2)],
        [json!("sex"), json!("sex"), json!(4), json!(2)],
    ];
    assert_eq!(told, expected, "{said}");
    assert_eq!(by[2]["classes"], json!([["F"], ["M", "T", "_X"]]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_says_that_a_statement_is_refused_exactly_where_asking_it_is() {
    let reader = reader().await;
    let part = |codes: &str| format!("(select count(*) from victims where year = 2024 and exploitation in ({codes}))");
    let parts = [
        "'sexual', 'domestic_servitude'",
        "'sexual', 'forced_begging'",
        "'domestic_servitude', 'forced_begging'",
        "'sexual', 'organ_removal'",
        "'forced_begging', 'organ_removal'",
    ];
    for upto in 1..=parts.len() {
        let sums: Vec<String> = parts[..upto].iter().map(|codes| part(codes)).collect();
        let sql = format!("select {}", sums.join(" + "));
        let said = explained(&reader, &sql).await;
        match ask(&reader, &sql, Vec::new()).await {
            Ok(_) => assert_eq!(said["refused"], Value::Null, "{sql}"),
            Err(refusal) => {
                let told = json!({"code": "PRIV-1020", "detail": refusal.detail, "hint": refusal.hint});
                assert_eq!(said["refused"], told, "{sql}");
            }
        }
        assert_eq!(said["refused"].is_null(), upto < parts.len(), "{sql}: {said}");
    }
}
