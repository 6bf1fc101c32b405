//! A13: tables with all their margins, as they are published (privacy.md 7.2; Giomi et al. 2023, "anonymeter").
//!
//! Every total is the sum of its parts: what of a hidden cell follows from all these sums together is found by linear programmes
//! (`microlp`), each shown number standing for an interval as wide as its noise. Risk is `R = (r - r0) / (1 - r0)`: `r` of the
//! claims are right of the population that was asked, `r0` of another one of the same kind.
//!
//! Absent: linkability apart from singling out (tables hold no records to link: see `claims`); sums of years from quarters, of
//! which one is unknown.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::claims::Single;
use crate::know::Public;
use crate::people::{People, Secret, YEARS};
use crate::referee::Arena;
use crate::target::{Door, Sql, Target};

/// Tables; each is asked with all its margins.
const TABLES: [&[&str]; 5] = [
    &["year", "province", "sex"],
    &["year", "sex", "age_group"],
    &["province", "age_group", "status"],
    &["quarter", "sex", "status"],
    &["year", "sector"],
];
/// The floor, below which nothing may be known.
const FLOOR: f64 = 11.0;
/// Round-off of the solver.
const EPSILON: f64 = 1e-4;

/// A secret that nine in ten have.
const POLICE: Secret = Secret { column: "referral_source", code: "police" };

/// What was found of hidden cells.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    /// Hidden cells.
    pub hidden: usize,
    /// Those that are known to less than the floor.
    pub narrow: usize,
    /// Widths added up.
    pub width: f64,
    /// Claims that exactly one person is in a hidden cell.
    pub single: Single,
    /// Tables whose numbers contradict each other: nothing was made of them.
    pub contradictions: usize,
    /// Claims about a hidden attribute: right ones, all, and right ones in the other population.
    pub inferred: [usize; 3],
}

/// A set of codes, by level; without any, everybody.
type Place = BTreeMap<&'static str, u16>;

/// All tables on some vaults.
pub fn found(arena: &Arena, target: Target) -> Result<Found> {
    let all = arena.some(arena.trials.div_ceil(40).max(2), &|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa13 << 32 | number);
        let [people, control] = [(); 2].map(|()| People::victims(&arena.policy, arena.people.len(), &mut rng));
        let [asked, other] = [&people, &control].map(|people| Public::of(&arena.policy, people));
        door.open(target, number, &[&people])?;
        let mut found = Found::default();
        for levels in TABLES {
            let table = Table::asked(door, target, &asked, levels)?;
            table.examine((&asked, &other), &mut found);
        }
        infer(door, (&people, &asked), (&control, &other), &mut found);
        Ok(Some(found))
    })?;
    Ok(all.into_iter().fold(Found::default(), Found::and))
}

impl Found {
    fn and(self, other: Self) -> Self {
        let [right, all, control] = self.inferred;
        Self {
            hidden: self.hidden + other.hidden,
            narrow: self.narrow + other.narrow,
            width: self.width + other.width,
            single: self.single.and(other.single),
            contradictions: self.contradictions + other.contradictions,
            inferred: [right + other.inferred[0], all + other.inferred[1], control + other.inferred[2]],
        }
    }
}

/// A table with all its margins.
struct Table {
    cells: Vec<Cell>,
    /// Totals with their parts, as positions of cells.
    sums: Vec<(usize, Vec<usize>)>,
    /// How many there are at most: about so many were registered, everybody knows.
    most: f64,
}

struct Cell {
    place: Place,
    shown: Option<f64>,
    /// The bound of its noise, which is public.
    noise: f64,
}

impl Table {
    fn asked(door: &Door, target: Target, public: &Public<'_>, levels: &[&'static str]) -> Result<Self> {
        let mut cells: Vec<Cell> = Vec::new();
        for margin in 0..1_usize << levels.len() {
            let split: Vec<&'static str> =
                (0..levels.len()).filter(|at| margin >> at & 1 == 1).map(|at| levels[at]).collect();
            let (sql, first) = (text(&split), cells.len());
            let reply = door.ask(&sql);
            for (row, numbers) in reply.rows().iter().zip(reply.numbers()) {
                let code = |(level, value): (&&'static str, &serde_json::Value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    public.dataset.code_of(level, &text, YEARS).map(|code| (*level, code))
                };
                let place: Option<Place> = split.iter().zip(row).map(code).collect();
                let shown = numbers.last().copied().flatten().map(|number| number as f64);
                cells.extend(place.map(|place| Cell { place, shown, noise: 0.0 }));
            }
            let noise = bound(door, target, &sql)?;
            cells[first..].iter_mut().for_each(|cell| cell.noise = noise);
        }
        let sums = sums(&cells, levels);
        Ok(Self { cells, sums, most: public.case.len() as f64 })
    }

    /// Looks for what is known of each hidden cell.
    fn examine(&self, (asked, other): (&Public<'_>, &Public<'_>), found: &mut Found) {
        for (at, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.shown.is_none()) {
            let limits =
                [OptimizationDirection::Minimize, OptimizationDirection::Maximize].map(|way| self.limit(at, way));
            let [Some(least), Some(most)] = limits else {
                found.contradictions += 1;
                return;
            };
            found.hidden += 1;
            found.width += most - least;
            // What is known wrongly, as the number of a neighbour, is not known.
            let is_known = (least - EPSILON..=most + EPSILON).contains(&(holders(asked, &cell.place).len() as f64));
            found.narrow += usize::from(is_known && most - least < FLOOR - EPSILON);
            found.single.tried += 1;
            let sure = (most - least < 1.0).then_some(least);
            let estimate = if self.is_exact() { sure } else { self.rest(at) };
            if estimate.is_some_and(|estimate| estimate.round() as i64 == 1) {
                let is_single = |public: &Public<'_>| usize::from(holders(public, &cell.place).len() == 1);
                found.single.claimed.0 += is_single(asked);
                found.single.claimed.1 += 1;
                found.single.control += is_single(other);
            }
        }
    }

    fn is_exact(&self) -> bool {
        self.cells.iter().all(|cell| cell.noise == 0.0)
    }

    /// The least that a total has beside its shown parts, of all sums in which a cell is a hidden part.
    fn rest(&self, cell: usize) -> Option<f64> {
        let own = self.sums.iter().filter(|(_, parts)| parts.contains(&cell));
        let rest = |(total, parts): &(usize, Vec<usize>)| {
            let shown: f64 = parts.iter().filter_map(|&part| self.cells[part].shown).sum();
            Some(self.cells[*total].shown? - shown)
        };
        own.filter_map(rest).min_by(f64::total_cmp)
    }

    /// The least or the most that fits everything shown.
    fn limit(&self, cell: usize, way: OptimizationDirection) -> Option<f64> {
        let mut problem = Problem::new(way);
        let variable = |(at, cell_at): (usize, &Cell)| {
            let (least, most) =
                cell_at.shown.map_or((0.0, self.most), |n| ((n - cell_at.noise).max(0.0), n + cell_at.noise));
            problem.add_var(if at == cell { 1.0 } else { 0.0 }, (least, most))
        };
        let variables: Vec<Variable> = self.cells.iter().enumerate().map(variable).collect();
        for (total, parts) in &self.sums {
            let terms: Vec<(Variable, f64)> =
                parts.iter().map(|&part| (variables[part], 1.0)).chain([(variables[*total], -1.0)]).collect();
            problem.add_constraint(terms, ComparisonOp::Eq, 0.0);
        }
        let solution = problem.solve().ok()?.into_solution().ok()?;
        Some(solution.var_value(variables[cell]))
    }
}

