//! Arithmetic.

use rusqlite::types::Value;

use super::{Body, Call, Strict, int, invalid, text};
use crate::error::Result;

pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    (
        "abs",
        Strict(|call| {
            Ok(match call.arguments[0] {
                Value::Integer(number) => Value::Integer(number.saturating_abs()),
                _ => Value::Real(call.real(0).abs()),
            })
        }),
    ),
    ("ceil", Strict(|call| whole(call, f64::ceil))),
    ("ceiling", Strict(|call| whole(call, f64::ceil))),
    ("floor", Strict(|call| whole(call, f64::floor))),
    ("round", Strict(round)),
    ("trunc", Strict(|call| whole(call, f64::trunc))),
    ("mod", Strict(|call| int(call.int(0).checked_rem(call.int(1)).ok_or_else(by_zero)?))),
    ("div", Strict(|call| int(call.int(0).checked_div(call.int(1)).ok_or_else(by_zero)?))),
    ("_divide", Strict(divide)),
    ("_modulo", Strict(|call| int(call.int(0).checked_rem(call.int(1)).ok_or_else(by_zero)?))),
    ("power", Strict(|call| Ok(Value::Real(call.real(0).powf(call.real(1)))))),
    ("sqrt", Strict(|call| Ok(Value::Real(call.real(0).sqrt())))),
    ("sign", Strict(|call| Ok(Value::Real(if call.real(0) == 0.0 { 0.0 } else { call.real(0).signum() })))),
    ("to_hex", Strict(|call| text(format!("{:x}", call.int(0))))),
    ("pg_size_pretty", Strict(size_pretty)),
    ("num_nulls", super::Lax(|call| int(call.arguments.iter().filter(|value| **value == Value::Null).count() as i64))),
    (
        "num_nonnulls",
        super::Lax(|call| int(call.arguments.iter().filter(|value| **value != Value::Null).count() as i64)),
    ),
];

fn by_zero() -> crate::error::CatalogueError {
    invalid("division by zero")
}

fn whole(call: &Call<'_>, act: fn(f64) -> f64) -> Result<Value> {
    Ok(match call.arguments[0] {
        Value::Integer(number) => Value::Integer(number),
        _ => Value::Real(act(call.real(0))),
    })
}

fn round(call: &Call<'_>) -> Result<Value> {
    if call.count() > 1 {
        let scale = 10_f64.powi(call.int(1).clamp(-20, 20) as i32);
        return Ok(Value::Real((call.real(0) * scale).round() / scale));
    }
    whole(call, f64::round)
}

fn divide(call: &Call<'_>) -> Result<Value> {
    match (&call.arguments[0], &call.arguments[1]) {
        (Value::Integer(left), Value::Integer(right)) => {
            Ok(Value::Integer(left.checked_div(*right).ok_or_else(by_zero)?))
        }
        _ if call.real(1) == 0.0 => Err(by_zero()),
        _ => Ok(Value::Real(call.real(0) / call.real(1))),
    }
}

/// `pg_size_pretty` of `dbsize.c`: the next unit from ten thousand on, halves rounded away from zero.
fn size_pretty(call: &Call<'_>) -> Result<Value> {
    let mut size = call.int(0);
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
        let limit = if unit == "bytes" { 10 * 1024 } else { 20 * 1024 - 1 };
        if size.saturating_abs() < limit || unit == "TB" {
            let shown = if unit == "bytes" { size } else { i64::midpoint(size, size.signum()) };
            return text(format!("{shown} {unit}"));
        }
        // One bit is kept for rounding.
        size >>= if unit == "bytes" { 9 } else { 10 };
    }
    Ok(Value::Null)
}
