//! The command line: what can be asked of the program, with examples. Parsing only; each command lives in its own module.

mod conflict;
mod erase;
mod explain;
mod feeds;
mod link;
mod reference;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Config, Overrides};
use crate::exit;

pub use conflict::{ConflictCommand, DecideArgs};
pub use erase::{EraseCommand, OrderArgs};
pub use explain::ExplainNumberArgs;
pub use feeds::FeedsArgs;
pub use link::{LinkCommand, OneWord};
pub use reference::{ListArgs, LoadArgs, ReferenceCommand, ReferenceTable};

/// Amanat: the event-sourced national data warehouse on trafficking in persons.
///
/// Agencies publish case events; ingest writes them, exactly once, to a lake; editions of national indicators that disclose no
/// one are published from it and served over SQL and HTTP.
#[derive(Debug, Parser)]
#[command(version, after_long_help = exit::HELP, max_term_width = 110)]
pub struct Cli {
    /// Settings that every command knows.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings that every command knows.
#[derive(Debug, Args)]
pub struct Common {
    /// Data directory: log, lake, keys [default: ./amanat-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Common")]
    pub data: Option<PathBuf>,
    /// Configuration file (TOML); environment `AMANAT_<KEY>` and flags override it
    #[arg(long, global = true, env = "AMANAT_CONFIG", value_name = "FILE", help_heading = "Common")]
    pub config: Option<PathBuf>,
    /// Kafka bootstrap servers; without them the embedded log in the data directory is used
    #[arg(long, global = true, value_name = "HOST:PORT", help_heading = "Common")]
    pub brokers: Option<String>,
    /// Log level or filter, for instance `debug` or `info,ingest=debug` [default: info]
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Common")]
    pub log_level: Option<String>,
    /// Address of the HTTP endpoint [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR", help_heading = "Common")]
    pub http: Option<SocketAddr>,
    /// Address for clients of PostgreSQL [default: 127.0.0.1:5433]
    #[arg(long, global = true, value_name = "ADDR", help_heading = "Common")]
    pub postgres: Option<SocketAddr>,
    /// Address for clients of Arrow Flight SQL [default: 127.0.0.1:8815]
    #[arg(long, global = true, value_name = "ADDR", help_heading = "Common")]
    pub flight: Option<SocketAddr>,
}

impl Common {
    /// The flags that have a configuration key of the same name.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            data: self.data.clone(),
            http: self.http,
            postgres: self.postgres,
            flight: self.flight,
            brokers: self.brokers.clone(),
            level: self.log_level.clone(),
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything: ingest what the agencies publish, keep Snapshots fresh, serve the published editions
    #[command(
        after_help = "Examples:\n  amanat up --sample                 a synthetic country in an empty data directory, served\n  amanat up                          what the agencies publish\n  amanat up --brokers 127.0.0.1:9092 read Apache Kafka instead of the embedded log\n  amanat up --role endpoint          one role of several processes on one data directory"
    )]
    Up(UpArgs),
    /// Publish events (structured CloudEvents, one JSON a line) to the log, checked first
    #[command(
        after_help = "Examples:\n  amanat publish events.ndjson\n  tail -f new.ndjson | amanat publish -\n  amanat publish --raw --agency FIA bytes.bin   (sample stores only: sends the lines unchecked)"
    )]
    Publish(PublishArgs),
    /// Import a CSV file as events, by a mapping file
    #[command(
        after_help = "Example:\n  amanat import export.csv --mapping deploy/ctdc/mapping.toml\nThe same file again changes nothing. A changed copy counts again unless the mapping names a key column."
    )]
    Import(ImportArgs),
    /// Seal names, dates of birth and document numbers on this machine: what leaves it are tokens
    #[command(after_help = tokenize::program::EXAMPLES)]
    Tokenize(Box<tokenize::program::Arguments>),
    /// A spreadsheet for rows of an event type, with drop-downs of its code lists, and the mapping that goes with it
    #[command(
        after_help = "Examples:\n  amanat template victim.identified --agency SHL-PB --xlsx victims.xlsx\n  amanat template inspection.conducted --agency LAB-SD --xlsx inspections.xlsx\nWrites FILE, FILE's name with .mapping.toml and, where the type names a person, .columns.toml. Fill the sheet `rows`, save it as CSV (UTF-8),\nseal it (amanat tokenize rows.csv --columns victims.columns.toml --key domain.key --out sealed.csv), import or send what is sealed."
    )]
    Template(TemplateArgs),
    /// Check a file of events offline: every mistake with its line and field
    #[command(after_help = "Example:\n  amanat validate events.ndjson")]
    Validate(ValidateArgs),
    /// Fold what has been ingested into a new Snapshot of the marts
    #[command(after_help = "Example:\n  amanat refresh --explain")]
    Refresh(RefreshArgs),
    /// Find which persons of several agencies are one, look at doubtful pairs, decide about them
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat link run                 compare everybody, publish who is one with whom\n  amanat link list                pairs that may be one\n  amanat link decide PERSON OTHER --one no\nNobody is named: agencies send tokens, and of tokens nothing can be seen but whether two are equal."
    )]
    Link(LinkCommand),
    /// Look at events of which several contents came under one id, and decide which counts
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat conflict list                              what waits, and in what the contents differ\n  amanat conflict list --agency POL-PB --decided    what was decided too\n  amanat conflict decide POL-PB EVENT --counts 2    the second content counts\nUntil it is decided the content with the least sealed payload counts, whichever came first. Of a field that is no code and no date it is only\nsaid that it differs: ask the agency, and let it correct its event."
    )]
    Conflict(ConflictCommand),
    /// Order that a person is erased from every table and file, and see what became of such orders
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat erase order --agency SHL-PB --basis subject-request < token       who would be erased\n  amanat erase order --agency SHL-PB --basis subject-request --yes < token\n  amanat erase list                                                        orders, and what of the data is left until when\nAn order cannot be taken back. Published editions stay as they are; what comes after does not count her. Backups: docs/runbooks/erase-a-person.md."
    )]
    Erase(EraseCommand),
    /// How good the feed of each agency is: what arrived, how complete and how soon, which reports are missing, what is beyond a limit
    #[command(
        after_help = "Examples:\n  amanat feeds                     every agency\n  amanat feeds --agency FIA --json\nEach agency sees its own at the agencies' door, /agency. Limits: the configuration section `quality`."
    )]
    Feeds(FeedsArgs),
    /// Load and show reference data: administrative areas, populations, courts, agencies, codes, each with the days on
    /// which it is so
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat reference list populations --csv > populations.csv     what is known, as a file\n  amanat reference load populations populations.csv --dry-run   every mistake with its line and column\n  amanat reference load populations populations.csv             what is new in it becomes events of the steward\n  amanat reference list areas --at 2018-01-01                   the areas of a day\n  amanat reference list populations --at 2025-07-01             populations of a year, interpolated where nobody counted\nThe same file again says nothing. A line with `yes` in the column `withdrawn` takes back what was said. docs/guides/keep-reference-data.md"
    )]
    Reference(ReferenceCommand),
    /// Publish the indicators as a numbered edition; list, show or recompute editions
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat edition publish --as-of 2025-12-31\n  amanat edition recompute 1        equal, or the named cause why not"
    )]
    Edition(EditionCommand),
    /// Say which kinds of events moved a published number between two editions
    #[command(
        after_help = "Examples:\n  amanat explain-number V01 time_period=2025 --edition 1 --edition 2\n  amanat explain-number C01 time_period=2025-Q2 province=PK-PB --edition 3 --edition 4 --json\nCounts of protected cells are told by bands, those of cells that are published exactly as they are."
    )]
    ExplainNumber(ExplainNumberArgs),
    /// Ask the published indicators a question in SQL
    #[command(
        after_help = "Examples:\n  amanat sql \"select time_period, value, lo95, hi95 from published.v01 where province = 'PK-PB'\"\n  amanat sql \"select * from published.c01 where time_period = $1\" --param 2025-Q1 --format csv\n  amanat sql \"select value from published.v01 as known on '2026-01-31'\"      what was published by that day\n  amanat sql \"select table_name from information_schema.tables\""
    )]
    Sql(SqlArgs),
    /// Fill a form that others ask for from an edition: GLOTIP, SDG 16.2.2, the TIP report
    #[command(
        after_help = "Examples:\n  amanat questionnaire glotip --year 2024 --xlsx glotip-2024.xlsx\n  amanat questionnaire tip-report --year 2024 --fiscal > tip-report.csv\n  amanat questionnaire sdg --edition 3 --year 2023\nA hidden cell is the flag Q, never empty or zero; O where no such cell is published. Each cell names its indicator, edition and date."
    )]
    Questionnaire(QuestionnaireArgs),
    /// Lag, freshness, what was set aside and owner per partition; what stands still and why; editions
    #[command(
        after_help = "Examples:\n  amanat status                  beside a running `amanat up`, or with everything stopped\n  amanat status --watch 2        again every two seconds\n  amanat status --json | jq '.partitions[] | select(.halt)'\nNames in --json end in their unit; times are UTC. A partition is named STREAM/NUMBER, for `resume` and `reset`."
    )]
    Status(StatusArgs),
    /// Let a partition go on that stands still because a message cannot be accepted
    #[command(
        after_help = "Examples:\n  amanat status                                   which partition stands still, where and why\n  amanat resume UID/tip.events.FIA.v1/0 --below 4712 --reason \"one message of an old client\"\nWhat cannot be accepted below that offset is set aside, each with its reason, and does not count against the agency's limit.\nThe permit and its reason are a commit in the log of the lake. Nothing is skipped."
    )]
    Resume(ResumeArgs),
    /// Keep the table of events small and fast: compact files, make checkpoints, delete what is over
    #[command(
        after_help = "Examples:\n  amanat maintain --dry-run    what is due\n  amanat maintain --once       do it, say what was done, end\n  amanat maintain              go on until told to stop, beside `amanat up --role ingest` on any machine"
    )]
    Maintain(MaintainArgs),
    /// What could not be accepted: list it, or show one record
    #[command(subcommand)]
    SetAside(SetAsideCommand),
    /// What agencies are told on the stream `tip.receipts.v1`: which of their messages are in the lake, which not and why
    #[command(
        after_help = "Examples:\n  amanat receipts --agency FIA\n  amanat receipts --follow --json      one JSON object a line, as they come\nWhat is not named as an exception was accepted. A receipt that was sent twice is printed once. `tip.receipts.v1` is read from\nits beginning; it is kept for 90 days."
    )]
    Receipts(ReceiptsArgs),
    /// What was asked, by whom, why and what became of it: check that the log is whole, look into it, sign its head
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat audit show --last 50\n  amanat audit show --refused --principal partners --json | jq .begin.sql\n  amanat audit head > head.json          for a second institution to keep, each day\n  amanat audit verify --head head.json   whole, and the log that was signed then\nIt needs no server to be stopped. What people ask tells what they look for: what `show` prints is as confidential as the log."
    )]
    Audit(AuditCommand),
    /// Keys of those who may ask about protected tables
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat key new --id ministry-01 --share ministry > key     shown once; the warehouse keeps its hash\n  AMANAT_KEY=$(head -1 key) amanat sql \"select province, count(*) from victims where year = 2024 group by province\"\n  curl -H \"Authorization: Bearer $(head -1 key)\" -H \"content-type: text/plain\" --data \"select 1\" http://127.0.0.1:8080/v1/sql"
    )]
    Key(KeyCommand),
    /// Keys by which agencies send events over HTTP: make, list, remove
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat producer new --agency POL-PB --id pol-pb-1 > key      shown once; the warehouse keeps its hash\n  curl -H \"Authorization: Bearer $(head -1 key)\" -H \"content-type: application/x-ndjson\" --data-binary @events.ndjson http://127.0.0.1:8081/v1/events\n  amanat producer list\n  amanat producer remove pol-pb-1\nA running `amanat up` takes each change at once."
    )]
    Producer(ProducerCommand),
    /// People who may come in: invite, list, remove (keys, too)
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat user invite --name analyst-7 --share ministry     a link by which its holder chooses a password\n  amanat user invite --name operator-2 --role operator\n  amanat user list\n  amanat user remove analyst-7                             at once, with its sessions\nNames stand in the audit log: name the account, not the person."
    )]
    User(UserCommand),
    /// Read what was set aside again, under today's contract and policy, and append what passes
    #[command(
        after_help = "Examples:\n  amanat replay --dry-run                                        what would pass, by class\n  amanat replay --where \"agency = 'POL-PB' and _error_class = 'schema'\"\n  amanat replay --where \"_error_class in ('schema', 'oversize') and ingest_date >= '2026-11-01'\"\nOriginals stay as they are; each appended row names the one that it resolves, so the same command again finds nothing left.\nColumns: _error_class, _error_detail, agency, log_stream, log_partition, log_offset, ingest_date; with = <> < <= > >=, IN,\nBETWEEN, LIKE, AND, OR, NOT and parentheses."
    )]
    Replay(ReplayArgs),
    /// Move the next offset of a partition: skip a range, or read a stream again; audited
    #[command(
        after_help = "Examples:\n  amanat reset tip.events.FIA.v1/0 --to 1200 --operator 'night shift' --reason 'offsets 1180 to 1199 cannot be read: disk error of 3 May' --dry-run\n  amanat reset tip.events.FIA.v1/0 --to latest --operator 'night shift' --reason 'test messages' --yes\n  amanat reset tip.events.FIA.v1/0 --to earliest --operator 'night shift' --reason 'read again' --yes\nForward, what lies between is skipped and never becomes a row; a running worker reads on behind it at its next\ncommit, and a partition that stands still when its worker is started again. Backward, a new generation of the log begins, in which this partition starts where you say and every other one goes on; event ids mark what was there.\nWho, why and what are kept in the commit."
    )]
    Reset(ResetArgs),
    /// Copy what may never be deleted to an empty directory, beside whoever writes
    #[command(
        after_help = "Examples:\n  amanat backup /backup/2026-11-27                copies beside a running `amanat up`, and says how it is restored\n  amanat backup /backup/2026-11-27 --with-keys    the master secret as well: for a place that is guarded as the key is\nThe directory must be empty, or not be there yet. A copy that was broken off has no store.toml and is no store.\ndocs/runbooks/backup.md says how often, and what is lost since the last one."
    )]
    Backup(BackupArgs),
    /// The schema registry for producers that write Avro: list, show, register, check
    #[command(
        subcommand,
        after_help = "Examples:\n  amanat schema list\n  amanat schema show 7\n  amanat schema check seen.avsc --subject pk.tip.CaseRegistered\n  amanat schema register seen.avsc --subject pk.tip.CaseRegistered\nOver HTTP it is a Confluent registry: schema.registry.url=http://127.0.0.1:8081 while `amanat up` runs."
    )]
    Schema(SchemaCommand),
    /// Publish a synthetic country's feed to the log, without running the other roles
    Sample(SampleArgs),
    /// Check or show the configuration in force
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Arguments of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Fill an empty data directory with a synthetic country first
    #[arg(long)]
    pub sample: bool,
    /// How large the synthetic country is
    #[command(flatten)]
    pub country: CountryArgs,
    /// Stop when everything published so far is ingested and folded (and, with --sample, published)
    #[arg(long)]
    pub once: bool,
    /// Run this role only (may be given several times); without it, all of them
    #[arg(long, value_enum)]
    pub role: Vec<Role>,
}

