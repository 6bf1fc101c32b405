//! Queries: WITH, SELECT, UNION and its like, VALUES, ORDER BY, LIMIT.

use std::collections::HashMap;

use recursive::recursive;
use sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, LimitClause, OrderBy, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Value, Values, With,
};

use super::expr::unnested;
use super::names::{fold, of_column, parts};
use super::scope::Scope;
use super::sets::joined;
use super::window::direction;
use super::{Common, Translator, Typed};
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

/// A query in SQLite's SQL; its columns are `c1`, `c2` there, and have these names and types.
type Done = (String, Vec<(String, u32)>);

/// The parts of a query after its body.
struct Tail<'q> {
    order: &'q [sqlparser::ast::OrderByExpr],
    limit: String,
}

impl Translator {
    /// A query. `hints` are the types that its columns take where they have none.
    #[recursive]
    pub(super) fn query(&mut self, query: &Query, parent: Option<&Scope<'_>>, hints: &[u32]) -> Result<Done> {
        self.descend(|this| {
            let sets = this.sets.take();
            let windows = std::mem::take(&mut this.windows);
            let done = this.any_query(query, parent, hints);
            this.sets = sets;
            this.windows = windows;
            done
        })
    }

    fn any_query(&mut self, query: &Query, parent: Option<&Scope<'_>>, hints: &[u32]) -> Result<Done> {
        if query.for_clause.is_some() || !query.pipe_operators.is_empty() || query.settings.is_some() {
            return Err(CatalogueError::unsupported("this clause of a query"));
        }
        let level = self.commons.len();
        let done = self.with_commons(query, parent, hints);
        self.commons.truncate(level);
        done
    }

    fn with_commons(&mut self, query: &Query, parent: Option<&Scope<'_>>, hints: &[u32]) -> Result<Done> {
        let with = match &query.with {
            Some(with) => self.with(with, parent)?,
            None => String::new(),
        };
        let tail = Tail { order: order_terms(query.order_by.as_ref())?, limit: self.limit(query, parent)? };
        let (sql, columns) = self.body(&query.body, parent, hints, &tail)?;
        Ok((format!("{with}{sql}"), columns))
    }

    fn with(&mut self, with: &With, parent: Option<&Scope<'_>>) -> Result<String> {
        let mut tables = Vec::new();
        for cte in &with.cte_tables {
            let table = format!("w{}", self.alias());
            self.commons.push(HashMap::new());
            let (sql, columns) = if with.recursive {
                self.recursive_common(cte, &table, parent)?
            } else {
                self.query(&cte.query, parent, &[])?
            };
            let names: Vec<String> = (1..=columns.len()).map(|place| format!("c{place}")).collect();
            let common = Common { table: table.clone(), columns: renamed(columns, cte)? };
            if let Some(level) = self.commons.last_mut() {
                level.insert(fold(&cte.alias.name), common);
            }
            tables.push(format!("{table}({}) AS ({sql})", names.join(",")));
        }
        Ok(format!("WITH {}{} ", if with.recursive { "RECURSIVE " } else { "" }, tables.join(", ")))
    }

    /// A WITH query that may name itself: the types of its columns are those of its first branch.
    fn recursive_common(&mut self, cte: &Cte, table: &str, parent: Option<&Scope<'_>>) -> Result<Done> {
        if let SetExpr::SetOperation { left, .. } = cte.query.body.as_ref() {
            let tail = Tail { order: &[], limit: String::new() };
            // The first branch may itself have WITH queries before it, which are those of the whole.
            let level = self.commons.len();
            if let Some(with) = &cte.query.with {
                self.with(with, parent)?;
            }
            let first = self.body(left, parent, &[], &tail);
            self.commons.truncate(level);
            let (_, columns) = first?;
            let common = Common { table: table.to_owned(), columns: renamed(columns, cte)? };
            if let Some(level) = self.commons.last_mut() {
                level.insert(fold(&cte.alias.name), common);
            }
        }
        self.query(&cte.query, parent, &[])
    }

