//! Clients of PostgreSQL, over real sockets: a real client, and bytes of our own where a client would not send them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use endpoint::{Gate, PostgresSettings, Settings, Tls};
use futures::StreamExt;
use policy::{Grant, Readers, Role, Share, new_reader, new_user};
use rust_decimal::Decimal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::world::{real, world};

/// A question that runs until it is ended.
const LONG: &str = "select count(*) from indicator_values a, indicator_values b, indicator_values c, indicator_values d, \
                    indicator_values e where a.value + b.value * c.value > d.value + e.value";

fn settings() -> PostgresSettings {
    PostgresSettings::new(|| [7; 32])
}

/// A service with one turn to compute, over two editions.
async fn served(settings: PostgresSettings) -> SocketAddr {
    let one = query::Settings { threads: 2, at_once: 1, waiting: 8, ..query::Settings::default() };
    let source: Arc<dyn query::EditionSource> = Arc::clone(&world(2, true, Settings::default()).await.memory) as _;
    let reader = query::Reader::open(source, real().await.reader.catalogue().clone(), one).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(endpoint::serve_postgres(listener, reader, settings, std::future::pending()));
    address
}

fn config(address: SocketAddr, user: &str) -> Config {
    let mut config = Config::new();
    config.host(address.ip().to_string()).port(address.port()).user(user).dbname("amanat");
    config
}

async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn public(address: SocketAddr) -> Client {
    connect(&config(address, "public")).await.unwrap()
}

/// What an error says: its SQLSTATE, its text and its hint.
fn said(error: &tokio_postgres::Error) -> (String, String, String) {
    let error = error.as_db_error().unwrap_or_else(|| panic!("{error}"));
    let hint = error.hint().unwrap_or_default().to_owned();
    (error.code().code().to_owned(), error.message().to_owned(), hint)
}

fn texts(messages: &[SimpleQueryMessage]) -> Vec<String> {
    let row = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            let cells = (0..row.len()).map(|at| row.get(at).unwrap_or("NULL"));
            Some(cells.collect::<Vec<_>>().join("|"))
        }
        _ => None,
    };
    messages.iter().filter_map(row).collect()
}

#[tokio::test]
async fn a_question_is_answered_in_text_and_in_binary() {
    let client = public(served(settings()).await).await;
    let sql = "select province, value, as_of from published.v01 where time_period = '2024' and province <> '_T' \
               order by value desc nulls last";
    let answer = client.simple_query(sql).await.unwrap();
    assert_eq!(texts(&answer), ["PK-PB|121|2024-12-31", "PK-SD|81|2024-12-31", "PK-KP|NULL|2024-12-31"]);
    let rows = client.query(sql, &[]).await.unwrap();
    assert_eq!(rows[0].get::<_, &str>(0), "PK-PB");
    assert_eq!(rows[0].get::<_, Decimal>(1), Decimal::from(121));
    assert_eq!(rows[2].get::<_, Option<Decimal>>(1), None);
    assert_eq!(rows[0].get::<_, NaiveDate>(2), NaiveDate::from_ymd_opt(2024, 12, 31).unwrap());
}

#[tokio::test]
async fn the_types_of_values_and_columns_are_told_before_there_are_values() {
    let client = public(served(settings()).await).await;
    let sql = "select province, value, count(*) over () as n from v01 where time_period = $1 and value > $2 and as_of > $3 limit $4";
    let statement = client.prepare(sql).await.unwrap();
    let types: Vec<&str> = statement.params().iter().map(tokio_postgres::types::Type::name).collect();
    assert_eq!(types, ["text", "numeric", "date", "int8"]);
    let columns: Vec<(&str, &str)> = statement.columns().iter().map(|c| (c.name(), c.type_().name())).collect();
    assert_eq!(columns, [("province", "text"), ("value", "numeric"), ("n", "int8")]);
    let day = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
    let rows = client.query(&statement, &[&"2024", &Decimal::from(100), &day, &5_i64]).await.unwrap();
    assert_eq!(rows.len(), 1);
    let none = client.query(&statement, &[&"2024", &None::<Decimal>, &day, &5_i64]).await.unwrap();
    assert!(none.is_empty(), "nothing is greater than NULL");
}

