//! The calendar, and that the pattern in the schemas says the same.

use events::calendar::{self, Occurred, Precision};
use events::{EventType, schema};
use serde_json::Value;

#[test]
fn a_day_is_the_same_day_after_there_and_back() {
    assert_eq!(calendar::days_from_civil(1970, 1, 1), 0);
    assert_eq!(calendar::days_from_civil(2000, 2, 29), 11_016);
    assert_eq!(calendar::days_from_civil(1947, 8, 14), calendar::FIRST_DAY);
    for day in -40_000..400_000 {
        let (y, m, d) = calendar::civil_from_days(day);
        assert_eq!(calendar::days_from_civil(y, m, d), day);
    }
}

#[test]
fn karachi_is_five_hours_ahead_of_utc() {
    let evening = calendar::parse_instant("2024-03-09T18:59:59.999999Z").unwrap();
    assert_eq!(calendar::karachi_day(evening), calendar::days_from_civil(2024, 3, 9));
    assert_eq!(calendar::karachi_day(evening + 1), calendar::days_from_civil(2024, 3, 10));
    assert_eq!(calendar::karachi_midnight(calendar::days_from_civil(2024, 3, 10)), evening + 1);
    assert_eq!(calendar::format_instant(evening + 1), "2024-03-10T00:00:00+05:00");
    assert_eq!(calendar::parse_instant("2024-03-10T00:00:00+05:00"), Some(evening + 1));
    assert_eq!(calendar::parse_instant("2024-03-09T16:00:00.0000009-03:00"), Some(evening + 1));
    assert_eq!(calendar::format_instant(evening), "2024-03-09T23:59:59.999999+05:00");
    for bad in [
        "2024-03-09",
        "2024-03-09T10:00:00",
        "2024-03-09 10:00:00Z",
        "2024-02-30T10:00:00Z",
        "2024-03-09T24:00:00Z",
        "2024-03-09T10:00:00.Z",
        "2024-03-09T10:00:00+5:00",
        "1890-01-01T00:00:00Z",
    ] {
        assert_eq!(calendar::parse_instant(bad), None, "{bad}");
    }
}

#[test]
fn a_coarse_date_has_both_ends() {
    let day = calendar::days_from_civil;
    assert_eq!(
        Occurred::parse("2024-Q1"),
        Some(Occurred { from: day(2024, 1, 1), to: day(2024, 3, 31), precision: Precision::Quarter })
    );
    assert_eq!(
        Occurred::parse("2023-02"),
        Some(Occurred { from: day(2023, 2, 1), to: day(2023, 2, 28), precision: Precision::Month })
    );
    assert_eq!(Occurred::parse("1947").unwrap().to, day(1947, 12, 31));
    for text in ["2024", "2024-Q4", "2024-12", "2024-02-29"] {
        assert_eq!(Occurred::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn the_pattern_of_the_schemas_accepts_the_dates_that_the_decoder_accepts() {
    let property = |kind, name: &str| {
        let schema: Value = schema::of(kind, 1);
        jsonschema::validator_for(&schema["properties"][name]).unwrap()
    };
    let dates = property(EventType::ChargeWithdrawn, "occurred_on");
    let periods = property(EventType::ReportNil, "period");
    let days = property(EventType::AreaChanged, "changed_on");
    let years = [1899, 1946, 1947, 1948, 1999, 2000, 2001, 2024, 2099, 2100, 2400, 2900, 2999, 3000, 9999];
    let mut texts: Vec<String> = (1900..3050).map(|y| format!("{y}-02-29")).collect();
    for y in years {
        texts.push(y.to_string());
        texts.extend((0..=5).map(|q| format!("{y}-Q{q}")));
        for m in 0..=13 {
            texts.push(format!("{y}-{m:02}"));
            texts.extend((0..=32).map(|d| format!("{y}-{m:02}-{d:02}")));
        }
    }
    texts.extend(
        [
            "",
            "24",
            "2024-",
            "2024-1",
            "2024-3-9",
            "2024-W10",
            " 2024",
            "2024\n",
            "2024-03-09T00:00:00Z",
            "\u{665}\u{666}\u{667}\u{668}",
        ]
        .map(String::from),
    );
    for text in texts {
        let parsed = Occurred::parse(&text);
        let value = Value::from(text.as_str());
        assert_eq!(dates.is_valid(&value), parsed.is_some(), "{text:?}");
        assert_eq!(periods.is_valid(&value), parsed.is_some_and(|o| o.precision != Precision::Day), "{text:?}");
        assert_eq!(days.is_valid(&value), parsed.is_some_and(|o| o.precision == Precision::Day), "{text:?}");
    }
}
