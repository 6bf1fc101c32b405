//! What "equal" means: the same rows, whatever their order, their batches and the encoding of their columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use lake::{LakeError, canonical};

use crate::support::*;

fn hash(batches: &[RecordBatch]) -> String {
    canonical::hash(&table(&[]).schema(), batches).unwrap().to_hex().to_string()
}

#[test]
fn order_batches_and_dictionaries_do_not_matter() {
    let whole = hash(&[table(&[(1, Some("a")), (2, None), (3, Some("b"))])]);
    assert_eq!(hash(&[table(&[(3, Some("b")), (1, Some("a")), (2, None)])]), whole);
    assert_eq!(hash(&[table(&[(2, None)]), table(&[]), table(&[(3, Some("b")), (1, Some("a"))])]), whole);
    let sliced = table(&[(9, None), (1, Some("a")), (2, None), (3, Some("b"))]).slice(1, 3);
    assert_eq!(hash(&[sliced]), whole);

    let plain = table(&[(1, Some("a")), (2, None), (3, Some("b"))]);
    let few = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let encoded = cast(plain.column(1), &few).unwrap();
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("word", few, true)]));
    let encoded = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::clone(plain.column(0)), encoded]).unwrap();
    assert_eq!(canonical::hash(&schema, &[encoded]).unwrap().to_hex().to_string(), whole);
}

/// Rows of more than two batches of the canonical form, of 65,536 each.
const ROWS: i64 = 150_000;

#[test]
fn rows_that_come_in_order_and_others_have_one_hash_beyond_a_batch_too() {
    let rows = |numbers: &mut dyn Iterator<Item = i64>| {
        let numbers: Vec<(i64, Option<&str>)> =
            numbers.map(|n| (n / 2, (n % 3 > 0).then_some(["a", "b"][usize::from(n % 2 == 1)]))).collect();
        table(&numbers)
    };
    let sorted = |numbers: std::ops::Range<i64>| {
        let mut numbers: Vec<i64> = numbers.collect();
        numbers.sort_by_key(|n| (n / 2, (n % 3 > 0).then_some(n % 2)));
        rows(&mut numbers.into_iter())
    };
    let in_order = sorted(0..ROWS);
    let whole = hash(std::slice::from_ref(&in_order));
    assert_eq!(hash(&[rows(&mut (0..ROWS).rev())]), whole);
    for cut in [1, 65_535, 65_536, 65_537, 131_072] {
        let (head, tail) = (in_order.slice(0, cut), in_order.slice(cut, in_order.num_rows() - cut));
        assert_eq!(hash(&[head.clone(), table(&[]), tail.clone()]), whole, "cut at {cut}");
        assert_eq!(hash(&[tail, head]), whole, "the parts cut at {cut} the other way round");
    }
    // Out of its place in the second batch of the form, and first of all: at its bounds and within.
    for at in [65_536, 100_000, 149_998] {
        let (head, tail) = (in_order.slice(0, at), in_order.slice(at + 1, in_order.num_rows() - at - 1));
        assert_eq!(hash(&[in_order.slice(at, 1), head, tail]), whole, "row {at} comes first");
    }
}

#[test]
fn every_value_and_every_copy_matters() {
    let whole = hash(&[table(&[(1, Some("a")), (2, None)])]);
    for other in [
        table(&[(1, Some("a")), (2, Some(""))]),
        table(&[(1, Some("a")), (1, Some("a")), (2, None)]),
        table(&[(1, Some("a"))]),
        table(&[(2, Some("a")), (1, None)]),
        table(&[]),
    ] {
        assert_ne!(hash(&[other]), whole);
    }
}

#[test]
fn floats_have_no_canonical_form() {
    let column: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    let batch = RecordBatch::try_from_iter([("share", column)]).unwrap();
    let refused = canonical::hash(&batch.schema(), std::slice::from_ref(&batch));
    assert!(matches!(refused, Err(LakeError::NotCanonical { column, .. }) if column == "share"));
}

#[test]
fn a_batch_of_other_columns_is_refused() {
    let schema = Schema::new(vec![Field::new("m", DataType::Int64, true)]);
    assert!(matches!(canonical::hash(&schema, &[table(&[(1, None)])]), Err(LakeError::Schema(_))));
}
