//! Attacks on what a job has done: records of runs that are forged, moved, replayed or gone.

use backup_core::{
    format::{Commit, Fence, ObjectRef, RunEnd, Session, layout},
    ops::{Authority, Clock, OpError},
    repo::Host,
};
use backup_keys::SecretKey;
use backup_model::{Nonce, Seq};

use crate::{
    data::refs_of_nothing,
    stage::{Stage, clock, noise, object_ref, record, session},
    support::job,
    victim::{By, Seen, silent},
};

const FOURTH: Nonce = Nonce([44; 16]);

/// Run 4 of `etc`, all of it: session, recipe, refs and commit, signed by some key.
async fn forged_run(stage: &Stage, by: &SecretKey) {
    let recipe = stage.seal(&noise(66)).await;
    let refs = refs_of_nothing(stage, Seq(4), FOURTH);
    let (recipe_ref, refs_ref) = (object_ref(&recipe), object_ref(&refs));
    stage
        .put(&layout::recipe(&recipe_ref.sha256), &recipe)
        .await;
    stage.put(&layout::refs(&refs_ref.sha256), &refs).await;
    commit_fourth(stage, by, FOURTH, recipe_ref, refs_ref).await;
}

/// Session and commit of run 4 of `etc`, which follow what is there.
async fn commit_fourth(
    stage: &Stage,
    by: &SecretKey,
    nonce: Nonce,
    recipe: ObjectRef,
    refs: ObjectRef,
) {
    let begun: Session = stage.peek(&session("etc", 3)).await;
    let begun = Session {
        seq: Seq(4),
        nonce,
        ..begun
    };
    stage.sign(&session("etc", 4), &begun, by).await;
    let third = stage.etc(3);
    let commit = Commit {
        seq: Seq(4),
        prev: Some(third.record),
        nonce,
        recipe,
        refs,
        packs: 0,
        bytes: 0,
        ..third.commit.clone()
    };
    stage
        .sign(&record("etc", 4), &RunEnd::Commit(commit), by)
        .await;
}

pub(crate) async fn by_stranger(stage: &Stage) {
    forged_run(stage, &stage.stolen.stranger).await;
}

/// His key is trusted, for the job `srv` alone.
pub(crate) async fn by_other_job(stage: &Stage) {
    forged_run(stage, &stage.stolen.clerk).await;
}

/// Whoever has an expired key can still sign with it; the answer to a theft is to remove the key.
pub(crate) async fn by_removed(stage: &Stage) {
    let repository = stage.open().await;
    let authority = Authority::new(&repository, &stage.world.root, clock()).unwrap();
    authority.remove_writer(&job("late")).await.unwrap();
    forged_run(stage, &stage.stolen.late).await;
}

/// A run by a key, from a host of its own.
pub(crate) async fn run_by_at(stage: &Stage, key: &SecretKey, clock: Clock) -> Result<(), OpError> {
    let state = tempfile::tempdir().unwrap();
    let text = key.to_file_text("stolen").unwrap();
    let key = SecretKey::from_file_text(&text).unwrap();
    let host = Host::create(state.path(), stage.id(), key).unwrap();
    let progress = silent();
    let (store, etc) = (stage.store(), job("etc"));
    let made = stage
        .world
        .backup_by(&host, &store, &etc, clock, &progress)
        .await;
    made.map(drop)
}

async fn refused_run(stage: &Stage, key: &SecretKey, seen: &mut Seen) {
    let before = stage.keys().await;
    let error = run_by_at(stage, key, clock).await.unwrap_err();
    seen.error(By::Begin, &error);
    assert_eq!(stage.keys().await, before, "nothing is stored");
}

pub(crate) async fn by_expired(stage: &Stage, seen: &mut Seen) {
    refused_run(stage, &stage.stolen.late, seen).await;
}

pub(crate) async fn by_future(stage: &Stage, seen: &mut Seen) {
    refused_run(stage, &stage.stolen.early, seen).await;
}

pub(crate) async fn moved_to_other_job(stage: &Stage) {
    stage.copy(&session("etc", 2), &session("srv", 2)).await;
    stage.copy(&record("etc", 2), &record("srv", 2)).await;
}

pub(crate) async fn moved_to_other_number(stage: &Stage) {
    stage.copy(&record("etc", 2), &record("etc", 3)).await;
}

pub(crate) async fn replayed(stage: &Stage) {
    stage.copy(&session("etc", 1), &session("etc", 4)).await;
    stage.copy(&record("etc", 1), &record("etc", 4)).await;
}

/// A writer of the job signs that the newest snapshot is what the first one was.
pub(crate) async fn replayed_by_a_writer(stage: &Stage) {
    let first = &stage.etc(1).commit;
    let late = &stage.stolen.late;
    commit_fourth(stage, late, first.nonce, first.recipe, first.refs).await;
}

/// A writer of the job signs an old snapshot again, as it was but for the number.
pub(crate) async fn signed_again(stage: &Stage) {
    let (first, late) = (&stage.etc(1).commit, &stage.stolen.late);
    replayed(stage).await;
    let commit = Commit {
        seq: Seq(4),
        ..first.clone()
    };
    stage
        .sign(&record("etc", 4), &RunEnd::Commit(commit), late)
        .await;
}

pub(crate) async fn newest_deleted(stage: &Stage) {
    stage.delete(&record("etc", 3)).await;
}

pub(crate) async fn middle_deleted(stage: &Stage) {
    stage.delete(&record("etc", 2)).await;
}

/// The end of run 4 of `etc`, which nobody has begun.
fn fence(stage: &Stage) -> RunEnd {
    RunEnd::Fence(Fence {
        repository: stage.id(),
        job: job("etc"),
        seq: Seq(4),
        prev: Some(stage.etc(3).record),
        nonce: FOURTH,
        created: clock(),
    })
}

pub(crate) async fn fence_unsigned(stage: &Stage) {
    let fence = fence(stage);
    stage.write_unsigned(&record("etc", 4), &fence).await;
}

pub(crate) async fn fence_of_wrong_role(stage: &Stage) {
    let (fence, key) = (fence(stage), record("etc", 4));
    stage.sign(&key, &fence, &stage.stolen.prover).await;
}
