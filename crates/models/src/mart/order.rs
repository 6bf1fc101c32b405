//! The parts of a mart as one batch, in the order of its rows: by all columns from left to right, ascending, nulls first.
//!
//! A mart is made in parts, one for each bucket. They are put together a column at a time, and what they had of it is let go: beside a mart
//! there is never more than one of its columns and the places of its rows.
//!
//! Absent: which columns a mart has.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DynComparator, RecordBatch, make_comparator};
use arrow::compute::{
    SortColumn, SortOptions, concat, concat_batches, interleave, lexsort_to_indices, take_record_batch,
};
use arrow::datatypes::{SchemaRef, UInt64Type};
use arrow::error::ArrowError;

use crate::runtime::give_back;

/// Rows of a column that are taken at a time.
const AT_ONCE: usize = 256 << 10;

/// Bytes of parts that are let go before they are given back to the system.
const GIVEN_BACK_AT: usize = 64 << 20;

/// Where a row of a mart that has units lies: its `sid`, the part, and the row of it.
type Place = (u64, u32, u32);

/// All rows of `parts`, in their order.
pub(super) fn ordered(schema: &SchemaRef, parts: Vec<RecordBatch>) -> Result<RecordBatch, ArrowError> {
    if sids(&parts).is_some() {
        let places = places(&parts)?;
        return by_column(schema, parts, |of_parts| taken(of_parts, &places));
    }
    let rows = concat_batches(schema, &parts)?;
    let ascending = |values: &ArrayRef| SortColumn { values: Arc::clone(values), options: None };
    let places = lexsort_to_indices(&rows.columns().iter().map(ascending).collect::<Vec<_>>(), None)?;
    take_record_batch(&rows, &places)
}

/// The same of parts that lie in layers, each in its order: all rows of a unit lie in one.
pub(super) fn laid(schema: &SchemaRef, parts: Vec<RecordBatch>) -> Result<RecordBatch, ArrowError> {
    let follow = sids(&parts).is_some_and(|sids| sids.into_iter().flatten().is_sorted());
    if follow { by_column(schema, parts, concat) } else { ordered(schema, parts) }
}

/// The first column of each part, if it is that of units and there are parts.
fn sids(parts: &[RecordBatch]) -> Option<Vec<&[u64]>> {
    fn of_part(rows: &RecordBatch) -> Option<&[u64]> {
        Some(rows.column_by_name("sid")?.as_primitive::<UInt64Type>().values())
    }
    parts.iter().map(of_part).collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty())
}

/// The places of rows by their `sid`: a unit has a few rows at most, so that nearly all are in order by numbers alone, which is several
/// times as fast as by all columns.
fn places(parts: &[RecordBatch]) -> Result<Vec<Place>, ArrowError> {
    let mut places: Vec<Place> = Vec::with_capacity(parts.iter().map(RecordBatch::num_rows).sum());
    for (sids, part) in sids(parts).into_iter().flatten().zip(0..) {
        places.extend(sids.iter().zip(0..).map(|(sid, row)| (*sid, part, row)));
    }
    // Rows that are laid above others are two runs in order, which a stable sort merges.
    places.sort_by_key(|(sid, _, _)| *sid);
    let mut others = Others::default();
    for unit in places.chunk_by_mut(|a, b| a.0 == b.0).filter(|unit| unit.len() > 1) {
        others.meet(parts, unit)?;
        unit.sort_unstable_by(|a, b| others.compare(a, b));
    }
    Ok(places)
}

/// How rows of two parts lie to one another by all columns but the first.
#[derive(Default)]
struct Others(HashMap<(u32, u32), Vec<DynComparator>>);

impl Others {
    /// Makes it possible to compare these rows.
    fn meet(&mut self, parts: &[RecordBatch], unit: &[Place]) -> Result<(), ArrowError> {
        let of: BTreeSet<u32> = unit.iter().map(|(_, part, _)| *part).collect();
        for (a, b) in of.iter().flat_map(|a| of.iter().map(|b| (*a, *b))) {
            if let Entry::Vacant(unmet) = self.0.entry((a, b)) {
                let (left, right) = (&parts[a as usize].columns()[1..], &parts[b as usize].columns()[1..]);
                let pairs = left.iter().zip(right);
                let each = pairs.map(|(left, right)| make_comparator(left, right, SortOptions::default()));
                unmet.insert(each.collect::<Result<_, _>>()?);
            }
        }
        Ok(())
    }

