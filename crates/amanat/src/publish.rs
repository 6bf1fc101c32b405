//! `amanat publish`: events from a file or standard input onto the log, each checked before anything is sent.
//!
//! A file with a mistake is refused whole, with every mistake named; standard input is a stream, so its lines are checked and
//! sent in blocks, and the first block with a mistake ends the command, saying how many lines before it are in the log.

use std::io::{BufRead, BufReader};
use std::path::Path;

use eventlog::{EventSink, Outgoing, stream_name};
use events::encode::{Encoded, binary_of_line};
use lake::StoreKind;

use crate::cli::PublishArgs;
use crate::config::Config;
use crate::data_dir::{DataDir, log_failure};
use crate::exit::Failure;
use crate::progress;

/// Lines sent, and so made durable, together.
const BLOCK: usize = 2_000;

/// Publishes.
pub fn run(config: Config, args: PublishArgs) -> anyhow::Result<()> {
    let dir = DataDir::open_or_create(&config, None)?;
    if args.raw && dir.kind != StoreKind::Sample {
        return Err(Failure::Refused(
            "--raw sends bytes unchecked and is for sample stores only; leave it out, and each line is checked".into(),
        )
        .into());
    }
    let limits = events::Limits { max_bytes: config.ingest.max_payload_bytes };
    if !args.raw && args.file != Path::new("-") {
        check(&args.file, limits)?;
    }
    let mut sink = dir.sink(&config)?;
    let agency = args.agency.as_deref().filter(|_| args.raw);
    let sent = send(open(&args.file)?, &mut *sink, limits, agency)?;
    crate::exit::print(&format!("published {sent} event(s)\n"))
}

fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = std::fs::File::open(file)
        .map_err(|error| Failure::Input(format!("cannot read {}: {error}", file.display())))?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, opened)))
}

/// Refuses a file with any mistake in it; at most twenty are printed, all are counted.
fn check(file: &Path, limits: events::Limits) -> anyhow::Result<()> {
    let (mut mistakes, mut shown) = (0_u64, String::new());
    each_line(open(file)?, |number, line| {
        if let Err(fault) = binary_of_line(line, &limits) {
            mistakes += 1;
            if mistakes <= 20 {
                shown.push_str(&format!("  line {number}: {fault}\n"));
            }
        }
        Ok(())
    })?;
    if mistakes == 0 {
        return Ok(());
    }
    Err(Failure::Input(format!("{mistakes} line(s) of {} are not events of the contract; nothing was sent:\n{shown}`amanat validate` explains each mistake.", file.display())).into())
}

fn send(
    input: Box<dyn BufRead>,
    sink: &mut dyn EventSink,
    limits: events::Limits,
    raw_agency: Option<&str>,
) -> anyhow::Result<u64> {
    let progress = progress::spinner("publishing");
    let mut block: Vec<(String, Encoded)> = Vec::with_capacity(BLOCK);
    let mut sent = 0;
    each_line(input, |number, line| {
        let message = match raw_agency {
            Some(agency) => (agency.to_owned(), Encoded { key: Vec::new(), headers: Vec::new(), value: line.to_vec() }),
            None => binary_of_line(line, &limits).map_err(|fault| {
                Failure::Input(format!("line {number}: {fault} ({sent} line(s) before it are published)"))
            })?,
        };
        block.push(message);
        if block.len() == BLOCK {
            sent += flush(&mut block, sink)?;
            progress.set_position(sent);
        }
        Ok(())
    })?;
    sent += flush(&mut block, sink)?;
    progress.finish_and_clear();
    Ok(sent)
}

/// Calls `each` with the number (from 1) and bytes of every line that is not blank.
fn each_line(
    mut input: Box<dyn BufRead>,
    mut each: impl FnMut(u64, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut line, mut number) = (Vec::new(), 0);
    while input.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !text.iter().all(u8::is_ascii_whitespace) {
            each(number, text)?;
        }
        line.clear();
    }
    Ok(())
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
