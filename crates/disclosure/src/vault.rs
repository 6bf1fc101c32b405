//! The one gate between persons and numbers (privacy.md 6.1): it holds the rows of a Snapshot and the memory of all
//! that was ever answered, and releases cells.
//!
//! The vault is serial: one release after the other, each on the memory that the one before left. What is new is durable
//! in the store before anything is returned.
//!
//! Absent: SQL, who may ask, time, a second way to a number.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy::{Dataset, Keys, Policy, Profile, Share};

use crate::board::{Board, TierAt, Tiers};
use crate::cell_query::{Breakdown, CellQuery};
use crate::charges::{Block, Charges, Grid, Short, Spent, is_of};
use crate::error::DisclosureError;
use crate::floors;
use crate::footprint::{Span, decides_blocks};
use crate::measured::Space;
use crate::memory::{Draft, Memory};
use crate::microdata::{Microdata, Prepared};
use crate::noise::Tier;
use crate::price;
use crate::protect::{Release, Table, placed, protect, protect_question};
use crate::query::{Coordinate, Dimension, Measure, TableQuery};
use crate::release_store::{Charge, Entry, Head, ReleaseStore, Remembered, StoreError};
use crate::released::{Amount, Figure, Released};
use crate::room::Room;
use crate::tabulate::{count_half, tabulate};
use crate::weak::Protection;

/// How often a release is tried again after another process committed in between.
const ATTEMPTS: usize = 8;

/// Why the vault does not answer. Never because of a count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The question does not fit policy or rows, or the release could not be audited.
    #[error(transparent)]
    Disclosure(#[from] DisclosureError),
    /// The memory failed; nothing was answered.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The share is spent of what may be asked about these blocks (privacy.md 6.4, code 1020).
    #[error(transparent)]
    Spent(#[from] Spent),
    /// No Snapshot is open to questions.
    #[error("no Snapshot is open to questions yet: publish an edition first")]
    NoRoom,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The date of its Snapshot (privacy.md 6.14).
    pub as_of: String,
    /// Every cell of its grid, in the order of its breakdown's codes.
    pub cells: Vec<AnsweredCell>,
    /// Numbers of the sets in the vault's memory that answered, for the log of what was asked (privacy.md 6.12): which cells
    /// a set answers for is not told. Nothing of exact cells.
    pub anchors: Vec<u64>,
    /// What it was charged, a line for each grid and for its open quarter, for the same log; empty where all of it was paid before.
    pub charged: Vec<String>,
}

/// A cell of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredCell {
    /// Its code on each level of the breakdown; the number of the class on a user-defined level.
    pub at: Vec<u16>,
    /// What may be shown, one figure per measure; where no measure was asked for, the number of units.
    pub figures: Vec<Figure>,
}

/// What questions would cost that are asked together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quoted {
    /// For each question, a quote for each of its measures; where no measure was asked for, for the number of units.
    pub questions: Vec<Vec<Quote>>,
    /// Why the share could not pay for all of them together: nothing of them would be answered.
    pub spent: Option<Spent>,
}

/// What a measure of a question would cost, after the ones before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The measure.
    pub measure: Measure,
    /// Answered exactly: no charge, no noise.
    pub is_exact: bool,
    /// Charged before, by whomever: asking costs nothing.
    pub is_free: bool,
    /// The widest noise that its grid is charged with in the blocks it touches.
    pub charged_tier: Tier,
    /// The strictest profile among the codes asked about.
    pub profile: Profile,
    /// What one step of the noise is worth.
    pub step: Amount,
    /// The counters that it raises in each block, and by how much.
    pub weights: Vec<(String, u32)>,
    /// The grid.
    pub grid: String,
}

impl Quote {
    /// The widest noise of its cells: the one charged, never below the first of their profile.
    pub fn tier(&self) -> Tier {
        self.charged_tier.max(Tier::first_of(self.profile))
    }

    /// The units below which its most protected cells are not shown: of their profile, and of their noise.
    pub fn floor(&self, dataset: &Dataset) -> u64 {
        self.tier().floor(dataset.floor(self.profile))
    }
}

/// The vault.
pub struct Vault {
    policy: Arc<Policy>,
    keys: Keys,
    protection: Protection,
    /// Whether a share is a limit: always, but in a vault that was weakened for attacks.
    quotas: bool,
    state: Mutex<State>,
}

