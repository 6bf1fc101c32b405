//! What the embedded log promises beyond the contract: one private file, durable, shared by processes, and named
//! refusals of files that are full, newer, damaged or something else.

use std::fs;
use std::path::Path;
use std::time::Duration;

use eventlog::sqlite::SqliteLog;
use eventlog::{EventSink as _, EventSource as _, LogError, Partition};
use rusqlite::Connection;
use uuid::Uuid;

use super::bench::*;

const STREAM: &str = "tip.events.FIA.v1";

fn open(path: &Path) -> Result<SqliteLog, LogError> {
    SqliteLog::open(path, Uuid::from_u128(1))
}

fn partition() -> Partition {
    Partition::new(STREAM, 0)
}

fn append(log: &SqliteLog, values: &[&str]) -> Result<(), LogError> {
    let messages: Vec<_> = values.iter().map(|value| message("k", value)).collect();
    log.sink().unwrap().append(STREAM, &messages).map(drop)
}

fn read(log: &SqliteLog) -> Vec<String> {
    let mut source = log.source().unwrap();
    let partitions = read_stream(&mut source, STREAM);
    drain(&mut source, &partitions).values().flat_map(|records| values(records)).collect()
}

#[test]
fn the_file_keeps_its_id_and_its_messages_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let first = open(&path).unwrap();
    append(&first, &["a", "b"]).unwrap();
    let uid = first.source_uid().to_owned();
    drop(first);
    let again = SqliteLog::open(&path, Uuid::from_u128(2)).unwrap();
    assert_eq!(again.source_uid(), uid, "another id is for another file");
    assert_eq!(read(&again), ["a", "b"]);
}

/// ingestion.md 3.3: the generation is the operator's, and part of the log's name.
#[test]
fn a_raised_generation_is_another_name_for_the_same_records_and_is_never_lowered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.db");
    let log = SqliteLog::open(&path, Uuid::from_u128(1)).unwrap();
    let (uid, _) = log.source_uid().rsplit_once('#').unwrap();
    assert_eq!(log.raise_generation(2).unwrap().source_uid(), format!("{uid}#2"));
    assert_eq!(log.raise_generation(1).unwrap().source_uid(), format!("{uid}#2"));
    assert_eq!(SqliteLog::open(&path, Uuid::from_u128(2)).unwrap().source_uid(), format!("{uid}#2"));
    assert_eq!(log.source_uid(), format!("{uid}#0"), "a handle keeps the name that it has");
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_what_agencies_sent() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder.path().join("log.db")).unwrap();
    let _writer = log.sink().unwrap();
    append(&log, &["a"]).unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() > 1, "the write-ahead log lies beside it");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[test]
fn what_one_process_appends_another_reads_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    // Handles that share nothing but the file, as two processes do.
    let (here, there) = (open(&path).unwrap(), open(&path).unwrap());
    append(&there, &["a"]).unwrap();
    let mut source = here.source().unwrap();
    source.read_from(&partition(), 0).unwrap();
    assert_eq!(source.poll(1 << 20, Duration::ZERO).unwrap().unwrap().records.len(), 1);
    append(&there, &["b"]).unwrap();
    assert_eq!(source.poll(1 << 20, PATIENCE).unwrap().unwrap().records.len(), 1, "a waiting reader is woken");
    append(&here, &["c"]).unwrap();
    assert_eq!(read(&there), ["a", "b", "c"]);
}

#[test]
fn a_full_file_takes_nothing_of_the_call_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = open(&path).unwrap();
    append(&log, &["kept"]).unwrap();
    let small = log.clone().with_max_bytes(256 << 10);
    let large = "x".repeat(200_000);
    let error = append(&small, &["first of the call", &large, &large]).unwrap_err();
    assert!(matches!(&error, LogError::DiskFull { path: p } if *p == path), "{error}");
    assert!(!error.is_transient() && error.to_string().contains("nothing that was acknowledged is lost"));
    assert_eq!(read(&log), ["kept"], "none of the call");
    append(&log, &[&large]).unwrap();
    assert_eq!(read(&log).len(), 2);
}

#[test]
fn a_file_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    append(&open(&path).unwrap(), &["a"]).unwrap();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, LogError::NewerFormat { found: 2, supported: 1, .. }), "{error}");
}

