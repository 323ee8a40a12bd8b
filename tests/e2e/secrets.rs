//! Where secrets are: a whole life of a repository in a bucket, with much that goes wrong, and then
//! a search for thirteen canaries in everything that was printed, sent, stored or left behind.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use backup_core::postgres::Programs;

use crate::{
    canary::{Canary, Search},
    moto::Moto,
    program::{Ran, clean, stock},
    world::World,
};

const STORAGE: &str = "canarystoragesecretkey0123456789";
const PASSPHRASE: &str = "canary-passphrase-of-carol";
const SSH_PASSPHRASE: &str = "canary-passphrase-of-an-ssh-key";
const CONTENT: &str = "canary content of a file";
const NAME: &str = "canary-name-of-a-file.txt";
const CELL: &str = "canary cell of a table";
const TABLE: &str = "canary_name_of_a_table";

/// Notes what a client program is given, and becomes it.
const WRAPPER: &str = r#"#!/bin/sh
{ cat /proc/$$/cmdline /proc/$$/environ; echo; } >>CHILDREN
exec PROGRAM "$@"
"#;

/// A source that notes its environment, too.
const SOURCE: &str = "cat /proc/$$/cmdline /proc/$$/environ >>CHILDREN; echo; echo said";

/// Everything that was printed, sent to the store or answered by it.
struct Life {
    world: World,
    moto: Moto,
    wire: Arc<Mutex<Vec<u8>>>,
    endpoint: String,
    printed: Vec<(String, Vec<u8>)>,
}

impl Life {
    fn begin() -> Self {
        let moto = Moto::start("vault");
        let wire = Arc::default();
        let endpoint = tap(&moto.endpoint, &wire);
        let world = World::new();
        // The world's own repository is of no use here.
        for gone in ["repo", "keys", "state"] {
            fs::remove_dir_all(world.dir.join(gone)).unwrap();
        }
        fs::write(world.dir.join("src/content.txt"), CONTENT).unwrap();
        fs::write(world.dir.join("src").join(NAME), "dull").unwrap();
        world.psql(
            "app",
            &format!("insert into note (title) values ('{CELL}'); create table {TABLE} (v int)"),
        );
        Self {
            world,
            moto,
            wire,
            endpoint,
            printed: Vec::new(),
        }
    }

    /// Runs `backupctl` to an end with this status, and keeps what it prints.
    #[track_caller]
    fn run(&mut self, args: &str, status: i32) -> Ran {
        let mut command = clean(self.world.program());
        let dir = self.world.dir.display().to_string();
        command.args(
            args.split_whitespace()
                .map(|word| word.replace("W/", &format!("{dir}/"))),
        );
        command.env("BACKUPD_CONFIG", self.world.dir.join("s3.toml"));
        command.env("BACKUPCTL_YES", "1");
        command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
        command.env("AWS_SECRET_ACCESS_KEY", STORAGE);
        let ran = self.world.run(command).expect(status);
        let words: Vec<&str> = args.split_whitespace().collect();
        let name = words[..words.len().min(3)].join(" ");
        let err = (format!("err:{name}"), ran.stderr.clone().into_bytes());
        self.printed
            .push((format!("out:{name}"), ran.stdout.clone()));
        self.printed.push(err);
        ran
    }

    /// A repository in the bucket, and the configuration for it.
    fn set_up(&mut self) {
        let init = format!(
            "init --repository s3://vault/main --endpoint {} --keys W/s3.keys --state W/s3.state",
            self.endpoint
        );
        let said = self.run(&format!("{init} --json"), 0).message("init");
        let dir = self.world.dir.display();
        let bin = self.wrappers();
        let own = fs::read_to_string(self.world.dir.join("config.toml")).unwrap();
        let jobs = own.split_once("[job.").unwrap().1;
        let jobs = jobs.replacen(
            "kind = \"postgres\"",
            &format!("kind = \"postgres\"\nbin_dir = \"{bin}\""),
            1,
        );
        let source = SOURCE.replace("CHILDREN", &format!("{dir}/children"));
        let text = format!(
            "version = 1\nstate = \"{dir}/s3.state\"\n\n[repository.main]\nurl = \"s3://vault/main\"\n\
             endpoint = \"{}\"\npath_style = true\ntrust = {}\n\
             credentials = {{ access_key_id = {{ env = \"AWS_ACCESS_KEY_ID\" }}, \
             secret_access_key = {{ file = \"{dir}/s3.secret\" }} }}\n\n[job.{jobs}\n\
             [[job.app.source]]\nkind = \"command\"\nname = \"said\"\ncommand = [\"/bin/sh\", \"-c\", '{source}']\n",
            self.endpoint, said["trust"],
        );
        fs::write(self.world.dir.join("s3.toml"), text).unwrap();
        fs::remove_file(self.world.dir.join("config.toml")).unwrap();
        self.world.private("s3.secret", STORAGE);
        self.run("config check", 0);
    }

