//! How `datasets.toml` is written, and what it may not say.
//!
//! A floor may be raised, never lowered; a grid of exact numbers is refused when it is wider than province x period x
//! one attribute of the act, or names an attribute of a person (privacy.md 6.6). Refused here, when the file is read,
//! so that no later code has to ask. What is fixed whatever a file says stands in `least`.

use std::collections::{BTreeMap, BTreeSet};

use events::code_list::{self, CodeList};
use serde::Deserialize;

use crate::charging::Charging;
use crate::datasets::{
    AgencyRule, Attribute, Cardinality, ChargedGrid, Column, Count, Dataset, Datasets, DeclaredGrid, Level,
    MeasureColumn, Profile, Resolved, Unit, Zeros,
};
use crate::error::PolicyError;
use crate::least;
use crate::time::TimeLevel;

const FILE: &str = "datasets.toml";
/// Beyond this a bound is a mistake, and a sum of clipped values in millionths would no longer surely fit 128 bits.
const MOST_OF_A_MEASURE: u64 = 1_000_000_000_000;
/// A hundred bins: each is a cell of its own, and a histogram finer than this tells nothing more once it is noisy.
const MOST_EDGES: usize = 101;

impl Datasets {
    /// Reads `datasets.toml`.
    pub(crate) fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut file: toml::Table = toml::from_str(text).map_err(syntax)?;
        let Some(toml::Value::String(methodology)) = file.remove("methodology") else {
            return Err(unknown("methodology", "version", "(a string is needed)"));
        };
        let population = match file.remove("population") {
            None => None,
            Some(toml::Value::String(territory)) => Some(territory),
            Some(_) => return Err(unknown("population", "territory", "(a string is needed)")),
        };
        let declared = match file.remove("declared") {
            None => Vec::new(),
            Some(grids) => grids.try_into::<Vec<ChargedFile>>().map_err(syntax)?,
        };
        let mut by_name: BTreeMap<String, Dataset> = BTreeMap::new();
        for (name, table) in file {
            let raw: DatasetFile = table.try_into().map_err(syntax)?;
            by_name.insert(name.clone(), raw.read(&name)?);
        }
        let declared = declared.into_iter().map(|grid| grid.read(&by_name)).collect::<Result<Vec<_>, _>>()?;
        for dataset in by_name.values_mut() {
            dataset.populations = populations(dataset, &declared);
        }
        Ok(Self { methodology, population, charging: Charging::default(), declared, by_name })
    }
}

impl DatasetFile {
    fn read(self, name: &str) -> Result<Dataset, PolicyError> {
        let mut columns = BTreeMap::new();
        for (column, raw) in self.columns {
            columns.insert(column.clone(), raw.read(name, column, self.unit)?);
        }
        let read = |(measure, raw): (String, MeasureFile)| Ok((measure.clone(), raw.read(name, measure)?));
        let measures = self.measures.into_iter().map(read).collect::<Result<_, PolicyError>>()?;
        let mut dataset = Dataset {
            name: name.to_owned(),
            unit: self.unit,
            universe: self.universe,
            time: self.time,
            place: self.place,
            k: self.k,
            min_cases: self.min_cases,
            top_case_percent: self.top_case_percent,
            p_percent: self.p_percent,
            agency_rule: self.agency_rule,
            zeros: self.zeros,
            charging: Charging::default(),
            populations: Vec::new(),
            declared_exact: Vec::new(),
            columns,
            measures,
        };
        check_dataset(&dataset)?;
        dataset.columns.values().try_for_each(|column| check_column(&dataset, column))?;
        for grid in self.declared_exact {
            let grid = grid.read(&dataset)?;
            check_grid(&dataset, &grid)?;
            dataset.declared_exact.push(grid);
        }
        Ok(dataset)
    }
}

