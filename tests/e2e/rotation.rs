//! Passwords of databases and access keys of storage, replaced while they are in use; tried, put
//! back, and healed after whoever did it was killed.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::{
    door::{Door, Shut},
    keyed_bucket::{BUCKET, KeyedBucket},
    program::{Ran, clean},
    world::World,
};

const FIRST: &str = "the-first-password";

/// A world whose job reads its database as a role of its own, on a server that wants passwords by
/// SCRAM and writes down every statement.
struct Database {
    world: World,
    socket: PathBuf,
}

impl Database {
    fn new() -> Self {
        let world = World::new();
        let make = format!("create role keeper login password '{FIRST}'");
        world.psql("postgres", &make);
        world.psql("postgres", "create database kept owner keeper");
        world.psql(
            "kept",
            "create table note as select n from generate_series(1, 100) n",
        );
        world.psql("kept", "alter table note owner to keeper");
        let methods = "select string_agg(distinct auth_method, ' ') from pg_hba_file_rules";
        assert_eq!(world.psql("postgres", methods).trim(), "scram-sha-256");
        world.psql("postgres", "alter system set log_statement = 'all'");
        world.psql("postgres", "select pg_reload_conf()");
        // The server hears of it in its own time.
        while world.psql("postgres", "show log_statement").trim() != "all" {}
        let socket = world.psql("postgres", "show unix_socket_directories");
        let database = Self {
            socket: socket.trim().into(),
            world,
        };
        write_private(&database.file(""), FIRST);
        database.reached_at(&database.socket.display().to_string(), 5432);
        database
    }

    /// How the job reaches it.
    fn reached_at(&self, host: &str, port: u16) {
        self.world.sources(&format!(
            "§\"postgres\"\nname = \"db\"\nglobals = false\n\
             connection = {{ host = \"{host}\", port = {port}, user = \"keeper\", dbname = \"kept\" }}\n\
             password = {{ file = \"{}\" }}\n",
            self.file("").display()
        ));
    }

    fn behind(&self, when: Shut) -> Door {
        let door = Door::to(self.socket.join(".s.PGSQL.5432"), when);
        self.reached_at("127.0.0.1", door.port);
        door
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.world.dir.join(format!("keeper.password{ending}"))
    }

    fn password(&self) -> String {
        fs::read_to_string(self.file("")).unwrap()
    }

    #[track_caller]
    fn lets_in(&self, password: &str, status: i32) {
        let mut command = self.world.client("psql", "kept");
        command.env("PGUSER", "keeper").env("PGPASSWORD", password);
        command.args(["-X", "-At", "-c", "select current_user"]);
        let ran = Ran::of(command).expect(status);
        assert_eq!(ran.text().contains("keeper"), status == 0);
        if status != 0 {
            assert!(
                ran.stderr.contains("authentication failed"),
                "{}",
                ran.stderr
            );
        }
    }

    fn rotate(&self, more: &[&str]) -> Ran {
        let all = [&["--json", "key", "password", "app"], more].concat();
        self.world.backupctl(&all)
    }

