//! The readers' door as a client meets it: the real program, a store with a vault, keys of several roles, HTTP on a socket.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use ledger::{AuditReader, Filter, Question, Verified};
use serde_json::{Value, json};

use crate::program::{Started, World, event, free_address};

/// Longest wait for a condition; a machine under load is slow, not wrong.
const PATIENCE: Duration = Duration::from_mins(2);

/// Victims of the store, all of 2024: spread evenly over what is published of them, so that no total is hidden; of unknown age
/// are many, too, so that no children are hidden beside them.
pub const VICTIMS: u32 = 600;

/// Accused of the store, arrested in 2024, spread likewise.
const ACCUSED: u32 = 300;

/// A served store of synthetic victims, with an edition and keys.
pub struct House {
    pub world: World,
    pub up: Started,
    pub address: SocketAddr,
    /// Of the ministry, of agencies, of partners.
    pub keys: [String; 3],
    _shared: Arc<Published>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// A published store that nobody serves, and its keys: made once for all tests that are under way.
struct Published {
    world: World,
    keys: [String; 3],
}

impl Published {
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Published>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let made = Arc::new(Self::new());
            *shared = Arc::downgrade(&made);
            made
        })
    }

    fn new() -> Self {
        let world = World::sample();
        world.publish(&(0..VICTIMS).map(victim).chain((0..ACCUSED).map(accused)).collect::<String>()).ok();
        world.run(&["up", "--once"]).ok();
        world.run(&["edition", "publish", "--as-of", "2025-12-31"]).ok();
        let key = |share: &str| {
            let said = world
                .run(&["key", "new", "--id", &format!("{share}-01"), "--share", share, "--purpose", "annual_report"])
                .ok();
            said.lines().next().unwrap().to_owned()
        };
        let keys = ["ministry", "agencies", "partners"].map(key);
        Self { world, keys }
    }

    /// A store of its own for a test.
    fn copied(&self) -> World {
        let world = World::new();
        let copied = Command::new("cp").arg("-a").arg(self.world.data()).arg(world.data()).status().unwrap();
        assert!(copied.success());
        world
    }
}

fn one_of(codes: &[&str], n: u32) -> Value {
    codes[n as usize % codes.len()].into()
}

/// The `n`th made-up accused, a line.
fn accused(n: u32) -> String {
    let mut accused: Value = serde_json::from_str(&event(VICTIMS + n, true)).unwrap();
    accused["type"] = "pk.tip.accused.arrested".into();
    accused["dataschema"] = "https://schemas.amanat.example/accused.arrested/v1".into();
    accused["data"] = json!({
        "record_version": 1, "occurred_on": "2024-05-09", "person": accused["data"]["person"],
        "sex": one_of(&["F", "M"], n), "age_band": "30-38", "citizenship": one_of(&["PK", "AF"], n / 2),
        "role": [one_of(&["recruiter", "transporter", "exploiter"], n / 4)], "official": one_of(&["yes", "no"], n / 12),
        "province": one_of(&["PK-PB", "PK-SD", "PK-KP", "PK-BA"], n / 24),
    });
    accused["time"] = "2024-12-10T14:00:00+05:00".into();
    format!("{accused}\n")
}

/// The `n`th made-up victim, a line.
fn victim(n: u32) -> String {
    let mut victim: Value = serde_json::from_str(&event(n, true)).unwrap();
    let data = &mut victim["data"];
    data["occurred_on"] = format!("2024-{:02}-09", n % 11 + 1).into();
    data["sex"] = one_of(&["F", "M"], n);
    data["age_band"] = one_of(&["18-20", "21-23", "30-38", "09-17", "_X"], n / 2);
    data["citizenship"] = one_of(&["PK", "AF"], n / 5);
    data["exploitation"] = Value::from(vec![one_of(&["forced_labour", "sexual", "domestic_servitude"], n / 7)]);
    data["place_identified"] = one_of(&["PK-PB", "PK-SD", "PK-KP", "PK-BA"], n / 6);
    data["referral_source"] = one_of(&["police", "ngo", "self"], n / 24);
    victim["time"] = "2024-12-10T14:00:00+05:00".into();
    format!("{victim}\n")
}

