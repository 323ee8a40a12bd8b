//! Which daemon the window speaks to.

use egui::Ui;

use super::Sight;
use crate::{
    kit::{
        card::{card, section_head},
        facts,
        tokens::space,
        words,
    },
    state::Connection,
};

/// How high both cards are.
pub(super) const HIGH: f32 = 6.0 * 26.0;

pub(super) fn show(ui: &mut Ui, sight: &Sight<'_>) {
    section_head(ui, "Daemon", "");
    ui.add_space(space::S);
    card(ui, "Daemon", |ui| {
        ui.set_min_height(HIGH);
        let state = sight.state;
        let report = state.status().map(|(report, _)| report);
        let daemon = report.and_then(|report| report.daemon.as_ref());
        let moment = |at| words::moment(at, sight.now, sight.zone);
        facts(ui, 108.0, |facts| {
            let unknown = "not heard yet".to_owned();
            let name = daemon.map(|daemon| daemon.name.clone());
            facts.row("Name", &name.unwrap_or_else(|| unknown.clone()));
            facts.mono("Address", &state.server().address);
            let server = state.server();
            let identity = match (server.is_secure, server.repository()) {
                (true, _) => "by socket, key or certificate",
                (false, Some(_)) => "started by this window, on this machine",
                (false, None) => "none, and others can listen",
            };
            facts.row("Identity", identity);
            let version = daemon.map(|daemon| format!("backupd {}", daemon.version));
            facts.row("Version", &version.unwrap_or_else(|| unknown.clone()));
            let since = daemon.map(|daemon| {
                let since = moment(daemon.since);
                if sight.is_live() {
                    format!("{since}, {}", words::ago(daemon.since, sight.now))
                } else {
                    since
                }
            });
            facts.row("Running since", &since.unwrap_or(unknown));
            let connection = match state.connection() {
                Connection::Live => "live".to_owned(),
                Connection::Connecting => "connecting".to_owned(),
                Connection::Lost { since, .. } => format!("lost since {}", moment(*since)),
            };
            facts.row("Connection", &connection);
        });
    });
}
