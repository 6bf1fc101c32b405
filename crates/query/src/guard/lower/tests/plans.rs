//! Steps of a plan over a protected table.

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchema, UnnestOptions};
use datafusion::datasource::file_format::format_as_file_type;
use datafusion::datasource::file_format::parquet::ParquetFormatFactory;
use datafusion::logical_expr::dml::{CopyTo, InsertOp, WriteOp};
use datafusion::logical_expr::logical_plan::{Deallocate, DescribeTable, DmlStatement, DropTable, Statement as OfPlan};
use datafusion::logical_expr::{
    DdlStatement, Extension, LogicalPlanBuilder, Partitioning, Subquery, UserDefinedLogicalNodeCore, col, lit,
};

use super::*;

/// The name of a step: one arm for each.
fn name(plan: &LogicalPlan) -> &'static str {
    match plan {
        LogicalPlan::Projection(_) => "Projection",
        LogicalPlan::Filter(_) => "Filter",
        LogicalPlan::Window(_) => "Window",
        LogicalPlan::Aggregate(_) => "Aggregate",
        LogicalPlan::Sort(_) => "Sort",
        LogicalPlan::Join(_) => "Join",
        LogicalPlan::Repartition(_) => "Repartition",
        LogicalPlan::Union(_) => "Union",
        LogicalPlan::TableScan(_) => "TableScan",
        LogicalPlan::EmptyRelation(_) => "EmptyRelation",
        LogicalPlan::Subquery(_) => "Subquery",
        LogicalPlan::SubqueryAlias(_) => "SubqueryAlias",
        LogicalPlan::Limit(_) => "Limit",
        LogicalPlan::Statement(_) => "Statement",
        LogicalPlan::Values(_) => "Values",
        LogicalPlan::Explain(_) => "Explain",
        LogicalPlan::Analyze(_) => "Analyze",
        LogicalPlan::Extension(_) => "Extension",
        LogicalPlan::Distinct(_) => "Distinct",
        LogicalPlan::Dml(_) => "Dml",
        LogicalPlan::Ddl(_) => "Ddl",
        LogicalPlan::Copy(_) => "Copy",
        LogicalPlan::DescribeTable(_) => "DescribeTable",
        LogicalPlan::Unnest(_) => "Unnest",
        LogicalPlan::RecursiveQuery(_) => "RecursiveQuery",
    }
}

/// Each step above must be among these, and each of these is tried.
const STEPS: [&str; 25] = [
    "Projection",
    "Filter",
    "Window",
    "Aggregate",
    "Sort",
    "Join",
    "Repartition",
    "Union",
    "TableScan",
    "EmptyRelation",
    "Subquery",
    "SubqueryAlias",
    "Limit",
    "Statement",
    "Values",
    "Explain",
    "Analyze",
    "Extension",
    "Distinct",
    "Dml",
    "Ddl",
    "Copy",
    "DescribeTable",
    "Unnest",
    "RecursiveQuery",
];

/// A step that the library does not know.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
struct Unknown(LogicalPlan);

impl UserDefinedLogicalNodeCore for Unknown {
    fn name(&self) -> &'static str {
        "Unknown"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.0]
    }

    fn schema(&self) -> &datafusion::common::DFSchemaRef {
        self.0.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unknown")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> datafusion::common::Result<Self> {
        Ok(Self(inputs.swap_remove(0)))
    }
}

/// The same step between a protected table and the aggregate over it, and what becomes of it.
fn below_the_aggregate(world: &World) -> Vec<(LogicalPlan, &'static str)> {
    let records = || LogicalPlanBuilder::from(world.plan("select sex, province from victims"));
    let listed = Schema::new(vec![Field::new_list("l", Field::new_list_field(DataType::Int64, true), true)]);
    let list = LogicalPlan::EmptyRelation(datafusion::logical_expr::EmptyRelation {
        produce_one_row: false,
        schema: Arc::new(DFSchema::try_from(listed).unwrap()),
    });
    let unnest = |plan: LogicalPlan| {
        LogicalPlanBuilder::from(plan).unnest_columns_with_options(vec!["l".into()], UnnestOptions::default()).unwrap()
    };
    let crossed = LogicalPlanBuilder::from(list).cross_join(world.plan("select sex from victims")).unwrap();
    let tests: Vec<(LogicalPlanBuilder, &'static str)> = vec![
        (records().project(vec![col("sex")]).unwrap(), "ok"),
        (records().filter(col("sex").eq(lit("F"))).unwrap(), "ok"),
        (records().alias("t").unwrap(), "ok"),
        (records().sort(vec![col("sex").sort(true, true)]).unwrap(), "PRIV-1003"),
        (records().limit(0, Some(3)).unwrap(), "PRIV-1003"),
        (records().repartition(Partitioning::RoundRobinBatch(2)).unwrap(), "PRIV-1003"),
        (records().union(records().build().unwrap()).unwrap(), "PRIV-1003"),
        (records().distinct().unwrap(), "ok"),
        (records().distinct_on(vec![col("sex")], vec![col("sex")], None).unwrap(), "PRIV-1003"),
        (records().cross_join(world.plan("select 1")).unwrap(), "PRIV-1005"),
        (unnest(crossed.build().unwrap()), "PRIV-1005"),
        (records().aggregate(vec![col("sex")], Vec::<Expr>::new()).unwrap(), "ok"),
        (records().window(vec![datafusion::functions_window::expr_fn::row_number()]).unwrap(), "PRIV-1003"),
    ];
    let counted = |(step, expected): (LogicalPlanBuilder, &'static str)| {
        let count = datafusion::functions_aggregate::expr_fn::count(lit(1_i64));
        (step.aggregate(Vec::<Expr>::new(), vec![count]).unwrap().build().unwrap(), expected)
    };
    tests.into_iter().map(counted).collect()
}

