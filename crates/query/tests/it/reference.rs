//! Reference tables that were kept with an edition: those of the latest are what a question finds, and with a date
//! those of its edition.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use query::{Code, EditionMeta, EditionSource, Reader, ReferenceTable, Settings, SourceError};

use crate::{ask, world, written};

/// Editions of which the first was made before reference tables were kept, the second knows a population, and the third
/// another number, how it was found, and courts.
struct Kept(AtomicU32);

fn population(persons: i64, method: Option<&str>) -> ReferenceTable {
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("province", Arc::new(StringArray::from(vec!["PK-GB"]))),
        ("year", Arc::new(Int64Array::from(vec![2024]))),
        ("population", Arc::new(Int64Array::from(vec![persons]))),
    ];
    columns.extend(method.map(|method| ("method", Arc::new(StringArray::from(vec![method])) as ArrayRef)));
    let fields: Vec<Field> =
        columns.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
    let values = columns.into_iter().map(|(_, values)| values).collect();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), values);
    ReferenceTable {
        name: "population".to_owned(),
        description: "Residents by year".to_owned(),
        columns: BTreeMap::from([("population".to_owned(), "Residents".to_owned())]),
        rows: rows.expect("columns of one row"),
    }
}

fn without_rows(name: &str) -> ReferenceTable {
    let table = population(0, None);
    ReferenceTable { name: name.to_owned(), rows: table.rows.slice(0, 0), ..table }
}

fn meta(number: u32) -> EditionMeta {
    let published_at = ["2025-01-15T08:00:00Z", "2025-04-15T08:00:00Z", "2025-07-15T08:00:00Z"][number as usize - 1];
    EditionMeta { published_at: published_at.to_owned(), ..world::meta(number) }
}

#[async_trait]
impl EditionSource for Kept {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        Ok((1..=self.0.load(Ordering::SeqCst)).map(meta).collect())
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(Some(self.0.load(Ordering::SeqCst)))
    }

    async fn read(&self, number: u32) -> Result<Vec<RecordBatch>, SourceError> {
        Ok(vec![world::edition(number)])
    }

    async fn reference(&self, number: u32) -> Result<Vec<ReferenceTable>, SourceError> {
        Ok(match number {
            1 => Vec::new(),
            2 => vec![without_rows("areas"), population(1_700_000, None)],
            _ => vec![without_rows("areas"), without_rows("courts"), population(2_000_000, Some("census"))],
        })
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

#[tokio::test]
async fn with_a_date_a_reference_table_is_the_one_that_its_edition_was_made_with() {
    let source = Arc::new(Kept(AtomicU32::new(3)));
    let reader = Reader::open(source as _, world::catalogue(), Settings::default()).await.expect("a reader");
    let rows = async |sql: &str| ask(&reader, sql, Vec::new()).await.map(|answer| written(&answer));
    let people = async |known: &str| {
        rows(&format!("select population, method from reference.population {known} where province = 'PK-GB'")).await
    };
    assert_eq!(people("").await.expect("that of today"), ["2000000 | census"]);
    assert_eq!(people("as known on '2025-08-01'").await.expect("the latest"), ["2000000 | census"]);
    let before = people("as known on '2025-05-01'").await.expect("that of the second edition");
    assert_eq!(before, ["1700000 | NULL"], "it did not say how the number was found");
    let both = "select a.population as before, b.population as since from reference.population as known on '2025-05-01' a \
                join reference.population b using (province, year)";
    assert_eq!(rows(both).await.expect("both answers"), ["1700000 | 2000000"]);
}

#[tokio::test]
async fn an_edition_that_kept_no_table_of_that_name_is_told_and_todays_stands_for_none() {
    let source = Arc::new(Kept(AtomicU32::new(3)));
    let reader = Reader::open(source as _, world::catalogue(), Settings::default()).await.expect("a reader");
    let refused = async |sql: &str| ask(&reader, sql, Vec::new()).await.expect_err("a refusal");
    let first = refused("select * from reference.population as known on '2025-02-01'").await;
    let detail = "Edition 1, which was known on that date, was made before reference.population was kept.";
    assert_eq!((first.code, first.detail.as_str()), (Code::NoEditionOnDate, detail));
    assert!(first.hint.expect("a hint").contains("since edition 2, the first that kept it"));
    let courts = refused("select * from courts as known on '2025-05-01'").await;
    assert!(courts.detail.starts_with("Edition 2,") && courts.hint.expect("a hint").contains("since edition 3"));
    let nothing = refused("select * from courts as known on '2025-01-01'").await;
    assert_eq!(nothing.detail, "Nothing had been published by the end of that date.");
    let of_none = refused("select * from reference.province as known on '2025-05-01'").await;
    assert!(of_none.detail.contains("is of no edition"), "a code list of the contract");
}
