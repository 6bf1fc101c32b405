//! `amanat publish`: events from a file or standard input onto the log, each checked before anything is sent.
//!
//! A file with a mistake is refused whole, with every mistake named. Standard input is a stream: its lines are checked and
//! sent in blocks, a block that is not full when its first line is 200 ms old, so that `tail -f` publishes what it prints.
//! The first mistake ends the command, saying how many lines before it are in the log; so does Ctrl-C, without an error.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use eventlog::{EventSink, Outgoing, stream_name};
use events::encode::{Encoded, binary_of};
use lake::{StoreIdentity, StoreKind};

use crate::admission::Judge;
use crate::cli::PublishArgs;
use crate::config::Config;
use crate::data_dir::{DataDir, log_failure, unusable};
use crate::exit::Failure;
use crate::lines::{each_line, open};
use crate::progress;

/// Lines sent, and so made durable, together.
const BLOCK: usize = 2_000;

/// … or this many bytes of them: lines may be as large as the contract lets them.
const BLOCK_BYTES: usize = 8 << 20;

/// Lines that are read ahead of being sent.
const AHEAD: usize = 64;

/// Longest time for which a line waits for others to be sent with.
const PATIENCE: Duration = Duration::from_millis(200);

/// Publishes.
pub fn run(config: Config, args: PublishArgs) -> anyhow::Result<()> {
    // Nothing is made before the file is known to be good.
    let found = StoreIdentity::read(&config.data).map_err(|error| unusable(&config.data, &error))?;
    let kind = found.as_ref().map_or(StoreKind::Real, |identity| identity.kind);
    if args.raw && kind != StoreKind::Sample {
        return Err(Failure::Refused(
            "--raw sends bytes unchecked and is for sample stores only; leave it out, and each line is checked".into(),
        )
        .into());
    }
    let policy = crate::data_dir::policy(&config)?;
    let limits = events::Limits { max_bytes: config.ingest.max_payload_bytes };
    let judge = Judge { policy: &policy, kind: Some(kind), limits };
    if !args.raw && args.file != Path::new("-") {
        check(&args.file, judge)?;
    }
    let dir = DataDir::open_or_create(&config, None)?;
    if found.is_none() {
        let place = config.data.display();
        crate::exit::note(&format!(
            "there was no store in {place}: a new one for real data was made there. To try things out, `amanat up --sample --data` another directory."
        ));
    }
    let mut sink = dir.sink(&config)?;
    let agency = args.agency.as_deref().filter(|_| args.raw);
    let most = if args.raw { usize::MAX } else { limits.max_bytes };
    let told = read_beside(&args.file, most)?;
    let (sent, ended) = send(&told, &mut *sink, judge, agency)?;
    let stopped = if ended { "" } else { ", then was told to stop" };
    crate::exit::print(&format!("published {sent} event(s){stopped}: they are in the log\n"))?;
    crate::exit::note("`amanat receipts` says what became of each; `amanat up` reads them");
    Ok(())
}

/// Refuses a file with any mistake in it; at most twenty are printed, all are counted.
fn check(file: &Path, judge: Judge<'_>) -> anyhow::Result<()> {
    let (mut mistakes, mut shown) = (0_u64, String::new());
    each_line(open(file)?, judge.limits.max_bytes, |number, line| {
        if let Err(sentence) = judge.read(line) {
            mistakes += 1;
            if mistakes <= 20 {
                shown.push_str(&format!("  line {number}: {sentence}\n"));
            }
        }
        Ok(())
    })?;
    if mistakes == 0 {
        return Ok(());
    }
    Err(Failure::Input(format!("{mistakes} line(s) of {} would not be accepted; nothing was sent:\n{shown}`amanat validate` names every mistake.", file.display())).into())
}

/// What the reading thread, and the one that hears signals, tell the sender.
enum Told {
    Line(u64, Vec<u8>),
    Failed(anyhow::Error),
    End,
    Stop,
}

