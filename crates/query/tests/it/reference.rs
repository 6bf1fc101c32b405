//! Reference tables that were kept with an edition: those of the latest are what a question finds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use query::{EditionMeta, EditionSource, Reader, ReferenceTable, Settings, SourceError};

use crate::{ask, world, written};

/// Editions of which the first was made before reference tables were kept, and the second knows a population.
struct Kept(AtomicU32);

fn population() -> ReferenceTable {
    let columns = [("province", DataType::Utf8), ("year", DataType::Int64), ("population", DataType::Int64)];
    let schema = Schema::new(columns.map(|(name, of)| Field::new(name, of, true)).to_vec());
    let (province, year) = (StringArray::from(vec!["PK-GB"]), Int64Array::from(vec![2024]));
    let rows = RecordBatch::try_new(
        Arc::new(schema),
        vec![Arc::new(province), Arc::new(year), Arc::new(Int64Array::from(vec![1_700_000]))],
    );
    ReferenceTable {
        name: "population".to_owned(),
        description: "Residents by year".to_owned(),
        columns: BTreeMap::from([("population".to_owned(), "Residents".to_owned())]),
        rows: rows.expect("three columns of one row"),
    }
}

fn areas() -> ReferenceTable {
    ReferenceTable { name: "areas".to_owned(), rows: population().rows.slice(0, 0), ..population() }
}

#[async_trait]
impl EditionSource for Kept {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        Ok((1..=self.0.load(Ordering::SeqCst)).map(world::meta).collect())
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(Some(self.0.load(Ordering::SeqCst)))
    }

    async fn read(&self, number: u32) -> Result<Vec<RecordBatch>, SourceError> {
        Ok(vec![world::edition(number)])
    }

    async fn reference(&self, number: u32) -> Result<Vec<ReferenceTable>, SourceError> {
        Ok(if number == 2 { vec![areas(), population()] } else { Vec::new() })
    }
}

#[tokio::test]
async fn a_new_edition_brings_its_reference_tables_and_they_take_the_place_of_what_the_program_knows() {
    let source = Arc::new(Kept(AtomicU32::new(1)));
    let reader =
        Reader::open(Arc::clone(&source) as _, world::catalogue(), Settings::default()).await.expect("a reader");
    let rows = async |sql: &str| ask(&reader, sql, Vec::new()).await.map(|answer| written(&answer));
    let people = "select population from reference.population where province = 'PK-GB'";
    assert!(rows(people).await.expect("what the program knows").is_empty());
    assert!(rows("select * from reference.areas").await.is_err(), "the first edition has none");

    source.0.store(2, Ordering::SeqCst);
    assert!(reader.refresh().await.expect("a look"));
    assert_eq!(rows(people).await.expect("what the edition knows"), ["1700000"]);
    assert_eq!(rows("select count(*) from areas").await.expect("a table without rows"), ["0"]);
    let said = "select description from information_schema.columns where table_name = 'population' and column_name = 'population'";
    assert_eq!(rows(said).await.expect("the catalogue"), ["Residents"]);
    assert!(reader.current().reference("areas").is_some() && reader.current().reference("courts").is_none());
}
