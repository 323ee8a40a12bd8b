use backup_model::{Code, RunOutcome};

use super::fixture::World;
use crate::{schedule::Task, status::Known};

#[tokio::test]
async fn what_a_store_answers_is_known_until_it_answers_otherwise() {
    let world = World::new().await;
    let access = world.in_force("", "", "").access;
    let known = async || {
        let known = Known::of(&world.ledger, &access).await.unwrap();
        known.conditional.get("main").copied()
    };
    let task = Task::Probe("main".to_owned());
    assert_eq!(known().await, None);
    let plain = world.in_force("", "", "");
    let ending = world.run_on_record(&task, &plain).await;
    assert_eq!(ending.outcome, RunOutcome::Succeeded);
    assert_eq!(known().await, Some(true));

    // Whoever set it up knows that it cannot be trusted.
    let single = world.in_force("single_writer = true", "", "");
    let (done, heard) = world.run(&task, &single).await;
    assert_eq!(done.unwrap().outcome, RunOutcome::Warnings);
    let [warning] = heard.warnings().try_into().unwrap();
    assert_eq!(warning.code, Code::SingleWriter);
    world.run_on_record(&task, &single).await;
    assert_eq!(known().await, Some(false));
    world.run_on_record(&task, &plain).await;
    assert_eq!(known().await, Some(true));

    // One that cannot be asked has not answered otherwise.
    std::fs::rename(world.path("repo"), world.path("away")).unwrap();
    let (done, _) = world.run(&task, &plain).await;
    assert_eq!(done.unwrap_err().code, Code::RepositoryMissing);
    assert_eq!(known().await, Some(true));
    assert!(!world.path("repo").exists());
}
