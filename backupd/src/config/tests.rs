//! Every problem that a configuration can have, with its line and its remedy.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tempfile::TempDir;

use super::*;

const TRUST: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

/// A right configuration; `§` stands for the trusted key.
const GOOD: &str = r#"version = 1
state = "state"

[repository.main]
url = "file:///var/lib/backupd/repo"
trust = "§"

[job.webui]
repository = "main"

[[job.webui.source]]
kind = "postgres"
connection = { user = "backup", dbname = "webui" }
password = { file = "secrets/pg" }

[[job.webui.source]]
kind = "files"
name = "config"
paths = ["/srv/webui/config"]
"#;

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
}

fn folder(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "config.toml", text.replace('§', TRUST));
    folder
}

fn load_from(folder: &TempDir) -> Result<Config, LoadError> {
    load(&Places {
        flag: Some(folder.path().join("config.toml")),
        ..Places::default()
    })
}

fn problems(folder: &TempDir) -> Vec<Problem> {
    match load_from(folder) {
        Err(LoadError::Invalid(problems)) => problems.0,
        other => panic!("no problems: {other:?}"),
    }
}

/// Replaces a part of [`GOOD`] and expects one problem: line, message, part of the help.
#[track_caller]
fn refused(part: &str, by: &str, line: usize, message: &str, help: &str) {
    assert!(GOOD.contains(part), "{part}");
    let folder = folder(&GOOD.replace(part, by));
    let problems = problems(&folder);
    let shown: Vec<_> = problems.iter().map(Problem::one_line).collect();
    assert_eq!(problems.len(), 1, "{by}: {shown:?}");
    assert_eq!(problems[0].message, message, "{by}");
    assert_eq!(problems[0].line, Some(line), "{by}");
    let given = problems[0].help.as_deref().unwrap_or_default();
    assert!(given.contains(help), "{by}: {given}");
}

#[test]
fn a_right_file_is_read_with_its_defaults() {
    let folder = folder(GOOD);
    let config = load_from(&folder).unwrap();
    assert_eq!(config.files, [folder.path().join("config.toml")]);
    assert_eq!(config.state, folder.path().join("state"));
    let repository = &config.repositories[&"main".parse().unwrap()];
    assert_eq!(repository.url.path(), Path::new("/var/lib/backupd/repo"));
    assert_eq!(repository.trust, TRUST);
    let job = &config.jobs[&"webui".parse().unwrap()];
    assert_eq!(job.repository.as_str(), "main");
    let names: Vec<_> = job.sources.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["webui", "config"]);
    let SourceKind::Postgres(postgres) = &job.sources[0].kind else {
        panic!("{job:?}");
    };
    assert_eq!(postgres.connection.host, "/var/run/postgresql");
    assert_eq!(postgres.connection.port, 5432);
    assert!(postgres.globals);
    let file = folder.path().join("secrets/pg");
    assert_eq!(postgres.password, Some(SecretRef::File(file)));
}

#[test]
fn one_repository_need_not_be_named() {
    let folder = folder(&GOOD.replace("repository = \"main\"\n", ""));
    let config = load_from(&folder).unwrap();
    assert_eq!(
        config.jobs[&"webui".parse().unwrap()].repository.as_str(),
        "main"
    );
}

#[test]
fn version_and_state() {
    refused(
        "version = 1\n",
        "",
        1,
        "the file has no `version`",
        "`version = 1`",
    );
    refused(
        "version = 1",
        "version = 2",
        1,
        "version 2 is not known here",
        "`version = 1`",
    );
    refused(
        "version = 1",
        "version = \"1\"",
        1,
        "`version` must be a number, not a string",
        "`version = 1`",
    );
    refused(
        "\"state\"",
        "\"\"",
        2,
        "`state` is empty",
        "leave the key out",
    );
    refused(
        "\"state\"",
        "7",
        2,
        "`state` must be a string, not a number",
        "state = ",
    );
    refused(
        "\"state\"",
        "\"a\\u0000b\"",
        2,
        "`state` contains a control character",
        "Remove",
    );
}

