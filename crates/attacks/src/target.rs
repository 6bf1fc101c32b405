//! What is attacked: the public endpoint, in process, over a vault that the referee sets up.
//!
//! An attacker has [`Sql`] and nothing else: a request with a key, an answer. The referee has the [`Door`] behind it and
//! opens a vault for each trial, most often one that refuses nothing for its price, so that refusals do not pass for
//! resistance; [`Door::reopen`] keeps the vault's memory and opens another Snapshot.
//!
//! Absent: network, the audit log; time slots, but where the clock is what is attacked ([`Door::timed`]).

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use disclosure::{CellQuery, Microdata, Prepared, Protection, Quoted, Room, Span, Vault, VaultError};
use endpoint::{Doors, Gate};
use policy::{Asker, Grant, Keys, Master, Policy, Readers, Share};
use query::{
    Begun, Catalogue, Code, CodeEntry, CodeListMeta, EditionMeta, EditionSource, Limits, Oracle, Outcome, Question,
    Reader, Refusal, ReleasedCells, Settings, SourceError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;

use crate::people::{People, YEARS};

/// The four targets of privacy.md 7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Exact numbers over a floor of 11.
    K11Exact,
    /// Set-keyed noise over a floor of 11.
    Ckm,
    /// What is built.
    Ours,
    /// The same without the separation guard.
    OursWithoutGuard,
}

impl Target {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 4] = [Self::K11Exact, Self::Ckm, Self::Ours, Self::OursWithoutGuard];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::K11Exact => "k11-exact",
            Self::Ckm => "ckm",
            Self::Ours => "ours",
            Self::OursWithoutGuard => "ours-without-guard",
        }
    }

    const fn protection(self) -> Protection {
        match self {
            Self::K11Exact => Protection::FloorAlone,
            Self::Ckm => Protection::NoiseAlone,
            Self::Ours => Protection::Full,
            Self::OursWithoutGuard => Protection::WithoutGuard,
        }
    }
}

/// Questions of one statement.
const TOGETHER: usize = 24;

/// The public endpoint, as an attacker sees it.
pub trait Sql {
    /// `POST /v1/sql` with a key.
    fn ask(&self, sql: &str) -> Reply {
        self.ask_as(Share::Ministry, sql)
    }

    /// The same with the key of another share.
    fn ask_as(&self, share: Share, sql: &str) -> Reply;

    /// `GET` of a path, with a key.
    fn get(&self, path: &str) -> Reply;

    /// How many there are under each of these conditions, in this order; many in one statement, as it is quicker.
    fn counts(&self, dataset: &str, conditions: &[String]) -> Vec<Option<i64>> {
        self.measured("count(*)", dataset, conditions)
    }

    /// The same by another measure.
    fn measured(&self, measure: &str, dataset: &str, conditions: &[String]) -> Vec<Option<i64>> {
        let mut counts = Vec::with_capacity(conditions.len());
        for some in conditions.chunks(TOGETHER) {
            let columns: Vec<String> = some.iter().map(|under| format!("{measure} filter (where {under})")).collect();
            let mut answer = self.ask(&format!("select {} from {dataset}", columns.join(", "))).first();
            // What is refused tells nothing.
            answer.resize(some.len(), None);
            counts.extend(answer);
        }
        counts
    }
}

/// An answer or a refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
}

impl Reply {
    /// Whether the question was answered.
    pub fn is_answer(&self) -> bool {
        self.status == 200
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The rows.
    pub fn rows(&self) -> Vec<Vec<Value>> {
        let rows = self.json()["rows"].as_array().cloned().unwrap_or_default();
        rows.into_iter().map(|row| row.as_array().cloned().unwrap_or_default()).collect()
    }

    /// The rows as numbers; what is no number is `None`.
    pub fn numbers(&self) -> Vec<Vec<Option<i64>>> {
        let number = |value: &Value| match value {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|x| x.round() as i64)),
            Value::String(text) => text.parse::<f64>().ok().map(|x| x.round() as i64),
            _ => None,
        };
        self.rows().iter().map(|row| row.iter().map(number).collect()).collect()
    }

    /// The numbers of the first row.
    pub fn first(&self) -> Vec<Option<i64>> {
        self.numbers().into_iter().next().unwrap_or_default()
    }

    /// What an attacker can tell apart without a released number: status, code, columns, how many rows, and which of
    /// their cells are shown.
    pub fn class(&self) -> String {
        let json = self.json();
        let shown: Vec<String> =
            self.rows().iter().map(|row| row.iter().map(|v| if v.is_null() { '-' } else { '+' }).collect()).collect();
        format!("{} {} {} {}", self.status, json["code"], json["columns"], shown.join(","))
    }
}

