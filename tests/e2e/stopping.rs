//! A backup that is stopped, in order or not: what it leaves behind is closed, and the next one
//! goes through.
//!
//! The dump hangs because its program is a script that writes a word into one pipe and reads from
//! another; the test waits at these pipes and never guesses how long something takes.

use crate::world::{JOB, World};

/// Makes the hanging programs and their pipes, begins a backup, and waits until it dumps.
const BEGIN: &str = r#"
set -eu
real=$(realpath /usr/lib/postgresql/*/bin/pg_dump | tail -n1)
mkdir "$W/bin"
mkfifo "$W/begun" "$W/never"
ln -s "${real%/*}/pg_dumpall" "${real%/*}/pg_restore" "$W/bin"
cat >"$W/bin/pg_dump" <<END
#!/bin/sh
[ "\$1" != --version ] || exec $real --version
echo begun >$W/begun
exec cat $W/never
END
chmod 755 "$W/bin/pg_dump"
sed "s,^password,bin_dir = \"$W/bin\"\n&," "$W/config.toml" >"$W/hangs.toml"
"$BACKUPCTL" $J --config "$W/hangs.toml" backup app &
read -r _ <"$W/begun"
set +e
"#;

/// The runs of the job as `(end, reason)`.
fn runs(world: &World) -> Vec<(String, String)> {
    let list = world.backupctl(&["--json", "snapshot", "list"]).expect(0);
    let list = list.message("snapshots");
    let runs = list["snapshots"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    runs.map(|run| (text(&run["end"]), text(&run["reason"])))
        .collect()
}

fn ends(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |&(end, reason): &(&str, &str)| (end.to_owned(), reason.to_owned());
    pairs.iter().map(owned).collect()
}

/// Stops a backup with a signal: it says so, ends its run, and the next run succeeds.
fn stopped_in_order(signal: &str, exit: i32, code: &str) {
    let world = World::new();
    let script = format!("{BEGIN} kill -{signal} $!; wait $!");
    let said = world.shell(&script, &[("J", "")]).expect(exit).stderr;
    world.assert_tidy();
    assert!(said.contains("stopping"), "{said}");
    assert!(said.contains(&format!("[{code}]")), "{said}");
    // The run itself knows only that it was to stop.
    assert_eq!(runs(&world), ends(&[("aborted", "E-INTERRUPTED")]));
    assert_eq!(world.backup()["snapshot"], "app/000002");
    world.backupctl(&["verify", JOB]).expect(0);
}

#[test]
fn an_interrupt_ends_the_run_in_order() {
    stopped_in_order("INT", 130, "E-INTERRUPTED");
}

#[test]
fn a_termination_ends_the_run_in_order() {
    stopped_in_order("TERM", 143, "E-TERMINATED");
}

#[test]
fn a_stopped_run_says_so_in_json() {
    let world = World::new();
    let script = format!("{BEGIN} kill -TERM $!; wait $!");
    let said = world.shell(&script, &[("J", "--json")]).expect(143);
    let error = said.message("error");
    assert_eq!(
        (&error["exit"], &error["code"]),
        (&143.into(), &"E-TERMINATED".into())
    );
}

#[test]
fn a_killed_run_is_closed_by_the_next() {
    let world = World::new();
    // Who writes to the pipe of an orphaned dump lets it end.
    let script =
        format!("{BEGIN} kill -KILL $!; wait $!; status=$?; : >\"$W/never\"; exit $status");
    world.shell(&script, &[("J", "")]).expect(137);
    // Not even then a password stays behind.
    world.assert_tidy();
    assert_eq!(runs(&world), ends(&[("open", "")]));
    world.backupctl(&["verify", "--all"]).expect(16);
    assert_eq!(world.backup()["snapshot"], "app/000002");
    let after = runs(&world);
    assert_eq!(after.len(), 2);
    assert_eq!(after[0].0, "aborted", "{after:?}");
    assert_eq!(after[1], ends(&[("complete", "")])[0]);
    world
        .as_admin(&["verify", JOB, "--level", "data"])
        .expect(0);
}
