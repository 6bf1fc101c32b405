//! FROM: tables, subqueries, functions and joins.

use sqlparser::ast::{
    FunctionArg, Join, JoinConstraint, JoinOperator, ObjectName, Query, TableAlias, TableFactor, TableWithJoins,
};

use super::call::function_name;
use super::names::{fold, parts};
use super::scope::{Column, Relation, Scope};
use super::sets::is_set;
use super::{Translator, Typed};
use crate::builtin;
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

impl Translator {
    /// A FROM clause: its SQL (empty where there is none), and its tables in `scope`.
    pub(super) fn from(&mut self, from: &[TableWithJoins], scope: &mut Scope<'_>) -> Result<String> {
        let mut items = Vec::new();
        for item in from {
            items.push(self.joins(item, scope)?);
        }
        Ok(if items.is_empty() { String::new() } else { format!("FROM {}", items.join(" JOIN ")) })
    }

    /// One item with its joins.
    fn joins(&mut self, item: &TableWithJoins, scope: &mut Scope<'_>) -> Result<String> {
        self.descend(|this| {
            let start = scope.relations.len();
            let mut sql = this.factor(&item.relation, scope)?;
            // A join from the right sees only its own item, not those before it.
            let outer = item.joins.iter().any(|join| {
                matches!(
                    join.join_operator,
                    JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
                )
            });
            for join in &item.joins {
                sql.push_str(&this.join(join, start, scope)?);
            }
            Ok(if outer { format!("({sql})") } else { sql })
        })
    }

    fn join(&mut self, join: &Join, start: usize, scope: &mut Scope<'_>) -> Result<String> {
        let (word, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => ("JOIN", Some(constraint)),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => ("LEFT JOIN", Some(constraint)),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => ("RIGHT JOIN", Some(constraint)),
            JoinOperator::FullOuter(constraint) => ("FULL JOIN", Some(constraint)),
            JoinOperator::CrossJoin(_) => ("JOIN", None),
            _ => return Err(CatalogueError::unsupported("this kind of join")),
        };
        let middle = scope.relations.len();
        let factor = self.factor(&join.relation, scope)?;
        let condition = match constraint {
            Some(JoinConstraint::On(expr)) => Some(self.hinted(expr, scope, oid::BOOL)?.sql),
            Some(JoinConstraint::Using(columns)) => {
                let names = columns
                    .iter()
                    .map(|column| Ok(parts(column)?.pop().unwrap_or_default()))
                    .collect::<Result<Vec<String>>>()?;
                Some(self.merge(&names, start, middle, scope, word)?)
            }
            Some(JoinConstraint::Natural) => {
                let right: Vec<String> =
                    visible(&scope.relations[middle..]).map(|column| column.name.clone()).collect();
                let names: Vec<String> = visible(&scope.relations[start..middle])
                    .map(|column| column.name.clone())
                    .chain(scope.merged.iter().map(|column| column.name.clone()))
                    .filter(|name| right.contains(name))
                    .collect();
                if names.is_empty() { None } else { Some(self.merge(&names, start, middle, scope, word)?) }
            }
            Some(JoinConstraint::None) | None => None,
        };
        let condition = condition
            .map_or_else(|| if word == "JOIN" { String::new() } else { " ON 1".into() }, |sql| format!(" ON {sql}"));
        Ok(format!(" {word} {factor}{condition}"))
    }

    /// USING: the condition, and one column in place of two.
    fn merge(
        &mut self,
        names: &[String],
        start: usize,
        middle: usize,
        scope: &mut Scope<'_>,
        word: &str,
    ) -> Result<String> {
        let mut conditions = Vec::new();
        for name in names {
            let missing = || {
                CatalogueError::new(
                    Fault::UndefinedColumn,
                    format!("column \"{name}\" specified in USING clause does not exist"),
                )
            };
            let before = scope.merged.iter().position(|column| column.name == *name);
            let left = match before {
                Some(place) => scope.merged[place].typed(),
                None => visible(&scope.relations[start..middle])
                    .find(|column| column.name == *name)
                    .ok_or_else(missing)?
                    .typed(),
            };
            let right =
                visible(&scope.relations[middle..]).find(|column| column.name == *name).ok_or_else(missing)?.typed();
            conditions.push(self.compare("=", left.clone(), right.clone())?.sql);
            let sql = match word {
                "RIGHT JOIN" => right.sql.clone(),
                "FULL JOIN" => format!("coalesce({},{})", left.sql, right.sql),
                _ => left.sql.clone(),
            };
            let merged = Column::new(name, sql, left.oid);
            match before {
                Some(place) => scope.merged[place] = merged,
                None => scope.merged.push(merged),
            }
            for column in scope.relations[start..]
                .iter_mut()
                .flat_map(|relation| &mut relation.columns)
                .filter(|column| column.name == *name)
            {
                column.merged = true;
            }
        }
        Ok(conditions.join(" AND "))
    }