/// The endpoint over a vault that can be exchanged.
pub struct Door {
    runtime: tokio::runtime::Runtime,
    doors: Doors,
    reader: Reader,
    house: Arc<House>,
    policy: Arc<Policy>,
    /// Rows with their keys, which take longer to make than a question: by keys and [`People::name`].
    prepared: Mutex<HashMap<(u64, u64), Prepared>>,
    keys: Mutex<u64>,
    /// Rows without keys, by [`People::name`].
    rows: Mutex<HashMap<u64, Microdata>>,
}

impl Door {
    /// Opens one.
    pub fn new(policy: &Arc<Policy>) -> Result<Self> {
        Self::limited(policy, Limits::default())
    }

    /// Opens one whose questions have these limits.
    pub fn limited(policy: &Arc<Policy>, limits: Limits) -> Result<Self> {
        Self::with(policy, limits, None)
    }

    /// Opens one whose answers leave at the ends of such slots of the real clock; `None`: as soon as they are there.
    pub fn timed(policy: &Arc<Policy>, slot: Option<Duration>) -> Result<Self> {
        Self::with(policy, Limits::default(), slot)
    }

    fn with(policy: &Arc<Policy>, limits: Limits, slot: Option<Duration>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let house = Arc::new(House { policy: Arc::clone(policy), vault: RwLock::new(None), slot });
        let settings = Settings { threads: 1, limits, ..Settings::default() };
        let oracle = Arc::clone(&house) as Arc<dyn Oracle>;
        let opened = Reader::open_with_vault(Arc::new(NoEditions), catalogue(), settings, oracle);
        let reader = runtime.block_on(opened).context("a reader")?;
        let readers =
            Share::ALL.map(|share| policy::new_reader(grant_of(share), (secret_of(share), [0; 16])).1).concat();
        let settings =
            endpoint::Settings { gate: Arc::new(Gate::of(Readers::parse(&readers)?)), ..endpoint::Settings::default() };
        Ok(Self {
            runtime,
            doors: endpoint::doors(reader.clone(), settings),
            reader,
            house,
            policy: Arc::clone(policy),
            prepared: Mutex::default(),
            keys: Mutex::default(),
            rows: Mutex::default(),
        })
    }

    /// Puts a new vault behind the door, which remembers nothing, with keys of its own and these rows.
    pub fn open(&self, target: Target, keys: u64, rows: &[&People]) -> Result<()> {
        self.open_with(target, keys, rows, false)
    }

