//! Intervals of what is computed from released numbers, by the delta method (privacy.md 6.5, ratios; 6.14).
//!
//! `Var f ≈ Σ Vᵢ (∂f/∂xᵢ)²` over the released numbers `xᵢ` of an expression of `+ - * /`, `round` and casts: of a share `a/b`
//! this is `V (1 + p²) / b²`. A number that stands on both sides varies once; different numbers have noise of their own.
//! Other columns, as the inhabitants of a province, do not vary. The greatest shift by the guard adds up: `Σ |∂f/∂xᵢ| biasᵢ`.
//!
//! Absent: whatever has no derivative (CASE, least, windows, text), which has no companions.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, cast, lit, when};
use datafusion::scalar::ScalarValue;
use disclosure::{NORMAL_95, ObsStatus, UNRELIABLE};

use super::hidden::hidden_column;
use super::open::Open;
use crate::companions::Companion;
use crate::functions::FUNCTIONS;

/// Digits after the point of a computed bound.
const DIGITS: i64 = 6;

/// What is known of the sign of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    NeverNegative,
    /// That of a factor: never changed by the numbers.
    Constant,
    Any,
}

/// An expression as a double, with its derivative by each released number in it.
pub(super) struct Computed {
    value: Expr,
    parts: Vec<(Arc<str>, Expr)>,
    sign: Sign,
}

