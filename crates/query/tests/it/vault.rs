//! An oracle for tests: it answers by rule, without a vault.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use disclosure::{Breakdown, CellQuery, Column, Condition, Figure, Measure, Microdata, Room, Span, Vault};
use policy::{Asker, Datasets, Keys, Master, Policy, Share};
use query::{Begun, CodeEntry, CodeListMeta, EditionSource, Oracle, Outcome, Reader, Refusal, ReleasedCells, Settings};

use crate::world;

/// The years that the tests' questions may name.
pub const YEARS: RangeInclusive<u16> = 2020..=2024;

/// What an oracle shows of a cell: where it stands on the levels of its question, by name and code.
pub type Rule = fn(&[(String, String)]) -> Option<Figure>;

/// Answers each cell by a rule, and remembers what it was asked, and by whom.
pub struct ByRule {
    pub policy: Policy,
    pub rule: Rule,
    pub asked: Mutex<Vec<(Vec<CellQuery>, String)>>,
    pub ended: Mutex<Vec<Outcome>>,
    pub slot: Option<Duration>,
    /// The slots at whose ends answers left.
    pub left: Mutex<Vec<Duration>>,
}

impl ByRule {
    pub fn new(rule: Rule) -> Arc<Self> {
        Self::slotted(rule, None)
    }

    /// The same; its answers leave in slots.
    pub fn slotted(rule: Rule, slot: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            policy: Policy::default(),
            rule,
            asked: Mutex::default(),
            ended: Mutex::default(),
            slot,
            left: Mutex::default(),
        })
    }

    fn answer(&self, question: &CellQuery) -> ReleasedCells {
        let dataset = self.policy.datasets.get(&question.dataset).expect("a dataset");
        let mut cells: Vec<Vec<u16>> = vec![Vec::new()];
        for groups in question.groups(dataset, YEARS) {
            cells = cells.iter().flat_map(|cell| groups.iter().map(|&group| [&cell[..], &[group]].concat())).collect();
        }
        let named = |cell: &[u16]| {
            let name = |(by, &code): (&Breakdown, &u16)| match by {
                Breakdown::Level(level) => (level.clone(), dataset.code_text(level, code).expect("a code")),
                Breakdown::Classes { level, .. } => (level.clone(), format!("class {code}")),
            };
            question.by.iter().zip(cell).map(name).collect::<Vec<_>>()
        };
        let mut answer = ReleasedCells { as_of: Some("2024-12-31".to_owned()), ..ReleasedCells::default() };
        for cell in cells {
            let figure = (self.rule)(&named(&cell));
            // Without measures, a cell says by being there that its group is shown.
            if question.measures.is_empty() && figure.is_none() {
                continue;
            }
            let figures = question.measures.iter().map(|_| figure.unwrap_or(Figure::not_collected())).collect();
            answer.cells.push((cell.into_iter().map(Some).collect(), figures));
        }
        answer
    }
}

impl Oracle for ByRule {
    fn years(&self) -> RangeInclusive<u16> {
        YEARS
    }

    fn datasets(&self) -> &Datasets {
        &self.policy.datasets
    }

    fn begin(&self, _: &str, _: &Asker) -> Result<Begun, Refusal> {
        Ok(Begun(1))
    }

    fn ask(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        self.asked.lock().expect("not poisoned").push((questions.to_vec(), asker.key_id.clone()));
        Ok(questions.iter().map(|question| self.answer(question)).collect())
    }

    fn slot(&self) -> Option<Duration> {
        self.slot
    }

    fn leaves(&self, slot: Duration) {
        self.left.lock().expect("not poisoned").push(slot);
    }

    fn end(&self, _: Begun, outcome: &Outcome) -> Result<(), Refusal> {
        self.ended.lock().expect("not poisoned").push(outcome.clone());
        Ok(())
    }
}

/// Whoever asks in these tests.
pub fn analyst() -> Asker {
    Asker::analyst("analyst", Share::Ministry)
}

