//! Checks of the table `[health]`.

use super::config::Check;
use crate::config::{
    HealthConfig, WatchedUrl, WatchedUrlError,
    health::SPACE_DAYS,
    problem::Located,
    raw::{RawFile, RawHealth},
    table::Field,
};

/// Beyond a year nobody knows how a repository grows.
const MOST_DAYS: u32 = 365;
/// All of them are asked at once.
const MOST_URLS: usize = 32;

type Texts = Vec<Located<String>>;

impl Check {
    /// The table `[health]`, from whichever files have it; each key stands once.
    pub(super) fn health(&mut self, files: &[RawFile]) -> HealthConfig {
        let raw: Vec<_> = files.iter().filter_map(|f| f.health.as_ref()).collect();
        let mut texts = |name: &str, key: fn(&RawHealth) -> &Field<Texts>| {
            let fields: Vec<_> = raw.iter().map(|raw| key(raw)).collect();
            self.once(name, &fields).got()
        };
        let urls = texts("urls", |raw| &raw.urls);
        let private = texts("private_files", |raw| &raw.private_files);
        let days: Vec<_> = raw.iter().map(|raw| &raw.space_days).collect();
        let days = self.once("space_days", &days).got();
        let private = private.map(|raw| raw.value.as_slice()).unwrap_or_default();
        HealthConfig {
            urls: urls.map_or_else(Vec::new, |raw| self.watched(&raw)),
            private_files: private
                .iter()
                .filter_map(|one| self.absolute("private_files", one))
                .collect(),
            space_days: days.map_or(SPACE_DAYS, |raw| self.space_days(&raw)),
        }
    }

    fn watched(&mut self, raw: &Located<&Texts>) -> Vec<WatchedUrl> {
        if raw.value.len() > MOST_URLS {
            let message = format!("`urls` has more than {MOST_URLS} addresses");
            self.findings.at(&raw.at, message, "Leave some out.");
        }
        let mut all = Vec::new();
        for one in raw.value {
            let parsed = one.value.parse::<WatchedUrl>();
            match parsed.map_err(|error: WatchedUrlError| (error.to_string(), error.help())) {
                Ok(url) if all.contains(&url) => {
                    let help = "Remove one of them.";
                    self.findings.at(&one.at, "this address stands twice", help);
                }
                Ok(url) => all.push(url),
                Err((message, help)) => self.findings.at(&one.at, message, help),
            }
        }
        all
    }

    fn space_days(&mut self, raw: &Located<&i64>) -> u32 {
        let days = u32::try_from(*raw.value).ok();
        days.filter(|days| (1..=MOST_DAYS).contains(days))
            .unwrap_or_else(|| {
                let message = format!("`space_days` is {}", raw.value);
                let help = format!("Write a number from 1 to {MOST_DAYS}.");
                self.findings.at(&raw.at, message, help);
                SPACE_DAYS
            })
    }
}
