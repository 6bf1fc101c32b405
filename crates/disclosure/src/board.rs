//! All cells of a release on one board, each once, and what an outsider knows to add up.
//!
//! The same cell of two tables (the year's total of every table about the same people) is one cell here, so it is shown
//! or hidden in both and has one number. Families are the linear relations between cells: a total and its parts over
//! one dimension, a year and its quarters.
//!
//! Absent: decisions. `floors`, `complement` and `audit` take them, on the board.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use policy::{Cardinality, Profile, Resolved, TimeLevel};

use crate::anchors::AnchorId;
use crate::error::DisclosureError;
use crate::measured::Space;
use crate::microdata::Prepared;
use crate::noise::Tier;
use crate::prints::Prints;
use crate::query::{Coordinate, Dimension, Measure, TableQuery};
use crate::released::{Amount, Mark, Marked};
use crate::tabulate::{Cells, Facts};

/// Number of a cell on the board.
pub(crate) type CellId = usize;

/// What is known and decided about a cell.
pub(crate) struct Entry {
    pub(crate) facts: Facts,
    /// By which the vault knows it again; none where it is exact.
    pub(crate) prints: Option<Prints>,
    /// Where its set lives.
    pub(crate) space: Arc<Space>,
    /// The rows it was counted from.
    pub(crate) rows: Prepared,
    /// What is counted of it.
    pub(crate) measure: Measure,
    /// Strictest profile among its columns and codes.
    pub(crate) profile: Profile,
    /// On a declared grid: published exact.
    pub(crate) exact: bool,
    /// What the catalogue or the reporting calendar says of it.
    pub(crate) mark: Option<Marked>,
    /// The tier of a first answer: that of its grid in its blocks, never below the profile's first.
    pub(crate) tier: Tier,
    /// How far down the hierarchies it lies: totals are answered before their parts (privacy.md 6.7).
    pub(crate) depth: usize,
    /// The number of units of the same cell, where this one is shown only with it.
    pub(crate) with: Option<CellId>,
    /// The number of agencies of the same cell, which is shown only with this one.
    pub(crate) beside: Option<CellId>,
    /// The set that answers for it, once the guard has found it.
    pub(crate) anchor: Option<Answering>,
    pub(crate) state: State,
}

/// The set that answers for a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answering {
    pub(crate) anchor: AnchorId,
    /// Its size.
    pub(crate) units: u64,
    /// What is true of it, in the unit of its space.
    pub(crate) value: i128,
}

/// Whether a cell is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// With this value; no tier where it is exact.
    Shown { value: i128, tier: Option<Tier>, pinned: bool },
    /// Not shown; why is for the vault alone.
    Hidden(Reason),
}

/// Why a cell is hidden. Internal: the public flag is one (privacy.md 6.14).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Below the floor on units.
    SmallCount,
    /// Too few cases, or one case too large.
    Cases,
    /// One or two private caseloads dominate.
    Caseload,
    /// To protect another cell.
    Secondary,
    /// Not collected, or cannot exist: says nothing about a count.
    Marked,
    /// Suppressed before.
    Earlier,
    /// The units of the same cell are not shown.
    Units,
}

impl Entry {
    pub(crate) fn floor(&self) -> u64 {
        self.rows.0.policy.floor(self.profile)
    }

    /// What is true of it, in whole units of its measure: exact cells unclamped.
    pub(crate) fn true_value(&self) -> u64 {
        if self.exact { self.facts.exact_value(&self.measure) } else { self.facts.set().n }
    }

    /// What of it adds up along families: units, or of a sum the sum itself, in millionths.
    fn addend(&self) -> i128 {
        match &self.measure {
            Measure::Sum(_) => self.facts.measured.value,
            _ => self.true_value().into(),
        }
    }

    /// What one unit adds at most, in the unit of the space: an outsider's doubt about a sum is counted in these.
    fn most_of_one(&self) -> f64 {
        match &self.measure {
            Measure::Sum(_) => {
                self.measure.most_of_one(&self.rows.0.policy).max(1) as f64 * (Amount::ONE / self.space.micros) as f64
            }
            _ => 1.0,
        }
    }

