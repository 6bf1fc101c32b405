//! Every step and every form of expression of the library has a test, tied to its enum by a match that names all of them:
//! a new one does not compile until it has one too (privacy.md 6.3, 6.16 (3)).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::planner::SqlToRel;
use datafusion::sql::sqlparser::ast::Statement;
use policy::{Datasets, Policy};
use proptest::prelude::*;

use super::*;
use crate::catalogue::Catalogue;
use crate::current::Current;
use crate::facade::Scope;
use crate::guard::{planner, text};
use crate::oracle::{Oracle, ReleasedCells};
use crate::question::Limits;

mod exprs;
mod plans;

/// An oracle that is never asked.
struct Silent(Policy);

impl Oracle for Silent {
    fn years(&self) -> RangeInclusive<u16> {
        2020..=2024
    }

    fn datasets(&self) -> &Datasets {
        &self.0.datasets
    }

    fn begin(&self, _: &str, _: &policy::Asker) -> Result<crate::oracle::Begun, Refusal> {
        Ok(crate::oracle::Begun(1))
    }

    fn end(&self, _: crate::oracle::Begun, _: &crate::oracle::Outcome) -> Result<(), Refusal> {
        Ok(())
    }

    fn ask(&self, _: &[CellQuery], _: &policy::Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        Err(misplaced::internal())
    }
}

/// What a test needs to plan and to lower.
struct World {
    oracle: Silent,
    current: Current,
    words: Words,
}

/// One for all cases of a property: its tables take longer to make than a question to lower.
static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let catalogue = Arc::new(Catalogue::default());
        let current = Current::empty(catalogue, Arc::default()).unwrap();
        Self { oracle: Silent(Policy::default()), current, words: Words::new(Vec::new()) }
    }

    fn protected(&self) -> Protected<'_> {
        Protected::new(&self.oracle, &self.current)
    }

    /// The raw plan of a text.
    fn plan(&self, sql: &str) -> LogicalPlan {
        let protected = self.protected();
        let parsed = text::parse(sql, &Limits::default()).unwrap();
        let (tables, current, now) = (self.current.tables(), &self.current, std::time::SystemTime::UNIX_EPOCH);
        let scope = Scope { tables, current, now, protected: Some(&protected), permit: None };
        let dated = crate::guard::dated::Dated::default();
        let planner = planner::Planner::new(scope, &dated);
        let planner = SqlToRel::new_with_options(&planner, planner::Planner::parser_options());
        planner.sql_statement_to_plan(Statement::Query(parsed.query)).unwrap()
    }

    fn lower(&self, plan: &LogicalPlan) -> Result<Lowered, Refusal> {
        lower(plan, false, &self.protected(), &self.words)
    }
}

/// `ok`, or the code of the refusal.
fn verdict<T>(result: Result<T, Refusal>) -> &'static str {
    result.err().map_or("ok", |refusal| refusal.code.name())
}

