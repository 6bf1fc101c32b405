//! Who may come in: `readers.toml` of the data directory, or the file that the configuration names.
//!
//! Absent: passwords and keys in a form that opens anything. What is shown once is shown here.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use endpoint::{Decided, Decision, Gate, GateSettings, Record, Register};
use lake::StoreLock;
use ledger::{Door, Principal};
use policy::{Access, Grant, INVITED_FOR, Readers, Role, Share, new_invitation, new_member, new_reader};
use tokio_util::sync::CancellationToken;

use crate::cli::{GrantArgs, InviteArgs, KeyCommand, NewKeyArgs, UserCommand};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};
use crate::house::House;
use crate::{following, memory};

/// The key that `amanat sql` takes from the environment.
pub const KEY_VARIABLE: &str = "AMANAT_KEY";
/// The account that the first start invites.
const ADMINISTRATOR: &str = "administrator";
/// Lock of whoever changes the file.
const LOCK: &str = "LOCK.readers";

/// `amanat key …`.
pub fn keys(config: Config, command: KeyCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let KeyCommand::New(NewKeyArgs { id, grant, expires, tables }) = command;
    let expires = expires.map(|day| day.to_string());
    let grant = Grant { expires: expires.as_deref(), tables: &tables, ..granted(&id, &grant)? };
    let kept = Kept::new(&config, &dir);
    let key = add_key(&kept, grant)?;
    kept.note(&dir, Decided::KeyMade, grant.name, grant.role)?;
    exit::print(&format!(
        "{key}\n\nThis key of {id} ({}) is shown once; the warehouse keeps its hash. A running `amanat up` takes it at once.\n",
        grant.role.name()
    ))
}

/// `amanat user …`.
pub fn users(config: Config, command: UserCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let kept = Kept::new(&config, &dir);
    match command {
        UserCommand::Invite(InviteArgs { name, grant, oidc: Some(value) }) => {
            let at = admit(&config, (&kept, &dir), granted(&name, &grant)?, &value)?;
            exit::print(&format!("{name} signs in at {at}, where the provider says who they are.\n"))
        }
        UserCommand::Invite(InviteArgs { name, grant, oidc: None }) => {
            let link = invite(&config, (&kept, &dir), granted(&name, &grant)?)?;
            exit::print(&format!(
                "{link}\n\nOpens once, within {INVITED_FOR} days, and is shown once: whoever has it chooses the password of {name}.\n{}",
                elsewhere(&config)
            ))
        }
        UserCommand::List => exit::print(&listed(&readers(&config)?)),
        UserCommand::Remove { name } => {
            let known = readers(&config)?;
            let known = known.listed().find(|listed| listed.asker.key_id == name);
            let no_such = || Failure::Usage(format!("there is no reader {name}; `amanat user list` lists them"));
            let role = known.ok_or_else(no_such)?.asker.role;
            kept.note(&dir, Decided::Removed, &name, role)?;
            kept.put(&name, None).map_err(Failure::Usage)?;
            exit::note(&format!("{name} comes in no more; a running `amanat up` has ended its sessions"));
            Ok(())
        }
    }
}

/// What the arguments say, with what they leave out.
fn granted<'a>(name: &'a str, args: &'a GrantArgs) -> anyhow::Result<Grant<'a>> {
    let role = Role::from(args.role);
    let share = match args.share {
        Some(share) => share.into(),
        None if [Role::Analyst, Role::Steward].contains(&role) => {
            let what = "--share says whose share of what may be asked pays for these questions: ministry, agencies or partners";
            return Err(Failure::Usage(what.to_owned()).into());
        }
        None => Share::Partners,
    };
    Ok(Grant { name, role, share, purpose: &args.purpose, expires: None, tables: &[] })
}

/// For people: who may come in.
fn listed(readers: &Readers) -> String {
    let line = |listed: policy::Listed<'_>| {
        let asker = listed.asker;
        let until = listed.expires.map_or(String::new(), |day| format!(", until {day}"));
        let (name, role, share) = (&asker.key_id, asker.role.name(), asker.share.name());
        format!("{name}  {role}, {share}, for {}, by {}{until}\n", asker.purpose, listed.comes_by)
    };
    readers.listed().map(line).collect()
}

/// The readers of a deployment; none where there is no file.
pub fn readers(config: &Config) -> anyhow::Result<Readers> {
    let path = file(config);
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && config.policy.readers.is_none() => {
            Ok(Readers::default())
        }
        Err(error) => Err(Failure::Usage(format!("the readers in {} cannot be read: {error}", path.display())).into()),
        Ok(text) => {
            Readers::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())).into())
        }
    }
}