    /// The same, where a share of the charges may be a limit.
    pub fn open_with(&self, target: Target, keys: u64, rows: &[&People], quotas: bool) -> Result<()> {
        let vault = Vault::weakened(Arc::clone(&self.policy), &keys_of(keys), target.protection(), quotas);
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = keys;
        vault.enter(self.room(&vault, 1, rows)?);
        *self.house.vault.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(vault));
        Ok(())
    }

    /// Opens another Snapshot on the same memory.
    pub fn reopen(&self, edition: i64, rows: &[&People]) -> Result<()> {
        let vault = self.house.vault().context("no vault")?;
        vault.enter(self.room(&vault, edition, rows)?);
        Ok(())
    }

    /// `POST /v1/sql` with parameters.
    pub fn ask_with(&self, sql: &str, params: &[Value]) -> Reply {
        let request = Request::post("/v1/sql")
            .header("content-type", "application/json")
            .header("authorization", bearer(Share::Ministry));
        self.send(request, serde_json::json!({"sql": sql, "params": params}).to_string())
    }

    /// What a question would ask of the vault, or why not: its text alone decides.
    pub fn compile(&self, sql: &str) -> Result<Vec<CellQuery>, Refusal> {
        self.runtime.block_on(self.reader.compile(Question::new(sql))).map(|(questions, _)| questions)
    }

    /// Charges the grids that the policy declares, as the first edition does.
    pub fn declare(&self) -> Result<()> {
        let vault = self.house.vault().context("no vault")?;
        let room = vault.room().context("no Snapshot")?;
        vault.release(Vec::new(), &room.span)?;
        Ok(())
    }

    /// The variance of the noise of a question that is paid, which EXPLAIN tells; nothing where noise is off.
    pub fn variance(&self, question: CellQuery) -> Result<f64> {
        let vault = self.house.vault().context("no vault")?;
        let quoted = vault.quote(&[question], Share::Ministry)?;
        Ok(quoted.questions.iter().flatten().next().map_or(0.0, |quote| quote.tier().variance() as f64))
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn room(&self, vault: &Vault, edition: i64, rows: &[&People]) -> Result<Room> {
        let mut datasets = BTreeMap::new();
        let keys = *self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        for rows in rows {
            datasets.insert(rows.dataset.clone(), self.prepare(vault, keys, rows)?);
        }
        Ok(Room::new(Span::whole(edition, YEARS), datasets))
    }

    fn prepare(&self, vault: &Vault, keys: u64, rows: &People) -> Result<Prepared> {
        if rows.name == 0 {
            return Ok(vault.prepare(rows.microdata(&self.policy))?);
        }
        let mut known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = known.get(&(keys, rows.name)) {
            return Ok(prepared.clone());
        }
        let mut plain = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let data = plain.entry(rows.name).or_insert_with(|| rows.microdata(&self.policy)).clone();
        let prepared = vault.prepare(data)?;
        known.insert((keys, rows.name), prepared.clone());
        Ok(prepared)
    }

    fn send(&self, request: axum::http::request::Builder, body: String) -> Reply {
        let answered = self.runtime.block_on(async {
            let request = request.body(Body::from(body)).context("a request")?;
            let response = self.doors.clone().oneshot(request).await?;
            let status = response.status().as_u16();
            let bytes = to_bytes(response.into_body(), usize::MAX).await?;
            anyhow::Ok(Reply { status, text: String::from_utf8_lossy(&bytes).into_owned() })
        });
        // In process nothing can come between; a broken answer is a refusal that no attack expects.
        answered.unwrap_or_else(|error| Reply { status: 0, text: error.to_string() })
    }
}

impl Sql for Door {
    fn ask_as(&self, share: Share, sql: &str) -> Reply {
        let request =
            Request::post("/v1/sql").header("content-type", "text/plain").header("authorization", bearer(share));
        self.send(request, sql.to_owned())
    }

    fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).header("authorization", bearer(Share::Ministry)), String::new())
    }
}

fn grant_of(share: Share) -> Grant<'static> {
    let (name, role) = (share.name(), policy::Role::Analyst);
    Grant { name, role, share, purpose: policy::UNSTATED, expires: None, tables: &[] }
}

fn secret_of(share: Share) -> [u8; 32] {
    [share as u8 + 1; 32]
}

fn bearer(share: Share) -> String {
    format!("Bearer {}", policy::new_reader(grant_of(share), (secret_of(share), [0; 16])).0)
}

fn keys_of(number: u64) -> Keys {
    Keys::derive(&master_of(number))
}

