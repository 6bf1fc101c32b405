//! Clients that stand still, over real sockets: they are left, and what they held is free again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use endpoint::{Patience, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{real, world};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_mins(1);

/// A service with one turn.
async fn served(patience: Patience, settings: Settings) -> SocketAddr {
    let one = query::Settings { threads: 1, at_once: 1, waiting: 0, ..query::Settings::default() };
    let source: Arc<dyn query::EditionSource> = Arc::clone(&world(1, true, Settings::default()).await.memory) as _;
    let reader = query::Reader::open(source, real().await.reader.catalogue().clone(), one).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(endpoint::serve(listener, endpoint::doors(reader, settings), patience, std::future::pending()));
    address
}

/// Asks in SQL and reads nothing.
async fn sent(address: SocketAddr, sql: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = sql.len();
    let head =
        format!("POST /v1/sql HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{sql}").as_bytes()).await.unwrap();
    stream
}

/// Asks in SQL and reads nothing of the answer but its first bytes.
async fn asked(address: SocketAddr, sql: &str) -> (TcpStream, String) {
    let mut stream = sent(address, sql).await;
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    (stream, String::from_utf8_lossy(&first).into_owned())
}

/// More than the buffers of a connection hold.
const LARGE: &str = "select a.*, b.time_period as other from v01 a, v01 b, v01 c limit 90000";

async fn free_again(address: SocketAddr) {
    let again = async {
        while asked(address, "select 1").await.1 != "HTTP/1.1 200" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("the turn is free again");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_loses_its_turn() {
    let address = served(Patience { silence: LONG, taking: SHORT }, Settings::default()).await;
    let (_stuck, status) = asked(address, LARGE).await;
    assert_eq!(status, "HTTP/1.1 200");
    free_again(address).await;
}

#[tokio::test]
async fn a_client_that_takes_its_answer_too_slowly_is_broken_off() {
    let settings = Settings { answer_timeout: Duration::from_millis(1), ..Settings::default() };
    let address = served(Patience { silence: LONG, taking: LONG }, settings).await;
    let mut slow = sent(address, LARGE).await;
    let mut taken = Vec::new();
    let taking = async { while let Ok(1..) = slow.read_buf(&mut taken).await {} };
    tokio::time::timeout(Duration::from_secs(20), taking).await.expect("the transfer ends");
    assert!(!taken.ends_with(b"0\r\n\r\n"), "and not as if it were whole");
    free_again(address).await;
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_is_left() {
    let address = served(Patience { silence: SHORT, taking: LONG }, Settings::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nx: ").await.unwrap();
    // A byte now and then gains nothing.
    let trickle = async {
        while stream.write_all(b"x").await.is_ok() {
            if tokio::time::timeout(Duration::from_millis(10), stream.read_u8()).await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), trickle).await.expect("the connection ends");
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let address = served(Patience { silence: LONG, taking: LONG }, Settings::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut said = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut said)).await;
    let _ = ended.expect("the connection ends");
    let said = String::from_utf8_lossy(&said);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
}
