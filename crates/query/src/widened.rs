//! One set of columns for all editions: an old edition has no column for a dimension that came after it.
//!
//! Such a dimension applied to nothing that the edition published: its code there is `_Z`. Dimensions that only the catalogue
//! names (a newer program over an edition of an older one) are columns too, so that every definition finds its own.
//!
//! Absent: any change of a value; the hash of an edition is over the columns that it was published with (`lake::published`).

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::catalogue::Catalogue;
use crate::editions::EditionMeta;

/// The code of a dimension that does not apply.
const NOT_APPLICABLE: &str = "_Z";
/// The first column after the dimensions.
const AFTER: &str = "value";

/// Editions with the same columns, in the order of the newest; what it lacks stands after its own dimensions.
pub(crate) fn widened(
    catalogue: &Catalogue,
    editions: Vec<(EditionMeta, RecordBatch)>,
) -> Result<Vec<(EditionMeta, RecordBatch)>, ArrowError> {
    let Some(columns) = columns(catalogue, &editions) else { return Ok(editions) };
    editions.into_iter().map(|(meta, batch)| Ok((meta, widen(&batch, &columns)?))).collect()
}

/// The columns of the newest edition and the dimensions that it lacks.
fn columns(catalogue: &Catalogue, editions: &[(EditionMeta, RecordBatch)]) -> Option<SchemaRef> {
    let newest = editions.last()?.1.schema();
    let of_editions = editions.iter().rev().flat_map(|(_, batch)| batch.schema_ref().fields().iter());
    let of_editions = of_editions.map(|field| field.name().as_str());
    let of_catalogue = catalogue.indicators.iter().flat_map(|i| &i.dimensions).map(|d| d.name.as_str());
    let mut known: BTreeSet<&str> = newest.fields().iter().map(|field| field.name().as_str()).collect();
    let lacking: Vec<&str> = of_editions.chain(of_catalogue).filter(|name| known.insert(name)).collect();
    let mut fields: Vec<Arc<Field>> = newest.fields().iter().cloned().collect();
    let at = fields.iter().position(|field| field.name() == AFTER).unwrap_or(fields.len());
    fields.splice(at..at, lacking.into_iter().map(|name| Arc::new(Field::new(name, DataType::Utf8, true))));
    Some(Arc::new(Schema::new(fields)))
}

fn widen(batch: &RecordBatch, columns: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref() == columns {
        return Ok(batch.clone());
    }
    let column = |field: &Arc<Field>| -> ArrayRef {
        batch.column_by_name(field.name()).cloned().unwrap_or_else(|| {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(NOT_APPLICABLE, batch.num_rows())))
        })
    };
    RecordBatch::try_new(Arc::clone(columns), columns.fields().iter().map(column).collect())
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::catalogue::{Dimension, IndicatorMeta};

    fn edition(number: u32, dimensions: &[&str]) -> (EditionMeta, RecordBatch) {
        let names = dimensions.iter().map(|name| (*name, format!("{name}-{number}")));
        let columns = std::iter::once(("indicator", "V01".to_owned())).chain(names).chain([("value", "7".to_owned())]);
        let columns = columns.map(|(name, text)| (name, Arc::new(StringArray::from(vec![text])) as ArrayRef));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        (EditionMeta { edition: number, ..EditionMeta::default() }, batch)
    }

    fn names(batch: &RecordBatch) -> Vec<String> {
        batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    #[test]
    fn an_old_edition_says_of_a_newer_dimension_that_it_does_not_apply() {
        let editions = vec![edition(1, &["sex"]), edition(2, &["sex", "service"])];
        let editions = widened(&Catalogue::default(), editions).unwrap();
        assert_eq!(names(&editions[0].1), ["indicator", "sex", "service", "value"]);
        assert_eq!(names(&editions[1].1), names(&editions[0].1));
        let codes =
            |at: usize, name: &str| editions[at].1.column_by_name(name).unwrap().as_string::<i32>().value(0).to_owned();
        assert_eq!(["sex", "service", "value"].map(|name| codes(0, name)), ["sex-1", "_Z", "7"]);
        assert_eq!(["sex", "service"].map(|name| codes(1, name)), ["sex-2", "service-2"]);
    }

    #[test]
    fn a_dimension_that_only_the_catalogue_has_is_a_column_of_every_edition() {
        let dimension = Dimension { name: "service".to_owned(), ..Dimension::default() };
        let indicator = IndicatorMeta { dimensions: vec![dimension], ..IndicatorMeta::default() };
        let catalogue = Catalogue { indicators: vec![indicator], ..Catalogue::default() };
        let editions = widened(&catalogue, vec![edition(1, &["sex"])]).unwrap();
        assert_eq!(names(&editions[0].1), ["indicator", "sex", "service", "value"]);
    }

    #[test]
    fn nothing_is_widened_before_the_first_edition() {
        assert!(widened(&Catalogue::default(), Vec::new()).unwrap().is_empty());
    }
}
