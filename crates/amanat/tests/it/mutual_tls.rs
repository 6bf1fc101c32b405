//! The agencies' door over TLS, and agencies that are proven by a certificate: real handshakes with the real program.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::gateway::{key, until};
use crate::program::{Started, World, event, free_address};

/// A certificate with its key.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    fn alone(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
        Self { certificate, key }
    }

    fn chain(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (vec![self.certificate.der().clone()], PrivateKeyDer::Pkcs8(self.key.serialize_der().into()))
    }
}

/// Who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn signs(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate, key }
    }
}

/// A door over TLS that takes certificates of an authority, and one that stands by itself.
struct Encrypted {
    world: World,
    authority: Authority,
    alone: Identity,
    server: Identity,
    address: SocketAddr,
    _up: Started,
}

impl Encrypted {
    fn open() -> Self {
        let world = World::real();
        let (authority, alone, server) = (Authority::new(), Identity::alone("agency"), Identity::alone("localhost"));
        let certificate = world.file("server.pem", server.certificate.pem());
        let own_key = world.file("server.key", server.key.serialize_pem());
        let clients = world.file("clients.pem", authority.pem.clone() + &alone.certificate.pem());
        let address = free_address();
        let config = format!(
            "[gateway]\nhttp = \"{address}\"\nclient_ca = {clients:?}\n[gateway.tls]\ncertificate = {certificate:?}\nkey = {own_key:?}\n"
        );
        let file = world.file("amanat.toml", config);
        let mut command = world.command(&["up", "--role", "gateway", "--config", &file]);
        command.env_remove("AMANAT_GATEWAY__HTTP");
        let up = Started::of(command);
        let opened = Self { world, authority, alone, server, address, _up: up };
        until(|| opened.ask(None, "GET", "/v1/problems", "", "").ok(), |status, _| status == 200);
        opened
    }

    /// Makes a certificate known.
    fn knows(&self, identity: &Identity, agency: &str, id: &str) {
        let file = self.world.file(&format!("{id}.pem"), identity.certificate.pem());
        self.world.run(&["producer", "new", "--agency", agency, "--id", id, "--certificate", &file]).ok();
    }

    fn connect(&self, who: Option<&Identity>) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.server.certificate.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let config = match who.map(Identity::chain) {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        Ok(StreamOwned::new(connection, TcpStream::connect(self.address)?))
    }

    fn ask(
        &self,
        who: Option<&Identity>,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> std::io::Result<(u16, Value)> {
        exchange(&mut self.connect(who)?, method, path, headers, body)
    }

    /// Asks whether an event would be taken.
    fn validates(&self, who: Option<&Identity>, key: Option<&str>) -> std::io::Result<(u16, Value)> {
        let headers = key.map_or(String::new(), |key| format!("authorization: Bearer {key}\r\n"));
        self.ask(who, "POST", "/v1/validate", &headers, &event(1, false))
    }

    /// The same when the running door has seen what was changed beside it.
    fn comes_to(&self, who: Option<&Identity>, key: Option<&str>, wanted: u16) -> Value {
        until(|| self.validates(who, key).ok(), |status, _| status == wanted).1
    }
}

/// A request on a connection that stays open, and its answer.
fn exchange(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<(u16, Value)> {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    stream.write_all(format!("{head}content-length: {length}\r\n{headers}\r\n{body}").as_bytes())?;
    stream.flush()?;
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).unwrap().to_lowercase();
    let length = head.split_once("content-length: ").and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok());
    let mut answer = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut answer)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok((status, serde_json::from_slice(&answer).unwrap_or(Value::Null)))
}

#[test]
fn an_agency_is_proven_by_a_certificate_that_was_made_known_and_others_by_a_key() {
    let door = Encrypted::open();
    let police = door.authority.signs("police", |_| ());
    assert_eq!(door.validates(Some(&police), None).unwrap().0, 401, "signed, and not known");
    assert_eq!(door.validates(None, None).unwrap().0, 401);
    door.knows(&police, "POL-PB", "pb-cert");
    door.knows(&door.alone, "POL-PB", "pb-alone");
    assert_eq!(door.comes_to(Some(&police), None, 200)["valid"], 1);
    assert_eq!(door.comes_to(Some(&door.alone), None, 200)["valid"], 1, "one that stands by itself");
    let fia = key(&door.world, "FIA", "fia-1");
    assert_eq!(door.comes_to(None, Some(&fia), 200)["valid"], 0, "the event is of another agency than the key");
    let taken = || door.ask(Some(&police), "POST", "/v1/events", "", &event(1, false)).ok();
    let (status, answer) = until(taken, |status, _| status != 503);
    assert_eq!((status, &answer["accepted"]), (202, &1.into()), "{answer}");
    let receipt = answer["url"].as_str().unwrap();
    assert_eq!(door.ask(Some(&door.alone), "GET", receipt, "", "").unwrap().0, 200, "of the same agency");
    let of_fia = format!("authorization: Bearer {fia}\r\n");
    assert_eq!(door.ask(None, "GET", receipt, &of_fia, "").unwrap().0, 404);
    let listed = door.world.run(&["producer", "list"]).ok();
    assert!(listed.contains("pb-cert  POL-PB, by certificate"), "{listed}");
}