/// Names are unique, the main place exists, floors are not lowered, only acts of the state show zeros.
fn check_dataset(dataset: &Dataset) -> Result<(), PolicyError> {
    let forbid = |rule: &str| Err(forbidden(dataset, rule));
    let mut names = BTreeSet::new();
    let columns = dataset.columns.values();
    let columns = columns.flat_map(|c| std::iter::once(&c.name).chain(c.levels.iter().map(|level| &level.name)));
    for name in columns.chain(dataset.measures.values().flat_map(|measure| [&measure.name, &measure.band])) {
        if TimeLevel::from_name(name).is_some() || !names.insert(name) {
            return Err(PolicyError::Repeated { file: FILE, place: dataset.name.clone(), name: name.clone() });
        }
    }
    if dataset.resolve(&dataset.place).is_none() {
        return Err(unknown(&dataset.name, "column of place", &dataset.place));
    }
    if dataset.k < Profile::Std.k() {
        return forbid("k may be raised, not lowered below 11: the noise needs it (privacy.md 6.5)");
    }
    if dataset.unit == Unit::Person && dataset.min_cases < least::CASES {
        return forbid(
            "min_cases may be raised, not lowered below 3, where persons are counted (privacy.md 6.6, rule 2)",
        );
    }
    if dataset.top_case_percent > least::TOP_CASE_PERCENT {
        return forbid("top_case_percent may be lowered, not raised above 80 (privacy.md 6.6, rule 2)");
    }
    if dataset.p_percent < least::P_PERCENT {
        return forbid("p_percent may be raised, not lowered below 10 (privacy.md 6.6, rule 3)");
    }
    if dataset.zeros == Zeros::Shown && !least::counts_acts_of_the_state(dataset) {
        return forbid("zeros are shown for acts of the state only (privacy.md 6.6)");
    }
    Ok(())
}

/// A column keeps at least the profile of what it tells, and only attributes of acts are called so.
fn check_column(dataset: &Dataset, column: &Column) -> Result<(), PolicyError> {
    let forbid = |rule: String| Err(forbidden(dataset, rule));
    if column.of == Attribute::Act && !least::is_attribute_of_an_act(column) {
        return forbid(format!("`{}` is no attribute of an act of the state: of = \"person\"", column.name));
    }
    if let Some(profile) = least::profile(column).filter(|&least| column.profile < least) {
        return forbid(format!("the profile of `{}` may not be below {}", column.name, profile.name()));
    }
    let lists = std::iter::once(&column.list).chain(column.levels.iter().map(|level| &level.list));
    for (level, list) in lists.enumerate().map(|(at, list)| (at.checked_sub(1), list)) {
        for (code, profile) in least::codes(list) {
            let number = code_list_of(&dataset.name, list)?.code(code);
            if number.is_some_and(|number| column.profile_of(level, number) < profile) {
                return forbid(format!("`{}`: `{code}` may not be below {}", column.name, profile.name()));
            }
        }
    }
    Ok(())
}

/// At most province x period x one attribute of the act, and no attribute of a person.
fn check_grid(dataset: &Dataset, grid: &DeclaredGrid) -> Result<(), PolicyError> {
    let forbid = |rule: String| Err(forbidden(dataset, rule));
    if !least::counts_acts_of_the_state(dataset) {
        return forbid("only acts of the state are published exact (privacy.md 6.6)".to_owned());
    }
    if dataset.zeros == Zeros::Never {
        return forbid("a declared grid shows zeros: zeros = \"shown\"".to_owned());
    }
    let (mut times, mut places, mut attributes) = (0, 0, 0);
    for name in &grid.by {
        let resolved = dataset.resolve(name).ok_or_else(|| unknown(&dataset.name, "dimension", name))?;
        match resolved {
            Resolved::Time(TimeLevel::Month) => {
                return forbid("a declared grid has quarters or longer periods, not months".to_owned());
            }
            Resolved::Time(_) => times += 1,
            Resolved::Column(column, _) if column.of == Attribute::Person => {
                return forbid(format!("`{name}` is an attribute of a person and may not stand in a declared grid"));
            }
            Resolved::Column(column, _) if is_main_place(dataset, column) => {
                if resolved.list() != Some("province") {
                    return forbid(format!("`{name}`: a declared grid goes down to provinces, not below"));
                }
                places += 1;
            }
            Resolved::Band(measure) if !least::is_measure_of_an_act(measure) => {
                return forbid(format!("`{name}` is not known to tell of an act and may not stand in a declared grid"));
            }
            Resolved::Column(..) | Resolved::Band(_) => attributes += 1,
        }
    }
    if times > 1 || places > 1 || attributes > 1 {
        return forbid("a declared grid is at most province x period x one attribute of the act".to_owned());
    }
    for name in grid.population.keys() {
        match dataset.resolve(name) {
            Some(Resolved::Column(column, _)) if column.of == Attribute::Act => {}
            Some(_) => return forbid(format!("`{name}` may not define the population of a declared grid")),
            None => return Err(unknown(&dataset.name, "dimension", name)),
        }
    }
    Ok(())
}

