//! When nothing of a job may go: what its latest runs did looks wrong, and old snapshots may be all
//! that is good.

use backup_model::{End, PauseReason};

use super::Record;

/// So many failures in a row are no accident.
const FAILURES: usize = 3;
/// A snapshot is compared with so many complete ones before it.
const COMPARED: usize = 7;
/// With fewer there is nothing to compare it with.
const FEWEST_COMPARED: usize = 3;

/// Whether retention pauses. `newest_first` are the job's runs, without those dated in the future.
pub(super) fn pause(newest_first: &[&Record]) -> Option<PauseReason> {
    let ended = newest_first.iter().filter(|run| run.end != End::Open);
    let failures = ended
        .take_while(|run| matches!(run.end, End::Aborted | End::Fenced))
        .count();
    if failures >= FAILURES {
        let runs = u32::try_from(failures).unwrap_or(u32::MAX);
        return Some(PauseReason::RecentFailures { runs });
    }
    let mut complete = newest_first.iter().filter(|run| run.end == End::Complete);
    let newest = complete.next()?;
    let mut sizes: Vec<u64> = complete
        .take(COMPARED)
        .map(|run| run.stored_bytes)
        .collect();
    if sizes.len() < FEWEST_COMPARED {
        return None;
    }
    sizes.sort_unstable();
    let usual_bytes = sizes.get(sizes.len() / 2).copied()?;
    (newest.stored_bytes < usual_bytes / 2).then(|| PauseReason::Shrunk {
        snapshot: newest.name.clone(),
        stored_bytes: newest.stored_bytes,
        usual_bytes,
    })
}
