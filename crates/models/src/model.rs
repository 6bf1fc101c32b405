//! What the `.yml` beside each file of `sql/` says: what the table is called, what it reads, what its columns mean, and
//! what must be true of it.
//!
//! Three layers (models.md 5): `staging` are views over staged rows, `records` the state of each record or act, `marts`
//! the rows of each dataset. A mart that folds records by itself (cases, inspections) needs no file in `records`.
//!
//! Absent: SQL (see [`crate::sql`]), running (see `graph`).

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::sql::{SqlError, SqlSet};
use crate::stage::Family;

/// Where a model stands on the road.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A view over staged rows.
    Staging,
    /// The state of each record, or each act.
    Records,
    /// The rows of a dataset.
    Marts,
}

impl Layer {
    const ALL: [Self; 3] = [Self::Staging, Self::Records, Self::Marts];

    /// The name of its folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Records => "records",
            Self::Marts => "marts",
        }
    }
}

/// A table that a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The table's name in SQL.
    pub table: String,
    /// The column by which its rows are dealt to buckets; none = as staged, by record.
    #[serde(default)]
    pub by: Option<String>,
    /// The columns it is sorted by in each bucket.
    #[serde(default)]
    pub order: Vec<String>,
}

/// A column of a model's table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it means.
    pub description: String,
    /// Its code list, if it holds codes.
    #[serde(default)]
    pub list: Option<String>,
    /// Whether it holds several codes, as bits.
    #[serde(default)]
    pub many: bool,
}

/// Something that must be true of a table; checked at every refresh.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Test {
    /// No two rows have the same values in these columns.
    Unique(Vec<String>),
    /// None of these columns has a null.
    NotNull(Vec<String>),
    /// Every code is one of its list, in every column that has a list.
    AcceptedValues,
    /// Every value of a column is one of a column of another table.
    Relationship {
        /// The column.
        column: String,
        /// The other table.
        to: String,
        /// The other column.
        key: String,
    },
    /// As many rows as there are distinct values of these columns in the table read.
    Reconcile {
        /// The table read.
        with: String,
        /// The columns.
        distinct: Vec<String>,
        /// Only rows with `true` in this column count.
        #[serde(default, rename = "where")]
        only: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    table: String,
    description: String,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    kept: bool,
    reads: Vec<Read>,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(default, with = "serde_norway::with::singleton_map_recursive")]
    tests: Vec<Test>,
}

/// A model: a file of `sql/` and what its `.yml` says.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its layer.
    pub layer: Layer,
    /// Path of the SQL file under `sql/`.
    pub path: String,
    /// The table's name in SQL; of a mart also the dataset's.
    pub table: String,
    /// What it holds.
    pub description: String,
    /// The column that holds the key of whose rows each of its rows was made: the record, or that by which it reads; none of a view.
    pub key: Option<String>,
    /// Whether its states are kept although no model reads them: linkage does.
    pub kept: bool,
    /// What it reads.
    pub reads: Vec<Read>,
    /// What its columns mean.
    pub columns: Vec<Column>,
    /// What must be true of it.
    pub tests: Vec<Test>,
    /// Plain SQL.
    pub sql: String,
}

impl Model {
    fn parse(set: &SqlSet, layer: Layer, path: &str) -> Result<Self, SqlError> {
        let yml = path.replace(".sql", ".yml");
        let file: File =
            serde_norway::from_str(&set.plain(&yml)?).map_err(|source| SqlError::Yaml { file: yml.clone(), source })?;
        Ok(Self {
            layer,
            path: path.to_owned(),
            table: file.table,
            description: file.description,
            key: file.key,
            kept: file.kept,
            reads: file.reads,
            columns: file.columns,
            tests: file.tests,
            sql: set.plain(path)?,
        })
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// All models in the order in which they can run.
pub fn models(set: &SqlSet) -> Result<Vec<Model>, SqlError> {
    let mut waiting = Vec::new();
    for layer in Layer::ALL {
        for path in set.paths(&format!("{}/", layer.folder()), ".sql") {
            waiting.push(Model::parse(set, layer, path)?);
        }
    }
    in_order(waiting)
}

/// Sorts models so that each comes after what it reads.
fn in_order(mut waiting: Vec<Model>) -> Result<Vec<Model>, SqlError> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut done: Vec<Model> = Vec::new();
    while !waiting.is_empty() {
        let ready = |model: &Model| {
            model.reads.iter().all(|read| {
                known.contains(&read.table)
                    || read.table.strip_prefix("staged_").is_some_and(|name| Family::named(name).is_some())
            })
        };
        let (next, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(ready);
        if next.is_empty() {
            let model = &rest[0];
            let what = format!("`{}` reads a table that no model makes, or one that reads it", model.table);
            return Err(SqlError::Graph { file: model.path.clone(), what });
        }
        known.extend(next.iter().map(|model| model.table.clone()));
        done.extend(next);
        waiting = rest;
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_sql_file_has_a_yml_and_the_graph_has_an_order() {
        let models = models(&SqlSet::embedded()).unwrap();
        let place = |table: &str| models.iter().position(|m| m.table == table).unwrap();
        assert!(place("victim_events") < place("victim_records") && place("victim_records") < place("victims"));
        assert!(models.iter().all(|m| !m.description.is_empty()));
    }

    #[test]
    fn every_table_that_is_made_says_by_which_column_its_rows_are_replaced() {
        for model in models(&SqlSet::embedded()).unwrap() {
            let key = model.key.as_deref();
            assert_eq!(key.is_none(), model.layer == Layer::Staging, "{}", model.path);
            assert!(key.is_none_or(|key| model.column(key).is_some()), "{} does not describe its key", model.path);
        }
    }

    #[test]
    fn every_column_and_measure_that_the_policy_names_is_in_its_mart() {
        let models = models(&SqlSet::embedded()).unwrap();
        for policy in [policy::Policy::default(), policy::Policy::ctdc()] {
            for dataset in policy.datasets.iter() {
                let mart = models.iter().find(|m| m.layer == Layer::Marts && m.table == dataset.name);
                let mart = mart.unwrap_or_else(|| panic!("{} has no mart", dataset.name));
                for column in dataset.columns.values() {
                    let found = mart.column(&column.name);
                    let found = found.unwrap_or_else(|| panic!("{} has no column {}", mart.path, column.name));
                    assert_eq!(found.list.as_ref(), Some(&column.list), "{}: {}", mart.path, column.name);
                    let many = column.cardinality == policy::Cardinality::Many;
                    assert_eq!(found.many, many, "{}: {}", mart.path, column.name);
                }
                for measure in dataset.measures.values() {
                    let found = mart.column(&measure.name);
                    let found = found.unwrap_or_else(|| panic!("{} has no measure {}", mart.path, measure.name));
                    assert!(found.list.is_none() && !found.many, "{}: {} holds codes", mart.path, measure.name);
                }
            }
        }
    }

    #[test]
    fn every_list_named_by_a_column_exists() {
        for model in models(&SqlSet::embedded()).unwrap() {
            for column in &model.columns {
                let list = column.list.as_deref().map(|list| (list, events::code_list::find(list)));
                if let Some((name, found)) = list {
                    let found = found.unwrap_or_else(|| panic!("{}: no list {name}", model.path));
                    assert!(!column.many || found.codes.len() < 64, "{}: {name} does not fit 63 bits", model.path);
                }
            }
        }
    }
}