#[tokio::test]
async fn a_table_may_be_that_of_a_date_which_is_a_value_of_type_date() {
    let client = public(served(settings()).await).await;
    let sql = "select a.value, b.value from published.v01 as known on $1 as a join published.v01 as known on $2 b \
               using (province, time_period) where b.province = 'PK-PB' and b.time_period = '2022'";
    let statement = client.prepare(sql).await.unwrap();
    let types: Vec<&str> = statement.params().iter().map(tokio_postgres::types::Type::name).collect();
    assert_eq!(types, ["date", "date"]);
    let day = |month, day| NaiveDate::from_ymd_opt(2025, month, day).unwrap();
    let rows = client.query(&statement, &[&day(1, 31), &day(2, 28)]).await.unwrap();
    assert_eq!((rows[0].get::<_, Decimal>(0), rows[0].get::<_, Decimal>(1)), (Decimal::from(100), Decimal::from(101)));
    let literal = "select max(edition) from published.indicator_values AS KNOWN ON DATE '2025-01-31'";
    assert_eq!(texts(&client.simple_query(literal).await.unwrap()), ["1"]);
    let copied = client.copy_out(&*format!("copy ({literal}) to stdout")).await.unwrap();
    let copied: Vec<_> = copied.map(Result::unwrap).collect().await;
    assert_eq!(copied.concat(), b"1\n");
    let error = client.query(&statement, &[&day(1, 14), &day(2, 28)]).await.unwrap_err();
    let (state, text, hint) = said(&error);
    assert_eq!(state, "22023");
    assert!(text.contains("[no_edition_on_date]") && hint.contains("1 on 2025-01-15"), "{text} {hint}");
    let position = error.as_db_error().unwrap().position();
    assert_eq!(position, Some(&tokio_postgres::error::ErrorPosition::Original(56)));
}

#[tokio::test]
async fn a_refusal_has_an_sqlstate_a_hint_and_a_place() {
    let client = public(served(settings()).await).await;
    let error = client.simple_query("select 1;\nselect provinz from v01").await.unwrap_err();
    let (state, text, _) = said(&error);
    assert_eq!(state, "42703");
    assert!(text.contains("provinz") && text.contains("[unknown_column]"), "{text}");
    let position = error.as_db_error().unwrap().position();
    assert_eq!(position, Some(&tokio_postgres::error::ErrorPosition::Original(18)));
    for (sql, state) in [
        ("selec 1", "42601"),
        ("insert into v01 values (1)", "25006"),
        ("drop table v01", "25006"),
        ("select * from nobody", "42P01"),
        ("select pg_read_file('x')", "42883"),
        ("copy v01 from stdin", "25006"),
        ("copy (select 1) to '/tmp/x'", "25006"),
        ("copy (select 1) to program 'true'", "25006"),
        ("show nothing", "42704"),
        ("set client_encoding = 'latin1'", "22023"),
        ("set role postgres", "42501"),
        ("fetch 1 from nothing", "34000"),
        ("execute nothing", "26000"),
    ] {
        let (found, _, hint) = said(&client.simple_query(sql).await.unwrap_err());
        assert_eq!(found, state, "{sql}");
        assert!(!hint.is_empty() || ["34000", "26000"].contains(&state), "{sql} leaves its asker without a next step");
    }
    client.simple_query("select 1").await.expect("an error ends no session");
}

fn grant(name: &str) -> Grant<'_> {
    let (role, share) = (Role::Analyst, Share::Ministry);
    Grant { name, role, share, purpose: "test", expires: None, tables: &[] }
}

fn gate_of(lines: &str) -> Arc<Gate> {
    Arc::new(Gate::of(Readers::parse(lines).unwrap()))
}

#[tokio::test]
async fn an_account_is_proven_by_its_password_and_who_guesses_is_locked_out() {
    let line = new_user(grant("analyst-7"), "correct horse battery", [[1; 16], [2; 16]]).unwrap();
    let gate = gate_of(&line);
    let address = served(PostgresSettings { gate: Arc::clone(&gate), ..settings() }).await;
    let come = |password: &'static str| async move {
        connect(config(address, "analyst-7").password(password)).await.map(drop).map_err(|error| said(&error).0)
    };
    assert_eq!(come("correct horse battery").await, Ok(()));
    for _ in 0..5 {
        assert_eq!(come("guess").await, Err("28P01".to_owned()));
    }
    assert_eq!(come("correct horse battery").await, Err("28P01".to_owned()), "not even the right one, for a while");
}

