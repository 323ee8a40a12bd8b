//! The databases of a snapshot, with what each was when it was dumped, and its tables.

use backup_model::{SnapshotDetail, StreamInfo, StreamKind};
use backupd_api::Scope;
use egui::{Align, Layout, Margin, ScrollArea, Ui};

use super::{Own, Sight, bar, pick, tables};
use crate::{
    kit::{
        Text, Tokens, card, facts,
        tokens::{height, space},
        words,
    },
    views::page::filter,
};

const KEYS: f32 = 120.0;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, detail: &SnapshotDetail) {
    let streams = detail.streams.iter().flatten();
    let databases = streams.filter(|stream| stream.kind == StreamKind::Postgres);
    let databases: Vec<&StreamInfo> = databases.collect();
    if databases.is_empty() {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Body.rich("There is no database in this snapshot", muted));
        return;
    }
    ui.horizontal(|ui| {
        ui.set_min_height(height::CONTROL);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let query = &mut own.tables.query;
            filter(ui, "Search tables", "Search the tables", query);
        });
    });
    ui.add_space(space::M);
    let room = ui.available_height() - 56.0;
    ScrollArea::vertical().max_height(room).show(ui, |ui| {
        for stream in &databases {
            one(ui, &mut own.tables, stream);
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

fn one(ui: &mut Ui, own: &mut tables::Own, stream: &StreamInfo) {
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
        ui.add_space(space::M);
        tables::show(ui, own, &stream.name, database.tables.as_ref());
    });
}
