//! Candidates: what is stored and named by nobody, and how much that is of what snapshots named.

use std::collections::{BTreeMap, HashSet};

use backup_model::Digest;
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    survey::{Named, Survey, survey},
};
use crate::{
    format::{Objects, Refs, SizedDigest, layout},
    repo::{RepoError, Repository, parse_refs_object},
    store::Store,
};

/// A plan has no more candidates, so that its record stays within the format's limit.
const MOST_CANDIDATES: usize = 500_000;

/// What there is, and what of it nobody names.
pub(super) struct Look {
    pub(super) survey: Survey,
    pub(super) candidates: Objects,
}

impl Look {
    /// Objects are listed before records are read: what is stored between is of a run that this
    /// look cannot know of, and is left out.
    pub(super) async fn take(
        repository: &Repository,
        cancel: &CancellationToken,
    ) -> Result<Self, OpError> {
        let stored = stored(repository.store()).await?;
        let survey = survey(repository, cancel).await?.sound()?;
        let mut candidates = survey.named.unnamed_of(&stored);
        let mut room = MOST_CANDIDATES;
        for list in [
            &mut candidates.packs,
            &mut candidates.recipes,
            &mut candidates.refs,
        ] {
            list.truncate(room);
            room -= list.len();
        }
        Ok(Self { survey, candidates })
    }

    /// Of the bytes in packs that snapshots name or named, how many per cent are candidates. What
    /// dead snapshots named is known by their refs, as long as these are there.
    pub(super) async fn share_percent(&self, repository: &Repository) -> Result<u64, OpError> {
        let mut once: HashSet<Digest> = HashSet::new();
        for refs in &self.candidates.refs {
            if let Some(refs) = read_refs(repository, &refs.0).await? {
                once.extend(refs.packs.iter().map(|pack| pack.0));
            }
        }
        let goes = self.candidates.packs.iter();
        let goes = goes.filter(|pack| once.contains(&pack.0));
        let goes: u64 = goes.map(|pack| pack.1).sum();
        let stays: u64 = self.survey.named.packs.values().sum();
        Ok((goes * 100).checked_div(goes + stays).unwrap_or(0))
    }
}

/// Makes sure that no listing has hidden a snapshot: the refs that nobody seems to name say whose
/// they are, and the end of that run is asked for by name. For the second look only: at the first,
/// a run may just have committed.
pub(super) async fn check_unclaimed(
    repository: &Repository,
    survey: &Survey,
    objects: &Objects,
) -> Result<(), OpError> {
    for object in &objects.refs {
        let Some(Refs { head, .. }) = read_refs(repository, &object.0).await? else {
            continue;
        };
        if head.repository != repository.id()
            || survey.forgotten.dead(&head.job, head.seq).is_some()
        {
            continue;
        }
        let end = repository.run_end(&head.job, head.seq).await?;
        let commit = end.as_ref().and_then(|end| end.commit().ok());
        if commit.is_some_and(|commit| commit.refs.sha256 == object.0) {
            let key = layout::snapshot(&head.job, head.seq);
            return Err(RepoError::Unlisted(key).into());
        }
    }
    Ok(())
}

/// Refs of whomever they are; none if they do not read or are gone.
async fn read_refs(repository: &Repository, digest: &Digest) -> Result<Option<Refs>, OpError> {
    let bytes = repository.store().find(&layout::refs(digest)).await?;
    Ok(bytes.and_then(|bytes| parse_refs_object(&bytes)))
}

impl Named {
    /// Those of the objects that nobody names.
    pub(super) fn unnamed_of(&self, objects: &Objects) -> Objects {
        let unnamed = |objects: &[SizedDigest], named: &BTreeMap<Digest, u64>| {
            let objects = objects.iter().copied();
            objects
                .filter(|object| !named.contains_key(&object.0))
                .collect()
        };
        Objects {
            packs: unnamed(&objects.packs, &self.packs),
            recipes: unnamed(&objects.recipes, &self.recipes),
            refs: unnamed(&objects.refs, &self.refs),
        }
    }
}

/// The packs, recipes and refs that are stored.
pub(super) async fn stored(store: &Store) -> Result<Objects, OpError> {
    let list = async |folder, parse: fn(&str) -> Option<Digest>| {
        let listed = store.list(folder).await?;
        let objects = listed.iter();
        let mut objects: Vec<SizedDigest> = objects
            .filter_map(|object| Some(SizedDigest(parse(&object.key)?, object.size)))
            .collect();
        objects.sort_unstable();
        Ok::<_, OpError>(objects)
    };
    Ok(Objects {
        packs: list(layout::PACKS, layout::parse_pack).await?,
        recipes: list(layout::RECIPES, layout::parse_recipe).await?,
        refs: list(layout::REFS, layout::parse_refs).await?,
    })
}
