//! The hardened set-up: three machines and a bucket that refuses. The backup host may add and do
//! nothing else, by its role and by its access key; another machine forgets and prunes; the root
//! key and the identity are on neither.
//!
//! A folder refuses root nothing, so the bucket is one of an S3 server in this process, which holds
//! the host's access key to listing, reading and creating.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use backup_core::store::{S3Credentials, S3Options, Store};
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, path::Path as Key};
use tokio::runtime::Runtime;

use crate::{
    program::Ran,
    servers::{CREATOR_ID, CREATOR_SECRET, KEY_ID, S3Files, SECRET, options},
    world::World,
};

/// `a` is where the administrator's keys are, `h` the backup host, `m` the machine that maintains.
/// Each has a configuration and a state of its own.
const PRELUDE: &str = r#"
set -eu
on() {
    at=$1; AWS_ACCESS_KEY_ID=$2 AWS_SECRET_ACCESS_KEY=$3; shift 3
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    "$BACKUPCTL" --config "$W/$at.toml" "$@"
}
a() { on a "$ALL_ID" "$ALL_SECRET" "$@"; }
h() { on h "$NEW_ID" "$NEW_SECRET" "$@"; }
m() { on m "$ALL_ID" "$ALL_SECRET" "$@"; }
ID=$W/a.keys/admin.key ROOT=$W/a.keys/root.key
writer() { "$@" --json key host >"$W/key"; sed 's/.*"key":"\([^"]*\)".*/\1/' "$W/key"; }
"#;

/// As the README says it: `init` where the administrator is; a key on each machine, let in with one
/// role; and the key that `init` made put out.
const SET_UP: &str = r#"
AWS_ACCESS_KEY_ID=$ALL_ID AWS_SECRET_ACCESS_KEY=$ALL_SECRET "$BACKUPCTL" init \
    --repository s3://vault/main --endpoint "$E" --keys "$W/a.keys" --state "$W/a.state" >"$W/said"
sed '1,/^For the configuration:/d; s/^  //' "$W/said" >"$W/a.toml"
sed 's/a\.state/h.state/' "$W/a.toml" >"$W/h.toml"
sed -n '/^\[job/,$p' "$W/config.toml" >>"$W/h.toml"
printf '\n[defaults]\ntimezone = "Europe/Berlin"\nretention = { keep_last = 1, min_keep = 1 }\n' >>"$W/h.toml"
sed 's/h\.state/m.state/; s/pg\.password/not-here/' "$W/h.toml" >"$W/m.toml"
a key add vault01 --writer "$(writer h)" --role write --root-key "$ROOT" --yes
a key add keeper --writer "$(writer m)" --role maintain --root-key "$ROOT" --yes
a key remove host --writer --root-key "$ROOT" --yes
h backup app
cp -a "$W/src" "$W/first"; echo more >"$W/src/more.txt"
h backup app
"#;

struct Stage {
    world: World,
    server: S3Files,
    runtime: Runtime,
}

impl Stage {
    /// With two snapshots of `app`, of which the policy keeps one.
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let stage = Self {
            world: World::new(),
            server: runtime.block_on(S3Files::guarded()),
            runtime,
        };
        stage.run(SET_UP).expect(0);
        stage
    }

    fn run(&self, script: &str) -> Ran {
        let variables = [
            ("E", self.server.endpoint.as_str()),
            ("ALL_ID", KEY_ID),
            ("ALL_SECRET", SECRET),
            ("NEW_ID", CREATOR_ID),
            ("NEW_SECRET", CREATOR_SECRET),
        ];
        self.world.shell(&format!("{PRELUDE}{script}"), &variables)
    }

    /// What is in the bucket.
    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        let root = self.server.bucket();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let key = path.strip_prefix(&root).unwrap().to_str().unwrap();
                    objects.insert(key.to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        objects
    }

    /// Fails the test unless all that was there is there, as it was.
    #[track_caller]
    fn assert_kept(&self, before: &BTreeMap<String, Vec<u8>>) {
        let now = self.objects();
        for (key, bytes) in before {
            assert_eq!(now.get(key), Some(bytes), "{key}");
        }
    }

    /// The repository as whoever holds an access key sees it, with any client he likes.
    fn bucket(&self, key_id: &str, secret: &str) -> Bucket<'_> {
        let credentials = S3Credentials {
            access_key_id: key_id.into(),
            secret_access_key: secret.into(),
            session_token: None,
        };
        let options = S3Options {
            credentials,
            ..options(&self.server.endpoint, "main")
        };
        let mut objects = None;
        let _store = Store::s3(&options)
            .unwrap()
            .decorated(|inner| Arc::clone(objects.insert(inner)));
        Bucket {
            objects: objects.unwrap(),
            runtime: &self.runtime,
        }
    }

    fn restores(&self, snapshot: &str, source: &str) {
        let script = format!(
            r#"a restore {snapshot} --to-folder "$W/out" --identity "$ID" --yes
               diff -r "$W/{source}" "$W/out$W/src"; rm -r "$W/out""#
        );
        self.run(&script).expect(0);
    }
}

/// Raw access to the objects of the repository.
struct Bucket<'a> {
    objects: Arc<dyn ObjectStore>,
    runtime: &'a Runtime,
}

