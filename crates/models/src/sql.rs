//! The files of `sql/`, and the few words they may use beside SQL.
//!
//! A word stands in double braces and is replaced before the text is planned:
//!
//! | word | becomes |
//! |---|---|
//! | `{{order}}` | the folding order of domain.md 4, as staged rows are sorted |
//! | `{{state x}}`, `{{state x where c}}` | the last value of `x` that was said, in that order |
//! | `{{at_first x}}`, `{{at_first x where c}}` | `x` of the earliest row, by day, then time, then event id |
//! | `{{said_first x list where c}}` | the same, or null where that row says that it is unknown |
//! | `{{at_last x}}` | the last value of `x` that was said, in the same order |
//! | `{{code list.code}}` | the number of a code |
//! | `{{codes list where attribute = value}}`, `{{codes list in a b}}` | several codes as bits |
//! | `{{event noun.participle}}` | the number of an event type |
//! | `{{known x list}}` | `x`, or the list's `_X` where nothing was said |
//! | `{{known_set x list}}` | the same for several codes of a list that is not one of several codes by itself |
//! | `{{yes_no c}}` | the code `yes` where `c` holds, else `no` |
//! | `{{days a b}}` | the days from the day `a` to the day `b` |
//! | `{{recorded_day t}}` | the day in Karachi, in days since 1970, of a time in microseconds UTC |
//! | `{{to_the_day p}}` | whether a day was said as exactly as that |
//! | `{{year d}}`, `{{quarter d p}}`, `{{month d p}}` | codes of time ([`crate::time`]); `_X` where `p` is coarser |
//!
//! A rule of counting is a comment `-- rule: name. …` and the line below it. [`SqlSet::with_rule`] puts another line in
//! its place: that is how a test shows that the rule is needed.
//!
//! Absent: what a file means to the graph (its `.yml`, see [`crate::model`]).

use std::collections::BTreeMap;

use events::{EventType, code_list};
use policy::time;

use crate::stage::{ORDER, fact_code};

/// Every file of `sql/`, embedded: each model's SQL with the `.yml` beside it, and the rest.
macro_rules! embedded {
    (models: $($model:literal)* ; others: $($path:literal)* ;) => { &[
        $( (concat!($model, ".sql"), include_str!(concat!("../../../sql/", $model, ".sql"))),
           (concat!($model, ".yml"), include_str!(concat!("../../../sql/", $model, ".yml"))), )*
        $( ($path, include_str!(concat!("../../../sql/", $path))), )*
    ] };
}

/// What is wrong with a file of `sql/`.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// No such file.
    #[error("sql/{0} is not there")]
    NoFile(String),
    /// No rule of that name.
    #[error("no file under sql/{place} has a rule `{rule}`")]
    NoRule {
        /// Where it was looked for.
        place: String,
        /// Its name.
        rule: String,
    },
    /// A word in braces that this module does not know, or that names an unknown list, code or event.
    #[error("sql/{file}: `{{{{{word}}}}}` is not understood")]
    Word {
        /// The file.
        file: String,
        /// The word without braces.
        word: String,
    },
    /// A `.yml` that cannot be read.
    #[error("sql/{file}: {source}")]
    Yaml {
        /// The file.
        file: String,
        /// What the reader says; these files are ours and hold no data.
        #[source]
        source: serde_norway::Error,
    },
    /// Models that cannot be put in an order.
    #[error("sql/{file}: {what}")]
    Graph {
        /// The file.
        file: String,
        /// What does not fit.
        what: String,
    },
}

/// The files of `sql/` by path (`staging/victims.sql`).
#[derive(Debug, Clone)]
pub struct SqlSet {
    files: BTreeMap<String, String>,
}

