//! From an accepted connection to its first packet: TLS or not, and who is there.
//!
//! Of the plain connection no byte is read beyond the request for TLS, so that nothing that was sent in the clear is taken
//! for what came encrypted (CVE-2021-23222).

use std::io::{Error, ErrorKind, Result};

use bytes::BytesMut;
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::Startup;
use pgwire::messages::{DecodeContext, PgWireFrontendMessage};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::codec;

/// A connection, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for S {}

/// What a client begins with.
pub(super) enum Opening {
    /// A session.
    Startup { wire: Box<dyn Wire>, encrypted: bool, startup: Startup },
    /// The wish to end what another connection does.
    Cancel(CancelRequest),
}

/// Codes in the place of a protocol version (PostgreSQL documentation, 55.7).
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
/// The first byte of a TLS handshake: PostgreSQL 17 clients may begin with it (`sslnegotiation=direct`).
const TLS_HANDSHAKE: u8 = 0x16;
/// The application that such a client must name.
pub(super) const ALPN: &[u8] = b"postgresql";
/// The longest startup packet.
const LONGEST: u32 = 10_000;
/// Requests before the startup packet: one for TLS, one for GSS.
const REQUESTS: usize = 2;

fn broken(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// Reads up to the first packet that says who is there.
pub(super) async fn open(stream: TcpStream, tls: Option<&TlsAcceptor>) -> Result<Opening> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    if first[0] == TLS_HANDSHAKE {
        let tls = tls.ok_or_else(|| broken("TLS is not offered"))?;
        let encrypted = tls.accept(stream).await?;
        if encrypted.get_ref().1.alpn_protocol() != Some(ALPN) {
            return Err(broken("a client that begins with TLS must name the protocol postgresql"));
        }
        return packet(Box::new(encrypted), true).await;
    }
    begun(stream, tls).await
}

/// Reads requests for encryption and the first packet behind them, of a connection that begins in the clear.
pub(super) async fn begun<S: Wire + 'static>(mut stream: S, tls: Option<&TlsAcceptor>) -> Result<Opening> {
    for _ in 0..=REQUESTS {
        let head = head(&mut stream).await?;
        match head {
            (8, SSL_REQUEST) => {
                let Some(tls) = tls else {
                    stream.write_all(b"N").await?;
                    continue;
                };
                stream.write_all(b"S").await?;
                let encrypted = tls.accept(stream).await?;
                return packet(Box::new(encrypted), true).await;
            }
            (8, GSS_REQUEST) => stream.write_all(b"N").await?,
            head => return rest(Box::new(stream), false, head).await,
        }
    }
    Err(broken("a client asks for encryption again and again"))
}

/// Length and code of a packet without a type.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Result<(u32, u32)> {
    Ok((stream.read_u32().await?, stream.read_u32().await?))
}

async fn packet(mut wire: Box<dyn Wire>, encrypted: bool) -> Result<Opening> {
    let head = head(&mut wire).await?;
    rest(wire, encrypted, head).await
}

/// Reads the rest of the startup packet whose head is read.
async fn rest(mut wire: Box<dyn Wire>, encrypted: bool, (length, code): (u32, u32)) -> Result<Opening> {
    if !(8..=LONGEST).contains(&length) {
        return Err(broken("this is no startup packet"));
    }
    let mut bytes = BytesMut::zeroed(length as usize);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes[4..8].copy_from_slice(&code.to_be_bytes());
    wire.read_exact(&mut bytes[8..]).await?;
    let mut context = DecodeContext::default();
    (context.awaiting_frontend_ssl, context.awaiting_frontend_startup) = (false, true);
    match codec::read(&mut bytes, &context)? {
        PgWireFrontendMessage::Startup(startup) => Ok(Opening::Startup { wire, encrypted, startup }),
        PgWireFrontendMessage::CancelRequest(request) => Ok(Opening::Cancel(request)),
        _ => Err(broken("this is no startup packet")),
    }
}
