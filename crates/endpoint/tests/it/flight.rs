//! Clients of Arrow Flight SQL, over real sockets: a real client, and messages of our own where a client would not send them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, ListArray, NullArray, RecordBatch, StringArray, StringViewArray, UInt8Array,
};
use arrow::datatypes::{DataType, Int32Type, Int64Type, Schema};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    Any, CommandGetDbSchemas, CommandGetPrimaryKeys, CommandGetTables, CommandGetXdbcTypeInfo,
    CommandPreparedStatementQuery, CommandStatementQuery, ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{
    Action, CancelFlightInfoRequest, FlightClient, FlightData, FlightDescriptor, FlightInfo, IpcMessage, Ticket,
};
use endpoint::{FlightSettings, Gate, Settings, Tls, serve_flight};
use futures::{StreamExt, TryStreamExt, stream};
use policy::{Grant, Readers, Role, Share, new_reader, new_user};
use proptest::prelude::*;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::world::{real, world};

/// A question that runs until it is ended.
const LONG: &str = "select count(*) from indicator_values a, indicator_values b, indicator_values c, indicator_values d, \
                    indicator_values e where a.value + b.value * c.value > d.value + e.value";

type Client = FlightSqlServiceClient<Channel>;

fn settings() -> FlightSettings {
    FlightSettings::new(random)
}

/// Not random, and not twice the same.
fn random() -> [u8; 32] {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

/// A service with one turn to compute, over two editions.
async fn served(settings: FlightSettings) -> SocketAddr {
    let one = query::Settings { threads: 2, at_once: 1, waiting: 8, ..query::Settings::default() };
    let source: Arc<dyn query::EditionSource> = Arc::clone(&world(2, true, Settings::default()).await.memory) as _;
    let reader = query::Reader::open(source, real().await.reader.catalogue().clone(), one).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_flight(listener, reader, settings, std::future::pending()));
    address
}

fn grant(name: &str) -> Grant<'_> {
    let (role, share) = (Role::Analyst, Share::Ministry);
    Grant { name, role, share, purpose: "test", expires: None, tables: &[] }
}

/// A key of that name, and a gate that knows it.
fn with_key(name: &str) -> (String, Arc<Gate>) {
    let (key, line) = new_reader(grant(name), ([1; 32], [2; 16]));
    (key, Arc::new(Gate::of(Readers::parse(&line).unwrap())))
}

async fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

async fn client(address: SocketAddr) -> Client {
    FlightSqlServiceClient::new(channel(address).await)
}

/// What an error says as gRPC.
fn status(error: arrow_flight::error::FlightError) -> Status {
    match error {
        arrow_flight::error::FlightError::Tonic(status) => *status,
        other => panic!("no status: {other}"),
    }
}

fn said<'s>(status: &'s Status, name: &str) -> &'s str {
    status.metadata().get(name).map_or("", |value| value.to_str().unwrap())
}

fn ticket(info: &FlightInfo) -> Ticket {
    info.endpoint[0].ticket.clone().unwrap()
}

fn promised(info: &FlightInfo) -> Schema {
    Schema::try_from(IpcMessage(info.schema.clone())).unwrap()
}

/// All rows that a promise stands for; they have the schema that was promised.
async fn rows(client: &mut Client, info: FlightInfo) -> RecordBatch {
    let schema = Arc::new(promised(&info));
    let mut stream = client.do_get(ticket(&info)).await.unwrap();
    let batches: Vec<RecordBatch> = (&mut stream).try_collect().await.unwrap();
    assert_eq!(stream.schema(), Some(&schema), "what was promised is what is sent");
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

async fn answer(client: &mut Client, sql: &str) -> RecordBatch {
    let info = client.execute(sql.to_owned(), None).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows(client, info).await
}

/// The status of a question that is refused, be it when it is planned or when it is asked.
async fn refused(client: &mut Client, sql: &str) -> Status {
    match client.execute(sql.to_owned(), None).await {
        Err(error) => status(error),
        Ok(info) => match client.do_get(ticket(&info)).await {
            Err(error) => status(error),
            Ok(_) => panic!("{sql} was answered"),
        },
    }
}

fn texts(column: &ArrayRef) -> Vec<Option<String>> {
    column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_table_may_be_that_of_a_date_which_is_a_value_of_type_date() {
    let mut client = client(served(settings()).await).await;
    let of = |date: &str| format!("select max(edition) as n from published.v01 as known on {date}");
    let rows = answer(&mut client, &of("'2025-01-31'")).await;
    assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[1]);
    assert!(rows.schema().metadata()["amanat.notes"].contains("edition 1, published on 2025-01-15"));
    let mut statement = client.prepare(of("$1"), None).await.unwrap();
    assert_eq!(statement.parameter_schema().unwrap().field(0).data_type(), &DataType::Date32);
    let schema = Arc::new(statement.parameter_schema().unwrap().clone());
    // 2025-02-28, days since 1970.
    let day = RecordBatch::try_new(schema, vec![Arc::new(Date32Array::from(vec![20_147]))]).unwrap();
    statement.set_parameters(day).unwrap();
    let info = statement.execute().await.unwrap();
    let rows = self::rows(&mut client, info).await;
    assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[2]);
    let status = refused(&mut client, &of("'2025-01-14'")).await;
    assert!(status.message().contains("by the end of that date"), "{status}");
}