#[test]
fn a_certificate_of_nobody_known_or_whose_time_is_over_ends_the_handshake() {
    let door = Encrypted::open();
    let over = door.authority.signs("police", |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let early = door.authority.signs("police", |params| params.not_before = rcgen::date_time_ymd(2400, 1, 1));
    let foreign = Authority::new().signs("police", |_| ());
    for (id, identity) in [("over", &over), ("early", &early), ("foreign", &foreign)] {
        door.knows(identity, "POL-PB", id);
    }
    let good = door.authority.signs("police", |_| ());
    door.knows(&good, "POL-PB", "good");
    door.comes_to(Some(&good), None, 200);
    for identity in [&over, &early, &foreign, &Identity::alone("agency")] {
        assert!(door.validates(Some(identity), None).is_err());
    }
    let mut plain = TcpStream::connect(door.address).unwrap();
    assert!(exchange(&mut plain, "GET", "/v1/problems", "", "").is_err(), "nothing is answered in the clear");
    assert_eq!(door.validates(Some(&good), None).unwrap().0, 200, "others are served as before");
}

#[test]
fn a_certificate_that_is_taken_out_opens_nothing_more_even_on_an_open_connection() {
    let door = Encrypted::open();
    let police = door.authority.signs("police", |_| ());
    door.knows(&police, "POL-PB", "pb-cert");
    door.comes_to(Some(&police), None, 200);
    let mut open = door.connect(Some(&police)).unwrap();
    let mut ask = || exchange(&mut open, "POST", "/v1/validate", "", &event(1, false)).unwrap();
    assert_eq!(ask().0, 200);
    door.world.run(&["producer", "remove", "pb-cert"]).ok();
    door.comes_to(Some(&police), None, 401);
    let (status, problem) = ask();
    assert_eq!((status, &problem["code"]), (401, &"not_proven".into()));
}

#[test]
fn a_key_and_a_certificate_must_be_of_one_agency() {
    let door = Encrypted::open();
    let police = door.authority.signs("police", |_| ());
    door.knows(&police, "POL-PB", "pb-cert");
    let (own, fia) = (key(&door.world, "POL-PB", "pb-key"), key(&door.world, "FIA", "fia-key"));
    door.comes_to(None, Some(&fia), 200);
    assert_eq!(door.validates(Some(&police), Some(&own)).unwrap().0, 200);
    let (status, problem) = door.validates(Some(&police), Some(&fia)).unwrap();
    assert_eq!((status, &problem["code"]), (403, &"proofs_differ".into()), "{problem}");
    assert_eq!(door.validates(Some(&police), Some("amanat_0")).unwrap().0, 401, "a wrong key is told, not passed over");
    let stranger = door.authority.signs("proxy", |_| ());
    assert_eq!(door.validates(Some(&stranger), Some(&fia)).unwrap().0, 200, "a certificate of no agency says nothing");
}

#[test]
fn a_door_that_cannot_encrypt_does_not_open() {
    let world = World::real();
    let starts = |environment: &[(&str, &str)]| {
        let mut command = world.command(&["up", "--role", "gateway"]);
        command.envs(environment.iter().copied());
        Started::of(command).end().refused(2)
    };
    let said = starts(&[("AMANAT_GATEWAY__HTTP", "0.0.0.0:0")]);
    assert!(said.contains("gateway.http") && said.contains("gateway.plain"), "{said}");
    let empty = world.file("empty.pem", "");
    let pair = [("AMANAT_GATEWAY__TLS__CERTIFICATE", &*empty), ("AMANAT_GATEWAY__TLS__KEY", &*empty)];
    assert!(starts(&pair).contains("gateway.tls.certificate"));
    let server = Identity::alone("localhost");
    let certificate = world.file("server.pem", server.certificate.pem());
    let key = world.file("server.key", server.key.serialize_pem());
    let said = starts(&[
        ("AMANAT_GATEWAY__TLS__CERTIFICATE", &certificate),
        ("AMANAT_GATEWAY__TLS__KEY", &key),
        ("AMANAT_GATEWAY__CLIENT_CA", &empty),
    ]);
    assert!(said.contains("empty.pem") && said.contains("gateway.client_ca"), "{said}");
    let none = ["producer", "new", "--agency", "POL-PB", "--id", "x", "--certificate", &key];
    let said = world.run(&none).refused(2);
    assert!(said.contains("server.key") && !said.contains("PRIVATE"), "{said}");
}
