//! The table `[server]`: how much at once, and who may reach the daemon from where.

use std::path::Path;

use backupd_api::{Scope, Scopes};

use super::fixture::{GOOD, all_refused, folder, load_from, problems, write};
use crate::config::{Config, Listen, Problem, SecretRef, TlsConfig};

/// A configuration with these lines in `[server]`.
fn with(lines: &str) -> String {
    format!("{GOOD}\n[server]\n{lines}\n")
}

fn config(text: &str) -> Config {
    load_from(&folder(text)).unwrap()
}

/// Expects one problem with this line: message, key and a part of the help.
#[track_caller]
fn refused(line: &str, message: &str, key: &str, help: &str) {
    all_refused(&with(line), &[(message, key, help)]);
}

#[test]
fn the_server_runs_so_many_jobs_at_once() {
    assert_eq!(config(GOOD).server.parallel.get(), 2);
    assert_eq!(config(&with("parallel = 5")).server.parallel.get(), 5);
    for (line, message) in [
        ("parallel = 0", "`parallel` is 0"),
        ("parallel = -1", "`parallel` is -1"),
        ("parallel = 65", "`parallel` is 65"),
        (
            "parallel = \"2\"",
            "`parallel` must be a number, not a string",
        ),
    ] {
        refused(line, message, "server.parallel", "");
    }
    let (message, help) = ("unknown key `paralel`", "Did you mean `parallel`?");
    refused("paralel = 2", message, "server.paralel", help);
}

#[test]
fn without_a_word_about_it_only_this_machine_can_ask() {
    let config = config(GOOD);
    let socket = config.state.join("api.sock");
    assert_eq!(config.server.socket(), Some(socket.as_path()));
    assert_eq!(config.server.listen, [Listen::Unix(socket)]);
    assert_eq!(config.server.group_scopes, Scopes::default());
    assert_eq!((config.server.tls, config.server.hosts.len()), (None, 0));
}

#[test]
fn the_server_is_read_with_all_its_keys() {
    let lines = r#"name = "The vault"
listen = ["https://0.0.0.0:8443", "unix:/run/backupd/api.sock", "http://127.0.0.1:8080"]
hosts = ["Vault01.example.org"]
group_scopes = ["status", "run"]
trusted_proxies = ["10.0.0.1", "fd00::/8"]
restore_folders = ["/srv/restore/", "/home/test"]
[server.tls]
certificate = "/etc/backupd/tls/cert.pem"
key = { file = "tls/key.pem" }"#;
    let folder = folder(&with(lines));
    let server = load_from(&folder).unwrap().server;
    assert_eq!(
        server.listen,
        [
            Listen::Https("0.0.0.0:8443".parse().unwrap()),
            Listen::Unix("/run/backupd/api.sock".into()),
            Listen::Http("127.0.0.1:8080".parse().unwrap()),
        ]
    );
    assert_eq!(server.socket(), Some(Path::new("/run/backupd/api.sock")));
    assert_eq!(server.name, "The vault");
    assert_eq!(server.hosts, ["vault01.example.org"]);
    assert_eq!(server.group_scopes, Scopes(vec![Scope::Status, Scope::Run]));
    let proxies = server.trusted_proxies.iter().map(ToString::to_string);
    assert_eq!(proxies.collect::<Vec<_>>(), ["10.0.0.1/32", "fd00::/8"]);
    assert_eq!(
        server.restore_folders,
        [Path::new("/srv/restore"), Path::new("/home/test")]
    );
    let expected = TlsConfig {
        certificate: "/etc/backupd/tls/cert.pem".into(),
        key: SecretRef::File(folder.path().join("tls/key.pem")),
    };
    assert_eq!(server.tls, Some(expected));
}

