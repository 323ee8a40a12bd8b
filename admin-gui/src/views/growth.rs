//! How much each repository holds, as far as its snapshots tell, and where that leads.

use std::collections::BTreeMap;

use backup_model::{End, HealthItem, JobName, SnapshotInfo, StatusReport};
use backupd_api::ListedRun;
use jiff::{SignedDuration, Timestamp};

use crate::kit::{
    Curve,
    plot::{Point, Value},
    words,
};

/// What the daemon calls what it says of room.
const SPACE: &str = "repository-space";
/// So much of the time that is shown may be of the future.
const AHEAD: i32 = 3;

/// What is known of a repository.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Growth {
    /// How many snapshots it has.
    pub(super) snapshots: usize,
    /// What they use for sure: packs that only forgotten ones used are not known here.
    pub(super) bytes: u64,
    /// The same after each snapshot, the oldest first.
    after: Vec<(Timestamp, u64)>,
}

impl Growth {
    /// Of what is in one repository.
    pub(super) fn of(infos: &[&SnapshotInfo]) -> Self {
        let mut jobs: BTreeMap<&JobName, (u64, &SnapshotInfo)> = BTreeMap::new();
        for info in infos {
            let entry = jobs.entry(&info.snapshot.job).or_insert((0, info));
            entry.0 = entry.0.saturating_add(info.added_bytes);
            if info.created > entry.1.created {
                entry.1 = info;
            }
        }
        // What all added may miss what forgotten ones did; what the newest uses may miss the others.
        let least = |(added, newest): &(u64, &SnapshotInfo)| newest.stored_bytes.max(*added);
        let bytes = jobs.values().map(least).fold(0, u64::saturating_add);
        let mut newest_first: Vec<_> = infos
            .iter()
            .map(|info| (info.created, info.added_bytes))
            .collect();
        newest_first.sort_unstable_by(|one, other| other.cmp(one));
        let mut left = bytes;
        let mut after: Vec<_> = newest_first
            .into_iter()
            .map(|(created, added)| {
                let held = (created, left);
                left = left.saturating_sub(added);
                held
            })
            .collect();
        after.reverse();
        let is_snapshot = |info: &&&SnapshotInfo| matches!(info.end, End::Complete | End::Partial);
        Self {
            snapshots: infos.iter().filter(is_snapshot).count(),
            bytes,
            after,
        }
    }

    /// What it held at a time; nothing is known of the time before its first snapshot.
    pub(super) fn at(&self, time: Timestamp) -> Option<u64> {
        let later = self.after.partition_point(|(created, _)| *created <= time);
        Some(self.after[later.checked_sub(1)?].1)
    }

    /// The growth up to `now`, and where it leads if it is known when the room is filled.
    pub(super) fn curve(&self, now: Timestamp, space: Option<&HealthItem>) -> Curve {
        let Some((first, _)) = self.after.first() else {
            return Curve::default();
        };
        let shown = now.duration_since(*first);
        let held = self.after.iter().copied();
        let points = held
            .chain((shown > SignedDuration::ZERO).then_some((now, self.bytes)))
            .map(|(at, bytes)| Point {
                at,
                value: Value::Amount(bytes as f64),
            });
        let mut curve = Curve {
            points: points.collect(),
            ..Curve::default()
        };
        let Some((full, free)) = space.and_then(filled) else {
            return curve;
        };
        let ahead = full.min(shown / AHEAD);
        if ahead > SignedDuration::ZERO {
            let share = ahead.div_duration_f64(full);
            let bytes = self.bytes as f64;
            curve.forecast = Some((now + ahead, bytes + free as f64 * share));
            // Farther away than that, the limit would press all that there is to the foot.
            curve.limit = (ahead == full).then_some(bytes + free as f64);
        }
        curve
    }

    /// The same in words.
    pub(super) fn says(&self, space: Option<&HealthItem>) -> String {
        let held = format!(
            "at least {} in {}",
            words::bytes(self.bytes),
            counted(self.snapshots)
        );
        let left = space.and_then(left);
        left.map_or_else(|| held.clone(), |left| format!("{held}; {left}"))
    }
}

/// Snapshots, counted in words.
pub(super) fn counted(snapshots: usize) -> String {
    match snapshots {
        1 => "1 snapshot".to_owned(),
        more => format!("{} snapshots", words::count(more as u64)),
    }
}

/// What is in each repository.
pub(super) fn by_repository<'a>(
    report: &'a StatusReport,
    listed: &'a [ListedRun],
) -> BTreeMap<&'a str, Vec<&'a SnapshotInfo>> {
    let of_job: BTreeMap<&JobName, &str> = report
        .jobs
        .iter()
        .map(|job| (&job.protection.job, job.repository.as_str()))
        .collect();
    let mut all: BTreeMap<&str, Vec<&SnapshotInfo>> = BTreeMap::new();
    for info in listed.iter().flatten() {
        if let Some(repository) = of_job.get(&info.snapshot.job) {
            all.entry(repository).or_default().push(info);
        }
    }
    all
}

/// Whether an item tells how much room a repository has.
pub(super) fn is_space(item: &HealthItem) -> bool {
    item.id == SPACE
}

/// The repository that an item is about.
pub(super) fn repository_of(item: &HealthItem) -> &str {
    item.object
        .strip_prefix("repository ")
        .unwrap_or(&item.object)
}

/// A number of an item, where it is one.
pub(super) fn number(item: &HealthItem, name: &str) -> Option<u64> {
    u64::try_from(*item.numbers.get(name)?).ok()
}

/// In how long it is full, and how many bytes are free until then.
fn filled(space: &HealthItem) -> Option<(SignedDuration, u64)> {
    let days = i64::try_from(number(space, "full_in_days")?).ok()?;
    let full = SignedDuration::try_from_hours(days.checked_mul(24)?)?;
    Some((full, number(space, "free_bytes")?))
}

/// How much room is left, in a few words; nothing of a bucket, which has no end.
pub(super) fn left(space: &HealthItem) -> Option<String> {
    let (days, free) = (number(space, "full_in_days"), number(space, "free_bytes"));
    match (days, free) {
        (Some(days @ ..=365), _) => Some(format!("full in {days} d")),
        (_, Some(free)) => Some(format!("{} free", words::bytes(free))),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