#[tokio::test]
async fn who_is_taken_out_asks_nothing_more_in_a_session_that_is_open() {
    let (key, line) = new_reader(grant("ministry-01"), ([1; 32], [2; 16]));
    let gate = gate_of(&line);
    let address = served(PostgresSettings { gate: Arc::clone(&gate), ..settings() }).await;
    let client = connect(config(address, "ministry-01").password(&key)).await.unwrap();
    client.simple_query("select count(*) from published.v01").await.unwrap();
    gate.replace(Readers::default());
    let refused = said(&client.simple_query("select count(*) from published.v01").await.unwrap_err());
    assert_eq!(refused.0, "42501");
}

#[tokio::test]
async fn a_key_is_proven_and_nobody_learns_which_names_there_are() {
    let (key, line) = new_reader(grant("ministry-01"), ([1; 32], [2; 16]));
    let address = served(PostgresSettings { gate: gate_of(&line), ..settings() }).await;
    let client = connect(config(address, "ministry-01").password(&key)).await.unwrap();
    assert_eq!(texts(&client.simple_query("select 1").await.unwrap()), ["1"]);
    let refused = |user: &'static str, key: String| async move {
        let error = connect(config(address, user).password(key)).await.map(|_| ()).unwrap_err();
        let (state, text, hint) = said(&error);
        assert!(hint.contains("amanat key new"), "{hint}");
        (state, text.replace(user, "…"))
    };
    let wrong = refused("ministry-01", format!("{key}0")).await;
    let nobody = refused("ministry-02", key.clone()).await;
    assert_eq!(wrong, nobody);
    assert_eq!(wrong.0, "28P01");
    assert!(connect(config(address, "public").password("whatever")).await.is_ok(), "public needs no key");
}

#[tokio::test]
async fn a_portal_gives_its_rows_in_parts() {
    let mut client = public(served(settings()).await).await;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("select code from reference.note order by code", &[]).await.unwrap();
    let mut codes: Vec<String> = Vec::new();
    loop {
        let rows = transaction.query_portal(&portal, 25).await.unwrap();
        if rows.is_empty() {
            break;
        }
        assert!(rows.len() <= 25);
        codes.extend(rows.iter().map(|row| row.get(0)));
    }
    assert_eq!((codes.len(), codes[0].as_str(), codes[59].as_str()), (60, "N00", "N59"));
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_cursor_lives_in_its_transaction_and_can_be_described() {
    let client = public(served(settings()).await).await;
    let outside = client.simple_query("declare c cursor for select 1").await.unwrap_err();
    assert_eq!(said(&outside).0, "25P01");
    let all = client
        .simple_query(
            "begin read only; declare c scroll cursor for select code from reference.note order by code; \
             fetch 2 from c; move forward 3 in c; fetch backward 1 from c; fetch last c; commit",
        )
        .await
        .unwrap();
    assert_eq!(texts(&all), ["N00", "N01", "N03", "N59"]);
    assert_eq!(said(&client.simple_query("fetch 1 from c").await.unwrap_err()).0, "34000");
    client.simple_query("declare h cursor with hold for values (1), (2)").await.unwrap();
    assert_eq!(texts(&client.simple_query("fetch all from h; close h").await.unwrap()), ["1", "2"]);
}

#[tokio::test]
async fn transactions_and_settings_succeed_and_change_no_answer() {
    let client = public(served(settings()).await).await;
    for sql in [
        "begin",
        "savepoint a",
        "release savepoint a",
        "rollback to a",
        "commit",
        "start transaction isolation level serializable, read only",
        "rollback",
        "abort",
        "set session characteristics as transaction read only",
        "set extra_float_digits = 3",
        "set datestyle to iso, ymd",
        "set local statement_timeout = '5s'",
        "reset statement_timeout",
        "set time zone 'Asia/Karachi'",
        "discard all",
        "deallocate all",
        "unlisten *",
        "",
        ";;",
        "-- only a comment",
    ] {
        client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    assert_eq!(texts(&client.simple_query("show transaction_read_only").await.unwrap()), ["on"]);
    assert_eq!(texts(&client.simple_query("prepare p as select $1 || '!'; execute p('a;b')").await.unwrap()), ["a;b!"]);
}

#[tokio::test]
async fn copy_gives_rows_to_the_client() {
    let client = public(served(settings()).await).await;
    let lines = |sql: &'static str| {
        let client = &client;
        async move {
            let parts: Vec<_> = client.copy_out(sql).await.unwrap().collect().await;
            let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.unwrap().to_vec()).collect();
            String::from_utf8(bytes).unwrap()
        }
    };
    let csv =
        lines("copy (select code, en from reference.sex order by code) to stdout with (format csv, header)").await;
    assert_eq!(csv, "code,en\nF,Female\nM,Male\n_X,Unknown\n");
    let text = lines("COPY reference.sex (code, parent) TO STDOUT").await;
    assert_eq!(text, "F\t\\N\nM\t\\N\n_X\t\\N\n");
}

