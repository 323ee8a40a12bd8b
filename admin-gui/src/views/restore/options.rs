//! Owners and permissions.

use egui::Ui;

use crate::{
    kit::{Text, Tokens, card, check::check, tokens::space},
    state::Draft,
};

pub(super) fn show(ui: &mut Ui, draft: &mut Draft) {
    card::title(ui, "Options", "");
    ui.add_space(space::L);
    if draft.in_place {
        card::section_head(ui, "Before anything is replaced", "");
        ui.add_space(space::S);
        let mut taken = !draft.no_safety_backup;
        option(
            ui,
            &mut taken,
            "Back the job up once more",
            "Only when that has ended well the restore begins. It is the way back",
        );
        draft.no_safety_backup = !taken;
        ui.add_space(space::L);
    }
    if draft.has_databases() {
        card::section_head(ui, "Database", "");
        ui.add_space(space::S);
        let word = "Everything belongs to the user who restores it";
        option(
            ui,
            &mut draft.no_owner,
            word,
            "Else owners and privileges are as they were, for roles that exist on the server",
        );
        ui.add_space(space::L);
    }
    if draft.has_files() {
        card::section_head(ui, "Folder", "");
        ui.add_space(space::S);
        option(
            ui,
            &mut draft.numeric_owner,
            "Owners by number",
            "Else everything belongs to the daemon's user. It takes root and the scope `admin`",
        );
        option(
            ui,
            &mut draft.keep_setid,
            "Set-uid, set-gid and sticky bits",
            "Else they are left out and counted. It takes the scope `admin`",
        );
    }
    if !draft.has_databases() && !draft.has_files() {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Body.rich("There is nothing to choose", muted));
    }
}

fn option(ui: &mut Ui, on: &mut bool, word: &str, note: &str) {
    let muted = Tokens::of(ui).muted;
    check(ui, on, word);
    ui.horizontal(|ui| {
        ui.add_space(24.0);
        ui.label(Text::Caption.rich(note, muted));
    });
    ui.add_space(space::M);
}
