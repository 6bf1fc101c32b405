//! One contract suite for every log (architecture.md 5.13). Each test is a sentence of the documentation of `EventSource`
//! and `EventSink`; SQLite, the simulated log and Kafka run all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use eventlog::{EventSink, LogError, Outgoing, Partition, Position, Watermarks};

use super::bench::*;

macro_rules! contract {
    ($($sentence:ident)*) => {
        mod sqlite { $( #[test] fn $sentence() { super::$sentence(&super::Sqlite::new()); } )* }
        mod simulated { $( #[test] fn $sentence() { super::$sentence(&super::Simulated::new()); } )* }
        mod kafka { $( #[test] fn $sentence() {
            if let Some(bench) = super::Kafka::new() { super::$sentence(&bench); }
        } )* }
    };
}

contract! {
    what_is_appended_is_read_back_byte_for_byte
    the_positions_returned_are_where_the_messages_are
    several_streams_are_appended_to_at_once
    equal_keys_share_a_partition_and_keep_their_order
    reading_again_gives_the_same
    reading_starts_where_it_is_told
    a_reader_at_the_end_gets_what_comes_next
    a_waiting_reader_is_woken
    an_idle_poll_brings_nothing
    everything_is_read_whatever_the_size_of_a_batch
    a_batch_is_about_as_large_as_asked_for
    none_starves
    stop_ends_a_partition_and_the_others_go_on
    new_streams_are_discovered
    receipts_are_found_by_name_and_are_no_agencys_stream
    an_unknown_partition_is_an_error
    an_offset_beyond_the_end_is_an_error
    an_offset_that_was_deleted_is_an_error
    a_reader_is_told_that_its_stream_was_made_anew
    two_writers_do_not_disturb_each_other
    an_append_of_nothing_is_nothing
    a_message_that_is_too_large_is_refused_and_the_next_is_taken
    what_no_log_takes_is_refused_by_all
    every_reader_sees_the_same_log
    a_hint_changes_nothing
}

fn what_is_appended_is_read_back_byte_for_byte(bench: &dyn Bench) {
    let stream = fresh_stream();
    let long = vec![b'x'; 300_000];
    let urdu = "حکومتِ پاکستان";
    let headers: [(&str, &[u8]); 4] = [("ce_id", b"one"), ("ce_id", b"two"), ("empty", b""), ("binary", &[0, 255, 10])];
    let of = |key, headers, value, timestamp_ms| Outgoing { key, headers, value, timestamp_ms };
    let messages = [
        of(Some(&b"key"[..]), &headers[..], Some(&b"{\"a\":1}"[..]), NOW),
        of(None, &[], Some(urdu.as_bytes()), 1),
        of(Some(b"absent"), &headers[..1], None, NOW + 1),
        of(Some(b"empty"), &[], Some(b""), NOW - 1),
        of(Some(b""), &[], Some(&[0, 159, 146, 150]), NOW),
        of(Some(b"long"), &headers[2..], Some(&long), NOW),
    ];
    let positions = bench.sink().append(&stream, &messages).unwrap();
    let got = read_all(bench, &stream);
    for (message, position) in messages.iter().zip(&positions) {
        let records = &got[&Partition::new(stream.as_str(), position.partition)];
        let record = records.iter().find(|record| record.offset == position.offset).unwrap();
        assert_eq!(record.timestamp_ms, message.timestamp_ms);
        assert_eq!(record.key.as_deref(), message.key);
        assert_eq!(record.value.as_deref(), message.value);
        let headers: Vec<_> = record.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        assert_eq!(headers, message.headers);
    }
    assert_eq!(got.values().map(Vec::len).sum::<usize>(), messages.len());
}

fn the_positions_returned_are_where_the_messages_are(bench: &dyn Bench) {
    let stream = fresh_stream();
    let mut sink = bench.sink();
    let texts: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
    let mut expected: BTreeMap<Position, &str> = BTreeMap::new();
    for chunk in texts.chunks(1700) {
        let messages: Vec<_> = chunk.iter().map(|text| message(text, text)).collect();
        let positions = sink.append(&stream, &messages).unwrap();
        assert_eq!(positions.len(), chunk.len());
        expected.extend(positions.into_iter().zip(chunk.iter().map(String::as_str)));
    }
    assert_eq!(expected.len(), texts.len(), "no position twice");
    let mut got = BTreeMap::new();
    for (partition, records) in read_all(bench, &stream) {
        for (record, value) in records.iter().zip(values(&records)) {
            got.insert(Position { partition: partition.number, offset: record.offset }, value);
        }
    }
    assert!(got.iter().map(|(position, value)| (*position, value.as_str())).eq(expected));
}

fn several_streams_are_appended_to_at_once(bench: &dyn Bench) {
    let streams = [fresh_stream(), fresh_stream(), fresh_stream()];
    let [some, more] = [&["a", "b"][..], &["c"][..]].map(|t| t.iter().map(|x| message(x, x)).collect::<Vec<_>>());
    let parts = [(streams[0].as_str(), &some[..]), (streams[1].as_str(), &[][..]), (streams[2].as_str(), &more[..])];
    let positions = bench.sink().append_each(&parts).unwrap();
    assert_eq!(positions.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 1]);
    for (stream, expected) in [(&streams[0], vec!["a", "b"]), (&streams[2], vec!["c"])] {
        let mut got: Vec<String> = read_all(bench, stream).values().flat_map(|records| values(records)).collect();
        got.sort();
        assert_eq!(got, expected);
    }
    let refused = bench.sink().append_each(&[(streams[0].as_str(), &more[..]), ("no stream", &more[..])]);
    assert!(refused.is_err(), "{refused:?}");
}

fn equal_keys_share_a_partition_and_keep_their_order(bench: &dyn Bench) {
    let stream = fresh_stream();
    let mut sink = bench.sink();
    append_numbers(&mut *sink, &stream, 0..500);
    append_numbers(&mut *sink, &stream, 500..1000);
    let mut partition_of_key = BTreeMap::new();
    let mut numbers_of_key: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    for (partition, records) in read_all(bench, &stream) {
        for (record, value) in records.iter().zip(values(&records)) {
            let key = record.key.clone().unwrap();
            assert_eq!(*partition_of_key.entry(key.clone()).or_insert(partition.number), partition.number);
            numbers_of_key.entry(key).or_default().push(value.parse().unwrap());
        }
    }
    assert_eq!(numbers_of_key.len(), 7);
    assert!(numbers_of_key.values().all(|numbers| numbers.is_sorted()));
}

fn reading_again_gives_the_same(bench: &dyn Bench) {
    let stream = fresh_stream();
    append_numbers(&mut *bench.sink(), &stream, 0..1000);
    let first = read_all(bench, &stream);
    assert_eq!(read_all(bench, &stream), first, "another source");
    let mut source = bench.source();
    for _ in 0..2 {
        let partitions = read_stream(&mut *source, &stream);
        assert_eq!(drain(&mut *source, &partitions), first, "the same source, told again");
    }
}

fn reading_starts_where_it_is_told(bench: &dyn Bench) {
    let stream = fresh_stream();
    append_numbers(&mut *bench.sink(), &stream, 0..1000);
    let all = read_all(bench, &stream);
    let (partition, records) = all.iter().max_by_key(|(_, records)| records.len()).unwrap();
    let middle = records.len() / 2;
    let mut source = bench.source();
    for from in [0, 1, middle, records.len() - 1] {
        source.read_from(partition, records[from].offset).unwrap();
        let got = drain(&mut *source, std::slice::from_ref(partition));
        assert_eq!(got[partition], records[from..]);
    }
}

fn a_reader_at_the_end_gets_what_comes_next(bench: &dyn Bench) {
    let stream = fresh_stream();
    let mut sink = bench.sink();
    append_numbers(&mut *sink, &stream, 0..10);
    let mut source = bench.source();
    for partition in partitions_of(&mut *source, &stream) {
        let high = source.watermarks(&partition).unwrap().high;
        source.read_from(&partition, high).unwrap();
    }
    let mut got = BTreeSet::new();
    for n in 10..20 {
        append_numbers(&mut *sink, &stream, n..n + 1);
        until("the record comes", || {
            let fetched = source.poll(1 << 20, Duration::from_millis(200)).unwrap();
            got.extend(fetched.iter().flat_map(|fetched| fetched.records.iter()).map(|r| r.value.unwrap().to_vec()));
            got.len() == n - 9
        });
    }
    assert_eq!(got, (10..20).map(|n| n.to_string().into_bytes()).collect());
}

fn a_waiting_reader_is_woken(bench: &dyn Bench) {
    if !bench.waits() {
        return; // nothing to wake
    }
    let stream = fresh_stream();
    append_numbers(&mut *bench.sink(), &stream, 0..1);
    let mut source = bench.source();
    let partitions = read_stream(&mut *source, &stream);
    drain(&mut *source, &partitions);
    let mut sink = bench.sink();
    let woken = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let began = Instant::now();
            until("a record comes", || source.poll(1 << 20, PATIENCE).unwrap().is_some_and(|f| !f.records.is_empty()));
            began.elapsed()
        });
        append_numbers(&mut *sink, &stream, 1..2);
        waiting.join().unwrap()
    });
    assert!(woken < PATIENCE / 2, "woken after {woken:?}");
}

