//! Synthetic persons with known truth, straight as mart rows (privacy.md 7.1): twelve dimensions with realistic skew,
//! cases of 1 to 40 persons, 25 agencies with Pareto caseloads, secrets that are independent of everything else, so that
//! every advantage over a guess is disclosure.
//!
//! Absent: ingestion, names, correlated secrets; anybody who exists.

use std::collections::{BTreeMap, HashMap};

use disclosure::{Column, Microdata};
use policy::{Dataset, Policy, TimeLevel};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The years in which persons were identified.
pub const YEARS: std::ops::RangeInclusive<u16> = 2022..=2024;
/// Sids begin here: long numbers that would be seen in any text.
pub const FIRST_SID: u64 = 7_770_000_000_001;

/// What only the referee knows of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    /// The column.
    pub column: &'static str,
    /// The code that the attacker asks about.
    pub code: &'static str,
}

/// Half of the persons have it; ordinary protection.
pub const BALANCED: Secret = Secret { column: "scope", code: "domestic" };
/// Half of the persons have it; sensitive.
pub const SENSITIVE: Secret = Secret { column: "recruiter_relation", code: "family" };
/// One in ten.
pub const RARE: Secret = Secret { column: "referral_source", code: "hospital" };

/// Columns that are secrets; the others are what an attacker may know of everybody (quasi-identifiers).
const SECRET_COLUMNS: [&str; 3] = ["scope", "recruiter_relation", "referral_source"];

/// A population of one dataset: codes at the finest level, one row per person.
#[derive(Clone)]
pub struct People {
    /// The dataset's name.
    pub dataset: String,
    /// A number for a population that is attacked often; 0 for one that is made for one trial.
    pub name: u64,
    /// Surrogates, ascending.
    pub sid: Vec<u64>,
    /// Cases.
    pub case: Vec<u64>,
    /// Agencies.
    pub agency: Vec<u16>,
    /// Single-valued columns at their finest level, `month` among them.
    pub one: BTreeMap<String, Vec<u16>>,
    /// Many-valued columns.
    pub many: BTreeMap<String, Vec<Vec<u16>>>,
    /// Numbers.
    pub measures: BTreeMap<String, Vec<Option<i64>>>,
}

impl People {
    /// Makes `count` victims.
    pub fn victims(policy: &Policy, count: usize, rng: &mut ChaCha8Rng) -> Self {
        let dataset = policy.datasets.get("victims").expect("the policy has victims");
        let maker = Maker { dataset };
        let mut people = Self::empty("victims");
        let (districts, agencies) = (maker.districts(), agencies(policy));
        let mut case = 0;
        while people.sid.len() < count {
            // A raid: one place, one month, one agency. Sizes are Pareto, 1 to 40.
            let size = pareto(rng, 1.2, 40).min(count - people.sid.len());
            case += 1;
            let place = districts[zipf(rng, districts.len())];
            let month = Maker::month(rng);
            let agency = agencies[zipf(rng, agencies.len())];
            for _ in 0..size {
                people.sid.push(FIRST_SID + people.sid.len() as u64);
                people.case.push(case);
                people.agency.push(agency);
                let mut put = |column: &str, code: u16| people.one.entry(column.to_owned()).or_default().push(code);
                put("month", month);
                put("place_identified", place);
                put("place_recruited", districts[zipf(rng, districts.len())]);
                put("place_exploited", districts[zipf(rng, districts.len())]);
                put("sex", maker.pick("sex", &[("F", 620), ("M", 360), ("T", 12), ("_X", 8)], rng));
                put("age_band", maker.pick("age_band", &AGES, rng));
                put("citizenship", maker.pick("citizenship", &[("PK", 880), ("AF", 80), ("BD", 30), ("_X", 10)], rng));
                put("status", maker.pick("status", &[("actual", 640), ("possible", 340), ("_X", 20)], rng));
                put("sector", maker.pick("sector", &SECTORS, rng));
                put("scope", maker.pick("scope", &[("domestic", 500), ("transnational_out", 500)], rng));
                put("recruiter_relation", maker.pick("recruiter_relation", &[("family", 500), ("stranger", 500)], rng));
                let sources = [("police", 890), ("hospital", 100), ("court", 10)];
                put("referral_source", maker.pick("referral_source", &sources, rng));
                let forms = [("sexual", 450), ("forced_labour", 300), ("forced_begging", 150), ("bonded_labour", 100)];
                let mut codes = vec![maker.pick("exploitation", &forms, rng)];
                if rng.random_bool(0.15) {
                    codes.push(maker.pick("exploitation", &forms, rng));
                    codes.sort_unstable();
                    codes.dedup();
                }
                people.many.entry("exploitation".to_owned()).or_default().push(codes);
            }
        }
        people
    }