#[tokio::test]
async fn a_question_is_answered_in_columns() {
    let mut client = client(served(settings()).await).await;
    let sql = "select province, value, as_of from published.v01 where time_period = '2024' and province <> '_T' \
               order by value desc nulls last";
    let rows = answer(&mut client, sql).await;
    assert_eq!(texts(rows.column(0)), ["PK-PB", "PK-SD", "PK-KP"].map(|code| Some(code.to_owned())));
    assert_eq!(rows.column(1).data_type(), &DataType::Decimal128(38, 6));
    assert!(rows.column(1).is_null(2), "what is not shown is NULL");
    assert_eq!(rows.column(2).data_type(), &DataType::Date32);
    let metadata = rows.schema().metadata().clone();
    assert_eq!(metadata["amanat.edition"], "2");
    assert!(metadata["amanat.notice"].starts_with("SYNTHETIC"));
}

#[tokio::test]
async fn what_is_promised_is_what_is_sent() {
    let mut client = client(served(settings()).await).await;
    for sql in [
        "select 1",
        "select null",
        "values (1, 'a'), (2, null)",
        "select upper(province), length(sex), count(*), sum(value), avg(value), max(as_of) from v01 group by 1, 2",
        "select a.code, b.code from reference.province a left join reference.sex b on a.code = b.code",
        "select case when value > 1 then 'x' end, coalesce(value, 0), substr(province, 1, 2) || '!' from v01",
        "select row_number() over (order by time_period), lag(value) over (order by time_period) from v01",
        "select * from v01 where false",
        "select * from indicator_values",
        "select table_name from information_schema.tables",
        "select distinct province from v01 union all select null",
        "select date_trunc('year', as_of), as_of + interval '1 day', cast(value as double) from v01 limit 3",
    ] {
        answer(&mut client, sql).await;
    }
}

#[tokio::test]
async fn a_large_answer_comes_in_pieces_that_clients_take() {
    let mut client = client(served(settings()).await).await;
    let sql = "select a.*, b.note as other from indicator_values a cross join reference.note_dummy b";
    assert_eq!(refused(&mut client, sql).await.code(), Code::InvalidArgument);
    let sql = "select a.*, b.code as other, b.en from indicator_values a cross join reference.note b";
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let sizes: Vec<usize> = {
        let channel = client.inner_mut();
        let stream = channel.do_get(ticket(&info)).await.unwrap().into_inner();
        stream.map_ok(|data| data.data_body.len()).try_collect().await.unwrap()
    };
    assert!(sizes.len() > 3 && sizes.iter().all(|size| *size < 4 << 20), "{sizes:?}");
}

#[tokio::test]
async fn a_refusal_has_a_kind_a_code_and_a_hint() {
    let mut client = client(served(settings()).await).await;
    for (sql, kind, code) in [
        ("select provinz from v01", Code::InvalidArgument, "unknown_column"),
        ("selec 1", Code::InvalidArgument, "syntax"),
        ("select 1; select 2", Code::InvalidArgument, "one_statement"),
        ("insert into v01 values (1)", Code::InvalidArgument, "statement"),
        ("select * from nobody", Code::InvalidArgument, "unknown_table"),
        ("select pg_read_file('x')", Code::InvalidArgument, "unknown_function"),
        ("select 1 / (value - value) from v01", Code::InvalidArgument, "expression"),
        (
            "select a.* from indicator_values a, indicator_values b, indicator_values c",
            Code::ResourceExhausted,
            "row_limit",
        ),
    ] {
        let status = refused(&mut client, sql).await;
        assert_eq!((status.code(), said(&status, "amanat-code")), (kind, code), "{sql}: {status:?}");
        let hint = said(&status, "amanat-hint");
        assert!(!hint.is_empty() && status.message().starts_with(&format!("{code}: ")), "{sql}: {status:?}");
        assert!(status.message().contains("Hint: "), "{sql}: {status:?}");
    }
    let status = refused(&mut client, "select\n provinz from v01").await;
    assert!(status.message().contains("(line 2, column 2)"), "{}", status.message());
}

