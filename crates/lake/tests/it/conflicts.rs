//! What conflicts with what in delta-rs, held to ingestion.md 2.2: a new version must not change it unnoticed. Rewrites
//! here are made by hand, so that they lack what keeps ours safe.

use std::collections::HashMap;

use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::kernel::{Action, Add, Remove, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};

use crate::support::*;

/// A table of one file, as one process sees it, and the file.
struct World {
    place: Place,
    file: Add,
}

impl World {
    async fn new() -> Self {
        let place = Place::new();
        let mut events = place.events("w").await;
        let at = partition(0);
        let claim = claim(&mut events, &at).await;
        let written = events.write(vec![lane(rows(&at, 0..5))]).await.unwrap();
        let file = written.adds[0].clone();
        events.commit(&batch(&at, None, 5, claim, written)).await.unwrap();
        Self { place, file }
    }

    async fn table(&self) -> DeltaTable {
        let url = self.place.store.url_of("lake/events/").unwrap();
        let builder = DeltaTableBuilder::from_url(url.clone()).unwrap();
        builder.with_storage_backend(self.place.store.root_objects(), url).load().await.unwrap()
    }

    /// New files, not in the table.
    async fn files(&self, offset: i64) -> Vec<Add> {
        let events = self.place.events("f").await;
        events.write(vec![lane(rows(&partition(0), offset..offset + 5))]).await.unwrap().adds
    }

    async fn append(&self) -> Vec<Action> {
        self.files(100).await.into_iter().map(Action::Add).collect()
    }

    /// The one file replaced by another with the same rows.
    async fn rewrite(&self) -> Vec<Action> {
        let adds = self.files(0).await.into_iter().map(|add| Action::Add(Add { data_change: false, ..add }));
        std::iter::once(Action::Remove(self.remove(false))).chain(adds).collect()
    }

    fn remove(&self, data_change: bool) -> Remove {
        Remove {
            path: self.file.path.clone(),
            data_change,
            deletion_timestamp: Some(1),
            extended_file_metadata: Some(true),
            partition_values: Some(self.file.partition_values.clone()),
            size: Some(self.file.size),
            ..Remove::default()
        }
    }

    async fn rows(&self) -> usize {
        all_offsets(&self.place).await.len()
    }
}

fn append() -> DeltaOperation {
    DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None }
}

fn optimize() -> DeltaOperation {
    DeltaOperation::Optimize { predicate: None, target_size: 1 }
}

async fn commit(
    on: &DeltaTable,
    actions: Vec<Action>,
    txns: &[&str],
    op: DeltaOperation,
) -> Result<u64, DeltaTableError> {
    let txns = txns.iter().map(|app| Transaction::new(*app, 1)).collect();
    let properties = CommitProperties::default().with_application_transactions(txns).with_metadata(HashMap::new());
    let commit = CommitBuilder::from(properties).with_actions(actions);
    let done = commit.build(Some(on.snapshot()? as &dyn TableReference), on.log_store(), op).await?;
    Ok(done.version())
}

fn refused(result: Result<u64, DeltaTableError>, why: &str) {
    let error = format!("{:?}", result.unwrap_err());
    assert!(error.contains(why), "{error}");
}

#[tokio::test]
async fn an_append_passes_a_rewrite_and_a_rewrite_passes_an_append() {
    for rewrite_first in [true, false] {
        let world = World::new().await;
        let (mine, theirs) = (world.table().await, world.table().await);
        let (a, r) = (world.append().await, world.rewrite().await);
        if rewrite_first {
            commit(&theirs, r, &["rewrite/v1"], optimize()).await.unwrap();
            commit(&mine, a, &["in/v1/x"], append()).await.unwrap();
        } else {
            commit(&theirs, a, &["in/v1/x"], append()).await.unwrap();
            commit(&mine, r, &["rewrite/v1"], optimize()).await.unwrap();
        }
        assert_eq!(world.rows().await, 10, "rewrite first: {rewrite_first}");
    }
}

#[tokio::test]
async fn two_rewrites_of_a_file_without_a_shared_transaction_both_pass_and_double_its_rows() {
    let world = World::new().await;
    let (mine, theirs) = (world.table().await, world.table().await);
    let (a, b) = (world.rewrite().await, world.rewrite().await);
    commit(&theirs, a, &[], optimize()).await.unwrap();
    commit(&mine, b, &[], optimize()).await.unwrap();
    assert_eq!(world.rows().await, 10, "if this fails, delta-rs has mended it and `rewrite/v1` is a second guard");
}

#[tokio::test]
async fn two_rewrites_with_a_shared_transaction_conflict() {
    let world = World::new().await;
    let (mine, theirs) = (world.table().await, world.table().await);
    let (a, b) = (world.rewrite().await, world.rewrite().await);
    commit(&theirs, a, &["rewrite/v1"], optimize()).await.unwrap();
    refused(commit(&mine, b, &["rewrite/v1"], optimize()).await, "ConcurrentTransaction");
    assert_eq!(world.rows().await, 5);
}

#[tokio::test]
async fn an_append_passes_an_append_and_a_claim_and_a_claim_passes_both() {
    let world = World::new().await;
    let tables = [world.table().await, world.table().await, world.table().await, world.table().await];
    let (a, b, r) = (world.append().await, world.files(200).await, world.rewrite().await);
    commit(&tables[0], a, &["in/v1/x"], append()).await.unwrap();
    commit(&tables[1], b.into_iter().map(Action::Add).collect(), &["in/v1/y"], append()).await.unwrap();
    commit(&tables[2], Vec::new(), &["claim/v1/z"], append()).await.unwrap();
    commit(&tables[3], r, &["rewrite/v1"], optimize()).await.unwrap();
    assert_eq!(world.rows().await, 15);
}

#[tokio::test]
async fn the_same_application_id_on_both_sides_conflicts_whatever_the_files() {
    let world = World::new().await;
    let (mine, theirs) = (world.table().await, world.table().await);
    commit(&theirs, Vec::new(), &["claim/v1/x"], append()).await.unwrap();
    refused(commit(&mine, world.append().await, &["claim/v1/x"], append()).await, "ConcurrentTransaction");
}

#[tokio::test]
async fn a_remove_that_changes_data_is_refused_by_append_only_and_one_that_does_not_is_not() {
    let world = World::new().await;
    let table = world.table().await;
    let delete = vec![Action::Remove(world.remove(true))];
    let operation = || DeltaOperation::Delete { predicate: None };
    refused(commit(&table, delete, &[], operation()).await, "AppendOnly");
    assert_eq!(world.rows().await, 5);
    commit(&table, world.rewrite().await, &["rewrite/v1"], optimize()).await.unwrap();
    assert_eq!(world.rows().await, 5);
}