/// A role of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// From the log to the lake.
    Ingest,
    /// From the lake to Snapshots.
    Refresh,
    /// SQL and indicators over HTTP.
    Endpoint,
    /// The agencies' door, over HTTP: events in, receipts out, and the schema registry for producers that write Avro.
    Gateway,
    /// Files, checkpoints and retention of the lake; one process at a time, by a lease.
    Maintain,
}

/// Arguments of `template`.
#[derive(Debug, Args)]
pub struct TemplateArgs {
    /// Event type, for instance `victim.identified`
    pub event: String,
    /// Where the spreadsheet goes
    #[arg(long, value_name = "FILE")]
    pub xlsx: PathBuf,
    /// Whose rows they are, for instance SHL-PB
    #[arg(long, value_name = "AGENCY")]
    pub agency: String,
    /// The people of the rows do not exist: for a store of synthetic data
    #[arg(long)]
    pub synthetic: bool,
}

/// Arguments of `maintain`.
#[derive(Debug, Args)]
pub struct MaintainArgs {
    /// Do everything that is due now, say what was done, and end
    #[arg(long)]
    pub once: bool,
    /// Say what is due and write nothing
    #[arg(long, conflicts_with = "once")]
    pub dry_run: bool,
}

/// Arguments of `refresh`.
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// Print the graph: each table with what it reads, its rows and the time it took
    #[arg(long)]
    pub explain: bool,
    /// Make a new Snapshot even if nothing has changed, and fold every record
    #[arg(long)]
    pub force: bool,
    /// Begin from the lake: decode every event and fold every record, whatever was staged before
    #[arg(long)]
    pub rebuild: bool,
    /// Run every test of every model, also the costly ones
    #[arg(long)]
    pub thorough: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Commands of `edition`.