/// Who may ask what: the file that the configuration names, or what is compiled in.
pub fn access(config: &Config) -> anyhow::Result<Access> {
    let Some(path) = &config.policy.access else { return Ok(Access::default()) };
    let unusable = |what: String| Failure::Usage(format!("{}: {what}", path.display()));
    let text = access_text(config)?;
    let access = Access::parse(&text).map_err(|error| unusable(error.to_string()))?;
    // What has no row is nobody's: said at the start, not by a page that nobody sees any more.
    let missing: Vec<&str> = endpoint::served().filter(|route| !access.has_route(route)).collect();
    if !missing.is_empty() {
        let what = format!(
            "has no row for {}; the program without policy.access prints one that has them (`amanat config access`)",
            missing.join(", ")
        );
        return Err(unusable(what).into());
    }
    Ok(access)
}

/// The text of the same.
pub fn access_text(config: &Config) -> anyhow::Result<String> {
    let Some(path) = &config.policy.access else { return Ok(policy::DEFAULT_ACCESS.to_owned()) };
    let text = std::fs::read_to_string(path);
    text.map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())).into())
}

/// Days since 1970.
pub fn today() -> i32 {
    policy::time::day_of(SystemTime::now())
}

/// The gate of all doors of this process.
pub fn gate(config: &Config, dir: &Arc<DataDir>, house: Option<Arc<House>>) -> anyhow::Result<Arc<Gate>> {
    let record: Arc<dyn Record> = match house {
        Some(house) => house,
        None => Arc::new(InTheLog),
    };
    Ok(Arc::new(Gate::new(GateSettings {
        readers: readers(config)?,
        clock: SystemTime::now,
        random: random_now,
        record,
        register: Some(Arc::new(Kept::new(config, dir))),
    })))
}

/// Where no log of what is asked is kept on this machine, decisions are lines of the program's own log.
struct InTheLog;

impl Record for InTheLog {
    fn record(&self, decision: &Decision) -> bool {
        let Decision { what, name, role, door } = decision;
        tracing::info!(what = what.name(), name, role, door, "decided who comes in");
        true
    }
}

/// Lets a gate follow the file, until told to stop. A file that cannot be read leaves the readers as they are.
pub async fn follow(config: Config, gate: Arc<Gate>, stop: CancellationToken) {
    let path = file(&config);
    let seen = || std::fs::metadata(&path).ok().and_then(|meta| Some((meta.modified().ok()?, meta.len())));
    let read =
        || readers(&config).map_err(|error| tracing::warn!(error = %error, "the readers stay as they were")).ok();
    let then = || gate.read_again(read);
    following::changes(stop, seen, then).await;
}

/// At the first start nobody can let anybody in: the one who starts it gets a link to become the administrator. `None` where
/// somebody can, or was invited before.
pub fn first_link(config: &Config, dir: &DataDir) -> anyhow::Result<Option<String>> {
    if config.policy.readers.is_some() || readers(config)?.has_person(Role::Operator) {
        return Ok(None);
    }
    let grant = Grant {
        name: ADMINISTRATOR,
        role: Role::Operator,
        share: Share::Partners,
        purpose: policy::UNSTATED,
        expires: None,
        tables: &[],
    };
    invite(config, (&Kept::new(config, dir), dir), grant).map(Some)
}

/// Lets in whom the provider calls so; where they sign in.
fn admit(config: &Config, (kept, dir): (&Kept, &DataDir), grant: Grant<'_>, value: &str) -> anyhow::Result<String> {
    let Some(oidc) = &config.endpoint.oidc else {
        let what = "--oidc needs a provider: name it in the configuration (endpoint.oidc)";
        return Err(Failure::Usage(what.to_owned()).into());
    };
    is_free(&readers(config)?, grant.name)?;
    let lines = new_member(grant, &policy::subject(&oidc.issuer, &oidc.claim, value));
    kept.note(dir, Decided::Invited, grant.name, grant.role)?;
    kept.put(grant.name, Some(&lines)).map_err(Failure::Usage)?;
    Ok(format!("{}/login", config.endpoint.public_url.as_deref().unwrap_or_default()))
}

/// What a link means where nothing says at which address readers reach the service.
fn elsewhere(config: &Config) -> &'static str {
    match config.endpoint.public_url {
        Some(_) => "",
        None => {
            "It names the address of the configuration (`http`); where readers have another, set `endpoint.public_url` or write that one instead.\n"
        }
    }
}

/// Refuses a name that somebody has who came in; an invitation may be made anew.
fn is_free(known: &Readers, name: &str) -> anyhow::Result<()> {
    let came_in = known.listed().find(|listed| listed.asker.key_id == name && listed.comes_by != "invitation");
    if came_in.is_some() {
        return Err(
            Failure::Usage(format!("there is a reader {name} already; `amanat user remove {name}` first")).into()
        );
    }
    Ok(())
}

fn invite(config: &Config, (kept, dir): (&Kept, &DataDir), grant: Grant<'_>) -> anyhow::Result<String> {
    is_free(&readers(config)?, grant.name)?;
    let (token, lines) = new_invitation(grant, random()?, today());
    kept.note(dir, Decided::Invited, grant.name, grant.role)?;
    kept.put(grant.name, Some(&lines)).map_err(Failure::Usage)?;
    let base = config.endpoint.public_url.clone().unwrap_or_else(|| format!("http://{}", config.http));
    Ok(endpoint::welcome_link(&base, &token))
}

