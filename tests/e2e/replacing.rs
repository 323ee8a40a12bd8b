//! A spoilt job restored in place in the shipped window, by typing its name: rows and files are as
//! they were, and what was there is kept beside.

use std::fs;

use crate::{
    guard::Daemon,
    in_place::{colour, notes, spoilt},
    program::need,
    restoring::{ON, find, open_key, restores},
    window::{Desk, click, fill},
    world::JOB,
};

#[test]
fn a_job_is_restored_in_place_in_the_window() {
    need("xdotool");
    let world = spoilt();
    let daemon = Daemon::start(&world);
    let mut desk = Desk::open(&world, "glow");
    let identity = world.identity();
    let steps = [
        open_key(&identity),
        find("newest snapshot"),
        click("1043", "371"),
        click("471", "199"),
        ON.repeat(2),
        // The server says what it would do.
        [&["sleep", "3"], &ON[..]].concat(),
    ];
    desk.act(&steps.concat());
    // Without its name nothing begins.
    desk.act(&[&fill("707", "345", "src")[..], &ON].concat());
    assert!(restores(&world).is_empty());
    let named = [&fill("707", "345", JOB)[..], &ON].concat();
    let done = desk.until(&named, || {
        let mut all = restores(&world).into_iter();
        all.find(|run| run["outcome"] != "running")
    });
    assert_eq!(done["outcome"], "succeeded", "{done}");
    assert_eq!(notes(&world, "app"), "2000");
    assert_eq!(colour(&world, &world.path("src")), "colour = \"blue\"\n");
    let databases = world.psql("postgres", "select datname from pg_database");
    let kept = databases.lines().find(|name| name.starts_with("app_"));
    assert_eq!(notes(&world, kept.expect(&databases)), "7");
    let safety = world.backupctl(&["snapshot", "list"]).expect(0).text();
    assert!(safety.contains("app/000002"), "{safety}");
    daemon.stop();
    let log = fs::read_to_string(world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
