//! Which columns are in sight.

use super::Typed;
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

/// A column of a table in FROM.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) sql: String,
    pub(super) oid: u32,
    /// Whether USING has merged it into one of the scope's own.
    pub(super) merged: bool,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, sql: impl Into<String>, oid: u32) -> Self {
        Self { name: name.into(), sql: sql.into(), oid, merged: false }
    }

    pub(super) fn typed(&self) -> Typed {
        Typed::new(self.sql.clone(), self.oid)
    }
}

/// A table in FROM.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// Its name or alias.
    pub(super) name: String,
    /// The schema by which it may be called, where it has no alias.
    pub(super) schema: Option<String>,
    pub(super) columns: Vec<Column>,
    /// OID of a system table, whose rows have `tableoid`, `xmin` and the like.
    pub(super) stored: Option<u32>,
}

/// The tables of one SELECT, within those of the queries around it.
#[derive(Debug, Default)]
pub(super) struct Scope<'p> {
    pub(super) parent: Option<&'p Scope<'p>>,
    pub(super) relations: Vec<Relation>,
    /// Columns that USING and NATURAL have merged.
    pub(super) merged: Vec<Column>,
}

impl<'p> Scope<'p> {
    pub(super) fn within(parent: Option<&'p Scope<'p>>) -> Self {
        Self { parent, relations: Vec::new(), merged: Vec::new() }
    }

    /// A column by its name alone.
    pub(super) fn column(&self, name: &str) -> Result<Option<Typed>> {
        if let Some(column) = self.merged.iter().find(|column| column.name == name) {
            return Ok(Some(column.typed()));
        }
        let mut found = self
            .relations
            .iter()
            .flat_map(|relation| &relation.columns)
            .filter(|column| column.name == name && !column.merged);
        match (found.next(), found.next()) {
            (Some(column), None) => Ok(Some(column.typed())),
            (Some(_), Some(_)) => {
                Err(CatalogueError::new(Fault::AmbiguousColumn, format!("column reference \"{name}\" is ambiguous")))
            }
            (None, _) => {
                if let Some(typed) = self.relations.iter().find_map(|relation| relation.system_column(name)) {
                    return Ok(Some(typed));
                }
                self.parent.map_or(Ok(None), |parent| parent.column(name))
            }
        }
    }

    /// A table by the name that it has in FROM.
    pub(super) fn relation(&self, schema: Option<&str>, name: &str) -> Option<&Relation> {
        self.relations
            .iter()
            .find(|relation| relation.name == name && (schema.is_none() || relation.schema.as_deref() == schema))
            .or_else(|| self.parent.and_then(|parent| parent.relation(schema, name)))
    }

    /// What `*` means: the merged columns, then the others.
    pub(super) fn all(&self) -> impl Iterator<Item = &Column> {
        self.merged
            .iter()
            .chain(self.relations.iter().flat_map(|relation| &relation.columns).filter(|column| !column.merged))
    }
}

impl Relation {
    /// A column by name.
    pub(super) fn column(&self, name: &str) -> Option<Typed> {
        self.columns.iter().find(|column| column.name == name).map(Column::typed).or_else(|| self.system_column(name))
    }

    /// What every row of a stored table has beside its columns.
    fn system_column(&self, name: &str) -> Option<Typed> {
        let table = self.stored?;
        Some(match name {
            "tableoid" => Typed::new(table.to_string(), oid::OID),
            "xmin" => Typed::new("1", oid::XID),
            "xmax" => Typed::new("0", oid::XID),
            "cmin" | "cmax" => Typed::new("0", oid::CID),
            "ctid" => Typed::new("'(0,1)'", oid::TID),
            _ => return None,
        })
    }

    /// A row as a JSON object.
    pub(super) fn json(&self) -> String {
        let fields: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("{},{}", super::quoted(&column.name), super::cast::json(&column.typed())))
            .collect();
        format!("json_object({})", fields.join(","))
    }
}
