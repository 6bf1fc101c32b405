//! The parts of the documentation that only the program can write: its commands and its settings.

use std::fmt::Write as _;

use clap::CommandFactory;
use endpoint::ReferencePage;

use crate::cli::Cli;
use crate::config::Config;

/// The pages of the reference for `/docs`.
pub fn pages() -> Vec<ReferencePage> {
    vec![
        ReferencePage { name: "commands", markdown: commands() },
        ReferencePage { name: "settings", markdown: settings() },
    ]
}

/// What `--help` says, for every command.
fn commands() -> String {
    let mut out = "# Commands\n\nWhat `--help` says.\n".to_owned();
    let mut command = Cli::command();
    command.build();
    section(&mut out, &mut command, "");
    out
}

fn section(out: &mut String, command: &mut clap::Command, above: &str) {
    let name = format!("{above} {}", command.get_name()).trim().to_owned();
    let _ = write!(out, "\n## {name}\n\n```text\n{}\n```\n", command.render_long_help().to_string().trim());
    for under in command.get_subcommands_mut().filter(|under| under.get_name() != "help") {
        section(out, under, &name);
    }
}

/// Every key with its default.
fn settings() -> String {
    let defaults = toml::to_string_pretty(&Config::default()).unwrap_or_default();
    format!(
        "# Settings\n\nOne TOML file (`--config`, `AMANAT_CONFIG`), the environment (`AMANAT_SQL__TIME_LIMIT_SECONDS` is \
         `sql.time_limit_seconds`) and flags, under the same names; the later goes before. Keys without a default are not here; \
         `amanat config show` prints what is in force, `amanat config check` finds what is wrong. What they mean: \
         [the guide to running it](../guides/run-it.md).\n\n```toml\n{}\n```\n",
        defaults.trim()
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_command_and_every_section_of_the_settings_has_its_place() {
        let (commands, settings) = (super::commands(), super::settings());
        for command in ["amanat up", "amanat edition publish", "amanat user invite", "amanat sql"] {
            assert!(commands.contains(&format!("\n## {command}\n")), "{command}");
        }
        for section in ["[sql]", "[endpoint]", "[postgres]", "[flight]", "[privacy]"] {
            assert!(settings.contains(section), "{section}");
        }
    }
}
