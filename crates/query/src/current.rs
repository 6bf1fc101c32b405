//! The state that every question and request of a moment reads: the editions in memory and the tables over them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use crate::catalogue::Catalogue;
use crate::editions::{EditionMeta, EditionSource, ReferenceTable, SourceError};
use crate::listed::Listed;
use crate::marginals::{self, Marginal};
use crate::tables::{Table, TableInfo, Tables};
use crate::widened::widened;

/// Reference tables by edition.
type Reference = BTreeMap<u32, Arc<[ReferenceTable]>>;

/// An immutable picture of all editions. A new edition makes a new picture; this one stays as it is.
pub struct Current {
    catalogue: Arc<Catalogue>,
    /// The protected tables, as they are listed.
    protected: Arc<[Listed]>,
    editions: Vec<(EditionMeta, RecordBatch)>,
    /// The reference tables of each edition that has some.
    reference: Reference,
    tables: Tables,
    /// How units spread over codes by the latest edition.
    marginals: Vec<Marginal>,
    /// Tables of older editions that somebody has asked for, by edition and name: together no more than the editions once again.
    old: Mutex<HashMap<(u32, String), Arc<Table>>>,
}

impl Current {
    /// The picture before the first edition.
    pub(crate) fn empty(catalogue: Arc<Catalogue>, protected: Arc<[Listed]>) -> Result<Self, SourceError> {
        Self::new(catalogue, protected, Vec::new(), Reference::new())
    }

    fn new(
        catalogue: Arc<Catalogue>,
        protected: Arc<[Listed]>,
        editions: Vec<(EditionMeta, RecordBatch)>,
        reference: Reference,
    ) -> Result<Self, SourceError> {
        let edition = editions.last().map_or(0, |(meta, _)| meta.edition);
        let malformed = |e: ArrowError| SourceError::Malformed { edition, what: e.to_string() };
        let editions = widened(&catalogue, editions).map_err(malformed)?;
        let open = reference.get(&edition).map_or(&[][..], |tables| &tables[..]);
        let tables = Tables::new(&catalogue, &protected, &editions, open).map_err(malformed)?;
        let latest = editions.last();
        let marginals = latest.map(|(_, values)| marginals::of_edition(&catalogue.counted, values)).unwrap_or_default();
        Ok(Self { catalogue, protected, editions, reference, tables, marginals, old: Mutex::default() })
    }

    /// This picture and the editions that have appeared since.
    pub(crate) async fn advance(&self, source: &dyn EditionSource) -> Result<Self, SourceError> {
        let (mut editions, mut reference) = (Vec::new(), Reference::new());
        for meta in source.list().await? {
            // An edition never changes: what is in memory is not read again.
            if let Some(known) = self.editions.iter().find(|(known, _)| known.edition == meta.edition) {
                reference.extend(self.reference.get(&meta.edition).map(|tables| (meta.edition, Arc::clone(tables))));
                editions.push((meta, known.1.clone()));
                continue;
            }
            reference.insert(meta.edition, source.reference(meta.edition).await?.into());
            let batches = source.read(meta.edition).await?;
            let Some(first) = batches.first() else {
                continue;
            };
            let batch = arrow::compute::concat_batches(&first.schema(), &batches)
                .map_err(|e| SourceError::Malformed { edition: meta.edition, what: e.to_string() })?;
            editions.push((meta, batch));
        }
        Self::new(Arc::clone(&self.catalogue), Arc::clone(&self.protected), editions, reference)
    }

    /// The same with the first so many editions alone.
    pub(crate) fn first(&self, count: usize) -> Result<Self, SourceError> {
        let editions = self.editions.iter().take(count).cloned().collect();
        Self::new(Arc::clone(&self.catalogue), Arc::clone(&self.protected), editions, self.reference.clone())
    }

    /// The editions, oldest first.
    pub fn editions(&self) -> impl DoubleEndedIterator<Item = &EditionMeta> {
        self.editions.iter().map(|(meta, _)| meta)
    }

    /// The newest edition.
    pub fn latest(&self) -> Option<&EditionMeta> {
        self.editions().next_back()
    }

    /// A reference table of the newest edition; none where none of that name was kept with it.
    pub fn reference(&self, name: &str) -> Option<&ReferenceTable> {
        self.kept(self.latest()?.edition, name)
    }

    /// The edition of that number.
    pub fn edition(&self, number: u32) -> Option<&EditionMeta> {
        self.editions().find(|e| e.edition == number)
    }

    /// The definitions that this picture was made with.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// An edition and its rows in long form.
    pub(crate) fn rows_of(&self, number: u32) -> Option<(&EditionMeta, &RecordBatch)> {
        self.editions.iter().find(|(meta, _)| meta.edition == number).map(|(meta, batch)| (meta, batch))
    }

    /// A reference table that was kept with an edition.
    pub(crate) fn kept(&self, edition: u32, name: &str) -> Option<&ReferenceTable> {
        self.reference.get(&edition)?.iter().find(|table| table.name == name)
    }

    /// A table when that edition was the latest; a reference table without rows where that edition kept none.
    pub(crate) fn table_at(&self, table: &Table, edition: u32) -> Result<Arc<Table>, ArrowError> {
        let key = (edition, table.full_name());
        let old = || self.old.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = old().get(&key) {
            return Ok(Arc::clone(known));
        }
        let made = if table.is_kept() {
            let none = RecordBatch::new_empty(Arc::new(Schema::empty()));
            table.kept_with(self.kept(edition, table.name().1).map_or(&none, |kept| &kept.rows))?
        } else {
            let count = self.editions.iter().take_while(|(meta, _)| meta.edition <= edition).count();
            table.known_at(&self.catalogue, &self.editions[..count])?
        };
        let made = Arc::new(made);
        Ok(Arc::clone(old().entry(key).or_insert(made)))
    }

    /// How units spread over codes by the latest edition.
    pub(crate) fn marginals(&self) -> &[Marginal] {
        &self.marginals
    }

    /// The tables of this picture as a catalogue shows them, protected ones too: words and types, nothing of their rows.
    pub fn listed(&self) -> Vec<TableInfo> {
        self.tables.listed()
    }

    /// The tables of this picture.
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }
}
