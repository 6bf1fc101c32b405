//! `amanat tokenize` and `amanat-tokenize`: arguments, files, the clock and the keys; the only part that touches any of them.

use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zeroize::Zeroizing;

use crate::columns::{Columns, Role};
use crate::evaluate::{Evaluate, Keyed};
use crate::files::{Staged, is_open_to_others, new_file};
use crate::identity::Reading;
use crate::key::DomainKey;
use crate::lines::seal_lines;
use crate::rotation::Pairs;
use crate::rows::{Job, SealError, seal_csv};
use crate::summary::Summary;

/// Printed under `--help`.
pub const EXAMPLES: &str = "Examples:
  amanat tokenize --new-key tip-2026 --key domain.key            once in a domain; carry the file to each of its agencies
  amanat tokenize --key domain.key --show-key                    domain, generation and fingerprint, to compare by telephone
  amanat tokenize --new-key tip-2026 --key new.key --after domain.key     the next generation, for a rotation
  amanat tokenize persons.csv --key domain.key --keep case_no,sex --drop phone --check
  amanat tokenize persons.csv --key domain.key --columns columns.toml --out sealed.csv
  amanat tokenize events.ndjson --key domain.key --out sealed.ndjson
  amanat tokenize persons.csv --key new.key --old-key domain.key --pairs pairs.ndjson --out sealed.csv
Rows of which no token can be made are written to OUT.aside, which stays on this machine: mend them there and run it again.
Exit codes: 0 every row was sealed, 1 failed, 2 the command line or a key is wrong, 3 rows were set aside (the others were sealed).";

/// Arguments.
#[derive(Debug, Args)]
pub struct Arguments {
    /// CSV or NDJSON with people in it [default: standard input]
    pub input: Option<PathBuf>,
    /// The key of the domain; with --new-key, where it is written
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Where the sealed rows go [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where rows go that cannot be sealed; they hold identities, so keep it on this machine [default: OUT.aside]
    #[arg(long, value_name = "FILE")]
    pub aside: Option<PathBuf>,
    /// Which column is what (TOML): [columns], keep, drop, dates, [places]
    #[arg(long, value_name = "FILE")]
    pub columns: Option<PathBuf>,
    /// The column of a role: name, surname, born, document, document_kind, document_country, mother, place
    #[arg(long, value_name = "ROLE=COLUMN")]
    pub column: Vec<String>,
    /// Columns that go to the output as they are
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub keep: Vec<String>,
    /// Columns that are left out
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub drop: Vec<String>,
    /// What the input is [default: by its name; CSV where that does not tell]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// What parts the cells of a row
    #[arg(long, value_name = "CHARACTER", default_value_t = ',')]
    pub delimiter: char,
    /// Read everything and say what would become of it; write nothing
    #[arg(long)]
    pub check: bool,
    /// Let rows of CSV through of which no token can be made, without tokens; an import takes such a row itself for the person
    #[arg(long)]
    pub without_tokens: bool,
    /// Write what became of the rows, in counts, as JSON
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// During a rotation: the key of the generation before
    #[arg(long, value_name = "FILE", requires = "pairs")]
    pub old_key: Option<PathBuf>,
    /// During a rotation: where pairs of old and new tokens go
    #[arg(long, value_name = "FILE", requires = "old_key")]
    pub pairs: Option<PathBuf>,
    /// Make the key of a new domain; with --after, the next generation of a domain's key
    #[arg(long, value_name = "DOMAIN", conflicts_with_all = ["input", "out", "check", "pairs"])]
    pub new_key: Option<String>,
    /// The key whose next generation --new-key makes
    #[arg(long, value_name = "FILE", requires = "new_key")]
    pub after: Option<PathBuf>,
    /// Print domain, generation and fingerprint of the key
    #[arg(long, conflicts_with_all = ["input", "out", "new_key"])]
    pub show_key: bool,
}

/// What the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Rows under a header.
    Csv,
    /// An event in each line.
    Ndjson,
}

/// Why it ended otherwise than well. No text of an input is in it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line, the columns or a key is wrong.
    #[error("{0}")]
    Usage(String),
    /// Rows were set aside.
    #[error("{0}")]
    Input(String),
    /// Something failed.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Input(_) => 3,
        }
    }
}

