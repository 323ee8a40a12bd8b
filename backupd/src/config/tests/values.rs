//! Keys and values: one wrong thing at a time.

use super::fixture::refused;

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
        "Did you mean `retention`?",
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
        "gs://var",
        5,
        "`gs://` is not supported by this version",
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
fn sizes_and_times_have_units() {
    let paths = "paths = [\"/srv/webui/config\"]";
    for (value, message) in [
        ("\"100\"", "`max_file_size`: `100` has no unit"),
        ("\"0MiB\"", "`max_file_size`: `0MiB` is zero"),
        (
            "\"-1MiB\"",
            "`max_file_size`: `-1MiB` is not a whole number with a unit",
        ),
        (
            "\"9999999TiB\"",
            "`max_file_size`: `9999999TiB` is too large",
        ),
        ("\"5mb\"", "`max_file_size`: `mb` is not a unit of size"),
        ("5", "`max_file_size` must be a string, not a number"),
    ] {
        let by = format!("{paths}\nmax_file_size = {value}");
        refused(paths, &by, 20, message, "max_file_size = \"100MiB\"");
    }
    let kind = "kind = \"postgres\"";
    for (value, message) in [
        ("\"30\"", "`stall_timeout`: `30` has no unit"),
        ("\"30min\"", "`stall_timeout`: `min` is not a unit of time"),
        ("30", "`stall_timeout` must be a string, not a number"),
    ] {
        let by = format!("{kind}\nstall_timeout = {value}");
        refused(kind, &by, 13, message, "stall_timeout = \"30m\"");
    }
}

#[test]
fn what_is_left_out_can_be_left_out() {
    let paths = "paths = [\"/srv/webui/config\"]";
    for (line, message, help) in [
        (
            "exclude = [\"*.sock\", \"cache/*\"]",
            "`cache/*` has a slash and begins neither with `/` nor with `**/`",
            "Write `**/cache/*`",
        ),
        (
            "exclude = [\"/srv/x/\"]",
            "`/srv/x/` ends with `/`",
            "`/srv/x/**`",
        ),
        ("exclude = [\"\"]", "the pattern is empty", "**/.cache/**"),
        ("exclude = [\"[a\"]", "`[a` is not a pattern", "nclosed"),
        (
            "exclude = [\"/srv/**\"]",
            "`/srv/**` leaves out the whole of `/srv/webui/config`",
            "Remove the path",
        ),
        (
            "exclude = \"*.sock\"",
            "`exclude` must be an array of strings, not a string",
            "exclude = [",
        ),
        (
            "preset = \"openwebui\"",
            "there is no preset `openwebui`",
            "Did you mean `open-webui`?",
        ),
    ] {
        refused(paths, &format!("{paths}\n{line}"), 20, message, help);
    }
}

#[test]
fn commands() {
    let files = "kind = \"files\"\nname = \"config\"\npaths = [\"/srv/webui/config\"]";
    for (lines, line, message, help) in [
        (
            "name = \"x\"",
            16,
            "the source has no command",
            "Add `command",
        ),
        (
            "name = \"x\"\ncommand = []",
            19,
            "the command names no program",
            "command = [",
        ),
        (
            "name = \"x\"\ncommand = \"mysqldump\"",
            19,
            "`command` must be an array of strings, not a string",
            "command = [",
        ),
        (
            "command = [\"bin/dump\"]",
            18,
            "`bin/dump` is neither a name nor an absolute path",
            "begin its path",
        ),
        (
            "name = \"x\"\ncommand = [\"mysqldump --all\"]",
            19,
            "`mysqldump --all` is a command line, not a program",
            "There is no shell",
        ),
        (
            "command = [\"/opt/My.Dump\"]",
            18,
            "the source needs a name: `My.Dump` cannot be one",
            "Add `name",
        ),
        (
            "command = [\"dump\"]\nmax_bytes = \"1\"",
            19,
            "`max_bytes`: `1` has no unit",
            "max_bytes = ",
        ),
        (
            "command = [\"dump\"]\nmax_file_size = \"1B\"",
            19,
            "unknown key `max_file_size`",
            "",
        ),
    ] {
        refused(
            files,
            &format!("kind = \"command\"\n{lines}"),
            line,
            message,
            help,
        );
    }
}