/// The populations of several conditions or codes of a dataset's declared grids, the narrowest first. None speaks of a secret:
/// what has a counter of its own is charged there.
fn populations(dataset: &Dataset, declared: &[ChargedGrid]) -> Vec<BTreeMap<String, Vec<u16>>> {
    let protected = declared.iter().filter(|grid| grid.dataset == dataset.name).map(|grid| &grid.population);
    let mut populations: Vec<_> = dataset.declared_exact.iter().map(|grid| &grid.population).chain(protected).collect();
    populations.retain(|population| {
        let is_more_than_a_code = population.len() > 1 || population.values().any(|codes| codes.len() > 1);
        is_more_than_a_code && population.keys().all(|level| dataset.secret(level).is_none())
    });
    populations.sort_by_key(|population| std::cmp::Reverse(population.len()));
    populations.dedup();
    populations.into_iter().cloned().collect()
}

fn is_main_place(dataset: &Dataset, column: &Column) -> bool {
    matches!(dataset.resolve(&dataset.place), Some(Resolved::Column(place, _)) if place.name == column.name)
}

impl ColumnFile {
    fn read(self, dataset: &str, name: String, unit: Unit) -> Result<Column, PolicyError> {
        let mut column = Column {
            list: self.list.unwrap_or_else(|| name.clone()),
            name,
            levels: self.levels.into_iter().map(LevelFile::read).collect(),
            profile: self.profile,
            raise: Vec::new(),
            cardinality: self.cardinality,
            of: self.of.unwrap_or(Attribute::Person),
            secret: self.secret,
        };
        // Where the unit is an act, a column that tells of acts is the act's, unless the file says otherwise.
        if self.of.is_none() && unit != Unit::Person && least::is_attribute_of_an_act(&column) {
            column.of = Attribute::Act;
        }
        let place = format!("{dataset}.columns.{}", column.name);
        let base = code_list_of(&place, &column.list)?;
        let coarser = column.levels.iter().map(|level| code_list_of(&place, &level.list));
        let lists: Vec<_> = std::iter::once(Ok(base)).chain(coarser).collect::<Result<_, _>>()?;
        let mut raise = Vec::new();
        for (code, profile) in self.raise {
            let before = raise.len();
            for (at, list) in lists.iter().enumerate() {
                raise.extend(list.code(&code).map(|number| (at.checked_sub(1), number, profile)));
            }
            if raise.len() == before {
                return Err(unknown(&place, "code", &code));
            }
        }
        Ok(Column { raise, ..column })
    }
}

impl MeasureFile {
    fn read(self, dataset: &str, name: String) -> Result<MeasureColumn, PolicyError> {
        let place = format!("{dataset}.measures.{name}");
        let wrong = |what| Err(PolicyError::OutOfRange { file: FILE, place: place.clone(), what });
        let Self { min, max, bins, sensitive } = self;
        if min >= max || [min, max].iter().any(|bound| bound.unsigned_abs() > MOST_OF_A_MEASURE) {
            return wrong("min must be below max, and both between -10^12 and 10^12");
        }
        if bins.first() != Some(&min) || bins.last() != Some(&max) {
            return wrong("the first edge of bins must be min and the last max");
        }
        if !bins.is_sorted_by(|a, b| a < b) {
            return wrong("the edges of bins must ascend");
        }
        if bins.len() > MOST_EDGES {
            return wrong("bins may have at most 101 edges");
        }
        Ok(MeasureColumn { band: format!("{name}_band"), name, min, max, bins, sensitive })
    }
}

fn code_list_of(place: &str, name: &str) -> Result<&'static CodeList, PolicyError> {
    code_list::find(name).ok_or_else(|| unknown(place, "code list", name))
}

impl LevelFile {
    fn read(self) -> Level {
        match self {
            Self::Named(name) => Level { list: name.clone(), name },
            Self::Other { name, list } => Level { name, list },
        }
    }
}

