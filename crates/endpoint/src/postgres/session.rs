//! One connection: what it prepared, what is open, and what it is doing.
//!
//! Reading transactions succeed and change nothing: an edition does not change, so there is nothing to isolate from. After
//! an error a transaction goes on; there is nothing of it to undo.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::pin::pin;
use std::sync::Arc;

use bytes::BytesMut;
use futures::{SinkExt, StreamExt};
use pgwire::messages::copy::{CopyDone, CopyOutResponse};
use pgwire::messages::extendedquery::PortalSuspended;
use pgwire::messages::response::{CommandComplete, EmptyQueryResponse, ReadyForQuery, TransactionStatus};
use pgwire::messages::startup::ParameterStatus;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use query::{Limits, Param, Question};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::cancel::Place;
use super::catalogues::Facts;
use super::cells::{Column, oid, type_of};
use super::cursor::Slice;
use super::errors::{Failed, noted};
use super::startup::{Guest, Line};
use super::statement::{CopyFormat, Kind, Statement, split};
use super::table::{Forms, Held, PIECE, Table, row_description};
use super::values;

mod extended;

/// Messages that are kept while a question is computed, and their bytes; past them no more is read.
const MOST_QUEUED: usize = 256;
const MOST_QUEUED_BYTES: u64 = 1 << 20;
/// Bytes that a thing which is kept takes beside its texts and values.
const OVERHEAD: usize = 256;
/// Statements that a session may have prepared.
const MOST_PREPARED: usize = 1_000;
/// Portals and cursors that a session may have open.
const MOST_PORTALS: usize = 64;
/// Rows of no more bytes are not worth a turn: about what the buffers of a connection hold.
const UNTURNED: usize = 256 << 10;

/// Why a statement has no answer: it failed, or nobody is there any more.
pub(super) enum Stop {
    Failed(Failed),
    Gone(Error),
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Gone(error)
    }
}

type Done<T> = std::result::Result<T, Stop>;
type Answered<T> = std::result::Result<T, Failed>;

/// A statement that was prepared, with what is known of its values and columns.
pub(super) struct Prepared {
    /// None of an empty text.
    statement: Option<Statement>,
    /// Types that the client named; 0 where it named none.
    given: Vec<u32>,
}

impl Prepared {
    /// Bytes in memory, about.
    fn bytes(&self) -> usize {
        let text = self.statement.as_ref().map_or(0, |statement| statement.text.len() * 2);
        OVERHEAD + text + self.given.len() * size_of::<u32>()
    }
}

/// What a statement takes and gives.
#[derive(Debug, Clone, Default)]
struct Shape {
    params: Vec<u32>,
    /// None where there are no rows.
    columns: Option<Vec<Column>>,
}

/// What a statement gave.
enum Outcome {
    Empty,
    /// A tag alone.
    Tag(String),
    /// Rows, and the word of their tag.
    Rows(Slice, &'static str),
    Copy(Table, CopyFormat),
}

/// A statement with its values, as far as it has run; also a cursor.
struct Portal {
    prepared: Arc<Prepared>,
    params: Vec<Param>,
    forms: Forms,
    /// What it gave, and how much of it the client has.
    ran: Option<(Slice, &'static str)>,
    /// Outlives its transaction.
    holds: bool,
}

impl Portal {
    /// Bytes in memory, about; its rows are counted elsewhere.
    fn bytes(&self) -> usize {
        let text = |param: &Param| if let Param::Text(text) = param { text.len() } else { 0 };
        let values: usize = self.params.iter().map(|param| text(param) + size_of::<Param>()).sum();
        // What was prepared stays as long as this does, whatever became of its name.
        OVERHEAD + values + self.forms.bytes() + self.prepared.bytes()
    }
}

pub(super) struct Session {
    shared: Arc<Shared>,
    line: Line,
    guest: Guest,
    place: Place,
    pid: i32,
    in_transaction: bool,
    prepared: HashMap<String, Arc<Prepared>>,
    portals: HashMap<String, Portal>,
    /// What came while a question was computed.
    queue: VecDeque<(PgWireFrontendMessage, u64)>,
    /// Bytes of it.
    queued: u64,
    /// After an error of the extended protocol, until Sync.
    skips: bool,
    /// Cancelled when what the session does now is to end.
    token: CancellationToken,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, line: Line, guest: Guest, place: Place, pid: i32) -> Self {
        Self {
            shared,
            line,
            guest,
            place,
            pid,
            in_transaction: false,
            prepared: HashMap::new(),
            portals: HashMap::new(),
            queue: VecDeque::new(),
            queued: 0,
            skips: false,
            token: CancellationToken::new(),
        }
    }