/// A released number near `persons`: from the real vault, with fixed keys and no memory.
pub fn figure(persons: u64) -> Figure {
    let policy = Arc::new(Policy::default());
    let keys = Keys::derive(&Master::from_bytes([9; 32]));
    let rows = persons as usize;
    let data = Microdata {
        dataset: "victims".to_owned(),
        sid: (1..=persons).collect(),
        case_sid: (1..=persons).collect(),
        agency: vec![policy.agencies.get("POL-PB").expect("an agency").index; rows],
        served_by: None,
        measures: BTreeMap::new(),
        dims: BTreeMap::from([("year".to_owned(), Column::One(vec![2024; rows]))]),
    };
    let vault = Vault::forgetful(policy, &keys);
    let rows = vault.prepare(data).expect("rows");
    let datasets = BTreeMap::from([("victims".to_owned(), rows)]);
    vault.enter(Room::new(Span::whole(1, YEARS), datasets));
    let year = Condition { dimension: "time".to_owned(), level: "year".to_owned(), codes: vec![2024] };
    let question = CellQuery {
        dataset: "victims".to_owned(),
        population: vec![year],
        by: Vec::new(),
        measures: vec![Measure::Units],
    };
    let answer = vault.ask(&[question], policy::Share::Ministry).expect("an answer");
    answer[0].cells[0].figures[0]
}

/// The whole number of a figure.
pub fn number(figure: &Figure) -> i64 {
    figure.value().and_then(disclosure::Amount::as_integer).expect("a number")
}

/// A reader over both editions with the real code lists and an oracle.
pub async fn reader(oracle: Arc<ByRule>) -> Reader {
    reader_over(oracle, 2).await
}

/// The same over the first `visible` editions.
pub async fn reader_over(oracle: Arc<ByRule>, visible: u32) -> Reader {
    let memory = Arc::new(world::Memory { visible: visible.into() });
    let source: Arc<dyn EditionSource> = memory;
    let catalogue = query::Catalogue { code_lists: lists(), ..world::catalogue() };
    Reader::open_with_vault(source, catalogue, Settings::default(), oracle).await.expect("a reader")
}

/// The code lists of the product.
pub fn lists() -> Vec<CodeListMeta> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/code-lists");
    let mut lists = Vec::new();
    for file in std::fs::read_dir(folder).expect("the lists") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a list");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let code = |value: &serde_json::Value| {
            let own = ["code", "en", "ur", "parent"];
            let fields = value.as_object().expect("an object").iter();
            CodeEntry {
                code: text(&value["code"]),
                en: text(&value["en"]),
                ur: text(&value["ur"]),
                parent: value["parent"].as_str().map(str::to_owned),
                attributes: fields
                    .filter(|(name, _)| !own.contains(&name.as_str()))
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
            }
        };
        lists.push(CodeListMeta {
            name: text(&json["list"]),
            version: text(&json["version"]),
            source: text(&json["source"]),
            provisional: false,
            codes: json["codes"].as_array().expect("codes").iter().map(code).collect(),
        });
    }
    lists
}

/// A question in one line: dataset | population | breakdown | measures.
pub fn line(question: &CellQuery) -> String {
    let policy = Policy::default();
    let dataset = policy.datasets.get(&question.dataset).expect("a dataset");
    let codes = |level: &str, codes: &[u16]| {
        let text = |&code: &u16| dataset.code_text(level, code).expect("a code");
        codes.iter().map(text).collect::<Vec<_>>().join(", ")
    };
    let population: Vec<String> =
        question.population.iter().map(|c| format!("{}: {}", c.level, codes(&c.level, &c.codes))).collect();
    let by = |by: &Breakdown| match by {
        Breakdown::Level(level) => level.clone(),
        Breakdown::Classes { level, classes } => {
            let classes: Vec<_> = classes.iter().map(|class| codes(level, class)).collect();
            format!("{level} {{{}}}", classes.join("; "))
        }
    };
    let by: Vec<String> = question.by.iter().map(by).collect();
    let measures: Vec<String> = question.measures.iter().map(|measure| format!("{measure:?}")).collect();
    format!("{} | {} | {} | {}", question.dataset, population.join(" and "), by.join(", "), measures.join(", "))
        .replace("  ", " ")
        .trim_end()
        .to_owned()
}
