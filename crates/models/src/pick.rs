//! `first_value` and `last_value` that trust a sorted input.
//!
//! The folding rule of domain.md 4 is one aggregate per field, `last_value(x ORDER BY <place>) FILTER (WHERE x IS NOT
//! NULL)`. DataFusion's own grouped accumulator keeps, for each field and group, a copy of every ordering value and
//! compares it row by row, although the planner has already proved that the input arrives in that order. These two
//! functions take the planner's word (`with_beneficial_ordering(true)`): the last row that passes the filter wins, and
//! only its position is kept. Where the planner proves nothing they *are* DataFusion's functions.
//!
//! Absent: any ordering logic of our own, and partial states (plans here have one partition).

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::functions_aggregate::first_last::{FirstValue, LastValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};

/// `first_value` as the engine registers it, in place of DataFusion's.
pub(crate) fn first_value() -> AggregateUDF {
    AggregateUDF::new_from_impl(Pick::first())
}

/// `last_value` as the engine registers it, in place of DataFusion's.
pub(crate) fn last_value() -> AggregateUDF {
    AggregateUDF::new_from_impl(Pick::last())
}

/// One of the two functions; `sorted` once the planner has proved the order of the input.
#[derive(Debug, Clone)]
struct Pick {
    stock: Arc<dyn AggregateUDFImpl>,
    first: bool,
    sorted: bool,
}

impl Pick {
    fn first() -> Self {
        Self { stock: Arc::new(FirstValue::new()), first: true, sorted: false }
    }

    fn last() -> Self {
        Self { stock: Arc::new(LastValue::new()), first: false, sorted: false }
    }
}

impl PartialEq for Pick {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first && self.sorted == other.sorted
    }
}

impl Eq for Pick {}

impl Hash for Pick {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.first.hash(state);
        self.sorted.hash(state);
    }
}

impl AggregateUDFImpl for Pick {
    fn name(&self) -> &str {
        self.stock.name()
    }

    fn signature(&self) -> &Signature {
        self.stock.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.stock.return_type(arg_types)
    }

    fn return_field(&self, arg_fields: &[FieldRef]) -> Result<FieldRef> {
        self.stock.return_field(arg_fields)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.stock.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.stock.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.sorted || self.stock.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if self.sorted && !args.ignore_nulls {
            return Ok(Box::new(SortedPick::new(self.first, args.return_field.data_type())));
        }
        self.stock.create_groups_accumulator(args)
    }

    fn with_beneficial_ordering(self: Arc<Self>, sorted: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let stock =
            Arc::clone(&self.stock).with_beneficial_ordering(sorted)?.unwrap_or_else(|| Arc::clone(&self.stock));
        Ok(Some(Arc::new(Self { stock, first: self.first, sorted })))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Beneficial
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Reversed(Arc::new(if self.first { last_value() } else { first_value() }))
    }

    fn supports_null_handling_clause(&self) -> bool {
        true
    }
}

/// Where a group's value lies: which of the kept arrays, and which row. `(0, 0)` is the null.
type Place = (usize, usize);

/// The accumulator over sorted input. `kept[0]` is a single null, the rest are the argument arrays since the last emit.
struct SortedPick {
    first: bool,
    kept: Vec<ArrayRef>,
    places: Vec<Place>,
}

impl SortedPick {
    fn new(first: bool, data_type: &DataType) -> Self {
        Self { first, kept: vec![new_null_array(data_type, 1)], places: Vec::new() }
    }

    fn note(&mut self, group: usize, place: Place) {
        if !self.first || self.places[group] == (0, 0) {
            self.places[group] = place;
        }
    }

    fn gather(&self, places: &[Place]) -> Result<ArrayRef> {
        let arrays: Vec<&dyn Array> = self.kept.iter().map(AsRef::as_ref).collect();
        Ok(interleave(&arrays, places)?)
    }

    /// Forgets the arrays that no open group points into, by copying the few values that are still open.
    fn compact(&mut self) -> Result<()> {
        let open = self.gather(&self.places)?;
        for (row, place) in self.places.iter_mut().enumerate() {
            if *place != (0, 0) {
                *place = (1, row);
            }
        }
        self.kept.truncate(1);
        self.kept.push(open);
        Ok(())
    }
}

impl GroupsAccumulator for SortedPick {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.places.resize(total_num_groups, (0, 0));
        let at = self.kept.len();
        match filter {
            None => {
                for (row, &group) in group_indices.iter().enumerate() {
                    self.note(group, (at, row));
                }
            }
            Some(filter) => {
                let pass = match filter.nulls() {
                    Some(nulls) => filter.values() & nulls.inner(),
                    None => filter.values().clone(),
                };
                for row in pass.set_indices() {
                    self.note(group_indices[row], (at, row));
                }
            }
        }
        self.kept.push(Arc::clone(&values[0]));
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let done = emit_to.take_needed(&mut self.places);
        let out = self.gather(&done)?;
        self.compact()?;
        Ok(out)
    }

    fn state(&mut self, _: EmitTo) -> Result<Vec<ArrayRef>> {
        exec_err!("a fold has one partition and no partial state")
    }

    fn merge_batch(&mut self, _: &[ArrayRef], _: &[usize], _: usize) -> Result<()> {
        exec_err!("a fold has one partition and no partial state")
    }

    fn convert_to_state(&self, _: &[ArrayRef], _: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        exec_err!("a fold has one partition and no partial state")
    }

    fn size(&self) -> usize {
        self.places.capacity() * size_of::<Place>() + self.kept.iter().map(Array::get_array_memory_size).sum::<usize>()
    }
}