#[test]
fn where_the_daemon_cannot_listen() {
    for (address, why, help) in [
        (
            "http://192.0.2.7:8080",
            "http:// goes to loopback addresses only: tokens and answers would be readable",
            "Use https://",
        ),
        (
            "http://localhost:8080",
            "http:// goes to loopback addresses only: tokens and answers would be readable",
            "127.0.0.1",
        ),
        (
            "https://vault01:8443",
            "one listens at an address, not at a name",
            "names go into `hosts`",
        ),
        (
            "https://0.0.0.0",
            "an address on a network ends in a port from 1 to 65535",
            "Add a port",
        ),
        (
            "unix:api.sock",
            "the path of a socket must be absolute",
            "Begin the path with `/`",
        ),
        (
            "0.0.0.0:8443",
            "an address begins with `unix:`, `https://` or `http://`",
            "https://192.0.2.7:8443",
        ),
    ] {
        let line = format!("listen = [\"unix:/run/a.sock\", \"{address}\"]");
        let message = format!("`{address}`: {why}");
        refused(&line, &message, "server.listen[1]", help);
    }
    refused(
        "listen = []",
        "`listen` is empty",
        "server.listen",
        "Leave the key out",
    );
    refused(
        "listen = [\"unix:/a\", \"unix:/a\"]",
        "`unix:/a` stands twice",
        "server.listen[1]",
        "Remove one",
    );
    refused(
        "listen = \"unix:/a\"",
        "`listen` must be an array of strings, not a string",
        "server.listen",
        "listen = [\"unix:",
    );
}

#[test]
fn who_cannot_be_let_in() {
    refused(
        "name = \" \"",
        "`name` has not 1 to 128 bytes",
        "server.name",
        "this machine's name",
    );
    refused(
        "hosts = [\"https://vault01\"]",
        "`https://vault01` is not the name of a host",
        "server.hosts[0]",
        "the name alone",
    );
    refused(
        "group_scopes = [\"statu\"]",
        "unknown scope `statu`",
        "server.group_scopes[0]",
        "Did you mean `status`?",
    );
    refused(
        "trusted_proxies = [\"proxy\"]",
        "`proxy` is not an address",
        "server.trusted_proxies[0]",
        "`10.0.0.0/24`",
    );
    for everybody in ["0.0.0.0/0", "::/0"] {
        refused(
            &format!("trusted_proxies = [\"{everybody}\"]"),
            "`trusted_proxies` trusts everybody",
            "server.trusted_proxies[0]",
            "your own proxies",
        );
    }
}

#[test]
fn a_certificate_has_a_key_by_reference() {
    refused(
        "tls = { certificate = \"/c.pem\" }",
        "`server.tls` has no `key`",
        "server.tls",
        "Add `key = { file",
    );
    refused(
        "tls = { key = { env = \"KEY\" } }",
        "`server.tls` has no `certificate`",
        "server.tls",
        "Add `certificate",
    );
    refused(
        "tls = { certificate = \"c.pem\", key = { env = \"KEY\" } }",
        "`certificate`: `c.pem` is not an absolute path",
        "server.tls.certificate",
        "Begin the path with `/`.",
    );
    let clear = with("tls = { certificate = \"/c.pem\", key = \"geheim\" }");
    let problems = problems(&folder(&clear));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].message, "`key` holds a secret in clear");
    let unused = with("tls = { certificate = \"/c.pem\", key = { env = \"KEY\" } }");
    let told: Vec<_> = config(&unused)
        .warnings
        .iter()
        .map(Problem::to_string)
        .collect();
    assert_eq!(told, ["`[server.tls]` is never used"]);
}

/// All at once, and each key in one file only.
#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let lines = "listen = [\"http://192.0.2.7:1\"]\nhosts = [\"\"]\ngroup_scopes = [\"root\"]\n\
                 trusted_proxies = [\"x\"]\nparallel = 0";
    let found = problems(&folder(&with(lines)));
    let keys: Vec<_> = found.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "server.listen[0]",
            "server.hosts[0]",
            "server.group_scopes[0]",
            "server.trusted_proxies[0]",
            "server.parallel",
        ]
    );
    let folder = folder(&with("hosts = [\"a\"]"));
    write(
        folder.path(),
        "conf.d/b.toml",
        "version = 1\n[server]\nhosts = [\"b\"]\n",
    );
    let found = problems(&folder);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].message, "`hosts` is set twice");
}

#[test]
fn where_restores_cannot_be_let_go() {
    for (folder, message, help) in [
        (
            "srv",
            "`restore_folders`: `srv` is not an absolute path",
            "Begin the path with `/`",
        ),
        (
            "/srv/../etc",
            "`/srv/../etc` contains `..`",
            "Write the path without `..`",
        ),
        (
            "/",
            "`restore_folders` lets restores go anywhere",
            "Name a folder for them",
        ),
    ] {
        let line = format!("restore_folders = [\"/srv/restore\", \"{folder}\"]");
        refused(&line, message, "server.restore_folders[1]", help);
    }
}
