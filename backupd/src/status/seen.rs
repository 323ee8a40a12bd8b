//! What was last seen of a repository, and since when it cannot be seen.

use std::time::Duration;

use backup_core::{
    ops,
    repo::{Repository, kit_proof},
};
use backup_keys::kit::KitStanding;
use backup_model::{Code, End, Failure, GoodSnapshot, JobName, Selection, SnapshotInfo};
use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;

use crate::service::{Access, Place};

/// How often its objects are counted: that is a request for each thousand of them.
const COUNT_EVERY: SignedDuration = SignedDuration::from_hours(6);

/// A repository that has not answered by then counts as not to be read.
const PATIENCE: Duration = Duration::from_mins(2);

/// A repository, as it was when it was last looked at.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it was looked at, whatever came of that.
    pub at: Timestamp,
    /// Its snapshots, when it could last be read; nothing if it never could.
    pub snapshots: Option<Vec<GoodSnapshot>>,
    /// Whether it has records that are not to be believed.
    pub bad_records: bool,
    /// What its objects took up when they were last counted, in bytes, and when that was.
    pub stored: Option<(u64, Timestamp)>,
    /// How its recovery kit stands.
    pub kit: Option<KitStanding>,
    /// Why it cannot be read, and since when.
    pub unreadable: Option<(Failure, Timestamp)>,
}

impl Seen {
    /// The snapshots of a job.
    pub fn of(&self, job: &JobName) -> impl Iterator<Item = &GoodSnapshot> {
        let all = self.snapshots.iter().flatten();
        all.filter(move |it| it.snapshot.job == *job)
    }

    /// The newest snapshot of a job.
    pub fn newest(&self, job: &JobName) -> Option<&GoodSnapshot> {
        self.of(job).max_by_key(|it| it.snapshot.seq)
    }

    /// Another snapshot was made since.
    pub fn made(&mut self, snapshot: GoodSnapshot) {
        let known = self.of(&snapshot.snapshot.job);
        if known
            .map(|it| &it.snapshot)
            .all(|it| *it != snapshot.snapshot)
        {
            self.snapshots.get_or_insert_default().push(snapshot);
        }
    }
}

/// What a run made, if it is a snapshot.
fn snapshot(run: SnapshotInfo) -> Option<GoodSnapshot> {
    let complete = match run.end {
        End::Complete => true,
        End::Partial => false,
        _ => return None,
    };
    Some(GoodSnapshot {
        snapshot: run.snapshot,
        created: run.created,
        complete,
    })
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
        // A record that is not to be believed is no snapshot; `verify` says which it is.
        let bad_records = runs.iter().any(Result::is_err);
        let good = runs.into_iter().filter_map(Result::ok).filter_map(snapshot);
        Ok((good.collect(), bad_records, kit, repository))
    };
    let read = timeout(PATIENCE, read).await.unwrap_or_else(|_| {
        let text = format!("it did not answer within {} s", PATIENCE.as_secs());
        Err(Failure::new(Code::Store, text))
    });
    let counted = before.as_ref().and_then(|seen| seen.stored);
    match read {
        Ok((snapshots, bad_records, kit, repository)) => Seen {
            at: now,
            snapshots: Some(snapshots),
            bad_records,
            stored: count(&repository, counted, now).await,
            kit: Some(kit),
            unreadable: None,
        },
        Err(failure) => {
            let since = before.as_ref().and_then(|seen| seen.unreadable.as_ref());
            let since = since.map_or(now, |(_, since)| *since);
            Seen {
                at: now,
                unreadable: Some((failure, since)),
                bad_records: before.as_ref().is_some_and(|seen| seen.bad_records),
                stored: counted,
                snapshots: before.as_ref().and_then(|seen| seen.snapshots.clone()),
                kit: before.and_then(|seen| seen.kit),
            }
        }
    }
}

/// Counts anew, once in a while. A store that is slow to list is no worse to back up to: what was
/// counted before stays.
async fn count(
    repository: &Repository,
    before: Option<(u64, Timestamp)>,
    now: Timestamp,
) -> Option<(u64, Timestamp)> {
    let is_new = |at: Timestamp| now >= at && now.duration_since(at) < COUNT_EVERY;
    if before.is_some_and(|(_, at)| is_new(at)) {
        return before;
    }
    match timeout(PATIENCE, ops::stored_bytes(repository)).await {
        Ok(Ok(bytes)) => Some((bytes, now)),
        Ok(Err(_)) | Err(_) => before,
    }
}
