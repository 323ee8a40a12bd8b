//! What the verifications of the story found.

use backup_model::{Code, Failure, RunBytes, RunCause, RunInfo, RunKind, RunOutcome, RunPage};

use super::jobs::{jobs, run_info};

/// The daily rounds of each job, one of them in vain, and what somebody with a key began by hand.
pub(super) fn verifications() -> RunPage {
    let jobs = jobs();
    let round = |day: i64, place: usize| {
        let job = &jobs[place];
        let minute = i64::try_from(place).unwrap();
        let number = u8::try_from(day * 7 + minute + 1).unwrap();
        let mut info = run_info(job.name, 61 + 24 * 60 * day - minute * 2, number, true);
        info.kind = RunKind::Verify;
        info.snapshot = None;
        info.repository = job.repository.to_owned();
        info.bytes = RunBytes {
            read_bytes: (640 << 20) + u64::from(number) * 4_000_000,
            ..RunBytes::default()
        };
        if (day, job.name) == (1, "wiki-db") {
            info.outcome = RunOutcome::Failed;
            info.failure = Some(Failure::new(Code::Store, "/mnt/nas is not mounted"));
            info.bytes = RunBytes::default();
        }
        if day == 3 {
            // Somebody with a key looked at all of them at once.
            info.job = None;
            info.cause = RunCause::Hand;
        }
        info
    };
    let days = (0..3).flat_map(|day| (0..jobs.len()).rev().map(move |place| (day, place)));
    let rounds = days.map(|(day, place)| round(day, place));
    let mut runs: Vec<RunInfo> = rounds.collect();
    runs.push(round(3, 0));
    RunPage { runs, next: None }
}
