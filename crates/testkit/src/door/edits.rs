//! Events that are wrong in one place: what is written instead of what, and what the door must say of it.

/// One change of a good event.
pub struct Edit {
    /// What it is, in words.
    pub name: &'static str,
    /// What is replaced.
    pub find: &'static str,
    /// By what; `§` stands for a text that must never be quoted.
    pub by: &'static str,
    /// Status of the answer.
    pub status: u16,
    /// Code of the line's problem.
    pub code: &'static str,
    /// How the place of its first mistake begins.
    pub place: &'static str,
}

/// Of the contract.
const fn schema(name: &'static str, find: &'static str, by: &'static str, place: &'static str) -> Edit {
    Edit { name, find, by, status: 422, code: "schema", place }
}

/// Of JSON itself.
const fn parse(name: &'static str, find: &'static str, by: &'static str) -> Edit {
    Edit { name, find, by, status: 400, code: "parse", place: "" }
}

/// All of them.
pub const EDITS: &[Edit] = &[
    schema("a code that is none", r#""sex":"F""#, r#""sex":"§""#, "data.sex"),
    schema("a number for a code", r#""sex":"F""#, r#""sex":17"#, "data.sex"),
    schema("null for a code", r#""sex":"F""#, r#""sex":null"#, "data.sex"),
    schema("a list for a code", r#""sex":"F""#, r#""sex":["§"]"#, "data.sex"),
    schema("an object for a code", r#""sex":"F""#, r#""sex":{"§":"§"}"#, "data.sex"),
    schema("NUL within a code", r#""sex":"F""#, r#""sex":"F\u0000§""#, "data.sex"),
    schema("a field that is none", r#""sex":"F""#, r#""§":"§","sex":"F""#, "data"),
    schema("a required field missing", r#""sex":"F","#, "", "data"),
    schema("a required attribute missing", r#""specversion":"1.0","#, "", ""),
    schema("no data", r#""data":{"#, r#""x":{"#, ""),
    schema("data null", r#""data":{"#, r#""data":null,"x":{"#, ""),
    schema("a name for a token", r#""token":"9x4k"#, r#""token":"§ Bibi, House 7, Multan 9x4k"#, "data.person"),
    schema("a card number for a token", r#""token":"9x4k2mvq"#, r#""token":"35202-1234567-"#, "data.person"),
    schema("a token too short", r#""token":"9x4k2mvq"#, r#""token":"9x","x":""#, "data.person"),
    schema("persons as an object", r#""person":["#, r#""person":{"§":1},"x":["#, "data.person"),
    schema("a day that is none", r#""occurred_on":"2026-03-09""#, r#""occurred_on":"2026-02-30""#, "data.occurred_on"),
    schema("a day in words", r#""occurred_on":"2026-03-09""#, r#""occurred_on":"§""#, "data.occurred_on"),
    schema("a moment in words", r#""time":"2026-03-10T14:00:00+05:00""#, r#""time":"§""#, "time"),
    schema("a moment without its zone", "14:00:00+05:00", "14:00:00", "time"),
    schema("an hour that is none", "14:00:00+05:00", "27:00:00+05:00", "time"),
    schema("an id that is none", r#""id":"018f"#, r#""id":"§018f"#, "id"),
    schema("an id of another kind", r#""id":"018f2f6e-8d0a-7c3e"#, r#""id":"018f2f6e-8d0a-4c3e"#, "id"),
    schema("a type that is none", "pk.tip.victim.identified", "pk.tip.§", "type"),
    schema("a version that is none", "victim.identified/v1", "victim.identified/v99", "dataschema"),
    schema("a schema of another type", "victim.identified/v1", "case.registered/v1", "dataschema"),
    schema("an older CloudEvents", r#""specversion":"1.0""#, r#""specversion":"0.3""#, "specversion"),
    schema("a media type of the data", "application/json", "text/§", "datacontenttype"),
    schema("a source that is none", "urn:pk:tip:", "https://§.example/", "source"),
    schema("a record that is none", r#""subject":""#, r#""subject":"§ "#, "subject"),
    schema("a version counted from nought", r#""record_version":1"#, r#""record_version":0"#, "data.record_version"),
    schema("a version below nought", r#""record_version":1"#, r#""record_version":-7"#, "data.record_version"),
    schema("a version as a text", r#""record_version":1"#, r#""record_version":"1""#, "data.record_version"),
    schema("a version with a fraction", r#""record_version":1"#, r#""record_version":1.5"#, "data.record_version"),
    schema(
        "a version beyond all bounds",
        r#""record_version":1"#,
        r#""record_version":99999999999999999999"#,
        "data.record_version",
    ),
    schema("forms that are none", r#"["forced_labour"]"#, r#"["§","forced_labour"]"#, "data.exploitation"),
    schema("no form at all", r#"["forced_labour"]"#, "[]", "data.exploitation"),
    schema(
        "a place that is none",
        r#""place_identified":"PK-PB""#,
        r#""place_identified":"§""#,
        "data.place_identified",
    ),
    schema("letters that look alike", r#""sex":"F""#, r#""sex":"Ｆ""#, "data.sex"),
    schema("a field twice", r#""sex":"F""#, r#""sex":"F","sex":"M""#, ""),
    schema("an attribute twice", r#""specversion":"1.0""#, r#""specversion":"1.0","specversion":"1.0""#, ""),
    schema(
        "a number beyond all numbers",
        r#""record_version":1"#,
        r#""record_version":1e99999"#,
        "data.record_version",
    ),
    schema("half a surrogate pair", r#""sex":"F""#, r#""sex":"\ud800§""#, "data.sex"),
    parse("no comma", r#","sex":"#, r#" "sex":"#),
    parse("single quotes", r#""sex":"F""#, "'sex':'§'"),
    parse("a comment", r#"{"specversion""#, r#"{/*§*/"specversion""#),
    parse("a comma too many", r#""sex":"F","#, r#""sex":"F",,"#),
    parse("not a number", r#""record_version":1"#, r#""record_version":NaN"#),
    parse("a bare control character", r#""sex":"F""#, "\"sex\":\"F\u{1}§\""),
    parse("NUL between members", r#""sex":"F""#, "\u{0}\"sex\":\"F\""),
    Edit {
        name: "a made-up event for a store of real data",
        find: r#""specversion""#,
        by: r#""synthetic":true,"specversion""#,
        status: 422,
        code: "not_admitted",
        place: "synthetic",
    },
    Edit {
        name: "a clock days ahead",
        find: "2026-03-10T14",
        by: "2199-03-10T14",
        status: 422,
        code: "not_admitted",
        place: "time",
    },
    Edit {
        name: "recorded before it happened",
        find: r#""occurred_on":"2026-03-09""#,
        by: r#""occurred_on":"2026-05-09""#,
        status: 422,
        code: "not_admitted",
        place: "data.occurred_on",
    },
    Edit {
        name: "another agency's event",
        find: "POL-PB",
        by: "FIA",
        status: 403,
        code: "agency_mismatch",
        place: "source",
    },
    Edit {
        name: "another agency's event about a record of this one",
        find: "urn:pk:tip:POL-PB",
        by: "urn:pk:tip:FIA",
        status: 422,
        code: "schema",
        place: "subject",
    },
];