#[derive(Debug, Subcommand)]
pub enum EditionCommand {
    /// Refresh, protect all indicators together, and publish them as the next edition
    Publish {
        /// The day that the edition speaks of, YYYY-MM-DD [default: today in Pakistan]
        #[arg(long, value_name = "DATE")]
        as_of: Option<chrono::NaiveDate>,
        /// When it is released, such as 2027-01-15T09:30:00+05:00; before that nobody sees it but the roles that the policy of access
        /// names, by questions in SQL [default: at once]
        #[arg(long, value_name = "TIME")]
        embargo: Option<chrono::DateTime<chrono::FixedOffset>>,
    },
    /// List the editions
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print an edition's manifest as JSON: what it follows from
    Show {
        /// Its number
        edition: i64,
    },
    /// Make an edition again from the events below its cut and compare: equal, or the named cause why it cannot be
    Recompute {
        /// Its number
        edition: i64,
    },
}

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and bind it to a role
    New(NewKeyArgs),
}

/// Arguments of `key new`.
#[derive(Debug, Args)]
pub struct NewKeyArgs {
    /// Name of the key, as the audit log will have it; of no person
    #[arg(long)]
    pub id: String,
    #[command(flatten)]
    pub grant: GrantArgs,
    /// The first day on which it no longer holds, YYYY-MM-DD (UTC) [default: it holds until it is removed]
    #[arg(long, value_name = "DATE")]
    pub expires: Option<chrono::NaiveDate>,
    /// The tables that it is bound to, such as protected.victims or published.*  [default: what its role may ask]
    #[arg(long, value_name = "TABLE")]
    pub tables: Vec<String>,
}

