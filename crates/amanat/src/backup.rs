//! `amanat backup`: a consistent copy of what may never be deleted, beside whoever writes.
//!
//! Each part is of a later moment than the parts that speak of it, so that nothing in the copy knows more than what it names:
//!
//! ```text
//! lake      its Delta logs before the files that they name; it names offsets of the log, and heads of the vault's memory
//! log.db    holds at least what the lake has read
//! gateway.db   names every schema of what the log holds
//! audit.db  names a head of the vault's memory with each answer
//! vault.db  holds at least that head: a copy the other way round would be refused as behind
//! store.toml   last: a copy that was broken off has none, and is refused as half written
//! ```
//!
//! Absent: what can be made again (staged rows, marts), what is of a running process (claims, leases), the lake in a bucket.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use indicatif::{HumanBytes, ProgressBar};
use lake::StoreIdentity;
use ledger::LedgerError;

use crate::cli::BackupArgs;
use crate::config::Config;
use crate::data_dir::unusable;
use crate::exit::{self, Failure};
use crate::progress;

/// Databases, in the order in which they are copied.
const DATABASES: [(&str, &str); 4] = [
    ("log.db", "the embedded log"),
    ("gateway.db", "schemas, mappings and receipts of the agencies"),
    ("audit.db", "what was asked"),
    ("vault.db", "what was released"),
];

/// Small files that are replaced as a whole, where there are any.
const SMALL: [(&str, &str); 4] = [
    ("producers.toml", "hashes of the agencies' keys"),
    ("readers.toml", "hashes of the readers' keys"),
    ("sample.toml", "which synthetic country it is"),
    (IDENTITY, "which store it is"),
];

/// The file without which a directory is no store.
const IDENTITY: &str = "store.toml";

/// Of the lake: what can be made again, and what is of a running process.
const LEFT_OUT: [&str; 6] = ["staged", "marts", "_lease", "_maintain", "_purge", "_probe"];

/// How often a lake is looked at anew whose files were deleted while they were copied.
const ATTEMPTS: usize = 5;

/// What was copied of one part.
struct Part {
    name: &'static str,
    what: &'static str,
    files: u64,
    bytes: u64,
}

/// Copies and says what was copied and how it is restored.
pub fn run(config: Config, args: BackupArgs) -> anyhow::Result<()> {
    let BackupArgs { directory, with_keys } = args;
    let found = StoreIdentity::read(&config.data).map_err(|error| unusable(&config.data, &error))?;
    let Some(identity) = found else {
        let place = config.data.display();
        return Err(
            Failure::DataDirectory(format!("there is no store in {place}; --data names another directory")).into()
        );
    };
    must_be_empty(&config.data, &directory)?;
    lake::create_private_dir(&directory).map_err(|error| unusable(&directory, &error))?;
    let bar = progress::bytes("copying");
    let copier = Copier { from: &config.data, to: &directory, bar: &bar };
    let parts = copier.all(identity.lake.is_none(), with_keys);
    bar.finish_and_clear();
    let parts = parts?;
    if with_keys {
        exit::note(
            "the copy holds the master secret: who has it reads what was set aside and links persons across agencies. Move keys/ to a place of its own",
        );
    }
    if let Some(readers) = &config.policy.readers {
        exit::note(&format!("the readers' keys are in {}, which is not copied", readers.display()));
    }
    exit::print(&told(&directory, &parts, identity.lake.as_deref(), with_keys))
}

/// A copy beside another would be a mixture of two stores.
fn must_be_empty(data: &Path, target: &Path) -> anyhow::Result<()> {
    let usage = |what: String| Err(Failure::Usage(what).into());
    let place = target.display();
    match std::fs::read_dir(target).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => return usage(format!("{place} is not empty: name a directory that is, or that is not there yet")),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return usage(format!("{place} cannot be used: {error}")),
    }
    // Of a directory that is not there yet, the nearest one above that is.
    let above = target.ancestors().find_map(|folder| std::fs::canonicalize(or_here(folder)).ok());
    let inside = above.zip(std::fs::canonicalize(data).ok()).is_some_and(|(above, data)| above.starts_with(data));
    if inside {
        return usage(format!("{place} is inside the data directory: a copy there is lost with it"));
    }
    Ok(())
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

struct Copier<'a> {
    from: &'a Path,
    to: &'a Path,
    bar: &'a ProgressBar,
}

