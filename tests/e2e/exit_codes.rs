//! Every exit status that `backupctl` has, each from a shell: the status, the `E-` code and what
//! the message names, in words and with `--json`.
//!
//! A table is text: `STATUS CODE NOUN`, below it an indented script; `-` is for a command that
//! says what it found instead of failing. A script runs with `$W`, the world's folder, and `$J`,
//! which is empty or `--json`; `b` is `backupctl` with the world's configuration, `c` with one
//! that `sed` made from it, `p` with one that has this policy, `r` with a repository and the trusted key. What a script makes is
//! named `$W/made…` and is gone before the next.

use std::collections::BTreeSet;

use backup_model::Code;

use crate::{
    program::{Ran, need},
    world::World,
};

/// What all scripts begin with.
const PRELUDE: &str = r#"
set -u
b() { "$BACKUPCTL" $J --config "$W/config.toml" "$@"; }
c() { edit=$1; shift; sed "$edit" "$W/config.toml" >"$W/made.toml"; "$BACKUPCTL" $J --config "$W/made.toml" "$@"; }
p() { cp "$W/config.toml" "$W/made.toml"; printf '[defaults]\ntimezone = "UTC"\nretention = { %s }\n' "$1" >>"$W/made.toml"; shift; "$BACKUPCTL" $J --config "$W/made.toml" "$@"; }
r() { repo=$1; shift; "$BACKUPCTL" $J --trust "$TRUST" --repository "$repo" "$@"; }
copy() { cp -a "$W/repo" "$W/made"; }
cut_packs() { for pack in "$W"/made/packs/*/*; do truncate -s -1 "$pack"; done; }
other() { "$BACKUPCTL" --json init --repository "$W/made" --keys "$W/made.keys" --state "$W/made.state" | jq -r .trust; }
stranger() { age-keygen -o "$W/made" 2>"$W/made.said"; }
# Programs that pass for PostgreSQL's: links to the real ones but for one, which is standard input.
fake() {
    mkdir "$W/made.bin"
    for program in pg_dump pg_dumpall pg_restore; do ln -s "$REAL/$program" "$W/made.bin/"; done
    rm "$W/made.bin/$1"; cat >"$W/made.bin/$1"; chmod 755 "$W/made.bin/$1"
}
# Root without the right to read everything, or whoever we are.
mortal() { if [ "$(id -u)" = 0 ]; then setpriv --bounding-set=-dac_override,-dac_read_search "$@"; else "$@"; fi; }
REAL=$(dirname "$(realpath /usr/lib/postgresql/*/bin/pg_dump | tail -n1)")
chmod -Rf u+rwX "$W"/made*; rm -rf "$W"/made* "$W/state/seen"
"#;

const SUCCESS: &str = r#"
0 - ok
    b config check
0 - app/0000
    b backup app
0 - app.dump
    b snapshot show app --identity "$ID"
3 - /missing
    c 's,/src",/missing",' backup app
3 - settings.toml
    chmod 0 "$W/src/settings.toml"
    sed '/^kind = "postgres"/,/^\[\[/d' "$W/config.toml" >"$W/made.toml"
    mortal "$BACKUPCTL" $J --config "$W/made.toml" backup app
    status=$?
    chmod 644 "$W/src/settings.toml"
    exit $status
"#;

/// As a monitoring probe asks, where no daemon runs.
const CHECKS: &str = r#"
7 - no run yet
    c 's,job.app,job.other,' status --check
5 - recovery kit
    b backup app >"$W/made.said"; b status --check
6 - cannot be read
    c 's,/repo",/made",' status --check
5 - no daemon answers
    c 's,^.job.app.$,&\nschedule = "every 6h",' status --check
16 E-NO-JOB nothing
    b status --check --job nothing
16 E-NO-RUN no run ledger
    b job cancel ABCDEF
16 E-NO-RUN no run ledger
    b run show ABCDEF
20 E-DAEMON no daemon
    b backup app --detach
"#;

const USAGE: &str = r#"
2 E-SECRET-IN-ARGUMENT password
    b restore app --to-database --server postgres://u:hunter2@h/d --identity "$ID"
2 E-USAGE several jobs
    c 's,job.app,job.other,' backup other >"$W/made.said"
    b restore latest --to-folder "$W/made" --identity "$ID"
2 E-USAGE --repository
    "$BACKUPCTL" $J init --keys "$W/made"
"#;