fn an_idle_poll_brings_nothing(bench: &dyn Bench) {
    let mut source = bench.source();
    assert!(source.poll(1 << 20, Duration::from_millis(1)).unwrap().is_none(), "nothing is being read");
    let stream = fresh_stream();
    append_numbers(&mut *bench.sink(), &stream, 0..10);
    let partitions = read_stream(&mut *source, &stream);
    drain(&mut *source, &partitions);
    let (began, wait) = (Instant::now(), Duration::from_millis(100));
    assert!(source.poll(1 << 20, wait).unwrap().is_none(), "everything is read");
    assert!(began.elapsed() >= wait || !bench.waits());
}

fn everything_is_read_whatever_the_size_of_a_batch(bench: &dyn Bench) {
    let stream = fresh_stream();
    let mut sink = bench.sink();
    for n in 0..50 {
        append_numbers(&mut *sink, &stream, n * 20..(n + 1) * 20);
    }
    let all = read_all(bench, &stream);
    for max_bytes in [1, 100, 1 << 30] {
        let mut source = bench.source();
        let partitions = read_stream(&mut *source, &stream);
        let mut got = ByPartition::new();
        until("all have come", || {
            if let Some(fetched) = source.poll(max_bytes, Duration::from_millis(200)).unwrap() {
                got.entry(fetched.partition).or_default().extend(fetched.records.iter().map(Owned::from));
            }
            got.values().map(Vec::len).sum::<usize>() == 1000
        });
        assert_eq!(got, all);
        assert!(partitions.iter().all(|partition| source.stop(partition).is_ok()));
    }
}