#[test]
fn keys_and_types() {
    refused(
        "state =",
        "stat =",
        2,
        "unknown key `stat`",
        "Did you mean `state`?",
    );
    refused(
        "repository = \"main\"",
        "retain = 7",
        9,
        "unknown key `retain`",
        "Known here: `repository`, `source`.",
    );
    refused(
        "[job.webui]",
        "[hooks]\n[job.webui]",
        8,
        "unknown key `hooks`",
        "Known here",
    );
    refused(
        "{ user",
        "{ hots = \"db\", user",
        13,
        "unknown key `hots`",
        "`host`",
    );
    refused(
        "{ file",
        "{ files = \"x\", file",
        14,
        "unknown key `files`",
        "`file`",
    );
    refused(
        "{ user",
        "{ port = \"5432\", user",
        13,
        "`port` must be a number, not a string",
        "port = 5432",
    );
    refused(
        "[\"/srv/webui/config\"]",
        "\"/srv\"",
        19,
        "`paths` must be an array of strings, not a string",
        "paths = [",
    );
    refused(
        "[\"/srv/webui/config\"]",
        "[\"/srv\", 1]",
        19,
        "`paths` must be an array of strings, not an array of something else",
        "paths = [",
    );
    refused(
        "kind = \"postgres\"",
        "kind = \"postgres\"\nglobals = \"no\"",
        13,
        "`globals` must be true or false, not a string",
        "globals = true",
    );
    refused(
        "[job.webui]",
        "[job]\nx = 1\n[job.webui]",
        9,
        "`x` must be a table, not a number",
        "[job.webui]",
    );
}

#[test]
fn what_toml_itself_refuses() {
    refused(
        "state = \"state\"",
        "version = 1",
        2,
        "`version` stands here twice",
        "once",
    );
    refused(
        "[job.webui]",
        "[repository.main]\n[job.webui]",
        8,
        "`main` stands here twice",
        "once",
    );
}

#[test]
fn repositories() {
    refused(
        "url = \"file:///var/lib/backupd/repo\"\n",
        "",
        4,
        "`repository.main` has no `url`",
        "Add `url =",
    );
    refused(
        "trust = \"§\"\n",
        "",
        4,
        "`repository.main` has no `trust`",
        "Add `trust =",
    );
    refused(
        "file:///var",
        "s3://var",
        5,
        "`s3://` is not supported by this version",
        "local folder",
    );
    refused(
        "file:///var",
        "https://u:geheim@h/var",
        5,
        "the repository's URL holds a password",
        "Remove the password",
    );
    refused(
        "file:///var",
        "/var/..",
        5,
        "the repository's path contains `..`",
        "without `..`",
    );
    refused(
        "trust = \"§",
        "trust = \"X§",
        6,
        "`trust` is not a minisign public key",
        "56 characters",
    );
    refused(
        "trust = \"§",
        "trust = \"age1§",
        6,
        "`trust` is an age recipient, not a minisign public key",
        "56 characters",
    );
    refused(
        "trust = \"§",
        "trust = \"AGE-SECRET-KEY-1§",
        6,
        "`trust` holds a secret key",
        "replace that key",
    );
    refused(
        "[repository.main]",
        "[repository.Other]\nurl=\"/r\"\ntrust=\"§\"\n[repository.main]",
        4,
        "`Other` cannot be the name of a repository",
        "1 to 64",
    );
}

#[test]
fn jobs_and_sources() {
    refused(
        "\"main\"",
        "\"mian\"",
        9,
        "there is no repository `mian`",
        "Did you mean `main`?",
    );
    refused(
        "[job.webui]",
        "[job.\"a/b\"]\nsource=[{kind=\"files\",paths=[\"/x\"]}]\n[job.webui]",
        8,
        "`a/b` cannot be the name of a job",
        "1 to 64",
    );
    refused(
        "[job.webui]",
        "[job.empty]\n[job.webui]",
        8,
        "job `empty` has no source",
        "[[job.empty.source]]",
    );
    refused(
        "\"config\"",
        "\"webui\"",
        18,
        "source `webui` is defined twice",
        "config.toml:11",
    );
    refused(
        "\"config\"",
        "\"con fig\"",
        18,
        "`con fig` cannot be the name of a source",
        "1 to 64",
    );
    refused(
        "kind = \"postgres\"\n",
        "",
        11,
        "`job.webui.source[0]` has no `kind`",
        "`kind = \"files\"`",
    );
    refused(
        "kind = \"files\"",
        "kind = \"file\"",
        17,
        "unknown kind `file`",
        "Did you mean `files`?",
    );
    refused(
        "dbname = \"webui\"",
        "dbname = \"Web\"",
        13,
        "the source needs a name: `Web` cannot be one",
        "name =",
    );
    refused(
        "[repository.main]",
        "[repository.b]\nurl=\"/r\"\ntrust=\"§\"\n[job.two]\nsource=[{kind=\"files\",paths=[\"/x\"]}]\n[repository.main]",
        7,
        "job `two`: it does not say which repository",
        "several",
    );
}

