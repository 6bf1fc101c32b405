//! One server on one port: its bucket, its keys, its process, its end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::runtime;
use crate::server::{self, LOOK_EVERY, Life};
use crate::tied;

const START_WITHIN: Duration = Duration::from_secs(30);
const ASK_WITHIN: Duration = Duration::from_secs(2);

/// The one bucket of a server: every test has its own prefix in it.
pub const BUCKET: &str = "amanat";
/// The region that its signatures name.
pub const REGION: &str = "us-east-1";

/// An access key, new at each start; it opens nothing but a server on loopback.
#[derive(Clone)]
pub struct Keys {
    /// Not secret.
    pub access: String,
    /// Secret.
    pub secret: String,
}

impl Keys {
    /// Random ones.
    pub fn new() -> Result<Self> {
        Ok(Self { access: random()?, secret: random()? })
    }
}

/// The place of a server, running or not.
#[derive(Clone)]
pub struct Instance {
    port: u16,
    folder: PathBuf,
}

/// A server that this process has started.
pub struct Started {
    instance: Instance,
    process: Child,
}

impl Instance {
    /// The server of this port.
    pub fn on(port: u16) -> Result<Self> {
        Ok(Self { port, folder: runtime::cache()?.join(format!("run-{port}")) })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The folder over which it serves.
    pub fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    fn output(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// The process of the server, if it runs.
    pub fn running(&self) -> Option<Pid> {
        server::running(&self.pid_file(), &self.objects().to_string_lossy())
    }

    /// Starts the server; it may not answer yet.
    pub fn start(&self, keep: bool, keys: &Keys, life: Life) -> Result<Started> {
        sweep()?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            bail!("port {} of 127.0.0.1 is in use by another program", self.port);
        }
        let program = runtime::program()?;
        if !keep && self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        // A folder is a bucket to this server.
        fs::create_dir_all(self.objects().join(BUCKET))?;
        let mut command = self.command(&program, life)?;
        // Through the environment: arguments of a process are for everybody to see.
        command.env("ROOT_ACCESS_KEY_ID", &keys.access).env("ROOT_SECRET_ACCESS_KEY", &keys.secret);
        let process = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        fs::write(self.pid_file(), process.id().to_string())?;
        Ok(Started { instance: self.clone(), process })
    }

    fn command(&self, program: &Path, life: Life) -> Result<Command> {
        let address = format!("127.0.0.1:{}", self.port);
        let mut line: Vec<OsString> = vec![program.into()];
        line.extend(["--port", &address, "--region", REGION, "--quiet", "--keep-alive", "posix"].map(Into::into));
        line.push(self.objects().into());
        let mut command = match life {
            Life::UntilWeEnd => tied::command(&line)?,
            Life::UntilDown => {
                let mut command = Command::new(&line[0]);
                command.args(&line[1..]);
                command
            }
        };
        let output = File::create(self.output())?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // A group of its own: Ctrl-C in the terminal is for the command, the server goes after it.
        command.process_group(0);
        Ok(command)
    }

    /// Whether it answers as an S3 server: one without a signature is refused in its own words.
    pub fn answers(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)), ASK_WITHIN)?;
        stream.set_read_timeout(Some(ASK_WITHIN))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(1 << 16).read_to_end(&mut answer)?;
        let is_s3 = String::from_utf8_lossy(&answer).contains("AccessDenied");
        if is_s3 { Ok(()) } else { Err(io::Error::other("that is no S3 server")) }
    }

    /// Forgets the process.
    pub fn forget(&self) {
        let _ = fs::remove_file(self.pid_file());
    }

    /// Removes its files.
    pub fn remove(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Started {
    /// Until it answers.
    pub fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!("the S3 server ended at once ({status}):\n{}", self.instance.said());
            }
            if self.instance.answers().is_ok() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the S3 server did not answer within {} s:\n{}", START_WITHIN.as_secs(), self.instance.said());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Stops it and waits for its end.
    pub fn stop(&mut self) {
        server::stop(&mut self.process);
        self.instance.forget();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(nix::sys::signal::kill(Pid::from_raw(i32::try_from(self.process.id())?), signal)?)
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        self.instance.forget();
        Ok(())
    }
}

impl Instance {
    fn said(&self) -> String {
        fs::read_to_string(self.output()).unwrap_or_default()
    }
}

/// Removes the files of servers on passing ports that were killed before they could tidy up.
fn sweep() -> Result<()> {
    for entry in fs::read_dir(runtime::cache()?)? {
        let name = entry?.file_name();
        let port = name.to_str().and_then(|name| name.strip_prefix("run-")).and_then(|port| port.parse().ok());
        let Some(port) = port else { continue };
        let instance = Instance::on(port)?;
        // No pid file: stopped in good order, and kept on purpose.
        if instance.pid_file().exists() && instance.running().is_none() && port != super::DEFAULT_PORT {
            instance.remove();
        }
    }
    Ok(())
}

/// 16 random bytes in hexadecimal.
fn random() -> Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
