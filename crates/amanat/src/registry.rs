//! The schema registry in the data directory: served by `up` at the agencies' door, and `amanat schema` beside it.

use std::path::Path;

use anyhow::Context;
use events::EventType;
use gateway::{Against, BuiltIn, Draft, External, Found, Registry, RegistryError, Schemas, Which};
use serde_json::json;

use crate::cli::{SchemaCommand, SchemaFile};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};

/// The contracts that the registry holds from its start, in the order of their release, which gives them their ids: a new
/// version moves no other. The subject is the record's full name (RecordNameStrategy): one topic carries many types.
fn contracts() -> Vec<BuiltIn> {
    let built_in = |(kind, version): (EventType, u16)| {
        let schema = events::avro::schema_of(kind, version);
        let part = |name: &str| schema[name].as_str().unwrap_or_default().to_owned();
        let subject = format!("{}.{}", part("namespace"), part("name"));
        BuiltIn { subject, version: version.into(), text: schema.to_string() }
    };
    EventType::versions().map(built_in).collect()
}

/// The registry of a data directory.
pub fn open(dir: &DataDir) -> anyhow::Result<Registry> {
    Registry::open(&dir.path.join("gateway.db"), &contracts()).map_err(failure)
}

/// Where the schemas of Avro events are found: in this directory, or in the registry that the configuration names.
pub fn schemas(config: &Config, dir: &DataDir) -> anyhow::Result<Schemas> {
    let own = open(dir)?;
    Ok(match config.registry.access()? {
        None => Schemas::of(own),
        Some(access) => Schemas::of_external(External::new(access).map_err(|e| Failure::Usage(e.to_string()))?, own),
    })
}

/// Runs `amanat schema …`.
pub fn run(config: Config, command: SchemaCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    if let SchemaCommand::Show { id } = command {
        return show(&schemas(&config, &dir)?, id);
    }
    if config.registry.url.is_some() {
        let what = "registry.url names another registry: list, check and register with its own tools (`amanat schema show ID` asks it)";
        return Err(Failure::Usage(what.into()).into());
    }
    let registry = open(&dir)?;
    match command {
        SchemaCommand::List { json } => list(&registry, json),
        SchemaCommand::Register(file) => register(&registry, &file),
        SchemaCommand::Check(file) => check(&registry, &file),
        SchemaCommand::Show { .. } => Ok(()),
    }
}

fn show(schemas: &Schemas, id: i32) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match runtime.block_on(schemas.find(id)) {
        Found::Schema(schema) => exit::print(&format!("{}\n", schema.draft.text)),
        Found::Unknown => Err(Failure::Input(format!("the registry knows no schema {id}")).into()),
        Found::Unsupported(what) => Err(Failure::Input(format!("schema {id} is not usable here: {what}")).into()),
        Found::Away(what) => Err(Failure::Unavailable(what).into()),
    }
}

fn list(registry: &Registry, as_json: bool) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for subject in registry.subjects().map_err(failure)? {
        for number in registry.versions(&subject).map_err(failure)? {
            rows.push(registry.version(&subject, Which::Number(number)).map_err(failure)?);
        }
    }
    if as_json {
        let rows = rows.iter().map(|row| {
            let (kind, guarded) = (row.schema.draft.schema_type.name(), registry.is_guarded(&row.subject));
            json!({ "subject": row.subject, "version": row.version, "id": row.schema.id, "type": kind, "contract": guarded })
        });
        return exit::print(&format!("{:#}\n", rows.collect::<serde_json::Value>()));
    }
    let mut text = format!("{:>6}  {:>7}  {:<5} subject\n", "id", "version", "type");
    for row in &rows {
        let kind = row.schema.draft.schema_type.name();
        text.push_str(&format!("{:>6}  {:>7}  {kind:<5} {}\n", row.schema.id, row.version, row.subject));
    }
    exit::print(&format!("{text}{} version(s)\n", rows.len()))
}

fn register(registry: &Registry, file: &SchemaFile) -> anyhow::Result<()> {
    let version = registry.register(&file.subject, &read(&file.file)?, false).map_err(failure)?;
    exit::print(&format!("id {}: version {} of {}\n", version.schema.id, version.version, version.subject))
}

fn check(registry: &Registry, file: &SchemaFile) -> anyhow::Result<()> {
    let verdict = registry.check(&file.subject, Against::Level, &read(&file.file)?).map_err(failure)?;
    if verdict.compatible {
        return exit::print(&format!("compatible: it may be the next version of {}\n", file.subject));
    }
    for difference in &verdict.differences {
        exit::print(&format!("{difference}\n"))?;
    }
    Err(Failure::Input(format!("not compatible with {}", file.subject)).into())
}

fn read(file: &Path) -> anyhow::Result<Draft> {
    let text =
        if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    Ok(Draft::avro(text.with_context(|| format!("cannot read {}", file.display()))?))
}

/// An error of the registry with its exit code.
fn failure(error: RegistryError) -> anyhow::Error {
    let text = error.to_string();
    match error {
        RegistryError::Full(_) | RegistryError::Unusable { .. } | RegistryError::Sqlite { .. } => {
            Failure::DataDirectory(text)
        }
        RegistryError::Busy(_) => Failure::Unavailable(text),
        _ => Failure::Input(text),
    }
    .into()
}
