//! Health, on a machine that has every fault that can be made on one, and on one that has none.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
    thread,
};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::{
    certificate::certificate,
    guard::{Daemon, Watch},
    keys::age_key,
    moto::Moto,
    program::Ran,
    world::World,
};

/// What must never be told: in a database's password, an address's query, a cookie, a file.
const CANARY: &str = "gnu-piccolo-9271";

const GOOD_HEADERS: &str = "Strict-Transport-Security: max-age=31536000\r\n\
    X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'self'\r\n\
    Referrer-Policy: no-referrer\r\nSet-Cookie: sid=1; Secure; HttpOnly\r\n";

/// A web server that gives everybody the same headers, until the test's process ends.
fn site(tls: Option<ServerConfig>, headers: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let tls = tls.map(Arc::new);
    let serve = move || {
        for socket in listener.incoming().map_while(Result::ok) {
            // What a client does to its connection is not this server's business.
            match &tls {
                None => answer(socket, headers),
                Some(tls) => {
                    let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                    answer(StreamOwned::new(connection, socket), headers);
                }
            }
        }
    };
    let thread = thread::Builder::new().name("site".to_owned());
    thread.spawn(serve).unwrap();
    address
}

fn answer(mut stream: impl Read + Write, headers: &str) {
    let mut request = [0; 4096];
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{headers}\r\n");
    if stream.read(&mut request).is_ok_and(|read| read > 0) {
        stream.write_all(answer.as_bytes()).ok();
        stream.flush().ok();
    }
}

