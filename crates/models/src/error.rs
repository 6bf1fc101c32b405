//! Why tables could not be made from facts. Names files, tables and tests, never a value of a row.

use datafusion::error::DataFusionError;

use crate::model::Model;
use crate::sql::SqlError;
use crate::stage::StageError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelsError {
    /// Facts could not be staged.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] lake::LakeError),
    /// A file of `sql/` is wrong.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A file of `sql/` cannot be planned.
    #[error("sql/{path} cannot be planned")]
    Plan {
        /// The file.
        path: String,
        /// What the engine says; it has seen no rows yet.
        #[source]
        source: Box<DataFusionError>,
    },
    /// A fold failed.
    #[error("sql/{path} failed on a bucket")]
    Fold {
        /// The file.
        path: String,
        /// What the engine says.
        #[source]
        source: Box<DataFusionError>,
    },
    /// A fold failed, not yet said in which file.
    #[error("a fold failed")]
    Engine(#[source] DataFusionError),
    /// Arrow refuses a batch.
    #[error("rows do not fit their columns")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A test of a `.yml` does not hold.
    #[error("sql/{path}: the test `{test}` does not hold; no Snapshot was made")]
    Test {
        /// The file.
        path: String,
        /// The test.
        test: String,
    },
    /// A model reads a table that is not there.
    #[error("there is no table `{0}`")]
    NoTable(String),
    /// A model that reads states does not say by what they are dealt.
    #[error("sql/{0} reads states without `by`")]
    NoKey(String),
    /// A mart has no column that its dataset needs.
    #[error("the mart `{mart}` has no column `{column}`, or not of the right type")]
    Column {
        /// The mart.
        mart: String,
        /// The column.
        column: String,
    },
    /// Counts that must agree do not.
    #[error("{what}: {left} and {right} should be equal; no Snapshot was made")]
    Reconcile {
        /// What was counted.
        what: &'static str,
        /// One count.
        left: u64,
        /// The other.
        right: u64,
    },
    /// A manifest that cannot be read.
    #[error("the manifest of a Snapshot cannot be read")]
    Manifest(#[source] serde_json::Error),
    /// There is no Snapshot whose persons could be linked.
    #[error("there is no Snapshot yet; run `amanat refresh`")]
    NoSnapshot,
    /// Persons cannot be compared.
    #[error("persons cannot be linked")]
    Register(#[source] linkage::RegisterError),
    /// The steward's words contradict each other.
    #[error("persons cannot be linked")]
    Decisions(#[source] linkage::DecisionError),
    /// A task died.
    #[error("a task of the refresh stopped")]
    Stopped,
}

impl ModelsError {
    pub(crate) fn plan(model: &Model, source: DataFusionError) -> Self {
        Self::Plan { path: model.path.clone(), source: Box::new(source) }
    }

    /// Names the file in which a fold failed.
    pub(crate) fn in_model(self, model: &Model) -> Self {
        match self {
            Self::Engine(source) => Self::Fold { path: model.path.clone(), source: Box::new(source) },
            other => other,
        }
    }
}
