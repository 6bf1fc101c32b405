//! The aggregate over a protected subtree: one question per grouping set and condition, and the table that their answers
//! fill (privacy.md 6.3).
//!
//! The rows of the table follow from the question alone: every group that the population leaves possible, shown or not, so
//! that which rows there are tells nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection, TableScanBuilder, TableSource, ident};
use datafusion::scalar::ScalarValue;
use disclosure::{Breakdown, CellQuery, Condition, MOST_CELLS, Measure, Refused};

use super::measure::{Ask, Order, What};
use super::open::Open;
use super::region::{Form, Meaning, Region};
use super::{Lowering, misplaced};
use crate::notes::Note;
use crate::refusal::{Code, Refusal};
use crate::tables::WRITTEN;

/// Grouping sets over protected tables (privacy.md 6.3).
const MOST_SETS: usize = 16;
/// Digits of a released sum or mean.
const DECIMAL: DataType = DataType::Decimal128(38, 6);

/// A table that answers fill.
#[derive(Debug)]
pub(crate) struct Release {
    /// Its name in the plan.
    pub(crate) name: String,
    pub(crate) schema: SchemaRef,
    pub(super) rows: Vec<Row>,
}

/// A row of a table that answers fill.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// A row that is there only if its group is shown: the cell that says so.
    pub(super) only_if: Option<Cell>,
    /// One for each column.
    pub(super) values: Vec<Source>,
}

/// Where a cell stands: the number of the question and the coordinates in its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) question: usize,
    pub(super) at: Vec<u16>,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The question itself: labels, grouping(), contradictions.
    Known(ScalarValue),
    /// A count, by the number of the measure.
    Count(Cell, usize),
    /// A sum, by the number of the measure.
    Sum(Cell, usize),
    /// A sum by a count; not below so many units (privacy.md 6.5, Mean).
    Mean { cell: Cell, sum: usize, units: usize, least: i64 },
    /// How many of these cells are shown.
    Shown(Vec<Cell>),
    /// A quantile of a histogram.
    Quantile(Histogram),
}

/// The bins of a measure in a row.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    /// Lower and upper edge of a bin, and its cell; ascending.
    pub(super) bins: Vec<(i64, i64, Cell)>,
    pub(super) order: Order,
    /// The floor K on units.
    pub(super) k: i64,
}

/// The table of a release in a plan: a schema until it is bound to rows.
#[derive(Debug)]
pub(crate) struct Released {
    schema: SchemaRef,
    widths: Vec<u64>,
}

impl Released {
    /// Greatest length of a text in a column, bytes.
    pub(crate) fn width(&self, column: &str) -> Option<u64> {
        self.schema.index_of(column).ok().map(|at| self.widths[at])
    }
}

impl TableSource for Released {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// The groups of one dimension in one grouping set.
struct Base {
    dimension: String,
    breakdown: Breakdown,
    groups: Vec<u16>,
}

impl Base {
    /// A code of the base's level that stands for a group of it.
    fn code(&self, group: u16) -> u16 {
        match &self.breakdown {
            Breakdown::Level(_) => group,
            Breakdown::Classes { classes, .. } => {
                classes.get(usize::from(group)).and_then(|class| class.first()).copied().unwrap_or(group)
            }
        }
    }
}

/// A question as one grouping set sees it.
struct Asked {
    number: usize,
    measures: Vec<Measure>,
    query: CellQuery,
    /// For each base, the groups that this question's population leaves possible.
    possible: Vec<Vec<u16>>,
}

impl<'a> Lowering<'a> {
    /// Lowers an aggregate over a protected subtree.
    pub(super) fn release(&mut self, region: Region<'a>, aggregate: &Aggregate) -> Result<Open, Refusal> {
        let input = aggregate.input.schema();
        let groups = grouping_set_to_exprlist(&aggregate.group_expr).map_err(|_| misplaced::internal())?;
        let sets = sets(&aggregate.group_expr, &groups)?;
        let meanings: Vec<Meaning> =
            groups.iter().map(|group| self.group(group, &region, input)).collect::<Result<_, _>>()?;
        let asks: Vec<Ask> =
            aggregate.aggr_expr.iter().map(|expr| self.ask(expr, &groups, &region, input)).collect::<Result<_, _>>()?;
        let fields: Vec<(Option<TableReference>, Arc<Field>)> = aggregate
            .schema
            .iter()
            .filter(|(_, field)| field.name() != Aggregate::INTERNAL_GROUPING_ID)
            .map(|(relation, field)| (relation.cloned(), Arc::clone(field)))
            .collect();
        self.table(&region, &meanings, &sets, &asks, &fields)
    }

