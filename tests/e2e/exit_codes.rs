//! Every exit status that `backupctl` has, each from a shell: the status, the `E-` code and what
//! the message names, in words and with `--json`.
//!
//! A script runs with `$W`, the world's folder, and `$J`, which is empty or `--json`; `b` is
//! `backupctl` with the world's configuration, `c` with one that `sed` made from it. What a script
//! makes is named `$W/made…` and is gone before the next.

use crate::{
    program::{Ran, need},
    world::World,
};

/// What all scripts begin with.
const PRELUDE: &str = r#"
set -u
b() { "$BACKUPCTL" $J --config "$W/config.toml" "$@"; }
c() { edit=$1; shift; sed "$edit" "$W/config.toml" >"$W/made.toml"; "$BACKUPCTL" $J --config "$W/made.toml" "$@"; }
r() { "$BACKUPCTL" $J --trust "$TRUST" --repository "$@"; }
rm -rf "$W"/made*
"#;

/// A line of the table.
struct Row {
    exit: i32,
    /// The code of the error, if the command fails instead of saying what it found.
    code: &'static str,
    /// What must be named in words.
    names: &'static str,
    script: &'static str,
}

const fn row(exit: i32, code: &'static str, names: &'static str, script: &'static str) -> Row {
    Row {
        exit,
        code,
        names,
        script,
    }
}

