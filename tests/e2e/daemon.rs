//! The daemon as a process: it backs up by its schedule, follows its configuration, keeps a second
//! one out, survives being killed, and ends in order.

use std::fs;

use rustix::process::Signal;

use crate::{
    guard::Daemon,
    program::{Ran, clean},
    world::World,
};

fn numbers(world: &World) -> Vec<u64> {
    let list = world.backupctl(&["--json", "snapshot", "list"]).expect(0);
    let list = list.message("snapshots");
    let snapshots = list["snapshots"].as_array().unwrap().iter();
    let number = |name: &str| name.split_once('/').unwrap().1.parse().unwrap();
    snapshots
        .map(|each| number(each["snapshot"].as_str().unwrap()))
        .collect()
}

#[test]
fn it_backs_up_when_it_is_time_whatever_happens_to_it() {
    let world = World::new();
    let source = "§\"files\"\nname = \"config\"\npaths = [\"WORLD/src\"]\n";
    world.sources(&source.replace("WORLD", &world.dir.display().to_string()));
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let timed = config.replacen("[job.app]\n", "[job.app]\nschedule = \"* * * * * *\"\n", 1);
    assert_ne!(timed, config);
    let timed = format!("{timed}\n[defaults]\ntimezone = \"Europe/Berlin\"\n");
    fs::write(&path, &timed).unwrap();

    let mut daemon = Daemon::start(&world);
    for _ in 0..2 {
        daemon.says("snapshot=app/");
    }
    let mut second = clean(&world.program().with_file_name("backupd"));
    second.args(["run", "--config", &path]);
    let refused = Ran::of(second).expect(11);
    assert!(
        refused.stderr.contains("another daemon uses"),
        "{}",
        refused.stderr
    );
    fs::write(&path, format!("junk = 1\n{timed}rpo = 1\n")).unwrap();
    daemon.says("the configuration stays as it was");
    daemon.says("config.toml:1:1: unknown key `junk`");
    daemon.says("`rpo` must be a string");
    daemon.says("snapshot=app/");
    fs::write(&path, timed.replace("* * * * * *", "*/2 * * * * *")).unwrap();
    daemon.says("another configuration is in force");
    daemon.says("kind=backup");
    daemon.signal(Signal::KILL);
    assert_eq!(daemon.ends(), None);

    let mut daemon = Daemon::start(&world);
    daemon.says("snapshot=app/");
    daemon.signal(Signal::TERM);
    daemon.says("stopping");
    assert_eq!(daemon.ends(), Some(0));
    let numbers = numbers(&world);
    assert!(numbers.len() >= 4, "{numbers:?}");
    assert!(numbers.is_sorted());
    world.backupctl(&["verify", "--all"]).expect(0);
    world.backupctl(&["repo", "check"]).expect(0);
}
