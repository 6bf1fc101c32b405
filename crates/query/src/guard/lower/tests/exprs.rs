//! Forms of expressions where a condition, a group and an aggregate stand over records.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::expr::{
    Exists, GroupingSet, HigherOrderFunction, InSubquery, Lambda, LambdaVariable, Placeholder, SetComparison,
    SetQuantifier, Unnest, WildcardOptions, WindowFunction,
};
use datafusion::logical_expr::{Operator, Subquery, TryCast, cast, col, in_list, lit, not, when};

use super::*;

/// The name of a form: one arm for each.
#[expect(deprecated, reason = "Wildcard is named so that every variant is")]
fn name(expr: &Expr) -> &'static str {
    match expr {
        Expr::Alias(_) => "Alias",
        Expr::Column(_) => "Column",
        Expr::ScalarVariable(..) => "ScalarVariable",
        Expr::Literal(..) => "Literal",
        Expr::BinaryExpr(_) => "BinaryExpr",
        Expr::Like(_) => "Like",
        Expr::SimilarTo(_) => "SimilarTo",
        Expr::Not(_) => "Not",
        Expr::IsNotNull(_) => "IsNotNull",
        Expr::IsNull(_) => "IsNull",
        Expr::IsTrue(_) => "IsTrue",
        Expr::IsFalse(_) => "IsFalse",
        Expr::IsUnknown(_) => "IsUnknown",
        Expr::IsNotTrue(_) => "IsNotTrue",
        Expr::IsNotFalse(_) => "IsNotFalse",
        Expr::IsNotUnknown(_) => "IsNotUnknown",
        Expr::Negative(_) => "Negative",
        Expr::Between(_) => "Between",
        Expr::Case(_) => "Case",
        Expr::Cast(_) => "Cast",
        Expr::TryCast(_) => "TryCast",
        Expr::ScalarFunction(_) => "ScalarFunction",
        Expr::AggregateFunction(_) => "AggregateFunction",
        Expr::WindowFunction(_) => "WindowFunction",
        Expr::InList(_) => "InList",
        Expr::Exists(_) => "Exists",
        Expr::InSubquery(_) => "InSubquery",
        Expr::SetComparison(_) => "SetComparison",
        Expr::ScalarSubquery(_) => "ScalarSubquery",
        Expr::Wildcard { .. } => "Wildcard",
        Expr::GroupingSet(_) => "GroupingSet",
        Expr::Placeholder(_) => "Placeholder",
        Expr::OuterReferenceColumn(..) => "OuterReferenceColumn",
        Expr::Unnest(_) => "Unnest",
        Expr::HigherOrderFunction(_) => "HigherOrderFunction",
        Expr::Lambda(_) => "Lambda",
        Expr::LambdaVariable(_) => "LambdaVariable",
    }
}

