//! `cargo xtask papers`: runs the commands that the papers show, against a synthetic country served as the README says.
//!
//! A fenced block whose first word is `sh`, `python`, `js` or `r` is run in a scratch folder, with `amanat` in the path and the
//! address of the papers replaced by that of the running endpoint. It must end with 0; with the second word `refused`, it must
//! end with 6 (the exit code of a refusal); with `with-clients` Python has the drivers of `tests/clients/postgres`, as JavaScript always. Blocks marked `elsewhere` are what `.ci/run` does by itself. A block whose program is
//! not on this machine is skipped aloud; in CI that is a failure.
//!
//! Absent: comparing what is printed. Numbers are protected under a key that each store makes for itself.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::figures::amanat::{Profile, Running, build, free_port, get};

/// The papers whose blocks are run, in the order of a first reading.
const PAPERS: [&str; 21] = [
    "README.md",
    "docs/guides/ask.md",
    "docs/guides/connect.md",
    "docs/guides/connect-psql.md",
    "docs/guides/connect-dbeaver.md",
    "docs/guides/connect-excel-power-bi.md",
    "docs/guides/connect-metabase-superset-grafana.md",
    "docs/guides/connect-python.md",
    "docs/guides/connect-r.md",
    "docs/guides/connect-javascript.md",
    "docs/guides/understand-a-refusal.md",
    "docs/guides/cite.md",
    "docs/guides/report-to-unodc-and-sdg.md",
    "docs/guides/save-a-question.md",
    "docs/guides/let-people-in.md",
    "docs/guides/publish-from-an-agency.md",
    "docs/guides/import-a-csv.md",
    "docs/guides/tokenize.md",
    "docs/guides/decide-what-is-doubtful.md",
    "docs/guides/keep-reference-data.md",
    "docs/guides/look-after-feeds.md",
];
/// The address that the papers show.
const SHOWN: &str = "127.0.0.1:8080";
/// The address of the agencies' door that they show.
const SHOWN_DOOR: &str = "127.0.0.1:8081";
/// The port for clients of PostgreSQL that they show.
const SHOWN_PORT: &str = "5433";
/// The exit code of a refusal (docs/guides/run-it.md).
const REFUSED: i32 = 6;
/// How long the synthetic country may take to be served.
const SERVED_WITHIN: Duration = Duration::from_mins(2);

/// A block that is run.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// Line of its fence, from 1.
    line: usize,
    language: String,
    refused: bool,
    /// Whether it needs the drivers of the tests of clients.
    with_clients: bool,
    text: String,
}

/// Runs every block of every paper; fails with the list of those that did not do what they say.
pub fn run(root: &Path) -> Result<ExitCode> {
    let scratch = tempfile::Builder::new().prefix("amanat-papers-").tempdir()?;
    let folder = scratch.path().to_path_buf();
    let amanat = build(Profile::Dev, "amanat", "amanat")?;
    std::fs::create_dir(folder.join("bin"))?;
    std::os::unix::fs::symlink(&amanat, folder.join("bin/amanat"))?;
    let local = || anyhow::Ok(format!("127.0.0.1:{}", free_port()?));
    let address = Addresses { http: local()?, door: local()?, postgres: free_port()?.to_string() };
    let _served = serve(&amanat, &folder, &address)?;
    let (mut ran, mut wrong) = (0, Vec::new());
    for paper in PAPERS {
        for block in blocks(&std::fs::read_to_string(root.join(paper))?) {
            let place = format!("{paper}:{} ({})", block.line, block.language);
            match execute(&block, &folder, &address) {
                Ok(true) => ran += 1,
                Ok(false) if std::env::var_os("CI").is_none() => eprintln!("SKIPPED {place}: its program is not here"),
                Ok(false) => wrong.push(format!("{place}: its program is not here")),
                Err(error) => wrong.push(format!("{place}: {error:#}")),
            }
        }
    }
    println!("{ran} block(s) of {} did what they say", PAPERS.join(", "));
    ensure!(ran > 0, "no block was run");
    if wrong.is_empty() { Ok(ExitCode::SUCCESS) } else { bail!("{}", wrong.join("\n")) }
}

/// Where the endpoint is, in the place of what the papers show.
struct Addresses {
    http: String,
    door: String,
    postgres: String,
}

