//! How keys are tested and changed: in a terminal, where the secret ones are.

use backup_model::KeysReport;
use egui::{Margin, Ui};

use super::kit::step;
use crate::kit::{
    card::{padded_card, section_head},
    tokens::space,
};

pub(super) fn show(ui: &mut Ui, keys: &KeysReport) {
    section_head(ui, "Test and change keys", "where the secret ones are");
    ui.add_space(space::S);
    padded_card(
        ui,
        "Test and change keys",
        Margin::symmetric(18, 14),
        |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (at, (what, command)) in steps(&keys.repository).iter().enumerate() {
                if at > 0 {
                    ui.add_space(space::S);
                }
                step(ui, what, command);
            }
        },
    );
}

fn steps(name: &str) -> [(&'static str, String); 5] {
    let of = |rest: &str| format!("backupctl key {rest} --of {name}");
    [
        (
            "Show that a key opens, and have it written down",
            of("test --identity FILE --root-key FILE"),
        ),
        (
            "Let an administrator in",
            of("add NAME --recipient KEY --identity FILE --root-key FILE"),
        ),
        (
            "Begin a new epoch, without somebody who leaves",
            of("rotate --without NAME --identity FILE --root-key FILE"),
        ),
        ("Then put him out", of("remove NAME --root-key FILE")),
        (
            "Let a host write, by the key that `key host` says there",
            of("add NAME --writer KEY --role write --root-key FILE"),
        ),
    ]
}
