//! Bytes of a connection: its first packets, the messages behind them, and the proof of a key.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use futures::FutureExt;
use pgwire::api::auth::sasl::scram::{ScramSecret, ScramServerAuth, ScramServerAuthWaitingForClientFinal};
use pgwire::messages::startup::PasswordMessageFamily;
use pgwire::messages::{PgWireFrontendMessage, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_util::codec::Decoder;

use crate::postgres::codec::Codec;
use crate::postgres::proof;
use crate::postgres::stream::{Opening, begun};

/// The most that a message may hold in memory while it arrives, bytes: twice its longest, for memory grows by doubling. Of a client
/// that is known, and of one that is not.
const HELD: [usize; 2] = [21_000, (2 << 20) + 64];

/// The first byte chooses what the bytes are and to whom they are sent, the second in what pieces they arrive; then the bytes.
pub fn messages(input: &[u8]) {
    let [how, piece, bytes @ ..] = input else { return };
    let piece = usize::from(*piece).max(1);
    if how & 1 == 1 {
        let whole = opening(bytes, bytes.len());
        assert_eq!(opening(bytes, piece), whole, "in pieces of {piece}");
        assert_eq!(opening(bytes, 1), whole, "byte by byte");
        return;
    }
    let (version, is_known) =
        (if how & 2 == 2 { ProtocolVersion::PROTOCOL3_2 } else { ProtocolVersion::PROTOCOL3_0 }, how & 4 == 4);
    let whole = read(bytes, bytes.len(), version, is_known);
    assert_eq!(read(bytes, piece, version, is_known), whole, "in pieces of {piece}");
    assert_eq!(read(bytes, 1, version, is_known), whole, "byte by byte");
}

/// The messages as they are read, and the error that ends them.
fn read(bytes: &[u8], piece: usize, version: ProtocolVersion, is_known: bool) -> (Vec<String>, Option<String>) {
    let mut codec = Codec::new(version);
    if is_known {
        codec.admit();
    }
    let (mut source, mut messages, mut proven) = (BytesMut::new(), Vec::new(), Proof::default());
    for bytes in bytes.chunks(piece.max(1)) {
        source.extend_from_slice(bytes);
        loop {
            let length = source.get(1..5).map(|mut length| length.get_u32() as usize + 1);
            let before = source.len();
            match codec.decode(&mut source) {
                Ok(Some(message)) => {
                    assert_eq!(Some(before - source.len()), length, "a message is as long as it says");
                    messages.push(format!("{message:?}"));
                    if let PgWireFrontendMessage::PasswordMessageFamily(message) = message {
                        proven.hear(message);
                    }
                }
                Ok(None) => {
                    assert_eq!(before, source.len(), "of a message that is not whole nothing is taken");
                    assert!(length.is_none_or(|length| length > before), "a message that is whole is read");
                    assert!(source.capacity() <= HELD[usize::from(is_known)] + bytes.len(), "{}", source.capacity());
                    break;
                }
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
    }
    (messages, None)
}

/// The two messages of a proof, as a session takes them.
#[derive(Default)]
struct Proof(Option<(String, ScramServerAuthWaitingForClientFinal)>);

impl Proof {
    /// No bytes prove a key that nobody has. `NONCE` stands for what the server made up, which an input cannot know.
    fn hear(&mut self, message: PasswordMessageFamily) {
        let Some((nonce, waiting)) = self.0.take() else {
            let Some(first) = proof::first(message) else { return };
            let known = ScramSecret::Verifier {
                salt: vec![1; 16],
                iterations: 4_096,
                stored_key: vec![2; 32],
                server_key: vec![3; 32],
            };
            let first = first.data.unwrap_or_default();
            let Ok((answer, waiting)) = ScramServerAuth::new().on_client_first_message_with_secret(&first, known)
            else {
                return;
            };
            let nonce =
                answer.strip_prefix("r=").and_then(|rest| rest.split_once(",s=")).expect("a nonce and a salt").0;
            self.0 = Some((nonce.to_owned(), waiting));
            return;
        };
        let Ok(last) = message.into_sasl_response() else { return };
        let last = String::from_utf8_lossy(&last.data).replace("NONCE", &nonce);
        assert!(waiting.on_client_final_message(last.as_bytes()).is_err(), "nobody has this key");
    }
}

/// What a connection begins with, what it was answered, and how many bytes are behind the first packet; or the error.
fn opening(bytes: &[u8], piece: usize) -> Result<(String, usize, usize), String> {
    let said = Arc::default();
    let wire = Pieces { bytes: bytes.to_vec(), at: 0, piece, said: Arc::clone(&said) };
    let opening = begun(wire, None).now_or_never().expect("nothing is waited for");
    let said = said.lock().expect("one thread").len();
    assert!(said <= 3, "a client that asks for encryption again and again is left");
    let begins = 8 * said;
    let length = bytes.get(begins..begins + 4).map_or(0, |mut length| length.get_u32() as usize);
    match opening.map_err(|error| error.to_string())? {
        Opening::Startup { mut wire, encrypted, startup } => {
            assert!(!encrypted, "nobody has encrypted anything");
            let mut rest = Vec::new();
            wire.read_to_end(&mut rest).now_or_never().expect("nothing is waited for").expect("in memory");
            assert!(length <= 10_000, "a first packet of {length} bytes");
            assert_eq!(rest, bytes[begins + length..], "what is behind the first packet is left");
            Ok((format!("{startup:?}"), said, rest.len()))
        }
        Opening::Cancel(request) => Ok((format!("{request:?}"), said, 0)),
    }
}

/// A connection on which bytes arrive in pieces.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
    said: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = self.piece.max(1).min(to.remaining()).min(self.bytes.len() - self.at);
        to.put_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        assert!(bytes.iter().all(|byte| *byte == b'N'), "without a certificate nothing is encrypted");
        self.said.lock().expect("one thread").extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