    /// Makes persons judged, each once, with the months to which they were sentenced.
    pub fn judged(policy: &Policy, count: usize, rng: &mut ChaCha8Rng) -> Self {
        let dataset = policy.datasets.get("judgments").expect("the policy has judgments");
        let maker = Maker { dataset };
        let mut people = Self::empty("judgments");
        let agencies = agencies(policy);
        for number in 0..count {
            people.sid.push(FIRST_SID + number as u64);
            people.case.push(1 + number as u64 / 2);
            people.agency.push(agencies[zipf(rng, agencies.len())]);
            let mut put = |column: &str, code: u16| people.one.entry(column.to_owned()).or_default().push(code);
            put("month", Maker::month(rng));
            put("sex", maker.pick("sex", &[("F", 180), ("M", 805), ("T", 10), ("_X", 5)], rng));
            put("age_band", maker.pick("age_band", &AGES, rng));
            put("citizenship", maker.pick("citizenship", &[("PK", 950), ("AF", 40), ("_X", 10)], rng));
            put("province", maker.pick("province", &PROVINCES, rng));
            put("verdict", maker.pick("verdict", &[("convicted", 700), ("acquitted", 300)], rng));
            let sentence = rng.random_range(1..=120);
            people.measures.entry("imprisonment_months".to_owned()).or_default().push(Some(sentence));
        }
        people
    }

    /// So many persons of whom nothing is known, each in a case of her own with one agency.
    pub fn plain(policy: &Policy, dataset: &str, count: usize) -> Self {
        let agency = policy.agencies.get("POL-PB").map_or(0, |agency| agency.index);
        Self {
            sid: (0..count as u64).map(|at| FIRST_SID + at).collect(),
            case: (1..=count as u64).collect(),
            agency: vec![agency; count],
            ..Self::empty(dataset)
        }
    }

    pub(crate) fn empty(dataset: &str) -> Self {
        Self {
            dataset: dataset.to_owned(),
            name: 0,
            sid: Vec::new(),
            case: Vec::new(),
            agency: Vec::new(),
            one: BTreeMap::new(),
            many: BTreeMap::new(),
            measures: BTreeMap::new(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sid.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.sid.is_empty()
    }

    /// The same without these persons.
    #[must_use]
    pub fn without(&self, persons: &[usize]) -> Self {
        self.only((0..self.len()).filter(|at| !persons.contains(at)).collect())
    }

    /// These persons alone.
    #[must_use]
    pub fn only(&self, mut persons: Vec<usize>) -> Self {
        // Rows stand in the order of their surrogates.
        persons.sort_unstable();
        Self { sid: persons.iter().map(|&at| self.sid[at]).collect(), ..self.rows(&persons) }
    }

    /// Everybody in an order by lot: neighbours are no longer of one case.
    #[must_use]
    pub fn shuffled(&self, rng: &mut ChaCha8Rng) -> Self {
        let mut persons: Vec<usize> = (0..self.len()).collect();
        persons.shuffle(rng);
        Self { sid: self.sid.clone(), ..self.rows(&persons) }
    }

    /// What is known of these persons, in this order, without surrogates.
    fn rows(&self, persons: &[usize]) -> Self {
        fn of<T: Clone>(values: &[T], persons: &[usize]) -> Vec<T> {
            persons.iter().map(|&at| values[at].clone()).collect()
        }
        fn columns<T: Clone>(columns: &BTreeMap<String, Vec<T>>, persons: &[usize]) -> BTreeMap<String, Vec<T>> {
            columns.iter().map(|(name, values)| (name.clone(), of(values, persons))).collect()
        }
        Self {
            dataset: self.dataset.clone(),
            name: 0,
            sid: Vec::new(),
            case: of(&self.case, persons),
            agency: of(&self.agency, persons),
            one: columns(&self.one, persons),
            many: columns(&self.many, persons),
            measures: columns(&self.measures, persons),
        }
    }

    /// Whether a person has a code in a single-valued column.
    pub fn has(&self, policy: &Policy, person: usize, secret: Secret) -> bool {
        let dataset = policy.datasets.get(&self.dataset).expect("a dataset");
        dataset.code_text(secret.column, self.one[secret.column][person]).as_deref() == Some(secret.code)
    }

    /// The rows of the mart: every level of every dimension is a column.
    pub fn microdata(&self, policy: &Policy) -> Microdata {
        let dataset = policy.datasets.get(&self.dataset).expect("a dataset");
        let mut dims = BTreeMap::new();
        for level in dataset.all_levels() {
            if let Some(column) = self.column(dataset, level) {
                dims.insert(level.to_owned(), column);
            }
        }
        let mut measures = self.measures.clone();
        for name in dataset.measures.keys() {
            measures.entry(name.clone()).or_insert_with(|| vec![None; self.len()]);
        }
        Microdata {
            dataset: self.dataset.clone(),
            sid: self.sid.clone(),
            case_sid: self.case.clone(),
            agency: self.agency.clone(),
            served_by: None,
            dims,
            measures,
        }
    }

    /// The codes of a level.
    pub(crate) fn column(&self, dataset: &Dataset, level: &str) -> Option<Column> {
        let dimension = dataset.dimension_of(level)?;
        let finest = if dimension == policy::TIME { "month" } else { dimension };
        // Of few codes and many persons: each is looked up once.
        let mut known: HashMap<u16, u16> = HashMap::new();
        let mut up =
            |code: u16| *known.entry(code).or_insert_with(|| dataset.roll_up(finest, level, code).unwrap_or_default());
        if dataset.is_many(level) {
            let unknown = vec![dataset.unknown(finest)?];
            let (mut offsets, mut codes) = (vec![0], Vec::new());
            for person in 0..self.len() {
                let own = self.many.get(dimension).map_or(&unknown, |column| &column[person]);
                let mut own: Vec<u16> = own.iter().map(|&code| up(code)).collect();
                own.dedup();
                codes.extend(own);
                offsets.push(codes.len() as u32);
            }
            return Some(Column::Many { offsets, codes });
        }
        let unknown = dataset.unknown(finest)?;
        let codes = self.one.get(finest);
        Some(Column::One((0..self.len()).map(|at| up(codes.map_or(unknown, |codes| codes[at]))).collect()))
    }

    /// What an attacker may know of everybody: every level of every column but the secrets, as it is written.
    pub fn known(&self, policy: &Policy) -> BTreeMap<String, Vec<u16>> {
        let dataset = policy.datasets.get(&self.dataset).expect("a dataset");
        let mut known = BTreeMap::new();
        for level in dataset.all_levels() {
            let dimension = dataset.dimension_of(level).unwrap_or_default();
            if SECRET_COLUMNS.contains(&dimension) || dataset.is_many(level) {
                continue;
            }
            if let Some(Column::One(codes)) = self.column(dataset, level) {
                known.insert(level.to_owned(), codes);
            }
        }
        known
    }
}

const AGES: [(&str, u32); 10] = [
    ("00-08", 40),
    ("09-17", 260),
    ("18-20", 180),
    ("21-23", 130),
    ("24-26", 110),
    ("27-29", 80),
    ("30-38", 110),
    ("39-47", 50),
    ("48+", 20),
    ("_X", 20),
];
const SECTORS: [(&str, u32); 8] = [
    ("brick_kiln", 260),
    ("domestic_work", 220),
    ("begging", 160),
    ("agriculture", 130),
    ("garment", 90),
    ("street", 70),
    ("mining", 40),
    ("_X", 30),
];
const PROVINCES: [(&str, u32); 7] =
    [("PK-PB", 500), ("PK-SD", 240), ("PK-KP", 120), ("PK-BA", 60), ("PK-IS", 50), ("PK-GB", 20), ("PK-JK", 10)];

struct Maker<'a> {
    dataset: &'a Dataset,
}

impl Maker<'_> {
    /// A code by weights.
    fn pick(&self, level: &str, weights: &[(&str, u32)], rng: &mut ChaCha8Rng) -> u16 {
        let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
        let mut at = rng.random_range(0..total);
        let mut chosen = weights[0].0;
        for (code, weight) in weights {
            if at < *weight {
                chosen = code;
                break;
            }
            at -= weight;
        }
        self.dataset.code_of(level, chosen, YEARS).expect("a code of the list")
    }

