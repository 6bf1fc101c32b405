//! Writers' Avro schemas from a folder, for where no schema registry is: `<id>.avsc`, read when the program starts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ingest::{NoRegistry, SchemaSource, StaticSchemas};

use crate::config::Config;
use crate::exit::Failure;

/// Whoever knows writers' schemas, by the configuration.
pub fn source(config: &Config) -> anyhow::Result<Arc<dyn SchemaSource>> {
    Ok(match &config.ingest.avro_schemas {
        Some(folder) => Arc::new(StaticSchemas(read(folder)?)),
        None => Arc::new(NoRegistry),
    })
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