fn a_batch_is_about_as_large_as_asked_for(bench: &dyn Bench) {
    let stream = fresh_stream();
    let value = "x".repeat(10_000);
    let messages: Vec<_> = (0..1000).map(|_| message("k", &value)).collect();
    bench.sink().append(&stream, &messages).unwrap();
    let mut source = bench.source();
    read_stream(&mut *source, &stream);
    let mut records = 0;
    until("all have come", || {
        if let Some(fetched) = source.poll(1 << 20, Duration::from_millis(200)).unwrap() {
            let bytes: usize = fetched.records.iter().map(|record| record.value.unwrap().len()).sum();
            assert!(bytes <= (2 << 20) + 10_000, "{bytes} bytes for one MiB and a piece");
            records += fetched.records.len();
        }
        records == messages.len()
    });
}

fn none_starves(bench: &dyn Bench) {
    let streams: Vec<String> = (0..4).map(|_| fresh_stream()).collect();
    let mut sink = bench.sink();
    let mut source = bench.source();
    let mut partitions = Vec::new();
    for stream in &streams {
        append_numbers(&mut *sink, stream, 0..300);
        partitions.extend(read_stream(&mut *source, stream));
    }
    let got = drain(&mut *source, &partitions);
    for stream in &streams {
        let of_stream = got.iter().filter(|(partition, _)| *partition.stream == **stream);
        assert_eq!(of_stream.map(|(_, records)| records.len()).sum::<usize>(), 300);
    }
}

