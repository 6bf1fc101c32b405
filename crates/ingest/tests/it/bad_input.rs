//! Every bad input of the issue's list that reaches ingest: set aside with its own reason, the rest goes on.

use crate::support::*;
use lake::StoreKind;

/// Sends the message between two good ones, and gives its row.
async fn aside(bad: Sent) -> Row {
    let mut place = Place::new();
    let agency = bad.agency.clone();
    let mut before = case(9001);
    let mut after = case(9002);
    (before.agency, after.agency) = (POLICE.into(), POLICE.into());
    place.send(&[before, bad, after]);
    let report = place.drain().await;
    assert_eq!(report.counts.ok, 2, "the good ones are in");
    let all = place.reconciled().await;
    assert_eq!(all.status("ok"), 2);
    let mut rows: Vec<_> = place.rows().await.into_iter().filter(|row| row.status() != "ok").collect();
    assert_eq!(rows.len(), 1, "one row for one bad message");
    let row = rows.remove(0);
    assert_eq!((row.status(), row.get("agency")), ("set_aside", Some(agency.as_str())));
    assert!(row.get("event_id").is_none() && row.get("record_id").is_none() && row.subjects.is_none());
    assert!(row.header("amanat-hash").is_some_and(|hash| hash.len() == 32));
    assert!(row.detail().len() > 20, "a sentence: {}", row.detail());
    row
}

fn with(field: &str, value: &str) -> Sent {
    let data = CASE.trim_end_matches('}');
    case(1).value(format!("{data},\"{field}\":{value}}}"))
}

