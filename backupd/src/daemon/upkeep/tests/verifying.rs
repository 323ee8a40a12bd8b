use std::fs;

use backup_model::{Code, Level, RunOutcome, SnapshotName, Why};
use backupd_api::{ForgetRequest, Service as _};

use super::fixture::{World, app, direct, name, work};
use crate::{
    clock,
    daemon::upkeep::verify_new,
    ledger::{Verified, VerifyOutcome},
    protection,
    schedule::Task,
};

/// Everything, each time.
const ALL: &str = "verify = { full_coverage = \"1s\" }";

async fn remembered(world: &World) -> Vec<(SnapshotName, VerifyOutcome)> {
    let memory = world.ledger.verified("main").await.unwrap();
    assert!(memory.iter().all(|one| one.level == Level::Storage));
    memory
        .into_iter()
        .map(|it| (it.snapshot, it.outcome))
        .collect()
}

#[tokio::test]
async fn a_flipped_byte_is_found_and_remembered_until_its_snapshot_is_gone() {
    use VerifyOutcome::{Damaged, Good};

    let world = World::new().await;
    let in_force = world.in_force("", ALL, "");
    let task = Task::Verify(app());
    let (done, heard) = world.run(&task, &in_force).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    assert_eq!(heard.notes(), ["there is no snapshot yet"]);

    world.backup(&in_force, 1).await;
    let first = world.packs();
    world.backup(&in_force, 2).await;
    let two = world.packs();
    world.backup(&in_force, 3).await;
    let [one, second, three] = [1, 2, 3].map(|n| name(&format!("app/{n}")));
    // What is remembered of other jobs is theirs.
    let other = Verified {
        snapshot: name("other/1"),
        level: Level::Storage,
        at: clock::now(),
        outcome: Good,
        good: None,
    };
    let others = (other.snapshot.clone(), Good);
    world.ledger.remember("main", vec![other]).await.unwrap();
    let (done, heard) = world.run(&task, &in_force).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    assert_eq!(heard.notes(), ["3 of 3 snapshots are due"]);
    let good = |name: &SnapshotName| (name.clone(), Good);
    let all = [good(&one), good(&second), good(&three), others.clone()];
    assert_eq!(remembered(&world).await, all);

    let of_second = two.iter().find(|pack| !first.contains(pack)).unwrap();
    let mut bytes = fs::read(of_second).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(of_second, bytes).unwrap();
    let (done, _) = world.run(&task, &in_force).await;
    let ending = done.unwrap();
    assert_eq!(ending.outcome, RunOutcome::Failed);
    let failure = ending.failure.unwrap();
    assert_eq!(failure.code, Code::Damaged);
    assert_eq!(failure.message, "app/000002 is damaged");
    assert!(failure.causes[0].contains("SHA-256"), "{failure:?}");
    let bad = (second.clone(), Damaged);
    let all = [good(&one), bad, good(&three), others.clone()];
    assert_eq!(remembered(&world).await, all);
    let memory = world.ledger.verified("main").await.unwrap();
    let there = [one.clone(), second.clone(), three.clone()].map(|name| (name, clock::now()));
    let damaged = protection::damaged(&there, &memory);
    assert_eq!(damaged, std::slice::from_ref(&second));

    let request = ForgetRequest {
        snapshots: vec![second],
        why: Why::Request,
    };
    direct(&in_force).forget(&request, &work().1).await.unwrap();
    let (done, _) = world.run(&task, &in_force).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    let all = [good(&one), good(&three), others];
    assert_eq!(remembered(&world).await, all);
}

#[tokio::test]
async fn a_missing_record_is_damage_and_a_missing_store_is_not() {
    let world = World::new().await;
    let in_force = world.in_force("", ALL, "");
    let task = Task::Verify(app());
    for seed in 0..2 {
        world.backup(&in_force, seed).await;
    }
    fs::rename(world.path("repo"), world.path("away")).unwrap();
    let (done, _) = world.run(&task, &in_force).await;
    assert_eq!(done.unwrap_err().code, Code::RepositoryMissing);
    assert_eq!(remembered(&world).await, []);
    fs::rename(world.path("away"), world.path("repo")).unwrap();

    fs::remove_file(world.path("repo/snapshots/app/000001.json")).unwrap();
    let (done, _) = world.run(&task, &in_force).await;
    let failure = done.unwrap().failure.unwrap();
    assert_eq!(failure.code, Code::Damaged);
    assert_eq!(failure.message, "app/000001 is damaged");
    let memory = [
        (name("app/1"), VerifyOutcome::Damaged),
        (name("app/2"), VerifyOutcome::Good),
    ];
    assert_eq!(remembered(&world).await, memory);
}

#[tokio::test]
async fn a_new_snapshot_is_verified_by_itself_and_then_waits_for_its_turn() {
    let world = World::new().await;
    let in_force = world.in_force("", "", "");
    world.backup(&in_force, 1).await;
    let second = world.backup(&in_force, 2).await;
    let (_, work) = work();
    let done = verify_new(&second, &in_force, &world.ledger, &work).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    let memory = [(second, VerifyOutcome::Good)];
    assert_eq!(remembered(&world).await, memory);
    // Both are young: a month is long.
    let (done, heard) = world.run(&Task::Verify(app()), &in_force).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    assert_eq!(heard.notes(), ["0 of 2 snapshots are due"]);
    assert_eq!(remembered(&world).await, memory);
}