impl House {
    pub fn open() -> Self {
        Self::open_as(|world, address| {
            let args = ["up", "--role", "endpoint", "--http", &address.to_string()];
            world.start_with(&args, &[("AMANAT_PRIVACY__SLOT_MS", "20")])
        })
    }

    /// Served by a program that is started so.
    pub fn open_as(start: impl FnOnce(&World, SocketAddr) -> Started) -> Self {
        let shared = Published::shared();
        let (world, keys) = (shared.copied(), shared.keys.clone());
        let address = free_address();
        let mut up = start(&world, address);
        up.says("ready");
        Self { world, up, address, keys, _shared: shared }
    }

    /// Asks with the ministry's key.
    pub fn ask(&self, sql: &str) -> Reply {
        self.ask_with(&self.keys[0], sql)
    }

    pub fn ask_with(&self, key: &str, sql: &str) -> Reply {
        send(self.address, Some(key), "text/plain", sql.as_bytes())
    }

    /// Asks in JSON, as it is.
    pub fn ask_json(&self, body: &str) -> Reply {
        send(self.address, Some(&self.keys[0]), "application/json", body.as_bytes())
    }

    /// The number of the one cell that an ordinary question has.
    pub fn number(&self, sql: &str) -> i64 {
        let reply = self.ask(sql);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["rows"][0][0].as_i64().unwrap_or_else(|| panic!("{reply:?}"))
    }

    /// The program goes on: it answers from the vault and from what is published.
    pub fn goes_on(&self) {
        let n = self.number("select count(*) from victims where year = 2024");
        assert!((n - i64::from(VICTIMS)).abs() <= 91, "near the truth: {n}");
        assert_eq!(self.ask("select count(*) from reference.sex").status, 200);
    }

    /// The audit log, whole.
    pub fn audit(&self) -> Verified {
        ledger::verify(&self.world.data().join("audit.db"), None, &mut |_, _| ()).unwrap()
    }

    /// Questions in the log, the newest first.
    pub fn questions(&self) -> Vec<Question> {
        let reader = AuditReader::open(&self.world.data().join("audit.db")).unwrap();
        reader.read(1..=u64::MAX, Filter::default()).map(Result::unwrap).collect()
    }

    /// Waits until the log is as wanted.
    pub fn until_audit(&self, what: &str, mut wanted: impl FnMut(&Verified) -> bool) -> Verified {
        let began = Instant::now();
        loop {
            let audit = self.audit();
            if wanted(&audit) {
                return audit;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {audit:?}");
        }
    }

    pub fn close(self) {
        self.up.terminate();
        self.up.end().ok();
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a problem, which has the form of RFC 9457 and says what to do.
    pub fn problem(&self) -> String {
        assert!(self.status >= 400 && self.head.contains("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        for member in ["type", "title", "detail", "code", "hint"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {self:?}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Rows of an answer by their first cell.
    pub fn by_first(&self) -> BTreeMap<String, Value> {
        let json = self.json();
        let rows = json["rows"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        rows.iter().map(|row| (row[0].to_string(), row[1].clone())).collect()
    }
}

/// Writes a question to a new connection.
pub fn sent(address: SocketAddr, key: Option<&str>, kind: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let key = key.map_or(String::new(), |key| format!("authorization: Bearer {key}\r\n"));
    let head = format!(
        "POST /v1/sql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\n{key}content-length: {}\r\n\r\n",
        body.len()
    );
    // A body that is refused by its length need not be taken to its end.
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
    stream
}

/// Asks and reads the reply to its end.
pub fn send(address: SocketAddr, key: Option<&str>, kind: &str, body: &[u8]) -> Reply {
    let mut stream = sent(address, key, kind, body);
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply: {text} {read:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{head}"));
    let head = head.to_lowercase();
    let body = if head.contains("transfer-encoding: chunked") { whole(body) } else { body.to_owned() };
    Reply { status, head, body }
}

/// What a body in chunks says.
fn whole(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&rest[..size]);
        chunks = rest[size..].strip_prefix("\r\n").unwrap();
    }
    body
}
