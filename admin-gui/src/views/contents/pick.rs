//! From what is chosen in a snapshot to a draft that restores just that.

use std::path::PathBuf;

use backup_model::SnapshotDetail;

use super::Sight;
use crate::state::{Act, Draft, Part, Place, Step};

/// These files and folders only.
pub(super) fn paths(sight: &mut Sight<'_>, detail: &SnapshotDetail, paths: Vec<PathBuf>) {
    draft(sight, detail, Part::Paths(paths));
}

/// The databases only.
pub(super) fn databases(sight: &mut Sight<'_>, detail: &SnapshotDetail) {
    draft(sight, detail, Part::Databases);
}

fn draft(sight: &mut Sight<'_>, detail: &SnapshotDetail, part: Part) {
    let info = &detail.info;
    let mut draft = Draft::begin(sight.now);
    draft.choose_snapshot(info.snapshot.clone(), info.kinds.clone());
    draft.part = part;
    draft.step = Step::Target;
    sight.ask(Act::Draft(Some(draft)));
    sight.ask(Act::Go(Place::Draft));
}