    /// Lowers DISTINCT over a protected subtree: the list of groups that are shown.
    pub(super) fn shown(&mut self, region: &Region<'a>, schema: &DFSchema) -> Result<Open, Refusal> {
        for column in &region.columns {
            match column {
                Meaning::Level { .. } | Meaning::Labels { .. } => {}
                Meaning::Hidden(hidden) => return Err(self.hidden(*hidden)),
                Meaning::Measure(_) | Meaning::Constant(_) => {
                    return Err(misplaced::form("DISTINCT of what is no level").hint("Name levels, such as province."));
                }
            }
        }
        let fields: Vec<_> = schema.iter().map(|(relation, field)| (relation.cloned(), Arc::clone(field))).collect();
        let all = (0..region.columns.len()).collect();
        self.table(region, &region.columns, &[all], &[], &fields)
    }

    /// A group expression: a level, or labels of one.
    fn group(&self, expr: &Expr, region: &Region<'_>, schema: &DFSchema) -> Result<Meaning, Refusal> {
        let meaning = self.meaning(expr, region, schema)?;
        match meaning {
            Meaning::Level { .. } | Meaning::Labels { .. } => Ok(meaning),
            Meaning::Hidden(hidden) => Err(self.hidden(hidden)),
            Meaning::Constant(_) => Err(misplaced::form("GROUP BY of a value").hint("Name a column.")),
            Meaning::Measure(name) => {
                let refusal = Refusal::new(Code::NotFilterable, format!("{name} cannot be grouped by."));
                Err(refusal.at(self.words.find(&name)).hint(format!("Write sum({name}) or avg({name}).")))
            }
        }
    }

    /// The table of an aggregate, in its place in the plan.
    fn table(
        &mut self,
        region: &Region<'a>,
        meanings: &[Meaning],
        sets: &[Vec<usize>],
        asks: &[Ask],
        fields: &[(Option<TableReference>, Arc<Field>)],
    ) -> Result<Open, Refusal> {
        let name = format!("released_{}", self.releases.len() + 1);
        let keys = meanings.len();
        let mut rows = Vec::new();
        for set in sets {
            rows.extend(self.rows(region, meanings, set, asks, fields)?);
        }
        let cells: usize = self.questions.iter().map(|query| self.cells(query)).fold(0, usize::saturating_add);
        if cells > MOST_CELLS {
            return Err(self.refused(&Refused::TooManyCells { cells }));
        }
        let columns = fields.iter().enumerate().map(|(at, (_, field))| {
            let data_type = match at.checked_sub(keys).and_then(|at| asks.get(at)).map(|ask| &ask.what) {
                Some(What::Figure(Measure::Sum(_)) | What::Mean(_) | What::Quantile(..)) => DECIMAL,
                Some(What::Figure(_) | What::Shown(_)) => DataType::Int64,
                Some(What::Grouping(_)) | None => field.data_type().clone(),
            };
            Field::new(format!("column_{at}"), data_type, true)
        });
        let schema: SchemaRef = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
        let widths = (0..fields.len()).map(|at| width(&rows, at)).collect();
        let source = Arc::new(Released { schema: Arc::clone(&schema), widths });
        let plan = renamed(&name, source, fields).map_err(|_| misplaced::internal())?;
        self.releases.push(Release { name, schema, rows });
        let tainted = (0..fields.len()).map(|at| at >= keys).collect();
        Ok(Open { plan, tainted, released: true })
    }