fn master_of(number: u64) -> Master {
    let mut bytes = [0x5a; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Master::from_bytes(bytes)
}

/// What no text that leaves may hold: every key of a vault that was opened with keys of this number, and of those who
/// ask, as bytes come to be written, in hexadecimal digits or as a list of numbers.
pub fn secrets(number: u64) -> Vec<String> {
    let Keys {
        person,
        link,
        sid,
        rk,
        ek,
        noise,
        threshold,
        distance,
        swap,
        set_aside,
        set_aside_nonce,
        set_aside_hash,
        repeat,
        audit_head,
        erased,
    } = keys_of(number);
    let of_records = [person, link, sid, rk, set_aside, set_aside_nonce, set_aside_hash, repeat, erased];
    let of_numbers = [ek, noise, threshold, distance, swap, audit_head];
    let derived = of_records.iter().chain(&of_numbers).map(|key| **key);
    let all = derived.chain([*master_of(number).expose()]).chain(Share::ALL.map(secret_of));
    all.flat_map(|bytes| {
        let list = format!("{bytes:?}");
        [blake3::Hash::from_bytes(bytes).to_hex().to_string(), list[1..list.len() - 1].to_owned()]
    })
    .collect()
}

/// The vault as the endpoint reaches it: what `amanat` does beside the audit log.
struct House {
    policy: Arc<Policy>,
    vault: RwLock<Option<Arc<Vault>>>,
    slot: Option<Duration>,
}

impl House {
    fn vault(&self) -> Option<Arc<Vault>> {
        self.vault.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Oracle for House {
    fn years(&self) -> RangeInclusive<u16> {
        YEARS
    }

    fn datasets(&self) -> &policy::Datasets {
        &self.policy.datasets
    }

    fn begin(&self, _: &str, _: &Asker) -> Result<Begun, Refusal> {
        Ok(Begun(0))
    }

    fn ask(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        let vault = self.vault().ok_or_else(|| Refusal::new(Code::NoEdition, "Nothing has been published yet."))?;
        let answered = vault.ask(questions, asker.share).map_err(|error| match error {
            VaultError::Spent(spent) => Refusal::new(Code::ChargesSpent, spent.to_string()),
            other => Refusal::new(Code::ProtectedInternal, other.to_string()),
        })?;
        let cells = |(answered, question): (disclosure::Answered, &CellQuery)| {
            let shown = |cell: &disclosure::AnsweredCell| {
                !question.measures.is_empty() || cell.figures.iter().all(|figure| figure.value().is_some())
            };
            let cells = answered.cells.into_iter().filter(shown);
            let cells = cells.map(|cell| (cell.at.into_iter().map(Some).collect(), cell.figures)).collect();
            ReleasedCells { cells, as_of: Some(answered.as_of) }
        };
        Ok(answered.into_iter().zip(questions).map(cells).collect())
    }

    fn quote(&self, questions: &[CellQuery], asker: &Asker) -> Result<Quoted, Refusal> {
        let vault = self.vault().ok_or_else(|| Refusal::new(Code::NoEdition, "Nothing has been published yet."))?;
        vault.quote(questions, asker.share).map_err(|error| Refusal::new(Code::ProtectedInternal, error.to_string()))
    }

    fn slot(&self) -> Option<Duration> {
        self.slot
    }

    fn end(&self, _: Begun, _: &Outcome) -> Result<(), Refusal> {
        Ok(())
    }
}

/// A store without editions: what is attacked is the road to microdata.
struct NoEditions;

#[async_trait]
impl EditionSource for NoEditions {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        Ok(Vec::new())
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(None)
    }

    async fn read(&self, edition: u32) -> Result<Vec<RecordBatch>, SourceError> {
        Err(SourceError::Malformed { edition, what: "there is none".to_owned() })
    }
}

/// The code lists of the product, without their roll-ups.
fn catalogue() -> Catalogue {
    let names = ["sex", "province", "age_band", "scope", "citizenship"];
    let lists = names.into_iter().filter_map(events::code_list::find).map(|list| CodeListMeta {
        name: list.name.to_owned(),
        version: list.version.to_owned(),
        source: list.source.to_owned(),
        provisional: list.provisional,
        codes: list
            .codes
            .iter()
            .map(|code| CodeEntry {
                code: code.code.to_owned(),
                en: code.en.to_owned(),
                ur: code.ur.to_owned(),
                parent: None,
                attributes: code.attrs.clone(),
            })
            .collect(),
    });
    Catalogue { code_lists: lists.collect(), ..Catalogue::default() }
}