impl SqlSet {
    /// The files that the program was built with.
    pub fn embedded() -> Self {
        Self { files: EMBEDDED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// The same with other texts in place of some files, or beside them.
    #[must_use]
    pub fn with_files(mut self, files: impl IntoIterator<Item = (String, String)>) -> Self {
        self.files.extend(files);
        self
    }

    /// The same with `line` in place of the line below `-- rule: <rule>.` in every file whose path starts with `place`.
    pub fn with_rule(mut self, place: &str, rule: &str, line: &str) -> Result<Self, SqlError> {
        let mut found = false;
        for (_, text) in self.files.iter_mut().filter(|(path, _)| path.starts_with(place)) {
            if let Some(replaced) = replace_rule(text, rule, line) {
                *text = replaced;
                found = true;
            }
        }
        if found { Ok(self) } else { Err(SqlError::NoRule { place: place.to_owned(), rule: rule.to_owned() }) }
    }

    /// BLAKE3 over paths and texts: what an edition's manifest calls the hash of `sql/`.
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for (path, text) in &self.files {
            for part in [path, text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        hasher.finalize()
    }

    /// Paths under a folder, in order.
    pub fn paths(&self, folder: &str, ending: &str) -> Vec<&str> {
        self.files.keys().map(String::as_str).filter(|p| p.starts_with(folder) && p.ends_with(ending)).collect()
    }

    /// A file's text.
    pub fn text(&self, path: &str) -> Result<&str, SqlError> {
        self.files.get(path).map(String::as_str).ok_or_else(|| SqlError::NoFile(path.to_owned()))
    }

    /// A file's text with every word replaced: plain SQL.
    pub fn plain(&self, path: &str) -> Result<String, SqlError> {
        let mut text = self.text(path)?.to_owned();
        // Innermost first, so that a word may hold another.
        while let Some(end) = text.find("}}") {
            let unknown = |word: &str| SqlError::Word { file: path.to_owned(), word: word.to_owned() };
            let start = text[..end].rfind("{{").ok_or_else(|| unknown(&text[..end.min(40)]))?;
            let word = text[start + 2..end].trim().to_owned();
            let plain = expand(&word).ok_or_else(|| unknown(&word))?;
            text.replace_range(start..end + 2, &plain);
        }
        Ok(text)
    }
}

fn replace_rule(text: &str, rule: &str, line: &str) -> Option<String> {
    let head = format!("-- rule: {rule}.");
    let mut out = Vec::new();
    let (mut armed, mut found) = (false, false);
    for old in text.lines() {
        let is_comment = old.trim_start().starts_with("--");
        if old.trim_start().starts_with(&head) {
            armed = true;
        }
        if armed && !is_comment {
            out.push(line);
            (armed, found) = (false, true);
        } else {
            out.push(old);
        }
    }
    found.then(|| out.join("\n"))
}

/// One word in plain SQL.
fn expand(word: &str) -> Option<String> {
    let (name, rest) = word.split_once(' ').unwrap_or((word, ""));
    let rest = rest.trim();
    Some(match name {
        "order" => order(),
        "state" => {
            let (x, condition) = with_condition(rest);
            format!("last_value({x} ORDER BY {}) FILTER (WHERE {x} IS NOT NULL{condition})", order())
        }
        "at_first" => match rest.split_once(" where ") {
            Some((x, condition)) => format!("first_value({x} ORDER BY {ACT_ORDER}) FILTER (WHERE {condition})"),
            None => format!("first_value({rest} ORDER BY {ACT_ORDER})"),
        },
        "said_first" => {
            let (what, condition) = rest.split_once(" where ")?;
            let (x, list) = what.split_once(' ')?;
            let unknown = code_list::find(list)?.unknown();
            format!("nullif({}, {unknown})", expand(&format!("at_first {x} where {condition}"))?)
        }
        "at_last" => {
            let (x, condition) = with_condition(rest);
            format!("last_value({x} ORDER BY {ACT_ORDER}) FILTER (WHERE {x} IS NOT NULL{condition})")
        }
        "code" => code(rest)?.to_string(),
        "codes" => codes(rest)?.to_string(),
        "event" => fact_code(EventType::from_name(&format!("pk.tip.{rest}"))?).to_string(),
        "known" => {
            let (x, list) = rest.split_once(' ')?;
            let list = code_list::find(list)?;
            let unknown = i64::from(list.unknown());
            format!("coalesce({x}, {})", if list.multi { 1 << unknown } else { unknown })
        }
        "known_set" => {
            let (x, list) = rest.split_once(' ')?;
            format!("coalesce({x}, {})", 1_i64 << code_list::find(list)?.unknown())
        }
        "yes_no" => format!("CASE WHEN {rest} THEN {} ELSE {} END", code("yes_no.yes")?, code("yes_no.no")?),
        "days" => {
            let (from, to) = rest.split_once(' ')?;
            format!("CAST({to} AS INT) - CAST({from} AS INT)")
        }
        "recorded_day" => format!("({rest} + {}) / 86400000000", events::calendar::KARACHI_US),
        "to_the_day" => format!("{rest} = {}", crate::stage::precision_code(events::Precision::Day)),
        "year" => format!("CAST(date_part('year', {rest}) AS INT)"),
        "quarter" => {
            let (d, p) = rest.split_once(' ')?;
            let quarter = format!("(date_part('year', {d}) - 1900) * 4 + date_part('quarter', {d}) - 1");
            time_code(&quarter, p, events::Precision::Quarter)
        }
        "month" => {
            let (d, p) = rest.split_once(' ')?;
            let month = format!("(date_part('year', {d}) - 1900) * 12 + date_part('month', {d}) - 1");
            time_code(&month, p, events::Precision::Month)
        }
        _ => return None,
    })
}

fn time_code(value: &str, precision: &str, coarsest: events::Precision) -> String {
    let (coarsest, unknown) = (crate::stage::precision_code(coarsest), time::UNKNOWN);
    format!("CASE WHEN {precision} <= {coarsest} THEN CAST({value} AS INT) ELSE {unknown} END")
}

/// The order of acts and record states within a person: by day, then time, then event id.
const ACT_ORDER: &str = "occurred_from, recorded_at, event_id";

fn order() -> String {
    // The record and the person are what is grouped by; the rest is the order within.
    ORDER[2..].join(", ")
}

fn with_condition(rest: &str) -> (&str, String) {
    match rest.split_once(" where ") {
        Some((x, condition)) => (x, format!(" AND {condition}")),
        None => (rest, String::new()),
    }
}

fn code(word: &str) -> Option<u16> {
    let (list, code) = word.split_once('.')?;
    code_list::find(list)?.code(code)
}

fn codes(word: &str) -> Option<i64> {
    let (list, rest) = word.split_once(' ')?;
    let list = code_list::find(list)?;
    let mut bits = 0_i64;
    if let Some(condition) = rest.strip_prefix("where ") {
        let (attribute, value) = condition.split_once(" = ")?;
        for (number, code) in list.codes.iter().enumerate() {
            if code.attrs.get(attribute).is_some_and(|v| v == value) {
                bits |= 1 << number;
            }
        }
    } else {
        for code in rest.strip_prefix("in ")?.split_whitespace() {
            bits |= 1 << list.code(code)?;
        }
    }
    (bits != 0).then_some(bits)
}

const EMBEDDED: &[(&str, &str)] = embedded! {
    models:
        "staging/accused" "staging/activities" "staging/agencies" "staging/area_changes" "staging/areas" "staging/calendar" "staging/case_acts" "staging/cases"
        "staging/charges" "staging/codes" "staging/compensations" "staging/contacts" "staging/courts" "staging/decisions" "staging/follow_ups"
        "staging/inspections" "staging/judgments" "staging/links" "staging/populations" "staging/releases" "staging/returns"
        "staging/rotations" "staging/services" "staging/victims"
        "records/accused" "records/accused_accounts" "records/agencies" "records/area_changes" "records/areas" "records/assistances" "records/case_acts" "records/case_links"
        "records/cases" "records/charge_accounts" "records/charge_registrations" "records/charges" "records/codes"
        "records/compensation_accounts" "records/compensations" "records/contacts" "records/courts" "records/decisions"
        "records/finding_outcomes" "records/finding_referrals" "records/inspection_names"
        "records/inspection_referrals" "records/inspections" "records/judgment_accounts" "records/judgment_names"
        "records/judgment_registrations" "records/judgments" "records/linked_cases" "records/links"
        "records/officials" "records/ordered_apart" "records/people" "records/populations" "records/referral_accounts"
        "records/referral_actions" "records/referral_outcomes" "records/referrals" "records/released_apart"
        "records/releases" "records/return_accounts" "records/return_outcomes" "records/returns"
        "records/service_ends" "records/service_starts" "records/stay_accounts" "records/stays"
        "records/victim_accounts" "records/victims"
        "marts/accused" "marts/activities" "marts/agencies" "marts/area_changes" "marts/areas" "marts/calendar" "marts/cases" "marts/charges" "marts/codes" "marts/compensations"
        "marts/contacts" "marts/courts" "marts/inspections" "marts/judgments" "marts/overlaps" "marts/populations" "marts/releases" "marts/returns"
        "marts/services" "marts/stays" "marts/victims";
    others:
        "indicators/C01.yml" "indicators/C02.yml" "indicators/C03.yml" "indicators/C04.yml" "indicators/C05.yml"
        "indicators/C06.yml" "indicators/C07.yml" "indicators/C08.yml" "indicators/C09.yml" "indicators/C10.yml"
        "indicators/L01.yml" "indicators/L02.yml" "indicators/L03.yml" "indicators/L04.yml" "indicators/P01.yml"
        "indicators/P02.yml" "indicators/Q01.yml" "indicators/Q02.yml" "indicators/Q03.yml" "indicators/Q04.yml"
        "indicators/R01.yml" "indicators/R02.yml" "indicators/S01.yml" "indicators/S02.yml" "indicators/S03.yml"
        "indicators/V01.yml" "indicators/V02.yml" "indicators/V03.yml" "indicators/V04.yml" "indicators/V05.yml"
        "indicators/V06.yml" "indicators/V07.yml" "indicators/V08.yml" "indicators/V09.yml" "indicators/V10.yml"
        "indicators/V11.yml" "indicators/V12.yml" "reference/area_changes.csv" "reference/areas.csv"
        "reference/population.csv";
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql"));
        let mut on_disk = Vec::new();
        // The saved questions that come along are the reader's, and `quality` is about feeds: no part of what an edition follows from.
        let apart = |folder: &std::path::PathBuf| folder.ends_with("questions") || folder.ends_with("quality");
        let is_ours = |folder: &std::path::PathBuf| folder.is_dir() && !apart(folder);
        for folder in std::fs::read_dir(root).unwrap().map(|f| f.unwrap().path()).filter(is_ours) {
            for file in std::fs::read_dir(&folder).unwrap() {
                on_disk.push(file.unwrap().path().strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
        on_disk.sort();
        assert_eq!(on_disk, SqlSet::embedded().paths("", ""));
    }

    #[test]
    fn every_word_in_every_file_is_understood() {
        let set = SqlSet::embedded();
        for path in set.paths("", ".sql") {
            let plain = set.plain(path).unwrap();
            assert!(!plain.contains("{{"), "{path}");
        }
    }

    #[test]
    fn a_rule_is_switched_off_by_its_name() {
        let off = SqlSet::embedded().with_rule("staging/", "retractions", "AND true").unwrap();
        assert!(!off.text("staging/victims.sql").unwrap().contains("AND NOT retracted\n"));
        assert_ne!(off.hash(), SqlSet::embedded().hash());
        assert!(matches!(SqlSet::embedded().with_rule("", "nonsense", ""), Err(SqlError::NoRule { .. })));
    }

    #[test]
    fn words_become_sql() {
        assert_eq!(expand("code verdict.convicted_lesser").unwrap(), "1");
        assert_eq!(expand("codes inspection_outcome in child_labour_found bonded_labour_found").unwrap(), "24");
        assert_eq!(expand("codes section where act = PTPA").unwrap(), "7");
        assert!(expand("codes section where act = NONE").is_none());
        assert!(expand("code verdict.none").is_none());
        assert!(expand("state sex where fact = 1").unwrap().ends_with("FILTER (WHERE sex IS NOT NULL AND fact = 1)"));
    }
}