#[tokio::test]
async fn nothing_can_be_written_and_there_are_no_transactions() {
    let mut client = client(served(settings()).await).await;
    let update = status(client.execute_update("delete from v01".to_owned(), None).await.unwrap_err());
    assert_eq!((update.code(), said(&update, "amanat-code")), (Code::InvalidArgument, "statement"));
    let begun = status(client.begin_transaction().await.unwrap_err());
    assert_eq!(begun.code(), Code::Unimplemented);
    assert!(begun.message().contains("no transactions") && begun.message().contains("autocommit"), "{begun:?}");
    let within = status(client.execute("select 1".to_owned(), Some("x".into())).await.unwrap_err());
    assert_eq!(within.code(), Code::Unimplemented);
    let command = arrow_flight::sql::CommandStatementIngest { table: "v01".to_owned(), ..Default::default() };
    let ingested = client.execute_ingest(command, stream::iter([Ok(row(vec![("a", int(1))]))])).await;
    assert_eq!(status(ingested.unwrap_err()).code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_key_is_proven_and_nobody_learns_which_names_there_are() {
    let (key, gate) = with_key("ministry-01");
    let address = served(FlightSettings { gate, ..settings() }).await;
    let mut known = client(address).await;
    let payload = known.handshake("ministry-01", &key).await.unwrap();
    let token = known.token().cloned().expect("a token in the header");
    assert_eq!(payload, format!("Bearer {token}"), "and in the payload");
    answer(&mut known, "select 1").await;
    let mut bearer = client(address).await;
    bearer.set_token(key.clone());
    answer(&mut bearer, "select 1").await;
    for (name, key) in [("ministry-01", format!("{key}0")), ("ministry-02", key.clone()), ("nobody", String::new())] {
        let error = client(address).await.handshake(name, &key).await.unwrap_err().to_string();
        assert!(
            error.contains("no key and no password that is known here") && error.contains("amanat key new"),
            "{error}"
        );
        assert!(!error.contains(name), "{error}");
    }
    let mut wrong = client(address).await;
    wrong.set_token(format!("{key}0"));
    let status = status(wrong.execute("select 1".to_owned(), None).await.unwrap_err());
    assert_eq!((status.code(), said(&status, "amanat-code")), (Code::Unauthenticated, "key_needed"));
    let mut public = client(address).await;
    public.handshake("public", "").await.unwrap();
    answer(&mut public, "select 1").await;
}

#[tokio::test]
async fn an_account_shakes_hands_by_its_password_and_is_given_a_token() {
    let line = new_user(grant("analyst-7"), "correct horse battery", [[1; 16], [2; 16]]).unwrap();
    let gate = Arc::new(Gate::of(Readers::parse(&line).unwrap()));
    let address = served(FlightSettings { gate: Arc::clone(&gate), ..settings() }).await;
    let mut known = client(address).await;
    known.handshake("analyst-7", "correct horse battery").await.unwrap();
    let token = known.token().cloned().unwrap();
    assert!(!token.contains("horse"), "a session, not the password");
    answer(&mut known, "select 1").await;
    gate.replace(Readers::default());
    let gone = status(known.execute("select 1".to_owned(), None).await.unwrap_err());
    assert_eq!(gone.code(), Code::Unauthenticated, "who is taken out is out at once");
}

async fn tables(client: &mut Client, command: CommandGetTables) -> RecordBatch {
    let info = client.get_tables(command).await.unwrap();
    rows(client, info).await
}

#[tokio::test]
async fn tables_are_listed_with_what_they_say_of_themselves() {
    let mut client = client(served(settings()).await).await;
    let pattern = |schema: &str, table: &str| CommandGetTables {
        db_schema_filter_pattern: Some(schema.to_owned()),
        table_name_filter_pattern: Some(table.to_owned()),
        include_schema: true,
        ..CommandGetTables::default()
    };
    let found = tables(&mut client, pattern("publ%", "_01")).await;
    assert_eq!(texts(found.column(2)), ["c01", "v01"].map(|name| Some(name.to_owned())));
    assert_eq!(texts(found.column(0))[0].as_deref(), Some("amanat"));
    let schema = found.column(4).as_binary::<i32>().value(1);
    let schema = Schema::try_from(IpcMessage(schema.to_vec().into())).unwrap();
    assert!(schema.metadata()["comment"].contains("Identified victims"), "{schema:?}");
    let province = schema.field_with_name("province").unwrap();
    assert!(province.metadata()["comment"].contains("codes in reference.province"), "{province:?}");
    assert_eq!(province.metadata()["amanat.code_list"], "reference.province");
    let answered = answer(&mut client, "select * from v01 where false").await.schema();
    let types = |schema: &Schema| schema.fields().iter().map(|f| f.data_type().clone()).collect::<Vec<_>>();
    assert_eq!(types(&schema), types(&answered));
    assert_eq!(tables(&mut client, pattern("nothing", "%")).await.num_rows(), 0);
    let system = CommandGetTables { table_types: vec!["SYSTEM TABLE".to_owned()], ..CommandGetTables::default() };
    let system = tables(&mut client, system).await;
    assert!(texts(system.column(1)).iter().all(|schema| schema.as_deref() == Some("information_schema")));
    assert!(system.num_rows() > 0);
    let elsewhere = CommandGetTables { catalog: Some("other".to_owned()), ..CommandGetTables::default() };
    assert_eq!(tables(&mut client, elsewhere).await.num_rows(), 0);
}

#[tokio::test]
async fn drivers_find_what_they_ask_when_they_connect() {
    let mut client = client(served(settings()).await).await;
    let info = client.get_catalogs().await.unwrap();
    assert_eq!(texts(rows(&mut client, info).await.column(0)), [Some("amanat".to_owned())]);
    let info = client.get_db_schemas(CommandGetDbSchemas::default()).await.unwrap();
    let schemas = texts(rows(&mut client, info).await.column(1));
    assert!(
        ["information_schema", "published", "reference"].iter().all(|name| schemas.contains(&Some((*name).to_owned())))
    );
    let info = client.get_table_types().await.unwrap();
    assert_eq!(rows(&mut client, info).await.num_rows(), 2);
    let info = client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: None }).await.unwrap();
    assert!(rows(&mut client, info).await.num_rows() > 5);
    let info = client.get_sql_info(vec![]).await.unwrap();
    assert!(rows(&mut client, info).await.num_rows() > 60);
    let info = client.get_sql_info(vec![SqlInfo::FlightSqlServerReadOnly, SqlInfo::FlightSqlServerName]).await.unwrap();
    assert_eq!(rows(&mut client, info).await.num_rows(), 2);
    let keys = CommandGetPrimaryKeys { table: "v01".to_owned(), ..Default::default() };
    let info = client.get_primary_keys(keys).await.unwrap();
    let found = rows(&mut client, info).await;
    assert_eq!((found.num_rows(), found.num_columns()), (0, 6));
}

