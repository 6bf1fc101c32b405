//! The parsed query: parameters bound, forms that are not offered refused, its size after expansion measured.
//!
//! A name of WITH is written once and planned wherever it is used, so twenty short lines can stand for a million tables.
//! Every query therefore has a [`Cost`], which a use of its name adds again.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, Ident, LimitClause, ObjectName, ObjectNamePart, OrderByKind, Query,
    Select, SelectFlavor, SetExpr, Spanned, TableFactor, TableVersion, Value, ValueWithSpan, Visit, VisitMut, Visitor,
    VisitorMut,
};

use super::dated;
use super::text::{place, too_deep};
use crate::facade::{Found, PROTECTED, Scope};
use crate::functions::{self, FUNCTIONS};
use crate::question::{Limits, Param};
use crate::refusal::{Code, Place, Refusal};
use crate::tables::Missing;

/// Tables that a question may read and SELECTs that it may have, together, names of WITH counted at each use.
const MOST_TABLES: u64 = 48;
/// Queries that may stand in each other's expressions: `(SELECT (SELECT …))`. The planner walks through each of them twice from the
/// one around it, so that each level doubles the work.
const MOST_NESTED: usize = 4;
/// Parts of expressions, names of WITH counted at each use.
const MOST_PARTS: u64 = 4_000;
/// Operators in one chain: `a + a + …`, `a OR a OR …`.
const MOST_CHAINED: usize = 256;
/// Grouping sets of one GROUP BY after expansion of ROLLUP and CUBE.
const MOST_GROUPING_SETS: u64 = 64;

/// Puts the parameters in the places of `$1`, `$2`, …
pub(super) fn bind(query: &mut Query, params: &[Param], limits: &Limits) -> Result<(), Refusal> {
    let bytes: usize = params.iter().map(|p| if let Param::Text(text) = p { text.len() } else { 0 }).sum();
    if bytes > limits.text {
        let detail = format!("The params have {bytes} bytes of text; at most {} are read.", limits.text);
        return Err(Refusal::new(Code::TooLong, detail));
    }
    let mut binder = Binder { params, used: BTreeSet::new() };
    if let ControlFlow::Break(refusal) = query.visit(&mut binder) {
        return Err(refusal);
    }
    match (1..=params.len()).find(|n| !binder.used.contains(n)) {
        Some(unused) => Err(Refusal::new(
            Code::Parameter,
            format!("There are {} params, but ${unused} does not stand in the text.", params.len()),
        )),
        None => Ok(()),
    }
}

struct Binder<'a> {
    params: &'a [Param],
    used: BTreeSet<usize>,
}

impl VisitorMut for Binder<'_> {
    type Break = Refusal;

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<Refusal> {
        let Value::Placeholder(name) = &value.value else {
            return ControlFlow::Continue(());
        };
        let here = place(value.span.start);
        let Some(number) = name.strip_prefix('$').and_then(|n| n.parse::<usize>().ok()) else {
            let refusal = Refusal::new(Code::Parameter, format!("{name} is no placeholder here."));
            return ControlFlow::Break(refusal.hint("Write $1, $2, … in the order of the params.").at(here));
        };
        let Some(param) = number.checked_sub(1).and_then(|at| self.params.get(at)) else {
            let refusal = Refusal::new(
                Code::Parameter,
                format!("${number} has no value: there are {} params.", self.params.len()),
            );
            return ControlFlow::Break(refusal.hint("The first param is $1.").at(here));
        };
        self.used.insert(number);
        value.value = match param {
            Param::Null => Value::Null,
            Param::Bool(truth) => Value::Boolean(*truth),
            Param::Number(number) => Value::Number(number.to_string(), false),
            Param::Text(text) => Value::SingleQuotedString(text.clone()),
        };
        ControlFlow::Continue(())
    }
}

/// Refuses what is not offered and what would grow too large.
pub(super) fn check(query: &Query, limits: &Limits, scope: Scope<'_>) -> Result<(), Refusal> {
    let mut check = Check { limits, scope, frames: Vec::new(), chained: 0, nested: 0 };
    match query.visit(&mut check) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refusal) => Err(refusal),
    }
}

