//! Log lines of the program: `tracing` to standard error, pretty or JSON. Never a person, a token or a key in any of them.

use std::io::IsTerminal;
use std::sync::{Arc, OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, TelemetryConfig};

/// Starts logging. Called once, before anything else can log.
pub fn start(config: &TelemetryConfig) -> anyhow::Result<()> {
    // The libraries below log a line per file or per commit at `info`; their warnings are what matters here.
    let filter = if config.level.contains(['=', ',']) {
        config.level.clone()
    } else {
        format!(
            "{},deltalake_core=warn,buoyant_kernel=warn,datafusion=warn,hyper=warn,sqlparser=warn,rdkafka=warn",
            config.level
        )
    };
    let filter = EnvFilter::try_new(&filter).map_err(|error| crate::config::ConfigError::Invalid {
        place: "configuration key `telemetry.level`".into(),
        what: format!("is neither a level nor a filter: {error}"),
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    match config.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Pretty => builder.with_target(true).compact().init(),
    }
    std::panic::set_hook(Box::new(broke));
    Ok(())
}

/// Reports where the program broke, and not with which words: they may have what somebody sent.
fn broke(panic: &std::panic::PanicHookInfo<'_>) {
    if endpoint::is_reading_a_message() {
        return;
    }
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, trace = %std::backtrace::Backtrace::capture(), "the program broke here");
}

/// How often measurements are put together.
const UPKEEP: std::time::Duration = std::time::Duration::from_secs(5);

/// Upper bounds of the buckets of durations, seconds: from a commit on a local disk to a feed that has stood for a day.
const SECONDS: [f64; 15] =
    [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 600.0, 86_400.0];

/// Starts counting and gives what `/metrics` shows: names and labels of the program's own, never a person or a key. The worker and the agencies'
/// door are asked each time how they stand, once there are any.
pub fn metrics(
    worker: Arc<OnceLock<ingest::Monitor>>,
    agencies: Arc<OnceLock<gateway::door::Door>>,
) -> anyhow::Result<endpoint::MetricsText> {
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?;
    let recorder = builder.install_recorder()?;
    describe();
    // What was measured is kept until somebody asks for it, or this puts it together: nobody may ever ask.
    let upkeep = recorder.clone();
    std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP);
            upkeep.run_upkeep();
        }
    })?;
    Ok(Arc::new(move || {
        if let Some(monitor) = worker.get() {
            ingest::observe(monitor);
        }
        if let Some(door) = agencies.get() {
            door.observe();
        }
        recorder.render()
    }))
}

/// What the metrics of this crate mean; those of a room are described there.
fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge};
    describe_counter!(
        "amanat_sql_slots_total",
        "Questions about protected tables by the slot at whose end they left, in multiples of the first (`privacy.slot_ms`)"
    );
    describe_gauge!(
        "amanat_maintain_last_round_timestamp_seconds",
        Unit::Seconds,
        "When the last round of maintenance ended, seconds since 1970"
    );
    describe_gauge!(
        "amanat_maintain_last_daily_timestamp_seconds",
        Unit::Seconds,
        "When the daily part of it (vacuum, log clean-up) was done, seconds since 1970"
    );
    describe_gauge!("amanat_lake_files", "Parquet files of the table `events`");
    describe_gauge!("amanat_lake_files_waiting", "Of them, those that compaction would replace");
    describe_gauge!("amanat_lake_file_bytes", Unit::Bytes, "Bytes of these files");
    describe_gauge!("amanat_lake_versions_since_checkpoint", "Commits that opening the table has to read one by one");
}
