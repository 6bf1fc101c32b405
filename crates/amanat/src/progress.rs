//! Progress of long work, on standard error and only where a person watches.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `total` things called `unit`; hidden when standard error is no terminal.
pub fn bar(total: u64, what: &'static str, unit: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), target());
    let template = format!("{{msg:>12}} [{{bar:40}}] {{human_pos}}/{{human_len}} {unit} ({{eta}})");
    bar.set_style(ProgressStyle::with_template(&template).expect("the template is a literal").progress_chars("=> "));
    bar.set_message(what);
    bar
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

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
