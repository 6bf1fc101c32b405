//! Joins: of a protected table with the code list of one of its levels, and of released and open tables
//! (privacy.md 6.3, Join; 6.4).
//!
//! ```text
//! input:  victims v JOIN reference.citizenship c ON v.citizenship = c.code
//! output: victims, with the columns of the list as labels of the level `citizenship`
//! ```

use std::sync::Arc;

use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::logical_expr::{BinaryExpr, Expr, Join, LogicalPlan, Operator};
use datafusion::scalar::ScalarValue;
use disclosure::Condition;
use policy::Resolved;

use super::open::Open;
use super::region::{Meaning, Region};
use super::{Lowering, Node, misplaced};
use crate::catalogue::{CodeEntry, CodeListMeta};
use crate::refusal::{Code, Refusal};
use crate::tables::REFERENCE;

/// The column of a code list's table that has the codes.
const KEY: &str = "code";

impl<'a> Lowering<'a> {
    /// Both inputs are lowered before the join is judged.
    pub(super) fn join(&mut self, join: &Join) -> Result<Node<'a>, Refusal> {
        let left = self.node(&join.left)?;
        let right = self.node(&join.right)?;
        match (left, right) {
            (Node::Open(left), Node::Open(right)) => self.open_join(join, left, right),
            (Node::Protected(_), Node::Protected(_)) => {
                let detail = "Two protected tables are joined, or one with itself.";
                let hint = "Aggregate each by the same levels, and join the released rows: it is numbers that can be \
                            compared, not records.";
                Err(Refusal::new(Code::ProtectedJoin, detail).hint(hint))
            }
            (Node::Protected(region), Node::Open(open)) => self.mapping(join, region, &open, true).map(Node::Protected),
            (Node::Open(open), Node::Protected(region)) => {
                self.mapping(join, region, &open, false).map(Node::Protected)
            }
        }
    }

    /// A join with the code list of a level: the list's columns become labels of the level.
    fn mapping(&self, join: &Join, mut region: Region<'a>, open: &Open, left: bool) -> Result<Region<'a>, Refusal> {
        if open.released {
            return Err(misplaced::steering());
        }
        let (own, other) = if left { (&join.left, &join.right) } else { (&join.right, &join.left) };
        // Each record once: an outer join may only keep records, not codes that nobody has.
        let keeps =
            matches!((join.join_type, left), (JoinType::Inner, _) | (JoinType::Left, true) | (JoinType::Right, false));
        let list = self.code_list(other).filter(|_| keeps).ok_or_else(no_edge)?;
        let (mine, key) = pair(join, own.schema(), other.schema()).ok_or_else(no_edge)?;
        let Some(Meaning::Level { level, .. }) = region.column(&mine, own.schema()).cloned() else {
            return Err(no_edge());
        };
        let is_list = region.dataset.resolve(&level).and_then(Resolved::list) == Some(list.name.as_str());
        if !is_list || key.name != KEY {
            return Err(no_edge());
        }
        if join.join_type == JoinType::Inner {
            region.population.extend(self.listed(&region, &level, list));
        }
        let added = other.schema().fields().iter().map(|field| self.attribute(&region, &level, list, field.name()));
        let added: Vec<Meaning> = added.collect();
        region.columns = if left {
            region.columns.into_iter().chain(added).collect()
        } else {
            added.into_iter().chain(region.columns).collect()
        };
        Ok(region)
    }

    /// The code list that a plan reads, whole and as it is.
    fn code_list(&self, plan: &LogicalPlan) -> Option<&'a CodeListMeta> {
        match plan {
            LogicalPlan::SubqueryAlias(alias) => self.code_list(&alias.input),
            LogicalPlan::TableScan(scan) => {
                let name = &scan.table_name;
                let whole = scan.filters.is_empty() && scan.fetch.is_none() && scan.projection.is_none();
                let reference = name.schema().is_none_or(|schema| schema.eq_ignore_ascii_case(REFERENCE));
                (whole && reference).then(|| self.protected.catalogue.code_list(name.table())).flatten()
            }
            _ => None,
        }
    }

    /// The condition that an inner join is: codes that the list has. None where it has all.
    fn listed(&self, region: &Region<'_>, level: &str, list: &CodeListMeta) -> Option<Condition> {
        let codes = region.dataset.codes(level, self.protected.years.clone())?;
        let has = |code: &u16| entry(region, level, list, *code).is_some();
        let listed: Vec<u16> = codes.iter().copied().filter(has).collect();
        let dimension = region.dataset.dimension_of(level)?.to_owned();
        (listed.len() < codes.len()).then(|| Condition { dimension, level: level.to_owned(), codes: listed })
    }

    /// A column of a code list as labels of its level.
    fn attribute(&self, region: &Region<'_>, level: &str, list: &CodeListMeta, name: &str) -> Meaning {
        if name == KEY {
            return Meaning::level_of(region.dataset, level);
        }
        let text = |entry: &CodeEntry| match name {
            "en" => Some(entry.en.clone()),
            "ur" => Some(entry.ur.clone()),
            "parent" => entry.parent.clone(),
            other => entry.attributes.get(other).cloned(),
        };
        let codes = region.dataset.codes(level, self.protected.years.clone()).unwrap_or_default();
        let label = |code: u16| (code, ScalarValue::Utf8(entry(region, level, list, code).and_then(text)));
        Meaning::Labels { level: level.to_owned(), labels: Arc::new(codes.into_iter().map(label).collect()) }
    }
}

/// A code in its list.
fn entry<'l>(region: &Region<'_>, level: &str, list: &'l CodeListMeta, code: u16) -> Option<&'l CodeEntry> {
    let text = region.dataset.code_text(level, code)?;
    list.codes.iter().find(|entry| entry.code == text)
}

/// The two columns of a join on one equality: of the records, and of the list. In the raw plan it stands in the filter.
fn pair(join: &Join, own: &DFSchema, other: &DFSchema) -> Option<(Column, Column)> {
    let (a, b) = match (&join.on[..], &join.filter) {
        ([(a, b)], None) => (a, b),
        ([], Some(Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }))) => (left.as_ref(), right.as_ref()),
        _ => return None,
    };
    match (a, b) {
        (Expr::Column(a), Expr::Column(b)) if own.has_column(a) && other.has_column(b) => Some((a.clone(), b.clone())),
        (Expr::Column(a), Expr::Column(b)) if own.has_column(b) && other.has_column(a) => Some((b.clone(), a.clone())),
        _ => None,
    }
}

/// The refusal of a join that is no edge of the catalogue.
fn no_edge() -> Refusal {
    let detail = "A protected table is joined with something else than the code list of one of its levels.";
    Refusal::new(Code::ProtectedJoin, detail).hint(
        "Write JOIN reference.citizenship AS c ON v.citizenship = c.code, with the list of the column; or aggregate \
         first and join the released rows.",
    )
}
