//! What decoding costs. Run by hand: `cargo test --release -p events cost -- --ignored --nocapture`.

use events::{Limits, Message, decode};

/// CPU seconds of this thread, where the system tells them.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

#[test]
#[ignore = "a measurement; the figure of record is road.cost"]
fn decoding_a_million_events_of_500_bytes_costs_about_a_second() {
    let data = br#"{"record_version":1,"occurred_on":"2024-03-09","person":[{"kind":"document","token":"bcdfghjkmnpqrstv0123"},{"kind":"phonetic","token":"0123456789vwxyzbcdfgh"}],"sex":"F","age_band":"09-17","citizenship":"PK","status":"actual","exploitation":["bonded_labour","other"],"means":["debt_bondage","threats"],"recruiter_relation":"employer_or_agent","sector":"brick_kiln","scope":"domestic","place_exploited":"PK-PB-LHR","place_identified":"PK-PB-LHR","referral_source":"police","case_id":"POL-PB/kkkkkkkkkkkkkkkk"}"#;
    let headers: Vec<(&str, &[u8])> = vec![
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"018f3b5c-0000-7000-8000-000000000001"),
        ("ce_source", b"urn:pk:tip:POL-PB"),
        ("ce_type", b"pk.tip.victim.identified"),
        ("ce_dataschema", b"https://schemas.amanat.example/victim.identified/v1"),
        ("ce_subject", b"POL-PB/r3c0rd0000000bcdfg"),
        ("ce_time", b"2025-03-01T10:15:00+05:00"),
    ];
    let limits = Limits::default();
    let text = std::str::from_utf8(data).unwrap();
    let line = format!(
        r#"{{"specversion":"1.0","id":"018f3b5c-0000-7000-8000-000000000001","source":"urn:pk:tip:POL-PB","type":"pk.tip.victim.identified","dataschema":"https://schemas.amanat.example/victim.identified/v1","subject":"POL-PB/r3c0rd0000000bcdfg","time":"2025-03-01T10:15:00+05:00","data":{text}}}"#
    );
    let binary = Message { key: None, headers: &headers, value: Some(data) };
    let structured = Message { key: None, headers: &[], value: Some(line.as_bytes()) };
    for (name, message) in [("binary", binary), ("structured", structured)] {
        let start = cpu();
        let mut versions = 0;
        for _ in 0..1_000_000 {
            versions += decode(std::hint::black_box(&message), &limits).unwrap().record_version;
        }
        assert_eq!(versions, 1_000_000);
        println!("{name}: {} bytes, {:.2} CPU-s per million", message.value.unwrap().len(), cpu() - start);
    }
    let start = cpu();
    for _ in 0..1_000_000 {
        std::hint::black_box(serde_json::from_slice::<serde_json::Value>(std::hint::black_box(data)).unwrap());
    }
    println!("for comparison, a million serde_json::Value: {:.2} CPU-s", cpu() - start);
}
