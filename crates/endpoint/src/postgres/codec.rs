//! Messages on the wire: frames cut here, bodies read and written by pgwire.
//!
//! The library reads a body without looking where its frame ends, takes a gigabyte for a message and panics at some short
//! ones. So a frame is measured and cut off before it is read, and what breaks while it is read is a protocol error.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Buf, BytesMut};
use pgwire::messages::{DecodeContext, PgWireBackendMessage, PgWireFrontendMessage, ProtocolVersion};
use tokio_util::codec::{Decoder, Encoder};

/// The longest message that a client may send, bytes: a question and its values, several times over.
const LONGEST: usize = 1 << 20;
/// The longest message before it is known who sends it.
const LONGEST_UNKNOWN: usize = 10_000;
/// Length of the head of a frame: type and length.
const HEAD: usize = 5;

/// What goes out.
pub(super) enum Outgoing {
    /// A message.
    Message(PgWireBackendMessage),
    /// Rows, written as messages already.
    Rows(BytesMut),
}

/// Reads and writes messages after the startup packet.
pub(super) struct Codec {
    context: DecodeContext,
    longest: usize,
    read: u64,
}

impl Codec {
    /// For a client that is not known yet.
    pub(super) fn new(version: ProtocolVersion) -> Self {
        let mut context = DecodeContext::default();
        (context.awaiting_frontend_ssl, context.awaiting_frontend_startup) = (false, false);
        context.protocol_version = version;
        Self { context, longest: LONGEST_UNKNOWN, read: 0 }
    }

    /// The version that both ends speak.
    pub(super) fn version(&mut self, version: ProtocolVersion) {
        self.context.protocol_version = version;
    }

    /// The version that both ends speak.
    pub(super) fn spoken(&self) -> ProtocolVersion {
        self.context.protocol_version
    }

    /// Bytes of all messages that were read.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// The client is known now: its questions may be longer than a password.
    pub(super) fn admit(&mut self) {
        self.longest = LONGEST;
    }
}

/// An error of the protocol: after it nothing that the client sends can be understood.
fn broken(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

thread_local! {
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread reads a message of a client of PostgreSQL now, at which the library may break: that is no fault of ours, and is not reported as one.
pub fn is_reading_a_message() -> bool {
    READING.get()
}

/// Reads a body by the library; what it cannot read, or breaks at, is an error.
pub(super) fn read(frame: &mut BytesMut, context: &DecodeContext) -> io::Result<PgWireFrontendMessage> {
    READING.set(true);
    let read = catch_unwind(AssertUnwindSafe(|| PgWireFrontendMessage::decode(frame, context)));
    READING.set(false);
    match read {
        Ok(Ok(Some(message))) => Ok(message),
        Ok(Ok(None)) => Err(broken("a message ends before its end")),
        Ok(Err(_)) | Err(_) => Err(broken("a message cannot be read")),
    }
}

impl Decoder for Codec {
    type Item = PgWireFrontendMessage;
    type Error = io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> io::Result<Option<PgWireFrontendMessage>> {
        let Some(mut length) = source.get(1..HEAD) else { return Ok(None) };
        let length = length.get_i32();
        let length = usize::try_from(length).ok().filter(|length| *length >= HEAD - 1);
        let length = length.ok_or_else(|| broken("a message has no length that could be"))?;
        if length > self.longest {
            return Err(broken(format!("a message is longer than {} bytes", self.longest)));
        }
        if source.len() <= length {
            source.reserve(length + 1 - source.len());
            return Ok(None);
        }
        let mut frame = source.split_to(length + 1);
        self.read += frame.len() as u64;
        read(&mut frame, &self.context).map(Some)
    }
}

impl Encoder<Outgoing> for Codec {
    type Error = io::Error;

    fn encode(&mut self, item: Outgoing, target: &mut BytesMut) -> io::Result<()> {
        match item {
            Outgoing::Message(message) => message.encode(target).map_err(|_| broken("a message cannot be written")),
            Outgoing::Rows(rows) => {
                target.extend_from_slice(&rows);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BufMut;

    use super::*;

    fn codec() -> Codec {
        Codec::new(ProtocolVersion::PROTOCOL3_0)
    }

    fn message(kind: u8, body: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::new();
        bytes.put_u8(kind);
        bytes.put_i32(body.len() as i32 + 4);
        bytes.put_slice(body);
        bytes
    }

    #[test]
    fn a_message_is_read_when_all_of_it_is_there() {
        let whole = message(b'Q', b"select 1\0");
        for cut in 0..whole.len() {
            let mut part = BytesMut::from(&whole[..cut]);
            assert!(codec().decode(&mut part).expect("no error").is_none(), "{cut}");
        }
        let read = codec().decode(&mut whole.clone()).expect("a message");
        assert!(matches!(read, Some(PgWireFrontendMessage::Query(query)) if query.query == "select 1"));
    }

    #[test]
    fn lengths_that_cannot_be_end_the_connection_before_anything_is_kept() {
        for length in [0, 1, 3, -1, i32::MIN, i32::MAX, LONGEST_UNKNOWN as i32 + 1] {
            let mut bytes = BytesMut::new();
            bytes.put_u8(b'p');
            bytes.put_i32(length);
            bytes.put_bytes(0, 16);
            let read = codec().decode(&mut bytes);
            assert!(read.is_err(), "{length}");
        }
        let mut admitted = codec();
        admitted.admit();
        let long = message(b'Q', &[b' '; LONGEST_UNKNOWN + 1]);
        assert!(codec().decode(&mut long.clone()).is_err());
        assert!(admitted.decode(&mut long.clone()).expect("long enough").is_some());
    }

    #[test]
    fn a_body_that_is_cut_short_or_of_an_unknown_type_is_an_error_and_never_a_panic() {
        for kind in 0..=u8::MAX {
            for body in [&b""[..], b"\0", b"\0\0", b"\0\0\0\x05", b"\0\0\xff\xff", b"x\0\x7f\xff\0\0", &[0xff; 40]] {
                // Whatever it says, it says it without ending the process.
                let _ = codec().decode(&mut message(kind, body));
            }
        }
        assert!(codec().decode(&mut message(b'B', b"\0\0\0")).is_err());
        assert!(codec().decode(&mut message(b'%', b"")).is_err());
    }
}