    /// The rows of one grouping set.
    fn rows(
        &mut self,
        region: &Region<'a>,
        meanings: &[Meaning],
        set: &[usize],
        asks: &[Ask],
        fields: &[(Option<TableReference>, Arc<Field>)],
    ) -> Result<Vec<Row>, Refusal> {
        let bases = self.bases(region, set.iter().filter_map(|&key| meanings.get(key)))?;
        for base in &bases {
            if region.dataset.is_many(base.breakdown.level()) {
                self.notes.push(Note::overlap(base.breakdown.level()));
            }
        }
        let asked = self.questions_of(region, &bases, asks)?;
        let listed = if asked.iter().all(|asked| asked.is_none()) {
            Some(self.question(region, &bases, &[], Vec::new())?)
        } else {
            None
        };
        // A question whose conditions fix a level has few cells, and its rows are still those of every group.
        let cells = bases.iter().map(|base| base.groups.len()).fold(1, usize::saturating_mul);
        if cells > MOST_CELLS {
            return Err(self.refused(&Refused::TooManyCells { cells }));
        }
        let fixed: Vec<Option<u16>> = meanings.iter().map(|meaning| self.fixed_level(region, meaning)).collect();
        let mut rows = Vec::new();
        let mut at = vec![0_usize; bases.len()];
        if bases.iter().any(|base| base.groups.is_empty()) {
            return Ok(rows);
        }
        loop {
            let groups: Vec<u16> = bases.iter().zip(&at).map(|(base, &at)| base.groups[at]).collect();
            let mut values = Vec::with_capacity(fields.len());
            for (key, meaning) in meanings.iter().enumerate() {
                let data_type = fields[key].1.data_type();
                let value = if set.contains(&key) {
                    label(region, meaning, fixed[key], &bases, &groups)
                } else {
                    ScalarValue::Null
                };
                values.push(Source::Known(value.cast_to(data_type).map_err(|_| misplaced::internal())?));
            }
            for (number, (ask, asked)) in asks.iter().zip(&asked).enumerate() {
                let data_type = fields[meanings.len() + number].1.data_type();
                values.push(self.source(region, ask, asked.as_ref(), &bases, &groups, set, data_type)?);
            }
            let only_if = match &listed {
                Some(listed) => Some(self.cell(region, listed, &bases, &groups).ok_or_else(misplaced::internal)?),
                None => None,
            };
            rows.push(Row { only_if, values });
            if !next(&mut at, &bases) {
                return Ok(rows);
            }
        }
    }

    /// The dimensions of a grouping set, each at the one level from which all its columns follow.
    fn bases<'m>(&self, region: &Region<'a>, keys: impl Iterator<Item = &'m Meaning>) -> Result<Vec<Base>, Refusal> {
        let mut found: BTreeMap<String, Vec<Breakdown>> = BTreeMap::new();
        for key in keys {
            let breakdown = match key {
                Meaning::Level { level, .. } => Breakdown::Level(level.clone()),
                Meaning::Labels { level, labels } => {
                    Breakdown::Classes { level: level.clone(), classes: classes(labels) }
                }
                Meaning::Measure(_) | Meaning::Hidden(_) | Meaning::Constant(_) => return Err(misplaced::internal()),
            };
            let dimension = region.dataset.dimension_of(breakdown.level()).ok_or_else(misplaced::internal)?;
            found.entry(dimension.to_owned()).or_default().push(breakdown);
        }
        let mut bases = Vec::new();
        for (dimension, mut breakdowns) in found {
            breakdowns.sort();
            breakdowns.dedup();
            let breakdown = match &breakdowns[..] {
                [one] => one.clone(),
                several => Breakdown::Level(self.finest(region, &dimension, several)?),
            };
            let by = self.canonical(region, &[], vec![], Vec::new());
            let by = CellQuery { by: vec![breakdown.clone()], ..by };
            let groups = by.groups(region.dataset, self.protected.years.clone()).pop().unwrap_or_default();
            bases.push(Base { dimension, breakdown, groups });
        }
        Ok(bases)
    }

    /// The level from which all others of a breakdown follow.
    fn finest(&self, region: &Region<'a>, dimension: &str, several: &[Breakdown]) -> Result<String, Refusal> {
        let dataset = region.dataset;
        let reaches = |from: &str, to: &str| {
            dataset.unknown(from).is_some_and(|unknown| dataset.roll_up(from, to, unknown).is_some())
        };
        // A year that the population fixes needs no level below it.
        let fixed = |by: &Breakdown| self.fixed(region, by.level()).is_some();
        let open = || several.iter().filter(|by| !fixed(by)).chain(several.iter().filter(|by| fixed(by)));
        let finest = open().find(|from| several.iter().all(|to| fixed(to) || reaches(from.level(), to.level())));
        match finest {
            Some(finest) => Ok(finest.level().to_owned()),
            None => Err(self.refused(&Refused::TwoLevels { dimension: dimension.to_owned() })),
        }
    }

