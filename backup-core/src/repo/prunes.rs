//! The records of prunes, read for those who must not build on what they delete, and written for
//! those who prune.
//!
//! A prune is a generation: plan, final, done, each created once. The next one is only begun when
//! the newest is done, so generations have no gap and at most the last one is unfinished. Whoever
//! comes to an unfinished one takes it up: its final is adopted if there is one, and what it says
//! is deleted, no matter who wrote it.

use std::collections::HashSet;

use backup_keys::{PrunePart, Record, RecordKind, SecretKey, Writer};
use backup_model::Digest;
use bytes::Bytes;
use futures::{StreamExt as _, stream};

use super::{RepoError, Repository, open::invalid, sign::sign};
use crate::{
    format::{Done, Final, Objects, Pin, Plan, Refs, layout},
    store::Put,
};

/// Generations are read side by side, this many at once.
const FETCHES: usize = 16;

/// An unfinished prune.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) plan: Plan,
    pub(crate) plan_digest: Digest,
    /// What is deleted, once that is decided.
    pub(crate) last: Option<(Final, Digest)>,
}

/// The newest prune.
#[derive(Clone, Debug)]
pub(crate) enum NewestPrune {
    /// It is unfinished.
    Begun(Box<Begun>),
    /// This one is done; 0 if there never was one.
    Done(u64),
}

/// What prunes may delete, or have.
#[derive(Debug, Default)]
pub(crate) struct Doomed {
    packs: HashSet<Digest>,
    recipes: HashSet<Digest>,
    refs: HashSet<Digest>,
    /// A prune whose records cannot be read: then anything may be gone.
    unknown: Option<RepoError>,
}

impl Doomed {
    /// Whether a pack may be deleted, or has been.
    pub(crate) fn has_pack(&self, pack: &Digest) -> bool {
        self.unknown.is_some() || self.names_pack(pack)
    }

    /// Whether a record that can be read names a pack.
    pub(crate) fn names_pack(&self, pack: &Digest) -> bool {
        self.packs.contains(pack)
    }

    /// Why nobody knows what is doomed, if so.
    pub(crate) fn unknown(&self) -> Option<&RepoError> {
        self.unknown.as_ref()
    }

    /// Whether nothing of a snapshot is doomed.
    pub(super) fn spares(&self, pin: &Pin, refs: &Refs) -> bool {
        self.unknown.is_none()
            && !self.recipes.contains(&pin.recipe.sha256)
            && !self.refs.contains(&pin.refs.sha256)
            && !refs.packs.iter().any(|pack| self.packs.contains(&pack.0))
    }

    /// Adds what a generation names. Only a store that fails is an error.
    fn take(&mut self, generation: Result<Generation, RepoError>) -> Result<(), RepoError> {
        match generation {
            Ok(Generation::Begun(begun)) => self.add(&begun.plan.candidates),
            Ok(Generation::Done(last)) => self.add(&last.delete),
            Err(RepoError::Store(error)) => return Err(error.into()),
            Err(error) => self.unknown = Some(error),
        }
        Ok(())
    }

    fn add(&mut self, objects: &Objects) {
        self.packs.extend(objects.packs.iter().map(|pack| pack.0));
        let recipes = objects.recipes.iter().map(|recipe| recipe.0);
        self.recipes.extend(recipes);
        self.refs.extend(objects.refs.iter().map(|refs| refs.0));
    }
}

/// What is there of one generation.
enum Generation {
    Begun(Box<Begun>),
    Done(Box<Final>),
}

impl Repository {
    /// What prunes may delete, or have. The candidates of a plan are out of bounds until it is
    /// done, what a final names for ever: a delete that comes late must not hit anything that is
    /// named again.
    pub(crate) async fn doomed(&self) -> Result<Doomed, RepoError> {
        let mut read = stream::iter(1..=self.newest_listed().await?)
            .map(|number| self.generation(number))
            .buffered(FETCHES);
        let mut doomed = Doomed::default();
        let mut number = 0;
        while let Some(generation) = read.next().await {
            number += 1;
            let missing = || RepoError::RecordMissing(layout::plan(number));
            doomed.take(generation.and_then(|found| found.ok_or_else(missing)))?;
            if doomed.unknown.is_some() {
                // There is nothing more to know.
                return Ok(doomed);
            }
        }
        drop(read);
        // A listing may be late; what it does not have yet is asked for by name.
        loop {
            number += 1;
            match self.generation(number).await {
                Ok(None) => break,
                Ok(Some(generation)) => doomed.take(Ok(generation))?,
                Err(error) => {
                    doomed.take(Err(error))?;
                    return Ok(doomed);
                }
            }
        }
        if let Err(error) = self.reaches_pinned(number - 1) {
            doomed.take(Err(error))?;
        }
        Ok(doomed)
    }

    /// That the newest prune is none before the one that was there when a maintainer was removed.
    fn reaches_pinned(&self, newest: u64) -> Result<(), RepoError> {
        match self.trust().pinned_prune() {
            Some(pinned) if newest < pinned.generation => {
                Err(RepoError::RecordMissing(layout::plan(pinned.generation)))
            }
            _ => Ok(()),
        }
    }