fn serve(amanat: &Path, folder: &Path, address: &Addresses) -> Result<Running> {
    let port: u16 = address.http.rsplit(':').next().context("a port")?.parse()?;
    let postgres = format!("127.0.0.1:{}", address.postgres);
    let arguments = ["up", "--sample", "--http", &address.http, "--postgres", &postgres];
    // As readers find it: a guide shows what becomes of who asks too often.
    let settings = [("AMANAT_SQL__QUESTIONS_PER_MINUTE", "300"), ("AMANAT_GATEWAY__HTTP", &address.door)];
    let mut served = Running::start_in(folder, amanat, &arguments, &settings)?;
    while get(port, "/readyz").is_none() {
        ensure!(!served.ended()?, "`amanat up --sample` ended");
        ensure!(served.began.elapsed() < SERVED_WITHIN, "`amanat up --sample` does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(served)
}

/// The blocks of a paper that are run.
fn blocks(paper: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = paper.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(words) = line.trim_start().strip_prefix("```") else { continue };
        let mut words = words.split_whitespace();
        let language = words.next().unwrap_or("").to_owned();
        let marks: Vec<&str> = words.collect();
        let text: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_start() != "```").collect();
        if ["sh", "python", "js", "r"].contains(&language.as_str()) && !marks.contains(&"elsewhere") {
            let refused = marks.contains(&"refused");
            let with_clients = marks.contains(&"with-clients");
            found.push(Block { line: at + 1, language, refused, with_clients, text: text.join("\n") });
        }
    }
    found
}

/// A text of a paper with the addresses of what runs.
fn shown(text: &str, address: &Addresses) -> String {
    text.replace(SHOWN_DOOR, &address.door).replace(SHOWN, &address.http).replace(SHOWN_PORT, &address.postgres)
}

/// The newest folder of that name which `tests/clients/postgres/run` has made, with what clients need.
fn installed(name: &str) -> Result<PathBuf> {
    let folder = crate::cache()?.join("clients");
    let made = |entry: &std::fs::DirEntry| {
        let own = entry.file_name().to_string_lossy().into_owned();
        own.starts_with(name) && !own.ends_with(".partial")
    };
    let found = std::fs::read_dir(&folder).into_iter().flatten().flatten().filter(made);
    let newest = found.max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok());
    newest.map(|entry| entry.path()).context("the clients are not installed: run tests/clients/postgres/run before")
}

/// Whether its program is here; an error when it ended otherwise than it says.
fn execute(block: &Block, folder: &Path, address: &Addresses) -> Result<bool> {
    let (program, arguments): (PathBuf, &[&str]) = match block.language.as_str() {
        "sh" => ("bash".into(), &["-euo", "pipefail", "-c"]),
        "python" if block.with_clients => (installed("postgres-python-")?.join("bin/python3"), &["-c"]),
        "python" => ("python3".into(), &["-c"]),
        "js" => ("node".into(), &["-e"]),
        _ => ("Rscript".into(), &["-e"]),
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(folder.join("bin")).chain(std::env::split_paths(&path)).collect::<Vec<PathBuf>>();
    let modules =
        if block.language == "js" { installed("postgres-node-")?.join("node_modules") } else { PathBuf::new() };
    let output = Command::new(program)
        .args(arguments)
        .arg(shown(&block.text, address))
        .current_dir(folder)
        .env("PATH", std::env::join_paths(path)?)
        .env("NODE_PATH", modules)
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        output => output?,
    };
    let wanted = if block.refused { REFUSED } else { 0 };
    ensure!(
        output.status.code() == Some(wanted),
        "ended with {}, not with {wanted}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    ensure!(block.refused || !output.stdout.is_empty(), "printed nothing");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_say_their_language_are_run_and_others_are_not() {
        let paper = "```sh elsewhere\na\n```\n```\nb\n```\n\n  ```sh refused\n  c\n  ```\n```python\nd\ne\n```\n";
        let found = blocks(paper);
        let block = |line, language: &str, refused, text: &str| Block {
            line,
            language: language.into(),
            refused,
            with_clients: false,
            text: text.into(),
        };
        assert_eq!(found, [block(8, "sh", true, "  c"), block(11, "python", false, "d\ne")]);
    }

    #[test]
    fn the_papers_have_blocks() {
        for paper in PAPERS {
            let text = std::fs::read_to_string(crate::root().join(paper)).unwrap();
            assert!(!blocks(&text).is_empty(), "{paper}");
        }
    }
}