fn text(levels: &[&str]) -> String {
    let by = levels.join(", ");
    if levels.is_empty() {
        "select count(*) from victims".to_owned()
    } else {
        format!("select {by}, count(*) from victims group by {by}")
    }
}

/// How far a number may be from the truth by its noise, which EXPLAIN tells the variance of (privacy.md 6.5).
fn bound(door: &Door, target: Target, sql: &str) -> Result<f64> {
    let question = door.compile(sql).ok().and_then(|mut questions| questions.pop()).context("a question")?;
    let variance = match target {
        Target::K11Exact => return Ok(0.0),
        Target::Ckm => 16.0,
        _ => door.variance(question)?,
    };
    let bounds = [(4.0, 10.0), (9.0, 15.0), (16.0, 20.0), (25.0, 25.0), (36.0, 31.0), (64.0, 41.0), (144.0, 61.0)];
    Ok(bounds.into_iter().find(|(tier, _)| *tier >= variance).map_or(61.0, |(_, bound)| bound))
}

/// Every cell that is the sum of those with one level more.
fn sums(cells: &[Cell], levels: &[&'static str]) -> Vec<(usize, Vec<usize>)> {
    let places: BTreeMap<&Place, usize> = cells.iter().enumerate().map(|(at, cell)| (&cell.place, at)).collect();
    let mut parts: BTreeMap<(usize, &'static str), Vec<usize>> = BTreeMap::new();
    for (at, cell) in cells.iter().enumerate() {
        for level in levels.iter().filter(|level| cell.place.contains_key(*level)) {
            let mut above = cell.place.clone();
            above.remove(level);
            if let Some(&total) = places.get(&above) {
                parts.entry((total, *level)).or_default().push(at);
            }
        }
    }
    parts.into_iter().map(|((total, _), parts)| (total, parts)).collect()
}

fn holders(public: &Public<'_>, place: &Place) -> Vec<usize> {
    let has = |at: &usize| place.iter().all(|(level, code)| public.known[*level][*at] == *code);
    (0..public.case.len()).filter(has).collect()
}

/// Of a secret that nine in ten have: where as many have it as there are, everybody in the cell is claimed to.
fn infer(
    door: &Door,
    (people, asked): (&People, &Public<'_>),
    (control, other): (&People, &Public<'_>),
    found: &mut Found,
) {
    let levels = ["province", "sector", "status"];
    let by = levels.join(", ");
    let of = |also: &str| door.ask(&format!("select {by}, count(*) from victims{also} group by {by}"));
    let (all, having) = (of(""), of(&format!(" where {}", POLICE.sql())));
    let last = |row: &Vec<Option<i64>>| row.last().copied().flatten();
    for (row, (all, having)) in all.rows().iter().zip(all.numbers().iter().zip(having.numbers())) {
        if last(all).is_none() || last(all) != last(&having) {
            continue;
        }
        let code = |(level, value): (&&'static str, &serde_json::Value)| {
            asked.dataset.code_of(level, value.as_str().unwrap_or_default(), YEARS).map(|code| (*level, code))
        };
        let Some(place) = levels.iter().zip(row).map(code).collect::<Option<Place>>() else { continue };
        let right = |people: &People, persons: &[usize]| {
            persons.iter().filter(|&&at| people.has(door.policy(), at, POLICE)).count()
        };
        let (members, others) = (holders(asked, &place), holders(other, &place));
        found.inferred[0] += right(people, &members);
        found.inferred[1] += members.len();
        // As many of the others, at their rate.
        let rate = right(control, &others) as f64 / others.len().max(1) as f64;
        found.inferred[2] += (rate * members.len() as f64).round() as usize;
    }
}