    /// A folder of client programs that note what they are given.
    fn wrappers(&self) -> String {
        let real = Programs::find(None, &[]).unwrap();
        let bin = self.world.path("bin");
        fs::create_dir(&bin).unwrap();
        for program in [real.pg_dump(), real.pg_dumpall(), real.pg_restore()] {
            let own = Path::new(&bin).join(program.file_name().unwrap());
            let text = WRAPPER.replace("CHILDREN", &self.world.path("children"));
            let text = text.replace("PROGRAM", &program.display().to_string());
            fs::write(&own, text).unwrap();
            fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
        }
        bin
    }

    /// What goes well.
    fn prosper(&mut self) {
        let id = "--identity W/s3.keys/admin.key";
        let root = "--root-key W/s3.keys/root.key";
        let carol = "--passphrase --passphrase-file W/carol.phrase";
        let laptop = "--identity W/ssh --passphrase-file W/ssh.phrase";
        self.world.private("carol.phrase", PASSPHRASE);
        self.world.private("ssh.phrase", SSH_PASSPHRASE);
        let mut make = stock("ssh-keygen");
        make.args(["-q", "-t", "ed25519", "-a", "4", "-N", SSH_PASSPHRASE]);
        make.args(["-C", "laptop", "-f", &self.world.path("ssh")]);
        Ran::of(make).expect(0);
        for (args, status) in [
            ("backup app".to_owned(), 0),
            ("--json backup app".to_owned(), 0),
            ("--json snapshot list".to_owned(), 0),
            (format!("snapshot show app {id}"), 0),
            (format!("snapshot ls app -r {id}"), 0),
            (format!("snapshot find canary-* {id}"), 0),
            (format!("cat app app.dump {id}"), 0),
            (format!("cat app config.tar {id}"), 0),
            (format!("--json verify --all --level data {id}"), 0),
            (
                format!("--json restore app --to-folder W/out --to-database=copy {id}"),
                0,
            ),
            (
                format!("key add carol --new-passphrase-file W/carol.phrase {id} {root}"),
                0,
            ),
            (
                format!("--json key add laptop --recipient-file W/ssh.pub {id} {root}"),
                0,
            ),
            (format!("key test {laptop} {root}"), 0),
            (format!("verify --level data {carol}"), 0),
            (
                format!("key rotate {laptop} {root} --passphrase-of carol=W/carol.phrase"),
                0,
            ),
            ("backup app".to_owned(), 0),
            (format!("--json key test {carol}"), 0),
            (format!("--json kit create --out W/kit.txt {id}"), 0),
            ("kit confirm W/kit.txt".to_owned(), 0),
            ("kit print W/kit.txt".to_owned(), 0),
            (format!("key remove carol {root}"), 0),
            ("--json key list".to_owned(), 0),
            ("key host".to_owned(), 0),
            ("repo check".to_owned(), 0),
            ("--json repo stats".to_owned(), 0),
            ("prune plan".to_owned(), 0),
        ] {
            self.run(&args, status);
        }
    }