/// The key of whoever asks from this machine: from the environment, or that of the sample's analyst.
pub fn own_key(config: &Config) -> Option<String> {
    let sample = || std::fs::read_to_string(sample_key(&config.data)).ok();
    let given = std::env::var(KEY_VARIABLE).ok().filter(|key| !key.trim().is_empty());
    given.or_else(sample).map(|key| key.trim().to_owned())
}

/// A sample store has one analyst, so that protected tables can be tried at once.
pub fn make_sample_analyst(config: &Config, dir: &DataDir) -> anyhow::Result<()> {
    let (file, own) = (file(config), sample_key(&config.data));
    if file.exists() || own.exists() {
        return Ok(());
    }
    let (role, share) = (Role::Analyst, Share::Ministry);
    let grant = Grant { name: "analyst", role, share, purpose: "sample", expires: None, tables: &[] };
    let key = add_key(&Kept::new(config, dir), grant)?;
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&own)?;
    out.write_all(format!("{key}\n").as_bytes())?;
    Ok(out.sync_all()?)
}

fn file(config: &Config) -> PathBuf {
    config.policy.readers.clone().unwrap_or_else(|| config.data.join("readers.toml"))
}

fn sample_key(data: &Path) -> PathBuf {
    data.join("keys/analyst")
}

/// Random bytes for a command.
pub fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes)
}

/// Random bytes for a running service, from the operating system's generator, which cannot fail there.
pub fn random_now() -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for _ in 0..4 {
        hasher.update(uuid::Uuid::new_v4().as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn add_key(kept: &Kept, grant: Grant<'_>) -> anyhow::Result<String> {
    let mut salt = [0; policy::SCRAM_SALT];
    salt.copy_from_slice(&random()?[..policy::SCRAM_SALT]);
    let (key, lines) = new_reader(grant, (random()?, salt));
    let text = std::fs::read_to_string(&kept.file).unwrap_or_default();
    // The same name twice is an error of whoever types, not a change of the key.
    Readers::parse(&format!("{text}{lines}"))
        .map_err(|error| Failure::Usage(format!("{}: {error}", kept.file.display())))?;
    kept.put(grant.name, Some(&lines)).map_err(Failure::Usage)?;
    Ok(key)
}

/// Records what a command decides, where this machine has the log of what is asked.
pub fn note(dir: &DataDir, what: Decided, name: &str, role: &str) -> anyhow::Result<()> {
    if !dir.path.join(memory::AUDIT).exists() {
        return Ok(());
    }
    let decided = ledger::Decided {
        time_ms: chrono::Utc::now().timestamp_millis(),
        principal: Principal { key_id: name.to_owned(), role: role.to_owned() },
        what: what.name().to_owned(),
        door: Door::Cli.name().to_owned(),
    };
    memory::audit(dir)?.decided(decided).context("it could not be recorded, and was not done")?;
    Ok(())
}

/// The file, as it is changed: by one at a time, whole or not at all.
struct Kept {
    file: PathBuf,
    data: PathBuf,
}

impl Kept {
    fn new(config: &Config, dir: &DataDir) -> Self {
        Self { file: file(config), data: dir.path.clone() }
    }

    /// Records what this command decides, where this machine has the log of what is asked.
    fn note(&self, dir: &DataDir, what: Decided, name: &str, role: Role) -> anyhow::Result<()> {
        debug_assert_eq!(self.data, dir.path, "the store that the file belongs to");
        note(dir, what, name, role.name())
    }

    fn replace(&self, name: &str, lines: Option<&str>) -> anyhow::Result<Readers> {
        change(&self.file, (&self.data, LOCK), |before| {
            let text = format!("{}{}", policy::without(before, name), lines.unwrap_or_default());
            let readers = Readers::parse(&text)?;
            Ok((text, readers))
        })
    }
}

/// Changes a file of who comes in, by one at a time, whole or not at all. What the change makes of the text must be one that is read.
pub fn change<T>(
    file: &Path,
    (data, lock): (&Path, &str),
    make: impl FnOnce(&str) -> anyhow::Result<(String, T)>,
) -> anyhow::Result<T> {
    let _lock = locked(data, lock)?;
    let before = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other.with_context(|| format!("cannot read {}", file.display()))?,
    };
    let (text, made) = make(&before)?;
    let folder = file.parent().context("the file is in no folder")?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(made)
}

/// Changes take milliseconds; who finds another at it waits for it.
fn locked(data: &Path, lock: &str) -> anyhow::Result<StoreLock> {
    let end = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        match StoreLock::acquire(data, lock) {
            Err(lake::LakeError::Locked { .. }) if std::time::Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(20));
            }
            other => return Ok(other?),
        }
    }
}

impl Register for Kept {
    fn put(&self, name: &str, lines: Option<&str>) -> Result<Readers, String> {
        self.replace(name, lines).map_err(|error| format!("{} was not changed: {error:#}", self.file.display()))
    }
}
