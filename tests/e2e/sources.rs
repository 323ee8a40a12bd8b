//! What a source takes and what it leaves: patterns, sizes, commands that end well and badly.

use std::fs;

use serde_json::Value;

use crate::world::{JOB, World};

#[test]
fn what_is_left_out_is_said_and_makes_nothing_partial() {
    let world = World::new();
    let src = world.dir.join("src");
    for (name, size) in [
        (".cache/x", 9),
        ("cache/tiktoken/words", 9),
        ("big.bin", 2049),
        ("fits.bin", 2048),
        ("webui.db-wal", 9),
        ("webui.db-shm", 9),
    ] {
        fs::create_dir_all(src.join(name).parent().unwrap()).unwrap();
        fs::write(src.join(name), vec![b'x'; size]).unwrap();
    }
    world.sources(&format!(
        "§ \"files\"\nname = \"config\"\npaths = [\"{}\"]\nexclude = [\"**/.cache\", \"*.toml\"]\n\
         preset = \"open-webui\"\nmax_file_size = \"2KiB\"\n",
        src.display()
    ));
    let report = world.backup();
    assert_eq!(report["complete"], true, "{report}");
    assert_eq!(report["warnings"], Value::Array(Vec::new()));

    let tar = world.as_admin(&["cat", JOB, "config.tar"]).expect(0).stdout;
    fs::write(world.dir.join("config.tar"), tar).unwrap();
    let listed = world.shell("tar -tf \"$W/config.tar\" | sed -n 's|.*/src/||p'", &[]);
    let listed = listed.expect(0).text();
    let names: Vec<_> = listed.lines().collect();
    let kept = [
        ".env",
        "cache",
        "cache/tiktoken",
        "fits.bin",
        "webui.db-wal",
    ];
    assert_eq!(names, kept);

    let shown = world.as_admin(&["snapshot", "show", JOB]).expect(0).text();
    assert!(shown.contains("4 left out by `exclude`"), "{shown}");
    assert!(shown.contains("1 left out as too large:"), "{shown}");
    assert!(shown.contains("src/big.bin: 2.0 KiB"), "{shown}");
}

/// By `backupctl` as by the daemon: what is around a job's backups does not depend on who runs it.
#[test]
fn hooks_run_around_a_backup_and_see_how_it_went() {
    let world = World::new();
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let note = format!(
        "echo $BACKUPD_JOB $BACKUPD_OUTCOME >>{}",
        world.path("notes")
    );
    let hook = |script: &str| format!("[{{ run = [\"sh\", \"-c\", \"{script}\"] }}]");
    let hooks = format!(
        "limit = \"90m\"\n[job.app.hooks]\nbefore = {}\nafter = {}\nfailed = {}\nfinally = {}\n",
        hook(&format!(
            "touch {}; {note}",
            world.path("src/made-by-a-hook")
        )),
        hook("echo all is well; exit 3"),
        hook(&note),
        hook(&note),
    );
    let hooked = config.replacen("[job.app]\n", &format!("[job.app]\n{hooks}"), 1);
    assert_ne!(hooked, config);
    fs::write(&path, &hooked).unwrap();
    let ran = world.backupctl(&["--json", "backup", JOB]).expect(3);
    let report = ran.message("backup");
    assert_eq!(report["complete"], true, "{report}");
    let warning = &report["warnings"][0];
    assert_eq!(warning["code"], "E-HOOK", "{report}");
    assert_eq!(
        warning["causes"][0],
        "`sh` failed with exit status 3: all is well"
    );
    let listed = world
        .as_admin(&["snapshot", "ls", JOB, "--recursive"])
        .expect(0);
    assert!(
        listed.text().contains("made-by-a-hook"),
        "{}",
        listed.text()
    );
    let notes = fs::read_to_string(world.path("notes")).unwrap();
    assert_eq!(notes, "app running\napp warnings\n");
    // Others are told how long it may take.
    let session = fs::read_to_string(world.path("repo/sessions/app/000001.json")).unwrap();
    assert!(session.contains("\"limit_secs\":5400"), "{session}");

    let broken = hooked
        .replace("/src\"", "/nowhere\"")
        .replace("dbname = \"app\"", "dbname = \"no\"");
    fs::write(&path, broken).unwrap();
    world.backupctl(&["backup", JOB]).expect(13);
    let notes = fs::read_to_string(world.path("notes")).unwrap();
    assert!(
        notes.ends_with("app running\napp failed\napp failed\n"),
        "{notes}"
    );
}

#[test]
fn a_command_is_a_source_if_it_ends_well() {
    let world = World::new();
    let command = |script: &str, more: &str| {
        world.sources(&format!(
            "§ \"command\"\nname = \"numbers\"\ncommand = [\"sh\", \"-c\", \"{script}\"]\n{more}\n"
        ));
    };
    command("seq 100000; pwd", "");
    let report = world.backup();
    assert_eq!(report["streams"][0]["kind"], "command", "{report}");
    let numbers: Vec<_> = (1..=100_000)
        .map(|number: u32| number.to_string())
        .collect();
    let expected = numbers.join("\n") + "\n";
    let taken = world.as_admin(&["cat", JOB, "numbers.out"]).expect(0);
    assert!(taken.text() == expected.clone() + "/\n");
    world.backupctl(&["verify", JOB]).expect(0);

    // The script that needs none of us gives it, too; a restore leaves it to `cat`.
    let script = "\"$BACKUPCTL\" recovery-script >\"$W/recover\" && sh \"$W/recover\" restore \
                  \"$W/repo\" app/1 numbers.out --to \"$W/numbers\" --identity \"$ID\" --trust \"$TRUST\"";
    let said = world.shell(script, &[]).expect(0).text();
    assert!(said.contains("what the command wrote"), "{said}");
    let written = fs::read_to_string(world.dir.join("numbers")).unwrap();
    assert!(written == expected + "/\n");

    for (script, more, message) in [
        (
            "seq 10; echo no more >&2; exit 7",
            "",
            "`sh` failed with exit status 7: no more",
        ),
        (
            "seq 10; exec sleep 600",
            "stall_timeout = \"1s\"",
            "`sh` wrote nothing for 1 s and was stopped",
        ),
        (
            "exec yes",
            "max_bytes = \"3MiB\"",
            "`sh` wrote more than the 3145728 bytes that it may, and was stopped",
        ),
    ] {
        command(script, more);
        let ran = world.backupctl(&["backup", JOB]).expect(13);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
    // Of those nothing is left that could be taken for a snapshot, and the next run is right.
    command("echo done", "");
    assert_eq!(world.backup()["snapshot"], "app/000005");
}
