//! Progress of long work, on standard error and only where a person watches.

use std::future::Future;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ingest::Monitor;

/// How often a bar looks at what it shows.
const LOOK: Duration = Duration::from_millis(200);

/// A bar over `total` things called `unit`; hidden when standard error is no terminal.
pub fn bar(total: u64, what: &'static str, unit: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), target());
    let template = format!("{{msg:>12}} [{{bar:40}}] {{human_pos}}/{{human_len}} {unit} ({{eta}})");
    bar.set_style(ProgressStyle::with_template(&template).expect("the template is a literal").progress_chars("=> "));
    bar.set_message(what);
    bar
}

/// Bytes of work of unknown length.
pub fn bytes(what: &'static str) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, target());
    let template = "{msg:>12} {spinner} {bytes} ({bytes_per_sec}, {elapsed})";
    spinner.set_style(ProgressStyle::with_template(template).expect("the template is a literal"));
    spinner.set_message(what);
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// A spinner for work of unknown length.
pub fn spinner(what: &'static str) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, target());
    spinner.set_style(
        ProgressStyle::with_template("{msg:>12} {spinner} {human_pos} ({elapsed})").expect("the template is a literal"),
    );
    spinner.set_message(what);
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// Waits for `work`, showing how much of the log a worker has behind it.
pub async fn ingesting<T>(monitor: Monitor, work: impl Future<Output = T>) -> T {
    let bar = bar(0, "ingesting", "events");
    let mut look = tokio::time::interval(LOOK);
    let mut work = std::pin::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = look.tick() => {
                let report = monitor.report();
                let all = report.partitions.values().filter_map(|p| Some(p.high? - p.low.unwrap_or(0))).sum::<i64>();
                bar.set_length(u64::try_from(all).unwrap_or(0));
                bar.set_position(u64::try_from(all - report.lag()).unwrap_or(0));
            }
        }
    };
    bar.finish_and_clear();
    done
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
