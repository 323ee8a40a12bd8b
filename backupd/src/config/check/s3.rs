//! Checks of what a bucket needs: an address, an access key by reference, limits.

use backup_core::store::{Endpoint, EndpointError, Limits, is_region};

use super::config::Check;
use crate::config::{
    CredentialRefs, S3Config,
    problem::{Located, Spot},
    raw::{RawCredentials, RawLimits, RawS3, RawSecret},
    table::Field,
};

/// Units of a rate, and how many bytes per second each is.
const RATES: &[(&str, u64)] = &[
    ("KiB/s", 1 << 10),
    ("MiB/s", 1 << 20),
    ("GiB/s", 1 << 30),
    ("kB/s", 1_000),
    ("MB/s", 1_000_000),
    ("GB/s", 1_000_000_000),
];

impl Check {
    /// What a bucket needs; `at` is its URL.
    pub(super) fn s3(&mut self, raw: &RawS3, at: &Spot) -> Option<S3Config> {
        let endpoint = match &raw.endpoint {
            Some(endpoint) => self.endpoint(endpoint).map(Some),
            None => Some(None),
        };
        let region = match &raw.region {
            Some(region) if region.value.is_empty() => {
                let help = "Name the bucket's region, or leave the key out.";
                self.findings.at(&region.at, "`region` is empty", help);
                None
            }
            Some(region) if !is_region(&region.value) => {
                let help = "It is made of lower-case letters, digits and hyphens.";
                let message = "`region` is not of the form `eu-central-1`";
                self.findings.at(&region.at, message, help);
                None
            }
            region => Some(region.as_ref().map(|region| region.value.clone())),
        };
        let credentials = match &raw.credentials {
            Field::Got(credentials) => self.credentials(&credentials.value),
            Field::Wrong => None,
            Field::Absent => {
                let help = "Write `credentials = { access_key_id = { env = \"…\" }, \
                            secret_access_key = { env = \"…\" } }`; `file`, `credential` and \
                            `command` are the other ways.";
                let message = "a repository in a bucket needs `credentials`";
                self.findings.at(at, message, help);
                None
            }
        };
        let limits = match &raw.limits {
            Some(limits) => self.limits(limits),
            None => Some(Limits::default()),
        };
        Some(S3Config {
            endpoint: endpoint?,
            region: region?,
            path_style: raw.path_style,
            read_back: raw.read_back,
            credentials: credentials?,
            limits: limits?,
        })
    }

    /// Keys of a bucket beside a folder.
    pub(super) fn no_s3(&mut self, raw: &RawS3) {
        for (key, at) in &raw.given {
            let message = format!("`{key}` is for repositories in a bucket");
            let help = "Remove it, or give a URL of the form `s3://bucket/prefix`.";
            self.findings.at(at, message, help);
        }
    }

    fn endpoint(&mut self, raw: &Located<String>) -> Option<Endpoint> {
        Endpoint::parse(&raw.value)
            .map_err(|error| {
                let help = match error {
                    EndpointError::Credentials => {
                        self.findings.mask(raw.at.file, raw.at.span.clone());
                        "Remove it and change it: others may have read it. The access key goes \
                         into `credentials`, by reference."
                    }
                    EndpointError::Plain => {
                        "Use https://: access keys sign requests, but whoever listens sees and \
                         may change them."
                    }
                    EndpointError::Path => {
                        "Give scheme, host and port only: bucket and prefix belong into `url`."
                    }
                    _ => "Give the server's address, for example `https://s3.example.org`.",
                };
                self.findings.at(&raw.at, error.to_string(), help);
            })
            .ok()
    }

    fn credentials(&mut self, raw: &RawCredentials) -> Option<CredentialRefs> {
        let mut read = |raw: Option<&RawSecret>| raw.and_then(|raw| self.secret(raw));
        let access_key_id = read(raw.access_key_id.as_ref());
        let secret_access_key = read(raw.secret_access_key.as_ref());
        let session_token = match &raw.session_token {
            Field::Absent => Some(None),
            Field::Wrong => None,
            Field::Got(token) => read(Some(&token.value)).map(Some),
        };
        Some(CredentialRefs {
            access_key_id: access_key_id?,
            secret_access_key: secret_access_key?,
            session_token: session_token?,
        })
    }

    fn limits(&mut self, raw: &RawLimits) -> Option<Limits> {
        let mut limits = Limits::default();
        let mut sound = true;
        for (key, raw, limit) in [
            ("upload", &raw.upload, &mut limits.upload_per_sec),
            ("download", &raw.download, &mut limits.download_per_sec),
        ] {
            if let Some(raw) = raw {
                *limit = self.rate(key, raw);
                sound &= limit.is_some();
            }
        }
        let most = Limits::MAX_CONNECTIONS;
        if let Some(number) = &raw.connections {
            let read = usize::try_from(number.value).ok();
            if let Some(connections) = read.filter(|number| (1..=most).contains(number)) {
                limits.connections = connections;
            } else {
                let message = "so many connections are not possible";
                let help = format!("Give a number from 1 to {most}.");
                self.findings.at(&number.at, message, help);
                sound = false;
            }
        }
        sound.then_some(limits)
    }

    fn rate(&mut self, key: &str, raw: &Located<String>) -> Option<u64> {
        let Some(rate) = parse_rate(&raw.value) else {
            let message = format!("`{key}` is not a number of bytes per second");
            let help =
                format!("Write it as `{key} = \"20MiB/s\"`; KiB/s and GiB/s are known, too.");
            self.findings.at(&raw.at, message, help);
            return None;
        };
        if rate < Limits::MIN_PER_SEC {
            let message = format!("`{key}` is too slow");
            self.findings
                .at(&raw.at, message, "The least is `16KiB/s`.");
            return None;
        }
        Some(rate)
    }
}

fn parse_rate(text: &str) -> Option<u64> {
    let (unit, bytes) = RATES.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text.strip_suffix(unit)?.trim_end();
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.then(|| number.parse().ok())??;
    number.checked_mul(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_unit() {
        assert_eq!(parse_rate("20MiB/s"), Some(20 << 20));
        assert_eq!(parse_rate("16 KiB/s"), Some(16 << 10));
        assert_eq!(parse_rate("2MB/s"), Some(2_000_000));
        for wrong in ["", "20", "MiB/s", "-1MiB/s", "+1MiB/s", "1.5MiB/s", "20MiB"] {
            assert_eq!(parse_rate(wrong), None, "{wrong}");
        }
        assert_eq!(parse_rate("99999999999999GiB/s"), None);
    }
}