/// Commands of `producer`.
#[derive(Debug, Subcommand)]
pub enum ProducerCommand {
    /// Make a key and bind it to an agency, or let a certificate of the agency prove it instead
    New {
        /// The agency's code, as the policy lists it
        #[arg(long, value_name = "CODE")]
        agency: String,
        /// Name of the key or certificate; of no person
        #[arg(long)]
        id: String,
        /// The first day on which it no longer holds, YYYY-MM-DD (UTC) [default: it holds until it is removed]
        #[arg(long, value_name = "DATE")]
        expires: Option<chrono::NaiveDate>,
        /// The agency's certificate (PEM): no key is made, and whoever shows this certificate by TLS sends for the agency
        #[arg(long, value_name = "FILE")]
        certificate: Option<std::path::PathBuf>,
    },
    /// List the keys and certificates: name, agency, until when
    List,
    /// Take out a key or certificate
    Remove {
        /// Its name
        id: String,
    },
}

/// What is done with people.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a link by which somebody chooses a password
    Invite(InviteArgs),
    /// List who may come in: people, keys, invitations
    List,
    /// Take out a person, a key or an invitation
    Remove {
        /// Its name
        name: String,
    },
}

/// Arguments of `user invite`.
#[derive(Debug, Args)]
pub struct InviteArgs {
    /// Name of the account, as the audit log will have it; of no person
    #[arg(long)]
    pub name: String,
    /// What the OpenID provider (endpoint.oidc) calls them in its claim; kept as a hash. They sign in there and have no password here
    #[arg(long, value_name = "VALUE")]
    pub oidc: Option<String>,
    #[command(flatten)]
    pub grant: GrantArgs,
}

