//! Candidates: what is stored and named by nobody, and how much that is of what snapshots named.

use std::collections::BTreeMap;

use backup_model::Digest;
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    survey::{Named, Survey, survey},
};
use crate::{
    format::{Objects, SizedDigest, layout},
    repo::{Repository, parse_refs_object},
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
        let mut once: BTreeMap<Digest, u64> = BTreeMap::new();
        for refs in &self.candidates.refs {
            let bytes = repository.store().find(&layout::refs(&refs.0)).await?;
            // Refs that do not read are of nobody.
            if let Some(refs) = bytes.and_then(|bytes| parse_refs_object(&bytes)) {
                once.extend(refs.packs.iter().map(|pack| (pack.0, pack.1)));
            }
        }
        let goes = self.candidates.packs.iter();
        let goes: u64 = goes
            .filter(|pack| once.contains_key(&pack.0))
            .map(|pack| pack.1)
            .sum();
        let stays: u64 = self.survey.named.packs.values().sum();
        Ok((goes * 100).checked_div(goes + stays).unwrap_or(0))
    }
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
