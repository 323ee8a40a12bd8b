//! The log of this process: lines on standard error, for journald, a container's log or a person.

use std::io::{self, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use backup_model::Failure;
use backupd::{
    config::{LoadError, Problems},
    hints::hint,
};
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{cli::LogFormat, json::Json};

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
        LogFormat::Json => lines.event_format(Json).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(worth))
        .init();
}

/// Says why the daemon ends, and what to do about it.
pub(crate) fn failure(failure: &Failure) {
    let (code, hint) = (failure.code.as_str(), hint(failure.code));
    let causes = Some(failure.causes.join(": ")).filter(|causes| !causes.is_empty());
    tracing::error!(code, causes, hint, "the daemon ends: {}", failure.message);
}

/// Says what is wrong with the configuration: to people as `backupctl` does, with the lines that
/// are meant, to machines in a line for each problem.
pub(crate) fn refused(format: LogFormat, error: LoadError) -> Failure {
    if let LoadError::Invalid(problems) = &error {
        match format {
            LogFormat::Text => picture(problems),
            LogFormat::Json => lines(problems),
        }
    }
    let all = Failure::from(error);
    // They were just told, each.
    failure(&Failure::new(all.code, all.message.as_str()));
    all
}

fn picture(problems: &Problems) {
    let stderr = io::stderr();
    let color = stderr.is_terminal() && AutoStream::choice(&stderr) != ColorChoice::Never;
    let picture = problems.render(color, 100);
    // Nowhere is left to say that standard error is closed.
    drop(stderr.lock().write_all(picture.as_bytes()));
}

fn lines(problems: &Problems) {
    for problem in &problems.0 {
        let (file, key) = (problem.file.display(), &problem.key);
        let (line, column) = (problem.line, problem.column);
        let hint = problem.help.as_deref();
        tracing::error!(%file, line, column, key, hint, "{}", problem.message);
    }
}
