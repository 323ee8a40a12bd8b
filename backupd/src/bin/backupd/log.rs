//! The log of this process: lines on standard error, for journald, a container's log or a person.

use std::io;

use backup_model::Failure;
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::cli::LogFormat;

/// Begins to write. Of other crates only what is wrong is worth a line.
pub(crate) fn begin(format: LogFormat) {
    let ours = ["backupd", "backup_core", "backup_keys"];
    let ours = ours.map(|target| (target, LevelFilter::INFO));
    let worth = Targets::new()
        .with_default(LevelFilter::WARN)
        // An alarm that is taken back while it rings is an error to it, and none to anybody else;
        // what matters comes back from its calls.
        .with_target("tokio_cron_scheduler", LevelFilter::OFF)
        .with_targets(ours);
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_target(false).with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(worth))
        .init();
}

pub(crate) fn failure(what: &str, failure: &Failure) {
    let causes = failure.causes.join(": ");
    tracing::error!(
        code = failure.code.as_str(),
        causes,
        "{what}: {}",
        failure.message
    );
}
