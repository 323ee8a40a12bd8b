//! Holding a snapshot: why, in words that whoever reads the storage can read.

use backup_model::SnapshotName;
use backupd_api::Scope;
use egui::Ui;

use super::{Own, Sight};
use crate::{
    kit::{Dialog, Field, Text, Tokens, dialog::Answer, tokens::space},
    state::Deed,
};

/// What somebody has filled in.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    snapshot: SnapshotName,
    reason: String,
}

impl Draft {
    pub(super) const fn of(snapshot: SnapshotName) -> Self {
        Self {
            snapshot,
            reason: String::new(),
        }
    }
}

pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let Some(draft) = &mut own.hold else {
        return;
    };
    let title = format!("Hold {}", draft.snapshot);
    let empty = draft.reason.trim().is_empty();
    let reason = empty.then_some("Say why first");
    let dialog =
        Dialog::new(&title, "Cancel", "Hold").off_if(sight.off_for(Scope::Retention).or(reason));
    let answer = dialog.show(ui.ctx(), |ui| {
        let muted = Tokens::of(ui).muted;
        let words = "It is not forgotten until somebody releases it, whatever the retention says. \
                     The reason is not encrypted";
        ui.label(Text::Body.rich(words, muted));
        ui.add_space(space::M);
        ui.add(Field::new("Why", &mut draft.reason).hint("before the upgrade"));
    });
    match answer {
        None => {}
        Some(Answer::Safe) => own.hold = None,
        Some(Answer::Act) => {
            let deed = Deed::Hold {
                snapshot: draft.snapshot.clone(),
                reason: draft.reason.trim().to_owned(),
            };
            own.hold = None;
            sight.ask(deed);
        }
    }
}
