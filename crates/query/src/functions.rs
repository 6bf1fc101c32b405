//! The functions that a question may call. What is not listed here does not exist for a question.
//!
//! Left out on purpose (privacy.md 4, H9): what differs from call to call (`random`, `uuid`, `now`), what tells of the
//! machine (`version`, `input_file_name`), what makes much out of little (`repeat`, `range`, `array_repeat`,
//! `string_agg`), what may work long on one row (`levenshtein`, regular expressions), lists, maps and structures (an
//! answer is a plain table), and casts to types of Arrow by name.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, WindowUDF,
};

use crate::{companions, names};

/// `priv_level(dimension, 'level')`: a level of a dimension by name (privacy.md 6.3).
pub(crate) const LEVEL_OF: &str = "priv_level";
/// `sum_visible(x)`: the sum of what is shown (privacy.md 6.3).
pub(crate) const SUM_VISIBLE: &str = "sum_visible";

const SCALAR: &[&str] = &[
    // text
    "ascii",
    "bit_length",
    "btrim",
    "character_length",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "ends_with",
    "initcap",
    "left",
    "lower",
    "lpad",
    "ltrim",
    "octet_length",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "to_hex",
    "translate",
    "upper",
    // numbers
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "floor",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log10",
    "log2",
    "nanvl",
    "pi",
    "power",
    "radians",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    // dates
    "date_bin",
    "date_part",
    "date_trunc",
    "make_date",
    "to_char",
    "to_date",
    "to_timestamp",
    "to_timestamp_seconds",
    "to_unixtime",
    // choice
    "arrow_typeof",
    "coalesce",
    "greatest",
    "least",
    "nullif",
    "nvl",
    "nvl2",
];

const AGGREGATE: &[&str] = &[
    "avg",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "median",
    "min",
    "percentile_cont",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
];

const WINDOW: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// Aggregates that may slide over a window: each adds and takes away a row in constant time. A median over a sliding
/// window would sort anew at every row.
const SLIDING: &[&str] = &["avg", "count", "max", "min", "stddev", "stddev_pop", "sum", "var", "var_pop"];

/// The functions on offer by name, aliases included.
pub(crate) struct Functions {
    pub(crate) scalar: BTreeMap<String, Arc<ScalarUDF>>,
    pub(crate) aggregate: BTreeMap<String, Arc<AggregateUDF>>,
    pub(crate) window: BTreeMap<String, Arc<WindowUDF>>,
}

/// The one list.
pub(crate) static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| Functions {
    scalar: by_name(SCALAR, datafusion::functions::all_default_functions(), |f| (f.name(), f.aliases())),
    aggregate: by_name(AGGREGATE, datafusion::functions_aggregate::all_default_aggregate_functions(), |f| {
        (f.name(), f.aliases())
    }),
    window: by_name(WINDOW, datafusion::functions_window::all_default_window_functions(), |f| (f.name(), f.aliases())),
});

/// Functions that exist where protected tables do. None is ever computed: the guard replaces them.
pub(crate) static OF_PROTECTED: LazyLock<Functions> = LazyLock::new(|| {
    let level: Arc<ScalarUDF> = Arc::new(ScalarUDF::new_from_impl(LevelOf::default()));
    let visible: Arc<AggregateUDF> = Arc::new(AggregateUDF::new_from_impl(SumVisible::default()));
    let companions = companions::functions().map(Arc::new).map(|function| (function.name().to_owned(), function));
    Functions {
        scalar: companions.chain([(LEVEL_OF.to_owned(), level)]).collect(),
        aggregate: [(SUM_VISIBLE.to_owned(), visible)].into(),
        window: BTreeMap::new(),
    }
});

/// True for a function that exists only where protected tables do.
pub(crate) fn is_of_protected(name: &str) -> bool {
    OF_PROTECTED.has(name)
}

fn by_name<F>(
    allowed: &[&str],
    all: Vec<Arc<F>>,
    names: impl for<'a> Fn(&'a F) -> (&'a str, &'a [String]),
) -> BTreeMap<String, Arc<F>> {
    let mut found = BTreeMap::new();
    for function in all {
        let (name, aliases) = names(&function);
        if allowed.contains(&name) {
            for name in std::iter::once(name).chain(aliases.iter().map(String::as_str)) {
                found.insert(name.to_owned(), Arc::clone(&function));
            }
        }
    }
    found
}

