//! Runs the binary and reads what it says; waits for conditions, never for time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longest wait for a condition; a machine under load is slow, not wrong.
const PATIENCE: Duration = Duration::from_mins(2);

/// A directory with a store in it, or none yet.
pub struct World {
    pub root: TempDir,
}

/// What a command left.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    /// The text of standard output of a command that must succeed.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// The text of standard error of a command that must end with this code.
    pub fn refused(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.err
    }
}

impl World {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    /// A store of real data with nothing in it.
    pub fn real() -> Self {
        let world = Self::new();
        world.publish("").ok();
        world
    }

    /// A sample store with nothing in it: a real one, of which the mark of its kind is changed before anything is there.
    pub fn sample() -> Self {
        let world = Self::real();
        let file = world.data().join("store.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("sample = false"), "{text}");
        std::fs::write(&file, text.replace("sample = false", "sample = true")).unwrap();
        world
    }

    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// Writes a file beside the store.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.root.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amanat"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AMANAT_")) {
            command.env_remove(name);
        }
        for address in ["AMANAT_GATEWAY__HTTP", "AMANAT_POSTGRES__ADDRESS", "AMANAT_FLIGHT__ADDRESS"] {
            command.env(address, "127.0.0.1:0"); // any free port: tests run beside each other
        }
        // One test asks as fast as many readers.
        for pace in ["AMANAT_SQL__QUESTIONS_PER_MINUTE", "AMANAT_SQL__QUESTIONS_PER_MINUTE_OF_ALL"] {
            command.env(pace, "0");
        }
        command.args(args).arg("--data").arg(self.data()).current_dir(self.root.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> Done {
        let output = self.command(args).stdin(Stdio::null()).output().unwrap();
        Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Publishes lines as standard input.
    pub fn publish(&self, lines: &str) -> Done {
        self.told(&["publish", "-"], lines)
    }

    /// Runs with a text as standard input.
    pub fn told(&self, args: &[&str], input: &str) -> Done {
        let mut started = self.start(args);
        started.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        started.end()
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"]).ok()).unwrap()
    }

    /// Waits until the status is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {status}");
        }
    }

    pub fn start(&self, args: &[&str]) -> Started {
        self.start_with(args, &[])
    }

    /// With variables of the environment.
    pub fn start_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Started {
        let mut command = self.command(args);
        command.envs(environment.iter().copied());
        Started::of(command)
    }
}

/// A command that runs. It is killed when the test ends before it.
pub struct Started {
    child: Child,
    pub stdin: Option<ChildStdin>,
    stdout: BufReader<std::process::ChildStdout>,
    err: Option<std::thread::JoinHandle<String>>,
    out: String,
}

impl Started {
    /// Starts a command of [`World::command`].
    pub fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut stderr = child.stderr.take().unwrap();
        // Read beside, or a talkative program waits for a reader.
        let err = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Self { child, stdin, stdout, err: Some(err), out: String::new() }
    }

    /// Reads standard output up to a line that has this in it.
    pub fn says(&mut self, what: &str) -> String {
        let mut line = String::new();
        while self.stdout.read_line(&mut line).unwrap() > 0 {
            self.out.push_str(&line);
            if line.contains(what) {
                return line;
            }
            line.clear();
        }
        let _ = self.child.wait();
        panic!("it ended without {what:?}: {} {}", self.out, self.err.take().unwrap().join().unwrap());
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// As a service manager asks a program to end.
    pub fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> Done {
        drop(self.stdin.take());
        self.stdout.read_to_string(&mut self.out).unwrap();
        let code = self.child.wait().unwrap().code();
        Done { code, out: std::mem::take(&mut self.out), err: self.err.take().unwrap().join().unwrap() }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that was free a moment ago.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A GET: status and body. None while nobody listens.
pub fn get(address: SocketAddr, path: &str, headers: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// Asks until there is an answer.
pub fn get_until(address: SocketAddr, path: &str) -> (u16, String) {
    let began = Instant::now();
    loop {
        if let Some(answer) = get(address, path, "") {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "nobody listens on {address}");
        std::thread::yield_now();
    }
}

/// A victim identified by the police of Punjab, of a made-up person; the `n`th.
pub fn event(n: u32, synthetic: bool) -> String {
    let mark = if synthetic { r#""synthetic":true,"# } else { "" };
    format!(
        r#"{{"specversion":"1.0","id":"018f2f6e-8d0a-7c3e-9b1f-{n:012x}","source":"urn:pk:tip:POL-PB","type":"pk.tip.victim.identified",{mark}"dataschema":"https://schemas.amanat.example/victim.identified/v1","subject":"POL-PB/0q7vkzr3m9x{n:05}","time":"2024-03-10T14:00:00+05:00","datacontenttype":"application/json","data":{{"record_version":1,"occurred_on":"2024-03-09","person":[{{"kind":"document","token":"9x4k2mvq7trz{n:08}"}}],"sex":"F","age_band":"18-20","citizenship":"PK","status":"actual","exploitation":["forced_labour"],"place_identified":"PK-PB","referral_source":"police"}}}}"#
    )
}

/// Several of them, a line each.
pub fn events(numbers: std::ops::Range<u32>, synthetic: bool) -> String {
    numbers.map(|n| event(n, synthetic) + "\n").collect()
}

/// Whether a directory has nothing in it, or is not there.
pub fn is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none())
}
