//! What was last seen of a repository, and since when it cannot be seen.

use std::time::Duration;

use backup_core::{ops, repo::kit_proof};
use backup_keys::kit::KitStanding;
use backup_model::{Code, End, Failure, GoodSnapshot, JobName, Selection, SnapshotInfo};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::service::{Access, Place};

/// A repository that has not answered by then counts as not to be read.
const PATIENCE: Duration = Duration::from_mins(2);

/// A repository, as it was when it was last looked at.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it was looked at, whatever came of that.
    pub at: Timestamp,
    /// Its snapshots, when it could last be read; nothing if it never could.
    pub snapshots: Option<Vec<SnapshotInfo>>,
    /// How its recovery kit stands.
    pub kit: Option<KitStanding>,
    /// Why it cannot be read, and since when.
    pub unreadable: Option<(Failure, Timestamp)>,
}

impl Seen {
    /// The snapshots of a job with the times when they were made, oldest first.
    pub fn of(&self, job: &JobName) -> impl Iterator<Item = &SnapshotInfo> {
        let all = self.snapshots.iter().flatten();
        all.filter(move |info| info.snapshot.job == *job && is_snapshot(info.end))
    }

    /// The newest snapshot of a job.
    pub fn newest(&self, job: &JobName) -> Option<GoodSnapshot> {
        let newest = self.of(job).max_by_key(|info| info.snapshot.seq)?;
        Some(GoodSnapshot {
            snapshot: newest.snapshot.clone(),
            created: newest.created,
            complete: newest.end == End::Complete,
        })
    }
}

fn is_snapshot(end: End) -> bool {
    matches!(end, End::Complete | End::Partial)
}

/// Looks at a repository. What was seen before is kept where nothing can be seen now.
pub async fn look(access: &Access, place: &Place, before: Option<Seen>, now: Timestamp) -> Seen {
    let read = async {
        let repository = access.open(place).await?;
        let runs = ops::list(&repository, &Selection::All).await;
        let runs = runs.map_err(|error| error.to_failure())?;
        let proof = kit_proof(&access.state, repository.id())
            .map_err(|error| Failure::from_error(error.code(), &error))?;
        let location = place.url.shown();
        let kit = KitStanding::of(proof.as_ref(), repository.trust(), &location, now);
        // A record that is not to be believed is no snapshot; `verify` says what is wrong with it.
        Ok((runs.into_iter().filter_map(Result::ok).collect(), kit))
    };
    let read = timeout(PATIENCE, read).await.unwrap_or_else(|_| {
        let text = format!("it did not answer within {} s", PATIENCE.as_secs());
        Err(Failure::new(Code::Store, text))
    });
    match read {
        Ok((snapshots, kit)) => Seen {
            at: now,
            snapshots: Some(snapshots),
            kit: Some(kit),
            unreadable: None,
        },
        Err(failure) => {
            let since = before.as_ref().and_then(|seen| seen.unreadable.as_ref());
            let since = since.map_or(now, |(_, since)| *since);
            Seen {
                at: now,
                unreadable: Some((failure, since)),
                snapshots: before.as_ref().and_then(|seen| seen.snapshots.clone()),
                kit: before.and_then(|seen| seen.kit),
            }
        }
    }
}
