//! Schemas of a hostile hand: refused or bounded, never a panic.

use std::time::Instant;

use gateway::{Draft, Level, RegistryError};
use proptest::prelude::*;

use crate::world::{ID, World, draft, record};

fn refused(text: &str) -> String {
    match World::new().registry.register("s", &Draft::avro(text), false) {
        Err(error @ (RegistryError::InvalidSchema(_) | RegistryError::Incompatible { .. })) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    for (text, place) in [
        ("", "/"),
        ("string", "/"),
        ("12", "/"),
        (r#"{"type":"recrod"}"#, "/"),
        (r#"{"type":"record","name":"R"}"#, "/"),
        (r#"{"type":"record","name":"R","fields":[{"name":"a"}]}"#, "/fields/0"),
        (r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}"#, "/fields/0/default"),
        (r#"{"type":"record","name":"R","fields":[{"name":"a","type":["int","int"]}]}"#, "/fields/0/type"),
        (r#"{"type":"record","name":"R","fields":[{"name":"a","type":[["int"],"null"]}]}"#, "/fields/0/type"),
        (r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#, "/"),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"record","name":"R","fields":[]}}]}"#,
            "/fields/0/type",
        ),
        (r#"{"type":"record","name":"no name","fields":[]}"#, "/"),
        (r#"{"type":"record","name":"R","aliases":["no name"],"fields":[]}"#, "/"),
        (r#"{"type":"enum","name":"E","symbols":[]}"#, "/"),
        (r#"{"type":"enum","name":"E","symbols":["A","A"]}"#, "/"),
        (r#"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#, "/"),
        (r#"{"type":"fixed","name":"F","size":-1}"#, "/size"),
        (r#"{"type":"array"}"#, "/"),
        (r#"{"type":"map","values":"nothing"}"#, "/values"),
    ] {
        let error = refused(text);
        assert!(error.starts_with(&format!("Invalid schema at {place}:")), "{text}: {error}");
    }
}

#[test]
fn a_schema_beyond_the_limits_is_refused() {
    let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(60), "}".repeat(60));
    assert!(refused(&deep).contains("nested deeper"));
    let deepest = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(&deepest).contains("not JSON"));
    let long = record(&format!(r#"{{"name":"a","type":"int","doc":"{}"}}"#, "x".repeat(600 << 10)));
    assert!(refused(&long).contains("longer than"));
    let many: Vec<String> = (0..30_000).map(|n| format!(r#"{{"name":"f{n}","type":"int"}}"#)).collect();
    let error = World::new().registry.register("s", &draft(&many.join(",")), false).unwrap_err().to_string();
    assert!(error.contains("longer than") || error.contains("more than 20000 types"), "{error}");
}

#[test]
fn a_recursive_schema_is_taken_and_compared() {
    let world = World::new();
    let tree = |value: &str| {
        Draft::avro(format!(
            r#"{{"type":"record","name":"Tree","fields":[{{"name":"v","type":"{value}"}},
                {{"name":"left","type":["null","Tree"],"default":null}},{{"name":"all","type":{{"type":"array","items":"Tree"}},"default":[]}}]}}"#
        ))
    };
    world.registry.register("t", &tree("int"), false).unwrap();
    world.registry.register("t", &tree("long"), false).unwrap();
    assert!(world.registry.register("t", &tree("string"), false).is_err());
}

#[test]
fn a_long_chain_of_names_is_refused_before_it_is_followed_to_its_end() {
    let links: Vec<String> = (1..2_000)
        .map(|n| format!(r#"{{"type":"record","name":"R{n}","fields":[{{"name":"f","type":"R{}"}}]}}"#, n - 1))
        .collect();
    let text = format!(r#"[{{"type":"record","name":"R0","fields":[]}},{}]"#, links.join(","));
    assert!(refused(&text).contains("too intricate"));
}

#[test]
fn unions_within_records_within_unions_are_compared_in_bounded_time() {
    // Each level has two records that differ, so a naive comparison tries 2^40 ways.
    let level = |n: usize, leaf: &str| {
        let of = if n == 0 { format!(r#""{leaf}""#) } else { format!(r#"["A{0}","B{0}"]"#, n - 1) };
        ["A", "B"]
            .map(|name| format!(r#"{{"type":"record","name":"{name}{n}","fields":[{{"name":"f","type":{of}}}]}}"#))
            .join(",")
    };
    let of = |leaf: &str| Draft::avro(format!("[{}]", (0..40).map(|n| level(n, leaf)).collect::<Vec<_>>().join(",")));
    let world = World::new();
    let began = Instant::now();
    world.registry.register("u", &of("int"), false).unwrap();
    assert!(world.registry.register("u", &of("string"), false).is_err());
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn a_default_that_could_be_tried_without_end_is_refused() {
    let value = format!("{}0{}", r#"{"n":"#.repeat(50), "}".repeat(50));
    let text = format!(
        r#"{{"type":"record","name":"A","fields":[{{"name":"n","type":["null","A",{{"type":"record","name":"B","fields":[{{"name":"n","type":["null","A","B"]}}]}}]}},
            {{"name":"d","type":["A","B"],"default":{value}}}]}}"#
    );
    let began = Instant::now();
    refused(&text);
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

#[test]
fn a_subject_is_full_at_its_limit() {
    let world = World::new();
    world.registry.set_level(None, Level::None).unwrap();
    let big = |n: usize| draft(&format!(r#"{ID},{{"name":"f{n}","type":"int","doc":"{}"}}"#, "x".repeat(500 << 10)));
    let registered = (0..20).take_while(|n| world.registry.register("s", &big(*n), false).is_ok()).count();
    assert_eq!(registered, 8, "4 MiB of half a MiB each");
    let error = world.registry.register("s", &big(99), false).unwrap_err().to_string();
    assert!(error.contains("full"), "{error}");
}

#[test]
fn small_schemas_that_refer_to_large_ones_are_bounded_too() {
    let world = World::new();
    let large = |n: usize| {
        Draft::avro(format!(r#"{{"type":"fixed","name":"Large{n}","size":1,"doc":"{}"}}"#, "x".repeat(300 << 10)))
    };
    let reference =
        |n: usize| gateway::Reference { name: format!("Large{n}"), subject: format!("large{n}"), version: 1 };
    for n in 0..2 {
        world.registry.register(&format!("large{n}"), &large(n), false).unwrap();
    }
    let small = Draft { references: vec![reference(0), reference(1)], ..Draft::avro(r#"["Large0","Large1"]"#) };
    let error = world.registry.register("s", &small, false).unwrap_err().to_string();
    assert!(error.contains("too large"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Bytes that look like a schema are taken or refused; the reader never panics.
    #[test]
    fn any_text_is_taken_or_refused(parts in proptest::collection::vec(0..PARTS.len(), 0..60)) {
        let text: String = parts.iter().map(|part| PARTS[*part]).collect();
        let _ = gateway::avro::read(&text, &gateway::avro::Definitions::new());
    }

    /// What the reader takes, its canonical form says again, and reads itself.
    #[test]
    fn the_canonical_form_reads_itself(schema in schema(3)) {
        let text = record(&format!(r#"{{"name":"f","type":{schema}}}"#));
        if let Ok(read) = gateway::avro::read(&text, &gateway::avro::Definitions::new()) {
            let again = gateway::avro::read(&read.canonical(), &gateway::avro::Definitions::new()).unwrap();
            prop_assert_eq!(again.canonical(), read.canonical());
            let mut effort = gateway::avro::Effort::of_a_request();
            prop_assert_eq!(gateway::avro::differences(&read, &again, &mut effort), Ok(Vec::new()));
            prop_assert!(apache_avro::Schema::parse_str(&text).is_ok(), "the library takes it too: {}", text);
        }
    }
}

const PARTS: [&str; 26] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"type\":",
    "\"record\"",
    "\"enum\"",
    "\"fixed\"",
    "\"array\"",
    "\"map\"",
    "\"items\":",
    "\"values\":",
    "\"fields\":",
    "\"symbols\":",
    "\"name\":",
    "\"a.b\"",
    "\"A\"",
    "\"size\":",
    "4",
    "\"default\":",
    "null",
    "\"int\"",
    "\"aliases\":",
    "\"namespace\":",
];

fn schema(depth: u32) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(r#""int""#.to_owned()),
        Just(r#""string""#.to_owned()),
        Just(r#"{"type":"long","logicalType":"timestamp-millis"}"#.to_owned()),
        (0..3u8).prop_map(|n| format!(r#"{{"type":"enum","name":"E{n}","symbols":["A","B"]}}"#)),
        (0..3u8).prop_map(|n| format!(r#""E{n}""#)),
        Just(r#"{"type":"fixed","name":"other.F","size":3}"#.to_owned()),
    ];
    leaf.prop_recursive(depth, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| format!(r#"{{"type":"array","items":{of}}}"#)),
            inner.clone().prop_map(|of| format!(r#"{{"type":"map","values":{of}}}"#)),
            inner.clone().prop_map(|of| format!(r#"["null",{of}]"#)),
            (0..3u8, inner).prop_map(|(n, of)| {
                format!(r#"{{"type":"record","name":"R{n}","fields":[{{"name":"g","type":{of}}}]}}"#)
            }),
        ]
    })
}
