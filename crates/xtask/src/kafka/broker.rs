//! One broker on one port: its files, its process, its end.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::unistd::Pid;

use super::{java, probe, runtime};
use crate::server::{self, LOOK_EVERY, Life, free_port};
use crate::tied;

const START_WITHIN: Duration = Duration::from_secs(90);

/// The place of a broker, running or not.
#[derive(Clone)]
pub struct Instance {
    port: u16,
    folder: PathBuf,
}

/// A broker that this process has started.
pub struct Started {
    instance: Instance,
    process: Child,
}

impl Instance {
    /// The broker of this port.
    pub fn on(port: u16) -> Result<Self> {
        Ok(Self { port, folder: runtime::cache()?.join(format!("run-{port}")) })
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    fn output(&self) -> PathBuf {
        self.folder.join("broker.log")
    }

    /// The process of the broker, if it runs: what the pid file names, and only if that still is a Kafka of ours.
    pub fn running(&self) -> Option<Pid> {
        server::running(&self.pid_file(), &self.properties().to_string_lossy())
    }

    /// Starts the broker; it may not answer yet.
    pub fn start(&self, keep: bool, life: Life) -> Result<Started> {
        sweep()?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            bail!("port {} of 127.0.0.1 is in use by another program", self.port);
        }
        let class_path = runtime::class_path()?;
        let formatted = self.folder.join("data/meta.properties").exists();
        if !keep && self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        fs::write(self.properties(), self.server_properties()?)?;
        fs::write(self.folder.join("log4j2.xml"), LOG4J2)?;
        if !(keep && formatted) {
            self.format(&class_path)?;
        }
        let mut command = self.command(&class_path, life)?;
        let process = command.spawn().context("cannot run java: install Java 17 or newer, or set JAVA_HOME")?;
        fs::write(self.pid_file(), process.id().to_string())?;
        Ok(Started { instance: self.clone(), process })
    }

    /// `kafka.tools.StorageTool format`: gives the node its storage and the cluster its id.
    fn format(&self, class_path: &Path) -> Result<()> {
        let output = java()
            .args(["-Xmx128m", "-XX:TieredStopAtLevel=1"])
            .arg(self.log4j())
            .arg("-cp")
            .arg(class_path)
            .args(["kafka.tools.StorageTool", "format", "-t", &random_cluster_id()?, "-c"])
            .arg(self.properties())
            .output()
            .context("cannot run java: install Java 17 or newer, or set JAVA_HOME")?;
        if !output.status.success() {
            bail!("Kafka's storage could not be formatted: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    fn command(&self, class_path: &Path, life: Life) -> Result<Command> {
        let java = java();
        let mut line: Vec<OsString> = vec![java.get_program().into()];
        line.extend(["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true"].map(Into::into));
        line.extend([self.log4j(), "-cp".into(), class_path.into(), "kafka.Kafka".into(), self.properties().into()]);
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
        // A group of its own: Ctrl-C in the terminal is for the command, the broker goes after it.
        command.process_group(0);
        Ok(command)
    }

    fn log4j(&self) -> OsString {
        format!("-Dlog4j2.configurationFile={}", self.folder.join("log4j2.xml").display()).into()
    }

    /// One node that is broker and controller; loopback only; small, because it is for tests.
    fn server_properties(&self) -> Result<String> {
        let Self { port, folder, .. } = self;
        let controller = free_port()?;
        let data = folder.join("data");
        let mut text = String::new();
        let lines = [
            ("process.roles", "broker,controller".to_string()),
            ("node.id", "1".into()),
            ("controller.quorum.voters", format!("1@127.0.0.1:{controller}")),
            ("controller.listener.names", "CONTROLLER".into()),
            ("listeners", format!("PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}")),
            ("advertised.listeners", format!("PLAINTEXT://127.0.0.1:{port}")),
            ("log.dirs", data.display().to_string()),
            // Topics are made by who needs them; a misspelt name shall fail.
            ("auto.create.topics.enable", "false".into()),
            ("log.retention.ms", "-1".into()),
            // Internal topics of a single node, and few of them.
            ("offsets.topic.replication.factor", "1".into()),
            ("offsets.topic.num.partitions", "1".into()),
            ("transaction.state.log.replication.factor", "1".into()),
            ("transaction.state.log.min.isr", "1".into()),
            ("transaction.state.log.num.partitions", "1".into()),
            ("share.coordinator.state.topic.replication.factor", "1".into()),
            ("share.coordinator.state.topic.min.isr", "1".into()),
            ("share.coordinator.state.topic.num.partitions", "1".into()),
            ("group.initial.rebalance.delay.ms", "0".into()),
            ("num.network.threads", "2".into()),
            ("num.io.threads", "2".into()),
            ("log.cleaner.dedupe.buffer.size", "4194304".into()),
        ];
        for (key, value) in lines {
            writeln!(text, "{key}={value}").expect("a String takes everything");
        }
        Ok(text)
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
    /// Until it has registered itself and says so in its own protocol.
    pub fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!("Kafka ended at once ({status}):\n{}", self.instance.last_output());
            }
            if probe::brokers(self.instance.port).is_ok_and(|count| count > 0) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("Kafka did not answer within {} s:\n{}", START_WITHIN.as_secs(), self.instance.last_output());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Stops it and waits for its end.
    pub fn stop(&mut self) {
        server::stop(&mut self.process);
        self.instance.forget();
    }
}

impl Instance {
    fn last_output(&self) -> String {
        let text = fs::read_to_string(self.output()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// Removes the files of brokers on passing ports that were killed before they could tidy up.
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

/// 16 random bytes in URL-safe base64 without padding, as Kafka writes its ids.
fn random_cluster_id() -> Result<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let bits = u128::from_be_bytes(bytes);
    let digit = |i: u32| char::from(ALPHABET[(bits >> (122 - 6 * i) & 63) as usize]);
    let last = char::from(ALPHABET[((bits & 3) << 4) as usize]);
    let mut id: String = (0..21).map(digit).collect();
    id.push(last);
    // Kafka's tools would take a leading dash for an option.
    Ok(if id.starts_with('-') { id.replacen('-', "A", 1) } else { id })
}

const LOG4J2: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="error">
  <Appenders>
    <Console name="out"><PatternLayout pattern="%d{ISO8601} %p %m (%c)%n"/></Console>
  </Appenders>
  <Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"#;