/// Does what the arguments say.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(domain) = &arguments.new_key {
        return make_key(domain, arguments);
    }
    let key = read_key(&arguments.key)?;
    if arguments.show_key {
        return say(&format!("{}\n", described(&key)));
    }
    let before = arguments.old_key.as_deref().map(|path| old_key(path, &key)).transpose()?;
    let summary = seal_file(arguments, &key, before.as_ref())?;
    report(arguments, &key, &summary)?;
    match summary.all_aside() {
        0 => Ok(()),
        rows => Err(Failure::Input(format!("{rows} row(s) were not sealed"))),
    }
}

fn seal_file(arguments: &Arguments, key: &DomainKey, before: Option<&DomainKey>) -> Result<Summary, Failure> {
    let columns = columns(arguments)?;
    let [mut out, mut aside] = outputs(arguments)?;
    let mut pairs = arguments.pairs.as_deref().filter(|_| !arguments.check).map(|path| Staged::at(path, true));
    let (mut keyed, mut keyed_before, mut nowhere) = (Keyed::new(key), before.map(Keyed::new), io::sink());
    let pairs_to: &mut dyn Write = pairs.as_mut().map_or(&mut nowhere, |pairs| pairs);
    let mut job = Job {
        reading: Reading { order: columns.order(), this_year: this_year(), places: columns.places().map_err(usage)? },
        evaluate: &mut keyed,
        before: keyed_before.as_mut().map(|keyed| (keyed as &mut dyn Evaluate, Pairs::onto(pairs_to))),
        without_tokens: arguments.without_tokens,
        out: &mut *out,
        aside: &mut *aside,
        summary: Summary::default(),
    };
    let input = open(arguments.input.as_deref())?;
    let sealed = match format(arguments) {
        Format::Csv => seal_csv(input, delimiter(arguments)?, &columns, &mut job),
        Format::Ndjson => seal_lines(BufReader::with_capacity(1 << 16, input), &mut job),
    };
    sealed.map_err(failure)?;
    let summary = job.summary;
    finish(out).and_then(|_| finish(aside)).map_err(written)?;
    pairs.map_or(Ok(None), Staged::finish).map_err(written)?;
    Ok(summary)
}

/// An output that is finished when all of it was written.
trait Output: Write {
    fn done(self: Box<Self>) -> io::Result<Option<PathBuf>>;
}

impl Output for Staged {
    fn done(self: Box<Self>) -> io::Result<Option<PathBuf>> {
        self.finish()
    }
}

impl Output for io::BufWriter<io::Stdout> {
    fn done(mut self: Box<Self>) -> io::Result<Option<PathBuf>> {
        self.flush().map(|()| None)
    }
}

impl Output for io::Sink {
    fn done(self: Box<Self>) -> io::Result<Option<PathBuf>> {
        Ok(None)
    }
}

fn finish(output: Box<dyn Output>) -> io::Result<Option<PathBuf>> {
    output.done()
}

/// Where sealed rows and rows that are set aside go.
fn outputs(arguments: &Arguments) -> Result<[Box<dyn Output>; 2], Failure> {
    if arguments.check {
        return Ok([Box::new(io::sink()), Box::new(io::sink())]);
    }
    let aside = arguments.aside.clone().or_else(|| {
        let mut path = arguments.out.clone()?.into_os_string();
        path.push(".aside");
        Some(path.into())
    });
    let Some(aside) = aside else {
        return Err(Failure::Usage("say where rows go that cannot be sealed: --aside FILE, or --out FILE".into()));
    };
    if aside.exists() {
        return Err(Failure::Usage(format!(
            "{} is there already: rows that were set aside before are in it. Mend them, or name another with --aside.",
            aside.display()
        )));
    }
    let out: Box<dyn Output> = match &arguments.out {
        Some(path) => Box::new(Staged::at(path, false)),
        None => Box::new(io::BufWriter::with_capacity(1 << 16, io::stdout())),
    };
    Ok([out, Box::new(Staged::at(&aside, true))])
}

fn columns(arguments: &Arguments) -> Result<Columns, Failure> {
    let mut columns = match &arguments.columns {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
            Columns::parse(&text).map_err(usage)?
        }
        None => Columns::default(),
    };
    for pair in &arguments.column {
        let (role, column) = pair
            .split_once('=')
            .and_then(|(role, column)| Some((Role::parse(role.trim())?, column)))
            .ok_or_else(|| {
                let roles = Role::ALL.map(Role::as_str).join(", ");
                Failure::Usage(format!("--column is ROLE=COLUMN, with one of the roles {roles}"))
            })?;
        columns.columns.insert(role, column.to_owned());
    }
    columns.keep.extend(arguments.keep.iter().cloned());
    columns.drop.extend(arguments.drop.iter().cloned());
    Ok(columns)
}