fn mode(path: &str, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The items of a report, by id and object, and the report.
struct Health(Value);

impl Health {
    fn of(ran: &Ran) -> Self {
        let report = ran.message("health");
        assert!(!ran.text().contains(CANARY), "{}", ran.text());
        Self(report)
    }

    fn items(&self) -> Vec<((String, String), Value)> {
        let word = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
        let items = self.0["items"].as_array().unwrap().iter();
        let mut all: Vec<_> = items
            .map(|item| ((word(item, "id"), word(item, "object")), item.clone()))
            .collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        let twice = all.windows(2).find(|two| two[0].0 == two[1].0);
        assert!(twice.is_none(), "{twice:#?}");
        all
    }

    /// Expects an item whose object begins so, in a state, with these words in its evidence.
    #[track_caller]
    fn has(&self, id: &str, object: &str, state: &str, words: &str) {
        let mut items = self.items();
        items.retain(|((it, of), _)| it == id && of.starts_with(object));
        let fits = |item: &Value| {
            let evidence = item["evidence"].as_str().unwrap();
            let remedied = item["fix"].is_null() == (state == "ok");
            item["state"] == state && evidence.contains(words) && remedied
        };
        assert!(
            items.iter().any(|(_, item)| fits(item)),
            "`{id}` of {object} is not {state} with `{words}`: {items:#?}"
        );
    }
}

/// Everything that is wrong with its server.
const BAD_SERVER: &str = "
    create role weak login password 'weak';
    create role poor login password 'gnu-piccolo-9271';
    set password_encryption = 'md5'; create role old login password 'long and random';";

const BAD_RULES: &str = "host all all 10.0.0.0/8 trust\nhost all weak 127.0.0.1/32 md5\n";

/// A world with every fault at once.
fn bad_world() -> World {
    let world = World::new();
    let dir = world.dir.display().to_string();
    world.psql("app", BAD_SERVER);
    world.psql("app", "alter system set password_encryption = 'md5'");
    let cluster = cluster(&world.dir);
    let rules = Path::new(&cluster).join("data/pg_hba.conf");
    let mut file = fs::File::options().append(true).open(rules).unwrap();
    file.write_all(BAD_RULES.as_bytes()).unwrap();
    world.psql("postgres", "select pg_reload_conf()");
    for (name, bits) in [("poor.password", 0o600), ("loose.password", 0o644)] {
        fs::write(world.path(name), CANARY).unwrap();
        mode(&world.path(name), bits);
    }
    fs::write(world.path("src/.env"), format!("KEY={CANARY}\n")).unwrap();
    fs::write(world.path("private"), CANARY).unwrap();
    for (name, bits) in [("src/.env", 0o644), ("private", 0o640), ("state", 0o755)] {
        mode(&world.path(name), bits);
    }
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2021, 1, 1);
    let ended = params.self_signed(&key).unwrap();
    fs::write(world.path("cert.pem"), ended.pem()).unwrap();
    fs::write(world.path("key.pem"), key.serialize_pem()).unwrap();
    mode(&world.path("key.pem"), 0o600);
    let https = site(Some(certificate("127.0.0.1", 2021).0), GOOD_HEADERS);
    let http = site(None, "Set-Cookie: sid=gnu-piccolo-9271\r\n");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = gone.local_addr().unwrap();
    drop(gone);
    let database = |job: &str, host: &str, user: &str, file: &str| {
        format!(
            "\n[job.{job}]\nrepository = \"main\"\n[[job.{job}.source]]\nkind = \"postgres\"\n\
             connection = {{ host = \"{host}\", user = \"{user}\", dbname = \"app\" }}\n\
             password = {{ file = \"{dir}/{file}\" }}\n"
        )
    };
    let more = format!(
        "{}{}{}
[job.lost]
repository = \"gone\"
schedule = \"every 24h\"
verify = {{ full_coverage = \"1h\" }}
[[job.lost.source]]
kind = \"files\"
paths = [\"{dir}/nowhere\"]

[repository.gone]
url = \"file://{dir}/gone\"
trust = \"{}\"

[server]
listen = [\"unix:{dir}/api.sock\", \"https://127.0.0.1:{}\"]
[server.tls]
certificate = \"{dir}/cert.pem\"
key = {{ file = \"{dir}/key.pem\" }}

[health]
urls = [\"https://{https}/?token={CANARY}\", \"http://{http}/?token={CANARY}\", \"https://{free}\"]
private_files = [\"{dir}/private\", \"{dir}/no-such\"]
",
        database("poor", &cluster, "poor", "poor.password"),
        database("loose", &cluster, "poor", "loose.password"),
        database("dead", &format!("{dir}/tmp"), "postgres", "poor.password"),
        world.trust,
        free.port(),
    );
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let config = config.replace("[job.app]\n", "[job.app]\nrepository = \"main\"\n");
    fs::write(&path, config + &more).unwrap();
    mode(&path, 0o644);
    world
}

/// The folder of the world's server.
fn cluster(dir: &Path) -> String {
    let mut entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let found = entries.find(|entry| entry.file_name().to_string_lossy().starts_with("pg-"));
    found.unwrap().path().display().to_string()
}

/// Every fault that the machine was given: item, object, state, and what is said of it.
const FAULTS: &[[&str; 4]] = &[
    ["protection", "job lost", "breached", "cannot be read"],
    ["protection", "job poor", "unknown", "no run yet"],
    ["configuration", "daemon", "at-risk", "full_coverage"],
    ["repository-reachable", "repository main", "ok", "opened"],
    [
        "repository-reachable",
        "repository gone",
        "breached",
        "no repository at",
    ],
    [
        "repository-latency",
        "repository gone",
        "unknown",
        "could not be measured",
    ],
    [
        "recovery-kit",
        "repository gone",
        "unknown",
        "could not be measured",
    ],
    [
        "administrators",
        "repository gone",
        "unknown",
        "could not be measured",
    ],
    [
        "repository-space",
        "repository gone",
        "unknown",
        "could not be measured",
    ],
    [
        "repository-create-if-absent",
        "repository gone",
        "unknown",
        "could not be measured",
    ],
    [
        "recovery-kit",
        "repository main",
        "at-risk",
        "none was proved",
    ],
    [
        "administrators",
        "repository main",
        "at-risk",
        "admin alone",
    ],
    [
        "database-reachable",
        "database app/app",
        "ok",
        "let `postgres` in",
    ],
    [
        "database-privileges",
        "database poor/app",
        "breached",
        "public.note",
    ],
    [
        "database-reachable",
        "database loose/app",
        "breached",
        "mode 0600",
    ],
    [
        "database-reachable",
        "database dead/app",
        "breached",
        "E-PG-CONNECT",
    ],
    [
        "database-client",
        "database dead/app",
        "unknown",
        "could not be measured",
    ],
    [
        "database-privileges",
        "database dead/app",
        "unknown",
        "could not be measured",
    ],
    [
        "server-scram",
        "server DIR/tmp",
        "unknown",
        "could not be measured",
    ],
    [
        "server-rules",
        "server CLUSTER",
        "breached",
        "10.0.0.0 trust",
    ],
    ["server-scram", "server CLUSTER", "at-risk", "md5"],
    ["server-passwords", "server CLUSTER", "breached", "weak"],
    [
        "configuration-mode",
        "DIR/config.toml",
        "at-risk",
        "everybody may read it",
    ],
    ["secret-mode", "DIR/loose.password", "at-risk", "everybody"],
    ["secret-mode", "DIR/poor.password", "ok", "0600"],
    ["state-mode", "DIR/state", "at-risk", "everybody"],
    ["env-mode", "DIR/src", "at-risk", "src/.env"],
    [
        "env-mode",
        "DIR/nowhere",
        "unknown",
        "could not be measured",
    ],
    [
        "private-mode",
        "DIR/private",
        "at-risk",
        "its group may read it",
    ],
    [
        "private-mode",
        "DIR/no-such",
        "unknown",
        "could not be measured",
    ],
    ["certificate", "the daemon's", "breached", "it ended"],
    ["certificate", "https://", "breached", "it ended"],
    [
        "web-headers",
        "http://",
        "at-risk",
        "X-Content-Type-Options",
    ],
    ["web-cookies", "http://", "at-risk", "`sid` lacks HttpOnly"],
    ["copies", "job app", "at-risk", "one file system"],
];

fn finds_all(health: &Health, dir: &str) {
    let cluster = cluster(Path::new(dir));
    for [id, object, state, words] in FAULTS {
        let object = object.replace("DIR", dir).replace("CLUSTER", &cluster);
        health.has(id, &object, state, words);
    }
}

#[test]
fn every_fault_is_found_with_a_daemon_and_without() {
    let world = bad_world();
    let dir = world.dir.display().to_string();
    let alone = Health::of(&world.backupctl(&["--json", "health"]).expect(6));
    finds_all(&alone, &dir);
    alone.has("scheduler", "daemon", "at-risk", "no daemon answers");
    alone.has("token-expiry", "api tokens", "ok", "there is none");
    let gone = alone.items();
    let gone: Vec<_> = gone
        .iter()
        .filter(|((id, object), _)| id == "web-reachable" && object.starts_with("https"))
        .map(|(_, item)| item["state"].clone())
        .collect();
    assert_eq!(
        gone,
        ["breached", "breached"],
        "of an ended certificate, and of nobody"
    );

    let daemon = Daemon::start(&world);
    let soon = [
        "token",
        "create",
        "soon",
        "--scope",
        "status",
        "--expires-in",
        "5d",
    ];
    world.backupctl(&soon).expect(0);
    let health = || Health::of(&world.backupctl(&["--json", "health"]).expect(6));
    let hosted = health();
    finds_all(&hosted, &dir);
    hosted.has("scheduler", "daemon", "ok", "the schedule moved");
    hosted.has("token-expiry", "api tokens", "at-risk", "`soon`");
    // The same things were looked at, whoever did.
    let named = |health: &Health| {
        let keys = health.items().into_iter().map(|(key, _)| key);
        keys.collect::<Vec<_>>()
    };
    assert_eq!(named(&hosted), named(&alone));
    // Beside a daemon, and not asking it, nobody can say whether it moves.
    let beside = world.backupctl(&["--json", "--direct", "health"]).expect(6);
    Health::of(&beside).has("scheduler", "daemon", "unknown", "was not asked");

    // Asked again at once, nobody is measured again.
    assert_eq!(health().0["at"], hosted.0["at"]);
    // What is known of the daemon itself is as new as it gets.
    let mut watch = Watch::start(&world);
    watch.until_all(|_| true);
    fs::write(world.path("config.toml"), "version = 1\n[nonsense]\n").unwrap();
    watch.until_all(|status| {
        status["faults"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    });
    let socket = format!("unix:{dir}/api.sock");
    let asked = ["--json", "--daemon", &socket, "health"];
    let refused = Health::of(&world.backupctl(&asked).expect(6));
    refused.has("configuration", "daemon", "breached", "nonsense");
    daemon.stop();
}

#[test]
fn people_read_what_is_wrong_and_what_to_do() {
    let world = World::new();
    let text = world.backupctl(&["health"]);
    let (status, said) = (text.status, text.text());
    assert!(matches!(status, Some(5..=7)), "{said}");
    let kit = said.lines().position(|line| line.contains("recovery-kit"));
    let kit: Vec<&str> = said.lines().skip(kit.unwrap()).take(2).collect();
    assert!(kit[0].starts_with("  ! At risk   recovery-kit "), "{said}");
    assert!(
        kit[1].trim_start().starts_with("→ Make one and prove it"),
        "{said}"
    );
    let last = said.lines().last().unwrap();
    assert!(
        last.contains(" checks: ") && last.ends_with(" UTC"),
        "{last}"
    );
}

/// What makes a repository in a bucket.
const INIT: &str = r#"set -eu
"$BACKUPCTL" init --repository s3://vault/main --endpoint "$E" --keys "$W/s3.keys" --state "$W/s3.state" >"$W/s3.said"
sed '1,/^For the configuration:/d; s/^  //' "$W/s3.said" >"$W/s3.toml"
sed -n '/^\[job/,$p' "$W/config.toml" >>"$W/s3.toml"
"#;

#[test]
fn on_a_clean_machine_nothing_is_at_risk() {
    let moto = Moto::start("vault");
    let world = World::new();
    let (config, root) = certificate("127.0.0.1", 2040);
    fs::write(world.path("ca.pem"), root).unwrap();
    let ca = world.path("ca.pem");
    let variables = [
        ("E", moto.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", CANARY),
        ("SSL_CERT_FILE", &ca),
    ];
    let run = |script: &str| world.shell(script, &variables);
    run(INIT).expect(0);
    let https = site(Some(config), GOOD_HEADERS);
    let private = world.path("src/.env");
    mode(&private, 0o600);
    let path = world.path("s3.toml");
    let config = fs::read_to_string(&path).unwrap();
    let health =
        format!("\n[health]\nurls = [\"https://{https}\"]\nprivate_files = [\"{private}\"]\n");
    fs::write(&path, config + &health).unwrap();
    mode(&path, 0o640);
    let (_, second) = age_key(&world, "eva.key");
    let set_up = format!(
        r#"set -eu; umask 077
        b() {{ "$BACKUPCTL" --config "$W/s3.toml" "$@"; }}
        b backup app
        b key add eva --recipient {second} --identity "$W/s3.keys/admin.key" --root-key "$W/s3.keys/root.key" --proof "$W/eva.key" --yes
        b kit create --identity "$W/s3.keys/admin.key" --out "$W/kit"
        b kit confirm "$W/kit""#
    );
    run(&set_up).expect(0);
    let ran = run(r#""$BACKUPCTL" --config "$W/s3.toml" --json health"#);
    let health = Health::of(&ran);
    for ((id, object), item) in health.items() {
        // Of these the machine that tests decides: whether its clock is kept, and whether its
        // client programs are new.
        if ["clock", "database-client"].contains(&id.as_str()) {
            continue;
        }
        // A server of loopback may be anywhere.
        let expected = if id == "copies" { "unknown" } else { "ok" };
        assert_eq!(item["state"], expected, "{id} of {object}: {item:#}");
    }
    let server = format!("server {}", cluster(&world.dir));
    for (id, object, words) in [
        ("protection", "job app", "app/000001"),
        ("repository-clock", "repository main", "the storage's clock"),
        ("repository-create-if-absent", "repository main", "refuses"),
        ("administrators", "repository main", "admin, eva"),
        ("recovery-kit", "repository main", "proved"),
        ("writer-key", "repository main", "does not end"),
        ("server-rules", &server, "none with trust"),
        ("server-passwords", &server, "none has a password"),
        ("certificate", "https://", "it counts for"),
        ("web-headers", "https://", "every header"),
        ("web-cookies", "https://", "1 set"),
        ("scheduler", "daemon", "no job has a schedule"),
    ] {
        health.has(id, object, "ok", words);
    }
}

/// A role that only backs up: what it cannot see is unknown, what it can be told is not.
#[test]
fn a_role_with_few_rights_says_what_it_may_not_see() {
    let world = World::new();
    world.psql(
        "app",
        "create role backup login password 'gnu-piccolo-9271'; \
         grant select on all tables in schema public to backup; \
         grant select on all sequences in schema public to backup",
    );
    world.private("backup.password", CANARY);
    world.sources(&format!(
        "§\"postgres\"\nconnection = {{ host = \"{}\", user = \"backup\", dbname = \"app\" }}\n\
         password = {{ file = \"{}\" }}\n",
        cluster(&world.dir),
        world.path("backup.password")
    ));
    let health = || Health::of(&world.backupctl(&["--json", "health"]));
    let (database, server) = ("database app/app", "server");
    let before = health();
    before.has("database-privileges", database, "ok", "every table");
    before.has(
        "server-rules",
        server,
        "unknown",
        "may not read pg_hba_file_rules",
    );
    before.has("server-scram", server, "ok", "may not see");
    before.has("server-passwords", server, "ok", "no network address");
    // What the fixes say helps.
    world.psql(
        "app",
        "GRANT SELECT ON pg_hba_file_rules TO \"backup\"; \
         GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO \"backup\"; \
         GRANT pg_read_all_data TO \"backup\"",
    );
    let after = health();
    after.has("database-privileges", database, "ok", "pg_read_all_data");
    after.has("server-rules", server, "ok", "none with trust");
    after.has("server-passwords", server, "ok", "none has a password");
}
