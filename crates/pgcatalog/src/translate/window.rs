//! ORDER BY and windows.

use std::collections::HashMap;

use sqlparser::ast::{
    NamedWindowDefinition, NamedWindowExpr, OrderByExpr, OrderByOptions, WindowFrame, WindowFrameBound, WindowSpec,
    WindowType,
};

use super::Translator;
use super::names::fold;
use super::scope::Scope;
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

/// How a term is ordered: PostgreSQL puts NULLs last, and first when it descends; SQLite has them as the smallest.
pub(super) fn direction(options: OrderByOptions) -> &'static str {
    let ascending = options.asc != Some(false);
    match (ascending, options.nulls_first.unwrap_or(!ascending)) {
        (true, true) => "ASC NULLS FIRST",
        (true, false) => "ASC NULLS LAST",
        (false, true) => "DESC NULLS FIRST",
        (false, false) => "DESC NULLS LAST",
    }
}

impl Translator {
    /// `ORDER BY` of expressions alone, as in an aggregate or a window.
    pub(super) fn order(&mut self, by: &[OrderByExpr], scope: &Scope<'_>) -> Result<String> {
        let mut terms = Vec::new();
        for term in by {
            let value = self.hinted(&term.expr, scope, oid::TEXT)?;
            // A number alone would be a column's place to SQLite.
            terms.push(format!("({}) {}", value.sql, direction(term.options)));
        }
        Ok(if terms.is_empty() { String::new() } else { format!("ORDER BY {}", terms.join(", ")) })
    }

    /// What follows OVER.
    pub(super) fn window(&mut self, over: &WindowType, scope: &Scope<'_>) -> Result<String> {
        match over {
            WindowType::NamedWindow(name) => {
                let name = fold(name);
                let window = self.windows.get(&name).cloned();
                window.ok_or_else(|| {
                    CatalogueError::new(Fault::UndefinedObject, format!("window \"{name}\" does not exist"))
                })
            }
            WindowType::WindowSpec(spec) => self.window_spec(spec, scope),
        }
    }

    fn window_spec(&mut self, spec: &WindowSpec, scope: &Scope<'_>) -> Result<String> {
        if spec.window_name.is_some() {
            return Err(CatalogueError::unsupported("a window that extends another"));
        }
        let mut pieces = Vec::new();
        let mut partition = Vec::new();
        for expr in &spec.partition_by {
            partition.push(self.expr(expr, scope)?.sql);
        }
        if !partition.is_empty() {
            pieces.push(format!("PARTITION BY {}", partition.join(",")));
        }
        pieces.push(self.order(&spec.order_by, scope)?);
        if let Some(frame) = &spec.window_frame {
            pieces.push(self.frame(frame, scope)?);
        }
        Ok(format!("({})", pieces.join(" ")))
    }

    fn frame(&mut self, frame: &WindowFrame, scope: &Scope<'_>) -> Result<String> {
        let start = self.bound(&frame.start_bound, scope)?;
        Ok(match &frame.end_bound {
            Some(end) => format!("{} BETWEEN {start} AND {}", frame.units, self.bound(end, scope)?),
            None => format!("{} {start}", frame.units),
        })
    }

    fn bound(&mut self, bound: &WindowFrameBound, scope: &Scope<'_>) -> Result<String> {
        Ok(match bound {
            WindowFrameBound::CurrentRow => "CURRENT ROW".into(),
            WindowFrameBound::Preceding(None) => "UNBOUNDED PRECEDING".into(),
            WindowFrameBound::Following(None) => "UNBOUNDED FOLLOWING".into(),
            WindowFrameBound::Preceding(Some(rows)) => format!("{} PRECEDING", self.expr(rows, scope)?.sql),
            WindowFrameBound::Following(Some(rows)) => format!("{} FOLLOWING", self.expr(rows, scope)?.sql),
        })
    }

    /// The named windows of a SELECT.
    pub(super) fn name_windows(
        &mut self,
        definitions: &[NamedWindowDefinition],
        scope: &Scope<'_>,
    ) -> Result<HashMap<String, String>> {
        let mut windows = HashMap::new();
        for NamedWindowDefinition(name, definition) in definitions {
            let NamedWindowExpr::WindowSpec(spec) = definition else {
                return Err(CatalogueError::unsupported("a window that is another's name"));
            };
            windows.insert(fold(name), self.window_spec(spec, scope)?);
        }
        Ok(windows)
    }
}