#[tokio::test]
async fn the_types_of_values_and_columns_are_told_before_there_are_values() {
    let mut client = client(served(settings()).await).await;
    let sql = "select province, value from v01 where time_period = ? and value > ? and as_of > ? limit ?";
    let mut statement = client.prepare(sql.to_owned(), None).await.unwrap();
    let types = |schema: &Schema| schema.fields().iter().map(|f| f.data_type().clone()).collect::<Vec<_>>();
    let parameters = types(statement.parameter_schema().unwrap());
    assert_eq!(
        (&parameters[0], &parameters[2], &parameters[3]),
        (&DataType::Utf8, &DataType::Date32, &DataType::Int64)
    );
    assert!(parameters[1].is_decimal(), "{parameters:?}");
    assert_eq!(types(statement.dataset_schema().unwrap()), [DataType::Utf8, DataType::Decimal128(38, 6)]);
    let decimal = Decimal128Array::from(vec![100_000_000]).with_precision_and_scale(38, 6).unwrap();
    let values = row(vec![
        ("1", Arc::new(StringArray::from(vec!["2024"])) as ArrayRef),
        ("2", Arc::new(decimal)),
        ("3", Arc::new(Date32Array::from(vec![18_262]))),
        ("4", int(5)),
    ]);
    statement.set_parameters(values).unwrap();
    let info = statement.execute().await.unwrap();
    assert_eq!(texts(rows(&mut client, info).await.column(0)), [Some("PK-PB".to_owned())]);
    statement.close().await.unwrap();
}

