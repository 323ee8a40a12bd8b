use std::fs;

use backup_keys::SecretKey;
use backup_model::{Code, RunOutcome, Selection, SnapshotName, Why};
use backupd_api::{ForgetRequest, Service as _};
use secrecy::ExposeSecret as _;

use super::fixture::{World, app, direct, name, work};
use crate::{daemon::InForce, schedule::Task};

const POLICY: &str = "retention = { keep_last = 5 }";

async fn snapshots(in_force: &InForce) -> Vec<SnapshotName> {
    let listed = direct(in_force).snapshots(&Selection::All).await.unwrap();
    listed
        .into_iter()
        .map(|run| run.unwrap().snapshot)
        .collect()
}

#[tokio::test]
async fn what_the_policy_lets_go_is_forgotten_and_what_is_held_stays() {
    let world = World::new().await;
    let in_force = world.in_force("", POLICY, "");
    let task = Task::Retention(app());
    // Before the first backup there is nothing to do.
    let (done, _) = world.run(&task, &in_force).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    for seed in 0..7 {
        world.backup(&in_force, seed).await;
    }
    let service = direct(&in_force);
    service.hold(&name("app/1"), "the first").await.unwrap();
    let (done, heard) = world.run(&task, &in_force).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    assert_eq!(heard.notes(), ["forgot app/000002"]);
    let left = [1, 3, 4, 5, 6, 7].map(|n| name(&format!("app/{n}")));
    assert_eq!(snapshots(&in_force).await, left);
    // Again: nothing goes.
    let (done, heard) = world.run(&task, &in_force).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    assert!(heard.notes().is_empty(), "{:?}", heard.notes());

    // Who took the policy away meanwhile loses nothing.
    let without = world.in_force("", "", "");
    let (done, _) = world.run(&task, &without).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Skipped);
    assert_eq!(snapshots(&in_force).await.len(), 6);
}

#[tokio::test]
async fn a_prune_takes_two_runs_and_the_grace_between() {
    let world = World::new().await;
    let in_force = world.in_force("", POLICY, "");
    for seed in 0..6 {
        world.backup(&in_force, seed).await;
    }
    world
        .run(&Task::Retention(app()), &in_force)
        .await
        .0
        .unwrap();
    let (before, task) = (world.packs(), Task::Prune("main".to_owned()));
    // The second is within the grace of the first.
    for _ in 0..2 {
        let (done, heard) = world.run(&task, &in_force).await;
        assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
        let [note] = heard.notes().try_into().unwrap();
        assert!(note.starts_with("prune 1 has begun: "), "{note}");
        assert_eq!(world.packs(), before);
    }
    let at_once = world.in_force("", POLICY, "prune_grace = \"0\"");
    let (done, heard) = world.run(&task, &at_once).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    let [note] = heard.notes().try_into().unwrap();
    assert!(note.starts_with("prune 1 is done: "), "{note}");
    assert!(world.packs().len() < before.len());
    let (_, work) = work();
    let checked = direct(&in_force).check("main", &work).await.unwrap();
    assert_eq!((checked.faults, checked.snapshots), (Vec::new(), 5));
    let (done, heard) = world.run(&task, &at_once).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Succeeded);
    assert_eq!(heard.notes(), ["there is nothing to delete"]);
}

#[tokio::test]
async fn a_prune_that_takes_much_is_left_to_a_person() {
    let world = World::new().await;
    let in_force = world.in_force("", "", "prune_grace = \"0\"");
    for seed in 0..3 {
        world.backup(&in_force, seed).await;
    }
    let request = ForgetRequest {
        snapshots: vec![name("app/1"), name("app/2")],
        why: Why::Request,
    };
    direct(&in_force).forget(&request, &work().1).await.unwrap();
    let before = world.packs();
    let (done, heard) = world.run(&Task::Prune("main".to_owned()), &in_force).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Warnings);
    let [warning] = heard.warnings().try_into().unwrap();
    assert_eq!(warning.code, Code::NotConfirmed);
    let command = "`backupctl prune apply main`";
    assert!(warning.message.contains(command), "{}", warning.message);
    assert_eq!(world.packs(), before);
    let (_, work) = work();
    let plan = direct(&in_force).plan_prune("main", &work).await.unwrap();
    assert!(!plan.begun && plan.needs_confirmation);
}

#[tokio::test]
async fn a_host_that_may_only_write_leaves_it_to_another() {
    let world = World::new().await;
    let in_force = world.in_force("", "retention = { keep_last = 1, min_keep = 1 }", "");
    for seed in 0..2 {
        world.backup(&in_force, seed).await;
    }
    // A key that the repository does not know may maintain nothing.
    let mut folders = fs::read_dir(world.path("state")).unwrap();
    let key = folders.find_map(|entry| {
        let key = entry.unwrap().path().join("writer.key");
        key.exists().then_some(key)
    });
    let another = SecretKey::generate().unwrap().to_file_text("another");
    fs::write(key.unwrap(), another.unwrap().expose_secret()).unwrap();
    for task in [Task::Retention(app()), Task::Prune("main".to_owned())] {
        let (done, heard) = world.run(&task, &in_force).await;
        assert_eq!(done.unwrap().outcome, RunOutcome::Skipped, "{task}");
        let [note] = heard.notes().try_into().unwrap();
        assert!(
            note.starts_with("this is for a host that may maintain"),
            "{note}"
        );
        assert!(heard.warnings().is_empty());
    }
    assert_eq!(snapshots(&in_force).await.len(), 2);
}