    fn compare(&self, (_, part, row): &Place, (_, other_part, other_row): &Place) -> Ordering {
        let each = self.0[&(*part, *other_part)].iter();
        let mut each = each.map(|compare| compare(*row as usize, *other_row as usize));
        each.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// The values of a column at these places.
fn taken(of_parts: &[&dyn Array], places: &[Place]) -> Result<ArrayRef, ArrowError> {
    let some = |places: &[Place]| {
        let places: Vec<_> = places.iter().map(|(_, part, row)| (*part as usize, *row as usize)).collect();
        interleave(of_parts, &places)
    };
    let taken = places.chunks(AT_ONCE).map(some).collect::<Result<Vec<_>, _>>()?;
    match &taken[..] {
        [] => interleave(of_parts, &[]),
        taken => concat(&taken.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
    }
}

/// Puts the parts of each column together, one column after the other. Of a large mart, memory is given back to the system before and
/// meanwhile: there a rebuild takes most. Not after each model, for the next one would ask for it again page by page.
fn by_column(
    schema: &SchemaRef,
    parts: Vec<RecordBatch>,
    together: impl Fn(&[&dyn Array]) -> Result<ArrayRef, ArrowError>,
) -> Result<RecordBatch, ArrowError> {
    let of = |at: usize| parts.iter().map(|rows| Arc::clone(rows.column(at))).collect();
    let columns: Vec<Vec<ArrayRef>> = (0..schema.fields().len()).map(of).collect();
    drop(parts);
    let bytes = |column: &Vec<ArrayRef>| column.iter().map(Array::get_array_memory_size).sum::<usize>();
    let mut let_go = columns.iter().map(bytes).sum();
    let columns = columns.into_iter().map(|of_parts| {
        if let_go > GIVEN_BACK_AT {
            give_back();
            let_go = 0;
        }
        let_go += bytes(&of_parts);
        together(&of_parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::{Int64Array, UInt16Array, UInt64Array};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;
    use crate::keys::mix;

    /// Rows of some five hundred units, each with several, of columns that have nulls.
    fn rows(numbers: impl Iterator<Item = u64> + Clone) -> RecordBatch {
        let (sids, code): (Vec<u64>, Vec<_>) =
            numbers.clone().map(|n| (mix(n) % 512, (n % 5 > 0).then_some((mix(n) >> 16) as u16 % 3))).unzip();
        let many = numbers.map(|n| (n % 7 > 0).then_some((mix(n) >> 32) as i64 % 4));
        let columns: [ArrayRef; 3] = [
            Arc::new(UInt64Array::from(sids)),
            Arc::new(code.into_iter().collect::<UInt16Array>()),
            Arc::new(many.collect::<Int64Array>()),
        ];
        RecordBatch::try_new(schema(), columns.to_vec()).unwrap()
    }

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("sid", DataType::UInt64, false),
            Field::new("sex", DataType::UInt16, true),
            Field::new("means", DataType::Int64, true),
        ]))
    }

    #[test]
    fn rows_of_any_parts_come_in_the_order_of_all_columns() {
        let all = rows(0..4_000);
        let ascending = |values: &ArrayRef| SortColumn { values: Arc::clone(values), options: None };
        let places = lexsort_to_indices(&all.columns().iter().map(ascending).collect::<Vec<_>>(), None).unwrap();
        let expected = take_record_batch(&all, &places).unwrap();
        for parts in [1, 2, 7] {
            let parts: Vec<RecordBatch> = (0..parts).map(|at| rows((at..4_000).step_by(parts as usize))).collect();
            assert_eq!(ordered(&schema(), parts).unwrap(), expected, "units lie in several parts");
        }
        let layers = [0, 1].map(|layer| {
            let of_layer: Vec<bool> =
                sids(std::slice::from_ref(&expected)).unwrap()[0].iter().map(|sid| sid % 2 == layer).collect();
            arrow::compute::filter_record_batch(&expected, &of_layer.into()).unwrap()
        });
        assert_eq!(laid(&schema(), layers.to_vec()).unwrap(), expected, "units lie whole in one of two layers");
        let files: Vec<RecordBatch> =
            [(0, 1_000), (1_000, 0), (1_000, 3_000)].map(|(at, rows)| expected.slice(at, rows)).to_vec();
        assert_eq!(laid(&schema(), files).unwrap(), expected, "parts that follow one another");
        for none in [vec![], vec![rows(0..0)]] {
            assert_eq!(laid(&schema(), none.clone()).unwrap().num_rows(), 0);
            assert_eq!(ordered(&schema(), none).unwrap().num_rows(), 0);
        }
    }
}