    /// What goes wrong: whoever is told so sees no secret, even one that he typed.
    fn suffer(&mut self) {
        let id = "--identity W/s3.keys/admin.key";
        let root = "--root-key W/s3.keys/root.key";
        let world = &self.world;
        world.private("wrong.phrase", "not it");
        let text = fs::read_to_string(world.dir.join("s3.toml")).unwrap();
        let password = fs::read_to_string(world.path("pg.password")).unwrap();
        let literal = format!("password = \"{password}\"");
        let with = |name: &str, from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            fs::write(world.dir.join(name), text.replace(from, to)).unwrap();
        };
        let by_file = format!("password = {{ file = \"{}\" }}", world.path("pg.password"));
        with("literal.toml", &by_file, &literal);
        with("wrong-password.toml", "pg.password", "wrong.phrase");
        with("nowhere.toml", &self.endpoint, "http://127.0.0.1:9");
        let kit = fs::read_to_string(world.path("kit.txt")).unwrap();
        world.private("bad-kit.txt", &kit.replace(" key AGE-", " key AGF-"));
        let admin = fs::read_to_string(world.path("s3.keys/admin.key")).unwrap();
        let admin = admin.lines().last().unwrap().to_owned();
        for (args, status) in [
            (format!("--json restore app --to-folder W/out {id}"), 17),
            (
                format!("restore app --to-database --server postgres://u:{password}@h/d {id}"),
                2,
            ),
            (
                "cat app app.dump --passphrase --passphrase-file W/wrong.phrase".to_owned(),
                12,
            ),
            (
                "cat app app.dump --identity W/ssh --passphrase-file W/wrong.phrase".to_owned(),
                12,
            ),
            (
                "--json cat app app.dump --identity W/s3.keys/root.key".to_owned(),
                12,
            ),
            ("cat app app.dump --identity W/carol.phrase".to_owned(), 12),
            ("kit confirm W/bad-kit.txt".to_owned(), 12),
            ("--json kit confirm W/s3.keys/admin.key".to_owned(), 12),
            (format!("key add eva --recipient {admin} {id} {root}"), 2),
            (
                format!("key add eva --recipient-file W/s3.keys/admin.key {id} {root}"),
                2,
            ),
            (
                "--json key remove admin --root-key W/s3.keys/admin.key".to_owned(),
                12,
            ),
            (
                format!("key add carol --new-passphrase-file W/carol.phrase {id} --root-key W/ssh"),
                12,
            ),
            ("--config W/literal.toml config check".to_owned(), 18),
            ("--json --config W/literal.toml backup app".to_owned(), 18),
            ("--config W/pg.password config check".to_owned(), 18),
            ("--config W/s3.keys/admin.key config check".to_owned(), 18),
            (
                "--config W/wrong-password.toml --json backup app".to_owned(),
                13,
            ),
            ("--config W/nowhere.toml snapshot list".to_owned(), 14),
        ] {
            self.run(&args, status);
        }
        for gone in ["literal.toml", "bad-kit.txt"] {
            fs::remove_file(self.world.dir.join(gone)).unwrap();
        }
    }

    /// What the bucket holds.
    fn objects(&self) -> Vec<(String, Vec<u8>)> {
        let list = get(&self.moto.endpoint, "/vault?list-type=2");
        let list = String::from_utf8(list).unwrap();
        assert!(list.contains("<IsTruncated>false"), "{list}");
        let keys = list.split("<Key>").skip(1);
        let keys = keys.map(|rest| rest.split_once('<').unwrap().0.to_owned());
        keys.map(|key| {
            let bytes = get(&self.moto.endpoint, &format!("/vault/{key}"));
            (key, bytes)
        })
        .collect()
    }

    /// The identity of the first epoch, opened with stock age into a file.
    fn open_epoch(&self) -> Vec<u8> {
        let file = get(&self.moto.endpoint, "/vault/main/keys/1/admin-1.age");
        let sealed = self.world.path("epoch.age");
        fs::write(&sealed, file).unwrap();
        let mut age = stock("age");
        age.args(["-d", "-i", &self.world.path("s3.keys/admin.key"), &sealed]);
        let text = Ran::of(age).expect(0).text();
        self.world.private("epoch.key", &text);
        last_line(&text)
    }

    fn last_line_of(&self, name: &str) -> Vec<u8> {
        last_line(&fs::read_to_string(self.world.path(name)).unwrap())
    }

    fn canaries(&self) -> Vec<Canary> {
        let host = fs::read_dir(self.world.dir.join("s3.state")).unwrap();
        let host = host
            .map(|entry| entry.unwrap().path())
            .find(|path| path.join("writer.key").exists());
        let host = host.unwrap();
        let writer = fs::read_to_string(host.join("writer.key")).unwrap();
        let admin = self.last_line_of("s3.keys/admin.key");
        let password = fs::read(self.world.path("pg.password")).unwrap();
        vec![
            canary(
                "the root key",
                &self.last_line_of("s3.keys/root.key"),
                &["s3.keys/root.key"],
            ),
            canary(
                "a writer's key",
                &last_line(&writer),
                &["s3.state/ID/writer.key"],
            ),
            canary(
                "a dedup secret",
                &fs::read(host.join("dedup-1")).unwrap(),
                &["s3.state/ID/dedup-1"],
            ),
            canary(
                "an administrator's identity",
                &admin,
                &["s3.keys/admin.key", "kit.txt", "kit.html"],
            ),
            canary(
                "an administrator's passphrase",
                PASSPHRASE.as_bytes(),
                &["carol.phrase"],
            ),
            canary(
                "an SSH key's passphrase",
                SSH_PASSPHRASE.as_bytes(),
                &["ssh.phrase"],
            ),
            canary("an epoch's identity", &self.open_epoch(), &["epoch.key"]),
            canary("a database's password", &password, &["pg.password"]),
            canary("a storage's secret key", STORAGE.as_bytes(), &["s3.secret"]),
        ]
    }
}

