//! Disks that are full: a real small file system under the repository, the host's state and the
//! target of a restore. Each says so, leaves nothing half done, and works when there is space.

use crate::{
    program::{need, stock},
    world::World,
};

/// What every case has: a small file system at `$W/small`, whose size `grow` changes, a folder
/// of 24 MiB that does not compress, and `step STATUS COMMAND…`, which wants that status.
const BEGIN: &str = r#"
set -u
step() {
    wanted=$1
    shift
    echo "== $*"
    "$@"
    got=$?
    [ "$got" = "$wanted" ] || { echo "status $got, not $wanted: $*" >&2; exit 99; }
}
grow() { mount -o "remount,size=$1" "$W/small" || exit 98; }
mkdir "$W/small" || exit 98
mount -t tmpfs -o "size=$SIZE" tmpfs "$W/small" || exit 98
head -c 25165824 /dev/urandom >"$W/src/noise" || exit 98
ctl() { "$BACKUPCTL" --config "$W/full.toml" "$@"; }
configure() {
    "$BACKUPCTL" --json init --repository "$1" --keys "$W/keys2" --state "$2" >"$W/init.json" || exit 98
    cat >"$W/full.toml" <<END
version = 1
state = "$2"
[repository.main]
url = "file://$1"
trust = "$(jq -r 'select(.type == "init").trust' "$W/init.json")"
[job.app]
[[job.app.source]]
kind = "files"
name = "config"
paths = ["$W/src"]
END
}
"#;

/// Runs a case in a mount namespace of its own, as whoever we are.
fn case(size: &str, script: &str) -> String {
    need("unshare");
    need("mount");
    let world = World::new();
    let mut command = stock("timeout");
    command.args(["120", "unshare", "--map-root-user", "--mount", "sh", "-c"]);
    command
        .arg(format!("{BEGIN}{script}"))
        .env("BACKUPCTL", world.program())
        .env("W", &world.dir)
        .env("SIZE", size);
    let ran = world.run(command);
    let said = format!("{}{}", ran.text(), ran.stderr);
    assert_eq!(ran.status, Some(0), "{said}");
    said
}

#[test]
fn a_full_repository_is_said_and_the_next_run_succeeds() {
    let said = case(
        "16m",
        r#"
configure "$W/small/repo" "$W/state2"
step 15 ctl backup app
step 0 ctl --json snapshot list
grow 100m
step 0 ctl backup app
step 0 ctl verify app --level data --identity "$W/keys2/admin.key"
"#,
    );
    assert!(said.contains("[E-NO-SPACE]"), "{said}");
    assert!(said.contains("\"end\":\"aborted\""), "{said}");
}

#[test]
fn a_full_state_folder_is_said_and_the_next_run_succeeds() {
    // Room for keys and locks; none for what the host remembers of a million entries.
    let said = case(
        "200k",
        r#"
configure "$W/repo2" "$W/small/state"
mkdir "$W/src/many"
(cd "$W/src/many" && seq 1 3000 | while read -r n; do : >"$n"; done)
step 15 ctl backup app
grow 100m
step 0 ctl backup app
step 0 ctl backup app
step 0 ctl verify app --level data --identity "$W/keys2/admin.key"
"#,
    );
    assert!(said.contains("[E-NO-SPACE]"), "{said}");
}

#[test]
fn a_full_target_is_said_and_left_as_it_was() {
    let said = case(
        "16m",
        r#"
configure "$W/repo2" "$W/state2"
step 0 ctl backup app
restore() { ctl --yes restore app --to-folder "$W/small/there" --identity "$W/keys2/admin.key"; }
step 15 restore
[ -z "$(ls -A "$W/small")" ] || exit 97
grow 100m
step 0 restore
cmp "$W/src/noise" "$W/small/there$W/src/noise" || exit 97
"#,
    );
    assert!(said.contains("[E-NO-SPACE]"), "{said}");
}

#[test]
fn a_full_audit_log_stops_no_backup_and_lets_nobody_in() {
    let said = case(
        "300k",
        r#"
configure "$W/repo2" "$W/state2"
printf '[audit]\nfolder = "%s"\n' "$W/small/audit" >>"$W/full.toml"
step 0 ctl backup app
fill() { head -c 1m /dev/zero >"$W/small/fill" 2>"$W/filled"; }
fill
grow 304k
head -c 3584 /dev/zero >"$W/small/rest" || exit 98
# As many lines as there is room for: then nobody is let in, and backups go on.
tokens() { ctl --json token list | jq '[.. | objects | select(.id? and .scopes?)] | length'; }
there=$(tokens)
for each in 1 2 3 4 5 6 7 8 9 10; do
    ctl token create eva --scope status
    status=$?
    [ "$status" = 0 ] || break
    there=$((there + 1))
done
[ "$status" = 15 ] && [ "$(tokens)" = "$there" ] || exit 97
step 0 ctl backup app
cut=$(tail -c 1 "$W/small/audit/"audit-*.jsonl | od -An -c | tr -d ' ')
[ "$cut" = '\n' ] || exit 97
rm "$W/small/fill" "$W/small/rest"
step 0 ctl token create eva --scope status
step 0 ctl audit verify
"#,
    );
    assert!(said.contains("is not on record"), "{said}");
}