    fn limit(&mut self, query: &Query, parent: Option<&Scope<'_>>) -> Result<String> {
        let (limit, offset) = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                return Err(CatalogueError::new(
                    Fault::Syntax,
                    "LIMIT #,# syntax is not supported: write LIMIT and OFFSET",
                ));
            }
            None => (None, None),
        };
        let limit = limit.or_else(|| query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref()));
        let scope = Scope::within(parent);
        let mut number = |expr: &Expr| -> Result<String> { Ok(self.hinted(expr, &scope, oid::INT8)?.sql) };
        let limit = limit.map(&mut number).transpose()?;
        let offset = offset.map(&mut number).transpose()?;
        if limit.is_none() && offset.is_none() {
            return Ok(String::new());
        }
        let limit = limit.map_or_else(|| "-1".to_owned(), |limit| format!("coalesce({limit},-1)"));
        Ok(format!(
            " LIMIT {limit}{}",
            offset.map(|offset| format!(" OFFSET coalesce({offset},0)")).unwrap_or_default()
        ))
    }

    fn body(&mut self, body: &SetExpr, parent: Option<&Scope<'_>>, hints: &[u32], tail: &Tail<'_>) -> Result<Done> {
        self.descend(|this| match body {
            SetExpr::Select(select) => this.select(select, parent, hints, tail),
            SetExpr::Query(query) => {
                let (sql, columns) = this.query(query, parent, hints)?;
                if tail.order.is_empty() && tail.limit.is_empty() {
                    return Ok((sql, columns));
                }
                let order = output_order(tail, &columns)?;
                Ok((format!("SELECT * FROM ({sql}){order}{}", tail.limit), columns))
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let (sql, columns) = this.set_operation(left, *op, *set_quantifier, right, parent, hints)?;
                let order = output_order(tail, &columns)?;
                Ok((format!("{sql}{order}{}", tail.limit), columns))
            }
            SetExpr::Values(values) => {
                let (sql, columns) = this.values(values, parent, hints)?;
                let order = output_order(tail, &columns)?;
                Ok((format!("{sql}{order}{}", tail.limit), columns))
            }
            _ => Err(CatalogueError::unsupported("a query that writes")),
        })
    }

    fn set_operation(
        &mut self,
        left: &SetExpr,
        op: SetOperator,
        quantifier: SetQuantifier,
        right: &SetExpr,
        parent: Option<&Scope<'_>>,
        hints: &[u32],
    ) -> Result<Done> {
        let word = match (op, quantifier) {
            (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
            (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => "UNION",
            (SetOperator::Except, SetQuantifier::None | SetQuantifier::Distinct) => "EXCEPT",
            (SetOperator::Intersect, SetQuantifier::None | SetQuantifier::Distinct) => "INTERSECT",
            _ => return Err(CatalogueError::unsupported("EXCEPT ALL, INTERSECT ALL or UNION by name")),
        };
        let none = Tail { order: &[], limit: String::new() };
        let mut first = self.body(left, parent, hints, &none)?;
        // Where the left has no type, the right may have one.
        if first.1.iter().any(|(_, kind)| *kind == oid::UNKNOWN) {
            let (_, others) = self.body(right, parent, &[], &none)?;
            let kinds: Vec<u32> = first
                .1
                .iter()
                .zip(&others)
                .map(|((_, kind), (_, other))| if *kind == oid::UNKNOWN { *other } else { *kind })
                .collect();
            first = self.body(left, parent, &kinds, &none)?;
        }
        let kinds: Vec<u32> =
            first.1.iter().map(|(_, kind)| if *kind == oid::UNKNOWN { oid::TEXT } else { *kind }).collect();
        let second = self.body(right, parent, &kinds, &none)?;
        if first.1.len() != second.1.len() {
            return Err(CatalogueError::new(
                Fault::Syntax,
                format!("each {word} query must have the same number of columns"),
            ));
        }
        let columns = first.1.iter().zip(&second.1).map(|((name, _), (_, other))| (name.clone(), *other)).zip(&kinds);
        let columns = columns.map(|((name, other), kind)| (name, super::cast::wider(*kind, other))).collect();
        let plain = |body: &SetExpr| matches!(body, SetExpr::Select(select) if select.distinct.as_ref().is_none_or(|distinct| !matches!(distinct, Distinct::On(_))));
        let side = |body: &SetExpr, sql: String| if plain(body) { sql } else { format!("SELECT * FROM ({sql})") };
        let chain = matches!(left, SetExpr::SetOperation { .. });
        let first_sql = if chain { first.0 } else { side(left, first.0) };
        Ok((format!("{first_sql} {word} {}", side(right, second.0)), columns))
    }

    fn values(&mut self, values: &Values, parent: Option<&Scope<'_>>, hints: &[u32]) -> Result<Done> {
        let scope = Scope::within(parent);
        let mut table: Vec<Vec<Typed>> = Vec::new();
        for row in &values.rows {
            let mut cells = Vec::new();
            for cell in &row.content {
                cells.push(self.expr(cell, &scope)?);
            }
            table.push(cells);
        }
        let width = table.first().map_or(0, Vec::len);
        if width == 0 || table.iter().any(|row| row.len() != width) {
            return Err(CatalogueError::new(Fault::Syntax, "VALUES lists must all be the same length"));
        }
        let mut columns = Vec::new();
        for place in 0..width {
            let cells: Vec<Typed> = table.iter().map(|row| row[place].clone()).collect();
            let kind = match (Self::common_type(&cells), hints.get(place)) {
                (oid::UNKNOWN, Some(hint)) => *hint,
                (oid::UNKNOWN, None) => oid::TEXT,
                (kind, _) => kind,
            };
            columns.push((format!("column{}", place + 1), kind));
        }
        let mut rows = Vec::new();
        for row in table {
            let mut cells = Vec::new();
            for (cell, (_, kind)) in row.into_iter().zip(&columns) {
                cells.push(self.coerce(cell, *kind)?.sql);
            }
            rows.push(format!("({})", cells.join(",")));
        }
        let names: Vec<String> = (1..=width).map(|place| format!("column{place} AS c{place}")).collect();
        Ok((format!("SELECT {} FROM (VALUES {})", names.join(","), rows.join(",")), columns))
    }

    fn select(&mut self, select: &Select, parent: Option<&Scope<'_>>, hints: &[u32], tail: &Tail<'_>) -> Result<Done> {
        if select.into.is_some() || select.qualify.is_some() || !select.lateral_views.is_empty() || select.top.is_some()
        {
            return Err(CatalogueError::unsupported("this clause of SELECT"));
        }
        let mut scope = Scope::within(parent);
        let from = self.from(&select.from, &mut scope)?;
        self.windows = self.name_windows(&select.named_window, &scope)?;
        let filter = match &select.selection {
            Some(selection) => format!(" WHERE {}", self.hinted(selection, &scope, oid::BOOL)?.sql),
            None => String::new(),
        };
        let outer = self.sets.replace(Vec::new());
        let done = self.projected(select, &scope, hints, tail, &from, &filter);
        self.sets = outer;
        done
    }

    fn projected(
        &mut self,
        select: &Select,
        scope: &Scope<'_>,
        hints: &[u32],
        tail: &Tail<'_>,
        from: &str,
        filter: &str,
    ) -> Result<Done> {
        let mut outputs = self.projection(&select.projection, scope)?;
        for (place, (_, value)) in outputs.iter_mut().enumerate() {
            if let Some(hint) = hints.get(place).filter(|hint| **hint != oid::UNKNOWN) {
                *value = self.coerce(value.clone(), *hint)?;
            } else if matches!(value.origin, super::Origin::Parameter(_)) {
                *value = self.coerce(value.clone(), oid::TEXT)?;
            }
        }
        let grouping = self.grouping(&select.group_by, &outputs, scope)?;
        let having = match &select.having {
            Some(having) => format!(" HAVING {}", self.hinted(having, scope, oid::BOOL)?.sql),
            None => String::new(),
        };
        let terms = self.order_of_select(tail, &outputs, scope)?;
        let list: Vec<String> =
            outputs.iter().enumerate().map(|(place, (_, value))| format!("{} AS c{}", value.sql, place + 1)).collect();
        let columns: Vec<(String, u32)> = outputs.iter().map(|(name, value)| (name.clone(), value.oid)).collect();
        let mut on = Vec::new();
        if let Some(Distinct::On(exprs)) = &select.distinct {
            for expr in exprs {
                on.push(self.order_key(expr, &outputs, scope)?);
            }
        }
        let sets = self.sets.take().unwrap_or_default();
        let from = joined(from, &sets);
        let order = if terms.is_empty() {
            String::new()
        } else {
            format!(
                " ORDER BY {}",
                terms.iter().map(|(key, way)| format!("{key} {way}")).collect::<Vec<_>>().join(", ")
            )
        };
        if on.is_empty() {
            let word = if matches!(select.distinct, Some(Distinct::Distinct)) { "DISTINCT " } else { "" };
            let list = if list.is_empty() { "NULL AS c0".to_owned() } else { list.join(", ") };
            return Ok((format!("SELECT {word}{list} {from}{filter}{grouping}{having}{order}{}", tail.limit), columns));
        }
        // DISTINCT ON: the first of each group, by the order of the query.
        let spell = |key: &str| {
            key.parse::<usize>()
                .ok()
                .and_then(|place| outputs.get(place - 1))
                .map_or_else(|| key.to_owned(), |(_, value)| value.sql.clone())
        };
        let inner_order: Vec<String> = terms.iter().map(|(key, way)| format!("{} {way}", spell(key))).collect();
        let inner_order =
            if inner_order.is_empty() { String::new() } else { format!(" ORDER BY {}", inner_order.join(", ")) };
        let keys: Vec<String> =
            terms.iter().enumerate().map(|(place, (key, _))| format!("{} AS o{place}", spell(key))).collect();
        let outer_order: Vec<String> =
            terms.iter().enumerate().map(|(place, (_, way))| format!("o{place} {way}")).collect();
        let outer_order =
            if outer_order.is_empty() { String::new() } else { format!(" ORDER BY {}", outer_order.join(", ")) };
        let partition: Vec<String> = on.iter().map(|key| spell(key)).collect();
        let names: Vec<String> = (1..=outputs.len()).map(|place| format!("c{place}")).collect();
        let inner: Vec<String> = list.into_iter().chain(keys).collect();
        Ok((
            format!(
                "SELECT {} FROM (SELECT {}, row_number() OVER (PARTITION BY {}{inner_order}) AS n {from}{filter}{grouping}{having}) WHERE n = 1{outer_order}{}",
                names.join(","),
                inner.join(", "),
                partition.join(","),
                tail.limit
            ),
            columns,
        ))
    }

    fn projection(&mut self, items: &[SelectItem], scope: &Scope<'_>) -> Result<Vec<(String, Typed)>> {
        let mut outputs = Vec::new();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => outputs.push((of_column(expr), self.expr(expr, scope)?)),
                SelectItem::ExprWithAlias { expr, alias } => outputs.push((fold(alias), self.expr(expr, scope)?)),
                SelectItem::Wildcard(_) => {
                    outputs.extend(scope.all().map(|column| (column.name.clone(), column.typed())));
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let mut parts = parts(name)?;
                    let table = parts.pop().unwrap_or_default();
                    let relation = scope.relation(parts.pop().as_deref(), &table).ok_or_else(|| {
                        CatalogueError::new(
                            Fault::UndefinedTable,
                            format!("missing FROM-clause entry for table \"{table}\""),
                        )
                    })?;
                    outputs.extend(relation.columns.iter().map(|column| (column.name.clone(), column.typed())));
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => match unnested(expr) {
                    Expr::Function(function) => {
                        let columns = self.columns_of_call(function, scope)?;
                        outputs.extend(columns.iter().map(|column| (column.name.clone(), column.typed())));
                    }
                    Expr::Identifier(ident) => {
                        let relation = scope
                            .relation(None, &fold(ident))
                            .ok_or_else(|| CatalogueError::unsupported("the fields of a value"))?;
                        outputs.extend(relation.columns.iter().map(|column| (column.name.clone(), column.typed())));
                    }
                    _ => return Err(CatalogueError::unsupported("the fields of a value")),
                },
                SelectItem::ExprWithAliases { .. } => {
                    return Err(CatalogueError::unsupported("several names of one column"));
                }
            }
        }
        if outputs.len() > 1600 {
            return Err(super::too_complex("target lists can have at most 1600 entries"));
        }
        Ok(outputs)
    }

    fn grouping(&mut self, by: &GroupByExpr, outputs: &[(String, Typed)], scope: &Scope<'_>) -> Result<String> {
        let GroupByExpr::Expressions(exprs, modifiers) = by else {
            return Err(CatalogueError::unsupported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(CatalogueError::unsupported("grouping sets"));
        }
        let mut keys = Vec::new();
        for expr in exprs {
            if let Some(place) = ordinal(expr, outputs.len())? {
                keys.push(place.to_string());
                continue;
            }
            // A column of a table goes before an output's name here.
            if let Expr::Identifier(ident) = unnested(expr) {
                let name = fold(ident);
                if scope.column(&name)?.is_none()
                    && let Some(place) = outputs.iter().position(|(output, _)| *output == name)
                {
                    keys.push((place + 1).to_string());
                    continue;
                }
            }
            let value = self.hinted(expr, scope, oid::TEXT)?;
            keys.push(format!("({})", value.sql));
        }
        Ok(if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(",")) })
    }

    fn order_of_select(
        &mut self,
        tail: &Tail<'_>,
        outputs: &[(String, Typed)],
        scope: &Scope<'_>,
    ) -> Result<Vec<(String, &'static str)>> {
        let mut terms = Vec::new();
        for term in tail.order {
            terms.push((self.order_key(&term.expr, outputs, scope)?, direction(term.options)));
        }
        Ok(terms)
    }

    /// What ORDER BY or DISTINCT ON names: the place of an output, its name, or an expression.
    fn order_key(&mut self, expr: &Expr, outputs: &[(String, Typed)], scope: &Scope<'_>) -> Result<String> {
        if let Some(place) = ordinal(expr, outputs.len())? {
            return Ok(place.to_string());
        }
        if let Expr::Identifier(ident) = unnested(expr) {
            let name = fold(ident);
            if let Some(place) = outputs.iter().position(|(output, _)| *output == name) {
                return Ok((place + 1).to_string());
            }
        }
        let value = self.hinted(expr, scope, oid::TEXT)?;
        Ok(format!("({})", value.sql))
    }
}

