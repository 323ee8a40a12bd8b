//! Reading what a commit names: recipe and refs, checked against the commit and each other's
//! rules.

use backup_keys::Identity;
use backup_model::{Digest, JobName, Seq, SnapshotName};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{RepoError, Repository};
use crate::{
    codec::decompress_frame,
    crypt,
    format::{Commit, ObjectRef, Pin, Recipe, Refs, layout},
    store::{SizedObject, Store},
};

/// A recipe does not decompress to more.
const MAX_RECIPE: u64 = 1 << 30;
/// Refs do not decompress to more.
const MAX_REFS: u64 = 256 << 20;

/// A recipe is not stored in more.
const MAX_RECIPE_STORED: u64 = 256 << 20;
/// Refs are not stored in more.
const MAX_REFS_STORED: u64 = 64 << 20;

/// Reads the recipe of a commit with its epoch's identity.
pub async fn load_recipe(
    repository: &Repository,
    commit: &Commit,
    epoch: &Identity,
) -> Result<Recipe, RepoError> {
    let key = layout::recipe(&commit.recipe.sha256);
    let bytes = fetch(repository, &key, commit.recipe, MAX_RECIPE_STORED).await?;
    let sealed = crypt::open(&bytes, epoch.as_age()).map_err(|source| RepoError::Decrypt {
        key: key.clone(),
        source,
    })?;
    let text = decompress_frame(&sealed, MAX_RECIPE).map_err(|source| RepoError::Decompress {
        key: key.clone(),
        source,
    })?;
    let recipe = Recipe::parse(&text).map_err(|source| RepoError::Lines {
        key: key.clone(),
        source,
    })?;
    let head = &recipe.head;
    let named = (head.repository, &head.job, head.seq, head.nonce, head.epoch);
    if named
        != (
            commit.repository,
            &commit.job,
            commit.seq,
            commit.nonce,
            commit.epoch,
        )
    {
        return Err(other_run(&key, "it is the recipe", &commit.job, commit.seq));
    }
    Ok(recipe)
}

/// Reads the refs of a commit.
pub async fn load_refs(repository: &Repository, commit: &Commit) -> Result<Refs, RepoError> {
    let refs = read_refs(repository, commit.refs, (&commit.job, commit.seq)).await?;
    let key = layout::refs(&commit.refs.sha256);
    if refs.head.nonce != commit.nonce {
        return Err(other_run(
            &key,
            "they are the refs",
            &commit.job,
            commit.seq,
        ));
    }
    let stored = refs.packs.iter().map(|pack| pack.1).sum::<u64>();
    if (refs.packs.len() as u64, stored) != (commit.packs, commit.bytes) {
        return Err(RepoError::rule(&key, "they disagree with the commit"));
    }
    Ok(refs)
}

/// Reads the refs that a pin names: the commit may be gone.
pub(crate) async fn load_pinned_refs(
    repository: &Repository,
    pin: &Pin,
) -> Result<Refs, RepoError> {
    read_refs(repository, pin.refs, (&pin.job, pin.seq)).await
}

/// Refs as they are stored, of whomever they are; `None` if they are none.
pub(crate) fn parse_refs_object(bytes: &[u8]) -> Option<Refs> {
    let text = decompress_frame(bytes, MAX_REFS).ok()?;
    Refs::parse(&text).ok()
}

async fn read_refs(
    repository: &Repository,
    object: ObjectRef,
    run: (&JobName, Seq),
) -> Result<Refs, RepoError> {
    let key = layout::refs(&object.sha256);
    let bytes = fetch(repository, &key, object, MAX_REFS_STORED).await?;
    let text = decompress_frame(&bytes, MAX_REFS).map_err(|source| RepoError::Decompress {
        key: key.clone(),
        source,
    })?;
    let refs = Refs::parse(&text).map_err(|source| RepoError::Lines {
        key: key.clone(),
        source,
    })?;
    let head = &refs.head;
    if (head.repository, (&head.job, head.seq)) != (repository.id(), run) {
        return Err(other_run(&key, "they are the refs", run.0, run.1));
    }
    Ok(refs)
}

/// What a run names is another one's. The object is whole and innocent, so the run is told too.
fn other_run(key: &str, what: &str, job: &JobName, seq: Seq) -> RepoError {
    let run = SnapshotName {
        job: job.clone(),
        seq,
    };
    RepoError::rule(key, format!("{what} of another run than {run}"))
}

/// Reads an object that a record names, and compares size and digest.
async fn fetch(
    repository: &Repository,
    key: &str,
    expected: ObjectRef,
    limit: u64,
) -> Result<Bytes, RepoError> {
    if expected.size > limit {
        return Err(RepoError::rule(key, "it is over the format's limits"));
    }
    let bytes = sized_object(repository.store(), key, expected.size).await?;
    check_object(key, &bytes, expected)?;
    Ok(bytes)
}

/// Compares an object with what a record says of it.
pub(crate) fn check_object(key: &str, bytes: &[u8], expected: ObjectRef) -> Result<(), RepoError> {
    let differs = |expected: String, found: String| RepoError::ObjectDiffers {
        key: key.to_owned(),
        expected,
        found,
    };
    if bytes.len() as u64 != expected.size {
        return Err(differs(
            format!("{} bytes", expected.size),
            format!("{} bytes", bytes.len()),
        ));
    }
    let found = Digest(Sha256::digest(bytes).into());
    if found != expected.sha256 {
        return Err(differs(
            format!("SHA-256 {}", expected.sha256),
            found.to_string(),
        ));
    }
    Ok(())
}

/// Reads an object whose size a record says. One of another size is damage, and is not read.
pub(crate) async fn sized_object(store: &Store, key: &str, size: u64) -> Result<Bytes, RepoError> {
    match store.find_sized(key, size).await? {
        SizedObject::Bytes(bytes) => Ok(bytes),
        SizedObject::Missing => Err(RepoError::ObjectMissing(key.to_owned())),
        SizedObject::OtherSize(found) => Err(RepoError::ObjectDiffers {
            key: key.to_owned(),
            expected: format!("{size} bytes"),
            found: format!("{found} bytes"),
        }),
    }
}