    /// The one code of a level that the population leaves.
    fn fixed(&self, region: &Region<'a>, level: &str) -> Option<u16> {
        let query = self.canonical(region, &[], Vec::new(), Vec::new());
        let query = CellQuery { by: vec![Breakdown::Level(level.to_owned())], ..query };
        match query.groups(region.dataset, self.protected.years.clone()).pop()?[..] {
            [code] => Some(code),
            _ => None,
        }
    }

    /// The one code of the level of a key.
    fn fixed_level(&self, region: &Region<'a>, meaning: &Meaning) -> Option<u16> {
        match meaning {
            Meaning::Level { level, .. } => self.fixed(region, level),
            Meaning::Labels { .. } | Meaning::Measure(_) | Meaning::Hidden(_) | Meaning::Constant(_) => None,
        }
    }

    /// The questions of the aggregates of a grouping set: those under the same conditions share one.
    fn questions_of(
        &mut self,
        region: &Region<'a>,
        bases: &[Base],
        asks: &[Ask],
    ) -> Result<Vec<Option<Asked>>, Refusal> {
        let mut measures: BTreeMap<Vec<Condition>, Vec<Measure>> = BTreeMap::new();
        let wanted = |what: &What| match what {
            What::Figure(measure) => vec![measure.clone()],
            What::Mean(column) => vec![Measure::Sum(column.clone()), Measure::Units],
            What::Shown(_) | What::Quantile(..) | What::Grouping(_) => Vec::new(),
        };
        // Conditions are compared in the form that they take in the question, so that synonyms share it.
        let same =
            |lowering: &Self, ask: &Ask| lowering.canonical(region, &ask.extra, Vec::new(), Vec::new()).population;
        for ask in asks {
            measures.entry(same(self, ask)).or_default().extend(wanted(&ask.what));
        }
        let mut asked = Vec::new();
        for ask in asks {
            let question = match &ask.what {
                What::Grouping(_) => None,
                What::Shown(level) => Some(self.question_of_codes(region, bases, ask, level, Vec::new())?),
                What::Quantile(measure, _) => {
                    let band = &region.dataset.measures.get(measure).ok_or_else(misplaced::internal)?.band;
                    Some(self.question_of_codes(region, bases, ask, band, vec![Measure::Units])?)
                }
                What::Figure(_) | What::Mean(_) => {
                    let all = measures.get(&same(self, ask)).cloned().unwrap_or_default();
                    Some(self.question(region, bases, &ask.extra, all)?)
                }
            };
            asked.push(question);
        }
        Ok(asked)
    }

    /// The question that has a cell for each code of a level, in each group.
    fn question_of_codes(
        &mut self,
        region: &Region<'a>,
        bases: &[Base],
        ask: &Ask,
        level: &str,
        measures: Vec<Measure>,
    ) -> Result<Asked, Refusal> {
        let dimension = region.dataset.dimension_of(level).unwrap_or(level);
        if bases.iter().any(|base| base.dimension == dimension) {
            let detail = format!("An aggregate over the codes of {level} stands beside a group of the same dimension.");
            let refusal = Refusal::new(Code::ProtectedAggregate, detail);
            return Err(refusal.hint("Group by both levels in a subquery, and compute over its rows."));
        }
        let by = bases.iter().map(|base| base.breakdown.clone()).chain([Breakdown::Level(level.to_owned())]).collect();
        let query = self.canonical(region, &ask.extra, by, measures);
        self.numbered(region, query, bases)
    }

    fn question(
        &mut self,
        region: &Region<'a>,
        bases: &[Base],
        extra: &[Condition],
        measures: Vec<Measure>,
    ) -> Result<Asked, Refusal> {
        let by = bases.iter().map(|base| base.breakdown.clone()).collect();
        let query = self.canonical(region, extra, by, measures);
        self.numbered(region, query, bases)
    }

    fn canonical(
        &self,
        region: &Region<'a>,
        extra: &[Condition],
        by: Vec<Breakdown>,
        measures: Vec<Measure>,
    ) -> CellQuery {
        let population = region.population.iter().chain(extra).cloned().collect();
        let query = CellQuery { dataset: region.dataset.name.clone(), population, by, measures };
        query.canonical(region.dataset, self.protected.years.clone())
    }

