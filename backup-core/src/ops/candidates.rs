//! Candidates: what is stored and named by nobody, and how much that is of what snapshots named.

use std::collections::{BTreeMap, HashSet};

use backup_model::{Amount, Digest};
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
    /// As many as one plan may have: refs first, of which there are few and by which the others are
    /// known.
    pub(super) candidates: Objects,
    /// Of the bytes in packs that snapshots name or named, how many per cent nobody names.
    pub(super) share_percent: u64,
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
        let share_percent = share_percent(repository, &survey, &candidates).await?;
        let mut room = MOST_CANDIDATES;
        for list in [
            &mut candidates.refs,
            &mut candidates.recipes,
            &mut candidates.packs,
        ] {
            list.truncate(room);
            room -= list.len();
        }
        Ok(Self {
            survey,
            candidates,
            share_percent,
        })
    }
}

/// What dead snapshots named is known by their refs, as long as these are there. What an earlier
/// prune was to delete and the store keeps is not counted once more.
async fn share_percent(
    repository: &Repository,
    survey: &Survey,
    candidates: &Objects,
) -> Result<u64, OpError> {
    let mut once: HashSet<Digest> = HashSet::new();
    for refs in &candidates.refs {
        if let Some(refs) = read_refs(repository, &refs.0).await? {
            once.extend(refs.packs.iter().map(|pack| pack.0));
        }
    }
    let doomed = repository.doomed().await?;
    let goes = candidates.packs.iter();
    let goes = goes.filter(|pack| once.contains(&pack.0) && !doomed.names_pack(&pack.0));
    let mut amount = Amount::default();
    goes.for_each(|pack| amount.add(pack.1));
    let whole = amount.and(survey.named_packs());
    let share = u128::from(amount.bytes) * 100;
    let share = share.checked_div(u128::from(whole.bytes)).unwrap_or(0);
    Ok(u64::try_from(share).unwrap_or(100))
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
