//! Checks of a repository: a place that can be used, and a key that can be trusted.

use super::config::Check;
use crate::config::{RepositoryConfig, RepositoryUrl, problem::Located, raw::RawRepository};

impl Check {
    pub(super) fn repository(&mut self, raw: &RawRepository) {
        let url = raw.url.as_ref().and_then(|url| self.url(url));
        let trust = raw.trust.as_ref().and_then(|trust| self.trust(trust));
        let s3 = match &url {
            Some(RepositoryUrl::S3(_)) => {
                let at = raw.url.as_ref().map_or(&raw.name.at, |url| &url.at);
                self.s3(&raw.s3, at).map(Some)
            }
            Some(RepositoryUrl::Folder(_)) => {
                self.no_s3(&raw.s3);
                Some(None)
            }
            // Which keys are right depends on the URL.
            None => None,
        };
        let config = url
            .zip(trust)
            .zip(s3)
            .map(|((url, trust), s3)| RepositoryConfig {
                url,
                trust,
                s3,
                single_writer: raw.single_writer,
            });
        self.repositories.add(&raw.name, config, &mut self.findings);
    }

    fn url(&mut self, url: &Located<String>) -> Option<RepositoryUrl> {
        let folder = self.findings.folder(url.at.file).to_owned();
        RepositoryUrl::parse(&url.value, &folder)
            .map_err(|error| {
                if url.value.contains('@') {
                    self.findings.mask(url.at.file, url.at.span.clone());
                }
                self.findings.at(&url.at, error.to_string(), error.help());
            })
            .ok()
    }

    fn trust(&mut self, trust: &Located<String>) -> Option<String> {
        let text = trust.value.as_str();
        let (message, help) = if text.to_uppercase().starts_with("AGE-SECRET-KEY-") {
            self.findings.mask(trust.at.file, trust.at.span.clone());
            (
                "`trust` holds a secret key",
                "Remove it and replace that key: others may have read it. \
                 `trust` is the repository's public root key, 56 characters from `RW`.",
            )
        } else if text.starts_with("age1") {
            (
                "`trust` is an age recipient, not a minisign public key",
                "It is the public root key that `backupctl init` prints: 56 characters from `RW`.",
            )
        } else if is_minisign(text) {
            return Some(text.to_owned());
        } else {
            (
                "`trust` is not a minisign public key",
                "It is the public root key that `backupctl init` prints: 56 characters from `RW`.",
            )
        };
        self.findings.at(&trust.at, message, help);
        None
    }
}

/// Whether a text has the form of a minisign public key: algorithm, key number, Ed25519 key.
fn is_minisign(text: &str) -> bool {
    data_encoding::BASE64
        .decode(text.as_bytes())
        .is_ok_and(|bytes| bytes.len() == 42 && bytes.starts_with(b"Ed"))
}
