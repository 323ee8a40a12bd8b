//! Who can read backups.

use backup_model::{AdministratorInfo, EpochInfo, KeysReport};
use egui::Ui;

use super::{
    Own, ROWS, Sight,
    change::{Draft, What},
    nobody, public_key,
};
use crate::kit::{
    Button, Icon, Text, Tokens,
    card::section_head_with,
    table::{Column, DataTable, Rows, Width, lines, words as cell},
    tokens::{height, space},
    words,
};

const COLUMNS: [Column<'_>; 6] = [
    Column::new("", Width::Fixed(16.0)),
    Column::new("Administrator", Width::Rest(108.0)),
    Column::new("Public key", Width::Fixed(public_key::WIDTH + 32.0)),
    Column::new("Added", Width::Fixed(72.0)),
    Column::new("Last tested", Width::Fixed(72.0)),
    Column::new("Opens", Width::Fixed(64.0)),
];

pub(super) fn show(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, keys: &KeysReport) {
    section_head_with(ui, "Who can read backups", |ui| changes(ui, own, keys));
    ui.add_space(space::S);
    if keys.administrators.is_empty() {
        nobody(ui, "Nobody");
        return;
    }
    let mut rows = Administrators {
        all: &keys.administrators,
        epochs: &keys.epochs,
        sight,
    };
    DataTable::new("Administrators", &COLUMNS)
        .row_height(height::ROW_TALL)
        .max_height(ROWS * height::ROW_TALL)
        .show(ui, &mut rows, &mut own.administrators);
}

/// What can be done about them, from the right on.
fn changes(ui: &mut Ui, own: &mut Own, keys: &KeysReport) {
    ui.spacing_mut().item_spacing.x = space::S;
    let chosen = own.administrators.cursor().cloned();
    if ui.add(Button::outline("Let in…")).clicked() {
        own.change = Some(Draft::of(&keys.repository, What::Add, ""));
    }
    if ui.add(Button::outline("Test the open key…")).clicked() {
        own.change = Some(Draft::of(&keys.repository, What::Test, ""));
    }
    if let Some(name) = chosen {
        let word = format!("Put out {}…", words::one_line(&name));
        if ui.add(Button::outline(&word)).clicked() {
            own.change = Some(Draft::of(&keys.repository, What::Remove, &name));
        }
    }
}

struct Administrators<'a> {
    all: &'a [AdministratorInfo],
    epochs: &'a [EpochInfo],
    sight: &'a Sight<'a>,
}

impl Rows for Administrators<'_> {
    type Key = String;

    fn count(&self) -> usize {
        self.all.len()
    }

    fn key(&self, row: usize) -> String {
        self.all[row].name.clone()
    }

    fn name(&self, row: usize) -> String {
        let (tested, opens) = (self.text(row, 4), self.text(row, 5));
        let kind = kind(&self.all[row].kind);
        format!(
            "{}, {kind}, last tested {tested}, opens {opens}",
            self.text(row, 1)
        )
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let administrator = &self.all[row];
        let live = self.sight.is_live();
        let text = if live { tokens.text } else { tokens.muted };
        let said = self.text(row, column);
        match column {
            0 => {
                icon(&administrator.kind).ui(ui, tokens.muted);
            }
            1 => {
                let below = (kind(&administrator.kind), tokens.muted);
                lines(ui, (Text::Name, &said, text), below);
            }
            2 => match &administrator.recipient {
                Some(key) => public_key::cell(ui, key, &self.text(row, 1), live),
                None => {
                    cell(ui, Text::Body, "none", tokens.muted);
                }
            },
            4 if administrator.tested.is_none() && live => {
                cell(ui, Text::Body, &said, tokens.warn);
            }
            _ => {
                cell(ui, Text::Body, &said, text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let administrator = &self.all[row];
        let day = |at| words::day(at, self.sight.now, self.sight.zone);
        match column {
            0 => administrator.kind.clone(),
            1 => words::one_line(&administrator.name),
            2 => administrator.recipient.clone().unwrap_or_default(),
            3 => day(administrator.added),
            4 => administrator.tested.map_or_else(|| "never".to_owned(), day),
            _ => opened(&administrator.opens, self.epochs),
        }
    }
}

/// Which epochs, in few letters.
fn opened(opens: &[u64], epochs: &[EpochInfo]) -> String {
    let all = epochs.iter().all(|epoch| opens.contains(&epoch.number));
    match opens {
        [] => "nothing".to_owned(),
        _ if all => "all".to_owned(),
        [one] => format!("only {one}"),
        several => {
            let numbers: Vec<String> = several.iter().map(ToString::to_string).collect();
            numbers.join(", ")
        }
    }
}

/// What kind of key, as people say it.
fn kind(word: &str) -> &str {
    match word {
        "x25519" => "age key",
        "passphrase" => "passphrase",
        "ssh" => "SSH key",
        "plugin" => "plugin key",
        other => other,
    }
}

fn icon(kind: &str) -> Icon {
    match kind {
        "plugin" => Icon::HardwareKey,
        "passphrase" => Icon::User,
        _ => Icon::Keys,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn epochs_are_named_unless_they_are_all() {
        let epochs: Vec<EpochInfo> = (1..=3)
            .map(|number| EpochInfo {
                number,
                recipient: String::new(),
                created: Timestamp::UNIX_EPOCH,
            })
            .collect();
        for (opens, words) in [
            (&[1, 2, 3][..], "all"),
            (&[3], "only 3"),
            (&[1, 3], "1, 3"),
            (&[], "nothing"),
        ] {
            assert_eq!(opened(opens, &epochs), words);
        }
    }
}
