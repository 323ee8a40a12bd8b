//! Forget, hold, release: one record after another decides what is dead and what must not die.
//!
//! Forgetting creates the next forget, and only then deletes the records of what died: a reader
//! that misses a record finds it named. What only dead snapshots named goes with the next prune.

use backup_keys::SecretKey;
use backup_model::{Code, Failure, ForgetReport, HoldInfo, SnapshotName, Why};
use jiff::Timestamp;

use super::{OpError, list};
use crate::{
    format::{is_reason, layout},
    repo::{Dead, Forgotten, Repository},
    store::Deleted,
};

/// Forgets runs that have ended, for good. All of them, or none if one is held, has no end, or is
/// not there; those that are dead already do not matter. One whose record is damaged can be
/// forgotten too: as long as it lives, nothing can be pruned.
pub async fn forget(
    repository: &Repository,
    key: &SecretKey,
    names: &[SnapshotName],
    why: Why,
    now: Timestamp,
) -> Result<ForgetReport, OpError> {
    let kill = |mut forgotten: Forgotten| async move {
        let mut report = ForgetReport::default();
        for name in names {
            if forgotten.dead(&name.job, name.seq).is_some() {
                report.already.push(name.clone());
                continue;
            }
            let digest = repository.end_digest(name, &forgotten).await?;
            forgotten.kill(name, Dead { digest, why })?;
            report.forgotten.push(name.clone());
        }
        Ok((forgotten, report))
    };
    let mut report = repository.change_forgotten(key, now, kill).await?;
    for name in &report.forgotten {
        let record = layout::snapshot(&name.job, name.seq);
        let left = match repository.store().delete(&record).await {
            Ok(Deleted::Gone) => continue,
            Ok(Deleted::Retained) => {
                Failure::new(Code::Retained, format!("the store keeps {record}"))
            }
            Err(error) => Failure::from_error(error.code(), &error),
        };
        report.left.push(left);
    }
    Ok(report)
}

/// Makes sure that a snapshot is not forgotten. One that is held gets the new reason.
pub async fn hold(
    repository: &Repository,
    key: &SecretKey,
    name: &SnapshotName,
    reason: &str,
    now: Timestamp,
) -> Result<HoldInfo, OpError> {
    if !is_reason(reason) {
        let text = "a reason has 1 to 200 bytes and no control characters";
        return Err(OpError::Refused(Failure::new(Code::Usage, text)));
    }
    let hold = HoldInfo {
        snapshot: name.clone(),
        reason: reason.to_owned(),
        created: now,
    };
    let held = &hold;
    let add = |mut forgotten: Forgotten| async move {
        if let Some(dead) = forgotten.dead(&name.job, name.seq) {
            return Err(list::forgotten(name.clone(), dead));
        }
        repository.ended(name).await?.commit()?;
        forgotten.add_hold(held.clone());
        Ok((forgotten, ()))
    };
    repository.change_forgotten(key, now, add).await?;
    Ok(hold)
}

/// Lets a snapshot go again; says whether it was held.
pub async fn release(
    repository: &Repository,
    key: &SecretKey,
    name: &SnapshotName,
    now: Timestamp,
) -> Result<bool, OpError> {
    let remove = |mut forgotten: Forgotten| async move {
        let held = forgotten.remove_hold(name);
        Ok((forgotten, held))
    };
    let released = repository.change_forgotten(key, now, remove).await;
    released.map_err(OpError::from)
}