struct State {
    store: Box<dyn ReleaseStore>,
    memory: Memory,
    charges: Charges,
    head: Head,
    room: Option<Arc<Room>>,
    /// What was answered on the Snapshot that is open, by the question's id: an answer is given once and never changes
    /// there, so that it need not be counted again.
    answered: HashMap<String, Answered>,
    /// Whether the memory may hold what the store does not: while a release is being made, and after one that panicked.
    drafting: bool,
    protection: Protection,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Replays the memory. Fails where the store does, and on entries that do not fit each other.
    pub fn open(policy: Arc<Policy>, keys: &Keys, store: Box<dyn ReleaseStore>) -> Result<Self, StoreError> {
        let vault = Self::over(policy, keys, store, Protection::Full);
        vault.state().catch_up()?;
        Ok(vault)
    }

    /// A vault that remembers nothing yet and keeps nothing. For tests and measurements: what it says must not be shown
    /// beside the answers of another.
    pub fn forgetful(policy: Arc<Policy>, keys: &Keys) -> Self {
        Self::over(policy, keys, Box::new(Remembered::default()), Protection::Full)
    }

    /// The same with less protection, and where `quotas` are off with nothing refused for its price: a target for attacks
    /// (privacy.md 7.1). What it says is no release.
    #[doc(hidden)]
    pub fn weakened(policy: Arc<Policy>, keys: &Keys, protection: Protection, quotas: bool) -> Self {
        Self { quotas, ..Self::over(policy, keys, Box::new(Remembered::default()), protection) }
    }

    fn over(policy: Arc<Policy>, keys: &Keys, store: Box<dyn ReleaseStore>, protection: Protection) -> Self {
        let state = State {
            store,
            memory: Memory::new(protection),
            charges: Charges::new(policy.datasets.charging()),
            head: Head::default(),
            room: None,
            answered: HashMap::new(),
            drafting: false,
            protection,
        };
        Self { policy, keys: keys.clone(), protection, quotas: true, state: Mutex::new(state) }
    }

    /// What may be asked about and how it is protected.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Opens a Snapshot to questions, in place of the one before. Questions under way end on theirs.
    pub fn enter(&self, room: Room) {
        let mut state = self.state();
        state.answered.clear();
        state.room = Some(Arc::new(room));
    }

    /// The Snapshot that is open to questions.
    pub fn room(&self) -> Option<Arc<Room>> {
        self.state().room.clone()
    }

    /// Where the memory stands.
    pub fn head(&self) -> Result<Head, StoreError> {
        let mut state = self.state();
        state.catch_up()?;
        Ok(state.head)
    }

    /// Checks rows and gives them their keys.
    pub fn prepare(&self, rows: Microdata) -> Result<Prepared, DisclosureError> {
        Prepared::new(rows, &self.policy, &self.keys)
    }

    /// Releases all tables of an edition together. The grids that the policy declares are charged first, then theirs, in
    /// this order, so that they keep the best noise. Nothing is returned before all of it is remembered; with it, where the memory stood before and after.
    pub fn release(&self, tables: Vec<Table>, span: &Span) -> Result<(Release, [Head; 2]), VaultError> {
        self.state().commit(&mut |draft, charges| {
            let declared = price::declared(&self.policy, span)?;
            for query in declared.iter().map(|(_, query)| query).chain(tables.iter().map(|table| &table.cells.query)) {
                self.declare(query, span, draft, charges)?;
            }
            let tiers = TiersInForce { policy: &self.policy, span, charges };
            Ok(protect(tables.clone(), &self.keys, draft, &tiers)?)
        })
    }

    /// Charges every margin of a declared table that is not exact. What is declared is never refused for its price.
    fn declare(
        &self,
        query: &TableQuery,
        span: &Span,
        draft: &mut Draft<'_>,
        charges: &mut Charges,
    ) -> Result<(), DisclosureError> {
        let dataset = self.dataset(&query.dataset)?;
        for (grid, blocks) in query.margins_charged(dataset, span) {
            for charge in charges.due(&grid, &blocks, span.open(), None) {
                charges.take(&charge);
                draft.charge(charge);
            }
        }
        Ok(())
    }

