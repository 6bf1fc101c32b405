//! The calls of Flight, each by its kind: what will be asked is planned and promised, a ticket is answered, an action is done.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::{Field, Schema};
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Command, DoPutPreparedStatementResult,
    ProstMessageExt,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, Criteria, Empty, FlightData,
    FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, PollInfo, PutResult,
    SchemaResult, Ticket,
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use policy::Asker;
use prost::Message;
use query::{Note, Param, Question, Refusal, Shape};
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status, Streaming};

use super::commands::{Promise, body, command, message};
use super::errors::{absent, failed, internal, malformed, read_only, refused};
use super::prepared::Principal;
use super::wire::Peer;
use super::{Shared, answer, auth, catalogue, params, questions};

/// Metadata by which every protected number is followed by its interval, status and bias.
const COMPANIONS: &str = "amanat-companions";
// Actions as the specification names them.
const CREATE_PREPARED_STATEMENT: &str = "CreatePreparedStatement";
const CREATE_PREPARED_SUBSTRAIT_PLAN: &str = "CreatePreparedSubstraitPlan";
const CLOSE_PREPARED_STATEMENT: &str = "ClosePreparedStatement";
const CANCEL_FLIGHT_INFO: &str = "CancelFlightInfo";
const CANCEL_QUERY: &str = "CancelQuery";
const TRANSACTIONS: [&str; 4] = ["BeginTransaction", "EndTransaction", "BeginSavepoint", "EndSavepoint"];
/// Actions on offer, each with what it does.
const ACTIONS: [(&str, &str); 4] = [
    (CREATE_PREPARED_STATEMENT, "Prepares a question: tells its columns, and the types of its values"),
    (CLOSE_PREPARED_STATEMENT, "Forgets a prepared question"),
    (CANCEL_FLIGHT_INFO, "Ends a question that runs"),
    (CANCEL_QUERY, "Ends a question that runs, as older clients ask for it"),
];

/// The service behind one door. Cheap to clone.
#[derive(Clone)]
pub(super) struct Flight(pub(super) Arc<Shared>);

type Answered<T> = Result<Response<T>, Status>;
type Items<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A call: who asks, and how.
struct Call {
    asker: Option<Asker>,
    peer: Option<IpAddr>,
    who: Principal,
    companions: bool,
}

/// What a call is about to ask.
struct Asked {
    sql: String,
    params: Vec<Param>,
    companions: bool,
}

impl Flight {
    /// Who calls, if it may.
    async fn call(&self, metadata: &MetadataMap, peer: Option<Peer>) -> Result<Call, Status> {
        metrics::counter!("amanat_flight_calls_total").increment(1);
        let settings = &self.0.settings;
        if let Some(peer) = &peer
            && !(peer.is_encrypted || settings.plain || peer.address.ip().is_loopback())
        {
            let text = "Clients of other machines are served with TLS alone.";
            return Err(failed(
                Code::Unauthenticated,
                "tls_needed",
                text,
                "Connect with TLS: grpc+tls://, useEncryption=true.",
            ));
        }
        let peer = peer.map(|peer| peer.address.ip());
        let asker = auth::asker(metadata, &settings.gate, peer).await?;
        let key = asker.as_ref().map(|asker| asker.key_id.clone());
        let address = || peer.map_or_else(String::new, |peer| format!("@{peer}"));
        let who = Principal { counted: key.clone().unwrap_or_else(address), key };
        Ok(Call { asker, peer, who, companions: companions(metadata)? })
    }

    fn question(call: &Call, asked: &Asked) -> Question {
        let Asked { sql, params, companions } = asked;
        let (params, companions) = (params.clone(), *companions);
        Question { params, companions, asker: call.asker.clone(), peer: call.peer, ..Question::new(sql.clone()) }
    }

    /// What a command will ask; none where it is about the catalogue, or something that there is not.
    fn asked(&self, call: &Call, command: &Command) -> Result<Option<Asked>, Status> {
        Ok(match command {
            Command::CommandStatementQuery(command) => {
                no_transaction(command.transaction_id.as_ref())?;
                let sql = questions::numbered(command.query.clone());
                Some(Asked { sql, params: Vec::new(), companions: call.companions })
            }
            Command::CommandPreparedStatementQuery(command) => {
                let handle = &command.prepared_statement_handle;
                let statement = self.0.statements.find(&call.who, handle, Instant::now())?;
                Some(Asked { sql: statement.sql, params: statement.params, companions: call.companions })
            }
            _ => None,
        })
    }