#[test]
fn databases() {
    refused(
        "connection = { user = \"backup\", dbname = \"webui\" }\n",
        "name=\"x\"\n",
        11,
        "`job.webui.source[0]` has no `connection`",
        "connection = {",
    );
    refused(
        ", dbname = \"webui\"",
        "",
        13,
        "`job.webui.source[0].connection` has no `dbname`",
        "dbname =",
    );
    refused("\"backup\"", "\"\"", 13, "`user` is empty", "user");
    refused(
        "{ user",
        "{ port = 70000, user",
        13,
        "there is no such port",
        "65535",
    );
    refused(
        "{ user",
        "{ host = \"a b\", user",
        13,
        "`a b` is not a host",
        "one host name",
    );
    refused(
        "{ user",
        "{ host = \"postgres://u:p@h\", user",
        13,
        "`host` is a URL",
        "key of its own",
    );
    refused(
        "{ user",
        "{ password = \"x\", user",
        13,
        "a password inside `connection`",
        "beside",
    );
    refused(
        "kind = \"postgres\"",
        "kind = \"postgres\"\nbin_dir = \"bin\"",
        13,
        "`bin_dir`: `bin` is not an absolute path",
        "`/`",
    );
}

#[test]
fn secrets_are_references() {
    const FILE: &str = "{ file = \"secrets/pg\" }";
    refused(
        FILE,
        "\"hunter2\"",
        14,
        "`password` holds a secret in clear",
        "password = { file",
    );
    refused(
        FILE,
        "{ file = \"a\", env = \"B\" }",
        14,
        "the reference names several places for one secret",
        "one of",
    );
    refused(
        FILE,
        "{}",
        14,
        "the reference does not say where the secret is",
        "one of",
    );
    refused(
        FILE,
        "{ env = \"$A\" }",
        14,
        "`$A` is not a reference to a secret",
        "without `$`",
    );
    refused(
        FILE,
        "{ credential = \"../a\" }",
        14,
        "`../a` is not a reference to a secret",
        "no `/`",
    );
    refused(
        FILE,
        "{ file = \"\" }",
        14,
        "`` is not a reference to a secret",
        "Name the file",
    );
    refused(
        FILE,
        "{ command = [] }",
        14,
        "the secret command is empty",
        "Begin with a program",
    );
    refused(
        FILE,
        "{ command = \"pass pg\" }",
        14,
        "`command` must be an array of strings, not a string",
        "command = [",
    );
}

#[test]
fn folders() {
    refused(
        "paths = [\"/srv/webui/config\"]\n",
        "",
        16,
        "the source has no paths",
        "paths = [",
    );
    refused(
        "[\"/srv/webui/config\"]",
        "[]",
        16,
        "the source has no paths",
        "paths = [",
    );
    refused(
        "\"/srv/webui/config\"",
        "\"srv\"",
        19,
        "`paths`: `srv` is not an absolute path",
        "`/`",
    );
    refused(
        "\"/srv/webui/config\"",
        "\"/srv/../etc\"",
        19,
        "`/srv/../etc` contains `..`",
        "without",
    );
    refused(
        "\"/srv/webui/config\"",
        "\"/srv\", \"/srv/a\"",
        19,
        "`/srv/a` and `/srv` overlap",
        "outer",
    );
    refused(
        "\"/srv/webui/config\"",
        "\"/var/lib\"",
        19,
        "repository `main` is inside `/var/lib`",
        "Move",
    );
    refused(
        "\"/srv/webui/config\"",
        "\"/var/lib/backupd/repo/packs\"",
        19,
        "`/var/lib/backupd/repo/packs` is inside repository `main`",
        "something else",
    );
}

#[test]
fn links_do_not_hide_a_repository_in_a_backed_up_tree() {
    let folder = folder("");
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    std::os::unix::fs::symlink(&tree, folder.path().join("link")).unwrap();
    let text = GOOD
        .replace("file:///var/lib/backupd/repo", "link/repo")
        .replace("/srv/webui/config", tree.to_str().unwrap())
        .replace('§', TRUST);
    write(folder.path(), "config.toml", text);
    assert!(
        problems(&folder)[0]
            .message
            .starts_with("repository `main` is inside")
    );
}

#[test]
fn files_that_are_not_configurations() {
    let utf16: Vec<u8> = [0xff, 0xfe, b'v', 0].into();
    let long = vec![b'#'; (1 << 20) + 1];
    let cases: [(&[u8], &str); 6] = [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (
            b"\xef\xbb\xbfversion = 1",
            "the file begins with a byte order mark",
        ),
        (&utf16, "the file is UTF-16"),
        (b"version = 1\n# \xff\n", "the file is not UTF-8"),
        (&long, "the file is larger than 1 MiB"),
    ];
    for (bytes, message) in cases {
        let folder = folder("");
        write(folder.path(), "config.toml", bytes);
        let problems = problems(&folder);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].message, message);
        assert!(problems[0].help.is_some());
        let at_line = message.ends_with("UTF-8").then_some(2);
        assert!(at_line.is_none() || problems[0].line == at_line);
    }
}