/// Runs the lines, in words and with `--json`, and fails with everything that is not so.
fn check(world: &World, rows: &[Row]) {
    let mut complaints = Vec::new();
    for row in rows {
        for json in ["", "--json"] {
            let script = format!("{PRELUDE}{}", row.script);
            let ran = world.shell(&script, &[("J", json)]);
            let complaint = if json.is_empty() {
                in_words(row, &ran)
            } else {
                in_json(row, &ran)
            };
            if let Some(complaint) = complaint {
                complaints.push(format!(
                    "{} {json}\n  {complaint}\n  status {:?}\n{}{}",
                    row.script,
                    ran.status,
                    ran.text(),
                    ran.stderr
                ));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

fn in_words(row: &Row, ran: &Ran) -> Option<String> {
    if ran.status != Some(row.exit) {
        return Some(format!("exit {} expected", row.exit));
    }
    let said = [&ran.text(), &ran.stderr[..]].concat();
    if !said.contains(row.names) {
        return Some(format!("`{}` is not named", row.names));
    }
    if row.code.is_empty() {
        return None;
    }
    // What is wrong with arguments is told by the parser, in its own way.
    let told = ran.stderr.contains("hint:") || ran.stderr.contains("because:");
    if !told || !ran.stderr.contains(&format!("[{}]\n", row.code)) {
        return Some(format!("`{}` with a cause or a hint expected", row.code));
    }
    None
}

fn in_json(row: &Row, ran: &Ran) -> Option<String> {
    if ran.status != Some(row.exit) {
        return Some(format!("exit {} expected", row.exit));
    }
    let mut errors = ran.messages();
    errors.retain(|message| message["type"] == "error");
    if row.code.is_empty() {
        return (!errors.is_empty()).then(|| "no error message expected".to_owned());
    }
    let [error] = &errors[..] else {
        return Some("one error message expected".to_owned());
    };
    let right = error["exit"] == row.exit
        && error["code"] == row.code
        && (error["hint"].is_string() || error["causes"][0].is_string())
        && error.to_string().contains(row.names);
    (!right).then(|| {
        format!(
            "exit {}, {} and `{}` expected",
            row.exit, row.code, row.names
        )
    })
}

#[test]
fn done_warned_and_misused() {
    let world = World::new();
    let rows = [
        row(0, "", "ok", "b config check"),
        row(0, "", "app/0000", "b backup app"),
        row(0, "", "app.dump", "b snapshot show app --identity \"$ID\""),
        row(0, "", "Usage", "[ -z \"$J\" ] || exec printf ''; b --help"),
        row(3, "", "/missing", "c 's,/src\",/missing\",' backup app"),
        row(
            2,
            "E-USAGE",
            "several jobs",
            "c 's,job.app,job.other,' backup other >\"$W/made\"; b verify; b restore latest --to-folder \"$W/made.out\" --identity \"$ID\"",
        ),
        row(
            2,
            "E-SECRET-IN-ARGUMENT",
            "password",
            "b restore app --to-database --server postgres://u:hunter2@h/d --identity \"$ID\"",
        ),
    ];
    check(&world, &rows[..5]);
    check(&world, &rows[6..]);
    for (script, names) in [
        ("b nonsense", "nonsense"),
        ("b backup", "JOB"),
        ("b verify --level nonsense", "nonsense"),
        ("b restore app", "--to-folder"),
        ("b backup 'no job'", "no job"),
    ] {
        let said = world
            .shell(&format!("{PRELUDE}{script}"), &[("J", "")])
            .expect(2);
        assert!(said.stderr.contains(names), "{}", said.stderr);
        let said = world
            .shell(&format!("{PRELUDE}{script}"), &[("J", "--json")])
            .expect(2);
        let error = said.message("error");
        assert_eq!(
            (&error["exit"], &error["code"]),
            (&2.into(), &"E-USAGE".into())
        );
    }
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let world = World::new();
    for command in ["version", "snapshot list", "recovery-script"] {
        let script = format!("{PRELUDE} b {command} >/dev/full");
        let said = world.shell(&script, &[("J", "")]).expect(1).stderr;
        assert!(
            said.contains("standard output could not be written [E-LOCAL-IO]"),
            "{said}"
        );
        assert!(said.contains("No space left on device"), "{said}");
    }
    // Somebody who stops reading is no failure.
    let script = format!(
        "{PRELUDE} {{ b recovery-script; echo $? >\"$W/made\"; }} | head -n1; cat \"$W/made\""
    );
    let said = world.shell(&script, &[("J", "")]).expect(0);
    assert_eq!(said.text(), "#!/bin/sh\n0\n");
}

#[test]
fn repositories() {
    let world = World::new();
    world.backup();
    check(
        &world,
        &[
            row(
                4,
                "",
                "app/000001",
                "cp -a \"$W/repo\" \"$W/made\"; for p in \"$W\"/made/packs/*/*; do truncate -s -1 \"$p\"; done; r \"$W/made\" verify --all",
            ),
            row(
                4,
                "",
                "app/000001",
                "cp -a \"$W/repo\" \"$W/made\"; for p in \"$W\"/made/packs/*/*; do rm \"$p\"; done; r \"$W/made\" verify app/1 --level data --identity \"$ID\"",
            ),
            row(
                4,
                "E-DAMAGED",
                "packs/",
                "cp -a \"$W/repo\" \"$W/made\"; for p in \"$W\"/made/packs/*/*; do truncate -s -1 \"$p\"; done; r \"$W/made\" cat app app.dump --identity \"$ID\"",
            ),
            row(
                9,
                "E-NOT-TRUSTED",
                "RW",
                "\"$BACKUPCTL\" --json init --repository \"$W/made\" --keys \"$W/made.keys\" --state \"$W/made.state\" >\"$W/made.txt\"; c \"s,^trust = .*,trust = $(jq .trust \"$W/made.txt\"),\" snapshot list",
            ),
            row(
                9,
                "E-NOT-TRUSTED",
                "RW",
                "\"$BACKUPCTL\" $J --repository \"$W/repo\" snapshot list",
            ),
            row(
                9,
                "E-REPOSITORY-NEWER",
                "format",
                "cp -a \"$W/repo\" \"$W/made\"; sed -i 's/\"format\":0/\"format\":7/' \"$W/made/repository.json\"; r \"$W/made\" snapshot list",
            ),
            row(
                9,
                "E-REPOSITORY-DAMAGED",
                "repository.json",
                "cp -a \"$W/repo\" \"$W/made\"; sed -i 's/\"created\":\"2/\"created\":\"3/' \"$W/made/repository.json\"; r \"$W/made\" snapshot list",
            ),
            row(
                9,
                "E-REPOSITORY-DAMAGED",
                "trust/1.json",
                "cp -a \"$W/repo\" \"$W/made\"; rm \"$W/made/trust/1.json\"; r \"$W/made\" snapshot list",
            ),
            row(
                9,
                "E-NOT-A-REPOSITORY",
                "/src",
                "r \"$W/src\" snapshot list",
            ),
            row(
                10,
                "E-REPOSITORY-MISSING",
                "/made",
                "r \"$W/made\" snapshot list",
            ),
            row(
                10,
                "E-REPOSITORY-MISSING",
                "/made",
                "mkdir \"$W/made\"; r \"$W/made\" verify",
            ),
            row(
                11,
                "E-BUSY",
                "app",
                "b backup app >\"$W/made\" && flock \"$W\"/state/*/app.lock \"$BACKUPCTL\" $J --config \"$W/config.toml\" backup app",
            ),
            row(
                14,
                "E-STORE",
                "config.toml",
                "r \"$W/config.toml\" snapshot list",
            ),
            row(
                14,
                "E-STORE",
                "packs",
                "cp -a \"$W/repo\" \"$W/made\"; rm -r \"$W/made/packs\"; echo >\"$W/made/packs\"; c 's,/repo\",/made\",' backup app",
            ),
            row(16, "E-NO-SNAPSHOT", "app/000099", "b snapshot show app/99"),
            row(16, "E-NO-JOB", "nothing", "b backup nothing"),
            row(16, "E-NO-JOB", "nothing", "b verify nothing"),
            row(
                16,
                "E-NO-STREAM",
                "nothing.dump",
                "b cat app nothing.dump --identity \"$ID\"",
            ),
            row(
                16,
                "E-NO-SNAPSHOT",
                "no snapshots",
                "\"$BACKUPCTL\" --json init --repository \"$W/made\" --keys \"$W/made.keys\" --state \"$W/made.state\" >\"$W/made.txt\"; \"$BACKUPCTL\" $J --repository \"$W/made\" --trust \"$(jq -r .trust \"$W/made.txt\")\" verify",
            ),
            row(
                17,
                "E-REPOSITORY-EXISTS",
                "/repo",
                "r \"$W/repo\" init --keys \"$W/made\"",
            ),
        ],
    );
}

#[test]
fn identities_and_targets() {
    let world = World::new();
    world.backup();
    check(
        &world,
        &[
            row(
                12,
                "E-WRONG-IDENTITY",
                "of epoch 1",
                "age-keygen -o \"$W/made\" 2>\"$W/made.txt\"; b cat app app.dump --identity \"$W/made\"",
            ),
            row(
                12,
                "E-WRONG-IDENTITY",
                "of epoch 1",
                "age-keygen -o \"$W/made\" 2>\"$W/made.txt\"; b restore app --to-folder \"$W/made.out\" -y --identity \"$W/made\"",
            ),
            row(
                12,
                "E-IDENTITY-INVALID",
                "/made",
                "umask 077; age-keygen -y \"$ID\" >\"$W/made\"; b cat app app.dump --identity \"$W/made\"",
            ),
            row(
                12,
                "E-IDENTITY-INVALID",
                "/made",
                "cp \"$ID\" \"$W/made\"; chmod 644 \"$W/made\"; b cat app app.dump --identity \"$W/made\"",
            ),
            row(
                12,
                "E-IDENTITY-INVALID",
                "/made",
                "b cat app app.dump --identity \"$W/made\"",
            ),
            row(12, "E-IDENTITY-MISSING", "identity", "b cat app app.dump"),
            row(
                12,
                "E-IDENTITY-MISSING",
                "identity",
                "b verify --level data",
            ),
            row(
                12,
                "E-WRITER-REFUSED",
                "writer.key",
                "c 's,/state\",/made\",' backup app",
            ),
            row(
                17,
                "E-TARGET-NOT-EMPTY",
                "/src",
                "b restore app --to-folder \"$W/src\" -y --identity \"$ID\"",
            ),
            row(
                17,
                "E-TARGET-NOT-EMPTY",
                "app",
                "b restore app --to-database=app -y --identity \"$ID\"",
            ),
            row(
                17,
                "E-NOT-CONFIRMED",
                "yes",
                "b restore app --to-folder \"$W/made\" --identity \"$ID\"",
            ),
        ],
    );
}

#[test]
fn sources_and_configurations() {
    let world = World::new();
    world.psql("postgres", "create role other login password 'unused'");
    check(
        &world,
        &[
            row(
                8,
                "E-PROGRAM-MISSING",
                "`pg_dump`",
                "mkdir \"$W/made.bin\"; c \"s,^password,bin_dir = \\\"$W/made.bin\\\"\\n&,\" backup app",
            ),
            row(
                13,
                "E-PG-CONNECT",
                "/made",
                "c \"s,host = [^,]*,host = \\\"$W/made\\\",\" backup app",
            ),
            row(
                13,
                "E-PG-AUTH",
                "postgres",
                "umask 077; echo wrong >\"$W/made\"; c 's,pg.password,made,' backup app",
            ),
            row(
                13,
                "E-PG-DATABASE",
                "nothing",
                "c 's,dbname = \"app\",dbname = \"nothing\",' backup app",
            ),
            row(18, "E-CONFIG", "config", "c 's/^paths/pathes/' backup app"),
            row(
                18,
                "E-CONFIG",
                "password",
                "chmod 644 \"$W/pg.password\"; b backup app; status=$?; chmod 600 \"$W/pg.password\"; exit $status",
            ),
            row(
                18,
                "E-CONFIG-MISSING",
                "/made",
                "\"$BACKUPCTL\" $J --config \"$W/made\" backup app",
            ),
        ],
    );
    let script = format!("{PRELUDE} c 's/^paths/pathes/' config check");
    let said = world.shell(&script, &[("J", "")]).expect(18).stderr;
    assert!(said.contains("pathes") && said.contains("paths"), "{said}");
    let said = world.shell(&script, &[("J", "--json")]).expect(18);
    assert_eq!(said.message("config-check")["ok"], false);
}

#[test]
fn a_dump_that_fails_half_way_leaves_no_snapshot() {
    let world = World::new();
    check(
        &world,
        &[row(
            13,
            "E-PG-DUMP",
            "half-way",
            r#"mkdir "$W/made.bin"; cd "$W/made.bin"; real=$(dirname "$(realpath /usr/lib/postgresql/*/bin/pg_dump | tail -n1)")
            ln -s "$real/pg_dumpall" "$real/pg_restore" .
            printf '#!/bin/sh\n[ "$1" != --version ] || exec %s --version\n%s "$@" | head -c 5000\necho "pg_dump: error: half-way" >&2\nexit 1\n' "$real/pg_dump" "$real/pg_dump" >pg_dump
            chmod 755 pg_dump
            c "s,^password,bin_dir = \"$W/made.bin\"\n&," backup app"#,
        )],
    );
    let list = world.backupctl(&["--json", "snapshot", "list"]).expect(0);
    for run in list.message("snapshots")["snapshots"].as_array().unwrap() {
        assert_eq!(
            (&run["end"], &run["reason"]),
            (&"aborted".into(), &"E-PG-DUMP".into())
        );
    }
    world.backup();
}

#[test]
fn a_full_disk_is_told_and_leaves_the_repository_whole() {
    need("unshare");
    need("mount");
    let world = World::new();
    let can = "unshare -m mount -t tmpfs -o size=4m none \"$W/src\"";
    let said = world.shell(can, &[]);
    assert_eq!(
        said.status,
        Some(0),
        "this needs to mount a tmpfs in a namespace of its own: run it as root or in a \
         container with CAP_SYS_ADMIN: {}",
        said.stderr
    );
    let script = r#"mkdir "$W/made"; export W J BACKUPCTL
        head -c 12000000 /dev/urandom >"$W/made.random"
        sed "s,/repo\",/made/repo\"," "$W/config.toml" | sed "s,/src\",/made.random\"," >"$W/made.toml"
        exec unshare -m sh -c '
            mount -t tmpfs -o size=4m none "$W/made" && cp -a "$W/repo" "$W/made/repo" || exit 99
            "$BACKUPCTL" $J --config "$W/made.toml" backup app
            status=$?
            "$BACKUPCTL" --config "$W/made.toml" -q snapshot list >&2
            exit $status'"#;
    check(&world, &[row(15, "E-NO-SPACE", "packs/", script)]);
}
