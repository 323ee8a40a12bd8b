//! What stays and what goes, at a shell: hold, retention, forget, prune, and what is left
//! afterwards, byte for byte.

use std::fs;

use serde_json::Value;

use crate::{
    program::{Ran, stock},
    tree::Tree,
    world::World,
};

/// A job of one file, so that what a backup adds is known: noise of 2 MB, new each time.
const FILE: &str = "§\"files\"\nname = \"config\"\npaths = [\"WORLD/src/noise\"]\n";
const NOISE: usize = 2_000_000;

/// So many backups of `app`, none of which has a byte of another one's noise.
fn world(backups: u64) -> World {
    let world = World::new();
    world.sources(&FILE.replace("WORLD", &world.dir.display().to_string()));
    for number in 1..=backups {
        fs::write(world.dir.join("src/noise"), noise(number)).unwrap();
        assert_eq!(world.backup()["snapshot"], name(number));
    }
    world
}

fn name(number: u64) -> String {
    format!("app/{number:06}")
}

/// Bytes that do not compress, the same for the same number: xorshift.
fn noise(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..NOISE / 8).flat_map(|_| next()).collect()
}

/// The world's repository, byte for byte.
fn repository(world: &World) -> Tree {
    Tree::of(&world.dir.join("repo"))
}