/// How far somebody is let in.
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// What they may do; `access.toml` draws it
    #[arg(long, value_enum, default_value = "analyst")]
    pub role: ReaderRole,
    /// Whose share of what may be asked pays; for analysts and stewards
    #[arg(long, value_enum)]
    pub share: Option<ReaderShare>,
    /// What it is for, a code that the audit log shows beside each question: annual_report, tip_report, court_order
    #[arg(long, default_value = policy::UNSTATED)]
    pub purpose: String,
}

/// What a reader may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReaderRole {
    /// Asks about protected tables, and gets released cells.
    Analyst,
    /// An analyst who answers for the data.
    Steward,
    /// A body that reports.
    Agency,
    /// Looks into what was asked and decided.
    Auditor,
    /// Runs the service and lets people in.
    Operator,
}

impl From<ReaderRole> for policy::Role {
    fn from(role: ReaderRole) -> Self {
        match role {
            ReaderRole::Analyst => Self::Analyst,
            ReaderRole::Steward => Self::Steward,
            ReaderRole::Agency => Self::Agency,
            ReaderRole::Auditor => Self::Auditor,
            ReaderRole::Operator => Self::Operator,
        }
    }
}

/// Whose share of what may be asked pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReaderShare {
    /// Analysts of the ministry: 60 % of what may be asked.
    Ministry,
    /// Analysts of the agencies that report: 20 %.
    Agencies,
    /// International organisations, research: 20 %.
    Partners,
}

