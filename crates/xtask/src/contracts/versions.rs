//! The versions of a type beside each other: a later one accepts what the earlier ones accepted, each is shown by samples, and
//! each but the newest has golden samples of its step to the next (design: ingestion.md 3.10).
//!
//! That a later Avro schema reads what the earlier ones wrote is judged by a test of `gateway`; that the steps do what their
//! samples say, by one of `events`.

use serde_json::{Map, Value};

use super::{Contract, EventType};

/// What of the versions is not as it must be, each with the remedy.
pub fn breaches(contract: &Contract) -> Vec<String> {
    contract.types.iter().flat_map(|(name, kind)| of_type(name, kind)).collect()
}

fn of_type(name: &str, kind: &EventType) -> Vec<String> {
    let mut breaches = Vec::new();
    let newest = kind.schemas.keys().last().copied().unwrap_or(0);
    if !kind.schemas.keys().copied().eq(1..=newest) || !kind.avro.keys().eq(kind.schemas.keys()) {
        breaches.push(format!("{name}: versions are numbered from 1, each with a .json and an .avsc; write them anew"));
    }
    for (number, schema) in &kind.schemas {
        let file = format!("{name}/v{number}.json");
        for (earlier, before) in kind.schemas.range(..number) {
            if let Some(place) = narrower(schema, before, "data") {
                breaches.push(format!(
                    "{file}: does not accept all that v{earlier} accepted ({place}); a later version adds optional fields, \
                     relaxes required ones and adds codes; anything else is another event type"
                ));
            }
        }
        let named = |sample: &&Value| sample["dataschema"] == schema["$id"];
        for (which, samples) in [("valid", &kind.samples), ("invalid", &kind.refused)] {
            if !samples.values().any(|sample| named(&sample)) {
                breaches.push(format!("{file}: no sample of it; add one to {name}/samples/{which}"));
            }
        }
        let step =
            |sample: &&Value| named(&&sample["from"]) && sample["to"]["dataschema"] == id_after(schema, number + 1);
        if *number < newest && !kind.upcasts.values().any(|sample| step(&sample)) {
            breaches.push(format!(
                "{file}: no golden sample of its step to v{}; add the step to crates/events/src/upcast.rs, and what it makes \
                 of an event to {name}/samples/upcasts",
                number + 1
            ));
        }
    }
    breaches
}

/// The `$id` of another version.
fn id_after(schema: &Value, number: u32) -> String {
    let id = schema["$id"].as_str().unwrap_or_default();
    format!("{}/v{number}", id.rsplit_once("/v").unwrap_or_default().0)
}

/// Where a schema refuses what an earlier one accepted, if it does anywhere. Only the changes that a version may make are known
/// here; any other counts as refusing.
fn narrower(later: &Value, earlier: &Value, place: &str) -> Option<String> {
    let here = || Some(place.to_owned());
    match (later, earlier) {
        (Value::Object(later), Value::Object(earlier)) => narrower_object(later, earlier, place),
        (Value::Array(later), Value::Array(earlier)) if later.len() == earlier.len() => {
            later.iter().zip(earlier).find_map(|(later, earlier)| narrower(later, earlier, place))
        }
        _ if later == earlier => None,
        _ => here(),
    }
}

fn narrower_object(later: &Map<String, Value>, earlier: &Map<String, Value>, place: &str) -> Option<String> {
    let here = || Some(place.to_owned());
    for key in later.keys().chain(earlier.keys()) {
        let refuses = match (key.as_str(), later.get(key), earlier.get(key)) {
            ("required", Some(later), Some(earlier)) if !within(later, earlier) => here(),
            ("enum", Some(later), Some(earlier)) if !within(earlier, later) => here(),
            ("description" | "title" | "$comment" | "$id", ..) | ("required" | "enum", Some(_), Some(_)) => None,
            // One that an earlier version did not know is new; that it is optional `required` says.
            ("properties", Some(later), Some(earlier)) => earlier.as_object()?.iter().find_map(|(name, earlier)| {
                let place = format!("{place}.{name}");
                match later.get(name) {
                    Some(later) => narrower(later, earlier, &place),
                    None => Some(place),
                }
            }),
            // A rule for a code that the earlier version refused binds nothing that it accepted.
            ("allOf", Some(Value::Array(rules)), Some(Value::Array(before)))
                if rules.len() > before.len()
                    && rules[before.len()..].iter().all(|rule| is_for_a_code_refused_by(earlier, rule)) =>
            {
                rules.iter().zip(before).find_map(|(later, earlier)| narrower(later, earlier, place))
            }
            (_, Some(later), Some(earlier)) => narrower(later, earlier, place),
            _ => here(),
        };
        if refuses.is_some() {
            return refuses;
        }
    }
    None
}

