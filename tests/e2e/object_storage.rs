//! The main job on object storage: what a person would type, against a server that speaks S3.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

use crate::{kit::commands, moto::Moto, program::Ran, world::World};

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
    endpoint: String,
}

impl Stage {
    fn new() -> Self {
        let moto = Moto::start("vault");
        let stage = Self {
            world: World::new(),
            endpoint: moto.endpoint.clone(),
            moto,
        };
        stage.run(INIT).expect(0);
        stage
    }

    fn run(&self, script: &str) -> Ran {
        let variables = [
            ("E", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ];
        let ran = self.world.shell(&format!("{PRELUDE}{script}"), &variables);
        assert!(!ran.text().contains(SECRET) && !ran.stderr.contains(SECRET));
        ran
    }
}

#[test]
fn a_kit_with_the_access_key_restores_from_a_bucket_on_a_bare_machine() {
    let stage = Stage::new();
    let make = r#"
        b backup app; umask 077
        b kit create --identity "$ID" --out "$W/bare.kit"; rm "$W/bare.kit"
        printf 'AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$W/storage"
        b kit create --identity "$ID" --out "$W/bare.kit" --storage "$W/storage"
        rm -r "$W/s3.keys" "$W/s3.state" "$W/s3.toml""#;
    let said = stage.run(make).expect(0).stderr;
    assert!(said.contains("--storage FILE"), "{said}");
    let kit = stage.world.dir.join("bare.kit");
    let text = fs::read_to_string(&kit).unwrap();
    let secret = format!(" storage AWS_SECRET_ACCESS_KEY={SECRET} ");
    assert!(text.contains(&secret));

    let (id, key) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let open = [id, key].map(|name| format!("{name}=…"));
    let filled = [format!("{id}=AKIDEXAMPLE"), format!("{key}={SECRET}")];
    let words = [
        ("KIT", "../bare.kit"),
        ("JOB/NUMBER", "app/1"),
        ("DIR", "out"),
        ("STREAM", "app.globals.sql"),
        ("FILE", "globals"),
        (&open[0][..], &filled[0][..]),
        (&open[1], &filled[1]),
    ];
    let restore = commands(&kit, "With backupd", &words);
    assert!(restore.contains(&filled[1]), "the key is not filled in");
    let alone = r#"
        mkdir "$W/bare"; cd "$W/bare"; export HOME="$W/bare" BACKUPCTL_YES=1
        backupctl() { "$BACKUPCTL" "$@"; }
        backupctl kit confirm ../bare.kit
        unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
"#;
    let same = r#"diff -r "$W/src" "out$W/src"; test -s globals"#;
    stage.run(&format!("{alone}{restore}\n{same}")).expect(0);
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

/// An address at which the server does not hear of create-if-absent. It takes any signature.
fn forgetful(server: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = server.strip_prefix("http://").unwrap().to_owned();
    let accept = move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&server).unwrap();
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            spawn("answers", move || pass(back.0, back.1));
            spawn("requests", move || pass(client, server));
        }
    };
    // It ends with the process of this test.
    spawn("accept", accept);
    endpoint
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(work).unwrap();
}

/// Passes bytes on until either side has enough, with one header made unknown.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    const HEADER: &[u8] = b"if-none-match";
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        let bytes = &mut buffer[..len];
        if let Some(at) = bytes.windows(HEADER.len()).position(|word| word == HEADER) {
            bytes[at] = b'x';
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

#[test]
fn where_a_store_keeps_nobody_out_each_use_warns() {
    const WARNING: &str = "does not keep two writers apart";
    let moto = Moto::start("vault");
    let stage = Stage {
        world: World::new(),
        endpoint: forgetful(&moto.endpoint),
        moto,
    };
    let init = INIT.replace("\"$BACKUPCTL\" init", "set +e; \"$BACKUPCTL\" init");
    let made = stage.run(&init).expect(0);
    assert!(made.stderr.contains(WARNING), "{}", made.stderr);
    for backup in 1..=2 {
        let ran = stage.run("b --json backup app").expect(3);
        let report = ran.message("backup");
        assert_eq!(report["complete"], true, "{backup}");
        assert!(report["warnings"].to_string().contains(WARNING), "{report}");
    }
    let verify = r#"b verify --all --level data --identity "$ID""#;
    stage.run(verify).expect(0);
    let probed = stage.run("b --json repo probe").expect(3);
    let probed = &probed.message("repo-probe")["repositories"][0];
    assert_eq!(probed["create_if_absent"], false, "{probed}");
    assert_eq!(probed["single_writer"], true, "{probed}");
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