    async fn shape(&self, call: &Call, asked: &Asked) -> Result<Shape, Status> {
        let question = Self::question(call, asked);
        match self.0.reader.shape(question.clone()).await {
            Ok(shape) => Ok(shape),
            Err(refusal) => Err(self.on_record(question, &refusal).await),
        }
    }

    /// A refusal that was found by planning alone. What belongs into the log of what was asked is asked, for the same refusal: else
    /// the log would not have it, because most clients plan first and then ask no more.
    async fn on_record(&self, question: Question, refusal: &Refusal) -> Status {
        if refusal.code.is_recorded() {
            drop(self.0.reader.ask(question, CancellationToken::new()).await);
        }
        refused(refusal)
    }

    /// The schema that an answer will be sent in.
    async fn schema(&self, call: &Call, asked: &Asked, notes: &[Note]) -> Result<Arc<Schema>, Status> {
        let columns = self.shape(call, asked).await?.columns;
        Ok(answer::schema(&columns, notes, self.0.reader.current().latest()))
    }

    /// What a question will be answered with, and the ticket for it. Nothing is computed, charged or recorded yet.
    async fn promise(&self, call: &Call, asked: Asked) -> Result<(Arc<Schema>, Promise), Status> {
        let question = Self::question(call, &asked);
        let notes = match self.0.reader.compile(question.clone()).await {
            Ok((_, notes)) => notes,
            Err(refusal) => return Err(self.on_record(question, &refusal).await),
        };
        let schema = self.schema(call, &asked, &notes).await?;
        let Asked { sql, params, companions } = asked;
        let promise = Promise { execution: self.random(), schema: answer::hash(&schema)?, sql, params, companions };
        Ok((schema, promise))
    }

    /// A name that nobody can guess.
    fn random(&self) -> String {
        blake3::Hash::from_bytes((self.0.settings.random)()).to_hex().to_string()
    }

    /// Asks, and sends the answer. When the client leaves, this is dropped, and the work with it.
    async fn answered(&self, call: Call, promise: Promise) -> Result<Items<FlightData>, Status> {
        let taken = || failed(Code::NotFound, "unknown_ticket", "There is no such execution.", "Ask for a new ticket.");
        let place = self.0.running.enter(&call.who, &promise.execution).ok_or_else(taken)?;
        let Promise { sql, params, companions, schema, .. } = promise;
        let question = Self::question(&call, &Asked { sql, params, companions });
        let answer = self.0.reader.ask(question, place.token.clone()).await.map_err(|refusal| refused(&refusal))?;
        let messages = answer::send(answer, &schema, &self.0.reader, place, self.0.settings.answer_timeout)?;
        Ok(messages.boxed())
    }

    async fn prepare(&self, call: &Call, request: ActionCreatePreparedStatementRequest) -> Result<Bytes, Status> {
        no_transaction(request.transaction_id.as_ref())?;
        let sql = questions::numbered(request.query);
        let asked = Asked { sql, params: Vec::new(), companions: call.companions };
        let Shape { params, columns } = self.shape(call, &asked).await?;
        let schema = answer::schema(&columns, &[], self.0.reader.current().latest());
        let field = |(at, data_type): (usize, &_)| Field::new(format!("${}", at + 1), answer::plain(data_type), true);
        let parameters = Schema::new(params.iter().enumerate().map(field).collect::<Vec<_>>());
        let handle = Bytes::from(self.random());
        self.0.statements.keep(&call.who, asked.sql, handle.clone(), Instant::now())?;
        let made = ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle,
            dataset_schema: message(&schema)?,
            parameter_schema: message(&parameters)?,
        };
        Ok(made.as_any().encode_to_vec().into())
    }

    /// Binds the values that are put to a prepared question; nothing else can be put.
    async fn put(
        &self,
        call: &Call,
        mut messages: Streaming<FlightData>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let first = messages.message().await.map_err(|_| malformed("The first message is too long, or broken off."))?;
        let first = first.ok_or_else(|| malformed("Nothing was put."))?;
        let descriptor = first.flight_descriptor.as_ref().ok_or_else(|| malformed("What is put has no command."))?;
        let handle = match described(descriptor)? {
            Command::CommandPreparedStatementQuery(command) => command.prepared_statement_handle,
            other => return Err(refuse(&other)),
        };
        // Whose it is comes before what is sent.
        self.0.statements.find(&call.who, &handle, Instant::now())?;
        let values = params::bound(stream::once(std::future::ready(Ok(first))).chain(messages)).await?;
        self.0.statements.bind(&call.who, &handle, values, Instant::now())?;
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) })
    }

    /// Ends what a promise of this door stands for.
    fn cancel(&self, call: &Call, info: Option<&FlightInfo>) -> Result<(), Status> {
        let info = info.ok_or_else(|| malformed("The request to cancel names no execution."))?;
        let tickets = info.endpoint.iter().filter_map(|endpoint| endpoint.ticket.as_ref());
        let promises = tickets.map(Promise::of).collect::<Result<Vec<_>, _>>()?;
        let ended = promises.iter().flatten().filter(|promise| self.0.running.cancel(&call.who, &promise.execution));
        if ended.count() > 0 {
            return Ok(());
        }
        Err(failed(Code::NotFound, "not_running", "This question does not run.", "It has ended, or has not begun."))
    }
}