/// Reads on a thread of its own, so that whoever sends can also wait for time to pass and for a signal. The threads end with
/// the process.
fn read_beside(file: &Path, most: usize) -> anyhow::Result<Receiver<Told>> {
    let input = open(file)?;
    let (tell, told) = sync_channel(AHEAD);
    let stop = tell.clone();
    std::thread::Builder::new().name("publish-signals".into()).spawn(move || tell_on_signal(&stop))?;
    std::thread::Builder::new().name("publish-lines".into()).spawn(move || {
        let read = each_line(input, most, |number, line| Ok(tell.send(Told::Line(number, line.to_vec()))?));
        // Nobody hears it when the sender has ended first.
        let _ = tell.send(read.map_or_else(Told::Failed, |()| Told::End));
    })?;
    Ok(told)
}

fn tell_on_signal(tell: &SyncSender<Told>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    if runtime.block_on(crate::signal::stop_asked()).is_ok() {
        let _ = tell.send(Told::Stop);
    }
}

/// Sends until the input ends or a signal comes; gives how many lines, and whether the input ended.
fn send(
    told: &Receiver<Told>,
    sink: &mut dyn EventSink,
    judge: Judge<'_>,
    raw_agency: Option<&str>,
) -> anyhow::Result<(u64, bool)> {
    let progress = progress::spinner("publishing");
    let mut block: Vec<(String, Encoded)> = Vec::with_capacity(BLOCK);
    let (mut sent, mut bytes, mut due) = (0, 0, None);
    let ended = loop {
        match next(told, due) {
            Ok(Told::Line(number, line)) => match message(&line, judge, raw_agency) {
                Ok(message) => {
                    bytes += line.len();
                    block.push(message);
                    due.get_or_insert_with(|| Instant::now() + PATIENCE);
                }
                Err(what) => {
                    sent += flush(&mut block, sink)?;
                    let text = format!("line {number}: {what} ({sent} line(s) before it are published)");
                    return Err(Failure::Input(text).into());
                }
            },
            Ok(Told::Failed(error)) => {
                flush(&mut block, sink)?;
                return Err(error);
            }
            Ok(Told::End) | Err(RecvTimeoutError::Disconnected) => break true,
            Ok(Told::Stop) => break false,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if block.len() == BLOCK || bytes >= BLOCK_BYTES || due.is_some_and(|due| due <= Instant::now()) {
            sent += flush(&mut block, sink)?;
            (bytes, due) = (0, None);
            progress.set_position(sent);
        }
    };
    sent += flush(&mut block, sink)?;
    progress.finish_and_clear();
    Ok((sent, ended))
}

/// The next news, or that the open block is due.
fn next(told: &Receiver<Told>, due: Option<Instant>) -> Result<Told, RecvTimeoutError> {
    match due {
        None => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
        Some(due) => told.recv_timeout(due.saturating_duration_since(Instant::now())),
    }
}

/// A line as a message and the agency that it goes to.
fn message(line: &[u8], judge: Judge<'_>, raw_agency: Option<&str>) -> Result<(String, Encoded), String> {
    if let Some(agency) = raw_agency {
        return Ok((agency.to_owned(), Encoded { key: Vec::new(), headers: Vec::new(), value: line.to_vec() }));
    }
    let event = judge.read(line)?;
    Ok((event.agency.to_owned(), binary_of(&event)))
}

/// Appends a block, stream by stream, in the order of its lines; durable when it returns.
fn flush(block: &mut Vec<(String, Encoded)>, sink: &mut dyn EventSink) -> anyhow::Result<u64> {
    let now = chrono::Utc::now().timestamp_millis();
    let mut agencies: Vec<&str> = block.iter().map(|(agency, _)| agency.as_str()).collect();
    agencies.sort_unstable();
    agencies.dedup();
    for agency in agencies {
        let mine: Vec<&Encoded> = block.iter().filter(|(of, _)| of == agency).map(|(_, message)| message).collect();
        let headers: Vec<Vec<(&str, &[u8])>> = mine.iter().map(|message| message.header_slices()).collect();
        let outgoing: Vec<Outgoing<'_>> = mine
            .iter()
            .zip(&headers)
            .map(|(message, headers)| Outgoing {
                key: (!message.key.is_empty()).then_some(&message.key[..]),
                headers,
                value: Some(&message.value),
                timestamp_ms: now,
            })
            .collect();
        sink.append(&stream_name(agency), &outgoing).map_err(log_failure)?;
    }
    let sent = block.len() as u64;
    block.clear();
    Ok(sent)
}
