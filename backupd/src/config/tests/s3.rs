//! Repositories in buckets.

use super::fixture::{GOOD, folder, load_from, problems};
use crate::config::{CredentialRefs, Problem, RepositoryUrl, SecretRef};

const BUCKET: &str = r#"url = "s3://vault/main"
endpoint = "https://s3.example.org:9000"
region = "eu-1"
path_style = false
read_back = false
credentials = { access_key_id = { env = "ID" }, secret_access_key = { file = "key" } }
limits = { upload = "20MiB/s", connections = 4 }"#;

/// A right configuration with a bucket; the URL is in line 5.
fn with_bucket(bucket: &str) -> String {
    GOOD.replace("url = \"file:///var/lib/backupd/repo\"", bucket)
}

#[track_caller]
fn refused(part: &str, by: &str, line: usize, message: &str, help: &str) {
    assert!(BUCKET.contains(part), "{part}");
    let folder = folder(&with_bucket(&BUCKET.replace(part, by)));
    let problems = problems(&folder);
    let shown: Vec<_> = problems.iter().map(Problem::one_line).collect();
    assert_eq!(problems.len(), 1, "{by}: {shown:?}");
    assert_eq!(problems[0].message, message, "{by}");
    assert_eq!(problems[0].line, Some(line), "{by}");
    let given = problems[0].help.as_deref().unwrap_or_default();
    assert!(given.contains(help), "{by}: {given}");
}

#[test]
fn a_bucket_is_read_with_all_its_keys() {
    let folder = folder(&with_bucket(BUCKET));
    let config = load_from(&folder).unwrap();
    let repository = &config.repositories[&"main".parse().unwrap()];
    assert!(matches!(&repository.url, RepositoryUrl::S3(bucket) if bucket.prefix == "main"));
    let s3 = repository.s3.as_ref().unwrap();
    let endpoint = s3.endpoint.as_ref().unwrap().to_string();
    assert_eq!(endpoint, "https://s3.example.org:9000");
    assert_eq!(s3.region.as_deref(), Some("eu-1"));
    assert_eq!((s3.path_style, s3.read_back), (Some(false), Some(false)));
    let expected = CredentialRefs {
        access_key_id: SecretRef::Env("ID".to_owned()),
        secret_access_key: SecretRef::File(folder.path().join("key")),
        session_token: None,
    };
    assert_eq!(s3.credentials, expected);
    assert_eq!(s3.limits.upload_per_sec, Some(20 << 20));
    assert_eq!(s3.limits.download_per_sec, None);
    assert_eq!(s3.limits.connections, 4);
}

#[test]
fn what_a_bucket_cannot_be() {
    refused(
        "s3://vault/main",
        "s3://Vault",
        5,
        "the repository's URL names no bucket",
        "lower-case",
    );
    refused(
        "s3://vault/main",
        "s3://id:geheim@vault",
        5,
        "the repository's URL holds a password",
        "Remove the password",
    );
    refused(
        "https://s3",
        "http://s3",
        6,
        "the endpoint is plain http:// to another machine",
        "https://",
    );
    refused(
        "https://s3",
        "https://a:geheim@s3",
        6,
        "the endpoint holds a user or a password",
        "by reference",
    );
    refused(
        ":9000",
        ":9000/vault",
        6,
        "the endpoint has a path, a query or a fragment",
        "belong into `url`",
    );
    refused(
        "https://s3",
        "s3",
        6,
        "the endpoint is not a URL of the form https://host:port",
        "for example",
    );
    refused("eu-1", "", 7, "`region` is empty", "leave the key out");
    refused(
        "path_style = false",
        "path_style = \"no\"",
        8,
        "`path_style` must be true or false, not a string",
        "path_style = true",
    );
    refused(
        "path_style",
        "pathstyle",
        8,
        "unknown key `pathstyle`",
        "Did you mean `path_style`?",
    );
}

#[test]
fn credentials_are_references() {
    refused(
        "credentials = { access_key_id = { env = \"ID\" }, secret_access_key = { file = \"key\" } }",
        "",
        5,
        "a repository in a bucket needs `credentials`",
        "access_key_id",
    );
    refused(
        "{ file = \"key\" }",
        "\"geheim\"",
        10,
        "`secret_access_key` holds a secret in clear",
        "Then change the secret",
    );
    refused(
        "access_key_id = { env = \"ID\" }, ",
        "",
        10,
        "`repository.main.credentials` has no `access_key_id`",
        "access_key_id",
    );
    refused(
        "{ env = \"ID\" }",
        "{}",
        10,
        "the reference does not say where the secret is",
        "Give one of",
    );
}

#[test]
fn limits_are_rates() {
    refused(
        "20MiB/s",
        "20",
        11,
        "`upload` is not a number of bytes per second",
        "20MiB/s",
    );
    refused("20MiB/s", "1KiB/s", 11, "`upload` is too slow", "16KiB/s");
    refused(
        "connections = 4",
        "connections = 0",
        11,
        "so many connections are not possible",
        "from 1 to 32",
    );
}

#[test]
fn keys_of_a_bucket_do_not_belong_to_a_folder() {
    let folder = folder(&with_bucket(
        "url = \"/var/lib/backupd/repo\"\nregion = \"eu-1\"",
    ));
    let problems = problems(&folder);
    assert_eq!(problems.len(), 1);
    let message = "`region` is for repositories in a bucket";
    assert_eq!(problems[0].message, message);
    assert_eq!(problems[0].line, Some(6));
}

#[test]
fn a_secret_at_a_wrong_place_is_not_shown() {
    let right = "credentials = { access_key_id = { env = \"ID\" }, secret_access_key = { file = \"key\" } }";
    for wrong in [
        "credentials = [\"geheim\"]",
        "credentials = { access_key_id = { env = \"ID\" }, secret_access_key = { file = \"key\" }, id = \"geheim\" }",
        "credentials = { access_key_id = [\"geheim\"], secret_access_key = { file = \"key\" } }",
        "credentials = { access_key_id = { value = \"geheim\" }, secret_access_key = { file = \"key\" } }",
    ] {
        assert!(BUCKET.contains(right));
        let folder = folder(&with_bucket(&BUCKET.replace(right, wrong)));
        let Err(crate::config::LoadError::Invalid(problems)) = load_from(&folder) else {
            panic!("{wrong} is accepted");
        };
        let shown = problems.render(false, 200);
        assert!(shown.contains("credentials"), "{shown}");
        assert!(!shown.contains("geheim"), "{shown}");
    }
    refused(
        "eu-1",
        "eu_1",
        7,
        "`region` is not of the form `eu-central-1`",
        "lower-case",
    );
}