fn peer<T>(request: &Request<T>) -> Option<Peer> {
    request.extensions().get::<Peer>().cloned()
}

/// Whether companions are asked for.
fn companions(metadata: &MetadataMap) -> Result<bool, Status> {
    let said = metadata.get(COMPANIONS).map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase());
    match said.as_deref() {
        None | Some("false" | "off" | "0") => Ok(false),
        Some("true" | "on" | "1") => Ok(true),
        Some(_) => {
            let text = "The header amanat-companions is neither true nor false.";
            Err(failed(Code::InvalidArgument, "parameter", text, "Send amanat-companions: true, or no such header."))
        }
    }
}

fn no_transaction(id: Option<&Bytes>) -> Result<(), Status> {
    if id.is_none_or(Bytes::is_empty) { Ok(()) } else { Err(no_transactions()) }
}

fn no_transactions() -> Status {
    absent(
        "There are no transactions here.",
        "Ask without one: an edition does not change, so there is nothing to isolate from; leave autocommit on.",
    )
}

fn no_substrait() -> Status {
    absent("Plans of Substrait are not read here.", "Ask in SQL.")
}

/// What a command that is no question and not about the catalogue is refused with.
fn refuse(command: &Command) -> Status {
    match command {
        Command::CommandStatementUpdate(_)
        | Command::CommandPreparedStatementUpdate(_)
        | Command::CommandStatementIngest(_) => read_only(),
        Command::CommandStatementSubstraitPlan(_) => no_substrait(),
        _ => malformed("This command is not known here."),
    }
}

/// A descriptor of a command; none are named by a path here.
fn described(descriptor: &FlightDescriptor) -> Result<Command, Status> {
    command(&descriptor.cmd)
}

fn info(schema: &Schema, ticket: Ticket, descriptor: FlightDescriptor) -> Result<FlightInfo, Status> {
    let info = FlightInfo::new().try_with_schema(schema).map_err(|error| internal(&error))?;
    Ok(info.with_endpoint(FlightEndpoint::new().with_ticket(ticket)).with_descriptor(descriptor).with_ordered(true))
}

fn one<T: Send + 'static>(item: T) -> Items<T> {
    stream::once(std::future::ready(Ok(item))).boxed()
}

#[tonic::async_trait]
impl FlightService for Flight {
    type HandshakeStream = Items<HandshakeResponse>;
    type ListFlightsStream = Items<FlightInfo>;
    type DoGetStream = Items<FlightData>;
    type DoPutStream = Items<PutResult>;
    type DoExchangeStream = Items<FlightData>;
    type DoActionStream = Items<arrow_flight::Result>;
    type ListActionsStream = Items<ActionType>;

    /// Answers a name and a password with the token for the calls that follow, in the header and in the payload: some clients read
    /// the one, some the other.
    async fn handshake(&self, request: Request<Streaming<HandshakeRequest>>) -> Answered<Self::HandshakeStream> {
        let call = self.call(request.metadata(), peer(&request)).await?;
        let bearer = auth::bearer(request.metadata(), call.asker.as_ref(), &self.0.settings.gate)?;
        let value = bearer.parse().map_err(|_| malformed("The key is no text of ASCII."))?;
        let payload = Bytes::from(bearer);
        let mut response = Response::new(one(HandshakeResponse { protocol_version: 0, payload }));
        response.metadata_mut().insert("authorization", value);
        Ok(response)
    }