/// Disk that the repository takes.
fn used(world: &World) -> u64 {
    let mut command = stock("du");
    command.args(["-sb", &world.path("repo")]);
    let text = Ran::of(command).expect(0).text();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// Runs with `--json`, and gives the one message of this type.
fn json(world: &World, kind: &str, args: &[&str]) -> Value {
    let ran = world.backupctl(&[&["--json"], args].concat()).expect(0);
    ran.message(kind)
}

fn listed(world: &World) -> Vec<String> {
    let list = json(world, "snapshots", &["snapshot", "list"]);
    let runs = list["snapshots"].as_array().unwrap().iter();
    runs.map(|run| run["snapshot"].as_str().unwrap().to_owned())
        .collect()
}

/// Restores a snapshot, and compares its noise.
fn restores(world: &World, number: u64) {
    let to = world.path(&format!("restored{number}"));
    let args = ["restore", &name(number), "--yes", "--to-folder", &to];
    world.as_admin(&args).expect(0);
    let inside = world.path("src/noise");
    let restored = fs::read(format!("{to}/{inside}")).unwrap();
    assert!(
        restored == noise(number),
        "{} came back changed",
        name(number)
    );
}

#[test]
fn what_is_forgotten_goes_and_the_rest_comes_back() {
    let world = world(6);
    let hold = ["snapshot", "hold", "app/1", "--reason", "for the auditors"];
    let held = json(&world, "hold", &hold);
    assert_eq!(
        (&held["snapshot"], &held["reason"]),
        (&name(1).into(), &"for the auditors".into())
    );
    let list = world.backupctl(&["snapshot", "list"]).expect(0).text();
    assert!(list.contains("complete, held"), "{list}");
    let shown = world.backupctl(&["snapshot", "show", "app/1"]).expect(0);
    assert!(
        shown.text().contains("for the auditors"),
        "{}",
        shown.text()
    );

    // What is held does not go, nor does anything beside it.
    let forget = [
        "snapshot",
        "forget",
        "app/1",
        "app/2",
        "app/3",
        "--confirm",
        "app",
    ];
    let refused = world.backupctl(&[&forget[..], &["-y"]].concat()).expect(17);
    assert!(refused.stderr.contains("[E-HELD]"), "{}", refused.stderr);
    assert_eq!(listed(&world), [1, 2, 3, 4, 5, 6].map(name));
    assert_eq!(
        json(&world, "release", &["snapshot", "release", "app/1"])["held"],
        true
    );
    world.backupctl(&hold).expect(0);

    let forget = [
        "snapshot",
        "forget",
        "app/2",
        "app/3",
        "app/4",
        "app/5",
        "--yes",
        "--confirm",
        "app",
    ];
    let report = json(&world, "forget", &forget);
    assert_eq!(
        report["forgotten"],
        serde_json::json!([2, 3, 4, 5].map(name))
    );
    assert_eq!(listed(&world), [1, 6].map(name));
    let again = json(&world, "forget", &forget);
    assert_eq!(again["already"], serde_json::json!([2, 3, 4, 5].map(name)));
    let gone = world.backupctl(&["snapshot", "show", "app/2"]).expect(16);
    assert!(gone.stderr.contains("[E-FORGOTTEN]"), "{}", gone.stderr);

    let before = used(&world);
    pruned(&world);
    let freed = before - used(&world);
    assert!(freed > NOISE as u64 * 2, "{freed} bytes were freed");

    world.backupctl(&["verify", "--all"]).expect(0);
    world
        .as_admin(&["verify", "--all", "--level", "data"])
        .expect(0);
    let checked = json(&world, "repo-check", &["repo", "check"]);
    let checked = &checked["repositories"][0];
    assert_eq!(checked["faults"], serde_json::json!([]));
    assert_eq!(checked["unnamed"]["objects"], 0);
    restores(&world, 1);
    restores(&world, 6);
    // A number never comes twice.
    assert_eq!(world.backup()["snapshot"], name(7));
    world.assert_tidy();
}

/// From a plan that takes half of everything to the end of the prune.
fn pruned(world: &World) {
    let stats = json(world, "repo-stats", &["repo", "stats"]);
    let unnamed = stats["repositories"][0]["unnamed"]["bytes"]
        .as_u64()
        .unwrap();
    assert!(
        unnamed > NOISE as u64 * 2,
        "{unnamed} bytes are in nobody's name"
    );

    let plan = json(world, "prune-plan", &["prune", "plan"]);
    let plan = &plan["repositories"][0];
    assert_eq!(plan["name"], "main");
    assert_eq!(plan["needs_confirmation"], true);
    let refused = world.backupctl(&["prune", "apply", "--yes"]).expect(17);
    assert!(
        refused.stderr.contains("--confirm main"),
        "{}",
        refused.stderr
    );
    let refused = world.backupctl(&["prune", "apply"]).expect(17);
    assert!(
        refused.stderr.contains("[E-NOT-CONFIRMED]"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        json(world, "prune-plan", &["prune", "plan"])["repositories"][0],
        *plan
    );

    let apply = ["prune", "apply", "main", "--yes", "--confirm", "main"];
    let begun = json(world, "prune", &apply);
    assert_eq!(
        (&begun["state"], &begun["generation"]),
        (&"grace".into(), &1.into())
    );
    assert!(begun["until"].is_string(), "{begun}");
    let told = world
        .backupctl(&["prune", "apply", "--yes"])
        .expect(0)
        .text();
    assert!(told.contains("or now with --grace 0"), "{told}");
    let plan = json(world, "prune-plan", &["prune", "plan"]);
    assert_eq!(plan["repositories"][0]["begun"], true);

    let apply = ["prune", "apply", "--yes", "--grace", "0", "--wait"];
    let done = json(world, "prune", &apply);
    assert_eq!(done["state"], "done");
    assert_eq!(done["packs"]["bytes"], begun["packs"]["bytes"]);
    let nothing = world.backupctl(&apply).expect(0).text();
    assert_eq!(nothing, "main: nothing to prune\n");
}

#[test]
fn a_policy_is_tried_out_with_reasons() {
    let world = world(4);
    let hold = ["snapshot", "hold", "app/1", "--reason", "for the auditors"];
    world.backupctl(&hold).expect(0);
    let trial = [
        "retention",
        "preview",
        "--keep-last",
        "1",
        "--min-keep",
        "1",
    ];
    let plan = json(&world, "retention-plan", &trial);
    assert_eq!((&plan["stay"], &plan["go"]), (&2.into(), &2.into()));
    let verdicts = plan["jobs"][0]["plan"]["verdicts"].as_array().unwrap();
    let of = |verdict: &Value| (verdict["snapshot"].clone(), verdict["decision"].clone());
    let decided: Vec<_> = verdicts.iter().map(of).collect();
    let expected = [(4, "keep"), (3, "go"), (2, "go"), (1, "keep")];
    assert_eq!(
        decided,
        expected.map(|(number, word)| (name(number).into(), word.into()))
    );

    let text = world.backupctl(&trial).expect(0).text();
    assert!(text.starts_with("app: 2 snapshots stay, 2 go\n"), "{text}");
    for (number, why) in [
        (4, "stays  keep_last"),
        (3, "goes   no rule"),
        (1, "stays  held"),
    ] {
        let line = text.lines().find(|line| line.contains(&name(number)));
        assert!(line.unwrap().contains(why), "{text}");
    }
    let calendar = world
        .backupctl(&[&trial[..], &["--calendar"]].concat())
        .expect(0)
        .text();
    assert!(
        calendar.contains("Mo  Tu  We  Th  Fr  Sa  Su"),
        "{calendar}"
    );
    assert!(calendar.contains("+ stays   - goes"), "{calendar}");

    // A trial is only that: without a policy everything stays.
    let applied = json(&world, "retention", &["retention", "apply", "--yes"]);
    assert_eq!(applied["forgotten"], serde_json::json!([]));
    assert_eq!(listed(&world).len(), 4);
    let none = world.backupctl(&["retention", "preview"]).expect(0).text();
    assert!(
        none.contains("app: no policy, so nothing is ever forgotten"),
        "{none}"
    );
    assert!(none.contains("retention = { keep_last = 3"), "{none}");
    world
        .backupctl(&["retention", "apply", "--keep-last", "1", "-y"])
        .expect(2);
}

#[test]
fn the_policy_of_the_configuration_is_carried_out() {
    let world = world(6);
    let hold = ["snapshot", "hold", "app/1", "--reason", "for the auditors"];
    world.backupctl(&hold).expect(0);
    // Six of one day: the newest of the day, the two newest of all, and what is held.
    world.policy("keep_daily = 7, min_keep = 2");
    let plan = json(&world, "retention-plan", &["retention", "preview"]);
    assert_eq!(plan["trial"], false);
    let of = &plan["jobs"][0]["plan"];
    assert_eq!(
        (&of["policy"]["keep_daily"], &of["policy"]["time_zone"]),
        (&7.into(), &"Europe/Berlin".into())
    );
    // One flag changes one rule, for this answer only.
    let tried = ["retention", "preview", "app", "--min-keep", "3"];
    let tried = json(&world, "retention-plan", &tried);
    assert_eq!((&tried["trial"], &tried["stay"]), (&true.into(), &4.into()));
    assert_eq!(tried["jobs"][0]["plan"]["policy"]["keep_daily"], 7);
    assert_eq!((&plan["stay"], &plan["go"]), (&3.into(), &3.into()));

    // Nobody says yes, or nobody is to be asked: nothing changes.
    let before = repository(&world);
    let shown = world.backupctl(&["retention", "apply", "-n"]).expect(0);
    assert!(
        shown.text().contains("3 snapshots stay, 3 go"),
        "{}",
        shown.text()
    );
    let refused = world.backupctl(&["retention", "apply"]).expect(17);
    assert!(
        refused.stderr.contains("[E-NOT-CONFIRMED]"),
        "{}",
        refused.stderr
    );
    before.assert_same(&repository(&world));

    let applied = json(&world, "retention", &["retention", "apply", "--yes"]);
    assert_eq!(applied["forgotten"], serde_json::json!([2, 3, 4].map(name)));
    let gone = [
        "restore",
        "app/2",
        "--yes",
        "--to-folder",
        &world.path("gone"),
    ];
    let gone = world.as_admin(&gone).expect(16);
    assert!(
        gone.stderr.contains("(retention) [E-FORGOTTEN]"),
        "{}",
        gone.stderr
    );
    let again = world.backupctl(&["retention", "apply", "--yes"]).expect(0);
    assert_eq!(again.text(), "nothing to forget\n");

    let used_before = used(&world);
    let apply = [
        "prune",
        "apply",
        "--yes",
        "--confirm",
        "main",
        "--grace",
        "0",
    ];
    assert_eq!(json(&world, "prune", &apply)["state"], "done");
    let freed = used_before - used(&world);
    assert!(freed > NOISE as u64, "{freed} bytes were freed");
    assert_eq!(listed(&world), [1, 5, 6].map(name));
    world
        .as_admin(&["verify", "--all", "--level", "data"])
        .expect(0);
    for number in [1, 5, 6] {
        restores(&world, number);
    }
}

#[test]
fn a_wrong_policy_stops_all_that_would_follow_it() {
    let world = world(2);
    world.policy("keep_daily = 7, min_keep = 0");
    for args in [["retention", "preview"], ["retention", "apply"]] {
        let wrong = world.backupctl(&args).expect(18).stderr;
        assert!(wrong.contains("`min_keep` is 0"), "{wrong}");
        assert!(wrong.contains("config.toml:"), "{wrong}");
    }
    world.policy("keep_daily = 7");
    assert_eq!(listed(&world).len(), 2);
}

#[test]
fn what_is_read_is_pinned_by_a_host_that_may() {
    let world = world(1);
    // `cat` stands still when nobody takes what it writes: then it is looked at.
    let look = r#"
        mkfifo "$W/data"
        "$BACKUPCTL" --config "$W/$CONFIG" cat app config.tar --identity "$ID" >"$W/data" &
        { head -c 1 >"$W/first"; ls "$W/repo/pins" 2>/dev/null | wc -l; cat >"$W/rest"; } <"$W/data"
        wait $! || exit 99
        ls "$W/repo/pins" 2>/dev/null | wc -l
        rm "$W/data""#;
    let said = world.shell(look, &[("CONFIG", "config.toml")]).expect(0);
    assert_eq!(said.text(), "1\n0\n");
    // Somebody without a key may read as well.
    let text = fs::read_to_string(world.path("config.toml")).unwrap();
    let text = text.replace("/state\"", "/nothing\"");
    fs::write(world.path("reader.toml"), text).unwrap();
    let said = world.shell(look, &[("CONFIG", "reader.toml")]).expect(0);
    assert_eq!(said.text(), "0\n0\n");
}

#[test]
fn what_only_shows_changes_nothing() {
    let world = world(3);
    world.policy("keep_last = 1, min_keep = 1");
    let forget = ["snapshot", "forget", "app/1", "--yes", "--confirm", "app"];
    world.backupctl(&forget).expect(0);
    let before = repository(&world);
    for args in [
        &["snapshot", "hold", "app/2", "--reason", "why", "--dry-run"][..],
        &["snapshot", "release", "app/2", "--dry-run"],
        &["snapshot", "forget", "app/2", "app/3", "-n"],
        &["retention", "preview"],
        &["retention", "preview", "--calendar", "--keep-last", "1"],
        &["retention", "apply", "--dry-run"],
        &["prune", "plan"],
        &["prune", "apply", "--dry-run", "--grace", "0"],
        &["repo", "check"],
        &["repo", "stats"],
    ] {
        world.backupctl(args).expect(0);
        world.backupctl(&[args, &["--json"]].concat()).expect(0);
        before.assert_same(&repository(&world));
    }
    // What would be wanted and nobody said yes to, neither.
    world.backupctl(&["prune", "apply"]).expect(17);
    world.backupctl(&["snapshot", "forget", "app/2"]).expect(17);
    world.backupctl(&["retention", "apply"]).expect(17);
    before.assert_same(&repository(&world));
}

#[test]
fn a_wait_can_be_stopped_and_taken_up() {
    let world = world(2);
    let forget = ["snapshot", "forget", "app/1", "--yes", "--confirm", "app"];
    world.backupctl(&forget).expect(0);
    let wait = r#"
        mkfifo "$W/said"
        "$BACKUPCTL" --config "$W/config.toml" prune apply -y --confirm main --wait 2>"$W/said" &
        while read -r line; do
            case $line in waiting:*) kill -INT $!; break;; esac
        done <"$W/said"
        wait $!"#;
    world.shell(wait, &[]).expect(130);
    let plan = json(&world, "prune-plan", &["prune", "plan"]);
    assert_eq!(plan["repositories"][0]["begun"], true);
    let apply = ["prune", "apply", "--yes", "--grace", "0"];
    assert_eq!(json(&world, "prune", &apply)["state"], "done");
    restores(&world, 2);
}

#[test]
fn a_run_whose_record_is_lost_can_be_given_up() {
    let world = world(3);
    let record = world.dir.join("repo/snapshots/app/000002.json");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("\"kinds\"", "\"minds\"")).unwrap();
    let check = world.backupctl(&["repo", "check"]).expect(9).text();
    assert!(check.contains("snapshots/app/000002.json"), "{check}");
    let stuck = world.backupctl(&["prune", "plan"]).expect(9).stderr;
    assert!(stuck.contains("backupctl snapshot forget"), "{stuck}");

    let forget = ["snapshot", "forget", "app/2", "--yes", "--confirm", "app"];
    let ran = world.backupctl(&forget).expect(0);
    assert!(
        ran.stderr.contains("its record is damaged"),
        "{}",
        ran.stderr
    );
    let apply = [
        "prune",
        "apply",
        "--yes",
        "--confirm",
        "main",
        "--grace",
        "0",
    ];
    assert_eq!(json(&world, "prune", &apply)["state"], "done");
    world.backupctl(&["repo", "check"]).expect(0);
    world.backupctl(&["verify", "--all"]).expect(0);
    restores(&world, 1);
    restores(&world, 3);
}