    /// Answers until the client leaves or `stop` is cancelled: what runs then is answered, and nothing more.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<()> {
        loop {
            let Some(message) = self.next(&stop).await? else { return Ok(()) };
            if matches!(message, PgWireFrontendMessage::Terminate(_)) {
                return self.line.close().await;
            }
            self.answer(message).await?;
        }
    }

    /// The next message; none where the session is over.
    async fn next(&mut self, stop: &CancellationToken) -> Result<Option<PgWireFrontendMessage>> {
        if let Some((message, bytes)) = self.queue.pop_front() {
            self.queued -= bytes;
            return Ok(Some(message));
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => {
                self.send(Failed::fatal("57P01", "The service is closing.").message()).await?;
                self.line.close().await?;
                Ok(None)
            }
            message = self.line.next() => match message {
                Some(Err(error)) => {
                    let failed = Failed::fatal("08P01", format!("The protocol was broken: {error}."));
                    let _ = self.send(failed.message()).await;
                    Err(error)
                }
                message => message.transpose(),
            },
        }
    }

    async fn answer(&mut self, message: PgWireFrontendMessage) -> Result<()> {
        if self.skips && !matches!(message, PgWireFrontendMessage::Sync(_)) {
            return Ok(());
        }
        // A request to cancel is for what the session does then, and not for what comes after.
        self.token = self.place.running.begin();
        let done = match message {
            PgWireFrontendMessage::Query(query) => return self.simple(&query.query).await,
            PgWireFrontendMessage::Sync(_) => return self.sync().await,
            PgWireFrontendMessage::Flush(_) => return self.line.flush().await,
            // What is left of a COPY into a table, which is not offered.
            PgWireFrontendMessage::CopyData(_)
            | PgWireFrontendMessage::CopyDone(_)
            | PgWireFrontendMessage::CopyFail(_) => return Ok(()),
            PgWireFrontendMessage::Parse(parse) => self.parse(parse).await,
            PgWireFrontendMessage::Bind(bind) => self.bind(bind).await,
            PgWireFrontendMessage::Describe(describe) => self.describe(describe).await,
            PgWireFrontendMessage::Execute(execute) => self.execute(execute).await,
            PgWireFrontendMessage::Close(close) => self.close(close).await,
            _ => Err(Failed::fatal("08P01", "This message is not expected here.").into()),
        };
        match done {
            Ok(()) => Ok(()),
            Err(Stop::Gone(error)) => Err(error),
            Err(Stop::Failed(failed)) => {
                self.skips = true;
                self.fail(&failed).await
            }
        }
    }

    async fn fail(&mut self, failed: &Failed) -> Result<()> {
        self.send(failed.message()).await?;
        if failed.is_fatal {
            self.line.close().await?;
            return Err(Error::new(ErrorKind::InvalidData, failed.message.clone()));
        }
        Ok(())
    }

    /// Sends a message with the next ones.
    async fn feed(&mut self, message: PgWireBackendMessage) -> Result<()> {
        self.line.feed(super::codec::Outgoing::Message(message)).await
    }

    async fn send(&mut self, message: PgWireBackendMessage) -> Result<()> {
        self.line.send(super::codec::Outgoing::Message(message)).await
    }