impl From<ReaderShare> for policy::Share {
    fn from(share: ReaderShare) -> Self {
        match share {
            ReaderShare::Ministry => Self::Ministry,
            ReaderShare::Agencies => Self::Agencies,
            ReaderShare::Partners => Self::Partners,
        }
    }
}

/// Arguments of `sql`.
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// One SELECT over `published`, `reference` and, with a key (AMANAT_KEY), the protected tables; `-` reads it from
    /// standard input
    pub sql: String,
    /// Value of $1, then of $2, …
    #[arg(long, value_name = "VALUE")]
    pub param: Vec<String>,
    /// Follow every protected number by its interval, status and bias, and each row by the date of the data
    #[arg(long)]
    pub companions: bool,
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `amanat questionnaire`.
#[derive(Debug, Args)]
pub struct QuestionnaireArgs {
    /// glotip, sdg or tip-report
    pub form: String,
    /// Number of the edition [default: the latest]
    #[arg(long, value_name = "NUMBER")]
    pub edition: Option<u32>,
    /// The year [default: the last one that has ended by the edition's date]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1900..=9998))]
    pub year: Option<u16>,
    /// The fiscal year that begins in July of the year
    #[arg(long)]
    pub fiscal: bool,
    /// Write a workbook instead of CSV on standard output
    #[arg(long, value_name = "FILE")]
    pub xlsx: Option<std::path::PathBuf>,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object: columns, rows, row_count, edition.
    Json,
}