/// Whether a rule (`if` a field has a code, `then` …) is for a code that an earlier schema does not take in that field.
fn is_for_a_code_refused_by(earlier: &Map<String, Value>, rule: &Value) -> bool {
    let Some(fields) = rule["if"]["properties"].as_object().filter(|fields| !fields.is_empty()) else { return false };
    let refused = |(name, of): (&String, &Value)| {
        let taken = earlier.get("properties").and_then(|all| all[name]["enum"].as_array());
        let required = rule["if"]["required"].as_array().is_some_and(|all| all.contains(&Value::from(name.as_str())));
        required && of.get("const").is_some_and(|code| taken.is_some_and(|taken| !taken.contains(code)))
    };
    fields.iter().any(refused)
}

/// Whether every item of one list is in the other.
fn within(one: &Value, other: &Value) -> bool {
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let other = items(other);
    items(one).iter().all(|item| other.contains(item))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_version_may_add_a_field_relax_a_required_one_and_add_a_code_and_nothing_else() {
        let first = json!({ "required": ["a", "b"], "properties": { "a": { "enum": ["x"] }, "b": { "maximum": 9 } } });
        let wider = json!({ "required": ["b"], "properties": {
            "a": { "enum": ["x", "y"] }, "b": { "maximum": 9, "description": "of b" }, "c": { "type": "string" }
        } });
        assert_eq!(narrower(&wider, &first, "data"), None);
        assert!(narrower(&first, &wider, "data").is_some());
        for (pointer, value, place) in [
            ("/required", json!(["a", "b", "c"]), "data"),
            ("/properties/a/enum", json!(["y"]), "data.a"),
            ("/properties/b/maximum", json!(8), "data.b"),
            ("/properties/b", json!({ "maximum": 9, "minimum": 1 }), "data.b"),
        ] {
            let mut changed = wider.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            assert_eq!(narrower(&changed, &first, "data").as_deref(), Some(place), "{pointer}");
        }
        let gone = json!({ "required": [], "properties": { "b": { "maximum": 9 } } });
        assert_eq!(narrower(&gone, &first, "data").as_deref(), Some("data.a"));
    }

    #[test]
    fn a_rule_may_be_added_for_a_code_that_is_new_and_for_no_other() {
        let rule = |code: &str| json!({ "if": { "properties": { "of": { "const": code } }, "required": ["of"] }, "then": { "maximum": 1 } });
        let with = |codes: &[&str], rules: &[&str]| {
            let rules: Vec<Value> = rules.iter().map(|code| rule(code)).collect();
            json!({ "properties": { "of": { "enum": codes } }, "allOf": rules })
        };
        let first = with(&["x"], &["x"]);
        assert_eq!(narrower(&with(&["x", "y"], &["x", "y"]), &first, "data"), None);
        for narrow in [with(&["x", "y"], &["x", "x"]), with(&["x", "y"], &["y"]), with(&["x", "y"], &["y", "x"])] {
            assert!(narrower(&narrow, &first, "data").is_some(), "{narrow}");
        }
        let mut unasked = with(&["x", "y"], &["x", "y"]);
        unasked["allOf"][1] = json!({ "maximum": 1 });
        assert_eq!(narrower(&unasked, &first, "data").as_deref(), Some("data"));
        let mut where_absent = with(&["x", "y"], &["x", "y"]);
        where_absent["allOf"][1]["if"]["required"] = json!([]);
        assert_eq!(narrower(&where_absent, &first, "data").as_deref(), Some("data"));
    }
}
