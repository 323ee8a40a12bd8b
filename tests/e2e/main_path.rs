//! The main path: back up a database and a folder, use them, back up again, look at what there
//! is, verify it, and restore it into new places, where it must be what it was.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    program::{Ran, stock},
    tree::{Tree, make_nasty},
    world::{JOB, World},
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/sample");

/// A world with the sample database and a nasty tree.
fn sample_world() -> World {
    let world = World::empty();
    world.psql_file("app", &Path::new(SAMPLE).join("chat.sql"));
    make_nasty(&world.dir.join("src"));
    world
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

/// The names of a report's streams.
fn names(streams: &Value) -> Vec<&str> {
    let streams = streams.as_array().unwrap();
    let names = streams.iter().map(|stream| stream["name"].as_str());
    names.map(Option::unwrap).collect()
}

/// Fails the test with the first line that differs: the whole is too much to show.
#[track_caller]
fn assert_same_lines(original: &str, back: &str) {
    let mut lines = original.lines().zip(back.lines());
    if let Some((was, is)) = lines.find(|(was, is)| was != is) {
        panic!("this line\n{was}\nis now\n{is}");
    }
    assert_eq!(original.len(), back.len());
}

#[test]
fn what_is_backed_up_comes_back() {
    let world = sample_world();
    let first = world.backup();
    assert_eq!(first["complete"], true, "{first}");
    assert_eq!(first["warnings"], Value::Array(Vec::new()));
    let before = Tree::of(&world.dir.join("src"));

    world.psql_file("app", &Path::new(SAMPLE).join("change.sql"));
    let second = world.backup();
    assert_eq!(second["snapshot"], "app/000002");
    let added = [&first, &second].map(|report| number(&report["added_bytes"]));
    assert!(added[1] * 2 < added[0], "a day adds little: {added:?}");
    // Nothing changed: what is added is the recipe, the refs, and packs of what always differs.
    let third = world.backup();
    let again = number(&third["added_bytes"]);
    assert!(
        again * 20 < added[0],
        "nothing adds next to nothing: {again}"
    );
    assert_eq!(third["read_bytes"], second["read_bytes"]);

    let out = world.path("out");
    let args = ["restore", JOB, "--to-folder", &out, "--to-database=back"];
    let flags = ["--numeric-owner", "--keep-setid", "--yes"];
    let plan = world.as_admin(&[&args[..], &["--dry-run"]].concat());
    assert!(!Path::new(&out).exists(), "a plan makes nothing");
    assert!(plan.expect(0).text().contains("new database back"));
    let restored = world.as_admin(&[&args[..], &flags[..]].concat()).expect(0);
    assert!(restored.text().contains("digest compared"));

    world.assert_tidy();
    let inside = world.dir.strip_prefix("/").unwrap().join("src");
    let after = Tree::of(&Path::new(&out).join(inside));
    assert!(before.len() > 30, "the tree is nasty");
    before.assert_same(&after);
    let (original, back) = (world.dumped("app"), world.dumped("back"));
    assert!(original.len() > 50_000_000, "{}", original.len());
    assert_same_lines(&original, &back);
}

#[test]
fn an_older_snapshot_is_as_it_was_then() {
    let world = World::new();
    world.backup();
    let then = (world.dumped("app"), Tree::of(&world.dir.join("src")));
    world.psql("app", "update note set title = 'new'; drop view titles");
    fs::write(world.dir.join("src/settings.toml"), "colour = \"red\"\n").unwrap();
    fs::remove_file(world.dir.join("src/.env")).unwrap();
    world.backup();
    let out = world.path("out");
    let args = [
        "restore",
        "app/1",
        "-y",
        "--to-database=then",
        "--to-folder",
    ];
    world.as_admin(&[&args[..], &[&out]].concat()).expect(0);
    assert_same_lines(&then.0, &world.dumped("then"));
    let inside = world.dir.strip_prefix("/").unwrap().join("src");
    then.1.assert_same(&Tree::of(&Path::new(&out).join(inside)));
}

#[test]
fn text_and_json_tell_the_same() {
    let world = World::new();
    // Whoever asks for a backup has no key, and is not told what only a key opens.
    let database = &world.backup()["streams"][0]["database"];
    assert_eq!(database["database"], "app");
    assert!(database.get("tables").is_none(), "{database}");
    let said = world.backupctl(&["backup", JOB]).expect(0).text();
    assert!(said.starts_with("app/000002 "), "{said}");
    assert!(said.contains("complete"), "{said}");

    let text = world.backupctl(&["snapshot", "list"]).expect(0).text();
    let listed = world.backupctl(&["--json", "snapshot", "list"]).expect(0);
    let listed = listed.message("snapshots");
    assert_eq!(listed["snapshots"].as_array().unwrap().len(), 2);
    assert_eq!(text.lines().count(), 1 + 2, "{text}");
    for (info, line) in listed["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .zip(text.lines().skip(1))
    {
        assert_eq!(info["end"], "complete");
        assert!(
            line.starts_with(info["snapshot"].as_str().unwrap()),
            "{line}"
        );
        assert!(line.contains("complete"), "{line}");
        for kind in info["kinds"].as_array().unwrap() {
            assert!(line.contains(kind.as_str().unwrap()), "{line}");
        }
    }

    let text = world.as_admin(&["snapshot", "show", JOB]).expect(0).text();
    let shown = world.as_admin(&["--json", "snapshot", "show", JOB]);
    let shown = shown.expect(0).message("snapshot");
    assert!(text.contains(shown["record"].as_str().unwrap()), "{text}");
    let streams = names(&shown["streams"]);
    assert_eq!(streams, ["app.dump", "app.globals.sql", "config.tar"]);
    for name in streams {
        assert!(text.contains(name), "{text}");
    }
    let tables = &shown["streams"][0]["database"]["tables"];
    let listed = tables["list"].as_array().unwrap();
    let listed: Vec<_> = listed.iter().map(|table| &table["name"]).collect();
    assert_eq!(listed, ["Odd \" name", "note"]);
    assert_eq!(tables["total"], 2);
    for name in ["  public.Odd \" name ", "  public.note "] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{text}");
    }
    let without = world
        .backupctl(&["--json", "snapshot", "show", JOB])
        .expect(0);
    assert_eq!(without.message("snapshot")["streams"], Value::Null);

    for level in ["storage", "data"] {
        let args = ["verify", "--all", "--level", level];
        let text = world.as_admin(&args).expect(0).text();
        let json = world.as_admin(&[&args[..], &["--json"]].concat()).expect(0);
        let mut json = json.messages();
        json.retain(|message| message["type"] == "verified");
        assert_eq!((text.lines().count(), json.len()), (2, 2), "{text}");
        for (report, line) in json.iter().zip(text.lines()) {
            assert_eq!(report["verdict"], "good");
            assert_eq!(report["level"], level);
            let name = report["snapshot"].as_str().unwrap();
            assert!(line.starts_with(&format!("✓ {name} ")), "{line}");
        }
    }
    let version = world.backupctl(&["--json", "version"]).message("version");
    let text = world.backupctl(&["version"]).text();
    assert_eq!(
        text.trim_end(),
        format!("backupctl {}", version["version"].as_str().unwrap())
    );
}

#[test]
fn cat_gives_what_was_stored() {
    let world = World::new();
    world.backup();
    let shown = world.as_admin(&["--json", "snapshot", "show", JOB]);
    let shown = shown.expect(0).message("snapshot");
    for stream in shown["streams"].as_array().unwrap() {
        let name = stream["name"].as_str().unwrap();
        let bytes = world.as_admin(&["cat", JOB, name]).expect(0).stdout;
        assert_eq!(
            bytes.len() as u64,
            number(&stream["length_bytes"]),
            "{name}"
        );
        let path = world.path(name);
        fs::write(&path, bytes).unwrap();
        // The digest of a tar is one of digests, which the stock script computes.
        if stream["kind"] != "files" {
            let mut command = stock("sha256sum");
            let said = Ran::of({
                command.arg(&path);
                command
            })
            .expect(0)
            .text();
            assert!(
                said.starts_with(stream["digest"].as_str().unwrap()),
                "{name}"
            );
        }
    }
    let mut tar = stock("tar");
    tar.args(["-tf", &world.path("config.tar")]);
    let listed = Ran::of(tar).expect(0).text();
    assert!(listed.contains("/src/settings.toml\n"), "{listed}");
    let mut restore = stock("pg_restore");
    restore.args(["--list", &world.path("app.dump")]);
    let listed = Ran::of(restore).expect(0).text();
    assert!(listed.contains("TABLE DATA public note"), "{listed}");
    let globals = fs::read_to_string(world.path("app.globals.sql")).unwrap();
    assert!(globals.contains("CREATE ROLE reader;"), "{globals}");
}