/// Size and seed of the synthetic country.
#[derive(Debug, Clone, Args)]
pub struct CountryArgs {
    /// Size: small is about 30,000 events, medium about 1,000,000, large about 30,000,000, over fifteen years
    #[arg(long, value_enum, default_value_t = Size::Small)]
    pub size: Size,
    /// Seed of the generator: the same seed and size give the same country, to the byte
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Size of the synthetic country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// About 30,000 events.
    Small,
    /// About 1,000,000 events.
    Medium,
    /// About 30,000,000 events: 20 GB in the embedded log.
    Large,
}

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Where the copy goes: a directory that is empty, or not there yet
    pub directory: PathBuf,
    /// Copy the keys too (mode 0600); without it they must come from their escrow
    #[arg(long)]
    pub with_keys: bool,
}

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// File of events, one JSON a line; `-` reads standard input
    pub file: PathBuf,
    /// Send each line as it is, unchecked, as from `--agency` (sample stores only)
    #[arg(long, requires = "agency")]
    pub raw: bool,
    /// With --raw: whose topic the bytes go to
    #[arg(long, value_name = "CODE")]
    pub agency: Option<String>,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// CSV file (UTF-8, with or without BOM)
    pub file: PathBuf,
    /// Mapping file: which column becomes which field, and what is lost
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,
    /// Check and report only; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// File of events, one JSON a line; `-` reads standard input
    pub file: PathBuf,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
    /// Look again every so many seconds, until told to stop
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub watch: Option<u64>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The partition as `status` prints it: STREAM/PARTITION
    pub partition: String,
    /// Offset below which what cannot be accepted is set aside; at most the log's end
    #[arg(long, value_name = "OFFSET")]
    pub below: i64,
    /// Why, for whoever reads the log of the lake later; no names of persons
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Commands of `set-aside`.
#[derive(Debug, Subcommand)]
pub enum SetAsideCommand {
    /// List what was set aside, the newest first: position, reason and sentence, never content
    #[command(
        after_help = "Examples:\n  amanat set-aside list\n  amanat set-aside list --agency POL-PB --reason schema"
    )]
    List {
        /// Only this reason, for instance `schema`
        #[arg(long)]
        reason: Option<String>,
        /// Only from this agency's stream, for instance `POL-PB`
        #[arg(long, value_name = "CODE")]
        agency: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Decrypt one set-aside record and write its bytes to standard output
    Show {
        /// Position as printed by `list`: STREAM/PARTITION/OFFSET
        position: String,
    },
}

/// Commands of `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check every entry against the one before; exit 4 and the first broken entry where one is
    #[command(
        after_help = "Examples:\n  amanat audit verify\n  amanat audit verify --head head.json\nWithout --head, a log that was shortened at its end, or written anew from its beginning, looks whole: keep signed heads elsewhere."
    )]
    Verify {
        /// A head that was signed before (`amanat audit head`): the log must still have it
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
    },
    /// Show the last questions, the newest at the end
    #[command(
        after_help = "Examples:\n  amanat audit show\n  amanat audit show --last 200 --principal ministry\n  amanat audit show --refused --json | jq -r .end.decision | sort | uniq -c"
    )]
    Show(ShowArgs),
    /// Show the last decisions about who comes in, the newest at the end
    Decisions {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Print the head of the log, signed with a key of this store, as one JSON object: for a second institution to keep
    #[command(after_help = "Example:\n  amanat audit head > \"head-$(date +%F).json\"")]
    Head,
}