fn stop_ends_a_partition_and_the_others_go_on(bench: &dyn Bench) {
    let (stopped, goes_on) = (fresh_stream(), fresh_stream());
    let mut sink = bench.sink();
    append_numbers(&mut *sink, &stopped, 0..100);
    append_numbers(&mut *sink, &goes_on, 0..100);
    let mut source = bench.source();
    for partition in read_stream(&mut *source, &stopped) {
        source.stop(&partition).unwrap();
        source.stop(&partition).unwrap(); // once more is fine
    }
    let partitions = read_stream(&mut *source, &goes_on);
    let got = drain(&mut *source, &partitions);
    assert!(got.keys().all(|partition| *partition.stream == *goes_on));
    assert!(source.poll(1 << 20, Duration::from_millis(100)).unwrap().is_none());
}

fn new_streams_are_discovered(bench: &dyn Bench) {
    let (first, second) = (fresh_stream(), fresh_stream());
    let mut sink = bench.sink();
    append_numbers(&mut *sink, &first, 0..1);
    let mut source = bench.source();
    assert!(!partitions_of(&mut *source, &first).is_empty());
    assert!(partitions_of(&mut *source, &second).is_empty());
    append_numbers(&mut *sink, &second, 0..1);
    assert!(!partitions_of(&mut *source, &second).is_empty());
}

fn receipts_are_found_by_name_and_are_no_agencys_stream(bench: &dyn Bench) {
    let at = bench.sink().append(eventlog::RECEIPTS, &[message("k", "a receipt")]).unwrap()[0];
    let mut source = bench.source();
    assert!(source.partitions().unwrap().iter().all(|partition| &*partition.stream != eventlog::RECEIPTS));
    let found = source.partitions_of(eventlog::RECEIPTS).unwrap();
    let place = Partition::new(eventlog::RECEIPTS, at.partition);
    assert!(found.contains(&place) && found.is_sorted(), "{found:?}");
    source.read_from(&place, at.offset).unwrap();
    let fetched = source.poll(1 << 20, PATIENCE).unwrap().expect("it is there");
    assert_eq!(fetched.records.get(0).unwrap().value, Some(&b"a receipt"[..]));
    assert_eq!(source.partitions_of("tip.events.nobody.v1").unwrap(), []);
}

fn an_unknown_partition_is_an_error(bench: &dyn Bench) {
    let stream = fresh_stream();
    append_numbers(&mut *bench.sink(), &stream, 0..1);
    let mut source = bench.source();
    for unknown in [Partition::new(fresh_stream(), 0), Partition::new(stream.as_str(), 99)] {
        let is_unknown = |error| matches!(error, LogError::UnknownPartition { partition } if partition == unknown);
        assert!(is_unknown(source.watermarks(&unknown).unwrap_err()));
        assert!(is_unknown(source.read_from(&unknown, 0).unwrap_err()));
    }
}

