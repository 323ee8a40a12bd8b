//! The last word before a restore begins.

use backupd_api::Scope;
use egui::Ui;

use super::{Sight, wizard};
use crate::{
    kit::{Button, Text, Tokens, card, command_box, facts, tokens::space, words},
    state::{Deed, Draft},
    views::trouble,
};

const KEYS: f32 = 110.0;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, draft: &Draft) {
    let Some(order) = wizard::order(draft) else {
        return;
    };
    let tokens = Tokens::of(ui);
    card::title(ui, "Start it?", "");
    ui.add_space(space::XS);
    let words = "It goes to new places. What exists stays as it is, and if anything does not agree \
                 with the backup, nothing appears there";
    ui.label(Text::Body.rich(words, tokens.muted));
    ui.add_space(space::L);
    facts(ui, KEYS, |facts| {
        facts.mono("Snapshot", &order.snapshot.to_string());
        if let Some(made) = wizard::made(sight, draft) {
            facts.row("Made", &words::both(made, sight.zone));
        }
        if let Some(database) = &order.database {
            let name = database
                .name
                .as_deref()
                .unwrap_or("named after the old one");
            facts.row("New database", name);
        }
        if let Some(folder) = &order.folder {
            facts.mono("New folder", &words::one_line(&folder.to_string_lossy()));
        }
        if !order.paths.is_empty() {
            let paths = order.paths.len() as u64;
            facts.row("Of it", &words::number(paths, "path", "paths"));
        }
        if let Some(key) = sight.state.key().open() {
            facts.row("Opened by", &key.shown);
        }
    });
    ui.add_space(space::L);
    command_box(ui, &order.command());
    ui.add_space(space::L);
    trouble::refused(ui, sight);
}

/// The button that begins it.
pub(super) fn button(ui: &mut Ui, sight: &mut Sight<'_>, draft: &Draft, off: Option<&str>) {
    let Some(order) = wizard::order(draft) else {
        return;
    };
    let deed = Deed::Restore(Box::new(order));
    let begun = sight.state.doing().contains(&deed);
    let word = if begun { "Starting…" } else { "Restore" };
    let off = sight
        .off_for(Scope::Restore)
        .or(off)
        .or(begun.then_some("It is being begun"));
    if ui.add(Button::filled(word).off_if(off)).clicked() {
        sight.ask(deed);
    }
}