/// Steps over a whole question, and what becomes of them.
fn above(world: &World) -> Vec<(LogicalPlan, &'static str)> {
    let question = || world.plan("select sex, count(*) n from victims group by sex");
    let built = |plan: LogicalPlan| LogicalPlanBuilder::from(plan);
    let extension = LogicalPlan::Extension(Extension { node: Arc::new(Unknown(question())) });
    let subquery = LogicalPlan::Subquery(Subquery {
        subquery: Arc::new(question()),
        outer_ref_columns: Vec::new(),
        spans: datafusion::common::Spans::new(),
    });
    let LogicalPlan::TableScan(scan) = world.plan("select * from victims").inputs()[0].clone() else { unreachable!() };
    let dml = DmlStatement::new(
        TableReference::bare("t"),
        Arc::clone(&scan.source),
        WriteOp::Insert(InsertOp::Append),
        Arc::new(question()),
    );
    let drop =
        DropTable { name: TableReference::bare("victims"), if_exists: true, schema: Arc::new(DFSchema::empty()) };
    let copy = CopyTo::new(
        Arc::new(question()),
        "/nowhere".to_owned(),
        Vec::new(),
        format_as_file_type(Arc::new(ParquetFormatFactory::new())),
        std::collections::HashMap::default(),
    );
    let describe = DescribeTable { schema: Arc::new(Schema::empty()), output_schema: Arc::new(DFSchema::empty()) };
    let recursive = built(question()).to_recursive_query("r".to_owned(), question(), false).unwrap();
    vec![
        (built(question()).sort(vec![col("n").sort(true, true)]).unwrap().build().unwrap(), "ok"),
        (built(question()).limit(0, Some(3)).unwrap().build().unwrap(), "ok"),
        (built(question()).repartition(Partitioning::RoundRobinBatch(2)).unwrap().build().unwrap(), "ok"),
        (built(question()).union(question()).unwrap().build().unwrap(), "ok"),
        (subquery, "ok"),
        (built(question()).explain(false, false).unwrap().build().unwrap(), "PRIV-1010"),
        (built(question()).explain(false, true).unwrap().build().unwrap(), "PRIV-1010"),
        (extension, "PRIV-1010"),
        (LogicalPlan::Dml(dml), "PRIV-1010"),
        (LogicalPlan::Ddl(DdlStatement::DropTable(drop)), "PRIV-1010"),
        (LogicalPlan::Copy(copy), "PRIV-1010"),
        (LogicalPlan::DescribeTable(describe), "PRIV-1010"),
        (LogicalPlan::Statement(OfPlan::Deallocate(Deallocate { name: "p".to_owned() })), "PRIV-1010"),
        (recursive.build().unwrap(), "PRIV-1010"),
        (world.plan("values (1)"), "ok"),
        (world.plan("select sex, count(*) from victims group by sex having count(*) > 3"), "ok"),
        (world.plan("select sum(n) over () from (select sex, count(*) n from victims group by 1) t"), "ok"),
    ]
}

#[test]
fn every_step_of_a_plan_is_judged() {
    let world = World::new();
    let mut tried = BTreeSet::new();
    let mut wrong = Vec::new();
    for (plan, expected) in below_the_aggregate(&world).into_iter().chain(above(&world)) {
        plan.apply_with_subqueries(|node| {
            tried.insert(name(node));
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
        let lowered = world.lower(&plan);
        if let Ok(lowered) = &lowered {
            assert!(!reads_protected(&lowered.plan), "{}", lowered.plan.display_indent());
        }
        let got = verdict(lowered);
        if got != expected {
            wrong.push(format!("{got}, not {expected}:\n{}", plan.display_indent()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(tried, BTreeSet::from(STEPS), "each step is tried");
}

#[test]
fn a_scan_that_something_was_pushed_into_is_refused() {
    let world = World::new();
    let LogicalPlan::TableScan(scan) = world.plan("select * from victims").inputs()[0].clone() else { unreachable!() };
    let changes: [fn(&mut datafusion::logical_expr::TableScan); 3] = [
        |scan| scan.fetch = Some(10),
        |scan| scan.filters = vec![col("sex").eq(lit("F"))],
        |scan| scan.projection = Some(vec![0]),
    ];
    for change in changes {
        let mut scan = scan.clone();
        change(&mut scan);
        let count = datafusion::functions_aggregate::expr_fn::count(lit(1_i64));
        let plan = LogicalPlanBuilder::from(LogicalPlan::TableScan(scan)).aggregate(Vec::<Expr>::new(), vec![count]);
        assert_eq!(verdict(world.lower(&plan.unwrap().build().unwrap())), "PRIV-1003");
    }
}
