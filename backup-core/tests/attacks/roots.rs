//! Attacks on what everything else is trusted by: `repository.json` and the trust records.

use backup_core::format::layout;
use backup_keys::{RepositoryRecord, SecretKey};

use crate::{
    runs::run_by_at,
    stage::{Stage, time},
};

/// Changes a line of text, and leaves the signature.
async fn edit(stage: &Stage, from: &str, to: &str) {
    let bytes = stage.get(layout::REPOSITORY).await;
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.contains(from));
    let text = text.replacen(from, to, 1);
    stage.put(layout::REPOSITORY, text.as_bytes()).await;
}

pub(crate) async fn format_changed(stage: &Stage) {
    edit(stage, r#""format":0"#, r#""format":7"#).await;
}

pub(crate) async fn settings_changed(stage: &Stage) {
    edit(stage, r#""pack_bytes":1"#, r#""pack_bytes":2"#).await;
}

/// A repository of the attacker's own in its place.
pub(crate) async fn other_root(stage: &Stage) {
    let mut record: RepositoryRecord = stage.peek(layout::REPOSITORY).await;
    let root = SecretKey::generate().unwrap();
    record.root = root.public().clone();
    stage.sign(layout::REPOSITORY, &record, &root).await;
}

/// The keys that the newest version took away would come back.
pub(crate) async fn newest_trust_deleted(stage: &Stage) {
    stage.delete(&layout::trust(2)).await;
}

pub(crate) async fn old_trust_over_new(stage: &Stage) {
    stage.copy(&layout::trust(1), &layout::trust(2)).await;
}

/// A version that lets the attacker in, by a key that is not root.
async fn let_in(stage: &Stage, by: &SecretKey) {
    let stranger = stage.stolen.stranger.public().clone();
    stage
        .retrust(by, |trust| {
            let mut writer = trust.writers[0].clone();
            writer.name = "mallory".parse().unwrap();
            writer.key = stranger;
            trust.writers.push(writer);
        })
        .await;
}

pub(crate) async fn trust_of_other_root(stage: &Stage) {
    let_in(stage, &SecretKey::generate().unwrap()).await;
}

pub(crate) async fn trust_by_a_writer(stage: &Stage) {
    let_in(stage, stage.world.host.key()).await;
}

pub(crate) async fn rolled_back(stage: &Stage) {
    stage.roll_back().await;
}

/// Another reader is shown another run of the same number, by a writer who may.
pub(crate) async fn forked(stage: &Stage) {
    stage.roll_back().await;
    let before_it_expired = || time("2026-11-22T01:00:00Z");
    let made = run_by_at(stage, &stage.stolen.late, before_it_expired).await;
    made.unwrap();
}
