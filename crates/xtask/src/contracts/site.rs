//! A site of plain pages: one per event type with fields, codes and samples, the schemas beside them. It needs no server, no script and
//! nothing from elsewhere.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::{Contract, EventType, asyncapi};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;border-bottom:1px solid #d5dbe3;padding:.35rem .6rem .35rem 0}\
code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f4f6f9;padding:.8rem;overflow-x:auto}td[dir=rtl]{text-align:right}a{color:#0a5a8a}";

/// Writes the pages and what they link to; returns how many pages.
pub fn write(contract: &Contract, folder: &Path) -> Result<usize> {
    fs::create_dir_all(folder.join("schemas"))?;
    for (name, kind) in &contract.types {
        for (versions, extension) in [(&kind.schemas, "json"), (&kind.avro, "avsc")] {
            for version in versions.keys() {
                let file = format!("v{version}.{extension}");
                fs::copy(
                    contract.folder.join(name).join(&file),
                    folder.join("schemas").join(format!("{name}.{file}")),
                )?;
            }
        }
        fs::write(
            folder.join(format!("{name}.html")),
            page(&format!("pk.tip.{name}"), &of_type(contract, name, kind)?),
        )?;
    }
    fs::copy(contract.folder.join("envelope/v1.json"), folder.join("schemas/envelope.v1.json"))?;
    fs::write(folder.join("schemas").join(asyncapi::FILE), asyncapi::text(contract)?)?;
    fs::write(folder.join("codes.html"), page("Code lists", &codes(contract)))?;
    fs::write(folder.join("index.html"), page("The contract with agencies", &index(contract)?))?;
    Ok(contract.types.len() + 2)
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title><style>{STYLE}</style></head>\n<body><p><a href=\"index.html\">Contract</a> · <a href=\"codes.html\">Code lists</a></p>\n<h1>{title}</h1>\n{body}</body></html>\n"
    )
}

fn index(contract: &Contract) -> Result<String> {
    let mut body = String::from(
        "<p>An event is a CloudEvents 1.0 message; its data is one of these types. <a href=\"schemas/envelope.v1.json\">Schema of the envelope</a>, <a href=\"schemas/asyncapi.yaml\">AsyncAPI document</a>.</p>\n<table><tr><th>Type</th><th>Version</th><th>Fields</th></tr>\n",
    );
    for (name, kind) in &contract.types {
        let (version, schema) = kind.newest()?;
        let fields = schema["properties"].as_object().map_or(0, serde_json::Map::len);
        writeln!(
            body,
            "<tr><td><a href=\"{name}.html\">pk.tip.{name}</a></td><td>{version}</td><td>{fields}</td></tr>"
        )?;
    }
    body.push_str("</table>\n");
    Ok(body)
}

fn of_type(contract: &Contract, name: &str, kind: &EventType) -> Result<String> {
    let (_, schema) = kind.newest()?;
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut body = format!("<p><code>dataschema</code>: <code>{}</code></p>\n<p>Schemas:", shown(&schema["$id"]));
    for (versions, extension, language) in [(&kind.schemas, "json", "JSON Schema"), (&kind.avro, "avsc", "Avro")] {
        for version in versions.keys() {
            write!(body, " <a href=\"schemas/{name}.v{version}.{extension}\">{language}, version {version}</a>")?;
        }
    }
    body.push_str("</p>\n<table><tr><th>Field</th><th>Required</th><th>Since</th><th>What</th><th>Values</th></tr>\n");
    for (field, of) in schema["properties"].as_object().into_iter().flatten() {
        let must = if required.contains(&field.as_str()) { "yes" } else { "" };
        let since = kind.schemas.iter().find(|(_, schema)| schema["properties"].get(field).is_some());
        let since = since.map_or_else(String::new, |(version, _)| format!("version {version}"));
        let (what, values) = (shown(&of["description"]), values(contract, of));
        writeln!(
            body,
            "<tr><td><code>{}</code></td><td>{must}</td><td>{since}</td><td>{what}</td><td>{values}</td></tr>",
            escaped(field)
        )?;
    }
    body.push_str("</table>\n");
    for (sample, event) in &kind.samples {
        let text = serde_json::to_string_pretty(event)?;
        writeln!(body, "<h2>Sample: {}</h2>\n<pre>{}</pre>", escaped(sample), escaped(&text))?;
    }
    Ok(body)
}

/// What a field takes: a code list by its name, as the description says it, or the kind of value.
fn values(contract: &Contract, field: &Value) -> String {
    let description = field["description"].as_str().unwrap_or_default();
    let list = description.split("list `").nth(1).and_then(|rest| rest.split('`').next());
    if let Some(list) = list.filter(|list| contract.code_lists.contains_key(*list)) {
        let several = if field["type"] == "array" { "several of " } else { "" };
        return format!("{several}<a href=\"codes.html#{list}\">{list}</a>");
    }
    let range = [("minimum", "from"), ("maximum", "to")].map(|(key, word)| match &field[key] {
        Value::Null => String::new(),
        bound => format!(" {word} {}", shown(bound)),
    });
    format!("{}{}", shown(&field["type"]), range.concat())
}

fn codes(contract: &Contract) -> String {
    let mut body = String::new();
    for (name, list) in &contract.code_lists {
        let (source, version) = (shown(&list["source"]), shown(&list["version"]));
        let provisional = if list["provisional"] == true { " Provisional." } else { "" };
        body.push_str(&format!(
            "<h2 id=\"{name}\">{name}</h2>\n<p>{source}; version {version}.{provisional}</p>\n<table>\n"
        ));
        for code in list["codes"].as_array().into_iter().flatten() {
            body.push_str(&format!(
                "<tr><td><code>{}</code></td><td>{}</td><td dir=\"rtl\" lang=\"ur\">{}</td></tr>\n",
                shown(&code["code"]),
                shown(&code["en"]),
                shown(&code["ur"])
            ));
        }
        body.push_str("</table>\n");
    }
    body
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escaped(text),
        other => escaped(&other.to_string()),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
