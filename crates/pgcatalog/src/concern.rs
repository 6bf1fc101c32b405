//! Which side a statement is for: whether it reads system tables, others, or both.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, ObjectName, ObjectNamePart, Query, TableFactor, Visit, Visitor};

use crate::builtin;
use crate::described::Concern;
use crate::translate::{Question, is_known};

/// What a statement names.
#[derive(Default)]
struct Named {
    /// Names of WITH queries, anywhere.
    commons: HashSet<String>,
    tables: Vec<Vec<String>>,
    functions: Vec<Vec<String>>,
}

fn parts(name: &ObjectName) -> Vec<String> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) if ident.quote_style.is_some() => ident.value.clone(),
            ObjectNamePart::Identifier(ident) => ident.value.to_lowercase(),
            ObjectNamePart::Function(_) => String::new(),
        })
        .collect()
}

impl Visitor for Named {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(with) = &query.with {
            self.commons.extend(with.cte_tables.iter().map(|cte| {
                let name = &cte.alias.name;
                if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
            }));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: None, .. } => self.tables.push(parts(name)),
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => self.functions.push(parts(name)),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            self.functions.push(parts(&function.name));
        }
        ControlFlow::Continue(())
    }
}

/// Whether a table is one of the system's. One that begins with `pg_` is, whether it exists or not: no other is called so.
fn is_system(table: &[String]) -> bool {
    match table {
        [name] => name.starts_with("pg_") || builtin::relation(None, name).is_some(),
        [.., schema, _] => schema == "pg_catalog" || schema == "information_schema",
        [] => false,
    }
}

/// The side of a question.
pub(crate) fn of(question: &Question) -> Concern {
    let query = match question {
        Question::Query(query) => query,
        Question::Show(_) => return Concern::Catalogue,
    };
    let mut named = Named::default();
    let _ = query.visit(&mut named);
    let tables =
        named.tables.iter().filter(|table| !matches!(table.as_slice(), [name] if named.commons.contains(name)));
    let (system, data): (Vec<_>, Vec<_>) = tables.partition(|table| is_system(table));
    match (system.is_empty(), data.first()) {
        (false, Some(table)) => Concern::Both { table: table.join(".") },
        (false, None) => Concern::Catalogue,
        (true, None) if named.functions.iter().all(|name| is_ours(name)) => Concern::Catalogue,
        (true, _) => Concern::Data,
    }
}

fn is_ours(name: &[String]) -> bool {
    match name {
        [name] => is_known(name),
        [schema, _] => schema == "pg_catalog" || schema == "information_schema",
        _ => false,
    }
}
