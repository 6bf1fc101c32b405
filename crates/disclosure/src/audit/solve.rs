//! How far a hidden cell is known: linear programs, as few as possible.
//!
//! Every solution of a program is a point that fits everything shown, so it is evidence for all hidden cells at once:
//! a cell whose evidence is already wide enough needs no program of its own. The truth is the first such point.

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use super::system::{Class, Compared, System};
use crate::board::CellId;
use crate::error::DisclosureError;

/// Round-off of the solver, far below one unit.
const EPSILON: f64 = 1e-4;

/// The smallest and largest value seen for a class.
#[derive(Clone, Copy)]
struct Evidence {
    lo: f64,
    hi: f64,
}

impl System {
    /// The hidden cells that are known too well. Cells in `confined` are not examined.
    pub(super) fn examine(&self, confined: &[bool], programs: &mut usize) -> Result<Vec<CellId>, DisclosureError> {
        let mut search = Search { system: self, evidence: Vec::new(), programs };
        search.evidence = self.classes.iter().map(|_| Evidence { lo: f64::INFINITY, hi: f64::NEG_INFINITY }).collect();
        search.learn(&self.truth);
        let skip = |class: &Class| class.members.iter().all(|&at| confined[self.cells[at]]);
        let open: Vec<usize> = (0..self.classes.len()).filter(|&at| !skip(&self.classes[at])).collect();
        // Two programs over all classes settle most of them; the rest get programs of their own.
        for direction in [OptimizationDirection::Minimize, OptimizationDirection::Maximize] {
            let unsettled = open.iter().copied().filter(|&at| !search.is_settled(at));
            let members: Vec<usize> = unsettled.flat_map(|at| self.classes[at].members.clone()).collect();
            if !members.is_empty() {
                search.solve(direction, &members)?;
            }
        }
        let mut failing = Vec::new();
        for at in open {
            for direction in [OptimizationDirection::Minimize, OptimizationDirection::Maximize] {
                if !search.is_settled(at) {
                    search.solve(direction, &self.classes[at].members[..1])?;
                }
            }
            if !search.is_settled(at) {
                failing.extend(self.classes[at].members.iter().map(|&member| self.cells[member]));
            }
        }
        Ok(failing)
    }
}

struct Search<'a> {
    system: &'a System,
    evidence: Vec<Evidence>,
    programs: &'a mut usize,
}

impl Search<'_> {
    fn is_settled(&self, class: usize) -> bool {
        let (class, evidence) = (&self.system.classes[class], self.evidence[class]);
        evidence.hi - evidence.lo >= class.width - EPSILON && (!class.zero || evidence.lo <= EPSILON)
    }

    /// Takes a point that fits everything shown as evidence.
    fn learn(&mut self, point: &[f64]) {
        for (evidence, class) in self.evidence.iter_mut().zip(&self.system.classes) {
            for &member in &class.members {
                evidence.lo = evidence.lo.min(point[member]);
                evidence.hi = evidence.hi.max(point[member]);
            }
        }
    }

    /// The point that makes the sum of these cells smallest or largest.
    fn solve(&mut self, direction: OptimizationDirection, cells: &[usize]) -> Result<(), DisclosureError> {
        *self.programs += 1;
        let system = self.system;
        let mut problem = Problem::new(direction);
        let mut weight = vec![0.0; system.cells.len()];
        for &cell in cells {
            weight[cell] = 1.0;
        }
        let variables: Vec<Variable> =
            weight.iter().zip(&system.bounds).map(|(&weight, &bounds)| problem.add_var(weight, bounds)).collect();
        for relation in &system.relations {
            let terms: Vec<(Variable, f64)> =
                relation.terms.iter().map(|&(cell, sign)| (variables[cell], sign)).collect();
            let comparison = match relation.compared {
                Compared::Equal => ComparisonOp::Eq,
                Compared::AtLeast => ComparisonOp::Ge,
                Compared::AtMost => ComparisonOp::Le,
            };
            problem.add_constraint(terms, comparison, 0.0);
        }
        // The solver's messages speak of constraints and variables by number, never of a cell's value.
        let failed = |cause: &str| DisclosureError::Audit(cause.to_owned());
        let outcome = problem.solve().map_err(|error| match error {
            microlp::Error::Infeasible => failed("the shown numbers contradict each other"),
            _ => failed("the solver gave no answer"),
        })?;
        let solution = outcome.into_solution().map_err(|_| failed("the solver stopped early"))?;
        let point: Vec<f64> = variables.iter().map(|&variable| solution.var_value(variable)).collect();
        self.learn(&point);
        Ok(())
    }
}
