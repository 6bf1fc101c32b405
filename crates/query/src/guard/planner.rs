//! What the planner of SQL is told: our tables, our functions, and nothing else.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{DataFusionError, Result, TableReference};
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion::sql::planner::ParserOptions;

use super::dated::Dated;
use super::statement::no_table;
use crate::facade::{Found, Scope};
use crate::functions::{FUNCTIONS, OF_PROTECTED};

pub(super) struct Planner<'a> {
    scope: Scope<'a>,
    dated: &'a Dated,
    options: ConfigOptions,
    planners: Vec<Arc<dyn ExprPlanner>>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(scope: Scope<'a>, dated: &'a Dated) -> Self {
        // EXTRACT, SUBSTRING and POSITION, count(*). Those for lists, maps and structures are left out.
        let planners: Vec<Arc<dyn ExprPlanner>> = vec![
            Arc::new(datafusion::functions::datetime::planner::DatetimeFunctionPlanner),
            Arc::new(datafusion::functions::unicode::planner::UnicodeFunctionPlanner),
            Arc::new(datafusion::functions_aggregate::planner::AggregateFunctionPlanner),
            Arc::new(datafusion::functions_window::planner::WindowFunctionPlanner),
        ];
        Self { scope, dated, options: ConfigOptions::default(), planners }
    }

    /// Texts are Utf8, as the tables have them; places are kept for errors.
    pub(super) fn parser_options() -> ParserOptions {
        ParserOptions::new().with_collect_spans(true).with_map_string_types_to_utf8view(false)
    }
}

impl ContextProvider for Planner<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        let parts: Vec<&str> = [name.catalog(), name.schema(), Some(name.table())].into_iter().flatten().collect();
        let found = self.dated.find(&parts).map_or_else(|| self.scope.find(&parts), |table| Ok(Found::Open(table)));
        if let (Ok(found), Some(permit)) = (&found, self.scope.permit)
            && let Some(refusal) = permit.objection(found)
        {
            return Err(DataFusionError::External(Box::new(refusal)));
        }
        match found {
            Ok(Found::Open(table)) => Ok(Arc::clone(&table.source)),
            Ok(Found::Facade(facade)) => Ok(Arc::clone(facade)),
            Err(missing) => Err(DataFusionError::External(Box::new(no_table(&parts, missing)))),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let of_protected = || self.scope.protected.and_then(|_| OF_PROTECTED.scalar.get(name));
        FUNCTIONS.scalar.get(name).or_else(of_protected).cloned()
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let of_protected = || self.scope.protected.and_then(|_| OF_PROTECTED.aggregate.get(name));
        FUNCTIONS.aggregate.get(name).or_else(of_protected).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        FUNCTIONS.window.get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        FUNCTIONS.scalar.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        FUNCTIONS.aggregate.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        FUNCTIONS.window.keys().cloned().collect()
    }
}