const REPOSITORIES: &str = r#"
4 - app/000001
    copy; cut_packs; r "$W/made" verify --all
4 - app/000001
    copy; rm "$W"/made/packs/*/*; r "$W/made" verify app/1 --level data --identity "$ID"
4 E-DAMAGED packs/
    copy; cut_packs; r "$W/made" cat app app.dump --identity "$ID"
4 E-DAMAGED packs/
    copy; cut_packs; r "$W/made" restore app --to-folder "$W/made.out" -y --identity "$ID"
9 E-NOT-TRUSTED RW
    trust=$(other); c "s,^trust = .*,trust = \"$trust\"," snapshot list
9 E-NOT-TRUSTED RW
    "$BACKUPCTL" $J --repository "$W/repo" snapshot list
9 E-REPOSITORY-NEWER format
    copy; sed -i 's/"format":0/"format":7/' "$W/made/repository.json"; r "$W/made" snapshot list
9 E-REPOSITORY-DAMAGED repository.json
    copy; sed -i 's/"created":"2/"created":"3/' "$W/made/repository.json"; r "$W/made" verify
9 E-REPOSITORY-DAMAGED trust/1.json
    copy; rm "$W/made/trust/1.json"; r "$W/made" snapshot list
9 E-REPOSITORY-ROLLED-BACK snapshots/app/000002.json
    copy; c 's,/repo",/made",' backup app >"$W/made.said"; rm "$W"/made/s*/app/000002.json
    c 's,/repo",/made",' backup app
9 E-NOT-A-REPOSITORY /src
    r "$W/src" snapshot list
10 E-REPOSITORY-MISSING /made
    r "$W/made" snapshot list
10 E-REPOSITORY-MISSING /made
    mkdir "$W/made"; r "$W/made" verify
11 E-BUSY app
    b backup app >"$W/made.said"
    flock "$W"/state/*/app.lock "$BACKUPCTL" $J --config "$W/config.toml" backup app
14 E-STORE config.toml
    r "$W/config.toml" snapshot list
14 E-STORE packs
    copy; rm -r "$W/made/packs"; echo >"$W/made/packs"; c 's,/repo",/made",' backup app
14 E-STORE-DENIED repository.json
    copy; chmod 0 "$W/made/repository.json"
    mortal "$BACKUPCTL" $J --repository "$W/made" --trust "$TRUST" snapshot list
16 E-NO-SNAPSHOT app/000099
    b snapshot show app/99
16 E-NO-SNAPSHOT no snapshots
    trust=$(other); "$BACKUPCTL" $J --repository "$W/made" --trust "$trust" verify
16 E-NO-JOB nothing
    b backup nothing
16 E-NO-JOB nothing
    b verify nothing
16 E-NO-STREAM nothing.dump
    b cat app nothing.dump --identity "$ID"
17 E-REPOSITORY-EXISTS /repo
    r "$W/repo" init --keys "$W/made"
17 E-TARGET-NOT-EMPTY /src
    r "$W/src" init --keys "$W/made"
1 E-LOCAL-IO config.toml
    r "$W/made" init --keys "$W/config.toml"
"#;

const IDENTITIES: &str = r#"
12 E-WRONG-IDENTITY of epoch 1
    stranger; b cat app app.dump --identity "$W/made"
12 E-WRONG-IDENTITY of epoch 1
    stranger; b restore app --to-folder "$W/made.out" -y --identity "$W/made"
12 E-IDENTITY-INVALID /made
    umask 077; age-keygen -y "$ID" >"$W/made"; b cat app app.dump --identity "$W/made"
12 E-IDENTITY-INVALID /made
    cp "$ID" "$W/made"; chmod 644 "$W/made"; b cat app app.dump --identity "$W/made"
12 E-IDENTITY-INVALID /made
    b cat app app.dump --identity "$W/made"
12 E-IDENTITY-MISSING identity
    b cat app app.dump
12 E-IDENTITY-MISSING identity
    b verify --level data
12 E-IDENTITY-MISSING key
    b kit create --out "$W/made"
12 E-IDENTITY-MISSING passphrase
    b kit create --passphrase --out "$W/made"
12 E-WRONG-IDENTITY age1
    stranger; b kit create --identity "$W/made" --out "$W/made.kit"
12 E-KIT-INVALID its check does not hold
    b kit create --identity "$ID" --out "$W/made" >"$W/made.said"
    sed -i 's/ made 2/ made 3/' "$W/made"; b kit confirm "$W/made"
12 E-KIT-INVALID no line of a kit
    echo '# nothing' >"$W/made"; b kit print "$W/made"
12 E-KIT-MISMATCH of repository
    trust=$(other)
    "$BACKUPCTL" --repository "$W/made" --trust "$trust" kit create --identity "$W/made.keys/admin.key" --out "$W/made.kit" >"$W/made.said"
    b kit confirm "$W/made.kit"
17 E-TARGET-REFUSED /repo
    b kit create --identity "$ID" --out "$W/repo/kit.txt"
17 E-TARGET-REFUSED /state
    b kit create --identity "$ID" --out "$W/state/kit.txt"
17 E-TARGET-NOT-EMPTY /made
    echo >"$W/made"; b kit create --identity "$ID" --out "$W/made"
12 E-WRITER-REFUSED writer.key
    c 's,/state",/made",' backup app
17 E-TARGET-NOT-EMPTY /src
    b restore app --to-folder "$W/src" -y --identity "$ID"
17 E-TARGET-NOT-EMPTY app
    b restore app --to-database=app -y --identity "$ID"
17 E-NOT-CONFIRMED yes
    b restore app --to-folder "$W/made" --identity "$ID"
"#;

/// On three backups, of which the first is held and the third forgotten.
const KEEPING: &str = r#"
0 - for a test
    b snapshot hold app/1 --reason again --dry-run
0 - app/000002
    b snapshot forget app/2 --dry-run
0 - app/000002
    b snapshot release app/2
0 - main
    b prune plan
0 - main
    b repo check
0 - main
    b repo stats main
0 - app
    b retention preview
4 - packs/
    copy; rm "$W"/made/packs/*/*; r "$W/made" repo check
