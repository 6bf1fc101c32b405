//! Expressions.

use recursive::recursive;
use sqlparser::ast::{AccessExpr, CaseWhen, Expr, Ident, Query, Subscript, TrimWhereField, Value};

use super::names::fold;
use super::scope::Scope;
use super::{MAX_WRITTEN, Origin, Translator, Typed, cast, quoted, too_complex};
use crate::builtin;
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

impl Translator {
    /// An expression.
    #[recursive]
    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed> {
        let typed = self.descend(|this| this.any_expr(expr, scope))?;
        self.written += typed.sql.len();
        if self.written > MAX_WRITTEN {
            return Err(too_complex("the statement is too long for the system catalogue"));
        }
        Ok(typed)
    }

    fn any_expr(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed> {
        match expr {
            Expr::Nested(inner) => {
                let typed = self.expr(inner, scope)?;
                Ok(Typed { sql: format!("({})", typed.sql), ..typed })
            }
            Expr::Identifier(ident) => identifier(ident, scope),
            Expr::CompoundIdentifier(idents) => column_of(idents, scope),
            Expr::Value(value) => self.value(&value.value),
            Expr::TypedString(typed) => {
                let text = typed.value.value.clone().into_string().unwrap_or_default();
                let (kind, length) = cast::data_type(&typed.data_type)?;
                self.cast(Typed::literal(&text), kind, length)
            }
            Expr::Cast { expr, data_type, .. } => {
                let (kind, length) = cast::data_type(data_type)?;
                let typed = self.hinted(expr, scope, kind)?;
                self.cast(typed, kind, length)
            }
            Expr::Collate { expr, .. } => self.expr(expr, scope),
            Expr::Function(function) => self.call(function, scope),
            Expr::Subquery(query) => self.scalar(query, scope),
            Expr::Exists { subquery, negated } => {
                let (sql, _) = self.query(subquery, Some(scope), &[])?;
                Ok(boolean(format!("{}EXISTS ({sql})", not(*negated))))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), scope)
            }
            Expr::Array(array) => self.array(&array.elem, scope),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, scope),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                self.substring(expr, substring_from.as_deref(), substring_for.as_deref(), scope)
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    _ => "btrim",
                };
                let letters =
                    trim_what.as_deref().or_else(|| trim_characters.as_ref().and_then(|letters| letters.first()));
                let mut arguments = vec![self.text_of(expr, scope)?];
                if let Some(letters) = letters {
                    arguments.push(self.text_of(letters, scope)?);
                }
                Ok(Typed::new(format!("f_{name}({})", arguments.join(",")), oid::TEXT))
            }
            Expr::Position { expr, r#in } => {
                let (part, whole) = (self.text_of(expr, scope)?, self.text_of(r#in, scope)?);
                Ok(Typed::new(format!("f_position({whole},{part})"), oid::INT4))
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut arguments = vec![
                    self.text_of(expr, scope)?,
                    self.text_of(overlay_what, scope)?,
                    self.expr(overlay_from, scope)?.sql,
                ];
                if let Some(length) = overlay_for {
                    arguments.push(self.expr(length, scope)?.sql);
                }
                Ok(Typed::new(format!("f_overlay({})", arguments.join(",")), oid::TEXT))
            }
            Expr::Extract { field, expr, .. } => {
                let value = self.expr(expr, scope)?;
                Ok(Typed::new(format!("f_date_part({},{})", quoted(&field.to_string()), value.sql), oid::NUMERIC))
            }
            Expr::Ceil { expr, .. } => self.rounded("ceil", expr, scope),
            Expr::Floor { expr, .. } => self.rounded("floor", expr, scope),
            Expr::AtTimeZone { timestamp, .. } => {
                // There is one zone here, UTC.
                let value = self.expr(timestamp, scope)?;
                let kind = if value.oid == oid::TIMESTAMPTZ { oid::TIMESTAMP } else { oid::TIMESTAMPTZ };
                self.cast(value, kind, None)
            }
            Expr::Interval(interval) => {
                let value = self.expr(&interval.value, scope)?;
                self.coerce(value, oid::INTERVAL)
            }
            other => self.operation(other, scope),
        }
    }

    /// An expression of which the type is known where it has none.
    pub(super) fn hinted(&mut self, expr: &Expr, scope: &Scope<'_>, kind: u32) -> Result<Typed> {
        // A constructor takes the type of its cast: `ARRAY[]::text[]`.
        if let Expr::Array(array) = expr
            && array.elem.is_empty()
        {
            return Ok(Typed::new("'{}'", kind));
        }
        let typed = self.expr(expr, scope)?;
        self.coerce(typed, kind)
    }

    /// An expression as text.
    pub(super) fn text_of(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<String> {
        let typed = self.hinted(expr, scope, oid::TEXT)?;
        Ok(cast::text(&typed))
    }

    fn value(&mut self, value: &Value) -> Result<Typed> {
        Ok(match value {
            Value::Null => Typed::null(),
            Value::Boolean(value) => boolean(i32::from(*value).to_string()),
            Value::Placeholder(mark) => self.parameter(mark)?,
            Value::Number(digits, _) => number(digits)?,
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text) => Typed::literal(text),
            Value::DollarQuotedString(text) => Typed::literal(&text.value),
            _ => return Err(CatalogueError::unsupported("this form of a literal")),
        })
    }

    /// A subquery of one value.
    pub(super) fn scalar(&mut self, query: &Query, scope: &Scope<'_>) -> Result<Typed> {
        let (sql, columns) = self.query(query, Some(scope), &[])?;
        match columns.as_slice() {
            [(_, kind)] => Ok(Typed::new(format!("({sql})"), *kind)),
            _ => Err(CatalogueError::new(Fault::Syntax, "subquery must return only one column")),
        }
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Result<Typed> {
        let operand = operand.map(|operand| self.expr(operand, scope)).transpose()?;
        let mut tests = Vec::new();
        let mut results = Vec::new();
        for when in conditions {
            let condition = self.expr(&when.condition, scope)?;
            tests.push(match &operand {
                Some(operand) => self.compare("=", operand.clone(), condition)?.sql,
                None => self.coerce(condition, oid::BOOL)?.sql,
            });
            results.push(self.expr(&when.result, scope)?);
        }
        if let Some(otherwise) = otherwise {
            results.push(self.expr(otherwise, scope)?);
        }
        // The type of ELSE is looked at first.
        if otherwise.is_some() {
            results.rotate_right(1);
        }
        let (mut results, kind) = self.unified(results)?;
        let last = otherwise.map(|_| results.remove(0));
        let mut sql = String::from("CASE");
        for (test, result) in tests.iter().zip(&results) {
            sql.push_str(&format!(" WHEN {test} THEN {}", result.sql));
        }
        if let Some(last) = last {
            sql.push_str(&format!(" ELSE {}", last.sql));
        }
        Ok(Typed::new(sql + " END", kind))
    }

    /// Values of one type together.
    pub(super) fn unified(&mut self, values: Vec<Typed>) -> Result<(Vec<Typed>, u32)> {
        let kind = match Self::common_type(&values) {
            oid::UNKNOWN => oid::TEXT,
            kind => kind,
        };
        let mut unified = Vec::with_capacity(values.len());
        for value in values {
            let value = self.coerce(value, kind)?;
            // A name among texts is its text.
            unified.push(if oid::is_text(kind) && !oid::is_text(value.oid) {
                Typed::new(cast::text(&value), kind)
            } else {
                value
            });
        }
        Ok((unified, kind))
    }

    fn array(&mut self, items: &[Expr], scope: &Scope<'_>) -> Result<Typed> {
        let mut values = Vec::new();
        for item in items {
            values.push(self.expr(item, scope)?);
        }
        let (values, kind) = self.unified(values)?;
        let items: Vec<String> = values
            .iter()
            .map(|value| {
                if kind == oid::BOOL {
                    format!("CASE {} WHEN 1 THEN 't' WHEN 0 THEN 'f' END", value.sql)
                } else {
                    value.sql.clone()
                }
            })
            .collect();
        // A function of SQLite takes 127 arguments at most.
        let mut pieces = items.chunks(100).map(|items| format!("f__array({})", items.join(",")));
        let first = pieces.next().unwrap_or_else(|| "f__array()".to_owned());
        let sql = pieces.fold(first, |whole, piece| format!("f_array_cat({whole},{piece})"));
        Ok(Typed::new(sql, builtin::array_of(kind)))
    }

    /// `x[1]`, `x[1:2]`, `(row).field`.
    fn access(&mut self, root: &Expr, chain: &[AccessExpr], scope: &Scope<'_>) -> Result<Typed> {
        let mut chain = chain.iter();
        let bare = unnested(root);
        let mut value = match (bare, chain.clone().next()) {
            (Expr::Function(function), Some(AccessExpr::Dot(Expr::Identifier(field)))) => {
                chain.next();
                self.field_of_call(function, &fold(field), scope)?
            }
            (Expr::Identifier(relation), Some(AccessExpr::Dot(Expr::Identifier(field))))
                if scope.column(&fold(relation))?.is_none() =>
            {
                chain.next();
                column_of(&[relation.clone(), field.clone()], scope)?
            }
            _ => self.expr(root, scope)?,
        };
        for access in chain {
            value = match access {
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let index = self.hinted(index, scope, oid::INT4)?;
                    let element = builtin::element_of(value.oid).ok_or_else(|| {
                        CatalogueError::new(Fault::InvalidValue, "cannot subscript a value that is no array")
                    })?;
                    Typed::new(format!("f__subscript({},{},{element})", value.sql, index.sql), element)
                }
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, .. }) => {
                    let mut bounds = Vec::new();
                    for bound in [lower_bound, upper_bound] {
                        bounds.push(match bound {
                            Some(bound) => self.hinted(bound, scope, oid::INT4)?.sql,
                            None => "NULL".into(),
                        });
                    }
                    Typed::new(format!("f__slice({},{})", value.sql, bounds.join(",")), value.oid)
                }
                AccessExpr::Dot(Expr::Identifier(field)) => super::sets::field(&value, &fold(field))?,
                AccessExpr::Dot(_) => return Err(CatalogueError::unsupported("a field of this expression")),
            };
        }
        Ok(value)
    }

    fn substring(
        &mut self,
        expr: &Expr,
        from: Option<&Expr>,
        length: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Result<Typed> {
        let whole = self.text_of(expr, scope)?;
        let from = from.map(|from| self.expr(from, scope)).transpose()?;
        let pattern =
            from.as_ref().is_some_and(|from| oid::is_text(from.oid) && !matches!(from.origin, Origin::Parameter(_)));
        let from = match from {
            Some(from) if pattern => self.coerce(from, oid::TEXT)?.sql,
            Some(from) => self.coerce(from, oid::INT4)?.sql,
            None => "1".into(),
        };
        if pattern {
            return Ok(Typed::new(format!("f__substring_regex({whole},{from})"), oid::TEXT));
        }
        let length = match length {
            Some(length) => format!(",{}", self.hinted(length, scope, oid::INT4)?.sql),
            None => String::new(),
        };
        Ok(Typed::new(format!("f_substring({whole},{from}{length})"), oid::TEXT))
    }

    fn rounded(&mut self, name: &str, expr: &Expr, scope: &Scope<'_>) -> Result<Typed> {
        let value = self.hinted(expr, scope, oid::FLOAT8)?;
        let kind = if value.oid == oid::NUMERIC { oid::NUMERIC } else { oid::FLOAT8 };
        Ok(Typed::new(format!("f_{name}({})", value.sql), kind))
    }
}

