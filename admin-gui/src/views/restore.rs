//! Restores: those that there were, the one that is being drafted step by step, and the ones that
//! run. Everything goes to a new place; nothing that exists is written into.

mod choose;
mod confirm;
mod list;
mod options;
mod preview;
mod progress;
mod report;
mod result;
mod target;
mod wizard;

use egui::Ui;
use jiff::Timestamp;

use super::{Sight, once::Once};
use crate::{
    kit::{Curve, table::Selection},
    state::{Place, Step},
};

pub use list::show as list;
pub(super) use preview::locked;
pub use wizard::show as wizard;

/// What the screens remember.
#[derive(Debug, Default)]
pub struct Own {
    listed: Selection<list::Key>,
    points: choose::Points,
    point: Selection<choose::Key>,
    /// Somebody was asked whether to stop this restore.
    stop: Option<String>,
    /// How fast the restore is that is shown, of what was last heard of it.
    rate: Once<(String, Option<(Timestamp, u64)>), Curve>,
}

/// A restore that has begun: how far it is, and in the end what came of it.
pub fn running(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, id: &str) {
    let ended = sight.state.restores().get(id).is_some_and(|one| {
        // A daemon that knows nothing of it any more says how it ended by its list of runs.
        one.end.is_some() || one.lost.is_some()
    });
    if ended {
        result::show(ui, sight, id);
    } else {
        progress::show(ui, sight, own, id);
    }
}

/// What is about to happen, or has, in a terminal.
pub(super) fn command(sight: &Sight<'_>) -> String {
    if matches!(sight.state.place(), Place::Restoring(_)) {
        return "backupctl run list".to_owned();
    }
    let Some(draft) = sight.state.draft() else {
        return "backupctl run list".to_owned();
    };
    match (draft.order(), &draft.job) {
        (Some(order), _) if draft.step < Step::Confirm => format!("{} --dry-run", order.command()),
        (Some(order), _) => order.command(),
        (None, Some(job)) => format!("backupctl snapshot list --job {job}"),
        (None, None) => "backupctl snapshot list".to_owned(),
    }
}