    /// The newest prune. All before it are done, else it would not have begun.
    pub(crate) async fn newest_prune(&self) -> Result<NewestPrune, RepoError> {
        let mut number = self.newest_listed().await?;
        let mut newest = if number == 0 {
            None
        } else {
            let missing = || RepoError::RecordMissing(layout::plan(number));
            Some(self.generation(number).await?.ok_or_else(missing)?)
        };
        while let Some(next) = self.generation(number + 1).await? {
            number += 1;
            newest = Some(next);
        }
        self.reaches_pinned(number)?;
        Ok(match newest {
            Some(Generation::Begun(begun)) => NewestPrune::Begun(begun),
            Some(Generation::Done(_)) | None => NewestPrune::Done(number),
        })
    }

    /// The highest generation that is listed; 0 if none is.
    async fn newest_listed(&self) -> Result<u64, RepoError> {
        let listed = self.store().list(layout::PRUNE).await?;
        let listed = listed.iter().filter_map(|o| layout::parse_prune(&o.key));
        Ok(listed.max().unwrap_or(0))
    }

    /// Creates the plan of a prune; false if somebody else did.
    pub(crate) async fn create_plan(
        &self,
        key: &SecretKey,
        plan: &Plan,
    ) -> Result<bool, RepoError> {
        let object = layout::plan(plan.generation);
        self.create_prune_record(key, &object, plan).await
    }

    /// Creates the final of a prune; false if somebody else did.
    pub(crate) async fn create_final(
        &self,
        key: &SecretKey,
        last: &Final,
    ) -> Result<bool, RepoError> {
        let object = layout::final_(last.generation);
        self.create_prune_record(key, &object, last).await
    }

    /// Says that a prune is done. Whoever says it first, it is.
    pub(crate) async fn create_done(&self, key: &SecretKey, done: &Done) -> Result<(), RepoError> {
        let object = layout::done(done.generation);
        self.create_prune_record(key, &object, done).await.map(drop)
    }

    async fn create_prune_record<T: RecordKind>(
        &self,
        key: &SecretKey,
        object: &str,
        record: &T,
    ) -> Result<bool, RepoError> {
        let bytes = Bytes::from(sign(record, self.id(), object, key)?);
        // What a reader would refuse must not be stored.
        Record::parse_list(&bytes, self.id(), object).map_err(|source| invalid(object, source))?;
        self.trust_is_newest().await?;
        let put = self.store().put_deciding(object, bytes).await?;
        Ok(put == Put::Stored)
    }

    /// Reads one generation: `done` before the others, since what is read as not done may be
    /// done a moment later, and the other way round would lose a final in between.
    async fn generation(&self, generation: u64) -> Result<Option<Generation>, RepoError> {
        let done: Option<(Done, Digest)> = self.prune_record(generation, PrunePart::Done).await?;
        let plan = || self.prune_record::<Plan>(generation, PrunePart::Plan);
        let found = plan().await?;
        let last: Option<(Final, Digest)> = self.prune_record(generation, PrunePart::Final).await?;
        let found = match found {
            // The plan may have come between the two looks.
            None if last.is_some() => plan().await?,
            found => found,
        };
        let Some((plan, plan_digest)) = found else {
            return if done.is_some() || last.is_some() {
                Err(RepoError::RecordMissing(layout::plan(generation)))
            } else {
                Ok(None)
            };
        };
        let here = |key: &str, repository, number| {
            if (repository, number) == (self.id(), generation) {
                return Ok(());
            }
            Err(RepoError::rule(key, "it is the record of another place"))
        };
        let key = layout::plan(generation);
        here(&key, plan.repository, plan.generation)?;
        if let Some(rule) = plan.broken_rule() {
            return Err(RepoError::rule(&key, rule));
        }
        if let Some((last, _)) = &last {
            let key = layout::final_(generation);
            here(&key, last.repository, last.generation)?;
            if let Some(rule) = last.broken_rule(&plan, plan_digest) {
                return Err(RepoError::rule(&key, rule));
            }
        }
        let Some((done, _)) = done else {
            let begun = Begun {
                plan,
                plan_digest,
                last,
            };
            return Ok(Some(Generation::Begun(Box::new(begun))));
        };
        let key = layout::done(generation);
        here(&key, done.repository, done.generation)?;
        let Some((last, digest)) = last else {
            return Err(RepoError::RecordMissing(layout::final_(generation)));
        };
        if done.r#final != digest {
            return Err(RepoError::rule(&key, "it belongs to another final"));
        }
        Ok(Some(Generation::Done(Box::new(last))))
    }

    pub(super) async fn prune_record<T: RecordKind>(
        &self,
        generation: u64,
        part: PrunePart,
    ) -> Result<Option<(T, Digest)>, RepoError> {
        let key = match part {
            PrunePart::Plan => layout::plan(generation),
            PrunePart::Final => layout::final_(generation),
            PrunePart::Done => layout::done(generation),
        };
        let Some(bytes) = self.store().find(&key).await? else {
            return Ok(None);
        };
        let signed =
            Record::parse_list(&bytes, self.id(), &key).map_err(|source| invalid(&key, source))?;
        let counts = |writer: &Writer| writer.prune_counts(generation, part, signed.digest());
        let record = signed
            .open(self.maintainer(&signed, &key, counts)?)
            .map_err(|source| invalid(&key, source))?;
        Ok(Some((record, signed.digest())))
    }
}