fn row(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn int(value: i64) -> ArrayRef {
    Arc::new(Int64Array::from(vec![value]))
}

/// What a question about one value answers, bound as this array.
async fn echoed(client: &mut Client, sql: &str, value: ArrayRef) -> Result<RecordBatch, Status> {
    let mut statement = client.prepare(sql.to_owned(), None).await.unwrap();
    statement.set_parameters(RecordBatch::try_from_iter_with_nullable([("v", value, true)]).unwrap()).unwrap();
    let info = statement.execute().await.map_err(status)?;
    let found = rows(client, info).await;
    statement.close().await.unwrap();
    Ok(found)
}

#[tokio::test]
async fn values_of_any_scalar_type_are_bound() {
    let mut client = client(served(settings()).await).await;
    let words: DictionaryArray<Int32Type> = vec![Some("b")].into_iter().collect();
    for (value, expected) in [
        (Arc::new(StringArray::from(vec!["b"])) as ArrayRef, Some("b")),
        (
            Arc::new(StringViewArray::from(vec!["a rather long text that lies in a buffer"])),
            Some("a rather long text that lies in a buffer"),
        ),
        (Arc::new(words), Some("b")),
        (Arc::new(NullArray::new(1)), None),
        (Arc::new(StringArray::from(vec![None::<&str>])), None),
    ] {
        let found = echoed(&mut client, "select cast(? as text) as v", value).await.unwrap();
        assert_eq!(texts(found.column(0)), [expected.map(str::to_owned)]);
    }
    for value in [
        Arc::new(Int32Array::from(vec![7])) as ArrayRef,
        Arc::new(UInt8Array::from(vec![7])),
        int(7),
        Arc::new(Float64Array::from(vec![7.0])),
        Arc::new(Decimal128Array::from(vec![700]).with_precision_and_scale(10, 2).unwrap()),
    ] {
        let found = echoed(&mut client, "select cast(? as bigint) as v", value).await.unwrap();
        assert_eq!(found.column(0).as_primitive::<Int64Type>().value(0), 7);
    }
    let found =
        echoed(&mut client, "select cast(? as boolean) or false as v", Arc::new(BooleanArray::from(vec![true])))
            .await
            .unwrap();
    assert!(found.column(0).as_boolean().value(0));
}

#[tokio::test]
async fn what_is_no_single_value_is_refused() {
    let mut client = client(served(settings()).await).await;
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), Some(2)])]);
    for value in [
        Arc::new(list) as ArrayRef,
        Arc::new(Int64Array::from(vec![1, 2])),
        Arc::new(Float64Array::from(vec![f64::INFINITY])),
        Arc::new(StringArray::from(vec!["x".repeat(70_000)])),
    ] {
        let refused = echoed(&mut client, "select ? as v", Arc::clone(&value)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{}: {refused:?}", value.data_type());
    }
}

/// Prepares a question and gives its handle.
async fn prepared(client: &mut Client, sql: &str) -> bytes::Bytes {
    let request = ActionCreatePreparedStatementRequest { query: sql.to_owned(), transaction_id: None };
    let action = Action::new("CreatePreparedStatement", request.as_any().encode_to_vec());
    let result = client.do_action(action).await.unwrap().message().await.unwrap().unwrap();
    let made: ActionCreatePreparedStatementResult = Any::decode(&*result.body).unwrap().unpack().unwrap().unwrap();
    made.prepared_statement_handle
}

/// Takes a prepared question for its rows.
async fn taken(client: &mut Client, handle: bytes::Bytes) -> Result<FlightInfo, Status> {
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let mut request = tonic::Request::new(descriptor);
    if let Some(token) = client.token() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    Ok(client.inner_mut().get_flight_info(request).await?.into_inner())
}