/// An expression without the brackets around it.
pub(super) fn unnested(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

pub(super) fn boolean(sql: impl Into<String>) -> Typed {
    Typed::new(sql, oid::BOOL)
}

pub(super) fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn no_column(name: &str) -> CatalogueError {
    CatalogueError::new(Fault::UndefinedColumn, format!("column \"{name}\" does not exist"))
}

/// A name alone: a column, a word that is a value, or a table of FROM as a row.
fn identifier(ident: &Ident, scope: &Scope<'_>) -> Result<Typed> {
    let name = fold(ident);
    if let Some(column) = scope.column(&name)? {
        return Ok(column);
    }
    if ident.quote_style.is_none()
        && let Some(typed) = session_value(&name)
    {
        return Ok(typed);
    }
    if let Some(relation) = scope.relation(None, &name) {
        // A function of single values in FROM is its value; another table is a row of it.
        if let [only] = relation.columns.as_slice() {
            return Ok(only.typed());
        }
        return Ok(Typed::new(relation.json(), oid::RECORD));
    }
    Err(no_column(&name))
}

/// `table.column`, `schema.table.column`, or a row of a table by `table.*`'s name.
fn column_of(idents: &[Ident], scope: &Scope<'_>) -> Result<Typed> {
    let names: Vec<String> = idents.iter().map(fold).collect();
    let (schema, table, column) = match names.as_slice() {
        [table, column] => (None, table, column),
        [schema, table, column] | [_, schema, table, column] => (Some(schema.as_str()), table, column),
        _ => return Err(no_column(&names.join("."))),
    };
    let relation = scope.relation(schema, table).ok_or_else(|| {
        CatalogueError::new(Fault::UndefinedTable, format!("missing FROM-clause entry for table \"{table}\""))
    })?;
    relation.column(column).ok_or_else(|| no_column(&format!("{table}.{column}")))
}

/// A number: the smallest type that holds it.
fn number(digits: &str) -> Result<Typed> {
    if let Ok(number) = digits.parse::<i64>() {
        return Ok(Typed::new(digits, if i32::try_from(number).is_ok() { oid::INT4 } else { oid::INT8 }));
    }
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Typed::new(format!("{number:?}"), oid::NUMERIC)),
        _ => Err(CatalogueError::new(Fault::Syntax, "a number cannot be read")),
    }
}

/// The words that are values without brackets.
pub(super) fn session_value(name: &str) -> Option<Typed> {
    Some(match name {
        "current_user" | "session_user" | "user" | "current_role" | "system_user" => {
            Typed::new("f_current_user()", oid::NAME)
        }
        "current_catalog" => Typed::new("f_current_database()", oid::NAME),
        "current_schema" => Typed::new("f_current_schema()", oid::NAME),
        "current_timestamp" => Typed::new("f_now()", oid::TIMESTAMPTZ),
        "localtimestamp" => Typed::new("f_replace(f_now(),'+00','')", oid::TIMESTAMP),
        "current_date" => Typed::new("f__today()", oid::DATE),
        _ => return None,
    })
}