    fn factor(&mut self, factor: &TableFactor, scope: &mut Scope<'_>) -> Result<String> {
        match factor {
            TableFactor::Table { name, alias, args: None, with_ordinality: false, .. } => {
                self.table(name, alias.as_ref(), scope)
            }
            TableFactor::Table { name, alias, args: Some(arguments), with_ordinality, .. } => {
                self.function(name, &arguments.args, alias.as_ref(), *with_ordinality, scope)
            }
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                self.function(name, args, alias.as_ref(), *with_ordinality, scope)
            }
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                let [array] = array_exprs.as_slice() else {
                    return self.unnest_many(array_exprs, alias.as_ref(), *with_ordinality, scope);
                };
                let value = self.expr(array, scope)?;
                let rows = self.rows_with("unnest", vec![value])?;
                self.add_rows("unnest", rows, alias.as_ref(), *with_ordinality, scope)
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                self.derived(*lateral, subquery, alias.as_ref(), scope)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                Ok(format!("({})", self.joins(table_with_joins, scope)?))
            }
            _ => Err(CatalogueError::unsupported("this kind of table in FROM")),
        }
    }

    fn table(&mut self, name: &ObjectName, alias: Option<&TableAlias>, scope: &mut Scope<'_>) -> Result<String> {
        let mut parts = parts(name)?;
        let last = parts.pop().unwrap_or_default();
        let schema = parts.pop();
        let own = self.alias();
        if schema.is_none()
            && let Some(common) = self.common(&last).cloned()
        {
            let columns = common
                .columns
                .iter()
                .enumerate()
                .map(|(place, (name, kind))| Column::new(name, format!("{own}.c{}", place + 1), *kind));
            let relation = Relation { name: last, schema: None, columns: columns.collect(), stored: None };
            add(relation, alias, scope)?;
            return Ok(format!("{} AS {own}", common.table));
        }
        let Some(system) = builtin::relation(schema.as_deref(), &last) else {
            let full = schema.map_or_else(|| last.clone(), |schema| format!("{schema}.{last}"));
            return Err(CatalogueError::new(
                Fault::UndefinedTable,
                format!("relation \"{full}\" does not exist in the system catalogue"),
            ));
        };
        let columns = system
            .columns
            .iter()
            .map(|column| Column::new(column.name, format!("{own}.\"{}\"", column.name), column.type_oid));
        let relation = Relation {
            name: last,
            schema: Some(system.schema.into()),
            columns: columns.collect(),
            stored: (system.kind == 'r').then_some(system.oid),
        };
        add(relation, alias, scope)?;
        Ok(format!("\"{}\" AS {own}", system.stored()))
    }

    /// A subquery. One that refers to tables before it is an array of its rows.
    fn derived(
        &mut self,
        lateral: bool,
        query: &Query,
        alias: Option<&TableAlias>,
        scope: &mut Scope<'_>,
    ) -> Result<String> {
        let own = self.alias();
        let (sql, columns) =
            if lateral { self.query(query, Some(scope), &[])? } else { self.query(query, scope.parent, &[])? };
        let fields: Vec<String> = (1..=columns.len()).map(|place| format!("c{place}")).collect();
        let columns = columns.iter().enumerate().map(|(place, (name, kind))| {
            let sql = if lateral { format!("({own}.value->>{place})") } else { format!("{own}.c{}", place + 1) };
            Column::new(name, sql, *kind)
        });
        let relation = Relation {
            name: alias.map_or_else(String::new, |alias| fold(&alias.name)),
            schema: None,
            columns: columns.collect(),
            stored: None,
        };
        add(relation, alias, scope)?;
        Ok(if lateral {
            format!("json_each((SELECT f__gather_json(json_array({})) FROM ({sql}))) AS {own}", fields.join(","))
        } else {
            format!("({sql}) AS {own}")
        })
    }

    fn function(
        &mut self,
        name: &ObjectName,
        arguments: &[FunctionArg],
        alias: Option<&TableAlias>,
        ordinality: bool,
        scope: &mut Scope<'_>,
    ) -> Result<String> {
        let name = function_name(name)?;
        // Functions that are a system view's rows.
        let view = match name.as_str() {
            "pg_show_all_settings" => Some("pg_settings"),
            "pg_timezone_names"
            | "pg_available_extensions"
            | "pg_lock_status"
            | "pg_cursor"
            | "pg_prepared_statement" => Some(match name.as_str() {
                "pg_lock_status" => "pg_locks",
                "pg_cursor" => "pg_cursors",
                "pg_prepared_statement" => "pg_prepared_statements",
                other => other,
            }),
            _ => None,
        };
        if let Some(view) = view {
            let object = ObjectName::from(vec![sqlparser::ast::Ident::new(view)]);
            return self.table(&object, alias, scope);
        }
        let rows = if is_set(&name) {
            self.rows_of(&name, arguments, scope)?
        } else {
            let mut values = Vec::new();
            for argument in arguments {
                values.push(self.expr(super::call::plain(argument)?, scope)?);
            }
            let value: Typed = self.call_with(&name, values)?;
            super::sets::Rows {
                source: format!("json_each(f__one({}))", value.sql),
                columns: vec![(name.clone(), value.oid)],
                record: false,
                kind: value.oid,
            }
        };
        self.add_rows(&name, rows, alias, ordinality, scope)
    }

    fn add_rows(
        &mut self,
        name: &str,
        mut rows: super::sets::Rows,
        alias: Option<&TableAlias>,
        ordinality: bool,
        scope: &mut Scope<'_>,
    ) -> Result<String> {
        let own = self.alias();
        // The single column of a function has the name of the table.
        if let ([column], Some(alias)) = (rows.columns.as_mut_slice(), alias) {
            column.0 = fold(&alias.name);
        }
        let mut columns = rows.columns_of(&own);
        if ordinality {
            columns.push(Column::new("ordinality", format!("({own}.key + 1)"), oid::INT8));
        }
        add(Relation { name: name.to_owned(), schema: None, columns, stored: None }, alias, scope)?;
        Ok(format!("{} AS {own}", rows.source))
    }

    /// `unnest(a, b)`: in step, as far as the first goes.
    fn unnest_many(
        &mut self,
        arrays: &[sqlparser::ast::Expr],
        alias: Option<&TableAlias>,
        ordinality: bool,
        scope: &mut Scope<'_>,
    ) -> Result<String> {
        let mut sources = Vec::new();
        let mut columns = Vec::new();
        for array in arrays {
            let value = self.expr(array, scope)?;
            let rows = self.rows_with("unnest", vec![value])?;
            let own = self.alias();
            columns.extend(rows.columns_of(&own));
            sources.push((rows.source, own));
        }
        let Some(((source, first), others)) = sources.split_first() else {
            return Err(CatalogueError::new(Fault::Syntax, "unnest() needs an array"));
        };
        if ordinality {
            columns.push(Column::new("ordinality", format!("({first}.key + 1)"), oid::INT8));
        }
        let mut sql = format!("{source} AS {first}");
        for (source, own) in others {
            sql.push_str(&format!(" LEFT JOIN {source} AS {own} ON {own}.key = {first}.key"));
        }
        add(Relation { name: "unnest".into(), schema: None, columns, stored: None }, alias, scope)?;
        Ok(sql)
    }
}

fn visible(relations: &[Relation]) -> impl Iterator<Item = &Column> {
    relations.iter().flat_map(|relation| &relation.columns).filter(|column| !column.merged)
}

/// Puts a table into sight under its alias, with the alias's names of columns.
fn add(mut relation: Relation, alias: Option<&TableAlias>, scope: &mut Scope<'_>) -> Result<()> {
    if let Some(alias) = alias {
        relation.name = fold(&alias.name);
        relation.schema = None;
        if alias.columns.len() > relation.columns.len() {
            return Err(CatalogueError::new(
                Fault::Syntax,
                format!("table \"{}\" has fewer columns than its alias names", relation.name),
            ));
        }
        for (column, named) in relation.columns.iter_mut().zip(&alias.columns) {
            column.name = fold(&named.name);
        }
    }
    let taken =
        |other: &Relation| !relation.name.is_empty() && other.name == relation.name && other.schema == relation.schema;
    if scope.relations.iter().any(taken) {
        return Err(CatalogueError::new(
            Fault::DuplicateAlias,
            format!("table name \"{}\" specified more than once", relation.name),
        ));
    }
    scope.relations.push(relation);
    Ok(())
}