impl Computed {
    /// Takes an expression apart; none where it has a part without a derivative.
    pub(super) fn of(expr: &Expr, schema: &DFSchema, input: &Open) -> Option<Self> {
        match expr {
            Expr::Alias(alias) => Self::of(&alias.expr, schema, input),
            Expr::Column(column) => {
                let known = input.known(column, schema)?;
                let is_number =
                    schema.maybe_index_of_column(column).map(|at| schema.field(at).data_type().is_numeric());
                if is_number != Some(true) {
                    return None;
                }
                let parts: Vec<_> = known.companions.iter().map(|key| (Arc::clone(key), lit(1.0))).collect();
                // A released number without companions varies in a way that is not known.
                let sign = if parts.is_empty() { Sign::Constant } else { Sign::NeverNegative };
                (!parts.is_empty() || !known.tainted).then(|| Self { value: double(expr.clone()), parts, sign })
            }
            Expr::Literal(value, _) => {
                let number = value.cast_to(&DataType::Float64).ok()?;
                let ScalarValue::Float64(Some(number)) = number else { return None };
                let sign = if number < 0.0 { Sign::Constant } else { Sign::NeverNegative };
                Some(Self { value: lit(number), parts: Vec::new(), sign })
            }
            Expr::Cast(cast) if cast.field.data_type().is_numeric() => Self::of(&cast.expr, schema, input),
            Expr::Negative(inner) => Some(Self::of(inner, schema, input)?.negated()),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let [left, right] = [Self::of(left, schema, input)?, Self::of(right, schema, input)?];
                match op {
                    Operator::Plus => Some(left.plus(right)),
                    Operator::Minus => Some(left.plus(right.negated())),
                    Operator::Multiply => Some(left.times(right)),
                    Operator::Divide => Some(left.over(right)),
                    _ => None,
                }
            }
            Expr::ScalarFunction(call) => match (call.func.name(), &call.args[..]) {
                ("round" | "trunc" | "floor" | "ceil", [inner] | [inner, Expr::Literal(..)])
                | ("nullif", [inner, Expr::Literal(..)]) => Self::of(inner, schema, input),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a released number is in it.
    pub(super) fn is_of_released(&self) -> bool {
        !self.parts.is_empty()
    }

    /// 1.96 standard deviations.
    pub(super) fn half_width(&self, plan: &LogicalPlan) -> Result<Expr> {
        rounded(lit(NORMAL_95) * self.deviation(plan)?)
    }

    /// The companions of `shown`, of which this is the value, in the order of [`Companion::ALL`].
    pub(super) fn companions(&self, shown: &Expr, plan: &LogicalPlan) -> Result<Vec<Expr>> {
        let is_there = shown.clone().is_not_null();
        let only = |expr: Expr| when(is_there.clone(), rounded(expr)?).end();
        Companion::ALL
            .into_iter()
            .map(|companion| match companion {
                Companion::Lo => only(self.bound(shown, plan, true)?),
                Companion::Hi => only(self.bound(shown, plan, false)?),
                Companion::Flag => self.flag(shown, plan),
                Companion::Bias => only(self.bias(plan)?),
                Companion::Deviation => only(self.deviation(plan)?),
                Companion::AsOf => self.hidden(Companion::AsOf, plan)?.pop().map_or_else(no_part, Ok),
            })
            .collect()
    }

    fn plus(mut self, other: Self) -> Self {
        for part in other.parts {
            self.add(part);
        }
        let never = self.sign == Sign::NeverNegative && other.sign == Sign::NeverNegative;
        let sign = if never { Sign::NeverNegative } else { Sign::Any };
        Self { value: self.value + other.value, sign, ..self }
    }

    fn negated(self) -> Self {
        let sign = if self.sign == Sign::Any { Sign::Any } else { Sign::Constant };
        let parts = self.parts.into_iter().map(|(key, by)| (key, lit(-1.0) * by)).collect();
        Self { value: lit(-1.0) * self.value, parts, sign }
    }

    fn times(self, other: Self) -> Self {
        let sign = product(self.sign, other.sign);
        let scaled = |parts: Vec<(Arc<str>, Expr)>, by: &Expr| scaled(parts, |part| part * by.clone());
        let mut made = Self { value: self.value.clone() * other.value.clone(), parts: Vec::new(), sign };
        let parts = scaled(self.parts, &other.value).into_iter().chain(scaled(other.parts, &self.value));
        parts.for_each(|part| made.add(part));
        made
    }

    fn over(self, other: Self) -> Self {
        let sign = product(self.sign, other.sign);
        let value = self.value / other.value.clone();
        let above = scaled(self.parts, |part| part / other.value.clone());
        let below = scaled(other.parts, |part| lit(-1.0) * part * value.clone() / other.value.clone());
        let mut made = Self { value, parts: Vec::new(), sign };
        above.into_iter().chain(below).for_each(|part| made.add(part));
        made
    }

    /// Adds a derivative: a number that stands twice has the sum of both.
    fn add(&mut self, (key, by): (Arc<str>, Expr)) {
        match self.parts.iter_mut().find(|(other, _)| *other == key) {
            Some((_, sum)) => *sum = sum.clone() + by,
            None => self.parts.push((key, by)),
        }
    }

    fn deviation(&self, plan: &LogicalPlan) -> Result<Expr> {
        let deviations = self.hidden(Companion::Deviation, plan)?;
        let squared = self.parts.iter().zip(deviations).map(|((_, by), sd)| {
            let moved = by.clone() * sd;
            moved.clone() * moved
        });
        function("sqrt", vec![squared.reduce(|a, b| a + b).map_or_else(no_part, Ok)?])
    }

    fn bias(&self, plan: &LogicalPlan) -> Result<Expr> {
        let biases = self.hidden(Companion::Bias, plan)?;
        let moved =
            self.parts.iter().zip(biases).map(|((_, by), bias)| Ok(function("abs", vec![by.clone()])? * double(bias)));
        moved.collect::<Result<Vec<_>>>()?.into_iter().reduce(|a, b| a + b).map_or_else(no_part, Ok)
    }

    /// An end of the interval: never beyond what is shown, which may be rounded, and on its side of zero where numbers that
    /// are never negative cannot lead over it.
    fn bound(&self, shown: &Expr, plan: &LogicalPlan, lower: bool) -> Result<Expr> {
        let half = lit(NORMAL_95) * self.deviation(plan)?;
        let (free, nearest) =
            if lower { (self.value.clone() - half, "least") } else { (self.value.clone() + half, "greatest") };
        let (farthest, zero) = (if lower { "greatest" } else { "least" }, lit(0.0));
        let on_its_side =
            if lower { self.value.clone().gt_eq(zero.clone()) } else { self.value.clone().lt(zero.clone()) };
        let cut = function(farthest, vec![free.clone(), zero])?;
        let kept = match self.sign {
            Sign::NeverNegative if lower => cut,
            Sign::Constant => when(on_its_side, cut).otherwise(free)?,
            Sign::NeverNegative | Sign::Any => free,
        };
        function(nearest, vec![kept, double(shown.clone())])
    }

    /// What is missing first, then what is provisional, then what is unreliable: in its parts or by its own interval.
    fn flag(&self, shown: &Expr, plan: &LogicalPlan) -> Result<Expr> {
        let flags = self.hidden(Companion::Flag, plan)?;
        let any =
            |test: &dyn Fn(Expr) -> Expr| flags.iter().cloned().map(test).reduce(Expr::or).map_or_else(no_part, Ok);
        let is = |status: ObsStatus| any(&|flag: Expr| flag.eq(lit(status.code())));
        let wide =
            (lit(NORMAL_95) * self.deviation(plan)?).gt(lit(UNRELIABLE) * function("abs", vec![self.value.clone()])?);
        // Of a row that an outer join has made there is nothing to say; of nothing there is no share.
        when(any(&Expr::is_null)?, lit(ScalarValue::Utf8(None)))
            .when(is(ObsStatus::M)?, lit(ObsStatus::M.code()))
            .when(is(ObsStatus::L)?, lit(ObsStatus::L.code()))
            .when(is(ObsStatus::Q)?, lit(ObsStatus::Q.code()))
            .when(shown.clone().is_null(), lit(ObsStatus::M.code()))
            .when(is(ObsStatus::P)?, lit(ObsStatus::P.code()))
            .when(is(ObsStatus::U)?.or(wide), lit(ObsStatus::U.code()))
            .otherwise(lit(ObsStatus::A.code()))
    }

    /// A companion of each part.
    fn hidden(&self, companion: Companion, plan: &LogicalPlan) -> Result<Vec<Expr>> {
        self.parts.iter().map(|(key, _)| hidden_column(companion, key, plan)).collect()
    }
}

fn product(a: Sign, b: Sign) -> Sign {
    match (a, b) {
        (Sign::Any, _) | (_, Sign::Any) => Sign::Any,
        (Sign::NeverNegative, Sign::NeverNegative) => Sign::NeverNegative,
        (Sign::Constant, _) | (_, Sign::Constant) => Sign::Constant,
    }
}

fn scaled(parts: Vec<(Arc<str>, Expr)>, by: impl Fn(Expr) -> Expr) -> Vec<(Arc<str>, Expr)> {
    parts.into_iter().map(|(key, part)| (key, by(part))).collect()
}

fn double(expr: Expr) -> Expr {
    cast(expr, DataType::Float64)
}

fn rounded(expr: Expr) -> Result<Expr> {
    function("round", vec![expr, lit(DIGITS)])
}

fn function(name: &str, args: Vec<Expr>) -> Result<Expr> {
    let Some(function) = FUNCTIONS.scalar.get(name) else {
        return datafusion::common::internal_err!("{name} is not offered");
    };
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args)))
}

fn no_part<T>() -> Result<T> {
    datafusion::common::internal_err!("an interval of no released number")
}
