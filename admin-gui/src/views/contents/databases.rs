//! The databases of a snapshot, with what each was when it was dumped.

use backup_model::{SnapshotDetail, StreamInfo, StreamKind};
use backupd_api::Scope;
use egui::{Margin, ScrollArea, Ui};

use super::{Sight, bar, pick};
use crate::kit::{Text, Tokens, card, facts, tokens::space, words};

const KEYS: f32 = 120.0;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, detail: &SnapshotDetail) {
    let streams = detail.streams.iter().flatten();
    let databases = streams.filter(|stream| stream.kind == StreamKind::Postgres);
    let databases: Vec<&StreamInfo> = databases.collect();
    if databases.is_empty() {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Body.rich("There is no database in this snapshot", muted));
        return;
    }
    let room = ui.available_height() - 56.0;
    ScrollArea::vertical().max_height(room).show(ui, |ui| {
        for stream in &databases {
            one(ui, stream);
            ui.add_space(space::L);
        }
    });
    let words = match databases.len() {
        1 => "1 database".to_owned(),
        count => format!("{count} databases"),
    };
    if bar(ui, &words, "Restore…", sight.off_for(Scope::Restore)) {
        pick::databases(sight, detail);
    }
}

fn one(ui: &mut Ui, stream: &StreamInfo) {
    card::padded_card(ui, &stream.name, Margin::symmetric(16, 12), |ui| {
        let length = words::bytes(stream.length_bytes);
        card::section_head(
            ui,
            &words::one_line(&stream.name),
            &format!("{length} dumped"),
        );
        ui.add_space(space::S);
        let Some(database) = &stream.database else {
            return;
        };
        let list = |all: Vec<String>| match all.len() {
            0 => "none".to_owned(),
            _ => words::one_line(&all.join(", ")),
        };
        let extensions = database.extensions.iter();
        let extensions = extensions.map(|one| format!("{} {}", one.name, one.version));
        facts(ui, KEYS, |facts| {
            facts.row("Database", &words::one_line(&database.database));
            facts.row("Server", &format!("PostgreSQL {}", database.server_version));
            facts.row("Size then", &words::bytes(database.size_bytes));
            facts.row(
                "Encoding",
                &format!("{}, {}", database.encoding, database.collate),
            );
            facts.row("Extensions", &list(extensions.collect()));
            facts.row("Roles", &list(database.roles.clone()));
        });
    });
}