impl Functions {
    /// True when a function of that name may be called in any place.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.scalar.contains_key(name) || self.aggregate.contains_key(name) || self.window.contains_key(name)
    }

    /// Every name and its kind: `scalar`, `aggregate`, `window`.
    pub(crate) fn listed(&self) -> Vec<(&str, &'static str)> {
        let scalar = self.scalar.keys().map(|name| (name.as_str(), "scalar"));
        let aggregate = self.aggregate.keys().map(|name| (name.as_str(), "aggregate"));
        scalar.chain(aggregate).chain(self.window.keys().map(|name| (name.as_str(), "window"))).collect()
    }

    /// True when the aggregate may be used with OVER.
    pub(crate) fn slides(name: &str) -> bool {
        SLIDING.contains(&name)
    }

    /// What to do instead of calling `name`.
    pub(crate) fn remedy(&self, name: &str) -> String {
        let told = match name {
            "now" | "current_date" | "current_time" | "current_timestamp" | "today" | "localtime"
            | "localtimestamp" => "Write the date itself: date '2024-06-30'; the date of an edition is its as_of.",
            "random" | "rand" | "uuid" | "gen_random_uuid" | "newid" => {
                "An answer is the same each time it is asked; nothing random is offered."
            }
            "version" | "current_setting" | "current_user" | "current_database" | "current_schema" | "pg_sleep"
            | "input_file_name" | "file_row_index" => "Only published numbers can be asked for, not the server.",
            "string_agg" | "array_agg" | "listagg" | "group_concat" => "Ask for the rows and join them on your side.",
            "repeat" | "range" | "generate_series" | "array_repeat" => {
                "Values are not multiplied here; write VALUES (1), (2), … for a short series."
            }
            "arrow_cast" | "arrow_try_cast" | "try_cast_to_type" | "cast_to_type" => {
                "Write CAST(x AS bigint), double, numeric, text or date."
            }
            _ if companions::is_companion(name) => {
                "Over published tables the columns lo95, hi95, obs_status and as_of say it: SELECT value, lo95, hi95, \
                 obs_status FROM published.v01."
            }
            "approx_distinct" => "Write count(distinct x).",
            "approx_median" => "Write median(x).",
            "approx_percentile_cont" => "Write percentile_cont(0.9) within group (order by x).",
            _ if name.starts_with("regexp") => "Write LIKE, starts_with, contains or split_part.",
            _ if name.starts_with("read_") || name.starts_with("pg_") => {
                "Only published numbers can be asked for, not the server or its files."
            }
            _ => "",
        };
        if !told.is_empty() {
            return told.to_owned();
        }
        let all = self.scalar.keys().chain(self.aggregate.keys()).chain(self.window.keys());
        match names::nearest(name, all.map(String::as_str)) {
            Some(near) => format!("Did you mean {near}?"),
            None => "SELECT * FROM information_schema.functions lists what is offered.".to_owned(),
        }
    }
}

fn never_computed(name: &str) -> DataFusionError {
    DataFusionError::Internal(format!("{name} is replaced by the guard"))
}

/// The name of [`LEVEL_OF`], for the planner.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LevelOf(Signature);

impl Default for LevelOf {
    fn default() -> Self {
        Self(Signature::any(2, Volatility::Immutable))
    }
}

impl ScalarUDFImpl for LevelOf {
    fn name(&self) -> &'static str {
        LEVEL_OF
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(never_computed(LEVEL_OF))
    }
}

/// The name of [`SUM_VISIBLE`], for the planner; it has the types of `sum`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct SumVisible(Signature);

impl Default for SumVisible {
    fn default() -> Self {
        Self(Signature::any(1, Volatility::Immutable))
    }
}

impl AggregateUDFImpl for SumVisible {
    fn name(&self) -> &'static str {
        SUM_VISIBLE
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        // `sum` asks for types that coercion has widened; here it has not run.
        Ok(match types.first() {
            Some(DataType::Decimal128(_, scale)) => DataType::Decimal128(38, *scale),
            Some(DataType::Float16 | DataType::Float32 | DataType::Float64) => DataType::Float64,
            _ => DataType::Int64,
        })
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Err(never_computed(SUM_VISIBLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_list_exists() {
        let missing = |list: &[&str], has: &dyn Fn(&str) -> bool| {
            list.iter().filter(|name| !has(name)).map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(missing(SCALAR, &|n| FUNCTIONS.scalar.contains_key(n)), Vec::<String>::new());
        assert_eq!(missing(AGGREGATE, &|n| FUNCTIONS.aggregate.contains_key(n)), Vec::<String>::new());
        assert_eq!(missing(WINDOW, &|n| FUNCTIONS.window.contains_key(n)), Vec::<String>::new());
    }

    #[test]
    fn every_function_of_the_list_gives_the_same_answer_each_time() {
        for (name, function) in &FUNCTIONS.scalar {
            assert_eq!(function.signature().volatility, Volatility::Immutable, "{name}");
        }
    }
}
