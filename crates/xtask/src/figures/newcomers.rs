//! `doors.first_five_minutes`: how soon each of three newcomers has what they came for, and how many of the hindrances that real ones
//! met are gone.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::amanat::{Profile, Running, build, free_port, get, post, run};
use super::{Bench, Figure, Measured, text};

/// Five minutes, of which most belong to reading and typing.
const WITHIN: Duration = Duration::from_mins(5);

/// An analyst's first question: how many victims were identified in a year, with the interval.
const QUESTION: &str = "select value, lo95, hi95 from v01 where time_period = '2025' and province = '_T' and sex = '_T' and age_group = '_T'";

/// The registry's part for newcomers.
pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "doors.first_five_minutes",
        shows: "from `amanat up --sample` to the analyst's first number with its interval, the dashboard's first body, and the receipt of an agency's first event, by the commands of the guides (development build); of what hindered three newcomers (docs/first-five-minutes.md), how much is mended",
        unit: "s",
        goal: "each within 300 s",
        minutes: 1,
        short: false,
        correctness: false,
        run: measure,
    }]
}

fn measure(bench: &Bench) -> Result<Measured> {
    let amanat = build(Profile::Dev, "amanat", "amanat")?;
    let (data, port) = (text(&bench.scratch.join("store")), free_port()?);
    let arguments = ["up", "--sample", "--data", &data, "--http", &format!("127.0.0.1:{port}")];
    let mut served = Running::start(&amanat, &arguments, &[])?;
    let mut until = |what: &str, done: &dyn Fn() -> Result<bool>| -> Result<f64> {
        while !done()? {
            ensure!(!served.ended()?, "`amanat up --sample` ended");
            ensure!(served.began.elapsed() < WITHIN, "{what}: not within {} s", WITHIN.as_secs());
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(served.began.elapsed().as_secs_f64())
    };
    let number = until("the analyst's number", &|| {
        let answer = match post(port, "/v1/sql", &json!({ "sql": QUESTION }).to_string()) {
            Some((200, answer)) => answer,
            None | Some((503, _)) => return Ok(false),
            Some((status, refusal)) => bail!("the first question is refused: {status} {}", refusal["detail"]),
        };
        let row = answer["rows"][0].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_whole = row.len() == 3 && row.iter().all(serde_json::Value::is_number);
        ensure!(is_whole, "the first question has no number with an interval");
        Ok(true)
    })?;
    let body = until("the dashboard's body", &|| {
        let body = get(port, "/v1/indicators/V01/data").unwrap_or_default();
        Ok(body["rows"].as_array().is_some_and(|rows| !rows.is_empty()))
    })?;
    let events = bench.scratch.join("events.ndjson");
    std::fs::write(&events, event(&bench.root.join("docs/guides/publish-from-an-agency.md"))?)?;
    run(&amanat, &["validate", &text(&events)])?;
    let receipts = || Ok::<_, anyhow::Error>(run(&amanat, &["receipts", "--agency", "POL-PB", "--data", &data])?.out);
    let before = receipts()?.lines().count();
    let published = Instant::now();
    run(&amanat, &["publish", &text(&events), "--data", &data])?;
    let accepted = until("the agency's receipt", &|| {
        let said = receipts()?;
        Ok(said.lines().count() > before && said.lines().last().is_some_and(|line| line.ends_with(": 1 accepted")))
    })?;
    let receipt = published.elapsed().as_secs_f64();
    let (mended, open) = hindrances(&std::fs::read_to_string(bench.root.join("docs/first-five-minutes.md"))?);
    Ok(Measured {
        value: format!("{number:.1}, {body:.1} and {accepted:.1}"),
        met: true,
        details: json!({
            "seconds from publishing to the receipt": receipt,
            "hindrances mended, some of them in part": mended,
            "hindrances open as a whole": open,
        }),
    })
}

/// The event of the guide.
fn event(guide: &Path) -> Result<String> {
    let text = std::fs::read_to_string(guide)?;
    let found = text.split_once("<<'END'\n").and_then(|(_, rest)| rest.split_once("\nEND\n"));
    Ok(format!("{}\n", found.with_context(|| format!("{} shows no event", guide.display()))?.0))
}

/// How many rows of the last table say what was mended, and how many say `open` and nothing else.
fn hindrances(page: &str) -> (usize, usize) {
    let table = page.rsplit_once("| what hindered |").map_or("", |(_, table)| table);
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let (open, mended): (Vec<&str>, Vec<&str>) = rows.partition(|line| line.trim_end().ends_with("| open |"));
    (mended.len(), open.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hindrances_are_counted_by_what_was_mended() {
        let page = "# A page\n| a | b |\n|---|---|\n| x | open |\n\n| what hindered | what was mended |\n|---|---|\n| a | open |\n| b | it says so. Open: c |\n\nEnd\n";
        assert_eq!(hindrances(page), (1, 1));
        assert_eq!(hindrances(""), (0, 0));
    }
}