#[test]
fn files_that_others_can_change_are_refused() {
    let folder = folder(GOOD);
    let path = folder.path().join("config.toml");
    for mode in [0o666, 0o664, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let problems = problems(&folder);
        assert_eq!(
            problems[0].message, "others can write to the file",
            "{mode:o}"
        );
        assert!(problems[0].help.as_deref().unwrap().contains("chmod go-w"));
        assert_eq!(problems[0].line, None);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(problems(&folder)[0].message, "it is not a regular file");
}

#[test]
fn a_missing_file_is_named() {
    let folder = TempDir::new().unwrap();
    let error = load_from(&folder).unwrap_err();
    let failure = backup_model::Failure::from(error);
    assert_eq!(failure.code, backup_model::Code::ConfigMissing);
    assert!(failure.message.contains("config.toml"));
}

#[test]
fn parts_are_merged_and_may_not_contradict() {
    let folder = folder(GOOD);
    let part = "[job.wiki]\nsource = [{ kind = \"files\", paths = [\"/srv/wiki\"] }]\n";
    write(folder.path(), "conf.d/wiki.toml", part);
    write(folder.path(), "conf.d/.hidden.toml", "nonsense");
    write(folder.path(), "conf.d/notes.txt", "nonsense");
    let config = load_from(&folder).unwrap();
    assert_eq!(config.jobs.len(), 2);
    assert_eq!(config.files.len(), 2);

    let again = "[job.webui]\nsource = [{ kind = \"files\", paths = [\"/x\"] }]\n";
    write(folder.path(), "conf.d/more.toml", again);
    let problems = problems(&folder);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "job `webui` is defined twice");
    assert!(problems[0].file.ends_with("conf.d/more.toml"));
    assert_eq!(problems[0].line, Some(1));
    let help = problems[0].help.as_deref().unwrap();
    assert!(help.contains("config.toml:8"), "{help}");
}

#[test]
fn a_broken_part_does_not_make_the_rest_look_wrong() {
    let folder = folder(&GOOD.replace(
        "[repository.main]\nurl = \"file:///var/lib/backupd/repo\"\ntrust = \"§\"\n",
        "",
    ));
    write(
        folder.path(),
        "conf.d/repository.toml",
        "[repository.main\n",
    );
    let problems = problems(&folder);
    assert!(
        problems.iter().all(|p| p.file.ends_with("repository.toml")),
        "{problems:?}"
    );
}

#[test]
fn all_problems_come_at_once_and_in_order() {
    let folder = folder(
        "version = 1\nstat = \"x\"\n[repository.main]\nurl = 5\n[job.webui]\nrepository = \"nas\"\n\
         [[job.webui.source]]\nkind = \"files\"\npaths = [\"relative\"]\npassword = \"hunter2\"\n",
    );
    let problems = problems(&folder);
    let lines: Vec<_> = problems.iter().map(|p| p.line.unwrap()).collect();
    let messages: Vec<_> = problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "unknown key `stat`",
            "`repository.main` has no `trust`",
            "`url` must be a string, not a number",
            "there is no repository `nas`",
            "`paths`: `relative` is not an absolute path",
            "unknown key `password`",
        ]
    );
    assert_eq!(lines, [2, 3, 4, 6, 9, 10]);
    assert_eq!(problems[4].key, "job.webui.source[0].paths[0]");
}

#[test]
fn problems_show_their_line_and_no_secret() {
    let folder = folder(&GOOD.replace("{ file = \"secrets/pg\" }", "\"hunter2\""));
    let Err(LoadError::Invalid(problems)) = load_from(&folder) else {
        panic!("it was accepted");
    };
    let shown = problems.render(false, 100);
    assert!(shown.contains("config.toml:14:12]"), "{shown}");
    assert!(shown.contains("14 │ password = *********"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    assert!(!shown.contains("hunter2") && !format!("{problems:?}").contains("hunter2"));

    for bad in [
        "hunter2",
        "\"hunter2",
        "{ file = \"x\" }\npasswd = \"hunter2\"",
    ] {
        let folder = self::folder(&GOOD.replace("{ file = \"secrets/pg\" }", bad));
        let Err(LoadError::Invalid(problems)) = load_from(&folder) else {
            panic!("it was accepted");
        };
        let shown = problems.render(false, 100);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("help: "), "{shown}");
    }
}

#[test]
fn problems_are_data() {
    let folder = folder(&GOOD.replace("state =", "stat ="));
    let json = serde_json::to_value(&problems(&folder)[0]).unwrap();
    let file = folder.path().join("config.toml");
    let expected = serde_json::json!({
        "file": file, "line": 2, "column": 1, "key": "stat",
        "message": "unknown key `stat`", "help": "Did you mean `state`?",
    });
    assert_eq!(json, expected);
}
