//! What hangs together in a release, as intervals and linear relations: of counts in units, of sums in what one unit adds at
//! most, so that the floor means the same of both.

use std::collections::{BTreeMap, BTreeSet};

use crate::board::{Board, CellId, Entry, Family};

/// A part of the release whose cells are tied by relations, with at least one hidden cell.
pub(super) struct System {
    /// The cells, ascending.
    pub(super) cells: Vec<CellId>,
    /// What everybody knows of each: smallest and largest possible value.
    pub(super) bounds: Vec<(f64, f64)>,
    /// What is true (a point that fits everything).
    pub(super) truth: Vec<f64>,
    /// Relations between cells, by position in `cells`.
    pub(super) relations: Vec<Relation>,
    /// The hidden cells, grouped: members of a class can be exchanged without changing any relation.
    pub(super) classes: Vec<Class>,
}

/// A sum of cells compared with 0.
#[derive(Clone, PartialEq, PartialOrd)]
pub(super) struct Relation {
    pub(super) terms: Vec<(usize, f64)>,
    pub(super) compared: Compared,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Compared {
    Equal,
    AtLeast,
    AtMost,
}

/// Hidden cells that stand in the same relations.
pub(super) struct Class {
    /// Positions in `cells`.
    pub(super) members: Vec<usize>,
    /// How far apart the smallest and largest possible value must be.
    pub(super) width: f64,
    /// Whether 0 must remain possible.
    pub(super) zero: bool,
}

impl System {
    /// The parts of the release that hold a hidden cell; with `around`, only those that hold one of these cells.
    pub(super) fn components(board: &Board, around: Option<&[CellId]>) -> Vec<Self> {
        let mut parts = Parts::new(board.cells.len());
        for family in &board.families {
            family.children.iter().for_each(|&child| parts.join(family.total, child));
        }
        let wanted: Option<BTreeSet<usize>> = around.map(|cells| cells.iter().map(|&cell| parts.root(cell)).collect());
        let mut components: BTreeMap<usize, (Vec<CellId>, Vec<usize>)> = BTreeMap::new();
        for cell in 0..board.cells.len() {
            let root = parts.root(cell);
            if wanted.as_ref().is_none_or(|wanted| wanted.contains(&root)) {
                components.entry(root).or_default().0.push(cell);
            }
        }
        for (at, family) in board.families.iter().enumerate() {
            if let Some(component) = components.get_mut(&parts.root(family.total)) {
                component.1.push(at);
            }
        }
        let systems = components.into_values().map(|(cells, families)| Self::new(board, cells, &families));
        systems.filter(|system| !system.classes.is_empty()).collect()
    }

    /// How many hidden cells it holds.
    pub(super) fn unknowns(&self) -> usize {
        self.classes.iter().map(|class| class.members.len()).sum()
    }

    fn new(board: &Board, cells: Vec<CellId>, families: &[usize]) -> Self {
        let truth: Vec<f64> = cells.iter().map(|&id| board.cells[id].true_amount()).collect();
        let ceiling = ceiling(board, &cells);
        let bounds: Vec<(f64, f64)> = cells.iter().map(|&id| known(board, id, ceiling)).collect();
        let at = |id: CellId| cells.binary_search(&id).expect("a family lies in one component");
        let families: Vec<&Family> = families.iter().map(|&at| &board.families[at]).collect();
        let mut relations = Vec::new();
        let mut cap = vec![f64::INFINITY; cells.len()];
        for family in &families {
            let total = at(family.total);
            let children: Vec<usize> = family.children.iter().map(|&child| at(child)).collect();
            if bounds[total].0 >= bounds[total].1 {
                for &child in &children {
                    cap[child] = cap[child].min(bounds[total].1);
                }
            }
            relations.extend(relate(family, total, &children));
        }
        let mut system = Self { cells, bounds, truth, relations, classes: Vec::new() };
        system.classes = system.classes(board, &cap);
        system
    }

    /// Hidden cells by the relations they stand in.
    fn classes(&self, board: &Board, cap: &[f64]) -> Vec<Class> {
        let mut signature: Vec<Vec<(usize, i8)>> = vec![Vec::new(); self.cells.len()];
        for (relation, row) in self.relations.iter().enumerate() {
            row.terms.iter().for_each(|&(cell, sign)| signature[cell].push((relation, sign as i8)));
        }
        let mut classes: BTreeMap<Vec<(usize, i8)>, Class> = BTreeMap::new();
        for (at, &id) in self.cells.iter().enumerate() {
            let entry = &board.cells[id];
            if entry.shown().is_some() || entry.exact || entry.is_impossible() {
                continue;
            }
            let class =
                classes.entry(signature[at].clone()).or_insert(Class { members: Vec::new(), width: 0.0, zero: false });
            class.members.push(at);
            class.width = class.width.max((entry.floor() as f64).min(cap[at]));
            class.zero |= entry.true_value() < entry.floor();
        }
        let mut classes: Vec<Class> = classes.into_values().collect();
        classes.sort_by_key(|class| class.members[0]);
        classes
    }
}

/// What a family says. A part is never above its total; the sums are compared as they are in all its kind.
fn relate(family: &Family, total: usize, children: &[usize]) -> Vec<Relation> {
    let mut sum: Vec<(usize, f64)> = children.iter().map(|&child| (child, 1.0)).collect();
    sum.push((total, -1.0));
    let single = |&child: &usize| Relation { terms: vec![(child, 1.0), (total, -1.0)], compared: Compared::AtMost };
    let whole = |compared| Relation { terms: sum.clone(), compared };
    match (family.at_least, family.at_most) {
        (true, true) => vec![whole(Compared::Equal)],
        (false, true) => vec![whole(Compared::AtMost)],
        (true, false) => std::iter::once(whole(Compared::AtLeast)).chain(children.iter().map(single)).collect(),
        (false, false) => children.iter().map(single).collect(),
    }
}

/// What everybody knows of a cell alone: the noise is bounded, a shown cell passed the floor, a hidden one may be
/// anything up to a bound beyond every shown number.
fn known(board: &Board, id: CellId, ceiling: f64) -> (f64, f64) {
    let entry = &board.cells[id];
    if entry.is_impossible() {
        return (0.0, 0.0);
    }
    match entry.state {
        crate::board::State::Shown { value, tier, .. } => {
            // A neighbour that answered differs by so much: the cell's own number may lie that far beyond.
            let own = entry.facts.measured.value;
            let drift = entry.anchor.map_or(0.0, |answering| entry.amount((answering.value - own).abs()));
            let bound = tier.map_or(0.0, |tier| entry.bound(tier)) + drift;
            let floor = tier.map_or(0.0, |tier| (entry.least_shown(tier) as f64 - drift).max(0.0));
            let value = entry.amount(value);
            (if tier.is_some() { (value - bound).max(floor) } else { value }, value + bound)
        }
        crate::board::State::Hidden(_) => (0.0, ceiling),
    }
}

/// A round number well above everything in the component.
fn ceiling(board: &Board, cells: &[CellId]) -> f64 {
    let shown = |entry: &Entry| entry.shown().map_or(0.0, |(value, _)| entry.amount(value));
    let of = |id: &CellId| shown(&board.cells[*id]).max(board.cells[*id].true_amount());
    let largest = cells.iter().map(of).fold(100.0, f64::max);
    10f64.powi(largest.log10().ceil() as i32 + 1)
}

/// Union-find over cells.
struct Parts(Vec<usize>);

impl Parts {
    fn new(cells: usize) -> Self {
        Self((0..cells).collect())
    }

    fn root(&mut self, cell: usize) -> usize {
        let mut at = cell;
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