#[tokio::test]
async fn a_request_to_cancel_ends_a_question_and_frees_its_turn() {
    let address = served(settings()).await;
    let client = public(address).await;
    let token = client.cancel_token();
    let asked = tokio::spawn(async move {
        let error = client.simple_query(LONG).await.unwrap_err();
        (said(&error).0, client)
    });
    // Until the question runs there is nothing to end; a session that waits for nothing is not harmed.
    let client = loop {
        token.cancel_query(NoTls).await.unwrap();
        if asked.is_finished() {
            let (state, client) = asked.await.unwrap();
            assert_eq!(state, "57014");
            break client;
        }
        tokio::task::yield_now().await;
    };
    let after = client.simple_query("show server_encoding").await.expect("only that question was withdrawn");
    assert_eq!(texts(&after), ["UTF8"]);
    assert_eq!(texts(&client.simple_query("select 1").await.unwrap()), ["1"]);
}

#[tokio::test]
async fn a_time_limit_of_the_session_ends_a_question() {
    let client = public(served(settings()).await).await;
    client.simple_query("set statement_timeout = 50").await.unwrap();
    let (state, _, hint) = said(&client.simple_query(LONG).await.unwrap_err());
    assert_eq!((state.as_str(), hint.is_empty()), ("57014", false));
}

#[tokio::test]
async fn who_leaves_in_the_middle_leaves_no_work_behind() {
    let address = served(settings()).await;
    let gone = {
        let mut stream = greeted(address).await;
        stream.write_all(&message(b'Q', format!("{LONG}\0").as_bytes())).await.unwrap();
        stream
    };
    drop(gone);
    // There is one turn: whoever asks next has it as soon as the work is gone.
    let client = public(address).await;
    let answer = tokio::time::timeout(Duration::from_secs(20), client.simple_query("select 1")).await;
    assert_eq!(texts(&answer.expect("the turn is free again").unwrap()), ["1"]);
}

#[tokio::test]
async fn a_question_that_runs_keeps_nobody_from_connecting() {
    let address = served(settings()).await;
    let mut busy = greeted(address).await;
    busy.write_all(&message(b'Q', format!("{LONG}\0").as_bytes())).await.unwrap();
    let client = public(address).await;
    assert_eq!(texts(&client.simple_query("show server_encoding").await.unwrap()), ["UTF8"]);
}