impl Bucket<'_> {
    /// Whether a put is done, over whatever is there.
    fn overwrites(&self, key: &str) -> bool {
        self.put(key, PutMode::Overwrite)
    }

    /// Whether a put is done where nothing is.
    fn creates(&self, key: &str) -> bool {
        self.put(key, PutMode::Create)
    }

    fn put(&self, key: &str, mode: PutMode) -> bool {
        let (key, spoilt) = (Key::from(key), PutPayload::from_static(b"spoilt"));
        let put = self.objects.put_opts(&key, spoilt, mode.into());
        done(self.runtime.block_on(put))
    }

    fn deletes(&self, key: &str) -> bool {
        done(self.runtime.block_on(self.objects.delete(&Key::from(key))))
    }
}

/// Done, or refused; nothing else.
fn done<T>(result: object_store::Result<T>) -> bool {
    let Err(error) = result else { return true };
    let error = format!("{error:?}");
    assert!(error.contains("403 Forbidden AccessDenied"), "{error}");
    false
}

#[test]
fn the_host_only_adds_and_another_machine_takes_away() {
    let stage = Stage::new();
    let before = stage.objects();
    for (script, status, code) in [
        (
            "h snapshot forget app/1 --yes --confirm app",
            12,
            "E-WRITER-REFUSED",
        ),
        ("h retention apply --yes", 12, "E-WRITER-REFUSED"),
        (
            "h snapshot hold app/1 --reason never",
            12,
            "E-WRITER-REFUSED",
        ),
        ("h prune apply --yes --grace 0", 12, "E-WRITER-REFUSED"),
        (
            r#"sed 's/not-here/pg.password/' "$W/m.toml" >"$W/n.toml"; on n "$ALL_ID" "$ALL_SECRET" backup app"#,
            12,
            "E-WRITER-REFUSED",
        ),
        (
            r#"h key add more --writer "$(writer h)" --role maintain --root-key "$(echo "$W"/h.state/*/writer.key)" --yes"#,
            9,
            "E-NOT-TRUSTED",
        ),
    ] {
        let ran = stage.run(script).expect(status);
        assert!(ran.stderr.contains(code), "{script}: {}", ran.stderr);
    }
    stage.assert_kept(&before);
    stage.restores("app/1", "first");

    stage.run("m retention apply --yes").expect(0);
    let prune = "m prune apply --yes --grace 0 --confirm main";
    let pruned = stage.run(&format!("{prune} --json")).expect(0);
    assert_eq!(pruned.message("prune")["state"], "done");
    let gone = |kind: &str| {
        let now = stage.objects();
        let mut gone = before.keys().filter(|key| !now.contains_key(*key));
        gone.any(|key| key.starts_with(kind))
    };
    assert!(gone("main/recipes/") && gone("main/refs/") && gone("main/snapshots/app/000001"));
    stage.run("m repo check").expect(0);
    let listed = stage.run("h --json snapshot list").expect(0);
    assert!(!listed.text().contains("app/000001"));
    stage.restores("app/2", "src");
    stage
        .run(r#"h backup app; a verify --all --level data --identity "$ID""#)
        .expect(0);
    // The host verifies, too. It cannot take its pins away again; they count for a day.
    stage.run("h verify --all; h repo check").expect(0);
    let mut pins = stage.objects().into_keys();
    assert!(pins.any(|key| key.starts_with("main/pins/")));
}

#[test]
fn a_thief_on_the_host_takes_nothing_away_and_is_put_out() {
    let stage = Stage::new();
    let before = stage.objects();
    let (all, new) = ((KEY_ID, SECRET), (CREATOR_ID, CREATOR_SECRET));
    let (owner, thief) = (stage.bucket(all.0, all.1), stage.bucket(new.0, new.1));
    for key in before.keys().filter_map(|key| key.strip_prefix("main/")) {
        assert!(!thief.deletes(key) && !thief.overwrites(key), "{key}");
    }
    stage.assert_kept(&before);
    // What he can do is put something in the way. It is named, and the owner takes it away.
    let forget = "forget/1.json";
    assert!(thief.creates(forget) && !thief.overwrites(forget) && !thief.deletes(forget));
    let stopped = stage.run("h backup app").expect(9);
    let named = format!("the record {forget} is not valid");
    assert!(stopped.stderr.contains(&named), "{}", stopped.stderr);
    assert!(owner.overwrites(forget) && owner.deletes(forget));
    stage.restores("app/1", "first");

    // He has the host's folder too, and backs up what he likes: the older snapshots stay.
    let state = stage.world.dir.join("h.state");
    copy(&state, &stage.world.dir.join("thief.state"));
    let thief = r#"
        sed 's/h\.state/thief.state/' "$W/h.toml" >"$W/thief.toml"
        t() { on thief "$NEW_ID" "$NEW_SECRET" "$@"; }
    "#;
    let steal = format!("{thief} t backup app");
    stage.run(&steal).expect(0);
    stage.assert_kept(&before);

    // Put out; the host gets another key, and its storage's key is changed.
    let put_out = r#"
        a key remove vault01 --writer --root-key "$ROOT" --yes
        rm "$W"/h.state/*/writer.key
        a key add vault01 --writer "$(writer h)" --role write --root-key "$ROOT" --yes
        h backup app
    "#;
    stage.run(put_out).expect(0);
    let refused = stage.run(&steal).expect(12);
    assert!(
        refused.stderr.contains("it was removed"),
        "{}",
        refused.stderr
    );
    stage.assert_kept(&before);
    stage.restores("app/1", "first");
    let verify = r#"a verify --all --level data --identity "$ID"; m repo check"#;
    stage.run(verify).expect(0);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, to).unwrap();
        }
    }
}