    /// A question among those of the statement, each once.
    fn numbered(&mut self, region: &Region<'a>, query: CellQuery, bases: &[Base]) -> Result<Asked, Refusal> {
        let years = self.protected.years.clone();
        query.check(region.dataset, years.clone()).map_err(|refused| self.refused(&refused))?;
        let number = self.questions.iter().position(|other| *other == query).unwrap_or_else(|| {
            self.questions.push(query.clone());
            self.questions.len() - 1
        });
        let by = bases.iter().map(|base| base.breakdown.clone()).collect();
        let possible = CellQuery { by, ..query.clone() }.groups(region.dataset, years);
        Ok(Asked { number, measures: query.measures.clone(), query, possible })
    }

    fn cells(&self, query: &CellQuery) -> usize {
        let dataset = self.protected.datasets.get(&query.dataset);
        dataset.map_or(0, |dataset| query.cells(dataset, self.protected.years.clone()))
    }

    /// Where the value of an aggregate comes from in a row.
    #[expect(clippy::too_many_arguments, reason = "a row is where the set, the groups and the question meet")]
    fn source(
        &self,
        region: &Region<'a>,
        ask: &Ask,
        asked: Option<&Asked>,
        bases: &[Base],
        groups: &[u16],
        set: &[usize],
        data_type: &DataType,
    ) -> Result<Source, Refusal> {
        if let What::Grouping(keys) = &ask.what {
            let bits = keys.iter().fold(0_i64, |bits, key| bits << 1 | i64::from(!set.contains(key)));
            let value = ScalarValue::Int64(Some(bits)).cast_to(data_type).map_err(|_| misplaced::internal())?;
            return Ok(Source::Known(value));
        }
        let asked = asked.ok_or_else(misplaced::internal)?;
        let possible = asked.possible.iter().zip(groups).all(|(possible, group)| possible.contains(group));
        let cell = if possible { self.cell(region, asked, bases, groups) } else { None };
        let measure = |of: &Measure| asked.measures.iter().position(|m| m == of).ok_or_else(misplaced::internal);
        Ok(match (&ask.what, cell) {
            (What::Shown(level), _) if possible => {
                let cells = self.cells_of_codes(region, asked, bases, groups, level);
                Source::Shown(cells.into_iter().map(|(_, cell)| cell).collect())
            }
            (What::Quantile(measure, order), _) if possible => {
                let measure = region.dataset.measures.get(measure).ok_or_else(misplaced::internal)?;
                let cells = self.cells_of_codes(region, asked, bases, groups, &measure.band);
                let edges = |code: usize| Some((*measure.bins.get(code)?, *measure.bins.get(code + 1)?));
                let bin = |(code, cell)| edges(usize::from(code)).map(|(low, high)| (low, high, cell));
                let bins = cells.into_iter().filter_map(bin).collect();
                Source::Quantile(Histogram { bins, order: *order, k: self.floor(region, &asked.query) })
            }
            (What::Figure(of @ Measure::Sum(_)), Some(cell)) => Source::Sum(cell, measure(of)?),
            (What::Figure(of), Some(cell)) => Source::Count(cell, measure(of)?),
            (What::Mean(column), Some(cell)) => Source::Mean {
                cell,
                sum: measure(&Measure::Sum(column.clone()))?,
                units: measure(&Measure::Units)?,
                // A mean is shown of twice the floor of units at least (privacy.md 6.5, Mean).
                least: 2 * self.floor(region, &asked.query),
            },
            // A contradiction is like any other small group: nothing to see (privacy.md 6.2, rule 2).
            (What::Figure(Measure::Sum(_)) | What::Mean(_), None) | (What::Quantile(..), _) => {
                Source::Known(ScalarValue::Decimal128(None, 38, 6))
            }
            (What::Figure(_) | What::Shown(_) | What::Grouping(_), _) => Source::Known(ScalarValue::Int64(None)),
        })
    }

    /// The floor on units of the strictest profile that a question touches (privacy.md 6.6, rule 1).
    fn floor(&self, region: &Region<'a>, query: &CellQuery) -> i64 {
        let dataset = region.dataset;
        let levels = query.population.iter().map(|c| c.level.as_str()).chain(query.by.iter().map(Breakdown::level));
        let profiles = levels.filter_map(|level| match dataset.resolve(level) {
            Some(policy::Resolved::Column(column, _)) => {
                Some(column.raise.iter().map(|&(_, _, profile)| profile).fold(column.profile, policy::Profile::max))
            }
            _ => None,
        });
        let profile = profiles.fold(policy::Profile::Std, policy::Profile::max);
        dataset.floor(profile) as i64
    }

