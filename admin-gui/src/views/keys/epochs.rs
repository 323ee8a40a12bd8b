//! What data is encrypted to, the current one first.

use backup_model::{EpochInfo, KeysReport};
use egui::Ui;

use super::{
    Own, ROWS, Sight,
    change::{Draft, What},
    nobody, public_key,
};
use crate::kit::{
    Badge, Button, Emphasis, Text, Tokens,
    card::section_head_with,
    table::{Column, DataTable, Rows, Width, words as cell},
    tokens::{height, space},
    words,
};

const COLUMNS: [Column<'_>; 4] = [
    Column::new("Epoch", Width::Fixed(84.0)),
    Column::new("In use", Width::Fixed(108.0)),
    Column::new("Public key", Width::Fixed(public_key::WIDTH + 32.0)),
    Column::new("Opened by", Width::Rest(96.0)),
];

pub(super) fn show(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, keys: &KeysReport) {
    section_head_with(ui, "Epochs", |ui| {
        let chosen = own.administrators.cursor().cloned().unwrap_or_default();
        let word = match chosen.as_str() {
            "" => "New epoch…".to_owned(),
            name => format!("New epoch without {}…", words::one_line(name)),
        };
        let button = ui.add(Button::outline(&word));
        let note = "It locks keys that are removed out of what comes after";
        if button.on_hover_text(note).clicked() {
            own.change = Some(Draft::of(&keys.repository, What::Rotate, &chosen));
        }
    });
    ui.add_space(space::S);
    if keys.epochs.is_empty() {
        nobody(ui, "None");
        return;
    }
    DataTable::new("Epochs", &COLUMNS)
        .row_height(height::ROW)
        .max_height(ROWS * height::ROW)
        .show(ui, &mut Epochs { keys, sight }, &mut own.epochs);
}

struct Epochs<'a> {
    keys: &'a KeysReport,
    sight: &'a Sight<'a>,
}

impl Epochs<'_> {
    /// They come with the current one last.
    fn at(&self, row: usize) -> &EpochInfo {
        &self.keys.epochs[self.keys.epochs.len() - 1 - row]
    }

    fn day(&self, at: jiff::Timestamp) -> String {
        words::day(at, self.sight.now, self.sight.zone)
    }
}

impl Rows for Epochs<'_> {
    type Key = u64;

    fn count(&self) -> usize {
        self.keys.epochs.len()
    }

    fn key(&self, row: usize) -> u64 {
        self.at(row).number
    }

    fn name(&self, row: usize) -> String {
        let current = if row == 0 { ", current" } else { "" };
        format!(
            "Epoch {}{current}, {}, opened by {}",
            self.at(row).number,
            self.text(row, 1),
            self.text(row, 3)
        )
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let live = self.sight.is_live();
        let text = if live { tokens.text } else { tokens.muted };
        let said = self.text(row, column);
        match column {
            0 => {
                cell(ui, Text::Strong, &said, text);
                if row == 0 {
                    let loud = if live {
                        Emphasis::Chosen
                    } else {
                        Emphasis::Plain
                    };
                    ui.add(Badge::tag(loud, "current"));
                }
            }
            2 => {
                let epoch = self.at(row);
                let whose = format!("epoch {}", epoch.number);
                public_key::cell(ui, &epoch.recipient, &whose, live);
            }
            _ => {
                cell(ui, Text::Body, &said, text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let epoch = self.at(row);
        match column {
            0 => epoch.number.to_string(),
            1 => {
                let from = self.day(epoch.created);
                match row.checked_sub(1) {
                    None => format!("since {from}"),
                    Some(after) => format!("{from} – {}", self.day(self.at(after).created)),
                }
            }
            2 => epoch.recipient.clone(),
            _ => {
                let open = self.keys.administrators.iter();
                let open = open.filter(|it| it.opens.contains(&epoch.number));
                let names: Vec<String> = open.map(|it| words::one_line(&it.name)).collect();
                if names.is_empty() {
                    "nobody".to_owned()
                } else {
                    names.join(", ")
                }
            }
        }
    }
}
