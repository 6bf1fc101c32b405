//! The status as a person reads it, in a hundred columns.

use std::fmt::Write as _;

use super::report::{Bytes, Row, SetAside, Status};

/// Columns of a line.
const WIDTH: usize = 100;

/// Days of bytes that are shown.
const DAYS: usize = 7;

/// Of a status, all of it.
pub(super) fn of(status: &Status) -> String {
    let version = status.lake_version.map_or_else(|| "–".to_owned(), |version| version.to_string());
    let mut text = format!("store: {}   lake version: {version}   at {}\n\n", status.store, status.at);
    partitions(status, &mut text);
    for row in &status.partitions {
        for (how, why) in [("HALTED", &row.halt), ("WAITS", &row.waiting)] {
            if let Some(why) = why {
                wrapped(&format!("{how} {}/{}: {why}", row.log_stream, row.partition), &mut text);
            }
        }
    }
    if let Some(why) = &status.log_away {
        wrapped(&format!("the event log does not answer, so lag and halts are not known: {why}"), &mut text);
    }
    text.push_str("\nevents by outcome\n");
    for (name, count) in &status.counts {
        let _ = writeln!(text, "  {name:<40} {count:>11}");
    }
    bytes(&status.bytes, &mut text);
    maintenance(status.maintenance.as_ref(), &mut text);
    match status.editions.as_array().and_then(|all| all.last()) {
        Some(latest) => text.push_str(&format!("\nlatest edition: {latest}\n")),
        None => text.push_str("\nno edition yet: `amanat edition publish --as-of DATE` makes the first\n"),
    }
    text
}

/// Cells of a line: number, in log, in lake, lag, behind, last row, set aside, of all, claim, owner.
fn line(cells: [&str; 10]) -> String {
    let [number, log, lake, lag, behind, last, aside, all, claim, owner] = cells;
    let line = format!(
        "  {number:>3} {log:>10} {lake:>10} {lag:>8} {behind:>6} {last:>8} {aside:>11} {all:>7} {claim:>5}  {owner}"
    );
    line.trim_end().to_owned() + "\n"
}

fn partitions(status: &Status, text: &mut String) {
    let head = ["no.", "in log", "in lake", "lag", "behind", "last row", "set aside", "of all", "claim", "owner"];
    text.push_str(&line(head));
    let mut rows: Vec<&Row> = status.partitions.iter().collect();
    rows.sort_by_key(|row| (row.agency.is_none(), &row.agency, &row.log_stream, row.partition));
    for of_stream in rows.chunk_by(|one, other| one.log_stream == other.log_stream) {
        let agency = of_stream[0].agency.as_deref().unwrap_or("all agencies");
        let _ = writeln!(text, "{agency}   {}", of_stream[0].log_stream);
        for row in of_stream {
            text.push_str(&partition(row));
        }
    }
    let totals = &status.totals;
    let cells = [
        "all",
        "",
        "",
        &number(totals.lag_messages),
        &age(totals.oldest_unread_age_seconds),
        &age(totals.last_ingested_age_seconds),
        &totals.set_aside_messages.to_string(),
        &percent(totals.set_aside_ratio),
        "",
        "",
    ];
    text.push_str(&line(cells));
    text.push_str("behind: age of the oldest message not in the lake · set aside: of the last offsets / limit\n");
}

fn partition(row: &Row) -> String {
    line([
        &row.partition.to_string(),
        &number(row.in_log),
        &number(row.in_lake),
        &number(row.lag),
        &age(row.oldest_unread_age_seconds),
        &age(row.last_ingested_age_seconds),
        &row.set_aside.as_ref().map_or_else(|| "–".to_owned(), beside_limit),
        &row.set_aside.as_ref().map_or_else(|| "–".to_owned(), |of| percent(of.all_ratio)),
        &number(row.claim),
        &owner(row),
    ])
}

/// Messages beside the number at which the next one stops the partition.
fn beside_limit(of: &SetAside) -> String {
    match (of.limit_messages, of.rule) {
        (Some(limit), _) => format!("{}/{limit}", of.window_messages),
        (None, "suspend") => format!("{}/0", of.window_messages),
        (None, _) => of.window_messages.to_string(),
    }
}

/// Host and process where they are known, else the writer's own name; the end of it is cut.
fn owner(row: &Row) -> String {
    const MOST: usize = 20;
    let Some(owner) = &row.owner else { return "–".to_owned() };
    match (&owner.host, owner.pid) {
        (Some(host), Some(pid)) => {
            let pid = pid.to_string();
            format!("{}:{pid}", cut(host, MOST - 1 - pid.len()))
        }
        _ => cut(&owner.writer_id, MOST),
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn number(value: Option<i64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

fn percent(ratio: f64) -> String {
    format!("{:.2} %", ratio * 100.0)
}

/// In the unit that says it in two or three digits.
fn age(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else { return "–".to_owned() };
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} m", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

/// Lines of at most [`WIDTH`] columns, the further ones indented. A command in backticks stays whole.
fn wrapped(text: &str, out: &mut String) {
    let mut quoted = false;
    let words = text.split(|c: char| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    });
    let mut column = 0;
    for word in words {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push_str("\n  ");
            column = 2;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
}

fn bytes(bytes: &Bytes, text: &mut String) {
    let _ = writeln!(text, "\nbytes in the lake: {} in {} file(s)", bytes.total_bytes, bytes.files);
    for (date, day) in bytes.by_day.iter().rev().take(DAYS) {
        let _ = writeln!(
            text,
            "  {date} {:>14} accepted {:>12} set aside, copies, conflicts {:>6} file(s)",
            day.main_bytes, day.side_bytes, day.files
        );
    }
    if bytes.by_day.len() > DAYS {
        let _ = writeln!(text, "  … {} earlier day(s): --json", bytes.by_day.len() - DAYS);
    }
}

/// What the last round of maintenance left.
fn maintenance(status: Option<&lake::maintain::Status>, text: &mut String) {
    let last = status.and_then(|status| Some((status, chrono::DateTime::from_timestamp_millis(status.last_run_ms)?)));
    let Some((status, last)) = last else {
        text.push_str("\nmaintenance: never; `amanat up` does it, or `amanat maintain`\n");
        return;
    };
    let _ = writeln!(
        text,
        "\nmaintenance: {} by {}\n  {} file(s) of {} bytes, {} waiting for compaction, {} version(s) since the last checkpoint",
        last.format("%Y-%m-%d %H:%M:%S UTC"),
        status.holder,
        status.files,
        status.bytes,
        status.files_waiting,
        status.versions_since_checkpoint,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_wrapped_and_its_commands_are_not() {
        let mut text = String::new();
        wrapped(
            &format!("{} then `amanat resume here --below 7 --reason x`", "word ".repeat(17).trim_end()),
            &mut text,
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "  `amanat resume here --below 7 --reason x`");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn ages_and_names_fit_their_columns() {
        let ages = [0.2, 119.0, 120.0, 7_199.0, 7_200.0, 172_799.0, 172_800.0, 8_640_000.0].map(|s| age(Some(s)));
        assert_eq!(ages, ["0 s", "119 s", "2 m", "120 m", "2 h", "48 h", "2 d", "100 d"]);
        assert_eq!(cut("a-rather-long-host-name", 10), "a-rather-…");
        let all = line([
            "123",
            "1234567890",
            "1234567890",
            "12345678",
            "100 d",
            "120 m",
            "10000/10000",
            "100.00 %",
            "12345",
            &"o".repeat(20),
        ]);
        assert!(all.trim_end().chars().count() <= WIDTH + 1, "{all}");
    }
}
