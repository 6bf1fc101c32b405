//! Statements of a grammar that knows no rule: whatever SQL can say over the protected tables, most of it to be refused.
//!
//! Absent: any literal that is a canary, so that one in an answer comes from the data.

use policy::{Dataset, Policy};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::people::YEARS;

/// Nesting of expressions and queries.
const DEPTH: u32 = 4;
/// Codes that are taken of each column.
const CODES: usize = 4;

const HIDDEN: [&str; 8] = ["person_id", "case_id", "agency", "sid", "case_sid", "record_key", "rowid", "*"];
const OPEN: [&str; 8] = [
    "reference.province",
    "reference.sex",
    "reference.citizenship",
    "reference.scope",
    "published.v01",
    "information_schema.tables",
    "information_schema.columns",
    "pg_catalog.pg_class",
];
const AGGREGATES: [&str; 26] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "array_agg",
    "string_agg",
    "first_value",
    "last_value",
    "nth_value",
    "bit_xor",
    "bool_or",
    "approx_distinct",
    "approx_percentile_cont",
    "percentile_cont",
    "var_samp",
    "stddev",
    "corr",
    "regr_slope",
    "any_value",
    "mode",
    "grouping",
    "sum_visible",
    "priv_lo",
    "priv_flag",
];
const FUNCTIONS: [&str; 34] = [
    "random",
    "uuid",
    "now",
    "md5",
    "sha256",
    "digest",
    "arrow_typeof",
    "version",
    "lower",
    "length",
    "strpos",
    "substr",
    "concat",
    "coalesce",
    "nullif",
    "greatest",
    "abs",
    "round",
    "floor",
    "power",
    "ln",
    "sqrt",
    "date_trunc",
    "date_part",
    "to_char",
    "regexp_match",
    "encode",
    "ascii",
    "chr",
    "make_array",
    "array_to_string",
    "priv_level",
    "struct",
    "input_file_name",
];
const WINDOWS: [&str; 6] = ["row_number", "rank", "lag", "lead", "ntile", "first_value"];
const OPERATORS: [&str; 22] = [
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "and",
    "or",
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "like",
    "ilike",
    "similar to",
    "~",
    "&",
    "|",
    "is distinct from",
    "^",
];
const TYPES: [&str; 9] = ["int", "bigint", "double", "text", "date", "timestamp", "boolean", "decimal(38, 6)", "bytea"];
const LITERALS: [&str; 18] = [
    "0",
    "1",
    "-1",
    "11",
    "2024",
    "2022",
    "1e300",
    "9223372036854775807",
    "''",
    "'_X'",
    "'2024'",
    "'2024-01-01'",
    "date '2023-07-01'",
    "interval '1' month",
    "null",
    "true",
    "false",
    "'%'",
];

/// Words of one protected table.
struct Home {
    table: String,
    /// Columns, each with some of its codes as literals.
    columns: Vec<(String, Vec<String>)>,
}

/// Words of all of them.
pub struct Wild(Vec<Home>);

impl Wild {
    /// The tables, columns and some codes of a policy.
    pub fn new(policy: &Policy) -> Self {
        let column = |dataset: &Dataset, level: &str| {
            let some = dataset.codes(level, YEARS).unwrap_or_default().into_iter().take(CODES);
            let codes = some.filter_map(|code| dataset.code_text(level, code)).map(|code| format!("'{code}'"));
            (level.to_owned(), codes.collect())
        };
        let home = |dataset: &Dataset| Home {
            table: dataset.name.clone(),
            columns: (dataset.all_levels().map(|level| column(dataset, level)))
                .chain(dataset.measures.values().map(|measure| (measure.name.clone(), vec![measure.max.to_string()])))
                .collect(),
        };
        Self(policy.datasets.iter().map(home).collect())
    }

    /// All words, for mutations.
    pub fn words(&self) -> Vec<String> {
        let fixed = [&HIDDEN[..], &OPEN, &AGGREGATES, &FUNCTIONS, &WINDOWS, &OPERATORS, &TYPES, &LITERALS].concat();
        let own = |home: &Home| {
            let columns = home.columns.iter().flat_map(|(column, codes)| [&[column.clone()][..], codes].concat());
            columns.chain([home.table.clone()]).collect::<Vec<_>>()
        };
        fixed.into_iter().map(str::to_owned).chain(self.0.iter().flat_map(own)).collect()
    }

