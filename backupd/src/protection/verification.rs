//! What the memory of verifications means for the snapshots that are there.

use std::collections::BTreeMap;

use backup_model::{Level, SnapshotName};
use jiff::{SignedDuration, Timestamp};

use super::VerificationFact;
use crate::ledger::{Verified, VerifyOutcome};

/// How the rolling verification of a level stands. A snapshot waits since it was last good at that
/// level or above; one that never was, since it was made.
pub fn verification(
    snapshots: &[(SnapshotName, Timestamp)],
    memory: &[Verified],
    level: Level,
    limit: SignedDuration,
) -> VerificationFact {
    let mut good: BTreeMap<&SnapshotName, Timestamp> = BTreeMap::new();
    for one in memory.iter().filter(|one| one.level >= level) {
        if let Some(time) = one.good {
            let latest = good.entry(&one.snapshot).or_insert(time);
            *latest = time.max(*latest);
        }
    }
    let waits = snapshots
        .iter()
        .map(|(name, created)| good.get(name).copied().unwrap_or(*created));
    VerificationFact {
        level,
        waits_since: waits.min(),
        limit,
    }
}

/// The snapshots that are there and were found to be damaged, at whatever level: until a
/// verification at that level or above finds them good.
pub fn damaged(snapshots: &[(SnapshotName, Timestamp)], memory: &[Verified]) -> Vec<SnapshotName> {
    let is_bad = |name: &SnapshotName| {
        let of = || memory.iter().filter(|one| one.snapshot == *name);
        of().filter(|one| one.outcome == VerifyOutcome::Damaged)
            .any(|bad| {
                !of().any(|other| {
                    other.level > bad.level && other.good.is_some_and(|good| good > bad.at)
                })
            })
    };
    let names = snapshots.iter().map(|(name, _)| name);
    names.filter(|name| is_bad(name)).cloned().collect()
}