fn canary(name: &'static str, value: &[u8], homes: &'static [&'static str]) -> Canary {
    Canary {
        name,
        value: value.to_vec(),
        homes,
    }
}

/// What is in the backup.
fn contents() -> Vec<Canary> {
    vec![
        canary(
            "a file's content",
            CONTENT.as_bytes(),
            &["src/", "out/", "out:cat app config.tar"],
        ),
        canary(
            "a file's name",
            NAME.as_bytes(),
            &[
                // The host remembers the files of the job, which are on it anyway.
                "s3.state/ID/app.index",
                "src/",
                "out/",
                "out:snapshot ls",
                "out:snapshot find",
                "out:cat app config.tar",
            ],
        ),
        canary(
            "a table's cell",
            CELL.as_bytes(),
            &["pg/data/base/", "pg/data/pg_wal/", "out:cat app app.dump"],
        ),
        canary(
            "a table's name",
            TABLE.as_bytes(),
            &[
                "pg/data/base/",
                "pg/data/pg_wal/",
                "out:cat app app.dump",
                "out:snapshot show",
            ],
        ),
    ]
}

fn last_line(text: &str) -> Vec<u8> {
    text.lines().last().unwrap().as_bytes().to_vec()
}

/// An address that passes everything on to the server, and keeps a copy.
fn tap(server: &str, wire: &Arc<Mutex<Vec<u8>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = server.strip_prefix("http://").unwrap().to_owned();
    let wire = Arc::clone(wire);
    let accept = move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&server).unwrap();
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let copies = [Arc::clone(&wire), Arc::clone(&wire)];
            let [one, two] = copies;
            spawn("answers", move || pass(back.0, back.1, &one));
            spawn("requests", move || pass(client, server, &two));
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

fn pass(mut from: TcpStream, mut to: TcpStream, wire: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        wire.lock().unwrap().extend_from_slice(&buffer[..len]);
        if to.write_all(&buffer[..len]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

/// What the server answers: it takes any signature.
fn get(endpoint: &str, path: &str) -> Vec<u8> {
    let host = endpoint.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(host).unwrap();
    let signed = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request, \
                  SignedHeaders=host, Signature=00";
    let request = format!(
        "GET {path} HTTP/1.0\r\nhost: {host}\r\nauthorization: {signed}\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    assert!(head.contains(" 200 "), "{path}: {head}");
    answer.split_off(end + 4)
}

fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let mut zstd: Command = stock("zstd");
    zstd.args(["-d", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = zstd.spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn thirteen_canaries_are_at_home_and_nowhere_else() {
    let mut life = Life::begin();
    life.set_up();
    life.prosper();
    life.suffer();

    let children = fs::read(life.world.dir.join("children")).unwrap();
    let children = String::from_utf8_lossy(&children);
    for seen in [
        "pg_dump\0",
        "pg_dumpall\0",
        "pg_restore\0",
        "PGPASSFILE=/",
        "/bin/sh\0-c",
    ] {
        assert!(children.contains(seen), "{seen} is not in {children}");
    }
    let objects = life.objects();
    // Rows reach their file at the latest now.
    life.world.psql("postgres", "checkpoint");
    let mut canaries = life.canaries();
    canaries.extend(contents());
    assert_eq!(canaries.len(), 13);
    let mut search = Search::of(&canaries);
    for (place, bytes) in &life.printed {
        search.through(place, bytes);
    }
    search.through("wire", &life.wire.lock().unwrap());
    let mut public = 0;
    for (key, bytes) in &objects {
        search.through(&format!("stored:{key}"), bytes);
        search.through("names of objects", key.as_bytes());
        if Path::new(key).extension() == Some("zst".as_ref()) {
            public += 1;
            search.through(&format!("public:{key}"), &decompressed(bytes));
        }
    }
    assert!(public > 0, "no public record was looked into");
    let id = objects
        .iter()
        .find(|(key, _)| key == "main/repository.json");
    let id: serde_json::Value = serde_json::Deserializer::from_slice(&id.unwrap().1)
        .into_iter()
        .next()
        .unwrap()
        .unwrap();
    let id = id["repository"].as_str().unwrap_or_default();
    let named = |path: &str| {
        let (top, rest) = path.split_once('/').unwrap_or((path, ""));
        let top = if top.starts_with("pg-") { "pg" } else { top };
        let name = if rest.is_empty() {
            top.to_owned()
        } else {
            format!("{top}/{rest}")
        };
        if id.is_empty() {
            name
        } else {
            name.replace(id, "ID")
        }
    };
    search.through_folder(&life.world.dir, &named);
    search.judge();
    life.world.assert_tidy();
}