fn order_terms(order: Option<&OrderBy>) -> Result<&[sqlparser::ast::OrderByExpr]> {
    match order.map(|order| &order.kind) {
        None => Ok(&[]),
        Some(OrderByKind::Expressions(terms)) => Ok(terms),
        Some(OrderByKind::All(_)) => Err(CatalogueError::unsupported("ORDER BY ALL")),
    }
}

/// A number alone is the place of an output.
fn ordinal(expr: &Expr, count: usize) -> Result<Option<usize>> {
    let Expr::Value(value) = expr else { return Ok(None) };
    let Value::Number(digits, _) = &value.value else { return Ok(None) };
    match digits.parse::<usize>() {
        Ok(place) if (1..=count).contains(&place) => Ok(Some(place)),
        _ => Err(CatalogueError::new(Fault::Syntax, format!("position {digits} is not in select list"))),
    }
}

/// ORDER BY of what is no single SELECT: by names and places of its columns.
fn output_order(tail: &Tail<'_>, columns: &[(String, u32)]) -> Result<String> {
    let mut terms = Vec::new();
    for term in tail.order {
        let place = match ordinal(&term.expr, columns.len())? {
            Some(place) => place,
            None => match unnested(&term.expr) {
                Expr::Identifier(ident) => {
                    let name = fold(ident);
                    let place = columns.iter().position(|(column, _)| *column == name);
                    place.ok_or_else(|| {
                        CatalogueError::new(Fault::UndefinedColumn, format!("column \"{name}\" does not exist"))
                    })? + 1
                }
                _ => return Err(CatalogueError::unsupported("an expression in ORDER BY after UNION")),
            },
        };
        terms.push(format!("{place} {}", direction(term.options)));
    }
    Ok(if terms.is_empty() { String::new() } else { format!(" ORDER BY {}", terms.join(", ")) })
}

/// The columns of a WITH query under the names that it gives them.
fn renamed(mut columns: Vec<(String, u32)>, cte: &Cte) -> Result<Vec<(String, u32)>> {
    if cte.alias.columns.len() > columns.len() {
        return Err(CatalogueError::new(
            Fault::Syntax,
            format!("WITH query \"{}\" has fewer columns than are named", fold(&cte.alias.name)),
        ));
    }
    for (column, named) in columns.iter_mut().zip(&cte.alias.columns) {
        column.0 = fold(&named.name);
    }
    for column in &mut columns {
        if column.1 == oid::UNKNOWN {
            column.1 = oid::TEXT;
        }
    }
    Ok(columns)
}