/// The refusal for a table that is not there.
pub(super) fn no_table(parts: &[&str], missing: Missing) -> Refusal {
    let name: String = parts.join(".").chars().take(80).collect();
    let refusal = Refusal::new(Code::UnknownTable, format!("There is no table {name}."));
    match missing {
        Missing::Microdata => refusal.hint(
            "Case records cannot be queried; published.v01 and the other indicators count them. \
             SELECT * FROM information_schema.tables lists what there is.",
        ),
        Missing::Unknown(Some(near)) => refusal.hint(format!("Did you mean {near}?")),
        Missing::Unknown(None) => refusal.hint("SELECT * FROM information_schema.tables lists what there is."),
        Missing::Protected(near) => {
            let refusal = Refusal { code: Code::ProtectedTable, ..refusal };
            match near {
                Some(near) => refusal.hint(format!("Did you mean {PROTECTED}.{near}?")),
                None => refusal.hint("Protected tables bear the names of datasets: victims, cases, services."),
            }
        }
    }
}

/// What a query amounts to once the names of WITH are written out.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    tables: u64,
    parts: u64,
    depth: usize,
    /// Levels of queries in expressions.
    nested: usize,
}

impl Cost {
    /// Adds a query that stands `within` so many expressions of this one.
    fn add(&mut self, inner: Cost, within: usize) {
        self.tables = self.tables.saturating_add(inner.tables);
        self.parts = self.parts.saturating_add(inner.parts);
        self.depth = self.depth.max(inner.depth + 1);
        self.nested = self.nested.max(within + inner.nested);
    }
}

/// A query being visited.
#[derive(Default)]
struct Frame {
    /// Names of WITH whose queries have been seen.
    known: Vec<(String, Cost)>,
    /// Names whose queries come next, in order: they are visited before anything else of this query.
    awaited: VecDeque<String>,
    cost: Cost,
    /// Expressions around it that have it as a query, and those of the queries around it.
    within: usize,
}

struct Check<'a> {
    limits: &'a Limits,
    scope: Scope<'a>,
    frames: Vec<Frame>,
    chained: usize,
    /// Expressions that are being visited and have a query.
    nested: usize,
}

type Verdict = ControlFlow<Refusal>;

fn refuse(code: Code, detail: impl Into<String>, hint: &str, at: Option<Place>) -> Verdict {
    let refusal = Refusal::new(code, detail).at(at);
    ControlFlow::Break(if hint.is_empty() { refusal } else { refusal.hint(hint) })
}

fn construct(what: &str, hint: &str, at: Option<Place>) -> Verdict {
    refuse(Code::Construct, format!("{what} is not offered."), hint, at)
}

/// Refuses the first of the parts that is there.
fn absent(parts: &[(bool, &str, &str)], at: Option<Place>) -> Verdict {
    match parts.iter().find(|(there, _, _)| *there) {
        Some((_, what, hint)) => construct(what, hint, at),
        None => ControlFlow::Continue(()),
    }
}

fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

impl Check<'_> {
    fn grown(&self) -> Verdict {
        let Some(frame) = self.frames.last() else {
            return ControlFlow::Continue(());
        };
        let hint = "Ask in several questions.";
        if frame.cost.tables > MOST_TABLES {
            let detail = format!("More than {MOST_TABLES} tables and SELECTs, names of WITH counted at each use.");
            return refuse(Code::TooComplex, detail, hint, None);
        }
        if frame.cost.parts > MOST_PARTS {
            let detail = format!("The question has more than {MOST_PARTS} parts, names of WITH counted at each use.");
            return refuse(Code::TooComplex, detail, hint, None);
        }
        if frame.within + frame.cost.nested > MOST_NESTED {
            let detail = format!("More than {MOST_NESTED} queries stand in each other's expressions.");
            return refuse(Code::TooDeep, detail, "Use WITH to name steps, and join them.", None);
        }
        if frame.cost.depth + self.frames.len() > self.limits.depth {
            return ControlFlow::Break(too_deep(self.limits.depth));
        }
        ControlFlow::Continue(())
    }

    fn body(body: &SetExpr, at: Option<Place>) -> Verdict {
        let mut open = vec![body];
        while let Some(body) = open.pop() {
            match body {
                SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => {}
                SetExpr::SetOperation { left, op: _, set_quantifier: _, right } => {
                    open.extend([left.as_ref(), right.as_ref()]);
                }
                SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                    let hint = "Published numbers are read only: write SELECT.";
                    return refuse(Code::Statement, "A statement that changes rows is not answered here.", hint, at);
                }
                SetExpr::Table(_) => return construct("TABLE", "Write SELECT * FROM and the name.", at),
            }
        }
        ControlFlow::Continue(())
    }

    /// The cost of a name of WITH.
    fn own(&self, name: &ObjectName) -> Option<Cost> {
        let [ObjectNamePart::Identifier(ident)] = &name.0[..] else { return None };
        let name = folded(ident);
        let known = |frame: &Frame| frame.known.iter().rev().find(|(n, _)| *n == name).map(|(_, cost)| *cost);
        self.frames.iter().rev().find_map(known)
    }

    /// A date stands behind the name of a table, and is one.
    fn dated(&self, name: &ObjectName, version: &TableVersion) -> Verdict {
        let date = match dated::asked(version).and_then(|asked| dated::date(asked).map(|_| asked)) {
            Ok(asked) => place(asked.span().start),
            Err(refusal) => return ControlFlow::Break(refusal),
        };
        if self.own(name).is_some() {
            return construct("AS KNOWN ON behind a name of WITH", "Write it behind the tables in WITH.", date);
        }
        ControlFlow::Continue(())
    }

    fn function(&self, function: &Function) -> Verdict {
        let Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            filter: _,
            null_treatment: _,
            over: _,
            within_group: _,
        } = function;
        let at = place(name.span().start);
        let [ObjectNamePart::Identifier(ident)] = &name.0[..] else {
            let hint = "Functions are called by a name of one part.";
            return refuse(Code::UnknownFunction, "There is no function of that name.", hint, at);
        };
        let ident = ident.value.to_lowercase();
        let of_protected = self.scope.protected.is_some() && functions::is_of_protected(&ident);
        if !FUNCTIONS.has(&ident) && !of_protected {
            let shown: String = ident.chars().take(60).collect();
            let detail = format!("The function {shown} is not offered.");
            return refuse(Code::UnknownFunction, detail, &FUNCTIONS.remedy(&ident), at);
        }
        let odd = *uses_odbc_syntax
            || !matches!(parameters, FunctionArguments::None)
            || matches!(args, FunctionArguments::Subquery(_));
        absent(&[(odd, "This way of calling a function", "Write name(argument, …).")], at)
    }
}

