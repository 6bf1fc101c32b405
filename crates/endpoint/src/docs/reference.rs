//! The reference: what the program knows of itself, as pages.

use std::fmt::Write as _;

use query::Reader;
use serde_json::Value;

use crate::{openapi, problem};

/// Names and texts of the pages.
pub(super) fn pages(reader: &Reader) -> Vec<(&'static str, String)> {
    vec![
        ("api", api(reader)),
        ("indicators", indicators(reader)),
        ("code-lists", code_lists(reader)),
        ("problems", problems()),
        ("functions", functions(reader)),
        ("who-may-ask-what", access(reader)),
    ]
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('_', "\\_")
}

fn said<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Each address with its parameters, from the document of the API.
fn api(reader: &Reader) -> String {
    let document = openapi::document(reader.catalogue());
    let mut out = "# HTTP addresses\n\nThe same for programs: [/openapi.json](/openapi.json). Problems: [problems](problems.md).\n".to_owned();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let _ = write!(
                out,
                "\n## `{} {path}`\n\n{}\n\n{}\n",
                method.to_uppercase(),
                said(operation, "summary"),
                said(operation, "description")
            );
            let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
            if !parameters.is_empty() {
                out.push_str("\n| parameter | in | |\n|---|---|---|\n");
            }
            for parameter in parameters {
                let _ = writeln!(
                    out,
                    "| `{}` | {} | {} |",
                    said(parameter, "name"),
                    said(parameter, "in"),
                    cell(said(parameter, "description"))
                );
            }
            let forms = operation["responses"]["200"]["content"].as_object().into_iter().flatten();
            let forms: Vec<String> = forms.map(|(form, _)| format!("`{form}`")).collect();
            if !forms.is_empty() {
                let _ = writeln!(out, "\nAnswers as {}.", forms.join(", "));
            }
        }
    }
    out
}

fn indicators(reader: &Reader) -> String {
    let mut out =
        "# Indicators\n\nTables `published.v01` and so on in SQL, `/v1/indicators/V01/data` over HTTP.\n".to_owned();
    for indicator in &reader.catalogue().indicators {
        let _ = write!(
            out,
            "\n## {} {}\n\n{}\n\n{}\n\n| | |\n|---|---|\n| unit | {} |\n| counting | {} |\n| time | {} |\n| dimensions | {} |\n| standards | {} |\n| since | {} |\n",
            indicator.id,
            indicator.title.en,
            indicator.description.en,
            indicator.title.ur,
            cell(&indicator.unit),
            cell(&indicator.counting_rule.en),
            cell(&indicator.time_basis.en),
            cell(&indicator.dimensions.iter().map(|d| d.name.as_str()).collect::<Vec<_>>().join(", ")),
            cell(&indicator.standard.join(", ")),
            cell(&indicator.since),
        );
    }
    out
}

fn code_lists(reader: &Reader) -> String {
    /// Of a longer list the first are shown.
    const SHOWN: usize = 60;
    let mut out =
        "# Code lists\n\nTables `reference.province` and so on in SQL, `/v1/code-lists/province` over HTTP.\n"
            .to_owned();
    for list in &reader.catalogue().code_lists {
        let _ = write!(
            out,
            "\n## {}\n\nVersion {}. {}\n\n| code | English | Urdu |\n|---|---|---|\n",
            list.name, list.version, list.source
        );
        for entry in list.codes.iter().take(SHOWN) {
            let _ = writeln!(out, "| `{}` | {} | {} |", entry.code, cell(&entry.en), cell(&entry.ur));
        }
        if list.codes.len() > SHOWN {
            let _ = writeln!(
                out,
                "\n{} of {} codes; all of them at `/v1/code-lists/{}`.",
                SHOWN,
                list.codes.len(),
                list.name
            );
        }
    }
    out
}

/// What every problem means, and what to write instead.
fn problems() -> String {
    let mut out = "# Problems and refusals\n\nThe code stands in each error: in `code` over HTTP (RFC 9457), in brackets in `amanat sql`, in the \
        detail of PostgreSQL's error.\n"
        .to_owned();
    for meaning in problem::all().map(problem::Meaning::from) {
        let meaning = serde_json::to_value(meaning).unwrap_or_default();
        let _ = write!(
            out,
            "\n## `{}`\n\n{} (HTTP {}).\n\n{} {}\n",
            said(&meaning, "code"),
            said(&meaning, "title"),
            meaning["status"],
            said(&meaning, "meaning"),
            said(&meaning, "advice")
        );
        for rewrite in meaning["rewrites"].as_array().into_iter().flatten() {
            let _ = write!(
                out,
                "\nInstead of\n\n```text\n{}\n```\n\nwrite\n\n```text\n{}\n```\n",
                said(rewrite, "refused"),
                said(rewrite, "instead")
            );
        }
    }
    out
}

fn functions(reader: &Reader) -> String {
    let mut out = "# Functions of SQL\n\nOver published and released rows. Of records of people only the aggregates of the guide to asking.\n".to_owned();
    for kind in ["scalar", "aggregate", "window"] {
        let mut names: Vec<&str> =
            reader.functions().into_iter().filter(|(_, of)| *of == kind).map(|(name, _)| name).collect();
        names.sort_unstable();
        let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(out, "\n## {kind}\n\n{}\n", names.join(", "));
    }
    out
}

/// The policy of who may ask what, as it is in force.
fn access(reader: &Reader) -> String {
    use policy::{Ask, Role};
    let access = reader.access();
    let roles = Role::ALL.map(Role::name).join(" | ");
    let rule = "---|".repeat(Role::ALL.len());
    let mut out = format!(
        "# Who may ask what\n\nAs the policy of this service draws it. Without a key or login everybody is `public`.\n\n## Tables\n\n`rows` as published; `cells` that the vault releases, protected.\n\n| table | {roles} |\n|---|{rule}\n"
    );
    for table in access.tables() {
        let may = Role::ALL.map(|role| {
            let asks = [(Ask::Rows, "rows"), (Ask::Cells, "cells")]
                .into_iter()
                .filter(|(ask, _)| access.may_ask(role, table, *ask));
            asks.map(|(_, name)| name).collect::<Vec<_>>().join(", ")
        });
        let _ = writeln!(out, "| `{table}` | {} |", may.join(" | "));
    }
    let _ = write!(out, "\n## Addresses\n\n| address | {roles} |\n|---|{rule}\n");
    for route in access.routes() {
        let may = Role::ALL.map(|role| if access.may_use(role, route) { "yes" } else { "" });
        let _ = writeln!(out, "| `{route}` | {} |", may.join(" | "));
    }
    out
}
