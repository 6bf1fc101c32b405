//! HTTP/1.1 as a client of an agency speaks it: a connection that is kept, requests written whole, answers read whole.
//!
//! By hand, because half of what is sent here is what no library would send. Absent: TLS, redirects, chunked answers (the door has none).

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Status line and headers, in small letters.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Its body as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A connection to the door.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Opens one.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::with_capacity(64 << 10, stream)))
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Says that nothing more is sent.
    pub fn finish(&mut self) -> Result<()> {
        self.0.get_mut().shutdown(std::net::Shutdown::Write)
    }

    /// Reads the next answer.
    pub fn answer(&mut self) -> Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the connection ended before an answer"));
            }
        }
        head.make_ascii_lowercase();
        let (status, length) =
            read_head(&head).ok_or_else(|| Error::new(ErrorKind::InvalidData, "no head of an answer"))?;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Answer { status, head, body })
    }

    /// Sends a request and reads its answer.
    pub fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.send(request)?;
        self.answer()
    }
}

fn read_head(head: &str) -> Option<(u16, usize)> {
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some((status, length.map_or(Some(0), |length| length.trim().parse().ok())?))
}

/// The head of a request, without its `content-length` and its end.
pub fn head(method: &str, path: &str, key: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: door\r\n");
    if !key.is_empty() {
        head.extend(["authorization: Bearer ", key, "\r\n"]);
    }
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head
}

/// A request with a body.
pub fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let mut whole = format!("{head}content-length: {}\r\n\r\n", body.len()).into_bytes();
    whole.extend_from_slice(body);
    whole
}