/// Whether an expression has a query of its own.
fn has_query(expr: &Expr) -> bool {
    matches!(expr, Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. })
}

/// Grouping sets that a list of GROUP BY stands for.
fn grouping_sets(expressions: &[Expr]) -> u64 {
    let sets = |e: &Expr| match e {
        Expr::Rollup(columns) => columns.len() as u64 + 1,
        Expr::Cube(columns) => 1_u64.checked_shl(columns.len() as u32).unwrap_or(u64::MAX),
        Expr::GroupingSets(sets) => sets.len() as u64,
        _ => 1,
    };
    expressions.iter().map(sets).fold(1, u64::saturating_mul)
}

impl Visitor for Check<'_> {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &Query) -> Verdict {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        let at = with.as_ref().and_then(|w| place(w.with_token.0.span.start));
        let all = order_by.as_ref().is_some_and(|o| matches!(o.kind, OrderByKind::All(_)) || o.interpolate.is_some());
        let odd_limit = match limit_clause {
            Some(LimitClause::LimitOffset { limit: _, offset: _, limit_by }) => !limit_by.is_empty(),
            Some(LimitClause::OffsetCommaLimit { offset: _, limit: _ }) => true,
            None => false,
        };
        absent(
            &[
                (with.as_ref().is_some_and(|w| w.recursive), "WITH RECURSIVE", "Name the steps one after the other."),
                (all, "ORDER BY ALL", "Name the columns."),
                (odd_limit, "This form of LIMIT", "Write LIMIT n OFFSET m."),
                (fetch.is_some(), "FETCH", "Write LIMIT n."),
                (!locks.is_empty(), "FOR UPDATE and FOR SHARE", "Leave it out: an edition never changes."),
                (for_clause.is_some(), "FOR XML, JSON or BROWSE", "Choose the format by the header Accept."),
                (settings.is_some(), "SETTINGS", "Leave it out."),
                (format_clause.is_some(), "FORMAT", "Choose the format by the header Accept."),
                (!pipe_operators.is_empty(), "The pipe syntax", "Write SELECT … FROM … WHERE …"),
            ],
            at,
        )?;
        Self::body(body, at)?;
        let awaited = with.iter().flat_map(|w| &w.cte_tables).map(|cte| folded(&cte.alias.name)).collect();
        self.frames.push(Frame { awaited, within: self.nested, ..Frame::default() });
        self.grown()
    }

    fn post_visit_query(&mut self, _query: &Query) -> Verdict {
        let Some(done) = self.frames.pop() else {
            return ControlFlow::Continue(());
        };
        if let Some(frame) = self.frames.last_mut() {
            match frame.awaited.pop_front() {
                Some(name) => frame.known.push((name, done.cost)),
                None => frame.cost.add(done.cost, done.within - frame.within),
            }
        }
        self.grown()
    }

    fn pre_visit_select(&mut self, select: &Select) -> Verdict {
        let Select {
            select_token,
            optimizer_hints,
            distinct: _,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection: _,
            exclude,
            into,
            from: _,
            lateral_views,
            prewhere,
            selection: _,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having: _,
            named_window: _,
            qualify: _,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        let at = place(select_token.0.span.start);
        if into.is_some() {
            return refuse(Code::Statement, "SELECT INTO is not answered here.", "Leave INTO out.", at);
        }
        let odd_group = match group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(_, modifiers) => !modifiers.is_empty(),
        };
        absent(
            &[
                (!optimizer_hints.is_empty(), "A hint to an optimiser", "Leave it out."),
                (select_modifiers.is_some(), "A modifier of SELECT", "Leave it out."),
                (top.is_some(), "TOP", "Write LIMIT n at the end."),
                (exclude.is_some(), "EXCLUDE", "Name the columns."),
                (!lateral_views.is_empty(), "LATERAL VIEW", "Write a join."),
                (prewhere.is_some(), "PREWHERE", "Write WHERE."),
                (!connect_by.is_empty(), "CONNECT BY", "Join a code list with its parents."),
                (
                    odd_group,
                    "This form of GROUP BY",
                    "Name the columns; ROLLUP (…), CUBE (…) and GROUPING SETS are offered.",
                ),
                (
                    !cluster_by.is_empty() || !distribute_by.is_empty() || !sort_by.is_empty(),
                    "CLUSTER, DISTRIBUTE or SORT BY",
                    "Write ORDER BY.",
                ),
                (value_table_mode.is_some(), "SELECT AS", "Name the columns."),
                (!matches!(flavor, SelectFlavor::Standard), "FROM before SELECT", "Write SELECT … FROM …"),
            ],
            at,
        )?;
        if let GroupByExpr::Expressions(expressions, _) = group_by
            && grouping_sets(expressions) > MOST_GROUPING_SETS
        {
            let detail = format!("GROUP BY stands for more than {MOST_GROUPING_SETS} grouping sets.");
            return refuse(Code::TooComplex, detail, "Use ROLLUP, or name the GROUPING SETS that you need.", at);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.cost.tables = frame.cost.tables.saturating_add(1);
        }
        self.grown()
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Verdict {
        let function = "Only tables can stand after FROM; a short list of values is written (VALUES (1), (2)) AS t(n).";
        match factor {
            TableFactor::Table {
                name,
                alias: _,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                if let Some(version) = version {
                    self.dated(name, version)?;
                }
                absent(
                    &[
                        (args.is_some(), "A function after FROM", function),
                        (!with_hints.is_empty() || !index_hints.is_empty(), "A hint to an optimiser", "Leave it out."),
                        (*with_ordinality, "WITH ORDINALITY", "Write row_number() over (order by …)."),
                        (!partitions.is_empty() || json_path.is_some(), "A part of a table", "Write WHERE."),
                        (sample.is_some(), "TABLESAMPLE", "Read all rows: editions are small."),
                    ],
                    place(name.span().start),
                )
            }
            TableFactor::Derived { lateral, subquery, alias: _, sample } => absent(
                &[
                    (*lateral, "LATERAL", "Write a join, or a subquery in SELECT."),
                    (sample.is_some(), "TABLESAMPLE", "Read all rows: editions are small."),
                ],
                place(subquery.span().start),
            ),
            TableFactor::NestedJoin { table_with_joins: _, alias: _ } => ControlFlow::Continue(()),
            TableFactor::TableFunction { .. } | TableFactor::Function { .. } => {
                construct("A function after FROM", function, place(factor.span().start))
            }
            TableFactor::UNNEST { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. }
            | TableFactor::SemanticView { .. } => {
                construct("This form after FROM", function, place(factor.span().start))
            }
        }
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> Verdict {
        let mut parts = Vec::new();
        for part in &name.0 {
            let ObjectNamePart::Identifier(ident) = part else {
                return construct("A computed name", "Write the name.", place(name.span().start));
            };
            parts.push(ident);
        }
        let own = self.own(name);
        if own.is_none() {
            let parts: Vec<&str> = parts.iter().map(|i| i.value.as_str()).collect();
            let at = place(name.span().start);
            match self.scope.find(&parts) {
                Ok(Found::Open(table)) if table.awaits_an_edition() => {
                    return refuse(Code::NoEdition, "Nothing has been published yet.", "Ask again later.", at);
                }
                Ok(_) => {}
                Err(missing) => return ControlFlow::Break(no_table(&parts, missing).at(at)),
            }
        }
        if let Some(frame) = self.frames.last_mut() {
            match own {
                Some(cost) => frame.cost.add(cost, self.nested - frame.within),
                None => frame.cost.tables = frame.cost.tables.saturating_add(1),
            }
        }
        self.grown()
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Verdict {
        self.chained += 1;
        if self.chained > MOST_CHAINED {
            let detail = format!("More than {MOST_CHAINED} operators stand in one chain.");
            return refuse(Code::TooComplex, detail, "Write IN (…), or join a list of VALUES.", None);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.cost.parts = frame.cost.parts.saturating_add(1);
        }
        if has_query(expr) {
            self.nested += 1;
        }
        self.grown()?;
        match expr {
            Expr::Function(function) => self.function(function),
            _ => expression(expr),
        }
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> Verdict {
        self.chained = self.chained.saturating_sub(1);
        if has_query(expr) {
            self.nested = self.nested.saturating_sub(1);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> Verdict {
        match &value.value {
            Value::Number(..)
            | Value::SingleQuotedString(_)
            | Value::DollarQuotedString(_)
            | Value::EscapedStringLiteral(_)
            | Value::UnicodeStringLiteral(_)
            | Value::NationalStringLiteral(_)
            | Value::Boolean(_)
            | Value::Null => ControlFlow::Continue(()),
            Value::Placeholder(_)
            | Value::TripleSingleQuotedString(_)
            | Value::TripleDoubleQuotedString(_)
            | Value::SingleQuotedByteStringLiteral(_)
            | Value::DoubleQuotedByteStringLiteral(_)
            | Value::TripleSingleQuotedByteStringLiteral(_)
            | Value::TripleDoubleQuotedByteStringLiteral(_)
            | Value::SingleQuotedRawStringLiteral(_)
            | Value::DoubleQuotedRawStringLiteral(_)
            | Value::TripleSingleQuotedRawStringLiteral(_)
            | Value::TripleDoubleQuotedRawStringLiteral(_)
            | Value::QuoteDelimitedStringLiteral(_)
            | Value::NationalQuoteDelimitedStringLiteral(_)
            | Value::HexStringLiteral(_)
            | Value::DoubleQuotedString(_) => {
                construct("This way of writing a value", "Write 'text', 12.5, TRUE or NULL.", place(value.span.start))
            }
        }
    }
}

/// Forms of expressions as they are written. What they become is looked at once more in the plan.
fn expression(expr: &Expr) -> Verdict {
    let no = |what: &str, hint: &str| construct(what, hint, place(expr.span().start));
    match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::BinaryOp { .. }
        | Expr::Like { any: false, .. }
        | Expr::ILike { any: false, .. }
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. }
        | Expr::UnaryOp { .. }
        | Expr::Cast { array: false, format: None, .. }
        | Expr::Extract { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. }
        | Expr::Position { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::TypedString(_)
        | Expr::Case { .. }
        | Expr::Exists { .. }
        | Expr::Subquery(_)
        | Expr::GroupingSets(_)
        | Expr::Cube(_)
        | Expr::Rollup(_)
        | Expr::Tuple(_)
        | Expr::Interval(_)
        | Expr::Function(_) // looked at by its name
        | Expr::Wildcard(_)
        | Expr::QualifiedWildcard(..) => ControlFlow::Continue(()),
        Expr::SimilarTo { .. } | Expr::RLike { .. } => {
            no("A regular expression", "Write LIKE, starts_with, contains or split_part.")
        }
        Expr::Array(_)
        | Expr::Struct { .. }
        | Expr::Named { .. }
        | Expr::Dictionary(_)
        | Expr::Map(_)
        | Expr::Lambda(_)
        | Expr::MemberOf(_)
        | Expr::CompoundFieldAccess { .. }
        | Expr::JsonAccess { .. }
        | Expr::InUnnest { .. } => no("A list, map or structure", "An answer is a plain table: use rows and columns."),
        Expr::AtTimeZone { .. } => no("AT TIME ZONE", "All times are UTC."),
        Expr::Collate { .. } => no("COLLATE", "Texts are ordered by their code points."),
        Expr::Overlay { .. } => no("OVERLAY", "Write left, right and ||."),
        Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::Cast { .. }
        | Expr::IsNormalized { .. }
        | Expr::Convert { .. }
        | Expr::Prefixed { .. }
        | Expr::MatchAgainst { .. }
        | Expr::OuterJoin(_)
        | Expr::Prior(_) => no("This form of expression", ""),
    }
}