fn replaced(from: &str, to: &str) -> Sent {
    assert!(CASE.contains(from));
    case(1).value(CASE.replace(from, to))
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_set_aside_as_parse() {
    let row = aside(case(1).value(b"{\"record_version\":1,\"occurred_on\":\"\xff\xfe\"}".to_vec())).await;
    assert_eq!(row.class(), "parse");
}

#[tokio::test]
async fn half_a_json_is_set_aside_as_parse() {
    assert_eq!(aside(case(1).value(&CASE.as_bytes()[..40])).await.class(), "parse");
}

#[tokio::test]
async fn two_documents_in_a_message_are_set_aside_as_parse() {
    assert_eq!(aside(case(1).value(format!("{CASE}{CASE}"))).await.class(), "parse");
}

#[tokio::test]
async fn two_structured_documents_in_a_message_are_set_aside_as_parse() {
    let one = case(1).structured();
    let two = [one.value.clone().unwrap(), b"\n".to_vec(), one.value.clone().unwrap()].concat();
    assert_eq!(aside(one.value(two)).await.class(), "parse");
}

#[tokio::test]
async fn a_number_where_a_code_belongs_is_set_aside_as_schema() {
    let row = aside(replaced("\"PK-PB\"", "7")).await;
    assert_eq!(row.class(), "schema");
    assert!(row.detail().contains("province"), "{}", row.detail());
}

#[tokio::test]
async fn a_code_that_is_not_in_its_list_is_set_aside_as_schema() {
    let row = aside(replaced("PTPA-3-1", "PTPA-99")).await;
    assert_eq!(row.class(), "schema");
    assert!(row.detail().contains("sections") && !row.detail().contains("PTPA-99"), "{}", row.detail());
}

#[tokio::test]
async fn an_unknown_field_is_set_aside_as_schema_and_its_name_is_not_repeated() {
    let row = aside(with("full_name_of_somebody", "\"x\"")).await;
    assert_eq!(row.class(), "schema");
    assert!(!row.detail().contains("somebody"), "{}", row.detail());
}

#[tokio::test]
async fn a_date_in_1890_is_set_aside_as_schema() {
    let row = aside(replaced("2024-03-08", "1890-03-08")).await;
    assert_eq!(row.class(), "schema");
    assert!(row.detail().contains("occurred_on"), "{}", row.detail());
}

#[tokio::test]
async fn a_date_of_next_year_is_set_aside_as_schema() {
    let row = aside(replaced("2024-03-08", "2025-03-08")).await;
    assert_eq!(row.class(), "schema");
    assert!(row.detail().contains("occurred_on"), "{}", row.detail());
}

#[tokio::test]
async fn what_happened_the_day_after_it_was_recorded_is_accepted_and_two_days_after_is_not() {
    let mut place = Place::new();
    let on = |n, day: &str| case(n).value(CASE.replace("2024-03-08", day));
    place.send(&[on(1, "2024-03-10"), on(2, "2024-03-11"), on(3, "2024"), on(4, "2024-Q1"), on(5, "2025")]);
    place.drain().await;
    let statuses: Vec<_> = place.rows().await.iter().map(|row| row.status().to_owned()).collect();
    assert_eq!(statuses, ["ok", "set_aside", "ok", "ok", "set_aside"], "a running year or quarter is not the future");
}

fn correction(fields: &str) -> Sent {
    let data = format!(
        r#"{{"record_version":2,"target":"{}","target_type":"pk.tip.case.registered","reason":"data_entry","fields":{fields}}}"#,
        id(1)
    );
    event(POLICE, "record.corrected", 2, &data)
}

#[tokio::test]
async fn a_correction_to_a_date_that_no_fact_could_have_is_set_aside_as_schema() {
    for year in ["2062-03-08", "1890"] {
        let row = aside(correction(&format!(r#"{{"occurred_on":"{year}"}}"#))).await;
        assert_eq!(row.class(), "schema", "{}", row.detail());
    }
    let row = aside(correction(r#"{"occurred_on":"2024-03-12"}"#)).await;
    assert!(row.detail().starts_with("data.fields.occurred_on"), "{}", row.detail());
}

#[tokio::test]
async fn a_report_for_a_period_that_has_not_begun_is_set_aside_as_schema() {
    let report = |period: &str| {
        event(POLICE, "report.nil", 2, &format!(r#"{{"record_version":1,"period":"{period}","kind":"cases"}}"#))
    };
    let row = aside(report("2024-Q3")).await;
    assert!(row.detail().starts_with("data.period"), "{}", row.detail());
    let mut place = Place::new();
    place.send(&[report("2024-Q1")]);
    assert_eq!(place.drain().await.counts.ok, 1, "it runs: {:?}", place.rows().await);
}

#[tokio::test]
async fn the_dates_compared_are_those_of_karachi() {
    let mut place = Place::new();
    // 20:00 UTC on the 8th is 01:00 on the 9th in Karachi, so the 10th is the day after.
    let late = case(1).header("ce_time", "2024-03-08T20:00:00Z").value(CASE.replace("2024-03-08", "2024-03-10"));
    let early = case(2).header("ce_time", "2024-03-08T18:00:00Z").value(CASE.replace("2024-03-08", "2024-03-10"));
    place.send(&[late, early]);
    place.drain().await;
    let statuses: Vec<_> = place.rows().await.iter().map(|row| row.status().to_owned()).collect();
    assert_eq!(statuses, ["ok", "set_aside"]);
}

#[tokio::test]
async fn a_time_of_recording_after_the_logs_own_is_set_aside_as_schema() {
    let row = aside(case(1).header("ce_time", "2024-03-10T12:00:01+05:00")).await;
    assert_eq!(row.class(), "schema");
    assert!(row.detail().contains("time"), "{}", row.detail());
}

#[tokio::test]
async fn a_clock_that_is_a_day_fast_is_forgiven() {
    let mut place = Place::new();
    place.send(&[case(1).header("ce_time", "2024-03-10T11:59:59+05:00")]);
    assert_eq!(place.drain().await.counts.ok, 1);
}

#[tokio::test]
async fn a_type_that_the_agency_may_not_emit_is_set_aside_as_type_not_permitted() {
    let data = r#"{"record_version":1,"occurred_on":"2024-03-08","place":"PK-PB","sector":"brick_kiln","kind":"bonded","outcome":["no_violation"]}"#;
    assert_eq!(aside(event(POLICE, "inspection.conducted", 1, data)).await.class(), "type_not_permitted");
}

#[tokio::test]
async fn an_event_on_the_topic_of_another_agency_is_set_aside_as_agency_mismatch() {
    let row = aside(event("FIA", "case.registered", 1, CASE).on_topic_of(POLICE)).await;
    assert_eq!(row.class(), "agency_mismatch");
}

#[tokio::test]
async fn twenty_megabytes_in_a_message_are_set_aside_as_oversize_and_kept() {
    let mut huge = CASE.as_bytes().to_vec();
    huge.resize(20_000_000, b' ');
    let row = aside(case(1).value(huge)).await;
    assert_eq!(row.class(), "oversize");
    assert!(row.payload.unwrap().len() > 20_000_000);
}

#[tokio::test]
async fn nesting_a_thousand_deep_is_set_aside_as_parse() {
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(aside(with("means", &deep)).await.class(), "parse");
}

#[tokio::test]
async fn nesting_a_hundred_thousand_deep_does_not_exhaust_the_stack() {
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "1}".repeat(100_000));
    assert_eq!(aside(case(1).value(deep)).await.class(), "parse");
}

#[tokio::test]
async fn real_data_in_a_sample_store_is_set_aside_as_wrong_store() {
    let mut real = case(1);
    real.headers.retain(|(name, _)| name != "ce_synthetic");
    assert_eq!(aside(real).await.class(), "wrong_store");
}

#[tokio::test]
async fn synthetic_data_in_a_real_store_is_set_aside_as_wrong_store() {
    let mut place = Place::new();
    let mut real = case(1);
    real.headers.retain(|(name, _)| name != "ce_synthetic");
    place.send(&[real, case(2)]);
    let mut config = config();
    config.store_kind = StoreKind::Real;
    place.try_drain(config).await.unwrap();
    let rows = place.rows().await;
    assert_eq!([rows[0].status(), rows[1].status()], ["ok", "set_aside"]);
    assert_eq!(rows[1].class(), "wrong_store");
}

#[tokio::test]
async fn a_token_made_anew_without_the_one_of_before_is_set_aside() {
    let (document, name) =
        (r#"{"kind":"document","token":"bcdfghjkmnpqrstv"}"#, r#"{"kind":"name_birth","token":"zyxwvtsrqpnmkjhg"}"#);
    for person in [document.to_owned(), format!("{document},{name}")] {
        let rotated = format!(r#"{{"record_version":1,"person":[{person}]}}"#);
        let row = aside(event(POLICE, "tokens.rotated", 1, &rotated)).await;
        assert_eq!(row.class(), "schema");
        assert!(row.detail().contains("two tokens of one kind"), "{}", row.detail());
    }
}

#[tokio::test]
async fn a_message_without_any_envelope_is_set_aside() {
    let mut bare = case(1);
    bare.headers.clear();
    assert_eq!(aside(bare).await.class(), "schema");
}

#[tokio::test]
async fn an_empty_value_is_set_aside_as_parse_and_an_absent_one_is_a_tombstone() {
    assert_eq!(aside(case(1).value("")).await.class(), "parse");
    let mut place = Place::new();
    let mut tombstone = case(1);
    tombstone.value = None;
    place.send(&[tombstone, case(2)]);
    let report = place.drain().await;
    assert_eq!((report.counts.ok, report.counts.tombstone), (1, 1));
    let rows = place.rows().await;
    assert_eq!((rows[0].status(), rows[0].lane.name()), ("tombstone", "main"));
    assert!(rows[0].payload.is_none() && rows[0].get("event_id").is_none());
    place.reconciled().await;
}

#[tokio::test]
async fn a_correction_before_its_target_is_accepted_because_it_waits() {
    let target = id(2);
    let data = format!(
        r#"{{"record_version":2,"target":"{target}","target_type":"pk.tip.case.registered","fields":{{"province":"PK-SD"}},"reason":"data_entry"}}"#
    );
    let mut place = Place::new();
    let correction = event(POLICE, "record.corrected", 1, &data).header("ce_subject", &record(POLICE, 2));
    place.send(&[correction, case(2)]);
    place.drain().await;
    let rows = place.rows().await;
    assert_eq!([rows[0].status(), rows[1].status()], ["ok", "ok"], "{}", rows[0].detail());
}

#[tokio::test]
async fn a_correction_of_a_retraction_is_set_aside_as_schema() {
    let data = format!(
        r#"{{"record_version":2,"target":"{}","target_type":"pk.tip.record.retracted","fields":{{}},"reason":"data_entry"}}"#,
        id(2)
    );
    assert_eq!(aside(event(POLICE, "record.corrected", 1, &data)).await.class(), "schema");
}

#[tokio::test]
async fn one_percent_of_bad_lines_of_every_kind_leaves_all_good_ones_in() {
    use ingest::ErrorClass::{AgencyMismatch, Parse, Schema, WrongStore};
    let mut place = Place::new();
    let bad = [
        case(0).value(b"\xff".to_vec()),
        case(0).value("{"),
        case(0).value(format!("{CASE} {CASE}")),
        replaced("\"PK-PB\"", "7"),
        replaced("PTPA-3-1", "nonsense"),
        replaced("2024-03-08", "1890-01-01"),
        event("FIA", "case.registered", 0, CASE).on_topic_of(POLICE),
        case(0).header("ce_synthetic", "false"),
    ];
    let mut all = Vec::new();
    for (n, bad) in bad.iter().enumerate() {
        all.extend((0..100).map(|good| case(n as u64 * 100 + good + 1)));
        all.push(bad.clone());
    }
    place.send(&all);
    let report = place.drain().await;
    assert_eq!((report.counts.ok, report.counts.set_aside_total()), (800, 8));
    let tally = place.reconciled().await;
    let of = |class| tally.reason(class);
    assert_eq!([of(Parse), of(Schema), of(AgencyMismatch), of(WrongStore)], [3, 3, 1, 1]);
    assert_eq!(tally.status("ok") + tally.status("set_aside"), 808);
}
