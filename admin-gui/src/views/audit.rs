//! Who did what: the audit log, the newest entry first, and whether it is as it was written.

mod chain;
mod entry;
mod rows;

use egui::{Align, Layout, Ui};

use super::{
    Sight,
    page::{self, BELOW_HEAD, head, page, trouble},
    trouble::card,
};
use crate::{
    kit::{
        Button, Empty, Icon, Text, Tokens, empty,
        table::{DataTable, Selection},
        tokens::space,
        words,
    },
    state::Act,
};
use rows::{Entries, columns};

/// So many rows before the last that was read, older ones are asked for.
const NEAR: usize = 20;
/// The line below the table.
const FOOT: f32 = 28.0;

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    filter: String,
    chosen: Selection<u64>,
}

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    page(ui, |ui| {
        let view = sight.state.audit();
        head(ui, "Audit log", |ui| chain::badge(ui, sight), export);
        if let (Some(failure), None) = (view.failure, view.value) {
            card(ui, sight, "The audit log could not be read", failure);
            return;
        }
        chain::faults(ui, sight);
        if let Some(failure) = view.failure {
            trouble(ui, "Not asked anew", failure);
        }
        if view.value.is_some() && sight.state.trail().entries().is_empty() {
            let nothing = Empty {
                icon: Icon::Audit,
                head: "Nothing is in the log yet",
                sentence: "Who starts, changes or restores something is named here",
                action: "",
            };
            empty(ui, &nothing);
            return;
        }
        page::filter(
            ui,
            "Filter entries",
            "Filter by any column",
            &mut own.filter,
        );
        ui.add_space(space::M);
        entries(ui, sight, own);
    });
}

/// From right to left.
fn export(ui: &mut Ui) {
    let copy = ui.add(Button::outline("Copy export command").icon(Icon::Terminal));
    if copy.clicked() {
        ui.copy_text("backupctl audit export".to_owned());
    }
    copy.on_hover_text("backupctl audit export");
}

fn entries(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let trail = sight.state.trail();
    let filtered = !own.filter.trim().is_empty();
    let mut rows = Entries::new(sight, &own.filter);
    own.chosen.retain(|seq| rows.has(*seq));
    let chosen = own.chosen.chosen().next().copied();
    let shown = chosen.and_then(|seq| trail.entries().iter().find(|entry| entry.seq == seq));
    let high = entry::high(ui.available_height());
    let below = FOOT + shown.map_or(0.0, |_| high + BELOW_HEAD);
    let head = crate::kit::tokens::height::ROW_COMPACT;
    let room = ui.available_height() - below - head - 2.0;
    let columns = columns(ui.available_width());
    DataTable::new("Audit log", &columns)
        .loading(sight.state.audit().is_first())
        .max_height(room)
        .show(ui, &mut rows, &mut own.chosen);
    let near_end = rows.lowest + NEAR >= rows.len();
    let listed = rows.len();
    if near_end && !filtered {
        read_older(sight);
    }
    foot(ui, sight, listed, filtered);
    if let Some(shown) = shown {
        ui.add_space(BELOW_HEAD);
        entry::show(ui, sight, shown, high);
    }
}

/// Asks for older entries, once: they are on their way already where somebody waits for them.
fn read_older(sight: &mut Sight<'_>) {
    let trail = sight.state.trail();
    if sight.is_live() && trail.has_older() && trail.wanted().is_none() {
        sight.ask(Act::ReadOlder);
    }
}

/// How many of how many there are, and that older ones are read.
fn foot(ui: &mut Ui, sight: &mut Sight<'_>, listed: usize, filtered: bool) {
    let muted = Tokens::of(ui).muted;
    let trail = sight.state.trail();
    let read = words::count(trail.entries().len() as u64);
    let all = sight.state.audit_check().value.map(|check| check.entries);
    let of = all.map_or_else(String::new, |all| format!(" of {}", words::count(all)));
    let mut said = if filtered {
        let listed = words::count(listed as u64);
        format!("{listed} found in the newest {read}{of} entries")
    } else if trail.has_older() {
        format!("The newest {read}{of} entries")
    } else {
        format!("All {read} entries")
    };
    if let Some(failure) = sight.state.older_failure() {
        said = format!("{said} · older ones could not be read: {failure}");
    } else if trail.wanted().is_some() {
        said = format!("{said} · reading older ones…");
    }
    let more = filtered && trail.has_older() && trail.wanted().is_none();
    if sight.state.audit().is_first() {
        return;
    }
    ui.allocate_ui_with_layout(
        egui::vec2(ui.available_width(), FOOT),
        Layout::left_to_right(Align::Center),
        |ui| {
            ui.label(Text::Caption.rich(said, muted));
            let button = Button::link("Look in older ones").off_if(sight.off());
            if more && ui.add(button).clicked() {
                read_older(sight);
            }
        },
    );
}