impl Copier<'_> {
    fn all(&self, with_lake: bool, with_keys: bool) -> anyhow::Result<Vec<Part>> {
        let mut parts = Vec::new();
        if with_lake {
            parts.extend(self.lake()?);
        }
        for (name, what) in DATABASES {
            parts.extend(self.database(name, what)?);
        }
        if with_keys {
            parts.extend(self.keys()?);
        }
        parts.extend(self.folder("questions", "saved questions")?);
        for (name, what) in SMALL {
            let bytes = self.file(Path::new(name))?;
            parts.extend(bytes.map(|bytes| Part { name, what, files: 1, bytes }));
        }
        Ok(parts)
    }

    fn database(&self, name: &'static str, what: &'static str) -> anyhow::Result<Option<Part>> {
        match ledger::copy_of(&self.from.join(name), &self.to.join(name), &mut |bytes| self.bar.inc(bytes)) {
            Ok(bytes) => Ok(Some(Part { name, what, files: 1, bytes })),
            Err(LedgerError::Missing(_)) => Ok(None),
            Err(error @ (LedgerError::Busy(_) | LedgerError::Full(_))) => {
                Err(Failure::Unavailable(error.to_string()).into())
            }
            Err(error) => Err(anyhow::Error::from(error).context(format!("{name} was not copied"))),
        }
    }

    fn keys(&self) -> anyhow::Result<Option<Part>> {
        let folder = self.from.join("keys");
        if !folder.is_dir() {
            let what = "there are no keys in the data directory: the master secret is in the file that AMANAT_MASTER_KEY_FILE names";
            return Err(Failure::Usage(what.into()).into());
        }
        self.folder("keys", "the master secret")
    }

    /// A folder of small files; none where there is no such folder.
    fn folder(&self, name: &'static str, what: &'static str) -> anyhow::Result<Option<Part>> {
        if !self.from.join(name).is_dir() {
            return Ok(None);
        }
        let mut part = Part { name, what, files: 0, bytes: 0 };
        for file in self.files_below(Path::new(name))? {
            let copied = self.file(&file)?;
            part.files += u64::from(copied.is_some());
            part.bytes += copied.unwrap_or(0);
        }
        Ok(Some(part))
    }

    /// The lake's files never change; what is listed and then gone was deleted by whoever maintains, and it is listed anew.
    fn lake(&self) -> anyhow::Result<Option<Part>> {
        if !self.from.join("lake").is_dir() {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            if let Some(part) = self.lake_once()? {
                return Ok(Some(part));
            }
        }
        Err(Failure::Unavailable(
            "the lake is being maintained: its files are deleted faster than they are copied".into(),
        )
        .into())
    }

    /// `None` where a file was gone when its turn came.
    fn lake_once(&self) -> anyhow::Result<Option<Part>> {
        let mut part = Part { name: "lake", what: "events and editions", files: 0, bytes: 0 };
        // The logs first: what they name is there, and what they do not name yet is nobody's.
        for logs in [true, false] {
            for file in self.lake_files(logs)? {
                let Some(bytes) = self.file(&file)? else { return Ok(None) };
                part.files += 1;
                part.bytes += bytes;
            }
        }
        Ok(Some(part))
    }

    /// Files of Delta logs, or all others. Of a log, the pointer to a checkpoint comes before the checkpoints.
    fn lake_files(&self, logs: bool) -> anyhow::Result<Vec<PathBuf>> {
        let is_log = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "_delta_log");
        let mut files = self.files_below(Path::new("lake"))?;
        files.retain(|file| is_log(file) == logs);
        files.sort_by_key(|file| (!file.ends_with("_last_checkpoint"), file.clone()));
        Ok(files)
    }

    /// Every file below a folder of the store that is to be kept, by its path in the store.
    fn files_below(&self, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let (mut files, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(self.from.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                // With a # in its name a file is being written.
                let name = entry.file_name().to_string_lossy().into_owned();
                let top = folder == Path::new("lake");
                if name.contains('#') || (top && LEFT_OUT.contains(&name.as_str())) {
                    continue;
                }
                if entry.file_type()?.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        Ok(files)
    }

    /// Copies a file (mode 0600, synced) and says how large it is; `None` where there is none.
    fn file(&self, path: &Path) -> anyhow::Result<Option<u64>> {
        let to = self.to.join(path);
        if let Some(folder) = to.parent() {
            lake::create_private_dir(folder).map_err(|error| unusable(folder, &error))?;
        }
        let bytes = match std::fs::copy(self.from.join(path), &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| uncopied(path, &error))?,
        };
        let keep = || -> std::io::Result<()> {
            std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600))?;
            std::fs::File::open(&to)?.sync_all()
        };
        keep().map_err(|error| uncopied(path, &error))?;
        self.bar.inc(bytes);
        Ok(Some(bytes))
    }
}

fn uncopied(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Unavailable(format!("{} cannot be copied: {error}", path.display()))
}

fn told(directory: &Path, parts: &[Part], bucket: Option<&str>, with_keys: bool) -> String {
    let (files, bytes) = parts.iter().fold((0, 0), |(files, bytes), part| (files + part.files, bytes + part.bytes));
    let place = directory.display();
    let mut text = format!("copied {files} files, {}, to {place}\n", HumanBytes(bytes));
    for Part { name, what, files, bytes } in parts {
        text.push_str(&format!("  {name:<12} {files:>6}  {:>12}  {what}\n", HumanBytes(*bytes).to_string()));
    }
    let mut without = Vec::new();
    if let Some(bucket) = bucket {
        without.push(format!("the lake, which is in {bucket}: copy the bucket BEFORE this"));
    }
    if !parts.iter().any(|part| part.name == "log.db") {
        without.push("the log, which is not embedded here".to_owned());
    }
    if !with_keys {
        without.push(
            "keys/master: without that very key the copy cannot be opened; keep it in escrow, apart from the copy"
                .to_owned(),
        );
    }
    without.push("staged rows and marts: they are made again".to_owned());
    for what in without {
        text.push_str(&format!("not copied: {what}\n"));
    }
    let key = if with_keys { "" } else { "AMANAT_MASTER_KEY_FILE=THE_KEY " };
    text.push_str(&format!(
        "To restore: copy {place} to an empty directory DIR and run `{key}amanat audit verify --data DIR`, then `{key}amanat up --data DIR`.\nEnd the original first, and never start it again: two that answer would give one question two numbers.\n"
    ));
    text
}
