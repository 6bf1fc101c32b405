//! The grouping sets of a GROUP BY: ROLLUP and CUBE written out (privacy.md 6.3).

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::GroupingSet;

use super::misplaced;
use crate::refusal::{Code, Refusal};

/// Grouping sets over protected tables (privacy.md 6.3, GroupingSet).
const MOST_SETS: usize = 16;

/// The grouping sets of a GROUP BY, as numbers of its expressions.
pub(super) fn sets(group_expr: &[Expr], groups: &[&Expr]) -> Result<Vec<Vec<usize>>, Refusal> {
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