    async fn list_flights(&self, request: Request<Criteria>) -> Answered<Self::ListFlightsStream> {
        self.call(request.metadata(), peer(&request)).await?;
        Err(absent("Flights are not listed here.", "Ask for tables by Flight SQL (CommandGetTables)."))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Answered<FlightInfo> {
        let call = self.call(request.metadata(), peer(&request)).await?;
        let descriptor = request.into_inner();
        let command = described(&descriptor)?;
        if let Some(asked) = self.asked(&call, &command)? {
            let (schema, promise) = self.promise(&call, asked).await?;
            return info(&schema, promise.ticket()?, descriptor).map(Response::new);
        }
        let refusal = refuse(&command);
        let rows = catalogue::answer(&self.0, command)?.ok_or(refusal)?;
        // What is asked about the catalogue is its own ticket.
        let ticket = Ticket::new(descriptor.cmd.clone());
        info(&rows.schema(), ticket, descriptor).map(Response::new)
    }

    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Answered<PollInfo> {
        self.call(request.metadata(), peer(&request)).await?;
        Err(absent("Questions are not polled here.", "Ask by GetFlightInfo, and take the answer by DoGet."))
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Answered<SchemaResult> {
        let call = self.call(request.metadata(), peer(&request)).await?;
        let command = described(request.get_ref())?;
        let schema = if let Some(asked) = self.asked(&call, &command)? {
            self.schema(&call, &asked, &[]).await?
        } else {
            let refusal = refuse(&command);
            catalogue::answer(&self.0, command)?.ok_or(refusal)?.schema()
        };
        Ok(Response::new(SchemaResult { schema: message(&schema)? }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Answered<Self::DoGetStream> {
        let call = self.call(request.metadata(), peer(&request)).await?;
        let command = command(&request.get_ref().ticket)?;
        if let Command::TicketStatementQuery(ticket) = &command {
            let promise = Promise::read(&ticket.statement_handle)?;
            return self.answered(call, promise).await.map(Response::new);
        }
        if let Some(asked) = self.asked(&call, &command)? {
            let promise = self.promise(&call, asked).await?.1;
            return self.answered(call, promise).await.map(Response::new);
        }
        let refusal = refuse(&command);
        let rows = catalogue::answer(&self.0, command)?.ok_or(refusal)?;
        let schema = rows.schema();
        Ok(Response::new(answer::encoded(vec![rows], schema).boxed()))
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Answered<Self::DoPutStream> {
        let call = self.call(request.metadata(), peer(&request)).await?;
        let late = |_| {
            let text = "What is put did not arrive in time.";
            failed(Code::DeadlineExceeded, "time_limit", text, "Send it again.")
        };
        let put = self.put(&call, request.into_inner());
        let bound = tokio::time::timeout(self.0.settings.answer_timeout, put).await.map_err(late)??;
        Ok(Response::new(one(PutResult { app_metadata: bound.encode_to_vec().into() })))
    }

    async fn do_exchange(&self, request: Request<Streaming<FlightData>>) -> Answered<Self::DoExchangeStream> {
        self.call(request.metadata(), peer(&request)).await?;
        Err(absent("Nothing is exchanged here.", "Ask by GetFlightInfo, and take the answer by DoGet."))
    }

    async fn do_action(&self, request: Request<Action>) -> Answered<Self::DoActionStream> {
        let call = self.call(request.metadata(), peer(&request)).await?;
        let Action { r#type: kind, body: bytes } = request.into_inner();
        let result = |body: Bytes| Ok(Response::new(one(arrow_flight::Result { body })));
        match kind.as_str() {
            CREATE_PREPARED_STATEMENT => result(self.prepare(&call, body(&bytes)?).await?),
            CLOSE_PREPARED_STATEMENT => {
                let request: ActionClosePreparedStatementRequest = body(&bytes)?;
                self.0.statements.close(&call.who, &request.prepared_statement_handle);
                Ok(Response::new(stream::empty().boxed()))
            }
            CANCEL_FLIGHT_INFO => {
                let request = CancelFlightInfoRequest::decode(&*bytes);
                let request = request.map_err(|_| malformed("The body is no request to cancel."))?;
                self.cancel(&call, request.info.as_ref())?;
                result(CancelFlightInfoResult::new(CancelStatus::Cancelled).encode_to_vec().into())
            }
            CANCEL_QUERY => {
                let request: ActionCancelQueryRequest = body(&bytes)?;
                let info = FlightInfo::decode(&*request.info);
                self.cancel(&call, Some(&info.map_err(|_| malformed("The body names no execution."))?))?;
                let cancelled = ActionCancelQueryResult { result: CancelStatus::Cancelled as i32 };
                result(cancelled.as_any().encode_to_vec().into())
            }
            kind if TRANSACTIONS.contains(&kind) => Err(no_transactions()),
            CREATE_PREPARED_SUBSTRAIT_PLAN => Err(no_substrait()),
            _ => Err(malformed("This action is not known here.")),
        }
    }

    async fn list_actions(&self, request: Request<Empty>) -> Answered<Self::ListActionsStream> {
        self.call(request.metadata(), peer(&request)).await?;
        let action =
            |(name, does): (&str, &str)| Ok(ActionType { r#type: name.to_owned(), description: does.to_owned() });
        Ok(Response::new(stream::iter(ACTIONS.map(action)).boxed()))
    }
}
