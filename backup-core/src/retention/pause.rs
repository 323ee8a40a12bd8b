//! When nothing of a job goes: while something is wrong with what comes after it.
//!
//! A pause ends by itself: with a run that works, or when the new size has become usual.

use backup_model::{End, PauseReason};

use super::Record;

/// So many runs in a row must fail.
const FAILURES: usize = 3;
/// So many sizes before the newest are looked at, at most and at least.
const MOST_SIZES: usize = 7;
const FEWEST_SIZES: usize = 3;

/// Why retention pauses, if it does; runs that count, the newest first.
pub(super) fn pause(newest_first: &[&Record]) -> Option<PauseReason> {
    failures(newest_first).or_else(|| shrunk(newest_first))
}

fn failures(newest_first: &[&Record]) -> Option<PauseReason> {
    let ended = newest_first.iter().filter(|run| run.end != End::Open);
    let failed = ended.take_while(|run| matches!(run.end, End::Aborted | End::Fenced));
    let runs = failed.count();
    (runs >= FAILURES).then(|| PauseReason::RecentFailures {
        runs: u32::try_from(runs).unwrap_or(u32::MAX),
    })
}

fn shrunk(newest_first: &[&Record]) -> Option<PauseReason> {
    let mut complete = newest_first.iter().filter(|run| run.end == End::Complete);
    let newest = complete.next()?;
    let mut sizes: Vec<u64> = complete
        .take(MOST_SIZES)
        .map(|run| run.stored_bytes)
        .collect();
    if sizes.len() < FEWEST_SIZES {
        return None;
    }
    sizes.sort_unstable();
    let usual = sizes[sizes.len() / 2];
    // Less than half, without a product that could overflow.
    (newest.stored_bytes < usual.div_ceil(2)).then(|| PauseReason::Shrunk {
        snapshot: newest.name.clone(),
        stored_bytes: newest.stored_bytes,
        usual_bytes: usual,
    })
}
