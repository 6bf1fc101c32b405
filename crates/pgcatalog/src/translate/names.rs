//! Names: of identifiers, and of the columns of a result where the client gives none (`FigureColname` in `parse_target.c`).

use sqlparser::ast::{
    AccessExpr, DataType, Expr, FunctionArguments, Ident, ObjectName, ObjectNamePart, Query, SelectItem, SetExpr,
    Subscript,
};

use crate::error::{CatalogueError, Result};

/// A name: folded to lower case unless in double quotes.
pub(super) fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// The parts of a name with dots.
pub(super) fn parts(name: &ObjectName) -> Result<Vec<String>> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Ok(fold(ident)),
            ObjectNamePart::Function(_) => Err(CatalogueError::unsupported("a function as a part of a name")),
        })
        .collect()
}

/// The name of a result's column, and whether it is a good one (an alias, a column, a function) or the last resort.
pub(super) fn of_column(expr: &Expr) -> String {
    named(expr).map_or_else(|| "?column?".into(), |(name, _)| name)
}

fn named(expr: &Expr) -> Option<(String, bool)> {
    let strong = |name: &str| Some((name.to_owned(), true));
    match expr {
        Expr::Identifier(ident) => Some((fold(ident), true)),
        Expr::CompoundIdentifier(idents) => idents.last().map(|ident| (fold(ident), true)),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => named(inner),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let field = access_chain.iter().rev().find_map(|access| match access {
                AccessExpr::Dot(Expr::Identifier(ident)) => Some(fold(ident)),
                AccessExpr::Dot(_) | AccessExpr::Subscript(Subscript::Index { .. } | Subscript::Slice { .. }) => None,
            });
            field.map(|name| (name, true)).or_else(|| named(root))
        }
        Expr::Function(function) => match (&function.args, function.name.0.last()) {
            (FunctionArguments::Subquery(_), _) => strong("array"),
            (_, Some(ObjectNamePart::Identifier(ident))) => Some((fold(ident), true)),
            _ => None,
        },
        Expr::Cast { expr, data_type, .. } => match named(expr) {
            Some((name, true)) => Some((name, true)),
            _ => Some((type_name(data_type), false)),
        },
        Expr::TypedString(typed) => Some((type_name(&typed.data_type), false)),
        Expr::Case { else_result, .. } => match else_result.as_deref().and_then(named) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case".into(), false)),
        },
        Expr::Exists { negated: false, .. } => strong("exists"),
        Expr::Array(_) => strong("array"),
        Expr::Subquery(query) => of_query(query),
        Expr::Substring { shorthand, .. } => strong(if *shorthand { "substr" } else { "substring" }),
        Expr::Position { .. } => strong("position"),
        Expr::Extract { .. } => strong("extract"),
        Expr::Overlay { .. } => strong("overlay"),
        Expr::Trim { trim_where, .. } => strong(match trim_where {
            Some(sqlparser::ast::TrimWhereField::Leading) => "ltrim",
            Some(sqlparser::ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Expr::Ceil { .. } => strong("ceil"),
        Expr::Floor { .. } => strong("floor"),
        Expr::AtTimeZone { .. } => strong("timezone"),
        Expr::Tuple(_) => strong("row"),
        Expr::Interval(_) => Some(("interval".into(), false)),
        _ => None,
    }
}

fn of_query(query: &Query) -> Option<(String, bool)> {
    match query.body.as_ref() {
        SetExpr::Select(select) => match select.projection.first()? {
            SelectItem::UnnamedExpr(expr) => named(expr),
            SelectItem::ExprWithAlias { alias, .. } => Some((fold(alias), true)),
            _ => None,
        },
        SetExpr::Query(query) => of_query(query),
        SetExpr::SetOperation { left, .. } => match left.as_ref() {
            SetExpr::Select(select) => match select.projection.first()? {
                SelectItem::UnnamedExpr(expr) => named(expr),
                SelectItem::ExprWithAlias { alias, .. } => Some((fold(alias), true)),
                _ => None,
            },
            _ => None,
        },
        SetExpr::Values(_) => Some(("column1".into(), true)),
        _ => None,
    }
}

/// The name of a cast's type, as PostgreSQL keeps it: that of the elements for an array.
fn type_name(data_type: &DataType) -> String {
    if let DataType::Custom(name, _) = data_type
        && let Ok(mut parts) = parts(name)
    {
        return parts.pop().unwrap_or_default();
    }
    match super::cast::data_type(data_type) {
        Ok((kind, _)) => {
            let kind =
                crate::builtin::element_of(kind).filter(|_| matches!(data_type, DataType::Array(_))).unwrap_or(kind);
            crate::builtin::type_of(kind).map_or_else(|| "?column?".into(), |kind| kind.name.to_owned())
        }
        Err(_) => "?column?".into(),
    }
}