    /// What is true of it as the audit counts: units, or how many of the largest values a sum is worth.
    pub(crate) fn true_amount(&self) -> f64 {
        self.addend() as f64 / self.most_of_one()
    }

    /// A number of its space in the same way.
    pub(crate) fn amount(&self, value: i128) -> f64 {
        value as f64 / self.most_of_one()
    }

    /// How far its shown value may be from what it is the value of, in the same way: the bound of its noise.
    pub(crate) fn bound(&self, tier: Tier) -> f64 {
        // What is dithered is rounded to a whole unit.
        let rounding = if self.space.scale > 1 { Amount::ONE / self.space.micros } else { 0 };
        self.amount(i128::from(tier.bound()) * self.space.scale + self.space.scale / 2 + rounding)
    }

    /// What a shown cell cannot be below: the floor on units. A sum may be of units that are worth nothing.
    pub(crate) fn least_shown(&self, tier: Tier) -> u64 {
        if matches!(self.measure, Measure::Sum(_)) { 0 } else { tier.floor(self.floor()) }
    }

    /// The shown value, and the variance of its noise.
    pub(crate) fn shown(&self) -> Option<(i128, u64)> {
        match self.state {
            State::Shown { value, tier, .. } => Some((value, tier.map_or(0, Tier::variance))),
            State::Hidden(_) => None,
        }
    }

    /// Whether it may be hidden to protect another.
    pub(crate) fn can_be_hidden(&self) -> bool {
        !self.exact && matches!(self.state, State::Shown { .. })
    }

    pub(crate) fn is_pinned(&self) -> bool {
        matches!(self.state, State::Shown { pinned: true, .. })
    }

    /// Known to be empty by definition.
    pub(crate) fn is_impossible(&self) -> bool {
        self.mark == Some(Marked::Impossible)
    }
}

/// A cell and its parts.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) total: CellId,
    pub(crate) children: Vec<CellId>,
    /// Along a dimension where a unit has one code: complementary suppression applies.
    pub(crate) complementary: bool,
    /// In all families of this kind the parts sum to at least the total.
    pub(crate) at_least: bool,
    /// In all families of this kind the parts sum to at most the total.
    pub(crate) at_most: bool,
}

/// The parts of a total that was not asked for.
pub(crate) struct Siblings {
    pub(crate) cells: Vec<CellId>,
    /// Whether the total, wherever it is asked for, is published exact.
    pub(crate) of_exact: bool,
}

/// The tier of a cell, by its coordinates.
pub(crate) type TierAt<'a> = Box<dyn FnMut(&[Coordinate]) -> Tier + 'a>;

/// For a table: the tier of each cell's grid in the blocks that the cell touches (privacy.md 6.8).
pub(crate) trait Tiers {
    /// The tiers of the cells of one table, by their coordinates.
    fn of<'a>(&'a self, query: &'a TableQuery) -> TierAt<'a>;
}

/// A table of the release and where its cells are on the board.
pub(crate) struct Placed {
    pub(crate) name: String,
    pub(crate) cells: Cells,
    pub(crate) ids: Vec<CellId>,
}

/// Every cell of a release.
pub(crate) struct Board {
    pub(crate) cells: Vec<Entry>,
    pub(crate) tables: Vec<Placed>,
    pub(crate) families: Vec<Family>,
    /// Siblings along a dimension of a question that asked for no total, which anybody may ask for elsewhere.
    pub(crate) siblings: Vec<Siblings>,
    /// Cells that one set answers for, of one profile: shown or hidden together.
    twins: HashMap<(AnchorId, Profile), Vec<CellId>>,
    known: HashSet<(CellId, Vec<CellId>)>,
}

/// What makes two cells one: the same question to the same dataset about the same codes. A population of one code is a
/// code like one of the breakdown (privacy.md 6.2, canonicalisation 3): those of one table's `yes` are another's persons.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Identity {
    subject: usize,
    at: Vec<(String, u16)>,
}