9 - app/000001.json
    copy; sed -i s/kinds/minds/ "$W/made/snapshots/app/000001.json"; r "$W/made" repo check
2 E-USAGE several jobs
    b snapshot forget app/1 other/1 -y --confirm app
2 E-USAGE main, second
    c "s,^\[job.app\]\$,[repository.second]\nurl = \"file://$W/made.second\"\ntrust = \"$TRUST\"\n&\nrepository = \"main\"," prune apply -y
10 E-REPOSITORY-MISSING nowhere
    b prune apply nowhere -y
10 E-REPOSITORY-MISSING nowhere
    b repo check nowhere
12 E-WRITER-REFUSED writer.key
    c 's,/state",/made",' snapshot release app/1
16 E-NO-SNAPSHOT app/000099
    b snapshot hold app/99 --reason why
16 E-NO-SNAPSHOT app/000099
    b snapshot forget app/99 -y --confirm app
16 E-NO-JOB nothing
    b retention preview nothing
16 E-NO-JOB nothing
    b snapshot forget nothing/1 -y --confirm nothing
16 E-FORGOTTEN app/000003
    b snapshot show app/3
16 E-FORGOTTEN app/000003
    b snapshot hold app/3 --reason why
16 E-FORGOTTEN app/000003
    b restore app/3 --to-folder "$W/made" -y --identity "$ID"
17 E-NOT-CONFIRMED yes
    b snapshot release app/1 >"$W/made.said"
    p 'keep_last = 1, min_keep = 1' retention apply
    status=$?
    b snapshot hold app/1 --reason 'for a test' >"$W/made.said"
    exit $status
0 - stays  held
    p 'keep_last = 1, min_keep = 1' retention apply --dry-run
18 E-CONFIG config
    p 'keep_last = 1, min_keep = 0' retention apply -y
18 E-CONFIG config
    p '' retention preview app --keep-last 1
17 E-HELD for a test
    b snapshot forget app/1 -y --confirm app
17 E-HELD for a test
    b snapshot forget app/1 --dry-run
3 - E-RETAINED
    copy; chmod 555 "$W/made/snapshots/app"; sed 's,/repo",/made",' "$W/config.toml" >"$W/made.toml"
    mortal "$BACKUPCTL" $J --config "$W/made.toml" snapshot forget app/2 -y --confirm app
