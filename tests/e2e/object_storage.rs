//! The main job on object storage: what a person would type, against a server that speaks S3.

use std::fs;

use crate::{moto::Moto, program::Ran, world::World};

const SECRET: &str = "c2VjcmV0LWFjY2Vzcy1rZXk";

/// `b` is `backupctl` with the configuration that `init` printed, `r` without any.
const PRELUDE: &str = r#"
set -eu
b() { "$BACKUPCTL" --config "$W/s3.toml" "$@"; }
r() { "$BACKUPCTL" --repository s3://vault/main --endpoint "$E" --trust "$(cat "$W/s3.trust")" "$@"; }
ID=$W/s3.keys/admin.key
"#;

/// What is printed is pasted, and the jobs are written below it.
const INIT: &str = r#"
"$BACKUPCTL" init --repository s3://vault/main --endpoint "$E" --keys "$W/s3.keys" --state "$W/s3.state" >"$W/s3.said"
sed '1,/^For the configuration:/d; s/^  //' "$W/s3.said" >"$W/s3.toml"
sed -n '/^\[job/,$p' "$W/config.toml" >>"$W/s3.toml"
sed -n 's/^trust = "\(.*\)"$/\1/p' "$W/s3.toml" >"$W/s3.trust"
b config check
"#;

struct Stage {
    world: World,
    moto: Moto,
}

impl Stage {
    fn new() -> Self {
        let stage = Self {
            world: World::new(),
            moto: Moto::start("vault"),
        };
        stage.run(INIT).expect(0);
        stage
    }

    fn run(&self, script: &str) -> Ran {
        let variables = [
            ("E", self.moto.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ];
        let ran = self.world.shell(&format!("{PRELUDE}{script}"), &variables);
        assert!(!ran.text().contains(SECRET) && !ran.stderr.contains(SECRET));
        ran
    }
}

#[test]
fn a_bucket_keeps_what_was_given_to_it() {
    let stage = Stage::new();
    let world = &stage.world;
    stage
        .run(r#"b backup app; cp -a "$W/src" "$W/first""#)
        .expect(0);
    fs::write(world.dir.join("src/more.txt"), "more").unwrap();
    let second = stage.run("b --json backup app").expect(0);
    let report = second.message("backup");
    assert!(report["added_bytes"].as_u64() < Some(100_000), "{report}");

    let verify = r#"b verify --all --level data --identity "$ID""#;
    stage.run(verify).expect(0);
    let restore = r#"b restore app --to-folder "$W/out" --to-database=copy --identity "$ID" --yes"#;
    stage.run(restore).expect(0);
    stage.run(r#"diff -r "$W/src" "$W/out$W/src""#).expect(0);
    assert_eq!(world.dumped("copy"), world.dumped("app"));

    // On a new machine there is no configuration.
    let older = r#"r restore app/1 --to-folder "$W/old" --identity "$ID" --yes"#;
    stage.run(older).expect(0);
    stage.run(r#"diff -r "$W/first" "$W/old$W/src""#).expect(0);
    let probed = stage.run("r --json repo probe").expect(0);
    let probed = probed.message("repo-probe");
    let probed = &probed["repositories"][0];
    assert_eq!(probed["create_if_absent"], true, "{probed}");
    assert_eq!(probed["race_winners"], 1, "{probed}");
    world.assert_tidy();
}

#[test]
fn what_goes_wrong_with_a_bucket_is_said() {
    let mut stage = Stage::new();
    for (script, status, code, noun) in [
        (
            r#""$BACKUPCTL" init --repository s3://vault/main --endpoint "$E" --keys "$W/k" --state "$W/s""#,
            17,
            "E-REPOSITORY-EXISTS",
            "s3://vault/main",
        ),
        (
            r#""$BACKUPCTL" init --repository s3://vault --endpoint "$E" --keys "$W/k" --state "$W/s""#,
            17,
            "E-TARGET-NOT-EMPTY",
            "s3://vault",
        ),
        (
            "unset AWS_SECRET_ACCESS_KEY; b snapshot list",
            18,
            "E-CONFIG",
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            r#""$BACKUPCTL" --repository s3://vault/none --endpoint "$E" snapshot list"#,
            10,
            "E-REPOSITORY-MISSING",
            "s3://vault/none",
        ),
        (
            r#""$BACKUPCTL" --repository "$W/repo" --endpoint "$E" snapshot list"#,
            2,
            "E-USAGE",
            "--endpoint",
        ),
    ] {
        let ran = stage.run(script).expect(status);
        for part in [code, noun] {
            assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
        }
    }
    assert!(!stage.world.dir.join("k").exists(), "no keys for nothing");
    stage.moto.stop();
    let ran = stage.run("b backup app").expect(14);
    assert!(ran.stderr.contains("E-STORE"), "{}", ran.stderr);
}