    async fn ready(&mut self) -> Result<()> {
        let status = if self.in_transaction { TransactionStatus::Transaction } else { TransactionStatus::Idle };
        if !self.in_transaction {
            self.portals.retain(|_, portal| portal.holds);
        }
        self.send(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status))).await
    }

    /// The simple protocol: a text of statements, each answered in its turn until one fails.
    async fn simple(&mut self, sql: &str) -> Result<()> {
        let statements = match split(sql) {
            Ok(statements) => statements,
            Err(failed) => {
                self.fail(&failed).await?;
                return self.ready().await;
            }
        };
        if statements.is_empty() {
            self.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        for statement in &statements {
            let done = match self.statement(statement, &[], &[]).await {
                Ok(outcome) => self.give(outcome).await,
                Err(stop) => Err(stop),
            };
            match done {
                Ok(()) => {}
                Err(Stop::Gone(error)) => return Err(error),
                Err(Stop::Failed(failed)) => {
                    self.fail(&failed.moved(statement.offset)).await?;
                    break;
                }
            }
        }
        self.ready().await
    }

    async fn sync(&mut self) -> Result<()> {
        self.skips = false;
        self.ready().await
    }

    /// Sends all that a statement gave, with its columns.
    async fn give(&mut self, outcome: Outcome) -> Done<()> {
        match outcome {
            Outcome::Empty => self.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?,
            Outcome::Tag(tag) => self.complete(tag).await?,
            Outcome::Rows(mut slice, word) => {
                let forms = Forms::default();
                self.feed(row_description(&slice.table.columns, &forms)).await?;
                self.rows(&mut slice, usize::MAX, &forms, word).await?;
            }
            Outcome::Copy(table, format) => self.copy(table, &format).await?,
        }
        Ok(())
    }

    async fn complete(&mut self, tag: String) -> Result<()> {
        self.feed(PgWireBackendMessage::CommandComplete(CommandComplete::new(tag))).await
    }

    /// Sends at most so many of the rows that are left, and whether there are more or the end.
    async fn rows(&mut self, slice: &mut Slice, most: usize, forms: &Forms, word: &str) -> Done<()> {
        let mut given = 0;
        let deadline = Instant::now() + self.shared.settings.answer_timeout;
        while given < most && slice.left() > 0 {
            if self.token.is_cancelled() {
                return Err(withdrawn().into());
            }
            let (rows, count) = slice.take(PIECE.min(most - given), forms).map_err(|error| unwritten(&error))?;
            given += count;
            self.send_rows(rows, deadline).await?;
        }
        if slice.left() > 0 {
            self.feed(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await?;
            return Ok(());
        }
        for note in &slice.table.notes {
            self.feed(noted(note)).await?;
        }
        Ok(self.complete(format!("{word} {given}")).await?)
    }

    /// Sends rows. Past the deadline the connection ends: rows that wait for a slow reader are memory, and nobody holds a turn for
    /// ever. There is no other way to end in the middle of a message.
    async fn send_rows(&mut self, rows: BytesMut, deadline: Instant) -> Result<()> {
        let sent = tokio::time::timeout_at(deadline, self.line.send(super::codec::Outgoing::Rows(rows))).await;
        sent.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }

    async fn copy(&mut self, table: Table, format: &CopyFormat) -> Done<()> {
        let columns = table.columns.len() as i16;
        let code = i8::from(*format == CopyFormat::Binary);
        let response = CopyOutResponse::new(code, columns, vec![i16::from(code); table.columns.len()]);
        self.feed(PgWireBackendMessage::CopyOutResponse(response)).await?;
        self.line.feed(super::codec::Outgoing::Rows(format.head(&table.columns))).await?;
        let mut given = 0;
        let deadline = Instant::now() + self.shared.settings.answer_timeout;
        while given < table.count {
            if self.token.is_cancelled() {
                return Err(withdrawn().into());
            }
            let (rows, count) = format.rows(&table, given, PIECE).map_err(|error| unwritten(&error))?;
            given += count;
            self.send_rows(rows, deadline).await?;
        }
        self.line.feed(super::codec::Outgoing::Rows(format.tail(given))).await?;
        self.feed(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
        for note in &table.notes {
            self.feed(noted(note)).await?;
        }
        Ok(self.complete(format!("COPY {given}")).await?)
    }

    /// What a statement takes and gives, without running it.
    async fn shape(&mut self, prepared: &Prepared, params: &[Param]) -> Done<Shape> {
        let Some(statement) = &prepared.statement else { return Ok(Shape::default()) };
        let column = |name: &str| Column { name: name.to_owned(), type_oid: oid::TEXT };
        Ok(match &statement.kind {
            Kind::Question => self.shape_of(&statement.text, &prepared.given, params).await?,
            Kind::Show(Some(name)) => Shape { columns: Some(vec![column(name)]), ..Shape::default() },
            Kind::Show(None) => {
                Shape { columns: Some(["name", "setting", "description"].map(column).into()), ..Shape::default() }
            }
            Kind::Fetch { name, moves_only: false, .. } => {
                let (slice, _) = self.cursor(name)?;
                Shape { columns: Some(slice.table.columns.to_vec()), ..Shape::default() }
            }
            Kind::Execute { name, .. } => {
                let inner = self.find(name)?;
                let Some(statement) = &inner.statement else { return Ok(Shape::default()) };
                let shape = self.shape_of(&statement.text, &inner.given, &[]).await?;
                Shape { params: Vec::new(), ..shape }
            }
            _ => Shape::default(),
        })
    }

    async fn shape_of(&mut self, sql: &str, given: &[u32], params: &[Param]) -> Done<Shape> {
        let (shared, text, types) = (Arc::clone(&self.shared), sql.to_owned(), given.to_vec());
        let shape = self.apart(move || shared.catalogues.shape(&shared.reader, &text, &types)).await?;
        if let Some((params, columns)) = shape {
            return Ok(Shape { params, columns: Some(columns) });
        }
        let question = self.question(sql, params.to_vec());
        let reader = self.shared.reader.clone();
        let shape = self.while_there(async move { reader.shape(question).await }).await?;
        let shape = shape.map_err(|refusal| Failed::of(&refusal, sql))?;
        let columns = shape.columns.fields().iter().map(|field| Column::from(field.as_ref())).collect();
        Ok(Shape { params: shape.params.iter().map(type_of).collect(), columns: Some(columns) })
    }

    fn question(&self, sql: &str, params: Vec<Param>) -> Question {
        let settings = &self.guest.settings;
        let limits = settings.time_limit().map(|time| Limits { time, ..self.shared.reader.limits() });
        let asker = self.guest.asker.as_ref().map(|asker| self.shared.settings.gate.now(asker));
        let (companions, peer) = (settings.companions(), Some(self.guest.peer));
        Question { sql: sql.to_owned(), params, limits, companions, asker, ahead: true, peer }
    }

    /// Does some work while the client is there. What it sends meanwhile is kept; when it leaves, the work is dropped.
    async fn while_there<T>(&mut self, work: impl Future<Output = T>) -> Result<T> {
        let mut work = pin!(work);
        loop {
            let reads = self.queue.len() < MOST_QUEUED && self.queued < MOST_QUEUED_BYTES;
            let before = self.line.codec().read();
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                message = self.line.next(), if reads => match message {
                    Some(Ok(PgWireFrontendMessage::Terminate(_))) | None => return Err(ErrorKind::UnexpectedEof.into()),
                    Some(Ok(message)) => {
                        let bytes = self.line.codec().read() - before;
                        self.queued += bytes;
                        self.queue.push_back((message, bytes));
                    }
                    Some(Err(error)) => return Err(error),
                },
            }
        }
    }

    /// Does some work of the catalogue on a thread that may block. It is short, and not worth ending.
    async fn apart<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> std::result::Result<T, Failed> + Send + 'static,
    ) -> Done<T> {
        let done = self.while_there(tokio::task::spawn_blocking(work)).await?;
        let broken = |_| Failed::new("XX000", "The catalogue did not answer; the fault is ours.");
        Ok(done.map_err(broken)??)
    }

    /// Asks a question: the catalogue where it is about the catalogue, else the reader.
    async fn ask(&mut self, sql: &str, given: &[u32], params: Vec<Param>) -> Done<Table> {
        let facts = Facts { user: self.guest.user.clone(), settings: self.guest.settings.all(), pid: self.pid };
        let (shared, text, types, values) = (Arc::clone(&self.shared), sql.to_owned(), given.to_vec(), params.clone());
        let answer =
            self.apart(move || shared.catalogues.answer(&shared.reader, &facts, &text, (&types, &values))).await?;
        if let Some(table) = answer {
            return Ok(table);
        }
        let question = self.question(sql, params);
        let (reader, token) = (self.shared.reader.clone(), self.token.clone());
        let answer = self.while_there(async move { reader.ask(question, token).await }).await?;
        let answer = answer.map_err(|refusal| {
            metrics::counter!("amanat_sql_refusals_total", "code" => refusal.code.name()).increment(1);
            Failed::of(&refusal, sql)
        })?;
        let mut table = Table::of_answer(answer);
        if table.bytes() <= UNTURNED {
            table.held = Held::Nothing;
        }
        Ok(table)
    }

    async fn statement(&mut self, statement: &Statement, given: &[u32], params: &[Param]) -> Done<Outcome> {
        let tag = |tag: &str| Ok(Outcome::Tag(tag.to_owned()));
        match &statement.kind {
            Kind::Question => {
                let explains = statement.text.trim_start().get(..7).is_some_and(|w| w.eq_ignore_ascii_case("explain"));
                let table = self.ask(&statement.text, given, params.to_vec()).await?;
                Ok(Outcome::Rows(Slice::all(table), if explains { "EXPLAIN" } else { "SELECT" }))
            }
            Kind::Begin => {
                self.in_transaction = true;
                tag("BEGIN")
            }
            Kind::End(word) => {
                self.in_transaction = false;
                self.portals.retain(|_, portal| portal.holds);
                tag(word)
            }
            Kind::Nothing(word) => tag(word),
            Kind::Set { name, value } => {
                let told = self.guest.settings.set(name, value.as_deref())?;
                self.tell(told).await?;
                tag("SET")
            }
            Kind::Reset(name) => {
                match name {
                    Some(name) => {
                        let told = self.guest.settings.set(name, None)?;
                        self.tell(told).await?;
                    }
                    None => self.guest.settings.reset(),
                }
                tag("RESET")
            }
            Kind::Show(name) => self.show(name.as_deref()),
            Kind::Discard { all } => {
                if *all {
                    self.guest.settings.reset();
                    self.prepared.clear();
                    self.portals.clear();
                }
                tag(if *all { "DISCARD ALL" } else { "DISCARD" })
            }
            Kind::Declare { name, holds, question } => self.declare((name, *holds), question, given, params).await,
            Kind::Fetch { name, step, moves_only } => {
                let (slice, _) = self.cursor(name)?;
                let fetched = slice.step(*step);
                Ok(match moves_only {
                    true => Outcome::Tag(format!("MOVE {}", fetched.left())),
                    false => Outcome::Rows(fetched, "FETCH"),
                })
            }
            Kind::Close(name) => {
                match name {
                    Some(name) if self.portals.remove(name).is_none() => return Err(no_portal(name).into()),
                    Some(_) => {}
                    None => self.portals.clear(),
                }
                tag("CLOSE CURSOR")
            }
            Kind::Prepare { name, question } => {
                let mut statements = split(question)?;
                let prepared = Prepared { statement: statements.pop(), given: Vec::new() };
                self.prepare(name.clone(), prepared)?;
                tag("PREPARE")
            }
            Kind::Execute { name, values } => self.execute_prepared(name, values).await,
            Kind::Deallocate(name) => {
                match name {
                    Some(name) if self.prepared.remove(name).is_none() => {
                        return Err(Failed::new("26000", format!("There is no prepared statement {name}.")).into());
                    }
                    Some(_) => {}
                    None => self.prepared.clear(),
                }
                tag(if name.is_none() { "DEALLOCATE ALL" } else { "DEALLOCATE" })
            }
            Kind::Copy { question, format } => {
                let table = self.ask(question, given, params.to_vec()).await?;
                Ok(Outcome::Copy(table, format.clone()))
            }
        }
    }

    async fn tell(&mut self, told: Option<(&'static str, String)>) -> Result<()> {
        match told {
            Some((name, value)) => {
                let status = ParameterStatus::new(name.to_owned(), value);
                self.feed(PgWireBackendMessage::ParameterStatus(status)).await
            }
            None => Ok(()),
        }
    }

    fn show(&self, name: Option<&str>) -> Done<Outcome> {
        let column = |name: &str| Column { name: name.to_owned(), type_oid: oid::TEXT };
        let table = match name {
            None => {
                let rows = self.guest.settings.all().into_iter();
                let rows = rows.map(|(name, value)| vec![Some(name), Some(value), Some(String::new())]).collect();
                Table::of_texts(["name", "setting", "description"].map(column).into(), rows)
            }
            Some(name) => {
                let Some(value) = self.guest.settings.get(name) else {
                    let failed = Failed::new("42704", format!("There is no setting {name}."));
                    return Err(failed.hint(match name {
                        "tables" | "databases" | "schemas" | "columns" => {
                            "In psql \\dt and \\d+ list tables and columns; everywhere: SELECT * FROM information_schema.tables."
                        }
                        _ => "SHOW ALL lists those that there are.",
                    }).into());
                };
                Table::of_texts(vec![column(name)], vec![vec![Some(value.to_owned())]])
            }
        };
        Ok(Outcome::Rows(Slice::all(table), "SHOW"))
    }

    async fn declare(
        &mut self,
        (name, holds): (&str, bool),
        question: &str,
        given: &[u32],
        params: &[Param],
    ) -> Done<Outcome> {
        if !self.in_transaction && !holds {
            let failed = Failed::new("25P01", "A cursor lives in a transaction.");
            return Err(failed.hint("BEGIN first, or DECLARE … CURSOR WITH HOLD FOR …").into());
        }
        let table = self.ask(question, given, params.to_vec()).await?;
        let slice = self.held(Slice::all(table))?;
        let prepared = Arc::new(Prepared { statement: None, given: Vec::new() });
        let portal =
            Portal { prepared, params: Vec::new(), forms: Forms::default(), ran: Some((slice, "FETCH")), holds };
        self.open(name.to_owned(), portal)?;
        Ok(Outcome::Tag("DECLARE CURSOR".to_owned()))
    }

    fn cursor(&mut self, name: &str) -> std::result::Result<&mut (Slice, &'static str), Failed> {
        let found = self.portals.get_mut(name).and_then(|portal| portal.ran.as_mut());
        found.ok_or_else(|| no_portal(name))
    }

    async fn execute_prepared(&mut self, name: &str, values: &[Option<String>]) -> Done<Outcome> {
        let prepared = self.find(name)?;
        let Some(statement) = &prepared.statement else { return Ok(Outcome::Empty) };
        if statement.kind != Kind::Question {
            return Err(Failed::new("0A000", "Only a query can be prepared by PREPARE.").into());
        }
        let inferred = if values.is_empty() { Vec::new() } else { self.shape(&prepared, &[]).await?.params };
        let params = values.iter().enumerate().map(|(at, value)| {
            let type_oid = inferred.get(at).copied().unwrap_or(oid::TEXT);
            values::read(value.as_ref().map(String::as_bytes), false, 0, type_oid)
        });
        let params = params.collect::<std::result::Result<Vec<_>, _>>()?;
        let table = self.ask(&statement.text, &[], params).await?;
        Ok(Outcome::Rows(Slice::all(table), "SELECT"))
    }

    /// Whether so many bytes more may be kept.
    fn has_place_for(&self, bytes: usize) -> Answered<()> {
        let name = |name: &String| name.len() * 2;
        let prepared: usize = self.prepared.iter().map(|(n, prepared)| name(n) + prepared.bytes()).sum();
        let portals: usize = self.portals.iter().map(|(n, portal)| name(n) + portal.bytes()).sum();
        let most = self.shared.settings.kept;
        if prepared + portals + bytes > most {
            let detail = format!("A session may keep {most} bytes of prepared statements, values and cursors.");
            return Err(Failed::new("53200", detail).hint("DEALLOCATE and CLOSE those that are not needed."));
        }
        Ok(())
    }

    /// Rows that stay open: their memory is counted against what all open cursors may hold.
    fn held(&self, mut slice: Slice) -> std::result::Result<Slice, Failed> {
        let Some(table) = Arc::get_mut(&mut slice.table) else { return Ok(slice) };
        let kib = u32::try_from(table.bytes().div_ceil(1024)).unwrap_or(u32::MAX);
        let Ok(share) = Arc::clone(&self.shared.cursors).try_acquire_many_owned(kib) else {
            let failed = Failed::new("53200", "The open cursors of all sessions hold as much as they may.");
            return Err(failed.hint("Fetch all rows at once, ask for fewer, or ask again in a while."));
        };
        table.held = Held::Share(share);
        Ok(slice)
    }
}

fn withdrawn() -> Failed {
    Failed::new("57014", "The question was withdrawn.")
}

fn unwritten(error: &arrow::error::ArrowError) -> Failed {
    tracing::error!(error = error as &dyn std::error::Error, "rows could not be written");
    Failed::new("XX000", "The rows could not be written; the fault is ours.")
}

fn no_portal(name: &str) -> Failed {
    Failed::new("34000", format!("There is no cursor {name}."))
}

fn misfit(columns: usize) -> Failed {
    Failed::new("08P01", format!("The formats of the result are not those of {columns} columns."))
}
