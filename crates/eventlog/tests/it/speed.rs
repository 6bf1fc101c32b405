//! Soon.
use super::bench::*;
use std::time::{Duration, Instant};

#[test]
#[ignore]
fn kafka_timing() {
    let Some(bench) = Kafka::new() else { return };
    let stream = fresh_stream();
    let t = Instant::now();
    let mut sink = bench.sink();
    eprintln!("sink {:?}", t.elapsed());
    let t = Instant::now();
    append_numbers(&mut *sink, &stream, 0..300);
    eprintln!("append first {:?}", t.elapsed());
    let t = Instant::now();
    append_numbers(&mut *sink, &stream, 0..300);
    eprintln!("append 2nd {:?}", t.elapsed());
    let t = Instant::now();
    let mut source = bench.source();
    eprintln!("source {:?}", t.elapsed());
    for round in 0..3 {
        let t = Instant::now();
        let ps = partitions_of(&mut *source, &stream);
        eprintln!("partitions {:?}", t.elapsed());
        for p in &ps {
            let t = Instant::now();
            let w = source.watermarks(p).unwrap();
            eprintln!("watermarks {:?}", t.elapsed());
            let t = Instant::now();
            source.read_from(p, w.low).unwrap();
            eprintln!("read_from {:?} {round}", t.elapsed());
        }
        let t = Instant::now();
        let mut n = 0;
        while n < 600 {
            let g = source.poll(1 << 20, Duration::from_millis(200)).unwrap();
            if let Some(f) = g {
                n += f.records.len();
                eprintln!("  {} after {:?}", f.records.len(), t.elapsed());
            }
        }
        eprintln!("drained {:?}", t.elapsed());
    }
    let t = Instant::now();
    drop(source);
    eprintln!("drop source {:?}", t.elapsed());
    let t = Instant::now();
    drop(sink);
    eprintln!("drop sink {:?}", t.elapsed());
}
