//! Prune: delete what no snapshot names, without a key that opens anything, while others work.
//!
//! In two phases. A plan names candidates: writers that begin after it leave them alone. Runs that
//! began before it are waited for, and those that are past their limit are ended by a fence. Then
//! everything is looked at again, and what still nobody names is final: that and nothing else is
//! deleted, by whoever comes. One activation goes as far as it can without waiting; the next one,
//! of anybody with the role, takes the prune up where it is.

use std::time::Instant;

use backup_keys::SecretKey;
use backup_model::{
    Amount, Digest, Event, OpenRun, Phase, Progress, PrunePlan, PruneReport, PruneState,
    SnapshotName,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{
    Clock, OpError,
    candidates::{Look, check_unclaimed},
    survey::survey,
};
use crate::{
    format::{Done, Final, Objects, Plan, layout},
    repo::{Begun, Host, JobLock, NewestPrune, Outcome, Repository, Unended, end_unended},
    store::{Deleted, store_time},
};

/// More than so many per cent of what snapshots named must not go unasked.
const LARGE_PERCENT: u64 = 30;
/// What clocks may differ by.
const SKEW: SignedDuration = SignedDuration::from_mins(10);
/// Objects are deleted side by side, this many at once.
const DELETES: usize = 16;

/// How to prune.
#[derive(Clone, Copy, Debug)]
pub struct PruneOptions {
    /// How long a plan stands before anything is deleted, by the store's clock: a window for
    /// second thoughts. No safety rests on it.
    pub grace_secs: u64,
    /// Somebody said yes to a plan that takes much.
    pub allow_large: bool,
}

/// Says what a prune would do now. Nothing is deleted; where snapshots are being read, the store is
/// asked for its time, which takes a put.
pub async fn plan_prune(
    repository: &Repository,
    cancel: &CancellationToken,
) -> Result<PrunePlan, OpError> {
    let (generation, begun) = match repository.newest_prune().await? {
        NewestPrune::Begun(begun) => (begun.plan.generation, Some(begun)),
        NewestPrune::Done(generation) => (generation + 1, None),
    };
    let looked = Look::take(repository, cancel).await?;
    let objects = match &begun {
        None => looked.candidates.clone(),
        Some(begun) => match &begun.last {
            None => looked.survey.named.unnamed_of(&begun.plan.candidates),
            Some((last, _)) => last.delete.clone(),
        },
    };
    let share_percent = looked.share_percent;
    let open = looked.survey.open.iter().map(open_run).collect();
    Ok(PrunePlan {
        generation,
        begun: begun.is_some(),
        packs: objects.pack_amount(),
        lists: objects.list_amount(),
        snapshots: looked.survey.living.len() as u64,
        kept: looked.survey.named_packs(),
        open,
        pinned: looked.survey.pinned.iter().cloned().collect(),
        share_percent,
        needs_confirmation: begun.is_none() && share_percent > LARGE_PERCENT,
    })
}

/// Prunes as far as can be done now. Where the store does not keep writers apart, `host` must be
/// the one that writes here, and none of its jobs may run.
pub async fn prune(
    repository: &Repository,
    key: &SecretKey,
    host: Option<&Host>,
    options: PruneOptions,
    clock: Clock,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<PruneReport, OpError> {
    repository.may_maintain(key)?;
    let locks = hold_jobs_still(repository, host).await?;
    let pruner = Pruner {
        repository,
        key,
        locks: &locks,
        options,
        clock,
        progress,
        cancel,
        started: Instant::now(),
    };
    let (before, begun) = match repository.newest_prune().await? {
        NewestPrune::Begun(begun) => (begun.plan.generation, Some(begun)),
        NewestPrune::Done(before) => (before, pruner.begin(before + 1).await?),
    };
    if let Some(begun) = begun {
        return pruner.finish(*begun).await;
    }
    pruner.tidy().await?;
    Ok(pruner.report(before, &Objects::default(), PruneState::Nothing))
}

/// Somebody who prunes.
struct Pruner<'a> {
    repository: &'a Repository,
    key: &'a SecretKey,
    /// Of the jobs of which it is known that nobody works on them.
    locks: &'a [JobLock],
    options: PruneOptions,
    clock: Clock,
    progress: &'a dyn Progress,
    cancel: &'a CancellationToken,
    started: Instant,
}

impl Pruner<'_> {
    /// Creates a plan, unless there is nothing to delete. If somebody else creates one of the same
    /// generation first, theirs it is.
    async fn begin(&self, generation: u64) -> Result<Option<Box<Begun>>, OpError> {
        let looked = Look::take(self.repository, self.cancel).await?;
        if looked.candidates.is_empty() {
            return Ok(None);
        }
        let share_percent = looked.share_percent;
        if share_percent > LARGE_PERCENT && !self.options.allow_large {
            return Err(OpError::LargePrune { share_percent });
        }
        let plan = Plan {
            repository: self.repository.id(),
            generation,
            created: (self.clock)(),
            candidates: looked.candidates,
        };
        self.repository.create_plan(self.key, &plan).await?;
        self.unfinished(generation).await
    }

    /// What is stored of a generation, by us or by somebody else; none if it is done meanwhile.
    async fn unfinished(&self, generation: u64) -> Result<Option<Box<Begun>>, OpError> {
        match self.repository.newest_prune().await? {
            NewestPrune::Begun(begun) if begun.plan.generation == generation => Ok(Some(begun)),
            NewestPrune::Begun(_) | NewestPrune::Done(_) => Ok(None),
        }
    }

    /// From a plan to its end, or to what must be waited for.
    async fn finish(&self, begun: Begun) -> Result<PruneReport, OpError> {
        let generation = begun.plan.generation;
        let mut fenced = Vec::new();
        let last = if let Some(last) = begun.last {
            Some(last)
        } else {
            if let Some(state) = self.not_yet(&begun.plan, &mut fenced).await? {
                let mut report = self.report(generation, &begun.plan.candidates, state);
                report.fenced = fenced;
                return Ok(report);
            }
            self.decide(&begun.plan, begun.plan_digest).await?
        };
        let Some((last, digest)) = last else {
            // Somebody else has finished it meanwhile.
            return Ok(self.report(generation, &Objects::default(), PruneState::Done));
        };
        let retained = self.delete(&last.delete).await?;
        self.tidy().await?;
        let done = Done {
            repository: self.repository.id(),
            generation,
            r#final: digest,
            created: (self.clock)(),
            retained: retained.objects,
        };
        self.repository.create_done(self.key, &done).await?;
        let mut report = self.report(generation, &last.delete, PruneState::Done);
        report.retained = retained;
        report.fenced = fenced;
        Ok(report)
    }

    /// What a plan still has to wait for.
    async fn not_yet(
        &self,
        plan: &Plan,
        fenced: &mut Vec<SnapshotName>,
    ) -> Result<Option<PruneState>, OpError> {
        let store = self.repository.store();
        let planned = store.modified(&layout::plan(plan.generation)).await?;
        let planned = planned.unwrap_or(Timestamp::MAX);
        let runs = self.wait(planned.max(plan.created), fenced).await?;
        if runs.is_empty() {
            return self.grace(planned).await;
        }
        Ok(Some(PruneState::Waiting { runs }))
    }

    /// The runs that began before the plan and go on. Those past their limit are ended. One whose
    /// session was stored after the plan has read it. A clock may be wrong, so that is believed only
    /// where the store's and the writer's say so, and both by far.
    async fn wait(
        &self,
        planned: Timestamp,
        fenced: &mut Vec<SnapshotName>,
    ) -> Result<Vec<OpenRun>, OpError> {
        let surely_after = planned.checked_add(SKEW).unwrap_or(Timestamp::MAX);
        let mut open = Vec::new();
        for run in self.repository.unended_runs().await? {
            if run.fault().is_none() && run.stored().min(run.began()) > surely_after {
                continue;
            }
            let now = (self.clock)();
            let mut locks = self.locks.iter();
            let has_lock = locks.any(|lock| *lock.job() == run.name().job);
            match end_unended(self.repository, self.key, &run, has_lock, now).await? {
                Outcome::Goes => open.push(open_run(&run)),
                Outcome::EndedByUs => fenced.push(run.name().clone()),
                Outcome::Ended => {}
            }
        }
        Ok(open)
    }

    /// The window for second thoughts, while it is open.
    async fn grace(&self, planned: Timestamp) -> Result<Option<PruneState>, OpError> {
        if self.options.grace_secs == 0 {
            return Ok(None);
        }
        let grace = i64::try_from(self.options.grace_secs).unwrap_or(i64::MAX);
        let until = planned
            .checked_add(SignedDuration::from_secs(grace))
            .unwrap_or(Timestamp::MAX);
        let over = store_time(self.repository.store()).await? >= until;
        Ok((!over).then_some(PruneState::Grace { until }))
    }

    /// The second look: what still nobody names is final. If somebody else decides first, that
    /// counts; none if it is done already.
    async fn decide(
        &self,
        plan: &Plan,
        plan_digest: Digest,
    ) -> Result<Option<(Final, Digest)>, OpError> {
        let survey = survey(self.repository, self.cancel).await?.sound()?;
        let delete = survey.named.unnamed_of(&plan.candidates);
        check_unclaimed(self.repository, &survey, &delete).await?;
        let last = Final {
            repository: self.repository.id(),
            generation: plan.generation,
            plan: plan_digest,
            created: (self.clock)(),
            delete,
        };
        self.repository.create_final(self.key, &last).await?;
        let stored = self.unfinished(plan.generation).await?;
        Ok(stored.and_then(|begun| begun.last))
    }

    /// Deletes what a final names; gives what the store keeps.
    async fn delete(&self, objects: &Objects) -> Result<Amount, OpError> {
        let object = "prune".to_owned();
        let total = objects.pack_amount().and(objects.list_amount());
        self.progress.event(Event::Began {
            phase: Phase::Delete,
            object: object.clone(),
            total_bytes: Some(total.bytes),
        });
        let store = self.repository.store();
        let mut deletes = stream::iter(keys(objects))
            .map(|(key, size)| async move { Ok::<_, OpError>((store.delete(&key).await?, size)) })
            .buffer_unordered(DELETES);
        let mut retained = Amount::default();
        let mut done_bytes = 0;
        while let Some((deleted, size)) = deletes.try_next().await? {
            if self.cancel.is_cancelled() {
                return Err(OpError::Cancelled);
            }
            if deleted == Deleted::Retained {
                retained.add(size);
            }
            done_bytes += size;
            self.progress.event(Event::Advanced {
                object: object.clone(),
                done_bytes,
                stored_bytes: 0,
            });
        }
        self.progress.event(Event::Ended { object });
        Ok(retained)
    }

    /// What dead runs left, and pins whose time is over.
    async fn tidy(&self) -> Result<(), OpError> {
        let store = self.repository.store();
        let forgotten = self.repository.forgotten().await?;
        for folder in [layout::SESSIONS, layout::SNAPSHOTS] {
            for object in store.list(folder).await? {
                let run = layout::parse_run(folder, &object.key);
                if run.is_some_and(|(job, seq)| forgotten.dead(&job, seq).is_some()) {
                    store.delete(&object.key).await?;
                }
            }
        }
        let pins = self.repository.pins().await?;
        if pins.is_empty() {
            return Ok(());
        }
        let now = store_time(store).await?;
        for pin in pins.iter().filter(|pin| pin.until < now) {
            store.delete(&layout::pin(&pin.id)).await?;
        }
        Ok(())
    }

    fn report(&self, generation: u64, objects: &Objects, progress: PruneState) -> PruneReport {
        PruneReport {
            generation,
            progress,
            packs: objects.pack_amount(),
            lists: objects.list_amount(),
            retained: Amount::default(),
            fenced: Vec::new(),
            took_secs: self.started.elapsed().as_secs_f64(),
        }
    }
}

fn keys(objects: &Objects) -> Vec<(String, u64)> {
    let packs = objects.packs.iter().map(|o| (layout::pack(&o.0), o.1));
    let recipes = objects.recipes.iter().map(|o| (layout::recipe(&o.0), o.1));
    let refs = objects.refs.iter().map(|o| (layout::refs(&o.0), o.1));
    packs.chain(recipes).chain(refs).collect()
}

pub(super) fn open_run(run: &Unended) -> OpenRun {
    OpenRun {
        run: run.name().clone(),
        began: run.began(),
        limit: run.limit(),
    }
}

/// Where nothing else keeps a run from beginning, the locks of this host's jobs do.
async fn hold_jobs_still(
    repository: &Repository,
    host: Option<&Host>,
) -> Result<Vec<JobLock>, OpError> {
    if repository.store().is_conditional() {
        return Ok(Vec::new());
    }
    let host = host.ok_or(OpError::PruneElsewhere)?;
    let mut locks = Vec::new();
    for job in repository.jobs().await? {
        locks.push(host.lock(&job)?);
    }
    Ok(locks)
}