impl Board {
    /// Lays out the tables of a release. Fails when two tables were counted from different rows.
    pub(crate) fn new(tables: Vec<(String, Cells, Vec<Mark>)>, tiers: &dyn Tiers) -> Result<Self, DisclosureError> {
        let mut layout = Layout { subjects: Vec::new(), ids: HashMap::new() };
        let mut board = Self {
            cells: Vec::new(),
            tables: Vec::new(),
            families: Vec::new(),
            siblings: Vec::new(),
            twins: HashMap::new(),
            known: HashSet::new(),
        };
        for (name, cells, marks) in tables {
            let ids = board.place(&mut layout, &cells, &marks, tiers)?;
            board.tables.push(Placed { name, cells, ids });
        }
        board.find_units_of_agencies(&layout);
        for table in 0..board.tables.len() {
            board.add_families_of_totals(table);
            board.add_families_of_roll_ups(&layout, table);
        }
        Ok(board)
    }

    fn place(
        &mut self,
        layout: &mut Layout,
        cells: &Cells,
        marks: &[Mark],
        tiers: &dyn Tiers,
    ) -> Result<Vec<CellId>, DisclosureError> {
        let query = &cells.query;
        let subject = layout.subject(query);
        let policy = &cells.rows.0.policy;
        let space = Arc::new(Space::of(policy, &query.measure));
        let population = sorted_population(query);
        let base = population.iter().flat_map(|(name, codes)| codes.iter().map(|&code| (name.as_str(), code)));
        let base = base.map(|(name, code)| policy.profile_of(name, code)).max().unwrap_or(Profile::Std);
        let mut tier_at = tiers.of(query);
        let mut exact_margins: HashMap<Vec<bool>, bool> = HashMap::new();
        let mut ids = Vec::with_capacity(cells.facts.len());
        for (cell, &facts) in cells.facts.iter().enumerate() {
            let at = query.coordinates(&cells.shape, cell);
            let split: Vec<bool> = at.iter().map(|c| *c != Coordinate::Total).collect();
            let exact = *exact_margins.entry(split).or_insert_with_key(|split| {
                let by = query.by.iter().zip(split).filter(|(_, split)| **split).map(|(dimension, _)| dimension);
                is_declared(policy, query, by, &population)
            });
            let named = named(query, &at);
            let profile = codes_at(query, &at).map(|(name, code)| policy.profile_of(name, code));
            let profile = profile.fold(base, Profile::max);
            let depth = named.iter().map(|(name, _)| depth_of(policy.resolve(name))).sum();
            // An L on a protected cell would confirm that nobody is there, which is never confirmed of persons (6.6).
            let applies = |mark: &&Mark| mark.covers(&named) && (exact || mark.status != Marked::NotCollected);
            let mark = marks.iter().filter(applies).map(|mark| mark.status).max();
            let id = *layout.ids.entry(Identity { subject, at: named }).or_insert(self.cells.len());
            if id == self.cells.len() {
                self.cells.push(Entry {
                    facts,
                    prints: cells.prints_of(cell).copied(),
                    space: Arc::clone(&space),
                    rows: cells.rows.clone(),
                    measure: query.measure.clone(),
                    profile,
                    exact,
                    mark,
                    tier: tier_at(&at).max(Tier::first_of(profile)),
                    depth,
                    with: None,
                    beside: None,
                    anchor: None,
                    state: State::Hidden(Reason::Marked),
                });
            } else if self.cells[id].facts != facts {
                return Err(DisclosureError::Inconsistent(query.dataset.clone()));
            } else {
                self.cells[id].mark = self.cells[id].mark.max(mark);
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// Finds for each number of agencies the number of units of the same cell.
    fn find_units_of_agencies(&mut self, layout: &Layout) {
        for (subject, (dataset, measure, population)) in layout.subjects.iter().enumerate() {
            let of_units = (dataset.clone(), Measure::Units, population.clone());
            let units = layout.subjects.iter().position(|subject| *subject == of_units);
            let (Measure::Agencies, Some(units)) = (measure, units) else { continue };
            for (identity, &id) in layout.ids.iter().filter(|(identity, _)| identity.subject == subject) {
                let same = Identity { subject: units, at: identity.at.clone() };
                self.cells[id].with = layout.ids.get(&same).copied();
                if let Some(units) = self.cells[id].with {
                    self.cells[units].beside = Some(id);
                }
            }
        }
    }

    /// The cells in the order in which they are answered: totals before parts, coarse before fine, units before what is shown with
    /// them, then as they stand.
    pub(crate) fn coarse_to_fine(&self) -> Vec<CellId> {
        let mut order: Vec<CellId> = (0..self.cells.len()).collect();
        order.sort_by_key(|&id| (self.cells[id].depth, self.cells[id].with.is_some(), id));
        order
    }

    /// The first cell that a set answers for, of this profile.
    pub(crate) fn answered_for(&self, anchor: AnchorId, profile: Profile) -> Option<CellId> {
        self.twins.get(&(anchor, profile)).and_then(|cells| cells.first().copied())
    }

    /// Notes that a set answers for a cell.
    pub(crate) fn answered_by(&mut self, id: CellId, answering: Answering) {
        let entry = &mut self.cells[id];
        entry.anchor = Some(answering);
        self.twins.entry((answering.anchor, entry.profile)).or_default().push(id);
    }

    /// Whether a cell that a set answers for, of this profile, is shown.
    pub(crate) fn shows(&self, anchor: AnchorId, profile: Profile) -> bool {
        self.answered_for(anchor, profile).is_some_and(|id| matches!(self.cells[id].state, State::Shown { .. }))
    }

    /// Hides a cell, and with it those that the same set answers for, of its profile or a stricter one, and the agencies of all of
    /// these. Returns all that were hidden.
    pub(crate) fn hide(&mut self, id: CellId) -> Vec<CellId> {
        let (anchor, profile) = (self.cells[id].anchor, self.cells[id].profile);
        let answered = |stricter: Profile| self.twins.get(&(anchor?.anchor, stricter));
        let twins = Profile::ALL.into_iter().filter(|stricter| *stricter >= profile).filter_map(answered).flatten();
        // A stricter number that was released before is known.
        let with_it = |twin: &CellId| self.cells[*twin].profile == profile || !self.cells[*twin].is_pinned();
        let twins: Vec<CellId> = twins.copied().filter(with_it).collect();
        let mut hidden = if twins.is_empty() { vec![id] } else { twins };
        for &id in &hidden {
            self.cells[id].state = State::Hidden(Reason::Secondary);
        }
        let agencies: Vec<CellId> = hidden.iter().filter_map(|&id| self.cells[id].beside).collect();
        for &id in &agencies {
            self.hide_agencies(id);
        }
        hidden.extend(agencies);
        hidden
    }

    /// Hides a number of agencies. The set that answers for it answers for many cells, which are not hidden for this one.
    fn hide_agencies(&mut self, id: CellId) {
        let profile = self.cells[id].profile;
        self.cells[id].state = State::Hidden(Reason::Units);
        if let Some(answering) = self.cells[id].anchor.take() {
            self.twins.entry((answering.anchor, profile)).or_default().retain(|&twin| twin != id);
        }
    }

    /// Notes the siblings of a question's own grid: its totals may be asked for elsewhere (privacy.md 6.6).
    pub(crate) fn add_siblings(&mut self) {
        for table in 0..self.tables.len() {
            let placed = &self.tables[table];
            let (query, shape) = (&placed.cells.query, &placed.cells.shape);
            let mut found = Vec::new();
            for (dimension, &stride) in query.by.iter().zip(&shape.strides) {
                if dimension.total || !self.is_complementary(table, dimension) {
                    continue;
                }
                let first = |cell: &usize| (cell / stride).is_multiple_of(dimension.len());
                let row = |cell: usize| Siblings {
                    cells: (0..dimension.len()).map(|at| placed.ids[cell + at * stride]).collect(),
                    of_exact: is_total_exact(&placed.cells, cell, dimension),
                };
                found.extend((0..shape.cells).filter(first).map(row));
            }
            self.siblings.extend(found);
        }
    }

    /// The families each cell belongs to.
    pub(crate) fn families_of(&self) -> Vec<Vec<usize>> {
        let mut families_of = vec![Vec::new(); self.cells.len()];
        for (at, family) in self.families.iter().enumerate() {
            families_of[family.total].push(at);
            family.children.iter().for_each(|&child| families_of[child].push(at));
        }
        families_of
    }

    /// A total and its parts, along each dimension that has a total.
    fn add_families_of_totals(&mut self, table: usize) {
        let placed = &self.tables[table];
        let (query, shape) = (&placed.cells.query, &placed.cells.shape);
        let mut kinds = Vec::new();
        for (dimension, &stride) in query.by.iter().zip(&shape.strides) {
            if !dimension.total {
                continue;
            }
            let is_total = |cell: usize| cell / stride % dimension.len() == dimension.codes.len();
            let family = |cell: usize| {
                let first = cell - dimension.codes.len() * stride;
                let children = (0..dimension.codes.len()).map(|at| placed.ids[first + at * stride]);
                (placed.ids[cell], children.collect())
            };
            let families = (0..shape.cells).filter(|&cell| is_total(cell)).map(family).collect();
            kinds.push((self.is_complementary(table, dimension), families));
        }
        for (complementary, families) in kinds {
            self.add_kind(complementary, families);
        }
    }

    /// A coarser cell anywhere in the release and its parts in this table: along a roll-up, or the total over a
    /// dimension that has none here and that another table shows (persons assisted, and their outcomes).
    fn add_families_of_roll_ups(&mut self, layout: &Layout, table: usize) {
        let placed = &self.tables[table];
        let (query, shape) = (&placed.cells.query, &placed.cells.shape);
        let subject = layout.find(query);
        let mut kinds = Vec::new();
        for (at, dimension) in query.by.iter().enumerate() {
            let elsewhere = (!dimension.total).then_some(None);
            for up in dimension.rolls_up.iter().map(Some).chain(elsewhere) {
                let mut families: BTreeMap<CellId, Vec<CellId>> = BTreeMap::new();
                for cell in 0..shape.cells {
                    let coordinates = query.coordinates(shape, cell);
                    let position = cell / shape.strides[at] % dimension.len();
                    let mut named = named(query, &coordinates);
                    named.retain(|(name, _)| *name != dimension.name);
                    if let Some(up) = up {
                        let Some(&Some(code)) = up.codes.get(position) else { continue };
                        named.push((up.to.clone(), code));
                    }
                    if let Some(&parent) = layout.ids.get(&Identity { subject, at: sorted(named) }) {
                        families.entry(parent).or_default().push(placed.ids[cell]);
                    }
                }
                kinds.push((self.is_complementary(table, dimension), families.into_iter().collect()));
            }
        }
        for (complementary, families) in kinds {
            self.add_kind(complementary, families);
        }
    }

    /// Adds the families of one kind, with what holds of their sums in all of them.
    fn add_kind(&mut self, complementary: bool, families: Vec<(CellId, Vec<CellId>)>) {
        let value = |id: CellId| self.cells[id].addend();
        let sum = |children: &[CellId]| children.iter().map(|&id| value(id)).sum::<i128>();
        let at_least = families.iter().all(|(total, children)| sum(children) >= value(*total));
        let at_most = families.iter().all(|(total, children)| sum(children) <= value(*total));
        for (total, children) in families {
            let family = Family { total, children, complementary, at_least, at_most };
            if family.children != [family.total] && self.known.insert((family.total, family.children.clone())) {
                self.families.push(family);
            }
        }
    }

    fn is_complementary(&self, table: usize, dimension: &Dimension) -> bool {
        let policy = &self.tables[table].cells.rows.0.policy;
        match policy.resolve(&dimension.name) {
            Some(Resolved::Column(column, _)) => column.cardinality == Cardinality::One,
            _ => true,
        }
    }
}

/// Names of subjects and cells while the board is laid out.
struct Layout {
    subjects: Vec<Subject>,
    ids: HashMap<Identity, CellId>,
}

/// Of whom a table speaks, codes apart that name a part: dataset, what is counted, conditions of several codes.
type Subject = (String, Measure, BTreeMap<String, Vec<u16>>);

impl Layout {
    fn subject(&mut self, query: &TableQuery) -> usize {
        let found = self.find(query);
        if found == self.subjects.len() {
            self.subjects.push(subject_of(query));
        }
        found
    }

    fn find(&self, query: &TableQuery) -> usize {
        let wanted = subject_of(query);
        self.subjects.iter().position(|subject| *subject == wanted).unwrap_or(self.subjects.len())
    }
}

fn subject_of(query: &TableQuery) -> Subject {
    let mut population = sorted_population(query);
    population.retain(|_, codes| codes.len() > 1);
    (query.dataset.clone(), query.measure.clone(), population)
}

/// The population with ascending codes: two spellings of one question are one question.
fn sorted_population(query: &TableQuery) -> BTreeMap<String, Vec<u16>> {
    let mut population = query.population.clone();
    for codes in population.values_mut() {
        codes.sort_unstable();
        codes.dedup();
    }
    population
}

/// The dimensions on which a cell is split or that its table selects by one code, with their codes.
fn named(query: &TableQuery, at: &[Coordinate]) -> Vec<(String, u16)> {
    let code = |(dimension, at): (&Dimension, &Coordinate)| match at {
        Coordinate::Code(code) => Some((dimension.label(), *code)),
        Coordinate::Total | Coordinate::Remainder => None,
    };
    let chosen = sorted_population(query).into_iter().filter(|(_, codes)| codes.len() == 1);
    let chosen = chosen.map(|(name, codes)| (name, codes[0]));
    let mut named: Vec<(String, u16)> = query.by.iter().zip(at).filter_map(code).chain(chosen).collect();
    named.sort_unstable();
    named.dedup();
    named
}

fn sorted(mut named: Vec<(String, u16)>) -> Vec<(String, u16)> {
    named.sort_unstable();
    named
}

/// Whether a margin of a table is published exact: its measure counts acts, on a declared grid.
fn is_declared<'q>(
    policy: &policy::Dataset,
    query: &TableQuery,
    by: impl Iterator<Item = &'q Dimension>,
    population: &BTreeMap<String, Vec<u16>>,
) -> bool {
    // Codes put together by hand are a level of their own, declared nowhere.
    let by: Option<Vec<&str>> = by.map(|d| d.classes.is_none().then_some(d.name.as_str())).collect();
    let declared = |count| by.is_some_and(|by| policy.is_declared(count, &by, population));
    query.measure.count().is_some_and(declared)
}

/// Whether the total over a dimension to which a cell belongs is published exact.
fn is_total_exact(cells: &Cells, cell: usize, over: &Dimension) -> bool {
    let (query, at) = (&cells.query, cells.query.coordinates(&cells.shape, cell));
    let others = query.by.iter().zip(&at).filter(|(d, at)| **at != Coordinate::Total && d.name != over.name);
    let others = others.map(|(dimension, _)| dimension);
    is_declared(&cells.rows.0.policy, query, others, &sorted_population(query))
}

/// The codes of the data that a cell takes: of a class, all of its codes; those that its table selects by.
fn codes_at<'a>(query: &'a TableQuery, at: &'a [Coordinate]) -> impl Iterator<Item = (&'a str, u16)> {
    query.by.iter().zip(at).flat_map(|(dimension, at)| {
        let position = match at {
            Coordinate::Code(code) => dimension.codes.iter().position(|known| known == code),
            Coordinate::Total | Coordinate::Remainder => None,
        };
        let here = dimension.positions().filter(move |(at, _)| Some(*at) == position);
        here.map(|(_, code)| (dimension.name.as_str(), code))
    })
}

/// How fine a level is: 1 at the coarsest.
fn depth_of(resolved: Option<Resolved<'_>>) -> usize {
    match resolved {
        Some(Resolved::Time(TimeLevel::Month)) => 3,
        Some(Resolved::Time(TimeLevel::Quarter)) => 2,
        Some(Resolved::Column(column, level)) => column.levels.len() + 1 - level.map_or(0, |at| at + 1),
        Some(Resolved::Time(TimeLevel::Year | TimeLevel::FiscalYear) | Resolved::Band(_)) | None => 1,
    }
}
