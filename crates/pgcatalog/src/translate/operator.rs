//! Operators and predicates.

use sqlparser::ast::{BinaryOperator, Expr, Query, UnaryOperator, ValueWithSpan};

use super::expr::{boolean, not, unnested};
use super::scope::Scope;
use super::{Translator, Typed, cast, quoted};
use crate::builtin;
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

/// What an operator does, whatever way it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Compare(&'static str),
    Arithmetic(char),
    Concat,
    And,
    Or,
    /// Negated; without regard to case.
    Match(bool, bool),
    Like(bool, bool),
    Contains,
    ContainedIn,
    Overlap,
    Bits(&'static str),
    /// A field or element of JSON.
    Json(&'static str),
}

fn operator(operator: &BinaryOperator) -> Result<Operator> {
    use BinaryOperator as B;
    Ok(match operator {
        B::Eq => Operator::Compare("="),
        B::NotEq => Operator::Compare("<>"),
        B::Lt => Operator::Compare("<"),
        B::LtEq => Operator::Compare("<="),
        B::Gt => Operator::Compare(">"),
        B::GtEq => Operator::Compare(">="),
        B::Plus => Operator::Arithmetic('+'),
        B::Minus => Operator::Arithmetic('-'),
        B::Multiply => Operator::Arithmetic('*'),
        B::Divide => Operator::Arithmetic('/'),
        B::Modulo => Operator::Arithmetic('%'),
        B::StringConcat => Operator::Concat,
        B::And => Operator::And,
        B::Or => Operator::Or,
        B::PGRegexMatch => Operator::Match(false, false),
        B::PGRegexIMatch => Operator::Match(false, true),
        B::PGRegexNotMatch => Operator::Match(true, false),
        B::PGRegexNotIMatch => Operator::Match(true, true),
        B::PGLikeMatch => Operator::Like(false, false),
        B::PGILikeMatch => Operator::Like(false, true),
        B::PGNotLikeMatch => Operator::Like(true, false),
        B::PGNotILikeMatch => Operator::Like(true, true),
        B::AtArrow => Operator::Contains,
        B::ArrowAt => Operator::ContainedIn,
        B::PGOverlap => Operator::Overlap,
        B::Arrow => Operator::Json("->"),
        B::LongArrow => Operator::Json("->>"),
        B::BitwiseAnd => Operator::Bits("&"),
        B::BitwiseOr => Operator::Bits("|"),
        B::PGBitwiseShiftLeft => Operator::Bits("<<"),
        B::PGBitwiseShiftRight => Operator::Bits(">>"),
        other => return Err(CatalogueError::unsupported(format!("the operator {other}"))),
    })
}

impl Translator {
    /// The kinds of expressions that are operations.
    pub(super) fn operation(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed> {
        match expr {
            Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => self.chain(expr, op, scope),
            Expr::BinaryOp { left, op, right } => self.binary(left, operator(op)?, right, scope),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, scope),
            Expr::IsNull(inner) => self.postfix(inner, "IS NULL", scope),
            Expr::IsNotNull(inner) => self.postfix(inner, "IS NOT NULL", scope),
            Expr::IsTrue(inner) => self.truth(inner, "IS 1", scope),
            Expr::IsNotTrue(inner) => self.truth(inner, "IS NOT 1", scope),
            Expr::IsFalse(inner) => self.truth(inner, "IS 0", scope),
            Expr::IsNotFalse(inner) => self.truth(inner, "IS NOT 0", scope),
            Expr::IsUnknown(inner) => self.truth(inner, "IS NULL", scope),
            Expr::IsNotUnknown(inner) => self.truth(inner, "IS NOT NULL", scope),
            Expr::IsDistinctFrom(left, right) => self.binary(left, Operator::Compare("IS NOT"), right, scope),
            Expr::IsNotDistinctFrom(left, right) => self.binary(left, Operator::Compare("IS"), right, scope),
            Expr::Between { expr, negated, low, high } => {
                let value = self.expr(expr, scope)?;
                let (low, high) = (self.expr(low, scope)?, self.expr(high, scope)?);
                let low = self.compare(">=", value.clone(), low)?;
                let high = self.compare("<=", value, high)?;
                Ok(boolean(format!("{}({} AND {})", not(*negated), low.sql, high.sql)))
            }
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated, scope),
            Expr::InSubquery { expr, subquery, negated } => self.in_query(expr, subquery, *negated, scope),
            Expr::Like { negated, any: true, expr, pattern, .. } => {
                self.quantified(expr, Operator::Like(*negated, false), pattern, true, scope)
            }
            Expr::ILike { negated, any: true, expr, pattern, .. } => {
                self.quantified(expr, Operator::Like(*negated, true), pattern, true, scope)
            }
            Expr::Like { negated, expr, pattern, escape_char, .. } => {
                self.like(*negated, false, expr, pattern, escape_char.as_ref(), scope)
            }
            Expr::ILike { negated, expr, pattern, escape_char, .. } => {
                self.like(*negated, true, expr, pattern, escape_char.as_ref(), scope)
            }
            Expr::SimilarTo { negated, expr, pattern, .. } => {
                let (value, pattern) = (self.text_of(expr, scope)?, self.text_of(pattern, scope)?);
                Ok(boolean(format!("{}f__similar({value},{pattern})", not(*negated))))
            }
            Expr::AnyOp { left, compare_op, right, .. } => {
                self.quantified(left, operator(compare_op)?, right, true, scope)
            }
            Expr::AllOp { left, compare_op, right } => {
                self.quantified(left, operator(compare_op)?, right, false, scope)
            }
            Expr::Tuple(items) => {
                let (items, _) = self.row(items, scope)?;
                Ok(Typed::new(items, oid::RECORD))
            }
            other => Err(CatalogueError::unsupported(format!("this kind of expression ({})", kind_of(other)))),
        }
    }

    /// AND and OR of many: as a balanced tree, since SQLite bounds its depth and clients name each of their tables so.
    fn chain(&mut self, expr: &Expr, op: &BinaryOperator, scope: &Scope<'_>) -> Result<Typed> {
        let mut operands = Vec::new();
        let mut rest = expr;
        while let Expr::BinaryOp { left, op: inner, right } = rest
            && inner == op
        {
            operands.push(right.as_ref());
            rest = left;
        }
        operands.push(rest);
        let mut values = Vec::with_capacity(operands.len());
        for operand in operands.into_iter().rev() {
            values.push(self.hinted(operand, scope, oid::BOOL)?.sql);
        }
        let word = if *op == BinaryOperator::And { " AND " } else { " OR " };
        while values.len() > 1 {
            values = values
                .chunks(2)
                .map(|pair| if let [one] = pair { one.clone() } else { format!("({})", pair.join(word)) })
                .collect();
        }
        Ok(boolean(values.remove(0)))
    }

    fn binary(&mut self, left: &Expr, operator: Operator, right: &Expr, scope: &Scope<'_>) -> Result<Typed> {
        let first = self.expr(left, scope)?;
        let second = self.expr(right, scope)?;
        self.apply(operator, first, second)
    }

    fn apply(&mut self, operator: Operator, first: Typed, second: Typed) -> Result<Typed> {
        match operator {
            Operator::Compare(sign) => self.compare(sign, first, second),
            Operator::And | Operator::Or => {
                let (first, second) = (self.coerce(first, oid::BOOL)?, self.coerce(second, oid::BOOL)?);
                let word = if operator == Operator::And { "AND" } else { "OR" };
                Ok(boolean(format!("({} {word} {})", first.sql, second.sql)))
            }
            Operator::Match(negated, ignore) => {
                let (value, pattern) = (self.textual(first)?, self.textual(second)?);
                Ok(boolean(format!("({}f__match({value},{pattern},{}))", not(negated), i32::from(ignore))))
            }
            Operator::Like(negated, ignore) => {
                let (value, pattern) = (self.textual(first)?, self.textual(second)?);
                Ok(boolean(format!("({}f__like({value},{pattern},{}))", not(negated), i32::from(ignore))))
            }
            Operator::Concat => self.concat(first, second),
            Operator::Arithmetic(sign) => self.arithmetic(sign, first, second),
            Operator::Json(sign) => {
                let key = if second.is_open() { self.coerce(second, oid::TEXT)? } else { second };
                let first = self.coerce(first, oid::JSON)?;
                Ok(match sign {
                    "->" => Typed::new(format!("({} -> {})", first.sql, key.sql), first.oid),
                    _ => Typed::new(format!("CAST({} ->> {} AS TEXT)", first.sql, key.sql), oid::TEXT),
                })
            }
            Operator::Bits(sign) => {
                let (first, second) = self.matched(first, second)?;
                Ok(Typed::new(format!("({} {sign} {})", first.sql, second.sql), first.oid))
            }
            Operator::Contains | Operator::ContainedIn | Operator::Overlap => {
                let (first, second) = self.matched(first, second)?;
                Ok(boolean(match operator {
                    Operator::Contains => format!("f__contains({},{})", first.sql, second.sql),
                    Operator::ContainedIn => format!("f__contains({},{})", second.sql, first.sql),
                    _ => format!("f__overlaps({},{})", first.sql, second.sql),
                }))
            }
        }
    }

    fn textual(&mut self, typed: Typed) -> Result<String> {
        let typed = self.coerce(typed, oid::TEXT)?;
        Ok(cast::text(&typed))
    }

    /// Two values of one type, where one takes that of the other.
    fn matched(&mut self, first: Typed, second: Typed) -> Result<(Typed, Typed)> {
        let kind = match (first.is_open(), second.is_open()) {
            (true, true) => oid::TEXT,
            (true, false) => second.oid,
            (false, _) => first.oid,
        };
        Ok((self.coerce(first, kind)?, self.coerce(second, kind)?))
    }

    /// A comparison. Sign is one of SQLite's.
    pub(super) fn compare(&mut self, sign: &str, first: Typed, second: Typed) -> Result<Typed> {
        let (first, second) = self.matched(first, second)?;
        let mixed =
            oid::is_text(first.oid) != oid::is_text(second.oid) && (oid::is_reg(first.oid) || oid::is_reg(second.oid));
        if mixed {
            return Ok(boolean(format!("({} {sign} {})", cast::text(&first), cast::text(&second))));
        }
        Ok(boolean(format!("({} {sign} {})", first.sql, second.sql)))
    }

    fn concat(&mut self, first: Typed, second: Typed) -> Result<Typed> {
        let (left, right) = (builtin::element_of(first.oid), builtin::element_of(second.oid));
        match (left, right) {
            (Some(_), Some(_)) => Ok(Typed::new(format!("f_array_cat({},{})", first.sql, second.sql), first.oid)),
            (Some(_), None) if second.is_open() => {
                let second = self.coerce(second, first.oid)?;
                Ok(Typed::new(format!("f_array_cat({},{})", first.sql, second.sql), first.oid))
            }
            (Some(_), None) => Ok(Typed::new(format!("f_array_append({},{})", first.sql, second.sql), first.oid)),
            (None, Some(_)) if first.is_open() => {
                let first = self.coerce(first, second.oid)?;
                Ok(Typed::new(format!("f_array_cat({},{})", first.sql, second.sql), second.oid))
            }
            (None, Some(_)) => Ok(Typed::new(format!("f_array_prepend({},{})", first.sql, second.sql), second.oid)),
            (None, None) => {
                Ok(Typed::new(format!("({} || {})", self.textual(first)?, self.textual(second)?), oid::TEXT))
            }
        }
    }

    fn arithmetic(&mut self, sign: char, first: Typed, second: Typed) -> Result<Typed> {
        let (first, second) = match (first.is_open(), second.is_open()) {
            (true, true) => (self.coerce(first, oid::INT4)?, self.coerce(second, oid::INT4)?),
            _ => self.matched(first, second)?,
        };
        let numeric = |kind: u32| oid::is_number(kind) || oid::is_reg(kind);
        if !numeric(first.oid) || !numeric(second.oid) {
            return Err(CatalogueError::unsupported(format!("{sign} of values that are no numbers")));
        }
        let kind = cast::wider(first.oid, second.oid);
        Ok(Typed::new(
            match sign {
                '/' => format!("f__divide({},{})", first.sql, second.sql),
                '%' => format!("f__modulo({},{})", first.sql, second.sql),
                sign => format!("({} {sign} {})", first.sql, second.sql),
            },
            kind,
        ))
    }

    fn unary(&mut self, operator: UnaryOperator, expr: &Expr, scope: &Scope<'_>) -> Result<Typed> {
        let value = self.expr(expr, scope)?;
        match operator {
            UnaryOperator::Not => {
                let value = self.coerce(value, oid::BOOL)?;
                Ok(boolean(format!("(NOT {})", value.sql)))
            }
            UnaryOperator::Minus => {
                let value = self.coerce(value, oid::INT4)?;
                Ok(Typed::new(format!("(- {})", value.sql), value.oid))
            }
            UnaryOperator::Plus => self.coerce(value, oid::INT4),
            UnaryOperator::BitwiseNot => Ok(Typed::new(format!("(~ {})", value.sql), value.oid)),
            other => Err(CatalogueError::unsupported(format!("the operator {other}"))),
        }
    }

    fn postfix(&mut self, expr: &Expr, test: &str, scope: &Scope<'_>) -> Result<Typed> {
        let value = self.expr(expr, scope)?;
        let value = if value.is_open() { self.coerce(value, oid::TEXT)? } else { value };
        Ok(boolean(format!("({} {test})", value.sql)))
    }

    fn truth(&mut self, expr: &Expr, test: &str, scope: &Scope<'_>) -> Result<Typed> {
        let value = self.hinted(expr, scope, oid::BOOL)?;
        Ok(boolean(format!("({} {test})", value.sql)))
    }

    fn like(
        &mut self,
        negated: bool,
        ignore: bool,
        value: &Expr,
        pattern: &Expr,
        escape: Option<&ValueWithSpan>,
        scope: &Scope<'_>,
    ) -> Result<Typed> {
        let (value, pattern) = (self.text_of(value, scope)?, self.text_of(pattern, scope)?);
        let escape = match escape {
            Some(escape) => format!(",{}", quoted(&escape.value.clone().into_string().unwrap_or_default())),
            None => String::new(),
        };
        Ok(boolean(format!("({}f__like({value},{pattern},{}{escape}))", not(negated), i32::from(ignore))))
    }

    /// A row of values, `(a, b)`, and their types.
    fn row(&mut self, items: &[Expr], scope: &Scope<'_>) -> Result<(String, Vec<u32>)> {
        let mut values = Vec::new();
        for item in items {
            let value = self.expr(item, scope)?;
            values.push(if value.is_open() { self.coerce(value, oid::TEXT)? } else { value });
        }
        let sql: Vec<&str> = values.iter().map(|value| value.sql.as_str()).collect();
        Ok((format!("({})", sql.join(",")), values.iter().map(|value| value.oid).collect()))
    }

    fn in_list(&mut self, expr: &Expr, list: &[Expr], negated: bool, scope: &Scope<'_>) -> Result<Typed> {
        if let Expr::Tuple(items) = unnested(expr) {
            let (row, kinds) = self.row(items, scope)?;
            let mut rows = Vec::new();
            for item in list {
                let Expr::Tuple(values) = unnested(item) else {
                    return Err(CatalogueError::new(Fault::Syntax, "a row is compared with rows of as many values"));
                };
                if values.len() != kinds.len() {
                    return Err(CatalogueError::new(Fault::Syntax, "unequal number of entries in row expressions"));
                }
                let mut sql = Vec::new();
                for (value, kind) in values.iter().zip(&kinds) {
                    sql.push(self.hinted(value, scope, *kind)?.sql);
                }
                rows.push(format!("({})", sql.join(",")));
            }
            return Ok(boolean(format!("({row} {}IN (VALUES {}))", not(negated), rows.join(","))));
        }
        let mut values = vec![self.expr(expr, scope)?];
        for item in list {
            values.push(self.expr(item, scope)?);
        }
        let kind = match Self::common_type(&values) {
            oid::UNKNOWN => oid::TEXT,
            kind => kind,
        };
        let mut sql = Vec::new();
        for value in values {
            sql.push(self.coerce(value, kind)?.sql);
        }
        let value = sql.remove(0);
        Ok(boolean(format!("({value} {}IN ({}))", not(negated), sql.join(","))))
    }

    fn in_query(&mut self, expr: &Expr, query: &Query, negated: bool, scope: &Scope<'_>) -> Result<Typed> {
        let (value, kinds) = if let Expr::Tuple(items) = unnested(expr) {
            self.row(items, scope)?
        } else {
            let value = self.expr(expr, scope)?;
            if value.is_open() {
                let (_, columns) = self.query(query, Some(scope), &[])?;
                let value = self.coerce(value, columns.first().map_or(oid::TEXT, |(_, kind)| *kind))?;
                (value.sql, vec![value.oid])
            } else {
                (value.sql, vec![value.oid])
            }
        };
        let (sql, columns) = self.query(query, Some(scope), &kinds)?;
        if columns.len() != kinds.len() {
            return Err(CatalogueError::new(
                Fault::Syntax,
                "subquery has another number of columns than what is looked for in it",
            ));
        }
        Ok(boolean(format!("({value} {}IN ({sql}))", not(negated))))
    }

    /// `x = ANY (array or subquery)` and `x <> ALL (...)`.
    fn quantified(
        &mut self,
        left: &Expr,
        operator: Operator,
        right: &Expr,
        any: bool,
        scope: &Scope<'_>,
    ) -> Result<Typed> {
        let value = self.expr(left, scope)?;
        let right = unnested(right);
        let (source, item, kind) = if let Expr::Subquery(query) = right {
            let hint = if value.is_open() { vec![] } else { vec![value.oid] };
            let (sql, columns) = self.query(query, Some(scope), &hint)?;
            let kind = columns.first().map_or(oid::TEXT, |(_, kind)| *kind);
            (format!("({sql})"), "c1".to_owned(), kind)
        } else {
            let array = self.expr(right, scope)?;
            let wanted = if value.is_open() { oid::TEXT } else { value.oid };
            let array = self.coerce(array, builtin::array_of(wanted))?;
            let kind = builtin::element_of(array.oid).ok_or_else(|| {
                CatalogueError::new(Fault::InvalidValue, "op ANY/ALL (array) requires array on right side")
            })?;
            (format!("json_each(f__array_json({},{kind}))", array.sql), "value".to_owned(), kind)
        };
        let value = self.coerce(value, kind)?;
        match (operator, any) {
            (Operator::Compare("="), true) => Ok(boolean(format!("({} IN (SELECT {item} FROM {source}))", value.sql))),
            (Operator::Compare("<>"), false) => {
                Ok(boolean(format!("({} NOT IN (SELECT {item} FROM {source}))", value.sql)))
            }
            _ => {
                let alias = self.alias();
                let test = self.apply(operator, value, Typed::new(format!("{alias}.{item}"), kind))?;
                Ok(boolean(if any {
                    format!("EXISTS (SELECT 1 FROM {source} AS {alias} WHERE {})", test.sql)
                } else {
                    format!("NOT EXISTS (SELECT 1 FROM {source} AS {alias} WHERE NOT {})", test.sql)
                }))
            }
        }
    }
}

/// The name of a kind of expression, for an error: the first word of its own description.
fn kind_of(expr: &Expr) -> String {
    let text = format!("{expr:?}");
    text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