    /// The coordinates of a row in a question's answer; none where the question has a level that the row has not.
    fn cell(&self, region: &Region<'a>, asked: &Asked, bases: &[Base], groups: &[u16]) -> Option<Cell> {
        let at = asked.query.by.iter().map(|by| coordinate(region, by, bases, groups)).collect::<Option<Vec<_>>>()?;
        Some(Cell { question: asked.number, at })
    }

    /// The cells of a row, one for each known code of a level that is not of the row itself.
    fn cells_of_codes(
        &self,
        region: &Region<'a>,
        asked: &Asked,
        bases: &[Base],
        groups: &[u16],
        level: &str,
    ) -> Vec<(u16, Cell)> {
        let dimension = region.dataset.dimension_of(level).unwrap_or(level).to_owned();
        let unknown = region.dataset.unknown(level);
        let query = CellQuery { by: vec![Breakdown::Level(level.to_owned())], ..asked.query.clone() };
        let codes = query.groups(region.dataset, self.protected.years.clone()).pop().unwrap_or_default();
        let mut cells = Vec::new();
        for code in codes.into_iter().filter(|&code| Some(code) != unknown) {
            let own = Base {
                dimension: dimension.clone(),
                breakdown: Breakdown::Level(level.to_owned()),
                groups: vec![code],
            };
            let at = asked.query.by.iter().map(|by| {
                coordinate(region, by, bases, groups)
                    .or_else(|| coordinate(region, by, std::slice::from_ref(&own), &[code]))
            });
            cells.extend(at.collect::<Option<Vec<_>>>().map(|at| (code, Cell { question: asked.number, at })));
        }
        cells
    }

    /// The refusal of a question that passes a limit.
    pub(super) fn refused(&self, refused: &Refused) -> Refusal {
        let (code, hint) = match refused {
            Refused::TooManyCells { .. } => {
                (Code::TooManyCells, "Ask for coarser levels, fewer columns, or a shorter time.")
            }
            Refused::Many { .. } => (
                Code::ManyValued,
                "Write one condition on it, = or IN with at most 3 codes, meaning at least one of them; or group by it.",
            ),
            Refused::TooManyCodes { .. } => {
                (Code::TooManyDimensions, "Name at most 8 codes, a coarser level, or group by the column.")
            }
            Refused::TwoLevels { .. } => {
                (Code::TooManyDimensions, "Group by the finer level alone, or by one class of it; the rest follows.")
            }
            _ => (Code::TooManyDimensions, "Leave out a column of GROUP BY or a condition, or ask two questions."),
        };
        let detail = match refused {
            Refused::Many { .. } => format!("{refused}."),
            _ => format!("The question has {refused}."),
        };
        Refusal::new(code, detail).hint(hint)
    }
}

/// What a column of the key says of a row.
fn label(region: &Region<'_>, meaning: &Meaning, fixed: Option<u16>, bases: &[Base], groups: &[u16]) -> ScalarValue {
    let dataset = region.dataset;
    let code_at = |level: &str| {
        let dimension = dataset.dimension_of(level)?;
        let (base, group) = bases.iter().zip(groups).find(|(base, _)| base.dimension == dimension)?;
        dataset.roll_up(base.breakdown.level(), level, base.code(*group))
    };
    match meaning {
        Meaning::Level { level, form } => {
            let code = fixed.or_else(|| code_at(level));
            code.map_or(ScalarValue::Null, |code| written(region, level, *form, code))
        }
        Meaning::Labels { level, labels } => {
            let code = code_at(level);
            let label = labels.iter().find(|(of, _)| Some(*of) == code);
            label.map_or(ScalarValue::Null, |(_, label)| label.clone())
        }
        Meaning::Measure(_) | Meaning::Hidden(_) | Meaning::Constant(_) => ScalarValue::Null,
    }
}

/// The coordinate of a row at a level of a question.
fn coordinate(region: &Region<'_>, by: &Breakdown, bases: &[Base], groups: &[u16]) -> Option<u16> {
    let dataset = region.dataset;
    let dimension = dataset.dimension_of(by.level())?;
    let (base, group) = bases.iter().zip(groups).find(|(base, _)| base.dimension == dimension)?;
    let code = dataset.roll_up(base.breakdown.level(), by.level(), base.code(*group))?;
    match by {
        Breakdown::Level(_) => Some(code),
        Breakdown::Classes { classes, .. } => {
            classes.iter().position(|class| class.contains(&code)).map(|number| number as u16)
        }
    }
}

