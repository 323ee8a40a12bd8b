//! What is done in a terminal, because it must read the repository without trusting a host.

use backup_model::KeysReport;
use egui::{Margin, Ui};

use super::kit::step;
use crate::kit::{
    card::{padded_card, section_head},
    tokens::space,
};

pub(super) fn show(ui: &mut Ui, keys: &KeysReport) {
    section_head(ui, "Hosts", "");
    ui.add_space(space::S);
    padded_card(ui, "Hosts", Margin::symmetric(18, 14), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let command = format!(
            "backupctl key add NAME --writer KEY --role write --root-key FILE --of {}",
            keys.repository
        );
        let what = "Let in and put out in a terminal, away from them";
        step(ui, what, &command);
    });
}
