//! `amanat audit`: whether the log of what was asked is whole, and what is in it (privacy.md 6.12).
//!
//! `verify` and `show` need no key and no lake, so they also work on a copy of `audit.db` in a folder of its own.

use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat};
use disclosure::Head;
use lake::StoreIdentity;
use ledger::{Asked, AuditLog, AuditReader, Begin, Decided, End, Filter, LedgerError, Question, SignedHead};

use crate::cli::{AuditCommand, ShowArgs};
use crate::config::Config;
use crate::data_dir::{DataDir, unusable};
use crate::escape::escaped;
use crate::exit::{self, Failure};
use crate::progress;

/// Verifies, shows or signs.
pub fn run(config: Config, command: AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify { head } => verify(&config, head.as_deref()),
        AuditCommand::Show(args) => show(&config, args),
        AuditCommand::Decisions { last, json } => decisions(&config, last, json),
        AuditCommand::Head => head(&config),
    }
}

fn place(config: &Config) -> PathBuf {
    config.data.join("audit.db")
}

/// Says so where nothing was asked yet; an error where there is no store at all.
fn nothing_yet(config: &Config) -> anyhow::Result<String> {
    if StoreIdentity::read(&config.data).map_err(|error| unusable(&config.data, &error))?.is_none() {
        let place = config.data.display();
        return Err(
            Failure::DataDirectory(format!("there is no store in {place}; --data names another directory")).into()
        );
    }
    Ok(format!("nothing was asked yet: there is no audit.db in {}", config.data.display()))
}