impl GridFile {
    fn read(self, dataset: &Dataset) -> Result<DeclaredGrid, PolicyError> {
        let mut population = BTreeMap::new();
        for (name, filter) in self.r#where {
            let resolved = dataset.resolve(&name).ok_or_else(|| unknown(&dataset.name, "dimension", &name))?;
            let list = resolved.list().ok_or_else(|| unknown(&dataset.name, "dimension with codes", &name))?;
            population.insert(name, filter.codes(&dataset.name, code_list_of(&dataset.name, list)?)?);
        }
        Ok(DeclaredGrid { count: self.count, by: self.by, population })
    }
}

impl ChargedFile {
    fn read(self, datasets: &BTreeMap<String, Dataset>) -> Result<ChargedGrid, PolicyError> {
        let place = format!("declared {}", self.indicator);
        let dataset = datasets.get(&self.dataset).ok_or_else(|| unknown(&place, "dataset", &self.dataset))?;
        for level in &self.by {
            dataset.resolve(level).ok_or_else(|| unknown(&place, "dimension", level))?;
        }
        if let Some(sum) = self.sum.as_ref().filter(|sum| !dataset.measures.contains_key(*sum)) {
            return Err(unknown(&place, "measure", sum));
        }
        let grid = GridFile { count: Vec::new(), by: self.by, r#where: self.r#where }.read(dataset)?;
        Ok(ChargedGrid {
            indicator: self.indicator,
            dataset: self.dataset,
            by: grid.by,
            population: grid.population,
            sum: self.sum,
        })
    }
}

impl FilterFile {
    /// The numbers of the codes it names, ascending.
    fn codes(self, dataset: &str, list: &CodeList) -> Result<Vec<u16>, PolicyError> {
        let mut numbers = match self {
            Self::Codes(codes) => {
                let number = |code: &String| list.code(code).ok_or_else(|| unknown(dataset, "code", code));
                codes.iter().map(number).collect::<Result<Vec<_>, _>>()?
            }
            Self::Act { act } => {
                let has = |&number: &u16| list.codes[usize::from(number)].attrs.get("act") == Some(&act);
                let numbers: Vec<_> = (0..list.codes.len() as u16).filter(has).collect();
                if numbers.is_empty() {
                    return Err(unknown(dataset, "act of law", &act));
                }
                numbers
            }
        };
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }
}

fn syntax(source: toml::de::Error) -> PolicyError {
    PolicyError::Syntax { file: FILE, source: Box::new(source) }
}

fn unknown(place: &str, what: &'static str, name: &str) -> PolicyError {
    PolicyError::Unknown { file: FILE, place: place.to_owned(), what, name: name.to_owned() }
}

fn forbidden(dataset: &Dataset, rule: impl Into<String>) -> PolicyError {
    PolicyError::Forbidden { dataset: dataset.name.clone(), rule: rule.into() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetFile {
    unit: Unit,
    universe: String,
    time: String,
    place: String,
    k: u64,
    min_cases: u64,
    #[serde(default = "eighty")]
    top_case_percent: u64,
    #[serde(default = "ten")]
    p_percent: u64,
    agency_rule: AgencyRule,
    zeros: Zeros,
    declared_exact: Vec<GridFile>,
    columns: BTreeMap<String, ColumnFile>,
    #[serde(default)]
    measures: BTreeMap<String, MeasureFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureFile {
    min: i64,
    max: i64,
    bins: Vec<i64>,
    #[serde(default)]
    sensitive: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    profile: Profile,
    #[serde(default)]
    raise: BTreeMap<String, Profile>,
    #[serde(default)]
    levels: Vec<LevelFile>,
    list: Option<String>,
    #[serde(default)]
    cardinality: Cardinality,
    of: Option<Attribute>,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LevelFile {
    Named(String),
    Other { name: String, list: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GridFile {
    count: Vec<Count>,
    by: Vec<String>,
    #[serde(default)]
    r#where: BTreeMap<String, FilterFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChargedFile {
    indicator: String,
    dataset: String,
    by: Vec<String>,
    #[serde(default)]
    r#where: BTreeMap<String, FilterFile>,
    sum: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FilterFile {
    Codes(Vec<String>),
    Act { act: String },
}

fn eighty() -> u64 {
    80
}

fn ten() -> u64 {
    10
}