#[tokio::test]
async fn there_are_so_many_sessions_and_no_more() {
    let address = served(PostgresSettings { sessions: 1, ..settings() }).await;
    let first = public(address).await;
    let error = connect(&config(address, "public")).await.map(|_| ()).unwrap_err();
    assert_eq!(said(&error).0, "53300");
    drop(first);
    let again = async {
        while connect(&config(address, "public")).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("a place is free again");
}

#[tokio::test]
async fn open_cursors_hold_what_they_may_and_no_more() {
    let address = served(PostgresSettings { cursors: 64 << 10, ..settings() }).await;
    let client = public(address).await;
    let large = "declare c cursor for select a.*, b.time_period as other from v01 a, v01 b";
    let error = client.simple_query(&format!("begin; {large}")).await.unwrap_err();
    let (state, _, hint) = said(&error);
    assert_eq!(state, "53200");
    assert!(hint.contains("Fetch all rows at once"), "{hint}");
    client.simple_query("declare small cursor for values (1)").await.expect("what is small finds room");
}

#[tokio::test]
async fn what_a_session_prepared_is_kept_up_to_a_size() {
    let address = served(PostgresSettings { kept: 64 << 10, ..settings() }).await;
    let client = public(address).await;
    let long = format!("select '{}'", "x".repeat(10_000));
    let mut kept = Vec::new();
    let refused = loop {
        match client.prepare(&long).await {
            Ok(statement) => kept.push(statement),
            Err(error) => break said(&error),
        }
        assert!(kept.len() < 10);
    };
    assert_eq!((refused.0.as_str(), kept.len()), ("53200", 3));
    assert!(refused.2.contains("DEALLOCATE"), "{refused:?}");
    let name = "n".repeat(10_000);
    let named = client.simple_query(&format!("prepare {name} as select '{}'", "x".repeat(30_000))).await;
    assert_eq!(said(&named.unwrap_err()).0, "53200");
    kept.clear();
    client.simple_query("deallocate all").await.unwrap();
    client.prepare(&long).await.expect("there is room again");
}

#[tokio::test]
async fn rows_that_are_taken_too_slowly_end_the_connection_and_free_the_turn() {
    let address = served(PostgresSettings { answer_timeout: Duration::from_millis(1), ..settings() }).await;
    let mut slow = greeted(address).await;
    let large = b"select a.*, b.time_period as other from v01 a, v01 b, v01 c limit 90000\0";
    slow.write_all(&message(b'Q', large)).await.unwrap();
    let taken = async { until(&mut slow, b'Z').await };
    let taken = tokio::time::timeout(Duration::from_secs(20), taken).await.expect("the connection ends");
    assert_eq!(taken, None, "it does not look like an answer that is whole");
    assert_eq!(texts(&public(address).await.simple_query("select 1").await.unwrap()), ["1"]);
}

/// A message of the protocol.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as i32 + 4).to_be_bytes();
    [&[kind], &length[..], body].concat()
}

fn startup(user: &str) -> Vec<u8> {
    let body = [&196_608_i32.to_be_bytes()[..], b"user\0", user.as_bytes(), b"\0database\0amanat\0\0"].concat();
    [&(body.len() as i32 + 4).to_be_bytes()[..], &body].concat()
}

/// A connection of the user `public` that has been greeted.
async fn greeted(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&startup("public")).await.unwrap();
    until(&mut stream, b'Z').await.expect("ready for a question");
    stream
}

/// Reads messages up to one of a kind; its body. None where the connection ends before.
async fn until(stream: &mut (impl AsyncReadExt + Unpin), kind: u8) -> Option<Vec<u8>> {
    loop {
        let found = stream.read_u8().await.ok()?;
        let length = stream.read_i32().await.ok()?;
        let mut body = vec![0; length as usize - 4];
        stream.read_exact(&mut body).await.ok()?;
        if found == kind {
            return Some(body);
        }
    }
}

#[tokio::test]
async fn junk_ends_its_own_connection_and_nothing_else() {
    let address = served(settings()).await;
    let openings: [&[u8]; 9] = [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        &[0; 64],
        &[255; 64],
        &[0, 0, 0, 8, 0, 0, 0, 0],
        &[0, 0, 0, 9, 0, 3, 0, 0, 0],
        &[0, 0, 39, 17, 0, 3, 0, 0],
        &[0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 1],
        &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0],
        &[
            0, 0, 0, 8, 4, 210, 22, 47, 0, 0, 0, 8, 4, 210, 22, 47, 0, 0, 0, 8, 4, 210, 22, 47, 0, 0, 0, 8, 4, 210, 22,
            48,
        ],
    ];
    for junk in openings {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(junk).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        assert!(all.len() < 1_000, "{junk:?}: {all:?}");
    }
    let after: [&[u8]; 6] = [
        &message(b'?', b""),
        &[b'Q', 0, 0, 0, 0],
        &[b'Q', 255, 255, 255, 255],
        &[b'Q', 127, 255, 255, 255],
        &message(b'B', b"\0\0\0\x05\0"),
        &message(b'p', b"secret\0"),
    ];
    for junk in after {
        let mut stream = greeted(address).await;
        stream.write_all(junk).await.unwrap();
        let body = until(&mut stream, b'E').await.expect("an error");
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains("FATAL") && text.contains("08P01"), "{text}");
        assert_eq!(until(&mut stream, b'Z').await, None, "the connection is over");
    }
    assert_eq!(texts(&public(address).await.simple_query("select 1").await.unwrap()), ["1"]);
}

