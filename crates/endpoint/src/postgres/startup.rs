//! Who is there: the startup packet, the proof of a key by SCRAM-SHA-256 (RFC 5802, RFC 7677), what a session is told.
//!
//! The user `public` needs no password and reads what is published. Every other user is the name of a key, and its password the key,
//! or an account and its password.
//! A name that nobody has is asked for its proof like any other, and fails like any other, so that names are not learned.

use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;

use futures::{SinkExt, StreamExt};
use pgwire::api::auth::sasl::scram::{ScramSecret, ScramServerAuth};
use pgwire::messages::response::{ReadyForQuery, TransactionStatus};
use pgwire::messages::startup::{
    Authentication, BackendKeyData, NegotiateProtocolVersion, ParameterStatus, SecretKey, Startup,
};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage, ProtocolVersion};
use policy::{Asker, PUBLIC, ScramVerifier};
use tokio_util::codec::Framed;

use super::Shared;
use super::codec::{Codec, Outgoing};
use super::errors::{Failed, notice};
use super::proof;
use super::settings::Settings;
use super::stream::Wire;

/// Name of the door in the log.
const DOOR: &str = "postgres";
const MECHANISM: &str = "SCRAM-SHA-256";

/// A connection after its startup packet.
pub(super) type Line = Framed<Box<dyn Wire>, Codec>;

/// Who is at the other end, and what they set when they came.
pub(super) struct Guest {
    pub(super) user: String,
    pub(super) asker: Option<Asker>,
    pub(super) peer: IpAddr,
    pub(super) settings: Settings,
}

/// Sends a message at once.
pub(super) async fn send(line: &mut Line, message: PgWireBackendMessage) -> Result<()> {
    line.send(Outgoing::Message(message)).await
}

/// Sends a last message; the connection then ends.
pub(super) async fn refuse<T>(line: &mut Line, failed: &Failed) -> Result<T> {
    send(line, failed.message()).await?;
    line.close().await?;
    Err(Error::new(ErrorKind::PermissionDenied, failed.message.clone()))
}

/// Finds out who is there, or ends the connection.
pub(super) async fn admit(line: &mut Line, startup: Startup, shared: &Shared, peer: IpAddr) -> Result<Guest> {
    let version = negotiate(line, &startup).await?;
    line.codec_mut().version(version);
    let said = |name: &str| startup.parameters.get(name).map(String::as_str);
    if said("replication").is_some_and(|value| !["false", "off", "no", "0"].contains(&value)) {
        let failed = Failed::fatal("0A000", "There is no replication here.");
        return refuse(line, &failed).await;
    }
    let Some(user) = said("user").filter(|user| !user.is_empty()).map(str::to_owned) else {
        return refuse(line, &Failed::fatal("28000", "The startup packet names no user.")).await;
    };
    let asker = if user == PUBLIC { None } else { Some(proven(line, &user, shared, peer).await?) };
    let mut settings = Settings::new(&user);
    for (name, value) in asked_for(&startup) {
        if let Err(failed) = settings.set(&name, Some(&value)) {
            return refuse(line, &Failed { is_fatal: true, ..failed }).await;
        }
    }
    line.codec_mut().admit();
    Ok(Guest { user, asker, peer, settings })
}

