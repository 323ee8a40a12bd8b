//! Jobs: all of them in a table, and one with its runs and what is configured.

mod contents;
mod detail;
mod history;
mod list;
mod pause;
mod retention;
mod run;
mod runs;

use backup_model::{JobName, RunId, SnapshotName};
use egui::{Frame, Margin, Ui};
use jiff::Timestamp;

use super::{Sight, once::Once};
use crate::kit::table::{Selection, Sort};

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    sort: Option<Sort>,
    chosen: Selection<JobName>,
    runs: Selection<RunId>,
    lines: Selection<u64>,
    tab: usize,
    history: Once<(JobName, Timestamp), history::History>,
    pause: Option<pause::Draft>,
    typed: Option<retention::Typed>,
    days: Once<retention::OfPlan, retention::Days>,
    verdicts: Selection<SnapshotName>,
}

impl Own {
    /// The command that shows the same of a job.
    pub(super) fn command(&self, sight: &Sight<'_>, job: &JobName, run: Option<RunId>) -> String {
        match (self.tab, run) {
            (detail::RETENTION, _) => retention::command(sight, self, job),
            (_, Some(run)) => format!("backupctl run logs {}", run.short()),
            (_, None) => format!("backupctl run list --job {job}"),
        }
    }
}

/// Draws all jobs.
pub fn list(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    padded().show(ui, |ui| list::show(ui, sight, own));
}

/// Draws one job, and a run of it that is open.
pub fn detail(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    job: &JobName,
    run: Option<RunId>,
) {
    padded().show(ui, |ui| detail::show(ui, sight, own, job, run));
}

fn padded() -> Frame {
    Frame::new().inner_margin(Margin::symmetric(24, 20))
}