/// Subqueries in expressions, at any depth.
fn subqueries(plan: &LogicalPlan) -> usize {
    let mut count = 0;
    plan.apply_with_subqueries(|node| {
        for expr in node.expressions() {
            datafusion::common::tree_node::TreeNode::apply(&expr, |expr| {
                let is_one = matches!(
                    expr,
                    Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) | Expr::ScalarSubquery(_)
                );
                count += usize::from(is_one);
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    count
}

/// Expressions over released rows `t(province, n)`, with subqueries in all places.
fn expression() -> impl Strategy<Value = String> {
    const RELEASED: &str = "(select province, count(*) n from victims where sex = 'F' group by 1)";
    let leaf = prop_oneof![Just("1".to_owned()), Just("n".to_owned()), Just("(select count(*) from cases)".to_owned())];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            two.clone().prop_map(|(a, b)| format!("({a} + {b})")),
            two.clone().prop_map(|(a, b)| format!("coalesce({a}, {b})")),
            two.clone().prop_map(|(a, b)| format!("case when {a} > {b} then {b} else {a} end")),
            two.clone().prop_map(|(a, b)| format!("case when {a} between 1 and {b} then 1 end")),
            two.clone().prop_map(|(a, b)| format!("(select max(n) from {RELEASED} t where n > {a} and n < {b})")),
            two.clone()
                .prop_map(|(a, b)| format!("case when {a} in (select n from {RELEASED} t where n > {b}) then 1 end")),
            two.clone().prop_map(|(a, b)| format!("case when {a} > all (select n + {b} from {RELEASED} t) then 1 end")),
            inner.clone().prop_map(|a| format!("(select sum({a}) from {RELEASED} t)")),
            inner.prop_map(|a| format!(
                "(select min(n) from {RELEASED} t group by province having count(*) > {a} limit 1)"
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// privacy.md 6.4: every subquery in an expression is lowered, wherever it stands.
    #[test]
    fn no_subquery_in_an_expression_is_passed_by(a in expression(), b in expression()) {
        let world = &*WORLD;
        let sql = format!(
            "select {a} x, sum({b}) over (order by n) from (select province, count(*) n from victims group by 1) t \
             where n > {b} and exists (select 1 from (select count(*) n from accused) u where u.n > {a}) order by {a}"
        );
        let plan = world.plan(&sql);
        let protected = world.protected();
        let mut lowering = Lowering::new(&protected, &world.words);
        let Ok(Node::Open(open)) = lowering.node(&plan) else { return Err(TestCaseError::fail(sql)) };
        prop_assert_eq!(lowering.subqueries, subqueries(&plan), "{}", sql);
        prop_assert!(!reads_protected(&open.plan), "{}", sql);
    }
}

const BANDS: [&str; 10] = ["00-08", "09-17", "18-20", "21-23", "24-26", "27-29", "30-38", "39-47", "48+", "_X"];

/// A condition on the age: its text, and whether it holds of each band.
#[derive(Debug, Clone)]
struct Said(String, [bool; 10]);

impl Said {
    fn of(text: String, holds: impl Fn(usize) -> bool) -> Self {
        Self(text, std::array::from_fn(holds))
    }
}

fn age() -> impl Strategy<Value = Said> {
    let known = 0..9_usize;
    let leaf = prop_oneof![
        (0..10_usize).prop_map(|b| Said::of(format!("age_band = '{}'", BANDS[b]), |at| at == b)),
        (0..10_usize).prop_map(|b| Said::of(format!("'{}' <> age_band", BANDS[b]), |at| at != b)),
        known.clone().prop_map(|b| Said::of(format!("age_band >= '{}'", BANDS[b]), |at| at >= b && at < 9)),
        known.clone().prop_map(|b| Said::of(format!("'{}' > age_band", BANDS[b]), |at| at < b)),
        (known.clone(), known).prop_map(|(a, b)| {
            Said::of(format!("age_band between '{}' and '{}'", BANDS[a], BANDS[b]), |at| {
                (a..=b).contains(&at) && at < 9
            })
        }),
        (0..10_usize, 0..10_usize).prop_map(|(a, b)| {
            Said::of(format!("age_band not in ('{}', '{}')", BANDS[a], BANDS[b]), |at| at != a && at != b)
        }),
        Just(Said::of("age_group = 'child'".to_owned(), |at| at < 2)),
        Just(Said::of("age_group <> 'adult'".to_owned(), |at| !(2..9).contains(&at))),
        Just(Said::of("age_band is null".to_owned(), |at| at == 9)),
        Just(Said::of("age_group is not null".to_owned(), |at| at < 9)),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            two.clone().prop_map(|(a, b)| Said::of(format!("({} and {})", a.0, b.0), |at| a.1[at] && b.1[at])),
            two.prop_map(|(a, b)| Said::of(format!("({} or {})", a.0, b.0), |at| a.1[at] || b.1[at])),
            inner.prop_map(|a| Said::of(format!("not ({})", a.0), |at| !a.1[at])),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// privacy.md 6.2, 6.3: a condition is the set of codes of which it holds, unknown being a code like others, however
    /// it is written and wherever it stands.
    #[test]
    fn a_condition_is_the_codes_of_which_it_holds(said in age()) {
        let world = &*WORLD;
        let texts = [
            format!("select count(*) from victims where {}", said.0),
            format!("select count(*) filter (where {}) from victims", said.0),
            format!("select sum(case when {} then 1 else 0 end) from victims", said.0),
            format!("select count(*) from (select case when {} then 'y' else 'n' end c from victims) t where c = 'y'", said.0),
        ];
        let held: BTreeSet<u16> = (0..10).filter(|&at| said.1[usize::from(at)]).collect();
        // Labels that nothing has are no labels.
        let texts = if held.is_empty() { &texts[..3] } else { &texts };
        for text in texts {
            let lowered = world.lower(&world.plan(text));
            let Ok(lowered) = lowered else {
                // Only a set of several codes that is no range may be too many of them.
                prop_assert_eq!(verdict(lowered), "PRIV-1008", "{}", text);
                prop_assert!(held.len() > 8, "{}", text);
                continue;
            };
            let dataset = world.oracle.datasets().get("victims").unwrap();
            let asked: BTreeSet<u16> = match &lowered.questions[0].population[..] {
                [] => (0..10).collect(),
                [one] => (0..10)
                    .filter(|&code| {
                        let up = dataset.roll_up("age_band", &one.level, code);
                        up.is_some_and(|up| one.codes.contains(&up))
                    })
                    .collect(),
                _ => BTreeSet::new(),
            };
            prop_assert_eq!(asked, held.clone(), "{}", text);
        }
    }
}
