//! What somebody needs who is asked for help: as text, and without anything secret. Evidence and
//! failures have no secret in them where they come from; nothing else is told.

use backup_model::ChannelState;
use jiff::Timestamp;

use super::Sight;
use crate::{kit::words::one_line as line, state::Connection};

/// All of it.
pub(super) fn text(sight: &Sight<'_>) -> String {
    let mut out = String::new();
    let state = sight.state;
    let report = state.status().map(|(report, _)| report);
    let daemon = match report.and_then(|report| report.daemon.as_ref()) {
        Some(daemon) => format!(
            "backupd {} on {}, up since {}",
            daemon.version,
            line(&daemon.name),
            whole(daemon.since)
        ),
        None => "backupd has not been heard yet".to_owned(),
    };
    let connection = match state.connection() {
        Connection::Live => "live".to_owned(),
        Connection::Connecting => "connecting".to_owned(),
        Connection::Lost { since, failure } => {
            let since = whole(*since);
            format!(
                "lost since {since}: {} {}",
                failure.code,
                line(&failure.to_string())
            )
        }
    };
    let address = line(&state.server().address);
    push(&mut out, format_args!("{daemon}"));
    push(
        &mut out,
        format_args!(
            "admin-gui {} at {}",
            env!("CARGO_PKG_VERSION"),
            whole(sight.now)
        ),
    );
    push(&mut out, format_args!("{address}, {connection}"));
    for fault in report.iter().flat_map(|report| &report.faults) {
        let said = line(&fault.to_string());
        push(&mut out, format_args!("fault: {} {said}", fault.code));
    }
    health(&mut out, sight);
    channels(&mut out, sight);
    out
}

fn health(out: &mut String, sight: &Sight<'_>) {
    let Some(report) = sight.state.health().value else {
        push(out, format_args!("\nhealth: not known"));
        return;
    };
    push(out, format_args!("\nhealth at {}", whole(report.at)));
    for item in &report.items {
        let (state, id) = (item.state.as_str(), &item.id);
        let (object, evidence) = (line(&item.object), line(&item.evidence));
        push(out, format_args!("{state:9}  {id}  {object}  {evidence}"));
        for (name, number) in &item.numbers {
            push(out, format_args!("           {name} = {number}"));
        }
        if let Some(fix) = &item.fix {
            push(out, format_args!("           → {}", line(fix)));
        }
    }
}

fn channels(out: &mut String, sight: &Sight<'_>) {
    let Some(channels) = sight.state.channels().value else {
        return;
    };
    push(out, format_args!("\nchannels"));
    for channel in channels {
        push(out, format_args!("{}", channel_line(channel)));
    }
}

fn channel_line(channel: &ChannelState) -> String {
    let when = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), whole);
    let (name, kind) = (line(&channel.name), channel.kind);
    let delivered = when(channel.last_delivered);
    let said = format!("{name}  {kind}  last delivered {delivered}");
    if channel.last_failed.is_none() {
        return said;
    }
    let why = channel.failure.as_deref().map(line).unwrap_or_default();
    format!("{said}, last given up {} {why}", when(channel.last_failed))
}

fn push(out: &mut String, words: std::fmt::Arguments<'_>) {
    out.push_str(&words.to_string());
    out.push('\n');
}

/// To the second, in UTC: whoever reads it is elsewhere.
fn whole(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
