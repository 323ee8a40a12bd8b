//! Attacks on data: packs, recipes and refs, which anybody can encrypt rightly.

use backup_core::{
    codec::compress_frame,
    format::{RecipeHead, RefsHead, layout, push_line},
};
use backup_model::{Nonce, Seq};

use crate::{
    stage::{Stage, noise, object_ref},
    support::job,
};

/// What an attacker would like to see restored.
async fn forged(stage: &Stage) -> Vec<u8> {
    stage.seal(&compress_frame(&noise(66)).unwrap()).await
}

/// In the place of a pack, one of the same size that decrypts.
pub(crate) async fn forged_pack(stage: &Stage) {
    let real = stage.get(&stage.pack()).await;
    // age pads its header at random, so some tries are needed to have the size.
    let forged = loop {
        let probe = stage.seal(&vec![7; real.len() - 400]).await;
        if let Some(missing) = real.len().checked_sub(probe.len()) {
            let forged = stage.seal(&vec![7; real.len() - 400 + missing]).await;
            if forged.len() == real.len() {
                break forged;
            }
        }
    };
    stage.put(&stage.pack(), &forged).await;
}

/// A good pack by its own right name.
pub(crate) async fn pack_of_nobody(stage: &Stage) {
    let pack = forged(stage).await;
    stage
        .put(&layout::pack(&object_ref(&pack).sha256), &pack)
        .await;
}

/// In the place of a pack, another one of the same repository.
pub(crate) async fn swapped_pack(stage: &Stage) {
    stage.copy(&stage.other_pack(), &stage.pack()).await;
}

/// In the place of a recipe, one for the same run that restores nothing.
pub(crate) async fn forged_recipe(stage: &Stage) {
    let commit = &stage.etc(2).commit;
    let head = RecipeHead {
        repository: commit.repository,
        job: commit.job.clone(),
        seq: commit.seq,
        nonce: commit.nonce,
        epoch: commit.epoch,
        packs: 0,
        streams: 0,
    };
    let mut lines = Vec::new();
    push_line(&mut lines, &head);
    let recipe = stage.seal(&compress_frame(&lines).unwrap()).await;
    stage
        .put(&layout::recipe(&commit.recipe.sha256), &recipe)
        .await;
}

/// In the place of refs, such as name no pack: so that a prune deletes all of them.
pub(crate) async fn forged_refs(stage: &Stage) {
    let commit = &stage.etc(2).commit;
    let refs = refs_of_nothing(stage, commit.seq, commit.nonce);
    stage.put(&layout::refs(&commit.refs.sha256), &refs).await;
}

pub(crate) fn refs_of_nothing(stage: &Stage, seq: Seq, nonce: Nonce) -> Vec<u8> {
    let head = RefsHead {
        repository: stage.id(),
        job: job("etc"),
        seq,
        nonce,
        packs: 0,
    };
    let mut lines = Vec::new();
    push_line(&mut lines, &head);
    compress_frame(&lines).unwrap()
}
