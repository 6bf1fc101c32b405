//! The questions of `tests/` (top level): plain text, so that they can be asked over HTTP as well.
//!
//! A question begins at a line `-- expect: ok` or `-- expect: code` (several codes: `a or b`), may have lines
//! `-- params: [json]` and `--> cell | cell` (a row of the answer over the world of these tests), and goes on to the next
//! `-- expect`. `{{1000*text}}` stands for a text repeated.

use query::Param;

pub struct Case {
    pub line: usize,
    pub expect: Vec<String>,
    pub params: Vec<Param>,
    pub answer: Vec<String>,
    pub sql: String,
}

pub const HOSTILE: &str = include_str!("../../../../tests/attacks/hostile.sql");
pub const PROTECTED: &str = include_str!("../../../../tests/questions/protected.sql");
pub const AROUND: &str = include_str!("../../../../tests/attacks/protected.sql");
pub const ORDINARY: &str = include_str!("../../../../tests/questions/ordinary.sql");

pub fn read(corpus: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (at, line) in corpus.lines().enumerate() {
        if let Some(expect) = line.strip_prefix("-- expect: ") {
            let expect = expect.split(" or ").map(|e| e.trim().to_owned()).collect();
            cases.push(Case { line: at + 1, expect, params: Vec::new(), answer: Vec::new(), sql: String::new() });
        } else if let Some(case) = cases.last_mut() {
            if let Some(params) = line.strip_prefix("-- params: ") {
                case.params = serde_json::from_str(params).expect("params are JSON");
            } else if let Some(row) = line.strip_prefix("--> ") {
                case.answer.push(row.trim().to_owned());
            } else {
                case.sql.push_str(line);
                case.sql.push('\n');
            }
        }
    }
    for case in &mut cases {
        case.sql = expand(case.sql.trim_end());
    }
    cases
}

fn expand(sql: &str) -> String {
    let Some((before, rest)) = sql.split_once("{{") else {
        return sql.to_owned();
    };
    let (repeated, after) = rest.split_once("}}").expect("{{ is closed");
    let (count, text) = repeated.split_once('*').expect("{{count*text}}");
    let count = count.parse().expect("a count");
    format!("{before}{}{}", text.repeat(count), expand(after))
}