    /// Places below the provinces, the largest first.
    fn districts(&self) -> Vec<u16> {
        let codes = self.dataset.codes("place_identified", YEARS).unwrap_or_default();
        let text = |code: &u16| self.dataset.code_text("place_identified", *code).unwrap_or_default();
        codes.into_iter().filter(|code| text(code).len() > "PK-PB".len()).collect()
    }

    fn month(rng: &mut ChaCha8Rng) -> u16 {
        let mut months = TimeLevel::Month.codes(YEARS);
        months.pop();
        months[rng.random_range(0..months.len())]
    }
}

/// 25 agencies, those with the largest caseloads first: state bodies and private ones mixed.
pub(crate) fn agencies(policy: &Policy) -> Vec<u16> {
    let mut all: Vec<(bool, u16)> = policy.agencies.iter().map(|agency| (agency.private, agency.index)).collect();
    all.sort_by_key(|(private, index)| (index % 3, *private, *index));
    all.into_iter().map(|(_, index)| index).take(25).collect()
}

/// A rank, small ones more often: 1/(rank + 2).
pub(crate) fn zipf(rng: &mut ChaCha8Rng, ranks: usize) -> usize {
    let total: f64 = (0..ranks).map(|rank| 1.0 / (rank as f64 + 2.0)).sum();
    let mut at = rng.random::<f64>() * total;
    for rank in 0..ranks {
        at -= 1.0 / (rank as f64 + 2.0);
        if at <= 0.0 {
            return rank;
        }
    }
    ranks - 1
}

/// A whole number from 1 to `most` with a Pareto tail.
fn pareto(rng: &mut ChaCha8Rng, shape: f64, most: usize) -> usize {
    let u: f64 = 1.0 - rng.random::<f64>();
    (u.powf(-1.0 / shape) as usize).clamp(1, most)
}
