//! A repository without its server, opened in the shipped window by its recovery kit: somebody finds
//! a file in a snapshot, and has it back.

use std::fs;

use crate::{
    program::need,
    restoring::{ON, open_key},
    window::{Desk, click, fill},
    world::World,
};

#[test]
fn a_file_is_found_and_restored_with_nothing_but_a_kit() {
    need("xdotool");
    let world = World::new();
    world.backup();
    let home = world.bare(&world.kit());
    let kit = home.join("kit.txt").display().to_string();
    let mut desk = Desk::alone(&world, "glow");
    let opened = [
        vec!["key", "Escape", "key", "ctrl+1", "sleep", "1.5"],
        // The last of the doors of a window that finds nobody.
        click("1015", "359"),
        fill("640", "428", &kit),
        click("868", "508"),
        vec!["sleep", "5"],
    ];
    desk.act(&opened.concat());
    let folder = world.path("back");
    let steps = [
        // The kit holds the key, too.
        open_key(&kit),
        vec!["key", "ctrl+3", "sleep", "1"],
        click("420", "151"),
        // Its files, the second of them, and the way to restore it.
        click("1036", "335"),
        vec!["sleep", "2"],
        click("420", "291"),
        click("1206", "332"),
        fill("702", "329", &folder),
        ON.repeat(2),
        vec!["sleep", "2"],
        ON.repeat(2),
    ];
    let file = format!("{folder}{}", world.path("src/settings.toml"));
    let back = desk.until(&steps.concat(), || fs::read_to_string(&file).ok());
    assert_eq!(back, "colour = \"blue\"\n");
    // What was not chosen stays in the snapshot.
    let other = format!("{folder}{}", world.path("src/.env"));
    assert!(fs::metadata(other).is_err());
    let log = fs::read_to_string(world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
