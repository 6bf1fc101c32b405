//! What the library `apache-avro` says, which the registry does not ask: pinned, so that the day on which it is right is seen
//! (docs/decisions/2026-11-26-registry-judges-avro-itself.md).

use apache_avro::Schema;
use apache_avro::schema_compatibility::SchemaCompatibility;

fn library_reads(writer: &str, reader: &str) -> bool {
    let (writer, reader) = (Schema::parse_str(writer).unwrap(), Schema::parse_str(reader).unwrap());
    SchemaCompatibility::can_read(&writer, &reader).is_ok()
}

#[test]
fn it_calls_types_equal_by_name_that_differ_where_a_field_was_left_out() {
    let writer = r#"{"type":"record","name":"R","fields":[
        {"name":"a","type":{"type":"record","name":"X","fields":[{"name":"x","type":"string"}]}},{"name":"b","type":"X"}]}"#;
    let reader = r#"{"type":"record","name":"R","fields":[
        {"name":"c","type":{"type":"record","name":"X","fields":[{"name":"x","type":"int"}]},"default":{"x":1}},{"name":"b","type":"X"}]}"#;
    assert!(library_reads(writer, reader), "wrong: a string is read as an int");
}

#[test]
fn it_refuses_a_decimal_that_has_not_changed() {
    let decimal = r#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}"#;
    assert!(!library_reads(decimal, decimal), "wrong: they are the same");
}

#[test]
fn it_does_not_know_the_default_of_an_enum_nor_the_alias_of_a_record() {
    let written = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    assert!(
        !library_reads(written, r#"{"type":"enum","name":"E","symbols":["A"],"default":"A"}"#),
        "wrong since Avro 1.9"
    );
    let written = r#"{"type":"record","name":"Old","fields":[]}"#;
    assert!(!library_reads(written, r#"{"type":"record","name":"New","aliases":["Old"],"fields":[]}"#), "wrong");
}

#[test]
fn it_panics_at_an_alias_that_is_no_name() {
    let text = r#"{"type":"record","name":"R","aliases":["no name"],"fields":[]}"#;
    assert!(std::panic::catch_unwind(|| Schema::parse_str(text)).is_err());
}
