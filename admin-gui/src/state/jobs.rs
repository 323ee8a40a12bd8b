//! Jobs as they are shown: the worst first, and as nobody knows while no daemon answers.

use backup_model::{JobStatus, ProtectionState, StatusReport};

use super::{Connection, State};

/// A job as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct ShownJob<'a> {
    /// What the daemon last said of it.
    pub job: &'a JobStatus,
    /// How it stands, as far as that is known now.
    pub state: ProtectionState,
    /// How it stood when that was last known, where it is not.
    pub was: Option<ProtectionState>,
}

/// The jobs of a report in their order, which they keep while nobody answers.
pub fn shown_jobs(report: &StatusReport, live: bool) -> impl Iterator<Item = ShownJob<'_>> {
    report.jobs.iter().map(move |job| {
        let known = job.protection.state;
        if live {
            ShownJob {
                job,
                state: known,
                was: job
                    .protection
                    .was
                    .filter(|_| known == ProtectionState::Unknown),
            }
        } else {
            ShownJob {
                job,
                state: ProtectionState::Unknown,
                was: Some(known),
            }
        }
    })
}

impl State {
    /// The jobs, as they are shown.
    pub fn jobs(&self) -> Vec<ShownJob<'_>> {
        let live = *self.connection() == Connection::Live;
        let report = self.status().map(|(report, _)| report);
        let jobs = report
            .into_iter()
            .flat_map(|report| shown_jobs(report, live));
        jobs.collect()
    }

    /// The worst of everything: what the whole window is marked with.
    pub fn worst(&self) -> ProtectionState {
        match (self.connection(), self.status()) {
            (Connection::Live, Some((report, _))) => report.worst(),
            _ => ProtectionState::Unknown,
        }
    }
}
