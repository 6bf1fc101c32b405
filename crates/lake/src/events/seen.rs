//! One version of the table as its writer needs it: which files it has and what its transactions remember.
//!
//! Read once when the table is opened, by delta-rs; then each commit is followed, our own without reading it back. Files
//! and transactions move together in one step or not at all: a table that had seen a commit whose transactions it had not
//! would commit past it (`protocol`, mistake `TableMovesBeforeTxns`). delta-rs's own state is brought up only for
//! what delta-rs does itself (rewrites, checkpoints, vacuum), because doing so takes it longer than a commit takes.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use deltalake::DeltaTable;
use deltalake::kernel::Add;

use super::DataFile;
use super::entry::{Added, Commit};
use super::snapshot::{data_file, in_order};
use super::txns::Txns;
use crate::Result;

/// Files and transactions of one version.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub txns: Txns,
    files: HashMap<String, DataFile>,
    /// The files in their order, once somebody has asked for it.
    ordered: OnceLock<Arc<[DataFile]>>,
}

impl Seen {
    /// What the table, as delta-rs has loaded it, holds.
    pub async fn load(table: &DeltaTable) -> Result<Self> {
        let state = table.snapshot()?;
        let txns = Txns::load(&table.log_store(), state.version()).await?;
        let mut files = HashMap::new();
        for view in state.log_data() {
            let (path, stats) = (view.path().into_owned(), view.stats());
            let file = data_file(path.clone(), view.size(), &view.partition_values_map(), stats.as_deref())?;
            files.insert(path, file);
        }
        Ok(Self { txns, files, ordered: OnceLock::new() })
    }

    /// The version.
    pub const fn version(&self) -> u64 {
        self.txns.version
    }

    /// Its files, in order of ingest date, first offset and path.
    pub fn files(&self) -> Arc<[DataFile]> {
        Arc::clone(self.ordered.get_or_init(|| in_order(self.files.values().cloned().collect())))
    }

    /// Moves on to the next version, which is this commit.
    ///
    /// # Errors
    /// `Damaged` when a file of it has no statistics or place; then nothing has moved.
    pub fn follow(&mut self, commit: Commit) -> Result<()> {
        let adds = commit.adds.into_iter().map(file).collect::<Result<Vec<_>>>()?;
        self.step(adds, &commit.removes, commit.txns);
        Ok(())
    }

    /// Moves on to the next version, which is our own commit of new files.
    pub fn committed(&mut self, files: Vec<DataFile>, txns: Vec<(String, i64)>) {
        self.step(files, &[], txns);
    }

    /// A planted mistake: the transactions of a commit that failed are taken for its own.
    pub fn mistaken(&mut self, txns: impl IntoIterator<Item = (String, i64)>) {
        self.txns.pretend(txns);
    }

    fn step(&mut self, adds: Vec<DataFile>, removes: &[String], txns: Vec<(String, i64)>) {
        if !adds.is_empty() || !removes.is_empty() {
            self.ordered = OnceLock::new();
        }
        for path in removes {
            self.files.remove(path);
        }
        self.files.extend(adds.into_iter().map(|file| (file.path.clone(), file)));
        self.txns.follow(txns);
    }
}

fn file(add: Added) -> Result<DataFile> {
    data_file(add.path, add.size, &add.partition_values, add.stats.as_deref())
}

/// The file that we are about to add.
pub(super) fn file_of(add: &Add) -> Result<DataFile> {
    data_file(add.path.clone(), add.size, &add.partition_values, add.stats.as_deref())
}
