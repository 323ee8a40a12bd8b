//! The table `[health]`: what is looked at besides.

use std::path::PathBuf;

use super::fixture::{GOOD, all_refused, folder, load_from};
use crate::config::HealthConfig;

fn with(lines: &str) -> String {
    format!("{GOOD}\n[health]\n{lines}\n")
}

fn health(text: &str) -> HealthConfig {
    load_from(&folder(text)).unwrap().health
}

#[test]
fn without_a_word_about_it_nothing_is_watched_besides() {
    assert_eq!(health(GOOD), HealthConfig::default());
    assert_eq!(health(GOOD).space_days, 14);
}

#[test]
fn it_is_read_with_all_its_keys_and_shows_no_query() {
    let lines = "urls = [\"https://chat.example.org\", \"https://a.example:8443/x/?token=canary\", \
                 \"http://[::1]:8080/\"]\nprivate_files = [\"/srv/webui/.env\"]\nspace_days = 30";
    let health = health(&with(lines));
    let shown: Vec<String> = health.urls.iter().map(ToString::to_string).collect();
    let expected = [
        "https://chat.example.org",
        "https://a.example:8443/x",
        "http://[::1]:8080",
    ];
    assert_eq!(shown, expected);
    assert_eq!(health.urls[1].target, "/x/?token=canary");
    assert_eq!((health.urls[0].port, health.urls[2].port), (443, 8080));
    assert_eq!(health.private_files, [PathBuf::from("/srv/webui/.env")]);
    assert_eq!(health.space_days, 30);
    assert!(!format!("{health:?}").contains("canary"));
}

#[test]
fn what_cannot_be_looked_at_is_refused_without_repeating_it() {
    let not_one = "this is not the address of a web page";
    let password = "the address holds a user or a password";
    let url = "health.urls[0]";
    for (line, message, key, help) in [
        (
            "urls = [\"chat\"]",
            not_one,
            url,
            "https://chat.example.org",
        ),
        ("urls = [\"ftp://a.example\"]", not_one, url, "browser"),
        ("urls = [\"https://\"]", not_one, url, ""),
        (
            "urls = [\"https://me:canary@a.example\"]",
            password,
            url,
            "change it",
        ),
        (
            "urls = [\"http://a.example\"]",
            "the address is not an `https://` one",
            url,
            "loopback",
        ),
        (
            "urls = [\"https://a.example\", \"https://a.example/\"]",
            "this address stands twice",
            "health.urls[1]",
            "",
        ),
        (
            "private_files = [\"x\"]",
            "`private_files`: `x` is not an absolute path",
            "health.private_files[0]",
            "",
        ),
        (
            "space_days = 0",
            "`space_days` is 0",
            "health.space_days",
            "1 to 365",
        ),
        (
            "space_days = 366",
            "`space_days` is 366",
            "health.space_days",
            "",
        ),
        ("url = []", "unknown key `url`", "health.url", "`urls`"),
    ] {
        all_refused(&with(line), &[(message, key, help)]);
    }
}
