//! The soak itself: everybody begins, and whoever fails ends it.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    aftermath,
    cast::{Cast, Place},
    environment::asked,
    stage::{Counts, PATIENCE},
    writer::Writer,
};

/// Without being asked, seconds.
const SECS: u64 = 20;

fn number(name: &str) -> Option<u64> {
    let asked = asked(name)?;
    Some(
        asked
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

fn random_seed() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_at_once_nothing_is_lost() {
    let secs = number("BACKUPD_SOAK_SECS").unwrap_or(SECS);
    let seed = number("BACKUPD_SOAK_SEED").unwrap_or_else(random_seed);
    let kind = asked("BACKUPD_SOAK_STORE").unwrap_or_else(|| "folder".to_owned());
    println!("soak: {kind}, {secs} s, BACKUPD_SOAK_SEED={seed}");
    let (place, folder) = (Place::named(&kind).await, tempfile::tempdir().unwrap());
    let time = Duration::from_secs(secs);
    let cast = Cast::new(&place, folder.path(), seed, time).await;
    let stage = Arc::clone(&cast.stage);
    let played = tokio::time::timeout(time + PATIENCE, play(cast)).await;
    let mut writers = played.expect("somebody hangs");
    let counts = stage.told().counts.clone();
    println!("soak: {counts:?}");
    let began = Instant::now();
    let key = Arc::clone(writers[0].host.key());
    let looked = aftermath::look(&stage, &mut writers, &key);
    let living = tokio::time::timeout(PATIENCE, looked).await;
    let living = living.expect("the look afterwards hangs");
    let took = began.elapsed().as_secs_f32();
    println!("soak: {living} snapshots live, all whole; looked at in {took:.1} s; losses: 0");
    all_was_done(&counts);
}

/// Until the time is over; gives the writers back.
async fn play(cast: Cast) -> Vec<Writer> {
    let stage = &cast.stage;
    let (mut writing, mut others) = (JoinSet::new(), JoinSet::new());
    for writer in cast.writers {
        writing.spawn(writer.work(Arc::clone(stage)));
    }
    for keeper in cast.keepers {
        others.spawn(keeper.work(Arc::clone(stage)));
    }
    others.spawn(cast.verifier.verify(Arc::clone(stage)));
    others.spawn(cast.restorer.restore(Arc::clone(stage)));
    let mut writers = Vec::new();
    loop {
        // Whoever fails is heard of at once.
        tokio::select! {
            Some(writer) = writing.join_next() => writers.push(writer.unwrap()),
            Some(other) = others.join_next() => other.unwrap(),
            else => break,
        }
    }
    writers.sort_by_key(|writer| writer.number);
    writers
}

/// A soak in which nothing happens says nothing.
fn all_was_done(counts: &Counts) {
    assert!(counts.backups > 8 && counts.kills > 0, "{counts:?}");
    assert!(
        counts.forgotten > 0 && counts.packs_deleted > 0,
        "{counts:?}"
    );
    assert!(
        counts.verifications > 0 && counts.restores > 0,
        "{counts:?}"
    );
}
