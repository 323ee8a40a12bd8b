//! Without us: a repository is read with Debian's own programs, by the script that
//! `backupctl recovery-script` prints and by hand, and gives the same as `backupctl` does.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    program::{PATH, Ran, clean, need, stock},
    tree::{Tree, make_nasty},
    world::{JOB, World},
};

/// A world with two snapshots of a small database and a nasty tree, and the script beside.
fn world_with_script() -> World {
    for program in [
        "age",
        "age-keygen",
        "zstd",
        "minisign",
        "sha256sum",
        "python3",
        "tar",
    ] {
        need(program);
    }
    let ours = PATH
        .split(':')
        .any(|folder| Path::new(folder).join("backupctl").exists());
    assert!(
        !ours,
        "backupctl is installed; here it must not be on the search path"
    );
    let world = World::new();
    fs::remove_dir_all(world.dir.join("src")).unwrap();
    make_nasty(&world.dir.join("src"));
    world.backup();
    world.psql(
        "app",
        "update note set title = title || '!' where id % 50 = 0",
    );
    world.backup();
    let script = world.backupctl(&["recovery-script"]).expect(0);
    fs::write(world.dir.join("recover"), script.stdout).unwrap();
    world
}

impl World {
    /// Runs the script that came out of `recovery-script`.
    fn recover(&self, args: &[&str]) -> Ran {
        let mut command = clean(Path::new("/bin/sh"));
        command.arg(self.path("recover")).args(args);
        command.args(["--trust", &self.trust]);
        self.run(command)
    }

    /// Restores a stream to a file with the script.
    fn recover_stream(&self, repo: &str, stream: &str, to: &str) -> Ran {
        let identity = self.identity();
        let what = ["restore", repo, "app/2", stream, "--to", to];
        self.recover(&[&what[..], &["--identity", &identity]].concat())
    }

    /// All files below a folder of the repository.
    fn objects(&self, folder: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut waiting = vec![self.dir.join("repo").join(folder)];
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                waiting.extend(
                    fs::read_dir(path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            } else {
                found.push(path);
            }
        }
        found
    }
}

#[test]
fn the_script_restores_what_backupctl_does() {
    let world = world_with_script();
    let repo = world.path("repo");
    let listed = world.recover(&["list", &repo]).expect(0).text();
    for name in ["app/000001", "app/000002"] {
        assert!(listed.contains(name), "{listed}");
    }
    for stream in ["app.dump", "app.globals.sql", "config.tar"] {
        let to = world.path(stream);
        world.recover_stream(&repo, stream, &to).expect(0);
        let ours = world.as_admin(&["cat", JOB, stream]).expect(0).stdout;
        assert!(fs::read(&to).unwrap() == ours, "{stream} differs");
    }

    let out = world.dir.join("tarred");
    fs::create_dir(&out).unwrap();
    let mut tar = stock("tar");
    tar.args([
        "-xp",
        "--numeric-owner",
        "-f",
        &world.path("config.tar"),
        "-C",
    ]);
    tar.arg(&out);
    Ran::of(tar).expect(0);
    let inside = world.dir.strip_prefix("/").unwrap().join("src");
    Tree::of(&world.dir.join("src")).assert_same(&Tree::of(&out.join(inside)));

    world.psql("postgres", "create database stock");
    let mut restore = world.client("pg_restore", "postgres");
    restore.args(["--exit-on-error", "--dbname=stock", &world.path("app.dump")]);
    Ran::of(restore).expect(0);
    assert!(world.dumped("app") == world.dumped("stock"));
}

#[test]
fn every_record_is_one_that_minisign_verifies() {
    let world = world_with_script();
    let trust = fs::read_to_string(world.dir.join("repo/trust/1.json")).unwrap();
    let trust: serde_json::Value = serde_json::from_str(trust.lines().next().unwrap()).unwrap();
    let writer = trust["writers"][0]["key"].as_str().unwrap();
    let verify = r#"
        head -n1 "$RECORD" >"$W/x" && tail -n4 "$RECORD" >"$W/x.minisig" &&
        minisign -Vm "$W/x" -P "$KEY" "#;
    for (folder, key, count) in [
        ("repository.json", &world.trust[..], 1),
        ("trust", &world.trust, 1),
        ("sessions", writer, 2),
        ("snapshots", writer, 2),
    ] {
        let records = world.objects(folder);
        assert_eq!(records.len(), count, "{folder}");
        for record in records {
            let record = record.display().to_string();
            let variables = [("RECORD", &record[..]), ("KEY", key)];
            let said = world.shell(verify, &variables).expect(0).text();
            let place = record.split_once("/repo/").unwrap().1;
            assert!(said.contains(&format!(" {place}\n")), "{said}");
            // The key of the other must not do.
            let other = if key == writer { &world.trust } else { writer };
            let variables = [("RECORD", &record[..]), ("KEY", other)];
            world.shell(verify, &variables).expect(1);
        }
    }
}

#[test]
fn every_object_opens_with_age_and_zstd() {
    let world = world_with_script();
    let open = r#"
        age -d -i "$ID" -o "$W/epoch.key" "$W"/repo/keys/1/admin-1.age
        for object in "$W"/repo/packs/*/*.zst.age "$W"/repo/recipes/*.zst.age; do
            digest=$(basename "$object" .zst.age)
            [ "$(sha256sum <"$object")" = "$digest  -" ] || exit 20
            age -d -i "$W/epoch.key" -o "$W/zst" "$object" && zstd -t -q "$W/zst" || exit 21
            echo "$object"
        done
        for object in "$W"/repo/refs/*.zst; do zstd -d -q -c "$object" | head -n1 || exit 22; done
        age -d -i "$W/epoch.key" "$W"/repo/keys/1/canary.age | cut -c1-14 "#;
    let said = world.shell(open, &[]).expect(0).text();
    let opened = said.lines().filter(|line| line.contains("/packs/"));
    assert_eq!(opened.count(), world.objects("packs").len());
    assert!(!world.objects("packs").is_empty());
    assert!(said.contains(r#"{"type":"refs","#), "{said}");
    assert!(said.ends_with("backupd canary\n"), "{said}");
}

#[test]
fn the_script_refuses_damage_and_strangers() {
    let world = world_with_script();
    let mut copy = stock("cp");
    copy.args(["-a", &world.path("repo"), &world.path("copy")]);
    Ran::of(copy).expect(0);
    for pack in world.objects("packs") {
        let copied = pack.display().to_string().replacen("/repo/", "/copy/", 1);
        let mut bytes = fs::read(&copied).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&copied, bytes).unwrap();
    }
    let (to, copy) = (world.path("dump"), world.path("copy"));
    let refused = world.recover_stream(&copy, "app.dump", &to).expect(4);
    assert!(refused.stderr.contains("packs/"), "{}", refused.stderr);
    assert!(!Path::new(&to).exists());

    let repo = world.path("repo");
    let other = world.path("other.key");
    let mut keygen: Command = stock("age-keygen");
    keygen.args(["-o", &other]);
    Ran::of(keygen).expect(0);
    let what = ["restore", &repo, "app/2", "app.dump", "--to", &to];
    world
        .recover(&[&what[..], &["--identity", &other]].concat())
        .expect(12);
    world.recover_stream(&repo, "nothing.dump", &to).expect(16);
    assert!(!Path::new(&to).exists());
}
