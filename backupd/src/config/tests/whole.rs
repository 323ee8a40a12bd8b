//! Files as a whole, several files, and how problems are shown.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tempfile::TempDir;

use super::fixture::{GOOD, TRUST, folder, load_from, problems, write};
use crate::config::{LoadError, Places, SecretRef, SourceKind, load};

#[test]
fn a_right_file_is_read_with_its_defaults() {
    let folder = folder(GOOD);
    let config = load_from(&folder).unwrap();
    assert_eq!(config.files, [folder.path().join("config.toml")]);
    assert_eq!(config.state, folder.path().join("state"));
    let repository = &config.repositories[&"main".parse().unwrap()];
    assert_eq!(
        repository.url.folder(),
        Some(Path::new("/var/lib/backupd/repo"))
    );
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
        let folder = super::fixture::folder(&GOOD.replace("{ file = \"secrets/pg\" }", bad));
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

#[test]
fn a_file_named_by_a_roundabout_path_is_as_good() {
    let folder = folder(GOOD);
    fs::create_dir(folder.path().join("sub")).unwrap();
    let config = load(&Places {
        flag: Some(folder.path().join("sub/../config.toml")),
        ..Places::default()
    });
    let real = folder.path().canonicalize().unwrap();
    assert_eq!(config.unwrap().state, real.join("state"));
}

#[test]
fn a_file_with_a_secret_that_is_no_configuration_is_not_shown() {
    let secrets = [
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "hunter2 and more",
        "# created\nAGE-SECRET-KEY-1QQQQQQQQ",
        "untrusted comment: x\nRWRTY0IykeyABCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789==",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n",
        "hunter2\u{0}\u{7f}",
    ];
    for secret in secrets {
        let folder = folder(secret);
        let LoadError::Invalid(problems) = load_from(&folder).unwrap_err() else {
            panic!("{secret} was read");
        };
        let shown = [problems.render(false, 80), format!("{problems:?}")].concat();
        for word in secret.split_whitespace().filter(|word| word.len() > 6) {
            let is_public = [
                "untrusted",
                "comment:",
                "created",
                "-----BEGIN",
                "OPENSSH",
                "PRIVATE",
            ];
            assert!(
                is_public.contains(&word) || !shown.contains(word),
                "{shown}"
            );
        }
    }
}