#[test]
fn what_is_no_log_is_refused_and_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "a letter\n".repeat(1_000)).unwrap();
    assert!(matches!(open(&text), Err(LogError::NotALog { .. })));
    assert_eq!(fs::read_to_string(&text).unwrap(), "a letter\n".repeat(1_000));

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(matches!(open(&other), Err(LogError::NotALog { .. })));

    let nowhere = open(&folder.path().join("no/such/folder/log.db")).unwrap_err();
    assert!(matches!(&nowhere, LogError::Refused { reason } if reason.contains("no folder")), "{nowhere}");
}

#[test]
fn a_file_whose_making_was_cut_short_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    fs::write(&path, "").unwrap(); // the process died after it created the file
    append(&open(&path).unwrap(), &["a"]).unwrap();
    assert_eq!(read(&open(&path).unwrap()), ["a"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.path().join("try"), "").is_ok() {
        return; // root is bound by no mode
    }
    let error = open(&folder.path().join("log.db")).unwrap_err();
    assert!(matches!(error, LogError::ReadOnly { .. }), "{error}");
}

#[test]
fn damage_stops_its_partition_at_the_offset_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = open(&path).unwrap();
    append(&log, &["a", "b"]).unwrap();
    append(&log, &["c"]).unwrap();
    log.sink().unwrap().append("tip.events.IOM.v1", &[message("k", "whole")]).unwrap();
    // One byte of the second batch of the first stream.
    let flip = "UPDATE batches SET body = substr(body, 1, length(body) - 1) || x'00' WHERE first = 2";
    assert_eq!(Connection::open(&path).unwrap().execute(flip, []).unwrap(), 1);

    let mut source = log.source().unwrap();
    source.read_from(&partition(), 0).unwrap();
    source.read_from(&Partition::new("tip.events.IOM.v1", 0), 0).unwrap();
    let mut got = Vec::new();
    let mut damage = None;
    for _ in 0..6 {
        match source.poll(1, Duration::ZERO) {
            Ok(Some(fetched)) => got.extend(fetched.records.iter().map(|r| r.value.unwrap().to_vec())),
            Ok(None) => {}
            Err(error) => assert!(damage.replace(error).is_none(), "reported once"),
        }
    }
    assert!(matches!(damage, Some(LogError::Corrupt { partition: p, offset: 2, .. }) if p == partition()));
    got.sort();
    assert_eq!(got, [&b"a"[..], b"b", b"whole"], "what lies before it, and the other stream");
}

#[test]
fn what_is_trimmed_leaves_no_bytes_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let secret = "a sentence that must not survive its retention".repeat(20);
    {
        let log = open(&path).unwrap();
        append(&log, &[&secret]).unwrap();
        append(&log, &["stays"]).unwrap();
        assert_eq!(log.trim(&partition(), 1).unwrap(), 1);
        assert_eq!(log.trim(&partition(), 0).unwrap(), 1, "nothing comes back");
        assert!(matches!(log.trim(&Partition::new("tip.events.X.v1", 0), 1), Err(LogError::UnknownPartition { .. })));
        assert_eq!(read(&log), ["stays"]);
    }
    for file in fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()) {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(46).any(|window| window == &secret.as_bytes()[..46]);
        assert!(!found, "{} still holds it", file.display());
    }
}

#[test]
fn the_room_of_what_is_trimmed_is_given_back_while_others_append() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = open(&path).unwrap();
    let large = "x".repeat(1 << 20);
    for _ in 0..40 {
        append(&log, &[&large]).unwrap();
    }
    append(&log, &["stays"]).unwrap();
    let size = || fs::metadata(&path).unwrap().len();
    let other = log.clone();
    let appending = std::thread::spawn(move || {
        for n in 0..20 {
            append(&other, &[&format!("later {n}")]).unwrap();
        }
    });
    assert_eq!(log.trim(&partition(), 40).unwrap(), 40);
    appending.join().unwrap();
    log.shrink().unwrap();
    assert!(size() < 4 << 20, "{} bytes of more than forty million are left", size());
    let left = read(&log);
    assert_eq!((left.len(), left[0].as_str()), (21, "stays"), "nothing else went");
    assert_eq!(log.shrink().unwrap(), 0, "there is nothing more to give");
}