#[tokio::test]
async fn after_an_error_messages_are_skipped_until_sync() {
    let address = served(settings()).await;
    let mut stream = greeted(address).await;
    let parse = message(b'P', b"\0select provinz from v01\0\0\0");
    let describe = message(b'D', b"S\0");
    let bind = message(b'B', b"\0\0\0\0\0\0\0\0");
    let execute = message(b'E', b"\0\0\0\0\0");
    let all = [&parse[..], &describe, &bind, &execute, &execute, &message(b'S', b"")].concat();
    stream.write_all(&all).await.unwrap();
    let mut kinds = Vec::new();
    loop {
        let kind = stream.read_u8().await.unwrap();
        let length = stream.read_i32().await.unwrap();
        let mut body = vec![0; length as usize - 4];
        stream.read_exact(&mut body).await.unwrap();
        kinds.push(kind);
        if kind == b'Z' {
            break;
        }
    }
    assert_eq!(kinds, b"1EZ", "one error, whatever followed");
}

/// A certificate for localhost and its key, as files.
fn certificate(folder: &std::path::Path) -> (std::path::PathBuf, std::path::PathBuf, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key, made.cert.der().to_vec())
}

/// The request for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

async fn encrypted(
    stream: TcpStream,
    certificate: &[u8],
    alpn: &[&[u8]],
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
    let mut roots = RootCertStore::empty();
    roots.add(certificate.to_vec().into()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect("localhost".try_into().unwrap(), stream).await
}

#[tokio::test]
async fn a_client_that_asks_for_tls_is_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key, der) = certificate(folder.path());
    let tls = Some(Tls::read(&certificate, &key).unwrap());
    let address = served(PostgresSettings { tls, ..settings() }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&SSL_REQUEST).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
    let mut stream = encrypted(stream, &der, &[]).await.unwrap();
    stream.write_all(&startup("public")).await.unwrap();
    until(&mut stream, b'Z').await.expect("ready for a question");
    // Clients of PostgreSQL 17 may begin with the handshake, and then name the protocol.
    let direct = TcpStream::connect(address).await.unwrap();
    let mut direct = encrypted(direct, &der, &[b"postgresql"]).await.unwrap();
    direct.write_all(&startup("public")).await.unwrap();
    until(&mut direct, b'Z').await.expect("ready for a question");
    let unnamed = TcpStream::connect(address).await.unwrap();
    if let Ok(mut unnamed) = encrypted(unnamed, &der, &[]).await {
        let _ = unnamed.write_all(&startup("public")).await;
        assert_eq!(until(&mut unnamed, b'Z').await, None, "it might be a client of another protocol");
    }
}

#[tokio::test]
async fn what_was_sent_in_the_clear_is_not_taken_for_what_came_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key, der) = certificate(folder.path());
    let tls = Some(Tls::read(&certificate, &key).unwrap());
    let address = served(PostgresSettings { tls, ..settings() }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Somebody in between adds a startup packet to the request (CVE-2021-23222).
    stream.write_all(&[&SSL_REQUEST[..], &startup("public")].concat()).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
    assert!(encrypted(stream, &der, &[]).await.is_err(), "the handshake fails");
}

#[tokio::test]
async fn tls_that_cannot_be_set_up_is_an_error_and_not_a_plain_door() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key, _) = certificate(folder.path());
    let missing = folder.path().join("missing.pem");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().signing_key.serialize_pem();
    let other_key = folder.path().join("other.pem");
    std::fs::write(&other_key, other).unwrap();
    for (certificate, key) in
        [(&missing, &key), (&certificate, &missing), (&empty, &key), (&certificate, &empty), (&certificate, &other_key)]
    {
        let error = Tls::read(certificate, key).err().expect("no TLS").to_string();
        assert!(error.contains(".pem") || error.contains("certificate and key"), "{error}");
        assert!(!error.contains("PRIVATE"), "{error}");
    }
}