/// Advances to the next row; false after the last.
fn next(at: &mut [usize], bases: &[Base]) -> bool {
    for (position, base) in at.iter_mut().zip(bases).rev() {
        *position += 1;
        if *position < base.groups.len() {
            return true;
        }
        *position = 0;
    }
    false
}

/// The codes that share a label, by their least code.
fn classes(labels: &[(u16, ScalarValue)]) -> Vec<Vec<u16>> {
    let mut found: Vec<(&ScalarValue, Vec<u16>)> = Vec::new();
    for (code, label) in labels {
        match found.iter_mut().find(|(other, _)| *other == label) {
            Some((_, codes)) => codes.push(*code),
            None => found.push((label, vec![*code])),
        }
    }
    let mut classes: Vec<Vec<u16>> = found.into_iter().map(|(_, codes)| codes).collect();
    classes.iter_mut().for_each(|class| class.sort_unstable());
    classes.sort();
    classes
}

fn written(region: &Region<'_>, level: &str, form: Form, code: u16) -> ScalarValue {
    let days = || match region.dataset.resolve(level) {
        Some(policy::Resolved::Time(time)) => time.days(code).map(|(first, _)| first),
        _ => None,
    };
    match form {
        Form::Text => ScalarValue::Utf8(region.dataset.code_text(level, code)),
        Form::Year => ScalarValue::Int32((code != policy::time::UNKNOWN).then_some(i32::from(code))),
        Form::FirstDay => ScalarValue::Date32(days()),
        Form::Number => ScalarValue::Null,
    }
}

/// The grouping sets of a GROUP BY, as numbers of its expressions.
fn sets(group_expr: &[Expr], groups: &[&Expr]) -> Result<Vec<Vec<usize>>, Refusal> {
    let number = |expr: &Expr| groups.iter().position(|group| **group == *expr).ok_or_else(misplaced::internal);
    let numbers = |exprs: &[Expr]| exprs.iter().map(number).collect::<Result<Vec<usize>, _>>();
    let too_many = |sets: usize| {
        let detail = format!("GROUP BY stands for {sets} grouping sets, more than {MOST_SETS}.");
        Err(Refusal::new(Code::TooManyGroupingSets, detail).hint("Name the GROUPING SETS that you need."))
    };
    let sets = match group_expr {
        [Expr::GroupingSet(GroupingSet::GroupingSets(sets))] => {
            if sets.len() > MOST_SETS {
                return too_many(sets.len());
            }
            sets.iter().map(|set| numbers(set)).collect::<Result<Vec<_>, _>>()?
        }
        [Expr::GroupingSet(GroupingSet::Rollup(columns))] => {
            let all = numbers(columns)?;
            (0..=all.len()).rev().map(|length| all[..length].to_vec()).collect()
        }
        [Expr::GroupingSet(GroupingSet::Cube(columns))] => {
            let all = numbers(columns)?;
            if all.len() > MOST_SETS.ilog2() as usize {
                return too_many(1_usize.checked_shl(all.len() as u32).unwrap_or(usize::MAX));
            }
            let chosen = |mask: usize| (0..all.len()).filter(|bit| mask >> bit & 1 == 0).map(|bit| all[bit]).collect();
            (0..1_usize << all.len()).map(chosen).collect()
        }
        plain => vec![numbers(plain)?],
    };
    if sets.len() > MOST_SETS { too_many(sets.len()) } else { Ok(sets) }
}

/// The released table under the names that the steps above know.
fn renamed(
    name: &str,
    source: Arc<Released>,
    fields: &[(Option<TableReference>, Arc<Field>)],
) -> datafusion::common::Result<LogicalPlan> {
    let scan = LogicalPlan::TableScan(TableScanBuilder::new(name, source).build()?);
    let columns = fields
        .iter()
        .enumerate()
        .map(|(at, (relation, field))| ident(format!("column_{at}")).alias_qualified(relation.clone(), field.name()));
    Projection::try_new(columns.collect(), Arc::new(scan)).map(LogicalPlan::Projection)
}

fn width(rows: &[Row], at: usize) -> u64 {
    let length = |row: &Row| match row.values.get(at) {
        Some(Source::Known(value)) => value.try_as_str().flatten().map_or(0, str::len) as u64,
        _ => 0,
    };
    rows.iter().map(length).max().unwrap_or(0).max(WRITTEN)
}
