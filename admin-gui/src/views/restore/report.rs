//! What a restore came to, as a text that can be kept.

use std::fmt::Write as _;

use backup_model::{Failure, RestoreReport, RestoreTarget, RestoredStream};
use jiff::SignedDuration;

use crate::{kit::words, state::Followed};

/// Where a stream is now, in one line.
pub(super) fn place(stream: &RestoredStream) -> String {
    match &stream.target {
        RestoreTarget::Database { database, server } => format!("{database} on {server}"),
        RestoreTarget::Folder { path } => words::one_line(&path.to_string_lossy()),
        _ => String::new(),
    }
}

/// How long it took.
pub(super) fn took(report: &RestoreReport) -> String {
    let span = SignedDuration::try_from_secs_f64(report.took_secs).unwrap_or_default();
    words::took(span)
}

/// A failure with its causes.
pub(super) fn whole(failure: &Failure) -> String {
    words::one_line(&failure.in_full())
}

/// The whole of it.
pub(super) fn text(one: &Followed) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        // Writing to a text does not fail.
        writeln!(text, "{words}").unwrap_or_default();
    };
    line(format!("Restore of {}", one.info.object));
    line(format!("Begun {} by {}", one.info.began, one.info.actor));
    match &one.end {
        Some((Ok(()), at)) => line(format!("Done, heard {at}")),
        Some((Err(failure), at)) => {
            line(format!(
                "Failed, heard {at}: {} {}",
                failure.code,
                whole(failure)
            ));
        }
        None => line("Its end was not heard".to_owned()),
    }
    if let Some(report) = &one.report {
        line(format!("Took {}", took(report)));
        for stream in &report.streams {
            let read = words::bytes(stream.read_bytes);
            line(format!(
                "{}: {}, {read} compared",
                stream.name,
                place(stream)
            ));
            if let Some(kept) = &stream.kept_as {
                line(format!("What was there is kept as {kept}"));
            }
        }
        if let Some(safety) = &report.safety {
            line(format!("Backed up before it as {safety}"));
        }
        for failure in &report.warnings {
            line(format!("Warning: {} {}", failure.code, whole(failure)));
        }
    }
    text
}
