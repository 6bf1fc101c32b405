//! The program: reads the configuration, builds the parts, runs a role. Every decision is made elsewhere.

mod admission;
mod allocator;
mod ask;
mod audit;
mod avro_schemas;
mod backup;
mod bucket;
mod catalogue;
mod cli;
mod config;
mod conflicts;
mod country;
mod data_dir;
mod edition;
mod erase;
mod escape;
mod every;
mod exit;
mod explain;
mod feeds;
mod following;
mod gateway;
mod house;
mod import;
mod lines;
mod linking;
mod maintain;
mod memory;
mod producers;
mod progress;
mod publish;
mod questionnaire;
mod questions;
mod queue;
mod readers;
mod receipts;
mod reference;
mod reference_data;
mod registry;
mod replay;
mod reset;
mod resume;
mod sampling;
mod set_aside;
mod signal;
mod standing;
mod status;
mod telemetry;
mod template;
mod up;
mod validate;

use clap::Parser;

fn main() -> std::process::ExitCode {
    allocator::tune();
    // Stops at the places that FAILPOINTS names; not in a release build.
    #[cfg(debug_assertions)]
    let _scenario = fail::FailScenario::setup();
    let cli = cli::Cli::parse();
    exit::report(run(cli))
}

fn run(cli: cli::Cli) -> anyhow::Result<()> {
    let config = config::Config::read(cli.common.config.as_deref(), std::env::vars(), &cli.common.overrides())?;
    telemetry::start(&config.telemetry)?;
    match cli.command {
        cli::Command::Up(args) => up::run(config, args),
        cli::Command::Publish(args) => publish::run(config, args),
        cli::Command::Import(args) => import::run(config, args),
        cli::Command::Tokenize(args) => tokenize::program::run(&args).map_err(exit::of_tokenize),
        cli::Command::Template(args) => template::run(&args),
        cli::Command::Validate(args) => validate::run(config, args),
        cli::Command::Refresh(args) => edition::refresh(config, args),
        cli::Command::Link(command) => linking::run(config, command),
        cli::Command::Conflict(command) => conflicts::run(config, command),
        cli::Command::Erase(command) => erase::run(config, command),
        cli::Command::Feeds(args) => feeds::run(config, args),
        cli::Command::Reference(command) => reference_data::run(config, command),
        cli::Command::Edition(command) => edition::run(config, command),
        cli::Command::ExplainNumber(args) => explain::run(config, args),
        cli::Command::Sql(args) => ask::run(config, args),
        cli::Command::Questionnaire(args) => questionnaire::run(&config, &args),
        cli::Command::Backup(args) => backup::run(config, args),
        cli::Command::Status(args) => status::run(config, args),
        cli::Command::Resume(args) => resume::run(config, args),
        cli::Command::Maintain(args) => maintain::run(config, args),
        cli::Command::SetAside(command) => set_aside::run(config, command),
        cli::Command::Receipts(args) => receipts::run(config, args),
        cli::Command::Audit(command) => audit::run(config, command),
        cli::Command::Key(command) => readers::keys(config, command),
        cli::Command::Producer(command) => producers::run(config, command),
        cli::Command::User(command) => readers::users(config, command),
        cli::Command::Replay(args) => replay::run(config, args),
        cli::Command::Reset(args) => reset::run(config, args),
        cli::Command::Schema(command) => registry::run(config, command),
        cli::Command::Sample(args) => {
            country::settle_before(&config, &args)?;
            sampling::run(config, args)
        }
        cli::Command::Config(command) => cli::config(&config, &command),
    }
}