#[tokio::test]
async fn a_statement_that_somebody_else_prepared_is_not_there() {
    let (key, gate) = with_key("ministry-01");
    let address = served(FlightSettings { gate, ..settings() }).await;
    let (mut own, mut public) = (client(address).await, client(address).await);
    own.set_token(key);
    let handle = prepared(&mut own, "select 1").await;
    assert_eq!(taken(&mut public, handle.clone()).await.unwrap_err().code(), Code::NotFound);
    let close = ActionClosePreparedStatementRequest { prepared_statement_handle: handle.clone() };
    let close = Action::new("ClosePreparedStatement", close.as_any().encode_to_vec());
    drop(public.do_action(close.clone()).await.unwrap());
    let info = taken(&mut own, handle.clone()).await.expect("nobody else closes it");
    // The ticket asks what it says, as whoever brings it.
    rows(&mut public, info).await;
    drop(own.do_action(close).await.unwrap());
    assert_eq!(taken(&mut own, handle).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn there_are_so_many_prepared_statements_and_no_more() {
    let mut client = client(served(settings()).await).await;
    for _ in 0..100 {
        prepared(&mut client, "select 1").await;
    }
    let error = client.prepare("select 1".to_owned(), None).await.map(|_| ()).unwrap_err();
    assert_eq!(status(error).code(), Code::ResourceExhausted);
}

/// Asks at once who has the turn: in time, if nobody has.
async fn turn_is_free(address: SocketAddr) {
    let mut client = client(address).await;
    let free = tokio::time::timeout(Duration::from_secs(20), answer(&mut client, "select 1"));
    free.await.expect("the turn is free again");
}

#[tokio::test]
async fn who_leaves_in_the_middle_leaves_no_work_behind() {
    let address = served(settings()).await;
    let mut gone = client(address).await;
    let info = gone.execute(LONG.to_owned(), None).await.unwrap();
    let asked = tokio::time::timeout(Duration::from_millis(300), gone.do_get(ticket(&info))).await;
    assert!(asked.is_err(), "it runs until it is ended");
    turn_is_free(address).await;
}

#[tokio::test]
async fn a_question_is_ended_by_another_call_of_who_asked_it() {
    let (key, gate) = with_key("ministry-01");
    let address = served(FlightSettings { gate, ..settings() }).await;
    let mut asking = client(address).await;
    asking.set_token(key.clone());
    let info = asking.execute(LONG.to_owned(), None).await.unwrap();
    let asked = tokio::spawn({
        let ticket = ticket(&info);
        async move { asking.do_get(ticket).await.map(|_| ()) }
    });
    // It runs when the one turn that there is is taken.
    let mut waiting = client(address).await;
    while tokio::time::timeout(Duration::from_millis(100), answer(&mut waiting, "select 1")).await.is_ok() {}
    let mut stranger = FlightClient::new(channel(address).await);
    let request = || CancelFlightInfoRequest::new(info.clone());
    assert_eq!(status(stranger.cancel_flight_info(request()).await.unwrap_err()).code(), Code::NotFound);
    let mut other = FlightClient::new(channel(address).await);
    other.add_header("authorization", &format!("Bearer {key}")).unwrap();
    let cancelled = other.cancel_flight_info(request()).await.unwrap();
    assert_eq!(cancelled.status(), arrow_flight::CancelStatus::Cancelled);
    let status = status(asked.await.unwrap().unwrap_err());
    assert_eq!((status.code(), said(&status, "amanat-code")), (Code::Cancelled, "cancelled"));
    turn_is_free(address).await;
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_loses_it_and_its_turn() {
    let address = served(FlightSettings { answer_timeout: Duration::from_millis(300), ..settings() }).await;
    let mut slow = client(address).await;
    // More than the buffers of a connection hold.
    let sql = "select a.*, b.code as other, c.en from indicator_values a cross join reference.note b \
               cross join reference.note c limit 100000";
    let info = slow.execute(sql.to_owned(), None).await.unwrap();
    let mut stream = slow.do_get(ticket(&info)).await.unwrap();
    stream.next().await.unwrap().expect("the first piece");
    turn_is_free(address).await;
    let rest: Result<Vec<RecordBatch>, _> = stream.try_collect().await;
    assert_eq!(status(rest.expect_err("an answer that is broken off is no answer")).code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn who_does_not_come_back_for_an_answer_loses_its_connection() {
    let short = Duration::from_millis(150);
    let address = served(FlightSettings { answer_timeout: short, grace: short, ..settings() }).await;
    // Between the two, to see which side ends: the client's library would stay, and answer each ping.
    let between = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = between.local_addr().unwrap();
    let left = tokio::spawn(async move {
        let mut asking = between.accept().await.unwrap().0;
        let mut answering = TcpStream::connect(address).await.unwrap();
        let (mut from_client, mut to_client) = asking.split();
        let (mut from_server, mut to_server) = answering.split();
        tokio::select! {
            _ = tokio::io::copy(&mut from_server, &mut to_client) => true,
            _ = tokio::io::copy(&mut from_client, &mut to_server) => false,
        }
    });
    let mut slow = client(at).await;
    let sql = "select a.*, b.code as other, c.en from indicator_values a cross join reference.note b \
               cross join reference.note c limit 100000";
    let info = slow.execute(sql.to_owned(), None).await.unwrap();
    let stream = slow.do_get(ticket(&info)).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_mins(1), left).await.expect("the connection ends").unwrap();
    assert!(ended, "the service ends it, not the client");
    drop(stream);
    answer(&mut client(address).await, "select 1").await;
}

#[tokio::test]
async fn junk_is_refused_and_the_service_goes_on() {
    let address = served(settings()).await;
    let mut client = client(address).await;
    let handle = prepared(&mut client, "select ? as v").await;
    let inner = client.inner_mut();
    let ask = |bytes: &[u8]| FlightDescriptor::new_cmd(bytes.to_vec());
    let cut = CommandStatementQuery { query: "select 1".to_owned(), transaction_id: None }.as_any().encode_to_vec();
    let odd = Any {
        type_url: "type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery".to_owned(),
        value: vec![255; 9].into(),
    };
    let unknown = Any { type_url: "x".to_owned(), value: vec![1].into() };
    for bytes in [&b"junk"[..], &[], &cut[..cut.len() - 3], &odd.encode_to_vec(), &unknown.encode_to_vec()] {
        let info = inner.get_flight_info(ask(bytes)).await.unwrap_err();
        assert_eq!(info.code(), Code::InvalidArgument, "{info:?}");
        assert_eq!(inner.get_schema(ask(bytes)).await.unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(
            inner.do_get(Ticket::new(bytes.to_vec())).await.map(|_| ()).unwrap_err().code(),
            Code::InvalidArgument
        );
        for action in ["CreatePreparedStatement", "ClosePreparedStatement", "CancelFlightInfo", "CancelQuery", "x"] {
            let done = inner.do_action(Action::new(action, bytes.to_vec())).await.map(|_| ()).unwrap_err();
            assert!([Code::InvalidArgument, Code::NotFound].contains(&done.code()), "{action}: {done:?}");
        }
        let put = FlightData { flight_descriptor: Some(ask(bytes)), ..FlightData::default() };
        let put = inner.do_put(stream::iter([put])).await.map(|_| ()).unwrap_err();
        assert_eq!(put.code(), Code::InvalidArgument);
    }
    let made_up = TicketStatementQuery { statement_handle: b"{}".to_vec().into() };
    let made_up = inner.do_get(Ticket::new(made_up.as_any().encode_to_vec())).await.map(|_| ()).unwrap_err();
    assert_eq!(made_up.code(), Code::InvalidArgument);
    let huge = inner.get_flight_info(ask(&vec![b'x'; 1 << 20])).await.unwrap_err();
    assert_eq!((huge.code(), said(&huge, "amanat-code")), (Code::InvalidArgument, "malformed"), "{huge:?}");
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle };
    for header in [&b"junk"[..], &[0; 64], &[255; 64]] {
        let put = FlightData {
            flight_descriptor: Some(ask(&command.as_any().encode_to_vec())),
            data_header: header.to_vec().into(),
            data_body: vec![1; 100].into(),
            ..FlightData::default()
        };
        assert_eq!(inner.do_put(stream::iter([put])).await.map(|_| ()).unwrap_err().code(), Code::InvalidArgument);
    }
    let put = FlightData { data_body: vec![1; 1 << 20].into(), ..FlightData::default() };
    assert_eq!(inner.do_put(stream::iter([put])).await.map(|_| ()).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(inner.do_put(stream::empty()).await.map(|_| ()).unwrap_err().code(), Code::InvalidArgument);
    answer(&mut client, "select 1").await;
}

#[tokio::test]
async fn bytes_of_another_protocol_end_their_own_connection_and_nothing_else() {
    let address = served(settings()).await;
    for junk in [
        &b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..],
        &[0; 64],
        &[255; 200],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(junk).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut all = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut all)).await.expect("it ends");
        assert!(all.len() < 1_000, "{all:?}");
    }
    turn_is_free(address).await;
}

#[tokio::test]
async fn there_are_so_many_connections_and_no_more() {
    let address = served(FlightSettings { connections: 1, ..settings() }).await;
    let mut first = client(address).await;
    answer(&mut first, "select 1").await;
    let second = async {
        let mut second =
            FlightSqlServiceClient::new(Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy());
        second.execute("select 1".to_owned(), None).await.map(|_| ())
    };
    assert!(second.await.is_err());
    drop(first);
    let again = async {
        loop {
            let mut next =
                FlightSqlServiceClient::new(Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy());
            if next.execute("select 1".to_owned(), None).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("a place is free again");
}

#[tokio::test]
async fn a_client_that_speaks_tls_is_encrypted_and_names_the_protocol() {
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = Some(Tls::read(&certificate, &key).unwrap());
    let address = served(FlightSettings { tls, ..settings() }).await;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "its settings");
    // In the clear nobody is answered.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut all = Vec::new();
    let _ = plain.read_to_end(&mut all).await;
    assert!(all.first().is_none_or(|first| *first != 0), "{all:?}");
}

/// The messages of a row that is bound.
fn messages(batch: RecordBatch) -> Vec<FlightData> {
    let encoded = FlightDataEncoderBuilder::new()
        .with_dictionary_handling(arrow_flight::encode::DictionaryHandling::Resend)
        .build(stream::iter([Ok(batch)]));
    futures::executor::block_on(encoded.try_collect()).unwrap()
}

/// A row of every kind of value.
fn mixed() -> RecordBatch {
    let words: DictionaryArray<Int32Type> = vec![Some("b")].into_iter().collect();
    row(vec![
        ("1", Arc::new(StringArray::from(vec!["2024"])) as ArrayRef),
        ("2", Arc::new(Decimal128Array::from(vec![1]).with_precision_and_scale(38, 6).unwrap())),
        ("3", Arc::new(words)),
        ("4", Arc::new(StringViewArray::from(vec!["a rather long text that lies in a buffer"]))),
        ("5", Arc::new(BooleanArray::from(vec![Some(true)]))),
    ])
}

#[tokio::test]
async fn whatever_one_byte_of_a_bound_rows_headers_becomes_it_is_refused_or_read() {
    let mut client = client(served(settings()).await).await;
    let handle = prepared(&mut client, "select 1").await;
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle };
    let command = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let whole = messages(mixed());
    let places =
        whole.iter().enumerate().flat_map(|(at, part)| (0..part.data_header.len()).map(move |byte| (at, byte)));
    for ((at, byte), to) in places.flat_map(|place| [0, 1, 2, 255].map(|to| (place, to))) {
        let mut changed = whole.clone();
        let mut header = changed[at].data_header.to_vec();
        header[byte] = to;
        changed[at].data_header = header.into();
        changed[0].flight_descriptor = Some(command.clone());
        let put = client.inner().clone().do_put(stream::iter(changed)).await;
        if let Err(status) = put.map(|_| ()) {
            assert_eq!(status.code(), Code::InvalidArgument, "message {at}, byte {byte} = {to}: {status:?}");
        }
    }
}

#[test]
fn changed_bytes_of_a_bound_row_are_refused_or_read_and_break_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (client, handle) = runtime.block_on(async {
        let mut client = client(served(settings()).await).await;
        let handle = prepared(&mut client, "select 1").await;
        (client, handle)
    });
    let command = CommandPreparedStatementQuery { prepared_statement_handle: handle };
    let command = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let whole = messages(mixed());
    let changes =
        proptest::collection::vec((0..whole.len(), any::<bool>(), any::<prop::sample::Index>(), any::<u8>()), 1..4);
    let config = ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(changes in changes)| {
        let mut changed = whole.clone();
        for (at, in_header, index, to) in changes {
            let part = if in_header { &mut changed[at].data_header } else { &mut changed[at].data_body };
            if !part.is_empty() {
                let mut bytes = part.to_vec();
                let index = index.index(bytes.len());
                bytes[index] = to;
                *part = bytes.into();
            }
        }
        changed[0].flight_descriptor = Some(command.clone());
        let put = runtime.block_on(client.inner().clone().do_put(stream::iter(changed)));
        if let Err(status) = put.map(|_| ()) {
            prop_assert_eq!(status.code(), Code::InvalidArgument, "{:?}", status);
        }
    });
}