fn an_offset_beyond_the_end_is_an_error(bench: &dyn Bench) {
    let stream = fresh_stream();
    append_numbers(&mut *bench.sink(), &stream, 0..100);
    let mut source = bench.source();
    for partition in partitions_of(&mut *source, &stream) {
        let Watermarks { low, high } = source.watermarks(&partition).unwrap();
        assert!(matches!(
            source.read_from(&partition, high + 1),
            Err(LogError::OffsetOutOfRange { partition: p, wanted, watermarks })
                if p == partition && wanted == high + 1 && watermarks == Watermarks { low, high }
        ));
        assert!(source.read_from(&partition, -1).is_err());
        source.read_from(&partition, high).unwrap();
    }
    assert!(source.poll(1 << 20, Duration::from_millis(100)).unwrap().is_none());
}

fn an_offset_that_was_deleted_is_an_error(bench: &dyn Bench) {
    let stream = fresh_stream();
    let mut sink = bench.sink();
    (0..10).for_each(|n| append_numbers(&mut *sink, &stream, n * 100..(n + 1) * 100));
    let all = read_all(bench, &stream);
    let (partition, records) = all.iter().max_by_key(|(_, records)| records.len()).unwrap();
    bench.trim(partition, records[records.len() / 2].offset);
    let mut source = bench.source();
    let Watermarks { low, .. } = source.watermarks(partition).unwrap();
    assert!(low > 0);
    assert!(matches!(
        source.read_from(partition, low - 1),
        Err(LogError::OffsetOutOfRange { wanted, watermarks, .. }) if wanted == low - 1 && watermarks.low == low
    ));
    source.read_from(partition, low).unwrap();
    let rest: Vec<Owned> = records.iter().filter(|record| record.offset >= low).cloned().collect();
    assert_eq!(drain(&mut *source, std::slice::from_ref(partition))[partition], rest);
    bench.trim(partition, i64::from(i32::MAX).min(records.last().unwrap().offset + 1));
    let Watermarks { low, high } = source.watermarks(partition).unwrap();
    assert_eq!((low, high), (records.last().unwrap().offset + 1, low), "all deleted, none forgotten");
}

fn a_reader_is_told_that_its_stream_was_made_anew(bench: &dyn Bench) {
    let (stream, other) = (fresh_stream(), fresh_stream());
    let mut sink = bench.sink();
    append_numbers(&mut *sink, &stream, 0..1000);
    append_numbers(&mut *sink, &other, 0..10);
    let mut source = bench.source();
    let partitions = read_stream(&mut *source, &stream);
    let read = drain(&mut *source, &partitions);
    let others = read_stream(&mut *source, &other);
    drain(&mut *source, &others);

    bench.delete(&stream);
    append_numbers(&mut *bench.sink(), &stream, 0..7);

    let mut told = BTreeSet::new();
    until("each partition that had records is reported", || {
        match source.poll(1 << 20, Duration::from_millis(200)) {
            Err(LogError::OffsetOutOfRange { partition, wanted, watermarks }) => {
                assert!(wanted > watermarks.high);
                assert!(told.insert(partition), "reported once");
            }
            Err(LogError::UnknownPartition { partition }) => {
                assert!(told.insert(partition), "reported once");
            }
            Err(LogError::Unavailable { .. }) | Ok(None) => {}
            Err(error) => panic!("{error}"),
            Ok(Some(fetched)) => assert!(!read.contains_key(&fetched.partition), "{fetched:?}"),
        }
        read.keys().all(|partition| told.contains(partition))
    });
    append_numbers(&mut *sink, &other, 10..20);
    let mut more = 0;
    until("the other stream goes on", || {
        let fetched = source.poll(1 << 20, Duration::from_millis(200)).unwrap();
        more += fetched.filter(|f| *f.partition.stream == *other).map_or(0, |f| f.records.len());
        more == 10
    });
    // Told to begin again, the source does.
    let partitions = read_stream(&mut *source, &stream);
    assert_eq!(drain(&mut *source, &partitions).values().map(Vec::len).sum::<usize>(), 7);
}

