//! Log lines of the program: `tracing` to standard error, pretty or JSON. Never a person, a token or a key in any of them.

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
    match config.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Pretty => builder.with_target(true).compact().init(),
    }
    Ok(())
}

/// Starts counting and gives what `/metrics` shows: names and labels of the program's own, never a person or a key.
pub fn metrics() -> anyhow::Result<endpoint::MetricsText> {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
    Ok(std::sync::Arc::new(move || recorder.render()))
}