/// Arguments of `audit show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// At most so many questions
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub last: usize,
    /// Only questions of this key (by its id) or of keys of this role
    #[arg(long, value_name = "ID")]
    pub principal: Option<String>,
    /// Only questions that were refused
    #[arg(long)]
    pub refused: bool,
    /// Print one JSON object a line, with the text of the question as it came
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `receipts`.
#[derive(Debug, Args)]
pub struct ReceiptsArgs {
    /// Only receipts of this agency's stream
    #[arg(long, value_name = "CODE")]
    pub agency: Option<String>,
    /// Go on with what comes, until told to stop
    #[arg(long)]
    pub follow: bool,
    /// Print one JSON object a line, as it is sent
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Only the set-aside messages that this predicate takes [default: all]
    #[arg(long = "where", value_name = "PREDICATE")]
    pub predicate: Option<String>,
    /// Say what would pass, by class, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `reset`.
#[derive(Debug, Args)]
pub struct ResetArgs {
    /// The partition, as STREAM/NUMBER: tip.events.FIA.v1/0
    pub partition: String,
    /// The next offset to read: a number, `earliest` or `latest`
    #[arg(long, value_name = "OFFSET")]
    pub to: String,
    /// Why; it is kept with the commit. Name no person in it whom an event names
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who decides it; it is kept with the commit
    #[arg(long, value_name = "NAME")]
    pub operator: String,
    /// Say what would be skipped or read again, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do it without asking; needed where nobody can be asked
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Commands of `schema`.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// List the subjects: each version with the id of its schema
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print the schema of an id, complete in itself; with registry.url set, that registry's
    Show {
        /// Its id
        id: i32,
    },
    /// Register an Avro schema as the next version of a subject and print its id
    Register(SchemaFile),
    /// Say whether an Avro schema could be the next version of a subject; nothing is registered
    Check(SchemaFile),
}

/// A schema in a file, and the subject that it is for.
#[derive(Debug, Args)]
pub struct SchemaFile {
    /// File with an Avro schema (.avsc); `-` reads standard input
    pub file: PathBuf,
    /// The subject: the full name of the record, for the subject name strategy `RecordNameStrategy`
    #[arg(long, value_name = "NAME")]
    pub subject: String,
}

/// Arguments of `sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// How large the synthetic country is
    #[command(flatten)]
    pub country: CountryArgs,
    /// Write the feed as NDJSON to this file instead of publishing it
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Publish the events as Avro, and write their schemas to this folder, for `ingest.avro_schemas`
    #[arg(long, value_name = "FOLDER", conflicts_with = "to")]
    pub avro: Option<PathBuf>,
    /// Only the first so many events of the feed
    #[arg(long, value_name = "EVENTS")]
    pub first: Option<u64>,
    /// At most so many events a second, as a live feed would come, instead of as fast as it goes
    #[arg(long, value_name = "EVENTS_PER_SECOND", conflicts_with = "to", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Commands of `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read everything, say what is wrong, exit 0 when nothing is
    Check,
    /// Print the configuration in force as TOML; secrets are masked
    Show,
    /// Print who may ask what, as it is in force: a file to begin one's own with (the key policy.access)
    Access,
}

/// Runs `config check|show`. Reading it has already checked it.
pub fn config(config: &Config, command: &ConfigCommand) -> anyhow::Result<()> {
    let policy = crate::data_dir::policy(config)?;
    let text = match command {
        ConfigCommand::Access => crate::readers::access_text(config)?,
        ConfigCommand::Show => toml::to_string_pretty(config)?,
        ConfigCommand::Check => {
            format!(
                "configuration and policy are valid (policy {})\n{}",
                policy.hash,
                crate::edition::charges(&policy)?
            )
        }
    };
    exit::print(&text)
}