fn two_writers_do_not_disturb_each_other(bench: &dyn Bench) {
    let stream = fresh_stream();
    append_numbers(&mut *bench.sink(), &stream, 0..1);
    let sinks = [bench.sink(), bench.sink()];
    std::thread::scope(|scope| {
        for (writer, mut sink) in sinks.into_iter().enumerate() {
            let stream = &stream;
            scope.spawn(move || {
                for n in 0..200 {
                    let (key, value) = (format!("w{writer}"), n.to_string());
                    sink.append(stream, &[message(&key, &value)]).unwrap();
                }
            });
        }
    });
    let mut numbers: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    for records in read_all(bench, &stream).values() {
        for (record, value) in records.iter().zip(values(records)) {
            numbers.entry(record.key.clone().unwrap()).or_default().push(value.parse().unwrap());
        }
    }
    for writer in ["w0", "w1"] {
        assert!(numbers[writer.as_bytes()].iter().copied().eq(0..200), "{writer}");
    }
}

fn an_append_of_nothing_is_nothing(bench: &dyn Bench) {
    let stream = fresh_stream();
    assert_eq!(bench.sink().append(&stream, &[]).unwrap(), []);
}

fn a_message_that_is_too_large_is_refused_and_the_next_is_taken(bench: &dyn Bench) {
    let stream = fresh_stream();
    let mut sink = bench.sink();
    let huge = "x".repeat(65 << 20);
    let refused = sink.append(&stream, &[message("k", "small"), message("k", &huge)]).unwrap_err();
    assert!(
        matches!(refused, LogError::TooLarge { index: 1, bytes, limit } if bytes == huge.len() + 1 && limit < bytes)
    );
    // Larger than anything ingest accepts, but the log keeps it, to be set aside.
    sink.append(&stream, &[message("k", &huge[..20 << 20]), message("k", "small")]).unwrap();
    let got = read_all(bench, &stream);
    let lengths: Vec<usize> = got.values().flatten().map(|record| record.value.as_ref().unwrap().len()).collect();
    assert_eq!(lengths, [20 << 20, 5]);
}

fn what_no_log_takes_is_refused_by_all(bench: &dyn Bench) {
    let stream = fresh_stream();
    let mut sink = bench.sink();
    for name in ["", "..", "tip.events.پولیس.v1", "a b"] {
        assert!(matches!(sink.append(name, &[message("k", "v")]), Err(LogError::StreamName { .. })), "{name}");
    }
    let without_time = Outgoing { timestamp_ms: 0, ..message("k", "v") };
    assert!(matches!(sink.append(&stream, &[without_time]), Err(LogError::Refused { .. })));
    let long_name = "n".repeat(70_000);
    for name in ["nul\0", long_name.as_str()] {
        let headers = [(name, &b"v"[..])];
        let message = Outgoing { headers: &headers, ..message("k", "v") };
        assert!(matches!(sink.append(&stream, &[message]), Err(LogError::Refused { .. })));
    }
    assert!(partitions_of(&mut *bench.source(), &stream).is_empty(), "nothing was made");
}

fn every_reader_sees_the_same_log(bench: &dyn Bench) {
    let uid = bench.source().source_uid().to_string();
    assert!(uid.ends_with("#0") && uid.len() > 2, "{uid}");
    assert_eq!(bench.source().source_uid(), uid);
}

fn a_hint_changes_nothing(bench: &dyn Bench) {
    let stream = fresh_stream();
    append_numbers(&mut *bench.sink(), &stream, 0..100);
    let mut source = bench.source();
    for partition in read_stream(&mut *source, &stream) {
        source.hint(&partition, 1).unwrap();
    }
    let all = read_all(bench, &stream);
    assert_eq!(all.values().map(Vec::len).sum::<usize>(), 100);
}

/// Boxed sinks and sources are sinks and sources, so that a program can choose one at run time.
#[test]
fn a_log_can_be_chosen_at_run_time() {
    fn generic(mut sink: impl EventSink) {
        sink.append("tip.events.FIA.v1", &[message("k", "v")]).unwrap();
    }
    generic(Simulated::new().sink());
    generic(Sqlite::new().sink());
}
