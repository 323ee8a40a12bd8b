//! What can be restored: the snapshots of each job, and what is known of the one that is chosen.

mod facts;
mod hold;
mod list;

use backup_model::{JobName, SnapshotName};
use egui::{Frame, Margin, Panel, Ui};

use super::{Sight, trouble};
use crate::kit::{
    Tokens, skeleton,
    table::Selection,
    tokens::{height, line},
};

const FACTS: f32 = 296.0;

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    /// Of which job; all of them without one.
    job: Option<JobName>,
    chosen: Selection<list::Key>,
    sorted: list::Sorted,
    hold: Option<hold::Draft>,
    /// To be chosen as soon as it is in the list.
    wanted: Option<SnapshotName>,
}

impl Own {
    fn snapshot(&self) -> Option<&SnapshotName> {
        match self.chosen.cursor() {
            Some(list::Key::Snapshot(_, name)) => Some(name),
            Some(list::Key::Bad(_)) | None => None,
        }
    }

    /// Chooses a snapshot, as a program that leads here does.
    pub(super) fn open(&mut self, snapshot: SnapshotName) {
        self.job = None;
        self.wanted = Some(snapshot);
    }

    /// The command that shows the same.
    pub(super) fn command(&self) -> String {
        match (self.snapshot(), &self.job) {
            (Some(snapshot), _) => format!("backupctl snapshot show {snapshot}"),
            (None, Some(job)) => format!("backupctl snapshot list --job {job}"),
            (None, None) => "backupctl snapshot list".to_owned(),
        }
    }
}

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let told = sight.state.snapshots();
    let Some(all) = told.value else {
        padded().show(ui, |ui| {
            let failed = trouble::instead(ui, sight, &told, "The snapshots cannot be shown");
            if !failed && sight.is_live() {
                skeleton::rows(ui, 8, height::ROW_COMPACT);
            }
        });
        return;
    };
    let at = told.at.unwrap_or(sight.now);
    if let Some(wanted) = own.wanted.take() {
        let mut good = all.iter().filter_map(|run| run.as_ref().ok());
        if let Some(info) = good.find(|info| info.snapshot == wanted) {
            own.chosen.choose(list::Key::Snapshot(info.created, wanted));
        }
    }
    let chosen = own.snapshot().cloned();
    let info = chosen.and_then(|chosen| {
        let mut good = all.iter().filter_map(|run| run.as_ref().ok());
        good.find(|info| info.snapshot == chosen)
    });
    if let Some(info) = info {
        let tokens = Tokens::of(ui);
        let frame = Frame::new().inner_margin(Margin::symmetric(16, 20));
        Panel::right("facts of a snapshot")
            .exact_size(FACTS)
            .resizable(false)
            .frame(frame)
            .show_separator_line(false)
            .show(ui, |ui| {
                let whole = ui.max_rect().expand2(egui::vec2(16.0, 20.0));
                let edge = whole.with_max_x(whole.left() + line::BORDER);
                ui.painter().rect_filled(edge, 0, tokens.border);
                facts::show(ui, sight, own, info);
            });
    }
    padded().show(ui, |ui| list::show(ui, sight, own, all, at));
    hold::dialog(ui, sight, own);
}

fn padded() -> Frame {
    Frame::new().inner_margin(Margin::symmetric(24, 20))
}
