//! Writers' Avro schemas: from the schema registry, or from a folder where there is none (`<id>.avsc`, read when the program
//! starts).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use gateway::{Found, Schemas};
use ingest::{SchemaAnswer, SchemaSource, StaticSchemas};
use tokio::runtime::Handle;

use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::Failure;
use crate::registry;

/// How long a worker waits for the registry's answer before it counts as away. Meanwhile the worker reads nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whoever knows writers' schemas, by the configuration.
pub fn source(config: &Config, dir: &DataDir) -> anyhow::Result<Arc<dyn SchemaSource>> {
    Ok(match &config.ingest.avro_schemas {
        Some(folder) => Arc::new(StaticSchemas(read(folder)?)),
        None => Arc::new(FromRegistry { schemas: registry::schemas(config, dir)?, runtime: Handle::current() }),
    })
}

/// The registry of this data directory, or the one that the configuration names.
struct FromRegistry {
    schemas: Schemas,
    runtime: Handle,
}

impl std::fmt::Debug for FromRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FromRegistry")
    }
}

impl SchemaSource for FromRegistry {
    fn schema(&self, id: u32) -> SchemaAnswer {
        let Ok(id) = i32::try_from(id) else { return SchemaAnswer::Unknown };
        let (answer, answered) = channel();
        let schemas = self.schemas.clone();
        self.runtime.spawn(async move {
            // Who asked may have lost patience.
            let _ = answer.send(schemas.find(id).await);
        });
        match answered.recv_timeout(PATIENCE) {
            Ok(Found::Schema(schema)) => SchemaAnswer::Found(schema.draft.text.clone()),
            Ok(Found::Unknown) => SchemaAnswer::Unknown,
            Ok(Found::Unsupported(what) | Found::Away(what)) => SchemaAnswer::Away(what),
            Err(_) => SchemaAnswer::Away(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }
}

fn read(folder: &Path) -> anyhow::Result<BTreeMap<u32, String>> {
    let unusable = |error: std::io::Error| {
        Failure::Input(format!(
            "ingest.avro_schemas: {} cannot be read: {error}; name a folder of `<id>.avsc`",
            folder.display()
        ))
    };
    let mut schemas = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(unusable)? {
        let path = entry.map_err(unusable)?.path();
        if path.extension().is_none_or(|extension| extension != "avsc") {
            continue;
        }
        let id =
            path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()).ok_or_else(|| {
                Failure::Input(format!(
                    "ingest.avro_schemas: {}: a file's name must be its schema's id, as 7.avsc",
                    path.display()
                ))
            })?;
        schemas.insert(id, std::fs::read_to_string(&path).map_err(unusable)?);
    }
    Ok(schemas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_each_schema_under_the_id_in_its_name_and_refuses_other_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("7.avsc"), "{}").unwrap();
        std::fs::write(folder.path().join("README.md"), "").unwrap();
        assert_eq!(read(folder.path()).unwrap(), BTreeMap::from([(7, "{}".to_owned())]));
        std::fs::write(folder.path().join("victim.avsc"), "{}").unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("7.avsc"));
        assert!(read(&folder.path().join("nowhere")).is_err());
    }
}