/// Settings of the startup packet: its own parameters, and those of `options` (`-c name=value`, `--name=value`).
fn asked_for(startup: &Startup) -> Vec<(String, String)> {
    let own = startup.parameters.iter().filter(|(name, _)| {
        !["user", "database", "replication", "options"].contains(&name.as_str()) && !name.starts_with("_pq_.")
    });
    let mut all: Vec<(String, String)> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    let options = startup.parameters.get("options").map_or("", String::as_str);
    let mut words = options.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let pair =
            if word == "-c" { words.next() } else { word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) };
        all.extend(pair.and_then(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    all
}

/// Agrees on a version: what is newer than ours is told what we speak.
async fn negotiate(line: &mut Line, startup: &Startup) -> Result<ProtocolVersion> {
    let wanted = (startup.protocol_number_major, startup.protocol_number_minor);
    let unknown = startup.parameters.keys().filter(|name| name.starts_with("_pq_.")).cloned().collect::<Vec<_>>();
    let known = ProtocolVersion::from_version_number(wanted.0, wanted.1);
    let version = known.unwrap_or(ProtocolVersion::PROTOCOL3_2);
    if known.is_none() || !unknown.is_empty() {
        let ours = NegotiateProtocolVersion::new(i32::from(version), unknown);
        send(line, PgWireBackendMessage::NegotiateProtocolVersion(ours)).await?;
    }
    Ok(version)
}

/// Whose key the other end has: it proves that without sending it.
async fn proven(line: &mut Line, user: &str, shared: &Shared, peer: IpAddr) -> Result<Asker> {
    let gate = &shared.settings.gate;
    let found = gate.verifier(user);
    let verifier = found.as_ref().map_or_else(|| nobodys(user, &shared.secret), |(_, verifier)| verifier.clone());
    let authentication = |message| PgWireBackendMessage::Authentication(message);
    let failed = Failed::fatal("28P01", format!("The key of {} was not proven.", shown(user)))
        .hint("The user is the name of a key and the password the key itself (`amanat key new` makes one), or an account and its password. The user public needs none. After five wrong ones none is taken for a minute, then for two, up to an hour.");
    send(line, authentication(Authentication::SASL(vec![MECHANISM.to_owned()]))).await?;
    let first = match proof::first(password(line).await?) {
        Some(first) if first.auth_method == MECHANISM => first.data.unwrap_or_default(),
        _ => return refuse(line, &failed).await,
    };
    let known = ScramSecret::Verifier {
        salt: verifier.salt,
        iterations: verifier.iterations as usize,
        stored_key: verifier.stored_key,
        server_key: verifier.server_key,
    };
    let Ok((answer, waiting)) = ScramServerAuth::new().on_client_first_message_with_secret(&first, known) else {
        return refuse(line, &failed).await;
    };
    send(line, authentication(Authentication::SASLContinue(answer.into_bytes().into()))).await?;
    let Ok(last) = password(line).await?.into_sasl_response() else { return refuse(line, &failed).await };
    let (Ok(proof), Some((asker, _))) = (waiting.on_client_final_message(&last.data), found) else {
        gate.failed(user, Some(peer), DOOR);
        return refuse(line, &failed).await;
    };
    if gate.proven(&asker, (DOOR, Some(peer))).is_err() {
        return refuse(line, &failed).await;
    }
    send(line, authentication(Authentication::SASLFinal(proof.into_bytes().into()))).await?;
    Ok(asker)
}

fn shown(user: &str) -> String {
    user.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

async fn password(line: &mut Line) -> Result<pgwire::messages::startup::PasswordMessageFamily> {
    match line.next().await {
        Some(Ok(PgWireFrontendMessage::PasswordMessageFamily(message))) => Ok(message),
        Some(Ok(_)) => Err(Error::new(ErrorKind::InvalidData, "a proof was expected")),
        Some(Err(error)) => Err(error),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// What a name that nobody has is asked for: the same each time it comes, and proven by nothing.
fn nobodys(user: &str, secret: &[u8; 32]) -> ScramVerifier {
    let part = |what: u8| {
        let mut hasher = blake3::Hasher::new_keyed(secret);
        hasher.update(&[what]).update(user.as_bytes());
        hasher.finalize().as_bytes().to_vec()
    };
    let mut salt = part(0);
    salt.truncate(policy::SCRAM_SALT);
    ScramVerifier { iterations: policy::SCRAM_ITERATIONS, salt, stored_key: part(1), server_key: part(2) }
}

/// Tells a guest what a session is told at its beginning.
pub(super) async fn greet(
    line: &mut Line,
    guest: &Guest,
    (pid, secret): (i32, SecretKey),
    edition: Option<&query::EditionMeta>,
) -> Result<()> {
    let mut messages = vec![PgWireBackendMessage::Authentication(Authentication::Ok)];
    let status = |(name, value): (&str, &str)| {
        PgWireBackendMessage::ParameterStatus(ParameterStatus::new(name.to_owned(), value.to_owned()))
    };
    messages.extend(guest.settings.reported().map(status));
    messages.push(PgWireBackendMessage::BackendKeyData(BackendKeyData::new(pid, secret)));
    if edition.is_some_and(|edition| edition.synthetic) {
        messages.push(notice("SYNTHETIC: nobody in this store exists."));
    }
    messages.push(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(TransactionStatus::Idle)));
    for message in messages {
        line.feed(Outgoing::Message(message)).await?;
    }
    line.flush().await
}

/// A secret for cancelling, of the length that the version has.
pub(super) fn cancel_secret(version: ProtocolVersion, random: [u8; 32]) -> SecretKey {
    match version {
        ProtocolVersion::PROTOCOL3_0 => {
            SecretKey::I32(i32::from_be_bytes([random[0], random[1], random[2], random[3]]))
        }
        _ => SecretKey::Bytes(random.to_vec().into()),
    }
}
