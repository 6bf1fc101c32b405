//! One bucket of a model: its rows are gathered and sorted, folded, checked, kept for the models that read them, and finished if they are
//! a mart's. Buckets do all of this side by side.
//!
//! Absent: which buckets there are and what they read (see [`super`]).

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use lake::folder::FolderWriter;

use super::Staged;
use super::state::{Part, Room};
use crate::check;
use crate::engine::{Prepared, Rows};
use crate::error::ModelsError;
use crate::exchange::Dealt;
use crate::layers;
use crate::mart::Finish;
use crate::model::Model;
use crate::stage::Family;

/// What one bucket of a model reads.
pub(super) enum Input {
    /// These families' rows of this bucket.
    Staged(Vec<&'static Family>, usize),
    /// Rows dealt to it, by table.
    Dealt(HashMap<String, Dealt>),
}

/// What is done with each bucket of a model.
pub(super) struct Work {
    pub model: Model,
    pub fold: Arc<Prepared>,
    /// Questions to the rows that were made.
    pub checks: Vec<Arc<Prepared>>,
    pub staged: Arc<Staged>,
    /// Where parts are kept; none of what no model reads.
    pub keep: Option<FolderWriter>,
    /// The columns by which parts are read.
    pub hashed: Vec<String>,
    pub room: Room,
    pub finish: Arc<Finish>,
}

/// What came of a bucket.
pub(super) struct Done {
    /// How many rows were made.
    pub rows: usize,
    /// These rows, kept.
    pub part: Option<Part>,
    /// The rows of a mart.
    pub finished: Option<RecordBatch>,
    /// What each question counted.
    pub counted: Vec<i64>,
}

impl Work {
    /// Does all of it for bucket `number`.
    pub async fn bucket(&self, number: usize, input: Input) -> Result<Done, ModelsError> {
        let (made, counted) = match self.rows(input).await? {
            Some(rows) => self.folded(rows).await?,
            None => (RecordBatch::new_empty(self.fold.schema()), vec![0; self.checks.len()]),
        };
        check::rows(&self.model, &made)?;
        let part = match &self.keep {
            Some(folder) if made.num_rows() > 0 => {
                let file = layers::file_name(&self.model.table, number);
                Some(Part::keep(folder, file, &made, &self.hashed, &self.room).await?)
            }
            _ => None,
        };
        Ok(Done { rows: made.num_rows(), part, finished: self.finish.rows(&self.model, &made)?, counted })
    }

    /// The rows that the model reads in a bucket, sorted; none where there are none.
    async fn rows(&self, input: Input) -> Result<Option<HashMap<String, Rows>>, ModelsError> {
        match input {
            Input::Dealt(dealt) => {
                let gathered = dealt.into_iter().map(|(table, rows)| Ok((table, Rows::Batches(vec![rows.gather()?]))));
                Ok(Some(gathered.collect::<Result<_, ModelsError>>()?))
            }
            Input::Staged(families, bucket) => {
                let (mut rows, mut any) = (HashMap::new(), false);
                for family in families {
                    let found = self.staged.rows(family, bucket).await?;
                    any |= found.is_some();
                    let name = format!("staged_{}", family.name);
                    rows.insert(name, found.unwrap_or_else(|| Rows::Batches(Vec::new())));
                }
                Ok(any.then_some(rows))
            }
        }
    }

    async fn folded(&self, mut rows: HashMap<String, Rows>) -> Result<(RecordBatch, Vec<i64>), ModelsError> {
        let made = self.fold.run(rows.clone()).await.map_err(ModelsError::Engine)?;
        let made = concat_batches(&self.fold.schema(), &made)?;
        rows.insert(check::OUTPUT.to_owned(), Rows::Batches(vec![made.clone()]));
        let mut counted = Vec::with_capacity(self.checks.len());
        for question in &self.checks {
            let answer = question.run(rows.clone()).await.map_err(ModelsError::Engine)?;
            counted.push(check::number(&answer));
        }
        Ok((made, counted))
    }
}
