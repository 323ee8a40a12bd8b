//! Another retention policy, tried in the shipped window: the command that stands there does the
//! same in a terminal, and nothing goes.

use crate::{
    guard::Daemon,
    program::need,
    window::{Desk, click, fill},
    world::World,
};

#[test]
fn a_policy_that_is_tried_in_the_window_lets_nothing_go() {
    need("xdotool");
    let world = World::new();
    for _ in 0..4 {
        world.backup();
    }
    world.policy("keep_last = 5");
    let daemon = Daemon::start(&world);
    let mut desk = Desk::open(&world, "glow");
    let steps = [
        vec!["key", "ctrl+2", "sleep", "1"],
        vec![
            "mousemove",
            "420",
            "159",
            "click",
            "--repeat",
            "2",
            "1",
            "sleep",
            "1",
        ],
        // The tab stands below one reason why the job is at risk.
        click("533", "198"),
        fill("476", "364", "2"),
        // The command at the foot.
        click("1234", "757"),
    ];
    let wanted = "backupctl retention preview app --keep-last 2";
    let copied = desk.until_copied(&steps.concat(), "--keep-last");
    assert_eq!(copied, wanted);
    let words: Vec<&str> = wanted.split(' ').skip(1).collect();
    let said = world.backupctl(&words).expect(0).text();
    assert!(said.contains("2 go"), "{said}");
    let listed = world.backupctl(&["snapshot", "list"]).expect(0).text();
    assert!(listed.contains("app/000001"), "{listed}");
    daemon.stop();
}