fn format(arguments: &Arguments) -> Format {
    let extension = arguments.input.as_deref().and_then(Path::extension).and_then(|extension| extension.to_str());
    let by_name = if matches!(extension, Some("ndjson" | "jsonl")) { Format::Ndjson } else { Format::Csv };
    arguments.format.unwrap_or(by_name)
}

fn delimiter(arguments: &Arguments) -> Result<u8, Failure> {
    u8::try_from(arguments.delimiter)
        .ok()
        .filter(u8::is_ascii)
        .ok_or_else(|| Failure::Usage("--delimiter is one ASCII character, such as ; or a tab".into()))
}

/// The input, with a bar on standard error where a person watches.
fn open(path: Option<&Path>) -> Result<Box<dyn Read>, Failure> {
    let Some(path) = path.filter(|path| *path != Path::new("-")) else { return Ok(Box::new(io::stdin())) };
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    let template = "     sealing [{bar:40}] {bytes}/{total_bytes} ({eta})";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is a literal").progress_chars("=> "));
    Ok(Box::new(bar.wrap_read(file)))
}

fn read_key(path: &Path) -> Result<DomainKey, Failure> {
    if is_open_to_others(path).map_err(|error| unreadable(path, &error))? {
        let path = path.display();
        return Err(Failure::Usage(format!(
            "the key {path} can be read by others; `chmod 600 {path}`, and ask who has read it"
        )));
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?);
    DomainKey::parse(&text).map_err(|error| Failure::Usage(format!("the key {} is none: {error}", path.display())))
}

/// The key of the generation before: of the same domain, and older.
fn old_key(path: &Path, new: &DomainKey) -> Result<DomainKey, Failure> {
    let old = read_key(path)?;
    if old.domain() == new.domain() && old.generation() < new.generation() {
        return Ok(old);
    }
    Err(Failure::Usage(format!("--old-key is {}, which does not come before {}", described(&old), described(new))))
}

fn make_key(domain: &str, arguments: &Arguments) -> Result<(), Failure> {
    let generation = match &arguments.after {
        None => 1,
        Some(path) => {
            let before = read_key(path)?;
            if before.domain() != domain {
                return Err(Failure::Usage(format!("--after is {}, of another domain", described(&before))));
            }
            before.generation() + 1
        }
    };
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *random)
        .map_err(|error| Failure::Failed(format!("the system gives no randomness: {error}")))?;
    let key = DomainKey::new(domain, generation, *random).map_err(usage)?;
    let made = new_file(&arguments.key, true).and_then(|mut file| {
        file.write_all(key.to_file().as_bytes())?;
        file.sync_all()
    });
    made.map_err(|error| Failure::Failed(format!("cannot make the key {}: {error}", arguments.key.display())))?;
    say(&format!("{}\nwritten to {}, readable by its owner alone\n", described(&key), arguments.key.display()))
}

fn described(key: &DomainKey) -> String {
    format!("domain {}, generation {}, fingerprint {}", key.domain(), key.generation(), key.fingerprint())
}

fn report(arguments: &Arguments, key: &DomainKey, summary: &Summary) -> Result<(), Failure> {
    let would = if arguments.check { "checked, nothing was written\n" } else { "" };
    let _ = write!(io::stderr(), "{would}{}\n{summary}", described(key));
    let Some(path) = &arguments.summary else { return Ok(()) };
    let mut json = summary.to_json();
    json["domain"] = key.domain().into();
    json["generation"] = key.generation().into();
    json["fingerprint"] = key.fingerprint().into();
    std::fs::write(path, format!("{json:#}\n")).map_err(written)
}

/// The year that now is, by the mean year of the Gregorian calendar: at its turn off by a day at most.
fn this_year() -> u16 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (1970 + seconds / 31_556_952) as u16
}

fn say(text: &str) -> Result<(), Failure> {
    io::stdout().write_all(text.as_bytes()).map_err(written)
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("cannot read {}: {error}", path.display()))
}

fn written(error: io::Error) -> Failure {
    Failure::Failed(format!("cannot write: {error}"))
}

fn failure(error: SealError) -> Failure {
    match error {
        SealError::Columns(_) | SealError::Header => usage(error),
        _ => Failure::Failed(error.to_string()),
    }
}