/// A form, and what becomes of it as a condition, as a group and as an aggregate.
type Tried = (Expr, [&'static str; 3]);

const FORMS: usize = 37;
/// A condition may not stand here, nor a group or an aggregate.
const NOWHERE: [&str; 3] = ["PRIV-1003"; 3];
/// A condition, and nothing else.
const CONDITION: [&str; 3] = ["ok", "PRIV-1003", "PRIV-1003"];

fn subquery(world: &World, sql: &str) -> Subquery {
    Subquery {
        subquery: Arc::new(world.plan(sql)),
        outer_ref_columns: Vec::new(),
        spans: datafusion::common::Spans::new(),
    }
}

#[expect(deprecated, reason = "Wildcard is named so that every variant is")]
fn forms(world: &World) -> Vec<Tried> {
    let sex = || col("sex");
    let f = || sex().eq(lit("F"));
    let field = || Arc::new(Field::new("x", DataType::Utf8, true));
    let like = |expr: Expr| match expr.like(lit("F%")) {
        Expr::Like(like) => like,
        _ => unreachable!(),
    };
    let open = || subquery(world, "select 'F'");
    let released = || subquery(world, "select sex from victims group by sex");
    let count = datafusion::functions_aggregate::expr_fn::count;
    let rows = WindowFunction::new(datafusion::functions_aggregate::count::count_udaf(), vec![lit(1_i64)]);
    let lower = datafusion::functions::expr_fn::lower;
    let upper = |subquery| Expr::InSubquery(InSubquery { expr: Box::new(sex()), subquery, negated: false });
    let any = |subquery| {
        let (op, quantifier) = (Operator::Eq, SetQuantifier::Any);
        Expr::SetComparison(SetComparison { expr: Box::new(sex()), subquery, op, quantifier })
    };
    let function = datafusion::functions_nested::all_default_higher_order_functions().swap_remove(0);
    vec![
        (f().alias("x"), CONDITION),
        (sex().alias("x"), ["PRIV-1003", "ok", "PRIV-1003"]),
        (sex(), ["PRIV-1003", "ok", "PRIV-1003"]),
        (col("agency"), ["PRIV-1002"; 3]),
        (Expr::ScalarVariable(field(), vec!["@x".to_owned()]), NOWHERE),
        (lit(true), NOWHERE),
        (f(), CONDITION),
        (sex().gt(lit("F")), NOWHERE),
        (sex() + lit(1), NOWHERE),
        (Expr::Like(like(sex())), NOWHERE),
        (Expr::SimilarTo(like(sex())), NOWHERE),
        (not(f()), CONDITION),
        (sex().is_not_null(), CONDITION),
        (sex().is_null(), CONDITION),
        (f().is_true(), NOWHERE),
        (f().is_false(), NOWHERE),
        (f().is_unknown(), NOWHERE),
        (f().is_not_true(), NOWHERE),
        (f().is_not_false(), NOWHERE),
        (f().is_not_unknown(), NOWHERE),
        (Expr::Negative(Box::new(sex())), NOWHERE),
        (col("year").between(lit(2021), lit(2023)), CONDITION),
        (when(f(), lit("a")).otherwise(lit("b")).unwrap(), ["PRIV-1003", "ok", "PRIV-1003"]),
        (cast(sex(), DataType::Int64), NOWHERE),
        (Expr::TryCast(TryCast::new(Box::new(sex()), DataType::Int64)), NOWHERE),
        (lower(sex()), ["PRIV-1007"; 3]),
        (count(lit(1_i64)), ["PRIV-1003", "PRIV-1003", "ok"]),
        (Expr::WindowFunction(Box::new(rows)), NOWHERE),
        (in_list(sex(), vec![lit("F"), lit("M")], false), CONDITION),
        (Expr::Exists(Exists { subquery: open(), negated: false }), NOWHERE),
        (Expr::Exists(Exists { subquery: released(), negated: false }), ["PRIV-1006"; 3]),
        (upper(open()), NOWHERE),
        (upper(released()), ["PRIV-1006"; 3]),
        (any(open()), NOWHERE),
        (any(released()), ["PRIV-1006"; 3]),
        (Expr::ScalarSubquery(open()), NOWHERE),
        (Expr::ScalarSubquery(released()), ["PRIV-1006"; 3]),
        (Expr::Wildcard { qualifier: None, options: Box::new(WildcardOptions::default()) }, NOWHERE),
        (Expr::GroupingSet(GroupingSet::Rollup(vec![sex()])), NOWHERE),
        (Expr::Placeholder(Placeholder::new_with_field("$1".to_owned(), None)), ["parameter"; 3]),
        (Expr::OuterReferenceColumn(field(), Column::from_name("sex")), NOWHERE),
        (Expr::Unnest(Unnest::new(sex())), NOWHERE),
        (Expr::HigherOrderFunction(HigherOrderFunction::new(function, vec![sex()])), NOWHERE),
        (Expr::Lambda(Lambda::new(vec!["x".to_owned()], sex())), NOWHERE),
        (Expr::LambdaVariable(LambdaVariable::new("x".to_owned(), Some(field()))), NOWHERE),
    ]
}

#[test]
fn every_form_of_expression_is_judged() {
    let world = World::new();
    let protected = world.protected();
    let lowering = Lowering::new(&protected, &world.words);
    let LogicalPlan::TableScan(scan) = world.plan("select * from victims").inputs()[0].clone() else { unreachable!() };
    let dataset = protected.datasets.get("victims").unwrap();
    let region = Region::whole(dataset, &scan.source.schema());
    let schema = &scan.projected_schema;
    let mut tried = BTreeSet::new();
    let mut wrong = Vec::new();
    for (expr, expected) in forms(&world) {
        tried.insert(name(&expr));
        let got = [
            verdict(lowering.conditions(&expr, &region, schema)),
            verdict(lowering.meaning(&expr, &region, schema).and_then(|meaning| match meaning.hidden() {
                Some(hidden) => Err(lowering.hidden(hidden)),
                None if matches!(meaning, region::Meaning::Constant(_)) => Err(misplaced::form("A value")),
                None => Ok(()),
            })),
            verdict(lowering.ask(&expr, &[], &region, schema)),
        ];
        if got != expected {
            wrong.push(format!("{}: {got:?}, not {expected:?}: {expr}", name(&expr)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(tried.len(), FORMS, "each form is tried: {tried:?}");
}