    /// The next statement: mostly of one table and its own columns and codes, for other words end at the first look.
    pub fn statement(&self, rng: &mut ChaCha8Rng) -> String {
        let home = self.0.choose(rng).expect("datasets");
        Speaker { wild: self, home }.statement(rng)
    }
}

/// Who speaks of one table.
struct Speaker<'a> {
    wild: &'a Wild,
    home: &'a Home,
}

impl Speaker<'_> {
    fn statement(&self, rng: &mut ChaCha8Rng) -> String {
        let query = self.query(DEPTH, rng);
        match rng.random_range(0..24) {
            0 => format!("explain {query}"),
            1 => format!("explain analyze {query}"),
            2 => format!("copy ({query}) to '/dev/null'"),
            3 => format!("create view w as {query}"),
            4 => format!("{query}; {query}"),
            5 => format!("with recursive r as ({query} union all select * from r) select * from r"),
            _ => query,
        }
    }

    fn query(&self, depth: u32, rng: &mut ChaCha8Rng) -> String {
        if depth > 1 && rng.random_bool(0.12) {
            let how = ["union", "union all", "except", "intersect"].choose(rng).copied().unwrap_or("union");
            return format!("{} {how} {}", self.query(depth - 1, rng), self.query(depth - 1, rng));
        }
        let mut text = String::new();
        if depth > 1 && rng.random_bool(0.12) {
            text = format!("with w as ({}) ", self.query(depth - 1, rng));
        }
        let keys: Vec<String> = (0..rng.random_range(0..3)).map(|_| self.key(depth, rng)).collect();
        let figures = (0..rng.random_range(usize::from(keys.is_empty())..3)).map(|_| self.figure(depth, rng));
        let items: Vec<String> = keys.iter().cloned().chain(figures).collect();
        let distinct = if rng.random_bool(0.06) { "distinct " } else { "" };
        text.push_str(&format!("select {distinct}{} from {}", items.join(", "), self.source(depth, rng)));
        if rng.random_bool(0.5) {
            text.push_str(&format!(" where {}", self.condition(depth, rng)));
        }
        if !keys.is_empty() && rng.random_bool(0.85) {
            let keys = keys.join(", ");
            let group = ["{}", "{}", "{}", "{}", "rollup ({})", "cube ({})", "grouping sets (({}), ())"].choose(rng);
            text.push_str(&format!(" group by {}", group.copied().unwrap_or("{}").replace("{}", &keys)));
        }
        for (chance, clause) in [(0.1, "having"), (0.1, "order by"), (0.03, "qualify")] {
            if rng.random_bool(chance) {
                text.push_str(&format!(" {clause} {}", self.expression(depth.min(2), rng)));
            }
        }
        if rng.random_bool(0.1) {
            text.push_str(&format!(" limit {}", rng.random_range(0..20)));
        }
        text
    }

    fn source(&self, depth: u32, rng: &mut ChaCha8Rng) -> String {
        match rng.random_range(0..20) {
            0..=12 => self.table(rng),
            13 => OPEN.choose(rng).copied().unwrap_or_default().to_owned(),
            14 | 15 if depth > 1 => format!("({}) t", self.query(depth - 1, rng)),
            16 if depth > 1 => {
                let how = ["join", "left join", "full join", "left semi join", "cross join"].choose(rng).copied();
                let (a, b) = (self.source(depth - 1, rng), self.source(depth - 1, rng));
                format!("{a} a {} {b} b on {}", how.unwrap_or("join"), self.condition(1, rng))
            }
            17 => "(values (1, 'PK-PB'), (2, 'F')) as t(n, c)".to_owned(),
            18 => format!("{}, lateral (select {}) l", self.table(rng), self.expression(1, rng)),
            _ => format!("{} tablesample (10)", self.table(rng)),
        }
    }

    /// The own table or, seldom, another.
    fn at(&self, rng: &mut ChaCha8Rng) -> &Home {
        if rng.random_bool(0.04) { self.wild.0.choose(rng).unwrap_or(self.home) } else { self.home }
    }

    fn table(&self, rng: &mut ChaCha8Rng) -> String {
        self.at(rng).table.clone()
    }

    fn column(&self, rng: &mut ChaCha8Rng) -> String {
        if rng.random_bool(0.04) {
            return HIDDEN.choose(rng).copied().unwrap_or_default().to_owned();
        }
        self.at(rng).columns.choose(rng).map(|(column, _)| column.clone()).unwrap_or_default()
    }

    /// A column and a literal to compare it with: mostly one of its codes.
    fn pair(&self, rng: &mut ChaCha8Rng) -> (String, String) {
        let Some((column, codes)) = self.at(rng).columns.choose(rng) else { return Default::default() };
        let code = codes.choose(rng).filter(|_| rng.random_bool(0.9)).cloned();
        (column.clone(), code.unwrap_or_else(|| Self::literal(rng)))
    }

    fn literal(rng: &mut ChaCha8Rng) -> String {
        LITERALS.choose(rng).copied().unwrap_or_default().to_owned()
    }

    fn key(&self, depth: u32, rng: &mut ChaCha8Rng) -> String {
        if rng.random_bool(0.85) { self.column(rng) } else { self.expression(depth - 1, rng) }
    }

    fn figure(&self, depth: u32, rng: &mut ChaCha8Rng) -> String {
        match rng.random_range(0..10) {
            0..=3 => "count(*)".to_owned(),
            4 => format!("count(distinct {})", self.column(rng)),
            5 => format!("count(*) filter (where {})", self.condition(depth - 1, rng)),
            6 => format!("sum(case when {} then 1 else 0 end)", self.condition(depth - 1, rng)),
            7 | 8 => format!("{}({})", AGGREGATES.choose(rng).copied().unwrap_or("sum"), self.column(rng)),
            _ => self.expression(depth - 1, rng),
        }
    }

    fn condition(&self, depth: u32, rng: &mut ChaCha8Rng) -> String {
        let (column, code) = self.pair(rng);
        match rng.random_range(0..14) {
            0..=4 => format!("{column} = {code}"),
            5 => format!("{column} in ({code}, {code})"),
            6 => format!("{column} between {code} and {code}"),
            7 => format!("{column} is not null"),
            8 => format!("not ({})", self.condition(depth.saturating_sub(1), rng)),
            9 | 10 if depth > 0 => format!("{} and {}", self.condition(depth - 1, rng), self.condition(depth - 1, rng)),
            11 if depth > 1 => format!("{column} in ({})", self.query(depth - 1, rng)),
            12 if depth > 1 => format!("exists ({})", self.query(depth - 1, rng)),
            _ => self.expression(depth.min(2), rng),
        }
    }

    fn expression(&self, depth: u32, rng: &mut ChaCha8Rng) -> String {
        if depth == 0 {
            return if rng.random_bool(0.5) { self.column(rng) } else { Self::literal(rng) };
        }
        let below = depth - 1;
        match rng.random_range(0..12) {
            0..=2 => {
                let operator = OPERATORS.choose(rng).copied().unwrap_or("=");
                format!("({} {operator} {})", self.expression(below, rng), self.expression(below, rng))
            }
            3 | 4 => {
                let function = FUNCTIONS.choose(rng).copied().unwrap_or("abs");
                let arguments: Vec<String> = (0..rng.random_range(0..3)).map(|_| self.expression(below, rng)).collect();
                format!("{function}({})", arguments.join(", "))
            }
            5 => {
                let to = TYPES.choose(rng).copied().unwrap_or("text");
                format!(
                    "{}({} as {to})",
                    if rng.random_bool(0.5) { "cast" } else { "try_cast" },
                    self.expression(below, rng)
                )
            }
            6 => {
                let (when, then) = (self.condition(below, rng), self.expression(below, rng));
                format!("case when {when} then {then} else {} end", self.expression(below, rng))
            }
            7 => {
                let window = WINDOWS.choose(rng).copied().unwrap_or("rank");
                format!("{window}({}) over (partition by {})", self.expression(below, rng), self.column(rng))
            }
            8 => format!("({})", self.query(below.max(1), rng)),
            9 => format!("{}({})", AGGREGATES.choose(rng).copied().unwrap_or("max"), self.expression(below, rng)),
            _ => self.expression(0, rng),
        }
    }
}