    /// Rotates and is killed when the door shuts.
    fn rotate_until(&self, when: Shut) {
        let door = self.behind(when);
        let mut command = clean(self.world.program());
        command.arg("--config").arg(self.world.path("config.toml"));
        command.args(["key", "password", "app", "--yes"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        door.wait_until_shut();
        child.kill().unwrap();
        child.wait().unwrap();
        self.reached_at(&self.socket.display().to_string(), 5432);
    }

    /// Nothing lies beside the file, it is the server's password, and nobody wrote these down.
    #[track_caller]
    fn assert_good(&self, passwords: &[&str], said: &[&Ran]) {
        for ending in [".new", ".old"] {
            assert!(!self.file(ending).exists(), "{ending}");
        }
        assert_eq!(fs::metadata(self.file("")).unwrap().mode() & 0o7777, 0o600);
        let now = self.password();
        self.lets_in(&now, 0);
        self.world.backup();
        let log = fs::read_to_string(self.socket.join("log")).unwrap();
        assert!(log.contains("alter role session_user password 'SCRAM-SHA-256$"));
        for password in passwords.iter().chain([&now.as_str()]) {
            assert!(!log.contains(password), "the server wrote it down");
            for ran in said {
                assert!(!ran.text().contains(password) && !ran.stderr.contains(password));
            }
        }
    }
}

fn write_private(path: &Path, text: &str) {
    let mut options = fs::File::options();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

#[test]
fn a_database_password_is_replaced() {
    let database = Database::new();
    let dry = database.rotate(&["--dry-run"]).expect(0);
    let plan = dry.message("password-plan");
    assert_eq!(
        (&plan["role"], &plan["action"], &plan["used_by"]),
        (&"keeper".into(), &"new".into(), &json!(["app/db"]))
    );
    let unasked = database.rotate(&[]).expect(17);
    assert!(unasked.text().contains("E-NOT-CONFIRMED"));
    assert_eq!(database.password(), FIRST);
    database.lets_in(FIRST, 0);

    let done = database.rotate(&["--yes"]).expect(0);
    assert_eq!(done.message("password-change")["role"], "keeper");
    assert_eq!(database.password().len(), 64);
    database.lets_in(FIRST, 2);
    database.assert_good(&[FIRST], &[&dry, &unasked, &done]);

    // Once more, from one that we made.
    let second = database.password();
    let again = database.world.backupctl(&["key", "password", "app", "-y"]);
    let again = again.expect(0);
    assert!(
        again.text().contains("app/db came in with it"),
        "{}",
        again.text()
    );
    database.lets_in(&second, 2);
    database.assert_good(&[FIRST, &second], &[&again]);
}

#[test]
fn a_new_password_that_fails_its_test_changes_nothing() {
    let database = Database::new();
    // Whether passwords are wanted, the old one, the new one.
    let door = database.behind(Shut::For(3));
    let failed = database.rotate(&["--yes"]).expect(13);
    door.wait_until_shut();
    let text = failed.text();
    assert!(text.contains("E-PG-CONNECT"), "{text}");
    assert!(text.contains("the old one is in use as before"), "{text}");
    assert_eq!(database.password(), FIRST);
    database.assert_good(&[], &[&failed]);
}

#[test]
fn a_killed_rotation_is_healed() {
    let database = Database::new();
    database.rotate_until(Shut::At("alter role"));
    assert_eq!(database.password(), FIRST);
    let unused = fs::read_to_string(database.file(".new")).unwrap();
    database.lets_in(FIRST, 0);
    database.lets_in(&unused, 2);
    // The job goes on; the next rotation begins anew.
    database.world.backup();
    let healed = database.rotate(&["--yes"]).expect(0);
    assert_eq!(healed.message("password-change")["action"], "new");
    assert!(healed.text().contains("is removed"), "{}", healed.text());
    assert_ne!(database.password(), unused);
    database.lets_in(FIRST, 2);
    database.assert_good(&[FIRST, &unused], &[&healed]);

    let second = database.password();
    database.rotate_until(Shut::Before(3));
    assert_eq!(database.password(), second);
    let third = fs::read_to_string(database.file(".new")).unwrap();
    database.lets_in(&second, 2);
    database.lets_in(&third, 0);
    let dry = database.rotate(&["--dry-run"]).expect(0);
    assert_eq!(dry.message("password-plan")["action"], "end");
    assert_eq!(database.password(), second);
    let healed = database.rotate(&["--yes"]).expect(0);
    assert_eq!(healed.message("password-change")["action"], "end");
    assert_eq!(database.password(), third);
    database.assert_good(&[FIRST, &second, &third], &[&dry, &healed]);
}

#[test]
fn passwords_that_are_not_ours_to_replace_are_refused() {
    let database = Database::new();
    let world = &database.world;
    let config = world.dir.join("config.toml");
    let good = fs::read_to_string(&config).unwrap();
    let file = format!("file = \"{}\"", database.file("").display());
    let refused = |text: &str, status, words: &[&str]| {
        fs::write(&config, text).unwrap();
        let ran = world.backupctl(&["key", "password", "app", "--yes"]);
        let ran = ran.expect(status);
        for word in words {
            assert!(ran.stderr.contains(word), "{word} in {}", ran.stderr);
        }
    };
    let refusal = "E-ROTATION-REFUSED";
    let of_env = good.replace(&file, "env = \"KEEPER\"");
    refused(&of_env, 17, &[refusal, "variable `KEEPER`", "private file"]);
    let none = good.replace(&format!("password = {{ {file} }}\n"), "");
    refused(&none, 17, &[refusal, "not in the configuration"]);
    // Somebody else is the same role, and would be shut out.
    let source = &good[good.find("[[job.app.source]]").unwrap()..];
    let other = source.replace("job.app", "job.other");
    let other = other.replace(&file, "env = \"KEEPER\"");
    let text = format!("{good}\n[job.other]\nrepository = \"main\"\n{other}");
    refused(&text, 17, &[refusal, "other/db", "variable `KEEPER`"]);
    let other = source.replace("job.app", "job.other");
    let other = other.replace("\"keeper\"", "\"postgres\"");
    let text = format!("{good}\n[job.other]\nrepository = \"main\"\n{other}");
    refused(&text, 17, &[refusal, "role `postgres` of other/db"]);
    write_private(&database.file(""), "not it");
    refused(&good, 13, &["E-PG-AUTH"]);
    fs::write(&config, &good).unwrap();
    let unknown = world.backupctl(&["key", "password", "nobody"]).expect(16);
    assert!(unknown.stderr.contains("E-NO-JOB"));
    database.lets_in(FIRST, 0);
}

/// A repository in a bucket whose server looks at access keys, which are in files.
struct Storage {
    world: World,
    bucket: KeyedBucket,
}

const OLD: (&str, &str) = ("OLDKEYNAME", "old-secret-of-the-key");
const NEW: (&str, &str) = ("NEWKEYNAME", "new-secret-of-the-key");

impl Storage {
    fn new() -> Self {
        let bucket = KeyedBucket::start();
        bucket.let_in(OLD.0, OLD.1);
        let world = World::new();
        let stage = Self { world, bucket };
        stage.write("id", OLD.0);
        stage.write("secret", OLD.1);
        stage.write("given.id", NEW.0);
        stage.write("given.secret", NEW.1);
        let init = r#"
            set -eu
            "$BACKUPCTL" init --repository s3://vault/main --endpoint "$E" --keys "$W/s3.keys" --state "$W/s3.state" |
                sed -n 's/^ *trust = "\(.*\)"$/\1/p'"#;
        let variables = [
            ("E", stage.bucket.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", OLD.0),
            ("AWS_SECRET_ACCESS_KEY", OLD.1),
        ];
        let made = stage.world.shell(init, &variables).expect(0);
        let dir = stage.world.dir.display();
        let config = format!(
            "version = 1\nstate = \"{dir}/s3.state\"\n\
             [repository.main]\nurl = \"s3://{BUCKET}/main\"\nendpoint = \"{}\"\ntrust = \"{}\"\n\
             credentials = {{ access_key_id = {{ file = \"{dir}/id\" }}, secret_access_key = {{ file = \"{dir}/secret\" }} }}\n\
             [job.app]\nrepository = \"main\"\n\
             [[job.app.source]]\nkind = \"files\"\nname = \"config\"\npaths = [\"{dir}/src\"]\n",
            stage.bucket.endpoint,
            made.text().trim(),
        );
        fs::write(stage.world.dir.join("config.toml"), config).unwrap();
        stage.world.backup();
        stage
    }

    fn write(&self, name: &str, text: &str) {
        write_private(&self.world.dir.join(name), text);
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.world.dir.join(name)).unwrap()
    }

    /// Rotates to the key in the files `given.*`.
    fn rotate(&self, more: &[&str]) -> Ran {
        let [id, secret] = ["given.id", "given.secret"].map(|name| self.world.path(name));
        let given = [
            "--access-key-id-file",
            &id,
            "--secret-access-key-file",
            &secret,
        ];
        self.run(&[&given[..], more].concat())
    }

    fn run(&self, more: &[&str]) -> Ran {
        let all = [&["--json", "key", "credentials", "main"], more].concat();
        let ran = self.world.backupctl(&all);
        for secret in [OLD.1, NEW.1] {
            assert!(!ran.text().contains(secret) && !ran.stderr.contains(secret));
        }
        ran
    }

    #[track_caller]
    fn assert_in_use(&self, key: (&str, &str)) {
        assert_eq!(
            (self.read("id").as_str(), self.read("secret").as_str()),
            key
        );
        for name in ["id.new", "id.old", "secret.new", "secret.old"] {
            assert!(!self.world.dir.join(name).exists(), "{name}");
        }
        let mode = |name| fs::metadata(self.world.dir.join(name)).unwrap().mode();
        assert_eq!(
            (mode("id") & 0o7777, mode("secret") & 0o7777),
            (0o600, 0o600)
        );
        self.world.backup();
    }
}

fn changed(ran: Ran) -> Value {
    ran.expect(0).message("credentials-change")["changed"].clone()
}

#[test]
fn an_access_key_is_replaced() {
    let stage = Storage::new();
    // One that the server does not know.
    let refused = stage.rotate(&["--yes"]).expect(14);
    assert!(
        refused.text().contains("E-STORE-DENIED"),
        "{}",
        refused.text()
    );
    stage.assert_in_use(OLD);

    stage.bucket.let_in(NEW.0, NEW.1);
    let dry = stage.rotate(&["-n"]).expect(0).message("credentials-plan");
    assert_eq!(dry["used_by"], json!(["main"]));
    assert_eq!(dry["files"].as_array().unwrap().len(), 2);
    stage.rotate(&[]).expect(17);
    stage.assert_in_use(OLD);

    assert_eq!(changed(stage.rotate(&["--yes"])), true);
    stage.bucket.limit(OLD.0, 0);
    stage.assert_in_use(NEW);
    assert_eq!(changed(stage.rotate(&["--yes"])), false);
    let nothing = stage.run(&["--yes"]).expect(2);
    assert!(nothing.text().contains("E-USAGE"), "{}", nothing.text());
    stage.assert_in_use(NEW);
}

#[test]
fn a_withdrawn_access_key_is_replaced_with_a_warning() {
    let stage = Storage::new();
    stage.bucket.let_in(NEW.0, NEW.1);
    stage.bucket.limit(OLD.0, 0);
    let ran = stage.rotate(&["--yes"]);
    assert!(
        ran.text().contains("does not open the repository"),
        "{}",
        ran.text()
    );
    assert_eq!(changed(ran), true);
    stage.assert_in_use(NEW);
}

#[test]
fn an_access_key_that_fails_from_its_files_is_taken_out_again() {
    let stage = Storage::new();
    stage.bucket.let_in(NEW.0, NEW.1);
    stage.rotate(&["-n"]).expect(0);
    // Good for trying it once more, and not for opening afterwards.
    stage.bucket.limit(NEW.0, stage.bucket.requests(NEW.0));
    let failed = stage.rotate(&["--yes"]).expect(14);
    let text = failed.text();
    assert!(text.contains("E-STORE-DENIED"), "{text}");
    assert!(text.contains("the old one is in use as before"), "{text}");
    stage.assert_in_use(OLD);
}

/// Each state of the files that a rotation can be killed in: what is there, and what comes of it.
#[test]
fn an_interrupted_replacement_is_healed() {
    let stage = Storage::new();
    stage.bucket.let_in(NEW.0, NEW.1);
    let (old, new) = (OLD, NEW);
    for (files, ends_with) in [
        (&[("id.new", new.0)][..], old),
        (&[("id.new", new.0), ("secret.new", "")], old),
        (&[("id.new", new.0), ("secret.new", new.1)], new),
        (
            &[("id.old", old.0), ("id.new", new.0), ("secret.new", new.1)],
            new,
        ),
        (
            &[("id.old", old.0), ("id", new.0), ("secret.new", new.1)],
            new,
        ),
        (
            &[
                ("id.old", old.0),
                ("id", new.0),
                ("secret.old", old.1),
                ("secret", new.1),
            ],
            new,
        ),
        (
            &[("id", new.0), ("secret.old", old.1), ("secret", new.1)],
            new,
        ),
        (&[("secret.old", old.1), ("secret", new.1)], old),
    ] {
        stage.write("id", old.0);
        stage.write("secret", old.1);
        for (name, text) in files {
            stage.write(name, text);
        }
        let dry = stage.run(&["-n"]).expect(0).message("credentials-plan");
        let left = if ends_with == new { "in-use" } else { "unused" };
        assert_eq!(dry["left"], left, "{files:?}");
        assert_eq!(changed(stage.run(&["--yes"])), ends_with == new);
        stage.assert_in_use(ends_with);

        // With the key once more it ends with that in any case.
        stage.write("id", old.0);
        stage.write("secret", old.1);
        for (name, text) in files {
            stage.write(name, text);
        }
        stage.rotate(&["--yes"]).expect(0);
        stage.assert_in_use(new);
    }
    // Nothing opens anything: nothing is touched.
    stage.write("id.old", "NOBODY");
    stage.write("id", "NOBODY");
    let stuck = stage.run(&["--yes"]).expect(14);
    assert!(stuck.text().contains("neither"), "{}", stuck.text());
    assert_eq!(stage.read("id.old"), "NOBODY");
    stage.rotate(&["--yes"]).expect(0);
    stage.assert_in_use(NEW);
}

#[test]
fn access_keys_that_are_not_ours_to_replace_are_refused() {
    let stage = Storage::new();
    stage.bucket.let_in(NEW.0, NEW.1);
    let config = stage.world.dir.join("config.toml");
    let good = fs::read_to_string(&config).unwrap();
    let refused = |text: &str, status, code: &str, words: &str| {
        fs::write(&config, text).unwrap();
        let ran = stage.rotate(&["--yes"]).expect(status);
        for word in [code, words] {
            assert!(ran.text().contains(word), "{word} in {}", ran.text());
        }
    };
    let id = format!("file = \"{}\"", stage.world.path("id"));
    let of_env = good.replace(&id, "env = \"KEY\"");
    refused(&of_env, 17, "E-ROTATION-REFUSED", "variable `KEY`");
    let one = good.replace(&stage.world.path("id"), &stage.world.path("secret"));
    refused(
        &one,
        17,
        "E-ROTATION-REFUSED",
        "for the repository `main` too",
    );
    // Another repository would get the key too, and cannot be opened with it.
    let (_, repository) = good.split_once("[repository.main]").unwrap();
    let (repository, _) = repository.split_once("[job.app]").unwrap();
    let copy = repository.replace("/main\"", "/copy\"");
    let both = format!("{good}\n[repository.copy]{copy}");
    refused(&both, 10, "E-REPOSITORY-MISSING", "the repository `copy`");
    fs::write(&config, good).unwrap();
    stage.assert_in_use(OLD);
    let folder = World::new();
    let ran = folder.backupctl(&["key", "credentials"]).expect(17);
    assert!(ran.stderr.contains("has no access key"), "{}", ran.stderr);
}
