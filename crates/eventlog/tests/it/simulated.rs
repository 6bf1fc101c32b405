//! The simulated log does what its script says, and nothing else goes wrong.

use std::time::Duration;

use eventlog::simulated::{ManualClock, ReadFault, SimulatedLog, WriteFault};
use eventlog::{EventSink as _, EventSource as _, LogError, Partition};

use super::bench::*;

const STREAM: &str = "tip.events.FIA.v1";
const WAIT: Duration = Duration::from_secs(5);

fn log() -> (SimulatedLog, ManualClock) {
    let clock = ManualClock::at(NOW);
    (SimulatedLog::new("simulated", 1, clock.clone()), clock)
}

fn at() -> Partition {
    Partition::new(STREAM, 0)
}

fn filled(records: usize) -> (SimulatedLog, ManualClock, eventlog::simulated::SimulatedSource) {
    let (log, clock) = log();
    append_numbers(&mut log.sink(), STREAM, 0..records);
    let mut source = log.source();
    source.read_from(&at(), 0).unwrap();
    (log, clock, source)
}

fn poll(source: &mut impl eventlog::EventSource) -> Option<Vec<String>> {
    let fetched = source.poll(1 << 20, WAIT).unwrap()?;
    Some(fetched.records.iter().map(|r| String::from_utf8(r.value.unwrap().to_vec()).unwrap()).collect())
}

#[test]
fn a_source_that_is_away_comes_back_where_it_was() {
    let (log, _, mut source) = filled(3);
    for _ in 0..3 {
        log.on_read(ReadFault::Unavailable);
    }
    assert!(source.poll(1, WAIT).unwrap_err().is_transient());
    assert!(source.partitions().unwrap_err().is_transient());
    assert!(source.watermarks(&at()).unwrap_err().is_transient());
    assert_eq!(poll(&mut source).unwrap(), ["0", "1", "2"]);
}

#[test]
fn silence_and_slowness_take_the_clocks_time_and_lose_nothing() {
    let (log, clock, mut source) = filled(3);
    log.on_read(ReadFault::Silent);
    log.on_read(ReadFault::Slow(Duration::from_mins(1)));
    let before = clock.now_ms();
    assert_eq!(poll(&mut source), None);
    assert_eq!(clock.now_ms() - before, 5_000);
    assert_eq!(poll(&mut source).unwrap(), ["0"], "one record at most");
    assert_eq!(clock.now_ms() - before, 65_000);
    assert_eq!(poll(&mut source).unwrap(), ["1", "2"]);
}

#[test]
fn a_batch_that_comes_twice_is_the_scripts_doing() {
    let (log, _, mut source) = filled(2);
    log.on_read(ReadFault::Redeliver);
    assert_eq!(
        (poll(&mut source).unwrap(), poll(&mut source).unwrap()),
        (vec!["0".into(), "1".into()], vec!["0".into(), "1".into()])
    );
    assert_eq!(poll(&mut source), None);
}

#[test]
fn a_lost_answer_is_in_the_log_and_the_other_faults_are_not() {
    let (log, _) = log();
    let mut sink = log.sink();
    for fault in [WriteFault::Unavailable, WriteFault::DiskFull, WriteFault::LostAnswer] {
        log.on_append(fault);
    }
    assert!(sink.append(STREAM, &[message("k", "away")]).unwrap_err().is_transient());
    assert!(matches!(sink.append(STREAM, &[message("k", "full")]), Err(LogError::DiskFull { .. })));
    assert!(sink.append(STREAM, &[message("k", "lost")]).unwrap_err().is_transient());
    sink.append(STREAM, &[message("k", "well")]).unwrap();
    let mut source = log.source();
    source.read_from(&at(), 0).unwrap();
    assert_eq!(poll(&mut source).unwrap(), ["lost", "well"]);
}

#[test]
fn offsets_without_records_move_the_reader_on() {
    let (log, _, mut source) = filled(2);
    log.leave_gap(&at(), 3).unwrap();
    append_numbers(&mut log.sink(), STREAM, 5..6);
    let fetched = source.poll(1 << 20, WAIT).unwrap().unwrap();
    let offsets: Vec<i64> = fetched.records.iter().map(|record| record.offset).collect();
    assert_eq!((offsets, fetched.records.next_offset()), (vec![0, 1, 5], 6));
}

#[test]
fn a_log_that_lost_its_tail_or_was_made_anew_says_so() {
    let (log, _, mut source) = filled(5);
    poll(&mut source).unwrap();
    log.truncate(&at(), 3).unwrap();
    assert!(matches!(
        source.poll(1, WAIT),
        Err(LogError::OffsetOutOfRange { wanted: 5, watermarks, .. }) if watermarks.high == 3
    ));
    assert_eq!(poll(&mut source), None, "reported once");
    log.recreate(STREAM);
    assert!(matches!(source.read_from(&at(), 3), Err(LogError::OffsetOutOfRange { .. })));
    source.read_from(&at(), 0).unwrap();
    log.delete(STREAM);
    assert!(matches!(source.poll(1, WAIT), Err(LogError::UnknownPartition { .. })));
}

#[test]
fn hints_are_kept_for_the_test_that_asks() {
    let (log, _, mut source) = filled(2);
    source.hint(&at(), 2).unwrap();
    assert_eq!(log.hinted(&at()), Some(2));
}