0 - they are locked
    copy; chmod 555 "$W"/made/packs/*; sed 's,/repo",/made",' "$W/config.toml" >"$W/made.toml"
    mortal "$BACKUPCTL" $J --config "$W/made.toml" prune apply -y --confirm main --grace 0
17 E-POLICY Nowhere
    b retention preview --keep-last 7 --time-zone Europe/Nowhere
17 E-POLICY keep
    b retention preview app --keep-last 0
17 E-NOT-CONFIRMED --confirm app
    b snapshot forget app/2 -y
17 E-NOT-CONFIRMED --yes --confirm app
    b snapshot forget app/2
17 E-NOT-CONFIRMED `other`
    b snapshot forget app/2 -y --confirm other
"#;

const SOURCES: &str = r#"
8 E-PROGRAM-MISSING `pg_dump`
    mkdir "$W/made.bin"; c "s,^password,bin_dir = \"$W/made.bin\"\n&," backup app
13 E-PG-CONNECT /made
    c "s,host = [^,]*,host = \"$W/made\"," backup app
13 E-PG-AUTH postgres
    umask 077; echo wrong >"$W/made"; c 's,pg.password,made,' backup app
13 E-PG-DATABASE nothing
    c 's,dbname = "app",dbname = "nothing",' backup app
13 E-PG-TOO-OLD 9
    printf '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n' | fake pg_dump
    c "s,^password,bin_dir = \"$W/made.bin\"\n&," backup app
13 E-PG-DUMP half-way
    fake pg_dump <<END
#!/bin/sh
[ "\$1" != --version ] || exec $REAL/pg_dump --version
$REAL/pg_dump "\$@" | head -c 5000
echo "pg_dump: error: half-way" >&2
exit 1
END
    c "s,^password,bin_dir = \"$W/made.bin\"\n&," backup app
1 E-PG-RESTORE half-way
    b backup app >"$W/made.said"
    printf '#!/bin/sh\necho "pg_restore: error: half-way" >&2\nexit 1\n' | fake pg_restore
    c "s,^password,bin_dir = \"$W/made.bin\"\n&," restore app --to-database=back -y --identity "$ID"
1 E-HOOK not today
    c 's/^\[job.app\]$/&\nhooks.before = [{ run = ["sh", "-c", "echo not today; exit 1"] }]/' backup app
18 E-CONFIG config
    c 's/^paths/pathes/' backup app
18 E-CONFIG pg.password
    chmod 644 "$W/pg.password"; b backup app; status=$?; chmod 600 "$W/pg.password"; exit $status
18 E-CONFIG-MISSING /made
    "$BACKUPCTL" $J --config "$W/made" backup app
"#;

const DISK: &str = r#"
15 E-NO-SPACE packs/
    mkdir "$W/made"; head -c 12000000 /dev/urandom >"$W/made.random"
    sed "s,/repo\",/made/repo\",;s,/src\",/made.random\"," "$W/config.toml" >"$W/made.toml"
    export J; exec unshare -m sh -c '
        mount -t tmpfs -o size=4m none "$W/made" && cp -a "$W/repo" "$W/made/repo" || exit 99
        "$BACKUPCTL" $J --config "$W/made.toml" backup app
        status=$?
        "$BACKUPCTL" --config "$W/made.toml" -q snapshot list >&2 || exit 98
        exit $status'
"#;

/// Statuses that other tests have, as they are about more than one line: signals, and what only a
/// daemon answers.
const ELSEWHERE: [u8; 3] = [19, 130, 143];

/// An entry of a table.
struct Row {
    exit: i32,
    /// The code of the error; empty if the command says what it found instead.
    code: &'static str,
    /// What must be named in words.
    names: &'static str,
    script: String,
}

fn rows(table: &'static str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in table.lines().skip(1) {
        if !line.starts_with(|first: char| first.is_ascii_digit()) {
            let row = rows.last_mut().unwrap();
            row.script.extend(["\n", line]);
            continue;
        }
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap();
        rows.push(Row {
            exit: word().parse().unwrap(),
            code: Some(word()).filter(|&code| code != "-").unwrap_or_default(),
            names: word(),
            script: String::new(),
        });
    }
    rows
}

/// Runs the lines, in words and with `--json`, and fails with everything that is not so.
fn check(world: &World, table: &'static str) {
    let mut complaints = Vec::new();
    for row in rows(table) {
        for json in ["", "--json"] {
            let script = format!("{PRELUDE}{}", row.script);
            let ran = world.shell(&script, &[("J", json)]);
            let complaint = if json.is_empty() {
                in_words(&row, &ran)
            } else {
                in_json(&row, &ran)
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
fn every_status_has_a_line() {
    let tables = [
        SUCCESS,
        CHECKS,
        USAGE,
        REPOSITORIES,
        IDENTITIES,
        KEEPING,
        SOURCES,
        DISK,
    ];
    let rows: Vec<Row> = tables.into_iter().flat_map(rows).collect();
    let tested: BTreeSet<i32> = rows.iter().map(|row| row.exit).collect();
    for code in Code::ALL {
        let exit = code.exit();
        let known = tested.contains(&exit.into()) || ELSEWHERE.contains(&exit);
        assert!(known, "no line ends with {exit}, of {code}");
    }
    for row in rows.iter().filter(|row| !row.code.is_empty()) {
        let code = Code::ALL.iter().find(|code| code.as_str() == row.code);
        let code = code.unwrap_or_else(|| panic!("there is no {}", row.code));
        assert_eq!(i32::from(code.exit()), row.exit, "{code}");
    }
}

#[test]
fn done_with_and_without_warnings() {
    need("setpriv");
    check(&World::new(), SUCCESS);
}

#[test]
fn as_monitoring_asks() {
    check(&World::new(), CHECKS);
}

#[test]
fn misused() {
    let world = World::new();
    world.backup();
    check(&world, USAGE);
    // What is wrong with arguments is told by their parser, in its own way.
    for (script, names) in [
        ("b nonsense", "nonsense"),
        ("b backup", "JOB"),
        ("b verify --level nonsense", "nonsense"),
        ("b restore app", "--to-folder"),
        ("b backup 'no job'", "no job"),
        ("b snapshot hold app", "--reason"),
        ("b snapshot hold app --reason ''", "200 bytes"),
        ("b snapshot forget app", "app"),
        ("b prune apply --grace 24", "no unit"),
        ("b retention preview --keep-within 1y", "`y`"),
    ] {
        let script = format!("{PRELUDE}{script}");
        let said = world.shell(&script, &[("J", "")]).expect(2);
        assert!(said.stderr.contains(names), "{}", said.stderr);
        let said = world.shell(&script, &[("J", "--json")]).expect(2);
        let error = said.message("error");
        let expected = (&2.into(), &"E-USAGE".into());
        assert_eq!((&error["exit"], &error["code"]), expected);
        let variable = format!("export BACKUPCTL_JSON=1; {script}");
        let said = world.shell(&variable, &[("J", "")]).expect(2);
        assert_eq!(said.message("error")["code"], "E-USAGE");
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
    for program in ["flock", "jq", "setpriv"] {
        need(program);
    }
    let world = World::new();
    world.backup();
    check(&world, REPOSITORIES);
}

#[test]
fn identities_and_targets() {
    need("age-keygen");
    let world = World::new();
    world.backup();
    check(&world, IDENTITIES);
}

#[test]
fn what_stays_and_what_goes() {
    need("setpriv");
    let world = World::new();
    for _ in 0..3 {
        world.backup();
    }
    let forget = ["snapshot", "forget", "app/3", "-y", "--confirm", "app"];
    world.backupctl(&forget).expect(0);
    let hold = ["snapshot", "hold", "app/1", "--reason", "for a test"];
    world.backupctl(&hold).expect(0);
    check(&world, KEEPING);
    // Nothing of all that has changed anything.
    world.backupctl(&["verify", "--all"]).expect(0);
    assert_eq!(world.backup()["snapshot"], "app/000004");
}

#[test]
fn sources_and_configurations() {
    let world = World::new();
    check(&world, SOURCES);
    // All problems with their places, not only that there are some.
    let script = format!("{PRELUDE} c 's/^paths/pathes/' config check");
    let said = world.shell(&script, &[("J", "")]).expect(18).stderr;
    assert!(said.contains("pathes") && said.contains("paths"), "{said}");
    let said = world.shell(&script, &[("J", "--json")]).expect(18);
    assert_eq!(said.message("config-check")["ok"], false);

    // No failure left a snapshot or a database behind, and none is in the way.
    let list = world.backupctl(&["--json", "snapshot", "list"]).expect(0);
    let list = list.message("snapshots");
    let runs = list["snapshots"].as_array().unwrap();
    let aborted = runs.iter().filter(|run| run["end"] == "aborted");
    let reasons: BTreeSet<_> = aborted.map(|run| run["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains("E-PG-DUMP"), "{reasons:?}");
    let databases = "select datname from pg_database where not datistemplate order by 1";
    assert_eq!(world.psql("postgres", databases), "app\npostgres\n");
    world.backup();
    world.backupctl(&["verify", "--all"]).expect(0);
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
    check(&world, DISK);
}