    /// Answers questions in this order, on the Snapshot that is open; `share` pays for what was not asked before.
    pub fn ask(&self, questions: &[CellQuery], share: Share) -> Result<Vec<Answered>, VaultError> {
        let ids: Vec<String> = questions.iter().map(CellQuery::id).collect();
        let known =
            |state: &State| -> Vec<Option<Answered>> { ids.iter().map(|id| state.answered.get(id).cloned()).collect() };
        let (room, mut answers) = {
            let state = self.state();
            (state.room.clone().ok_or(VaultError::NoRoom)?, known(&state))
        };
        let new: Vec<CellQuery> =
            questions.iter().zip(&answers).filter(|(_, known)| known.is_none()).map(|(new, _)| new.clone()).collect();
        if !new.is_empty() {
            let made = self.ask_anew(&room, &new, share)?;
            let places = answers.iter_mut().zip(ids).filter(|(known, _)| known.is_none());
            let mut state = self.state();
            for ((answer, id), made) in places.zip(made) {
                state.keep(&room, id, &made);
                *answer = Some(made);
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Counts, charges and answers.
    fn ask_anew(&self, room: &Arc<Room>, questions: &[CellQuery], share: Share) -> Result<Vec<Answered>, VaultError> {
        let grids = questions.iter().map(|question| self.grids(question, &room.span)).collect::<Result<Vec<_>, _>>()?;
        let bill_of = |charges: &Charges| {
            let bill = charges.bill(grids.concat(), room.span.open(), share, self.quotas);
            bill.map_err(|short| self.spent(charges, short, share))
        };
        // What a share cannot pay is refused before any row is read (privacy.md 6.4), and once more when others have paid since.
        let mut state = self.state();
        state.settle()?;
        bill_of(&state.charges)?;
        drop(state);
        let tables = questions.iter().map(|question| self.tables(room, question)).collect::<Result<Vec<_>, _>>()?;
        let ((mut bill, released), _) = self.state().commit(&mut |draft, charges| {
            let bill = bill_of(charges)?;
            for charge in &bill {
                charges.take(charge);
                draft.charge(charge.clone());
            }
            let tiers = TiersInForce { policy: &self.policy, span: &room.span, charges };
            let protect =
                |tables: &Vec<Table>| protect_question(tables.clone(), &self.keys, draft, &tiers, self.protection);
            Ok((bill, tables.iter().map(protect).collect::<Result<Vec<Vec<Released>>, _>>()?))
        })?;
        let answers = grids.iter().zip(&released).map(|(grids, released)| {
            let is_its = |charge: &mut Charge| grids.iter().any(|(grid, _)| is_of(charge, grid));
            let charged = bill.extract_if(.., is_its).map(|charge| charge.to_string()).collect();
            Answered { charged, ..answered(released, &room.as_of) }
        });
        Ok(answers.collect())
    }

    /// What a share could not pay, and what is free beside it.
    fn spent(&self, charges: &Charges, Short { counter, grid, blocks }: Short, share: Share) -> Spent {
        let dataset = grid.name.split(':').next().and_then(|name| self.policy.datasets.get(name));
        let free = dataset.map(|dataset| charges.free(dataset, &grid, &blocks)).unwrap_or_default();
        Spent { role: share.name(), counter, free }
    }

    /// Counts a question by what one of two threads does, and searches for its anchors; tells nothing but which part is done.
    /// For measuring what each takes.
    #[doc(hidden)]
    pub fn in_parts(&self, question: &CellQuery, done: &mut dyn FnMut(&'static str)) -> Result<(), VaultError> {
        let room = self.room().ok_or(VaultError::NoRoom)?;
        let tables = self.tables(&room, question)?;
        done("counting on two threads");
        for table in &tables {
            count_half(&table.cells.rows, &table.cells.query, done)?;
        }
        let mut state = self.state();
        state.settle()?;
        let tiers = TiersInForce { policy: &self.policy, span: &room.span, charges: &state.charges };
        let board = Board::new(placed(tables), &tiers)?;
        done("board");
        floors::look(&board, &self.keys, &state.memory);
        done("search for anchors");
        Ok(())
    }

    /// What these questions would cost if they were asked together now, in this order, and how wide their noise would be.
    /// Follows from the questions and from what was charged before, never from data.
    pub fn quote(&self, questions: &[CellQuery], share: Share) -> Result<Quoted, VaultError> {
        let room = self.room().ok_or(VaultError::NoRoom)?;
        let grids = questions.iter().map(|question| self.grids(question, &room.span)).collect::<Result<Vec<_>, _>>()?;
        let (mut charges, spent) = {
            let mut state = self.state();
            state.settle()?;
            let bill = state.charges.bill(grids.concat(), room.span.open(), share, self.quotas);
            let spent = bill.err().map(|short| self.spent(&state.charges, short, share));
            (state.charges.about(grids.iter().flatten().map(|(grid, _)| grid)), spent)
        };
        let quotes = questions.iter().map(|question| self.quote_on(&mut charges, question, &room.span, share));
        Ok(Quoted { questions: quotes.collect::<Result<_, _>>()?, spent })
    }

    /// Charges a question to a copy, and tells what it cost there: the next one finds it charged.
    fn quote_on(
        &self,
        charges: &mut Charges,
        question: &CellQuery,
        span: &Span,
        share: Share,
    ) -> Result<Vec<Quote>, DisclosureError> {
        let dataset = self.dataset(&question.dataset)?;
        let blocks = span.blocks(dataset, question.conditions());
        let profile = question.profile(dataset, span.years.clone());
        let quote = |measure: &Measure| {
            let grid = question.grid(dataset, measure);
            let is_exact = question.is_exact(dataset, measure);
            let due = if is_exact { Vec::new() } else { charges.due(&grid, &blocks, span.open(), Some(share)) };
            for charge in &due {
                charges.take(charge);
            }
            Quote {
                measure: measure.clone(),
                is_exact,
                is_free: due.is_empty(),
                charged_tier: charges.tier(&grid, blocks.iter().copied()),
                profile,
                step: Space::of(dataset, measure).step(),
                weights: grid.counters,
                grid: grid.name,
            }
        };
        Ok(measures_of(question).iter().map(quote).collect())
    }

    /// The grids that a question stands on, one for each of its measures that is not exact, with the blocks it touches.
    fn grids(&self, question: &CellQuery, span: &Span) -> Result<Vec<(Grid, Vec<Block>)>, DisclosureError> {
        let dataset = self.dataset(&question.dataset)?;
        let blocks = span.blocks(dataset, question.conditions());
        let charged = measures_of(question).iter().filter(|measure| !question.is_exact(dataset, measure));
        Ok(charged.map(|measure| (question.grid(dataset, measure), blocks.clone())).collect())
    }

    fn dataset(&self, name: &str) -> Result<&Dataset, DisclosureError> {
        self.policy.datasets.get(name).ok_or_else(|| DisclosureError::UnknownDataset(name.to_owned()))
    }

    /// Counts a question: one table for each measure.
    fn tables(&self, room: &Room, question: &CellQuery) -> Result<Vec<Table>, DisclosureError> {
        let unknown = || DisclosureError::UnknownDataset(question.dataset.clone());
        let rows = room.datasets.get(&question.dataset).ok_or_else(unknown)?;
        let table = |(number, measure): (usize, &Measure)| {
            let query = self.table_query(room, question, measure.clone())?;
            let dataset = self.dataset(&question.dataset)?;
            let marks = room.marks(dataset, &query, question.is_exact(dataset, measure))?;
            Ok(Table { name: number.to_string(), cells: tabulate(rows, &query)?, marks })
        };
        measures_of(question).iter().enumerate().map(table).collect()
    }

    /// Lays a question out over its code lists.
    pub(crate) fn table_query(
        &self,
        room: &Room,
        question: &CellQuery,
        measure: Measure,
    ) -> Result<TableQuery, DisclosureError> {
        let name = &question.dataset;
        let dataset = self.dataset(name)?;
        // A record stands for its case where there is no case (privacy.md 6.2, mart rows).
        let measure = if measure == Measure::Cases && dataset.unit.is_record() { Measure::Units } else { measure };
        let groups = question.groups(dataset, room.span.years.clone());
        let dimension = |(breakdown, groups): (&Breakdown, Vec<u16>)| match breakdown {
            Breakdown::Classes { level, classes } => Dimension::classes(level, classes.clone()),
            Breakdown::Level(level) => Dimension::codes(level, room.shown(dataset, level, groups)),
        };
        let conditions = question.population.iter().map(|c| (c.level.clone(), c.codes.clone()));
        let by = question.by.iter().zip(groups).map(dimension).collect();
        Ok(TableQuery { dataset: name.clone(), measure, population: conditions.collect(), by })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A release that panicked left a draft in memory, never in the store: `commit` replays then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cells of answers that are kept for who asks again.
const MOST_KEPT: usize = 1_000_000;

impl State {
    /// Keeps an answer that was given on a Snapshot, while that is open.
    fn keep(&mut self, room: &Arc<Room>, id: String, answer: &Answered) {
        if self.room.as_ref().is_some_and(|open| Arc::ptr_eq(open, room)) {
            let kept: usize = self.answered.values().map(|answer| answer.cells.len()).sum();
            if kept + answer.cells.len() > MOST_KEPT {
                self.answered.clear();
            }
            // Whoever is told again is charged nothing.
            self.answered.insert(id, Answered { charged: Vec::new(), ..answer.clone() });
        }
    }

    /// Takes in what other processes have committed.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        if self.store.head()? == self.head {
            return Ok(());
        }
        let (memory, charges) = (&mut self.memory, &mut self.charges);
        let (mut at, mut damaged) = (self.head.entries, None);
        self.head = self.store.replay(self.head, &mut |entry| {
            if let Entry::Charge(charge) = &entry {
                charges.take(charge);
            } else if !memory.take(&entry) && damaged.is_none() {
                damaged = Some(at);
            }
            at += 1;
        })?;
        damaged.map_or(Ok(()), |at| Err(StoreError::Damaged(at)))
    }

    /// Forgets everything and replays: after a draft that did not become a fact.
    fn start_over(&mut self) -> Result<(), StoreError> {
        self.memory = Memory::new(self.protection);
        self.charges = self.charges.none();
        self.head = Head::default();
        self.catch_up()?;
        self.drafting = false;
        Ok(())
    }

    /// Brings memory and charges to what is durable: without a draft that did not become a fact.
    fn settle(&mut self) -> Result<(), StoreError> {
        if self.drafting { self.start_over() } else { self.catch_up() }
    }

    /// Makes a release on the memory and commits what it adds; made anew when another process was faster. Tells where the
    /// memory stood before and after.
    fn commit<T>(
        &mut self,
        make: &mut dyn FnMut(&mut Draft<'_>, &mut Charges) -> Result<T, VaultError>,
    ) -> Result<(T, [Head; 2]), VaultError> {
        for _ in 0..ATTEMPTS {
            self.settle()?;
            self.drafting = true;
            let mut draft = Draft::on(&mut self.memory);
            let made = make(&mut draft, &mut self.charges);
            let new: Vec<Entry> = draft.new;
            // What changes the memory is an entry. Where something was added and this fails, the next release forgets it.
            self.drafting = !new.is_empty();
            let made = made?;
            if new.is_empty() {
                return Ok((made, [self.head; 2]));
            }
            match self.store.commit(self.head, &new) {
                Ok(head) => {
                    let before = std::mem::replace(&mut self.head, head);
                    self.drafting = false;
                    return Ok((made, [before, head]));
                }
                Err(StoreError::Moved) => {}
                // Whether it happened is not known: the next release replays.
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Moved.into())
    }
}

/// The tiers of cells, by the grids that they stand on in the blocks that they touch.
struct TiersInForce<'a> {
    policy: &'a Policy,
    span: &'a Span,
    charges: &'a Charges,
}

impl Tiers for TiersInForce<'_> {
    fn of<'a>(&'a self, query: &'a TableQuery) -> TierAt<'a> {
        let Some(dataset) = self.policy.datasets.get(&query.dataset) else { return Box::new(|_| Tier::V144) };
        if query.is_exact(dataset) {
            return Box::new(|_| Tier::V4);
        }
        // Cells of one margin, in the same places and periods, have one tier.
        let mut known: HashMap<(Vec<bool>, Vec<Coordinate>), Tier> = HashMap::new();
        let placed: Vec<usize> =
            (0..query.by.len()).filter(|&at| decides_blocks(dataset, &query.by[at].name)).collect();
        Box::new(move |at| {
            let split: Vec<bool> = at.iter().map(|at| *at != Coordinate::Total).collect();
            let here = placed.iter().map(|&dimension| at[dimension]).collect();
            *known.entry((split, here)).or_insert_with_key(|(split, _)| {
                let grid = query.grid(dataset, |dimension| split[dimension]);
                let conditions = query.conditions_at(dataset, at);
                let conditions = conditions.iter().map(|(level, codes)| (level.as_str(), codes.as_slice()));
                self.charges.tier(&grid, self.span.blocks(dataset, conditions).into_iter())
            })
        })
    }
}

/// What is measured: where nothing is, the units decide which groups are shown.
fn measures_of(question: &CellQuery) -> &[Measure] {
    if question.measures.is_empty() { &[Measure::Units] } else { &question.measures }
}

/// The tables of a question, one per measure, as one grid of cells.
fn answered(released: &[Released], as_of: &str) -> Answered {
    let as_of = as_of.to_owned();
    let code = |at: &Coordinate| match at {
        Coordinate::Code(code) => *code,
        Coordinate::Total | Coordinate::Remainder => u16::MAX,
    };
    let Some(first) = released.first() else {
        return Answered { as_of, cells: Vec::new(), anchors: Vec::new(), charged: Vec::new() };
    };
    let cells = first.cells().iter().enumerate().map(|(number, cell)| AnsweredCell {
        at: cell.at.iter().map(code).collect(),
        figures: released.iter().filter_map(|table| table.cells().get(number)).map(|cell| cell.figure).collect(),
    });
    let anchors: BTreeSet<u64> = released.iter().flat_map(|table| &table.anchors).copied().collect();
    Answered { as_of, cells: cells.collect(), anchors: anchors.into_iter().collect(), charged: Vec::new() }
}