fn verify(config: &Config, head: Option<&Path>) -> anyhow::Result<()> {
    let signed = head.map(|file| read_signed(config, file)).transpose()?;
    let path = place(config);
    if !path.exists() {
        let nothing = nothing_yet(config)?;
        return match signed {
            Some((signed, _)) => {
                let entries = signed.entries;
                Err(Failure::DataDirectory(format!("{nothing}, and a head of {entries} entries was signed")).into())
            }
            None => exit::print(&format!("{nothing}\n")),
        };
    }
    let bar = progress::bar(0, "verifying", "entries");
    let verified = ledger::verify(&path, signed.as_ref().map(|signed| signed.1), &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let whole = verified.map_err(|error| failure(&path, &error))?;
    let mut text = format!(
        "the audit log is whole: {} entries, {} questions, {} of them without an end, {} decisions\nhead {}\n",
        whole.head.entries,
        whole.questions,
        whole.open,
        whole.decisions,
        blake3::Hash::from_bytes(whole.head.hash).to_hex()
    );
    if let Some((signed, _)) = signed {
        text.push_str(&format!("it has the head of {} entries signed at {}\n", signed.entries, time(signed.time_ms)));
    }
    exit::print(&text)
}

/// A head from a file, and what it says, if this store has signed it.
fn read_signed(config: &Config, file: &Path) -> anyhow::Result<(SignedHead, Head)> {
    let input = |what: &str| Failure::Input(format!("{} {what}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| input(&format!("cannot be read: {error}")))?;
    let signed: SignedHead = serde_json::from_slice(&bytes)
        .map_err(|error| input(&format!("is no head of `amanat audit head`: {error}")))?;
    let dir = DataDir::open(config)?;
    let head = signed
        .verify(&dir.keys.audit_head)
        .ok_or_else(|| input("was not signed with the key of this store, or was changed since"))?;
    Ok((signed, head))
}

fn head(config: &Config) -> anyhow::Result<()> {
    let dir = DataDir::open(config)?;
    let path = place(config);
    let now = chrono::Utc::now().timestamp_millis();
    let signed = AuditLog::open(&path, &dir.fingerprint)
        .and_then(|log| log.sign_head(&dir.keys.audit_head, now))
        .map_err(|error| failure(&path, &error))?;
    exit::print(&format!("{}\n", serde_json::to_string(&signed)?))
}

fn show(config: &Config, args: ShowArgs) -> anyhow::Result<()> {
    let path = place(config);
    if !path.exists() {
        exit::note(&nothing_yet(config)?);
        return Ok(());
    }
    let reader = AuditReader::open(&path).map_err(|error| failure(&path, &error))?;
    let filter = Filter { principal: args.principal, refused: args.refused };
    let mut questions = reader.read(1..=u64::MAX, filter);
    let mut last: Vec<Question> =
        questions.by_ref().take(args.last).collect::<Result<_, _>>().map_err(|error| failure(&path, &error))?;
    let more = questions.next().is_some();
    last.reverse();
    if args.json {
        let mut text = String::new();
        for question in &last {
            text.push_str(&serde_json::to_string(question)?);
            text.push('\n');
        }
        return exit::print(&text);
    }
    if more {
        exit::note("there are earlier ones; --last N shows more");
    }
    if last.is_empty() {
        exit::note("no such question was asked");
    }
    exit::print(&last.iter().map(lines).collect::<String>())
}

fn decisions(config: &Config, last: usize, json: bool) -> anyhow::Result<()> {
    let path = place(config);
    if !path.exists() {
        exit::note(&nothing_yet(config)?);
        return Ok(());
    }
    let reader = AuditReader::open(&path).map_err(|error| failure(&path, &error))?;
    let mut found = reader.decisions(last).map_err(|error| failure(&path, &error))?;
    found.reverse();
    let mut text = String::new();
    for (number, decided) in &found {
        if json {
            text.push_str(&format!("{}\n", serde_json::json!({"number": number, "decided": decided})));
        } else {
            let Decided { time_ms, principal, what, door } = decided;
            let (name, role) = (escaped(principal.key_id.as_bytes()), escaped(principal.role.as_bytes()));
            let (what, door) = (escaped(what.as_bytes()), escaped(door.as_bytes()));
            text.push_str(&format!("{number}  {}  {name} ({role})  {what}  by {door}\n", time(*time_ms)));
        }
    }
    exit::print(&text)
}

/// For people: one question, with the text on one line.
fn lines(question: &Question) -> String {
    let Begin { time_ms, principal, purpose, sql, door } = &question.begin;
    let text = |text: &str| escaped(text.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes());
    let (key, role) = (text(&principal.key_id), text(&principal.role));
    let who = format!("{key} ({role}) by {}, for {}", door.name(), text(purpose));
    let became = match &question.end {
        Some(end) => end_lines(end),
        None => "  no end: no reply left, as its process died or its disk was full; or it is still being answered\n"
            .to_owned(),
    };
    format!("{}  {}  {who}\n  {}\n{became}", question.number, time(*time_ms), text(sql))
}

fn end_lines(end: &End) -> String {
    let End { decision, cells, suppressed, tiers, charges, slot_ms, .. } = end;
    let mut text = if end.is_refused() {
        format!("  refused: {}\n", escaped(decision.as_bytes()))
    } else {
        let tiers: Vec<String> = tiers.iter().map(u16::to_string).collect();
        let tiers = if tiers.is_empty() { String::new() } else { format!(", V {}", tiers.join(" ")) };
        format!("  answered in {slot_ms} ms: {cells} cells, {suppressed} suppressed{tiers}\n")
    };
    for charge in charges {
        text.push_str(&format!("  charged: {}\n", escaped(charge.as_bytes())));
    }
    text.extend(end.asked.iter().map(asked_line));
    text
}

/// A cell query with what answered it.
fn asked_line(asked: &Asked) -> String {
    let Asked { text, cells, suppressed, anchors } = asked;
    let by = if anchors.is_empty() { String::new() } else { format!(", by anchors {}", runs(anchors)) };
    format!("  asked: {}: {cells} cells, {suppressed} suppressed{by}\n", escaped(text.as_bytes()))
}

/// Ascending numbers, those in a row as one: `1-4 7`.
fn runs(numbers: &[u64]) -> String {
    let rows = numbers.chunk_by(|one, next| one + 1 == *next);
    let text = rows.filter_map(|row| match (row.first()?, row.last()?) {
        (first, last) if first == last => Some(first.to_string()),
        (first, last) => Some(format!("{first}-{last}")),
    });
    text.collect::<Vec<_>>().join(" ")
}

fn time(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms)
        .map_or_else(|| format!("{ms} ms"), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// 4 where the file is not as it must be, 5 where waiting may mend it.
fn failure(path: &Path, error: &LedgerError) -> Failure {
    match error {
        LedgerError::Broken(broken) => {
            Failure::DataDirectory(format!("the audit log {} is broken: {broken}", path.display()))
        }
        LedgerError::Missing(_) => Failure::DataDirectory(format!(
            "there is no {}: nothing was asked yet, or it was taken away",
            path.display()
        )),
        LedgerError::Busy(_) => Failure::Unavailable(error.to_string()),
        LedgerError::Io { source, .. } => Failure::Unavailable(format!("{error}: {source}")),
        LedgerError::Sqlite { source, .. } => Failure::Unavailable(format!("{error}: {source}")),
        _ => Failure::DataDirectory(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use ledger::{ANSWERED, Door, Principal};

    use super::*;

    #[test]
    fn a_question_is_shown_on_one_line_with_nothing_that_a_terminal_obeys() {
        let principal = Principal { key_id: "7f3a".into(), role: "ministry".into() };
        let begin = Begin {
            time_ms: 1_795_763_322_123,
            principal,
            purpose: "annual_report".into(),
            sql: "select 1,\n\t'\u{1b}[2J'".into(),
            door: Door::Http,
        };
        let end = End {
            begin: 1,
            decision: ANSWERED.into(),
            cells: 12,
            suppressed: 3,
            tiers: vec![4, 9],
            charges: vec!["sex 1".into()],
            slot_ms: 250,
            asked: vec![Asked {
                text: "victims {} by {sex} count {units}".into(),
                cells: 12,
                suppressed: 3,
                anchors: vec![1, 2, 3, 7, 9, 10],
            }],
            ..End::default()
        };
        let asked = "  asked: victims {} by {sex} count {units}: 12 cells, 3 suppressed, by anchors 1-3 7 9-10\n";
        let shown = lines(&Question { number: 1, begin: begin.clone(), end: Some(end.clone()) });
        let head =
            "1  2026-11-27T07:08:42.123Z  7f3a (ministry) by http, for annual_report\n  select 1, '\\u{1b}[2J'\n";
        assert_eq!(
            shown,
            format!("{head}  answered in 250 ms: 12 cells, 3 suppressed, V 4 9\n  charged: sex 1\n{asked}")
        );
        let refused = End { decision: "PRIV-1020".into(), charges: Vec::new(), asked: Vec::new(), ..end };
        let shown = lines(&Question { number: 1, begin: begin.clone(), end: Some(refused) });
        assert_eq!(shown, format!("{head}  refused: PRIV-1020\n"));
        let shown = lines(&Question { number: 1, begin, end: None });
        assert!(
            shown.ends_with(
                "  no end: no reply left, as its process died or its disk was full; or it is still being answered\n"
            ),
            "{shown}"
        );
    }
}
